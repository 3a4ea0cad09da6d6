// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/certificate/certificate.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <compare>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/plan/problem/plan_file.hpp"

#include "plan/certificate/jobs.hpp"
#include "plan/certificate/packing.hpp"
#include "plan/certificate/parts.hpp"
#include "plan/certificate/sites.hpp"
#include "plan/certificate/workflow_check.hpp"
#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

constexpr double kFit = 1e-9;        // by which a sum of powers may pass a limit, relative
constexpr double kRounding = 1e-13;  // of all terms' magnitude: more than double sums can lose
constexpr std::size_t kMostWords = 50;
constexpr std::size_t kWorthAThread = 50'000;  // jobs

/// Facility power split as the problem says: whichever is cheaper first.
struct Split {
  double own = 0, grid = 0;
};
Split split(double facility, double free, double limit, double grid_cost) {
  Split x;
  if (grid_cost >= 0) {
    x.own = std::min(facility, free);
    x.grid = facility - x.own;
  } else {
    x.grid = std::min(facility, limit);
    x.own = facility - x.grid;
  }
  return x;
}

double grid_cost(const Problem& problem, std::size_t s, std::size_t t) {
  const PlanSite& site = problem.sites[s];
  return site.price_eur_per_kwh[t] +
         problem.carbon_price_eur_per_t / 1e6 * site.carbon_g_per_kwh[t];
}

/// Follows the jobs of a plan.
class Walk {
 public:
  Walk(const Problem& problem, const Plan& plan, const StopToken& stop)
      : problem_(problem),
        plan_(plan),
        stop_(stop),
        slots_(static_cast<std::size_t>(problem.slots)) {
    out_.load.resize(problem.sites.size() * slots_);
  }

  JobsPart jobs() {
    if (plan_.jobs.size() != problem_.jobs.size()) {
      out_.violations.add(fmt::format("the plan has {} jobs, the problem {}", plan_.jobs.size(),
                                      problem_.jobs.size()));
      return std::move(out_);
    }
    for (std::size_t j = 0; j < plan_.jobs.size(); ++j) {
      stop_.throw_if_requested();
      job(j);
    }
    for (double& kw : out_.load) kw = std::max(kw, 0.0);
    return std::move(out_);
  }

 private:
  void wrong(std::size_t j, std::string_view what) {
    out_.violations.add(fmt::format("job {}: {}", problem_.jobs.id(j), what));
  }

  void job(std::size_t j) {
    const Assignment& a = plan_.jobs[j];
    const PlanJobs& jobs = problem_.jobs;
    const auto schedule = plan_.schedules.find(static_cast<std::uint32_t>(j));
    if (problem_.terms_of(j) != nullptr)
      return job_with_terms(j,
                            schedule == plan_.schedules.end() ? JobSchedule() : schedule->second);
    if (schedule != plan_.schedules.end())
      wrong(j, "it has no terms, yet sites or levels of its own");
    if (a.site == kNone) {
      out_.cost += jobs.value(j);
      ++out_.dropped;
      if (!a.slots.empty()) wrong(j, "dropped, yet it has slots");
      return;
    }
    if (a.site >= problem_.sites.size()) return wrong(j, fmt::format("no site {}", a.site));
    if (a.mode >= jobs.mode_end(j) - jobs.mode_begin(j))
      return wrong(j, fmt::format("no mode {}", a.mode));
    const std::vector<std::uint32_t>* allowed = jobs.sites(j);
    if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), a.site) == allowed->end())
      wrong(j, fmt::format("site {} is not allowed", a.site));
    const PlanMode& mode = jobs.mode(jobs.mode_begin(j) + a.mode);
    if (a.slots.size() != static_cast<std::size_t>(mode.slots))
      wrong(j, fmt::format("{} slots, mode {} needs {}", a.slots.size(), a.mode, mode.slots));
    std::vector<std::int32_t> sorted = a.slots;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      const std::int32_t t = sorted[i];
      if (i > 0 && sorted[i - 1] == t) wrong(j, fmt::format("slot {} twice", t));
      if (t < jobs.release(j) || t >= jobs.deadline(j))
        wrong(j, fmt::format("slot {} outside [{}, {})", t, jobs.release(j), jobs.deadline(j)));
      if (t >= 0 && t < problem_.slots)
        out_.load[a.site * slots_ + static_cast<std::size_t>(t)] += mode.power_kw;
    }
    out_.cost += mode.quality_eur;
    out_.cost += jobs.move_eur(j, a.site);
  }

  void job_with_terms(std::size_t j, const JobSchedule& schedule) {
    std::vector<std::string> wrongs;
    const OwnCost own =
        check_schedule(problem_, j, plan_.jobs[j], schedule, {}, out_.load, {}, wrongs);
    out_.cost += own.total();
    out_.dropped += plan_.jobs[j].site == kNone;
    for (std::string& words : wrongs) out_.violations.add(std::move(words));
  }

  const Problem& problem_;
  const Plan& plan_;
  SparseStop stop_;
  std::size_t slots_;
  JobsPart out_;
};

