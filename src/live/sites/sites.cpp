// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/sites.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

#include "live/sites/site_levels.hpp"

namespace carnot::live {

namespace {

constexpr double kStays = 1.05;  // a site that is on stays on up to this times the level
constexpr double kCurtailedEnds = 1.1;
constexpr double kBetter = 0.95;  // of another site's intensity, to be worth a move

void check(const std::vector<TrainingSite>& sites, const SitesTask& task) {
  Problems problems;
  if (sites.empty()) problems.add({}, "site", "one or more");
  if (!(task.slot.in(second) > 0)) problems.add({}, "slot", "above 0 s");
  if (!(task.deadline.in(second) > 0)) problems.add({}, "deadline", "after the start");
  if (!(task.work.in(second) > 0)) problems.add({}, "work", "above 0 s");
  if (!(task.parallel > 0 && task.parallel <= 1))
    problems.add({}, "parallel", "above 0, at most 1");
  std::set<std::string> names;
  const Instant end = task.start + Duration::from(task.deadline);
  for (const TrainingSite& site : sites) {
    if (site.name.empty() || !names.insert(site.name).second)
      problems.add({}, "site.name", fmt::format("distinct names, found `{}` again", site.name));
    if (task.start < site.carbon.begin() || end > site.carbon.end())
      problems.add(
          {}, "site.carbon",
          fmt::format("{}: values from {} to {}, found {} to {}", site.name, task.start.iso8601(),
                      end.iso8601(), site.carbon.begin().iso8601(), site.carbon.end().iso8601()));
    if (!(site.speed > 0)) problems.add({}, "site.speed", "above 0");
    if (!(site.training_power > Power{})) problems.add({}, "site.training_power", "above 0 W");
  }
  problems.throw_if_any();
}

enum class Rule { Single, All, Cheapest, Curtailed, Levels };

struct Policy {
  Rule rule = Rule::Single;
  std::size_t site = 0;
};

Policy policy_of(const std::vector<TrainingSite>& sites, const std::string& name) {
  if (name == "all") return {Rule::All, 0};
  if (name == "cheapest") return {Rule::Cheapest, 0};
  if (name == "curtailed") return {Rule::Curtailed, 0};
  if (name == "carnot") return {Rule::Levels, 0};
  for (std::size_t i = 0; i < sites.size(); ++i)
    if (name == "single:" + sites[i].name) return {Rule::Single, i};
  const std::string near = nearest(name, site_policies(sites));
  throw InputError(
      describe({}, "policy",
               fmt::format("single:SITE, all, cheapest, curtailed or carnot, found "
                           "`{}`{}",
                           name, near.empty() ? "" : "; did you mean `" + near + "`?")));
}

/// The slots of a task: starts, lengths in seconds and the intensity of each site, g per joule.
struct Slots {
  Slots(const std::vector<TrainingSite>& sites, const SitesTask& task) {
    const double slot = task.slot.in(second), whole = task.deadline.in(second);
    const auto count = static_cast<std::size_t>(std::ceil(whole / slot - 1e-9));
    for (std::size_t i = 0; i < count; ++i) {
      const double from = static_cast<double>(i) * slot;
      const double length = std::min(slot, whole - from);
      start.push_back(task.start + Duration::from(from * second));
      seconds.push_back(length);
      auto& row = intensity.emplace_back();
      for (const TrainingSite& site : sites)
        row.push_back(
            site.carbon.mean_over(start.back(), start.back() + Duration::from(length * second)));
    }
  }
  std::vector<Instant> start;
  std::vector<double> seconds;
  std::vector<std::vector<double>> intensity;  // [slot][site]
};

struct SiteState {
  bool on = false;
  double ready_in = 0;  ///< seconds until it trains
};

}  // namespace

std::vector<std::string> site_policies(const std::vector<TrainingSite>& sites) {
  std::vector<std::string> out;
  for (const TrainingSite& site : sites) out.push_back("single:" + site.name);
  out.insert(out.end(), {"all", "cheapest", "curtailed", "carnot"});
  return out;
}

SitesResult train_at_sites(const std::vector<TrainingSite>& sites, const SitesTask& task,
                           const std::string& policy_name, const SlotTrainer& trainer) {
  check(sites, task);
  const Policy policy = policy_of(sites, policy_name);
  const Slots slots(sites, task);
  std::vector<SiteLevels> levels;
  if (policy.rule == Rule::Levels)
    for (const TrainingSite& site : sites) levels.emplace_back(site.carbon, task.start);

  SitesResult out;
  out.policy = policy_name;
  for (const TrainingSite& site : sites) out.sites.push_back({site.name, {}, {}, {}, {}, 0});
  std::vector<SiteState> state(sites.size());
  double left = task.work.in(second), below = 0;
  const double threshold = task.threshold.base();

  for (std::size_t t = 0; t < slots.start.size() && !out.finished; ++t) {
    const std::vector<double>& now = slots.intensity[t];
    const double length = slots.seconds[t];
    // What the sites are told: each knows its intensity of this slot, and of those before.
    std::vector<bool> wanted(sites.size(), false);
    if (policy.rule == Rule::Levels) {
      double ahead = -length;
      for (std::size_t i = t; i < slots.seconds.size(); ++i) ahead += slots.seconds[i];
      std::vector<LevelSite> view;
      for (std::size_t s = 0; s < sites.size(); ++s)
        view.push_back({now[s], sites[s].speed,
                        state[s].on ? state[s].ready_in : sites[s].provisioning.in(second),
                        sites[s].provisioning.in(second), sites[s].training_power.in(watt)});
      const double level = work_level(levels, view, length, ahead, left, t, task.parallel);
      for (const AddedWork& part : added_work(view, now, task.parallel))
        wanted[part.site] = part.price <= level * (state[part.site].on ? kStays : 1.0);
      for (std::size_t s = 0; s < sites.size(); ++s) levels[s].observe(length, now[s]);
    }
    for (std::size_t s = 0; s < sites.size(); ++s) {
      if (policy.rule == Rule::All || (policy.rule == Rule::Single && s == policy.site))
        wanted[s] = true;
      if (policy.rule == Rule::Curtailed)
        wanted[s] = now[s] < threshold * (state[s].on ? kCurtailedEnds : 1.0);
    }
    if (policy.rule == Rule::Cheapest) {
      const auto least =
          static_cast<std::size_t>(std::min_element(now.begin(), now.end()) - now.begin());
      std::size_t stays = sites.size();
      for (std::size_t s = 0; s < sites.size(); ++s)
        if (state[s].on) stays = s;
      wanted[stays < sites.size() && now[least] >= kBetter * now[stays] ? stays : least] = true;
    }

    std::vector<double> idle(sites.size(), 0.0), training(sites.size(), 0.0);
    for (std::size_t s = 0; s < sites.size(); ++s) {
      if (wanted[s] && !state[s].on) {
        state[s] = {true, sites[s].provisioning.in(second)};
        ++out.sites[s].starts;
      }
      if (!wanted[s]) state[s] = {};
      if (!state[s].on) continue;
      idle[s] = std::min(length, state[s].ready_in);
      training[s] = length - idle[s];
      state[s].ready_in -= idle[s];
    }

    // At once they add less to each other than each does alone.
    double offered = 0, together = 0, most = 0;
    for (std::size_t s = 0; s < sites.size(); ++s) {
      offered += training[s] * sites[s].speed;
      if (training[s] > 0) together += sites[s].speed, most = std::max(most, sites[s].speed);
    }
    if (together > most) offered *= std::pow(together / most, task.parallel - 1.0);
    double used = offered > 0 ? std::min(1.0, left / offered) : 1.0;  // of the slot's training
    if (trainer && offered > 0) {
      const SlotWork work = trainer(training);
      out.finished = work.finished;
      used = 1.0;
      left = std::max(0.0, left - work.useful_seconds);
    } else if (offered > 0) {
      left = std::max(0.0, left - offered);
      out.finished = !(left > 0);
    }
    auto& on = out.on.emplace_back(sites.size(), std::uint8_t{0});
    for (std::size_t s = 0; s < sites.size(); ++s) {
      if (idle[s] + training[s] > 0) on[s] = training[s] > 0 ? 2 : 1;
      SiteTotals& site = out.sites[s];
      const Energy waiting = idle[s] * second * sites[s].idle_power;
      const Energy energy = waiting + used * training[s] * second * sites[s].training_power;
      site.training += used * training[s] * second;
      site.idle += idle[s] * second;
      site.energy += energy;
      site.carbon += energy * CarbonIntensity::from_base(now[s]);
      out.idle_energy += waiting;
      if (now[s] < threshold) below += energy.in(joule);
    }
    out.elapsed += (out.finished ? used * length : length) * second;
  }
  for (const SiteTotals& site : out.sites) {
    out.energy += site.energy;
    out.carbon += site.carbon;
  }
  out.work_left = left * second;
  if (out.energy > Energy{}) out.below_threshold = below / out.energy.in(joule);
  return out;
}

SitesBound carbon_bound(const std::vector<TrainingSite>& sites, const SitesTask& task) {
  check(sites, task);
  const Slots slots(sites, task);
  struct Offer {
    double grams_per_work = 0, work = 0;
  };
  std::vector<Offer> offers;
  for (std::size_t t = 0; t < slots.start.size(); ++t)
    for (std::size_t s = 0; s < sites.size(); ++s)
      offers.push_back({slots.intensity[t][s] * sites[s].training_power.in(watt) / sites[s].speed,
                        slots.seconds[t] * sites[s].speed});
  std::sort(offers.begin(), offers.end(),
            [](const Offer& a, const Offer& b) { return a.grams_per_work < b.grams_per_work; });
  SitesBound out;
  double left = task.work.in(second), grams = 0;
  for (const Offer& offer : offers) {
    // Work with negative intensity is not forced on anyone: less of it is allowed, never more.
    const double taken = std::min(left, offer.work);
    grams += taken * offer.grams_per_work;
    left -= taken;
    if (!(left > 0)) break;
  }
  out.feasible = !(left > 1e-6);
  out.carbon = grams * gram;
  return out;
}

}  // namespace carnot::live
