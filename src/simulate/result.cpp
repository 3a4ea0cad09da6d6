// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "simulate/engine.hpp"

namespace carnot::simulate {

namespace {

/// Of sorted values, by the nearest rank.
Time quantile(const std::vector<std::int64_t>& sorted, double q) {
  if (sorted.empty()) return Time{};
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return Duration::nanoseconds(sorted[rank]).time();
}

}  // namespace

FleetFlows operator+(const FleetFlows& a, const FleetFlows& b) {
  FleetFlows sum = a;
  const auto add = [&](auto member) { sum.*member += b.*member; };
  for (const auto member :
       {&FleetFlows::it, &FleetFlows::idle, &FleetFlows::facility, &FleetFlows::own_total,
        &FleetFlows::own_used, &FleetFlows::exported, &FleetFlows::curtailed,
        &FleetFlows::charged_own, &FleetFlows::charged_grid, &FleetFlows::discharged,
        &FleetFlows::battery_begin, &FleetFlows::battery_end, &FleetFlows::grid,
        &FleetFlows::call_asked, &FleetFlows::call_short})
    add(member);
  add(&FleetFlows::carbon);
  add(&FleetFlows::cost);
  add(&FleetFlows::node_time);
  add(&FleetFlows::peak);
  sum.balance_residual = std::max(a.balance_residual, b.balance_residual);
  return sum;
}

FleetResult FleetEngine::result(Instant until) const {
  FleetResult r;
  r.policy = std::string(policy_.name());
  r.knowledge = knowledge_;
  r.jobs = runs_.size();
  r.finished = counts_.finished;
  r.late = counts_.late + (runs_.size() - counts_.finished - counts_.cancelled);
  r.failed = counts_.failed;
  r.cancelled = counts_.cancelled;
  r.starts = counts_.starts;
  r.suspensions = counts_.suspensions;
  r.moves = counts_.moves;
  r.failures = counts_.failures;
  r.kills = counts_.kills;
  r.work_lost = Duration::nanoseconds(counts_.lost).time();
  r.begin = begin_;
  r.end = until;
  r.events = counts_.events;

  std::vector<std::int64_t> waits;
  waits.reserve(runs_.size());
  double sum = 0.0;
  for (JobIndex j = 0; j < runs_.size(); ++j) {
    if (!runs_[j].started) continue;
    waits.push_back((status_of_[j].first_start - eligible(j)).nanoseconds());
    sum += static_cast<double>(waits.back());
  }
  std::sort(waits.begin(), waits.end());
  if (!waits.empty()) r.wait_mean = 1e-9 * sum / static_cast<double>(waits.size()) * second;
  r.wait_50 = quantile(waits, 0.5);
  r.wait_90 = quantile(waits, 0.9);
  r.wait_99 = quantile(waits, 0.99);
  r.wait_max = quantile(waits, 1.0);

  for (SiteIndex s = 0; s < states_.size(); ++s) {
    SiteMeter meter = meters_[s];
    meter.advance(until);
    FleetSiteResult& site = r.sites.emplace_back();
    site.name = scenario_.sites[s].name;
    site.nodes = states_[s].nodes;
    site.finished = finished_at_[s];
    site.flows = meter.flows();
    r.flows = r.flows + site.flows;
  }
  return r;
}

}  // namespace carnot::simulate