/// Costs and energies of sites, and which of their limits are passed.
void follow_sites(const Problem& problem, const JobsPart& jobs, Certificate& out,
                  Violations& violations) {
  const double h = problem.slot_s / 3600.0;
  const auto slots = static_cast<std::size_t>(problem.slots);
  Sum<double> own, grid, carbon, cost = jobs.cost;
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < slots; ++t) {
      const PlanSite& site = problem.sites[s];
      const double it = jobs.load[s * slots + t], facility = it * site.pue[t];
      const double c = grid_cost(problem, s, t);
      if (it > site.capacity_kw[t] * (1 + kFit))
        violations.add(fmt::format("site {} slot {}: {} kW of IT, capacity {} kW", s, t, it,
                                   site.capacity_kw[t]));
      if (facility > (site.free_kw[t] + site.grid_limit_kw[t]) * (1 + kFit))
        violations.add(fmt::format("site {} slot {}: {} kW, own power {} kW and grid {} kW", s, t,
                                   facility, site.free_kw[t], site.grid_limit_kw[t]));
      const Split x = split(facility, site.free_kw[t], site.grid_limit_kw[t], c);
      cost += x.grid * c * h;
      own += x.own * h;
      grid += x.grid * h;
      carbon += x.grid * h * site.carbon_g_per_kwh[t];
    }
  constexpr double kJoulesPerKwh = 3.6e6;
  out.totals.free_energy_j = own.value() * kJoulesPerKwh;
  out.totals.grid_energy_j = grid.value() * kJoulesPerKwh;
  out.totals.energy_j = out.totals.free_energy_j + out.totals.grid_energy_j;
  out.totals.carbon_g = carbon.value();
  out.totals.objective_eur = cost.value();
}

/// A job of the contract, to be ordered by its window.
struct Windowed {
  std::int32_t release, deadline;
  std::uint32_t job;
  auto operator<=>(const Windowed&) const = default;
};

/// Least that jobs cost at these prices, one window after the other, whose slots are sorted once a
/// site.
class WindowCosts {
 public:
  WindowCosts(const Problem& problem, const std::vector<double>& price)
      : problem_(problem), price_(price) {}

  double least(const Windowed& of) {
    if (of.release != release_ || of.deadline != deadline_) look(of.release, of.deadline);
    const PlanJobs& jobs = problem_.jobs;
    const double h = problem_.slot_s / 3600.0;
    const std::size_t sites = problem_.sites.size();
    double least = jobs.value(of.job);
    for (std::size_t i = jobs.mode_begin(of.job); i < jobs.mode_end(of.job); ++i) {
      const PlanMode& mode = jobs.mode(i);
      if (mode.slots > of.deadline - of.release) continue;  // behind its predecessors
      const double* row = &cheapest_[static_cast<std::size_t>(mode.slots) * sites];
      const auto at = [&](std::uint32_t s) {
        double sum = row[s];
        if (mode.power_kw > room_[s]) {  // slots that cannot feed it are not open to it
          if (!fed(s, mode)) return;
          sum = std::accumulate(sorted_.begin(), sorted_.begin() + mode.slots, 0.0);
        }
        least =
            std::min(least, mode.quality_eur + jobs.move_eur(of.job, s) + mode.power_kw * h * sum);
      };
      if (const std::vector<std::uint32_t>* allowed = jobs.sites(of.job))
        for (const std::uint32_t s : *allowed) at(s);
      else
        for (std::uint32_t s = 0; s < sites; ++s) at(s);
    }
    return least;
  }

 private:
  void look(std::int32_t release, std::int32_t deadline) {
    release_ = release;
    deadline_ = deadline;
    const std::size_t sites = problem_.sites.size(),
                      slots = static_cast<std::size_t>(problem_.slots);
    const auto length = static_cast<std::size_t>(deadline - release);
    cheapest_.assign((length + 1) * sites, 0.0);
    room_.assign(sites, kInfinity);
    for (std::size_t s = 0; s < sites; ++s) {
      for (std::int32_t t = release; t < deadline; ++t)
        room_[s] = std::min(room_[s], room_kw(problem_, s, static_cast<std::size_t>(t)));
      const double* from = &price_[s * slots + static_cast<std::size_t>(release)];
      sorted_.assign(from, from + length);
      std::sort(sorted_.begin(), sorted_.end());
      for (std::size_t k = 0; k < length; ++k)
        cheapest_[(k + 1) * sites + s] = cheapest_[k * sites + s] + sorted_[k];
    }
  }

