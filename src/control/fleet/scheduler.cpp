// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/fleet/scheduler.hpp"

#include <algorithm>
#include <cstring>

#include "carnot/base/error.hpp"

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

double SignalView::at(Instant when) const noexcept {
  const std::int64_t i = (when - start) / step;
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  return mean[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, last))];
}

double SignalView::integral_to(Instant when) const noexcept {
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  const auto i = static_cast<std::size_t>(std::clamp<std::int64_t>((when - start) / step, 0, last));
  const Instant edge = start + step * static_cast<std::int64_t>(i);
  return sum[i] + mean[i] * (when - edge).time().in(second);
}

double SignalView::integral(Instant from, Instant to) const noexcept {
  return integral_to(to) - integral_to(from);
}

void Scheduler::reserve_called(FleetControl& fleet, const ReserveCall& call) {
  const SiteState& site = fleet.sites()[call.site];
  if (!call.down) {
    const Power before = site.facility;
    JobIndex job = fleet.first_waiting();
    while (job != kNowhere && site.facility - before < call.power) {
      const JobIndex next = fleet.next_waiting(job);
      fleet.start(job, call.site);
      job = next;
    }
    return;
  }
  std::vector<JobIndex> running;
  for (JobIndex job = fleet.first_running(call.site); job != kNowhere;
       job = fleet.next_running(job))
    if (fleet.status(job).phase == JobPhase::Running && fleet.request(job).stoppable)
      running.push_back(job);
  Power shed;  // once their state is saved
  for (std::size_t i = running.size(); i-- > 0 && shed < call.power;) {
    const JobIndex job = running[i];
    const std::uint8_t mode = fleet.status(job).mode;
    shed += site.pue * fleet.nodes(job, mode) *
            max(Power{}, fleet.node_power(job, call.site, mode) - site.node_idle);
    fleet.suspend(job);
    held_back_.push_back(job);
  }
}

void Scheduler::reserve_ended(FleetControl& fleet, const ReserveCall& call) {
  const auto here = [&](JobIndex job) { return fleet.status(job).site == call.site; };
  for (const JobIndex job : held_back_) {
    const JobStatus& status = fleet.status(job);
    if (here(job) && status.phase == JobPhase::Waiting && !status.in_line)
      fleet.submit(job, call.site, status.mode);
  }
  std::erase_if(held_back_, here);
}

std::vector<std::uint8_t> Scheduler::save() const {
  std::vector<std::uint8_t> bytes(held_back_.size() * sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(bytes.data(), held_back_.data(), bytes.size());
  return bytes;
}

void Scheduler::restore(std::span<const std::uint8_t> bytes) {
  if (bytes.size() % sizeof(JobIndex) != 0)
    throw InputError("a scheduler's state: whole numbers of jobs");
  held_back_.resize(bytes.size() / sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(held_back_.data(), bytes.data(), bytes.size());
}

namespace {

/// Each job into the line of the site it was sent to.
class NoWait final : public Rule {
 public:
  using Rule::Rule;
  void arrived(FleetControl& fleet, JobIndex job) override {
    fleet.submit(job, fleet.request(job).origin);
  }
};

struct Known {
  SchedulerInfo info;
  RuleMaker make;
};

constexpr std::string_view kGaia = "GAIA, Hanafy et al., ASPLOS 2024";
constexpr std::string_view kSustainCluster = "SustainCluster, Guillen-Perez et al., NeurIPS 2025";
constexpr std::string_view kAwareSdk = "Carbon Aware SDK, Green Software Foundation, 2022";

constexpr Known kKnown[] = {
    {{"no-wait", "in line at the site it was sent to, first come, first served",
      "the usual baseline; SustainCluster's `local`"},
     make_rule<NoWait>},
    {{"easy", "as no-wait, but a later job goes ahead if it does not delay the first in line",
      "EASY backfilling, Lifka, JSSPP 1995"},
     make_easy},
    {{"lowest-carbon", "to the site of least carbon now, one with free nodes first",
      kSustainCluster},
     make_lowest_carbon},
    {{"lowest-price", "to the site of least price now, one with free nodes first", kSustainCluster},
     make_lowest_price},
    {{"most-available", "to the site with most free nodes", kSustainCluster}, make_most_available},
    {{"round-robin", "to the sites in turn, one with free nodes first", kSustainCluster},
     make_round_robin},
    {{"lowest-slot", "starts in the step of least carbon within its wait", kGaia},
     make_lowest_slot},
    {{"lowest-window", "starts where its whole run has least carbon", kGaia}, make_lowest_window},
    {{"carbon-time", "starts where most carbon is saved for the time until it ends", kGaia},
     make_carbon_time},
    {{"ecovisor", "pauses while carbon is above the 30 % quantile of the next day",
      "Ecovisor, Souza et al., ASPLOS 2023, as stated in GAIA"},
     make_ecovisor},
    {{"wait-awhile", "runs in the steps of least carbon, stopping between them",
      "Let's Wait Awhile, Wiesner et al., Middleware 2021"},
     make_wait_awhile},
    {{"carbonscaler", "more nodes in hours of less carbon, by marginal work for a gram",
      "CarbonScaler, Hanafy et al., SIGMETRICS 2024"},
     make_carbonscaler},
    {{"carbon-greedy", "each job alone to the site and window of least carbon", kAwareSdk},
     make_carbon_greedy},
    {{"price-greedy", "each job alone to the site and window of least price", kAwareSdk},
     make_price_greedy},
    {{"stranded", "works where power is stranded (cheap), stops when that ends",
      "ZCCloud, Yang & Chien, IPDPS 2016"},
     make_stranded},
    {{"carnot", "site, mode and hours of all jobs together, planned anew each hour", "carnot"},
     make_carnot},
};

/// What stands behind the colon of a name.
bool knows(std::string_view suffix, Knowledge& knowledge) {
  if (suffix == "future" || suffix == "oracle") knowledge.future = true;
  if (suffix == "lengths" || suffix == "oracle") knowledge.lengths = true;
  return knowledge.future || knowledge.lengths;
}

}  // namespace

std::span<const SchedulerInfo> scheduler_list() noexcept {
  static const std::vector<SchedulerInfo> all = [] {
    std::vector<SchedulerInfo> infos;
    for (const Known& known : kKnown) infos.push_back(known.info);
    return infos;
  }();
  return all;
}

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const Known& known : kKnown) names.emplace_back(known.info.name);
  return names;
}

std::unique_ptr<Scheduler> make_scheduler(std::string_view name, const SchedulerOptions& options) {
  const std::size_t colon = name.find(':');
  const std::string_view rule = name.substr(0, colon);
  Knowledge knowledge;
  if (colon != std::string_view::npos && !knows(name.substr(colon + 1), knowledge))
    throw InputError("policy `" + std::string(name) +
                     "`: behind the colon stands future, lengths or oracle");
  for (const Known& known : kKnown)
    if (known.info.name == rule) return known.make(std::string(name), knowledge, options);
  const std::vector<std::string> names = scheduler_names();
  std::string allowed;
  for (const std::string& one : names) allowed += (allowed.empty() ? "" : ", ") + one;
  const std::string near = nearest(rule, names);
  throw InputError("policy `" + std::string(rule) + "`: one of " + allowed +
                   (near.empty() ? "" : "; did you mean `" + near + "`?"));
}

}  // namespace carnot::control
