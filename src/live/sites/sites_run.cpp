// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/sites_run.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/statistics.hpp"

namespace carnot::live {

namespace {

const std::vector<std::string>& asked(const SitesConfig& config,
                                      const std::vector<std::string>& policies) {
  return policies.empty() ? config.policies : policies;
}

/// Seconds at the sites into steps of the replicas.
class Trainer {
 public:
  Trainer(const SitesConfig& config, const learn::Split& split, StopToken stop)
      : config_(config),
        training_(config.replicas, split, config.sites.size()),
        owed_(config.sites.size(), 0.0),
        late_(config.sites.size(), 0.0),
        stop_(std::move(stop)) {
    totals_.floor = config.replicas.floor;
    totals_.total_steps = training_.total_steps();
  }

  SlotWork operator()(const std::vector<double>& seconds) {
    stop_.throw_if_requested();
    const double per_second =
        static_cast<double>(training_.total_steps()) / config_.task.work.in(second);
    std::vector<std::uint64_t> steps(seconds.size(), 0);
    SlotWork out;
    std::size_t there = 0;
    for (std::size_t s = 0; s < seconds.size(); ++s) {
      // Messages of the last round take their time first.
      const double sending = std::min(late_[s], seconds[s]);
      late_[s] -= sending;
      const double useful = (seconds[s] - sending) * config_.sites[s].speed;
      out.useful_seconds += useful;
      owed_[s] += useful * per_second;
      steps[s] = static_cast<std::uint64_t>(owed_[s]);
      owed_[s] -= static_cast<double>(steps[s]);
      there += steps[s] > 0;
    }
    const ReplicaTraining::Round round = training_.round(steps);
    if (round.steps > 0) {
      ++totals_.rounds;
      totals_.steps += round.steps;
      totals_.bytes_up += round.bytes_up;
      totals_.bytes_down += round.bytes_down;
      totals_.synchronous_bytes += round.steps * training_.synchronous_bytes();
      const double rate = config_.link_rate.base();
      if (rate > 0)
        for (std::size_t s = 0; s < seconds.size(); ++s)
          if (steps[s] > 0)
            late_[s] += 8.0 * static_cast<double>(round.bytes_up + round.bytes_down) /
                        static_cast<double>(there) / rate;
    }
    training_.look(training_.steps_done() >= training_.total_steps());
    out.finished = training_.finished();
    return out;
  }

  SitesTraining totals() {
    const learn::Quality quality = training_.quality();
    totals_.metric = quality.metric;
    totals_.quality = quality.value;
    totals_.certified = training_.certified();
    totals_.lower_bound = training_.lower_bound();
    return totals_;
  }

 private:
  const SitesConfig& config_;
  ReplicaTraining training_;
  std::vector<double> owed_, late_;
  StopToken stop_;
  SitesTraining totals_;
};

}  // namespace

SitesRun run_at_sites(const SitesConfig& config, const std::vector<std::string>& policies,
                      StopToken stop) {
  SitesRun out;
  out.config = config;
  learn::Split split;
  if (config.trains) split = learn::load_split(config.data);
  Time least = config.task.work;
  for (const std::string& policy : asked(config, policies)) {
    stop.throw_if_requested();
    SitesPolicyResult result;
    if (config.trains) {
      Trainer trainer(config, split, stop);
      result.schedule = train_at_sites(config.sites, config.task, policy, std::ref(trainer));
      result.training = trainer.totals();
      result.transfer =
          static_cast<double>(8 * (result.training->bytes_up + result.training->bytes_down)) * bit *
          config.transfer;
    } else {
      result.schedule = train_at_sites(config.sites, config.task, policy);
    }
    SitesTask same = config.task;
    same.work = std::max(1e-9 * second, config.task.work - result.schedule.work_left);
    result.bound = carbon_bound(config.sites, same);
    if (result.schedule.finished) least = min(least, same.work);
    out.policies.push_back(std::move(result));
  }
  SitesTask same = config.task;
  same.work = least;
  out.bound = carbon_bound(config.sites, same);
  return out;
}

std::vector<StartsResult> run_from_starts(const SitesConfig& config,
                                          const std::vector<std::string>& policies,
                                          std::size_t count, Time every, StopToken stop) {
  std::vector<StartsResult> out;
  for (const std::string& policy : asked(config, policies)) out.emplace_back().policy = policy;
  std::vector<std::vector<double>> ratios(out.size());
  for (std::size_t i = 0; i < count; ++i) {
    SitesTask task = config.task;
    task.start = task.start + Duration::from(static_cast<double>(i) * every);
    const SitesBound bound = carbon_bound(config.sites, task);
    for (std::size_t p = 0; p < out.size(); ++p) {
      stop.throw_if_requested();
      StartsResult& row = out[p];
      const SitesResult result = train_at_sites(config.sites, task, row.policy);
      ++row.starts;
      if (!result.finished) {
        ++row.late;
        continue;
      }
      row.carbon += result.carbon;
      row.bound += bound.carbon;
      if (bound.carbon > Carbon{}) ratios[p].push_back(result.carbon / bound.carbon);
    }
  }
  for (std::size_t p = 0; p < out.size(); ++p) {
    std::vector<double>& sorted = ratios[p];
    if (sorted.empty()) continue;
    std::sort(sorted.begin(), sorted.end());
    out[p].median = median(sorted);
    out[p].high =
        sorted[static_cast<std::size_t>(std::floor(0.9 * static_cast<double>(sorted.size() - 1)))];
    out[p].worst = sorted.back();
  }
  return out;
}

}  // namespace carnot::live