  /// Sorts the prices of the window's slots that can feed the mode. \return whether they suffice
  bool fed(std::uint32_t s, const PlanMode& mode) {
    const auto slots = static_cast<std::size_t>(problem_.slots);
    sorted_.clear();
    for (auto t = static_cast<std::size_t>(release_); t < static_cast<std::size_t>(deadline_); ++t)
      if (mode.power_kw <= room_kw(problem_, s, t)) sorted_.push_back(price_[s * slots + t]);
    std::sort(sorted_.begin(), sorted_.end());
    return std::ssize(sorted_) >= mode.slots;
  }

  const Problem& problem_;
  const std::vector<double>& price_;
  std::int32_t release_ = -1, deadline_ = -1;
  std::vector<double> cheapest_;  // [slots taken x sites + site]
  std::vector<double> room_;      // [site] least of the window
  std::vector<double> sorted_;
};

/// Figures that a file claims must be those that follow from it.
void compare(const PlanTotals& claimed, Certificate& out) {
  const auto same = [&](const char* name, double says, double is, double scale) {
    if (!(std::abs(says - is) <= 1e-9 * std::max(scale, 1e-6)))
      out.add(fmt::format("{}: the plan says {}, it is {}", name, says, is));
  };
  const PlanTotals& is = out.totals;
  const double money = std::max(std::abs(is.objective_eur), std::abs(is.bound_eur));
  same("objective_eur", claimed.objective_eur, is.objective_eur, money);
  if (!(claimed.bound_eur <= is.bound_eur + 1e-9 * std::max(money, 1e-6)))
    out.add(fmt::format("bound_eur: the plan says {}, its prices prove {}", claimed.bound_eur,
                        is.bound_eur));
  const double gap = relative_gap(claimed.objective_eur, claimed.bound_eur);
  if (std::isfinite(gap) || std::isfinite(claimed.gap))
    same("gap", claimed.gap, gap, std::max(1.0, std::abs(gap)));
  same("dropped", static_cast<double>(claimed.dropped), static_cast<double>(is.dropped), 1.0);
  same("energy_j", claimed.energy_j, is.energy_j, is.energy_j);
  same("free_energy_j", claimed.free_energy_j, is.free_energy_j, is.energy_j);
  same("grid_energy_j", claimed.grid_energy_j, is.grid_energy_j, is.energy_j);
  same("carbon_g", claimed.carbon_g, is.carbon_g, std::abs(is.carbon_g) + is.energy_j / 3.6e6);
}

}  // namespace

void BoundSum::add(double x) {
  sum += x;
  magnitude += std::abs(x);
}

double BoundSum::value() const { return sum.value() - kRounding * magnitude.value(); }

void Violations::add(std::string what) {
  if (count++ < kMostWords) words.push_back(std::move(what));
}

void Certificate::add(std::string words) {
  if (violation_count++ < kMostWords) violations.push_back(std::move(words));
}

JobsPart certify_jobs(const Problem& problem, const Plan& plan, const StopToken& stop) {
  return Walk(problem, plan, stop).jobs();
}

void add_jobs_bound(const Problem& problem, const std::vector<double>& price,
                    const StopToken& token, BoundSum& bound) {
  const PlanJobs& jobs = problem.jobs;
  std::vector<Windowed> order;
  order.reserve(jobs.size());
  for (std::uint32_t j = 0; j < jobs.size(); ++j)
    if (problem.terms.empty() || problem.terms_of(j) == nullptr) {
      order.push_back({jobs.release(j), jobs.deadline(j), j});
    } else {
      token.throw_if_requested();
      bound.add(least_cost(problem, j, {.energy = price, .within_sites = true}));
    }
  std::sort(order.begin(), order.end());
  std::vector<double> least(order.size());
  std::atomic<bool> stopped{false};
  const auto some = [&](std::size_t from, std::size_t to) {
    WindowCosts costs(problem, price);
    SparseStop stop(token);
    for (std::size_t i = from; i < to && !stopped; ++i) {
      if (stop.requested()) stopped = true;
      least[i] = costs.least(order[i]);
    }
  };
  const std::size_t workers = std::clamp<std::size_t>(
      order.size() / kWorthAThread, 1, std::max(1U, std::thread::hardware_concurrency()));
  const auto part = [&](std::size_t k) { return order.size() * k / workers; };
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < workers; ++k) others.emplace_back(some, part(k), part(k + 1));
  some(0, part(1));
  for (std::thread& other : others) other.join();
  if (stopped) throw Stopped();
  for (const double x : least) bound.add(x);
}

void add_sites_bound(const Problem& problem, const std::vector<double>& price, BoundSum& bound) {
  const std::size_t slots = static_cast<std::size_t>(problem.slots);
  const double h = problem.slot_s / 3600.0;
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < slots; ++t) {
      const PlanSite& site = problem.sites[s];
      const double c = grid_cost(problem, s, t), free = site.free_kw[t];
      const double limit = site.grid_limit_kw[t];
      const double most = std::min(site.capacity_kw[t], (free + limit) / site.pue[t]);
      double least = 0;
      for (const double kw : {free / site.pue[t], limit / site.pue[t], most}) {
        const double it = std::min(kw, most);
        const double cost = split(it * site.pue[t], free, limit, c).grid * c;
        least = std::min(least, (cost - price[s * slots + t] * it) * h);
      }
      bound.add(least);
    }
}

/// The bound of prices on power and on packing rows together.
static void add_packed_bound(const Problem& problem, const Plan& plan, const StopToken& stop,
                             BoundSum& bound) {
  const PackingTerms packing(problem, plan);
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    stop.throw_if_requested();
    bound.add(packing.job(j));
  }
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < static_cast<std::size_t>(problem.slots); ++t)
      bound.add(packing.cell(s, t));
  bound.add(-packing.allowed());
}

bool check_prices(const Problem& problem, const std::vector<double>& price, Violations& out) {
  const std::size_t cells = problem.sites.size() * static_cast<std::size_t>(problem.slots);
  bool priced = price.size() == cells;
  if (!priced) out.add(fmt::format("{} prices, not {}", price.size(), cells));
  for (std::size_t i = 0; i < price.size(); ++i)
    if (!(std::abs(price[i]) <= 1e12)) {
      out.add(fmt::format("price {}: a number, -1e12 to 1e12, not {}", i, price[i]));
      priced = false;
    }
  return priced;
}

Certificate certify_sites_of(const Problem& problem, const JobsPart& jobs, double bound_eur) {
  Certificate out;
  Violations violations = jobs.violations;
  follow_sites(problem, jobs, out, violations);
  out.violations = std::move(violations.words);
  out.violation_count = violations.count;
  out.totals.dropped = jobs.dropped;
  out.totals.bound_eur = bound_eur;
  out.totals.gap = relative_gap(out.totals.objective_eur, bound_eur);
  return out;
}

Certificate certify(const Problem& problem, const Plan& plan, const StopToken& stop) {
  if (problem.workflow.any()) {
    // Its jobs are followed in their own windows, the bound is that of the narrower ones.
    Problem narrow = with_later_releases(problem);
    narrow.workflow = {};
    Certificate out = certify(narrow, plan, stop);
    for (std::string& words : check_workflow(problem, plan)) out.add(std::move(words));
    return out;
  }
  if (!problem.site_terms.empty() || problem.goals.any() || !plan.flows.empty())
    return certify_sites(problem, plan, stop);
  const JobsPart jobs = certify_jobs(problem, plan, stop);
  Violations unpriced;
  bool priced = check_prices(problem, plan.price, unpriced);
  if (std::string wrong = unusable_packing(problem, plan); !wrong.empty()) {
    unpriced.add(std::move(wrong));
    priced = false;
  }
  BoundSum bound;
  if (priced && !plan.packing.empty()) {
    add_packed_bound(problem, plan, stop, bound);
  } else if (priced) {
    add_jobs_bound(problem, plan.price, stop, bound);
    add_sites_bound(problem, plan.price, bound);
  }
  Certificate out = certify_sites_of(problem, jobs, priced ? bound.value() : -kInfinity);
  for (std::string& words : unpriced.words) out.add(std::move(words));
  return out;
}

Certificate check_plan(const std::string& plan_path, const std::string& problem_path,
                       const StopToken& stop) {
  return check_plan(read_plan(plan_path, problem_path, stop), stop);
}

Certificate check_plan(const PlanFile& file, const StopToken& stop) {
  Certificate out = certify(file.problem, file.plan, stop);
  for (const std::string& words : file.violations) out.add(words);
  compare(file.claimed, out);
  return out;
}

}  // namespace carnot::plan
