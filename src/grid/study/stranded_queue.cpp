// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>
#include <queue>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/grid/study/stranded.hpp"

namespace carnot::grid {

namespace {

constexpr double kMeanRuntimeH = 4.0, kVariation = 2.0, kLongestH = 48.0;

/// A run on either machine.
struct Run {
  double end_h = 0.0, begin_h = 0.0;
  std::size_t job = 0;
};
constexpr auto kEndsLater = [](const Run& a, const Run& b) { return a.end_h > b.end_h; };

class Machines {
 public:
  Machines(const std::vector<BatchJob>& jobs, std::size_t base, std::size_t stranded)
      : jobs_(jobs), base_free_(base), stranded_nodes_(stranded), base_only_(jobs.size(), 0) {}

  void arrive(std::size_t job) { waiting_.push_back(job); }
  void power(bool on, double now_h);
  void end_runs(double now_h);
  void start_runs(double now_h);
  double next_end() const;
  bool idle() const { return waiting_.empty() && base_.empty() && stranded_.empty(); }
  const QueueOutcome& outcome() const { return outcome_; }

 private:
  void well_ended(const Run& run) {
    ++outcome_.jobs;
    outcome_.mean_wait_h += run.begin_h - jobs_[run.job].arrival_h;
  }

  const std::vector<BatchJob>& jobs_;
  std::size_t base_free_, stranded_nodes_, stranded_free_ = 0;
  std::vector<std::uint8_t> base_only_;  ///< jobs that were killed once
  std::deque<std::size_t> waiting_;      ///< in order of arrival
  std::priority_queue<Run, std::vector<Run>, decltype(kEndsLater)> base_{kEndsLater};
  std::vector<Run> stranded_;
  QueueOutcome outcome_;
};

void Machines::power(bool on, double now_h) {
  if (!on) {
    for (const Run& run : stranded_) {
      ++outcome_.killed;
      outcome_.lost_node_h += (now_h - run.begin_h) * static_cast<double>(jobs_[run.job].nodes);
      base_only_[run.job] = 1;
      waiting_.insert(std::lower_bound(waiting_.begin(), waiting_.end(), run.job), run.job);
    }
    stranded_.clear();
  }
  stranded_free_ = on ? stranded_nodes_ : 0;
}

void Machines::end_runs(double now_h) {
  for (; !base_.empty() && base_.top().end_h <= now_h; base_.pop()) {
    well_ended(base_.top());
    base_free_ += jobs_[base_.top().job].nodes;
  }
  std::erase_if(stranded_, [&](const Run& run) {
    if (run.end_h > now_h) return false;
    well_ended(run);
    stranded_free_ += jobs_[run.job].nodes;
    outcome_.stranded_node_h +=
        jobs_[run.job].runtime_h * static_cast<double>(jobs_[run.job].nodes);
    return true;
  });
}

void Machines::start_runs(double now_h) {
  for (auto at = waiting_.begin(); at != waiting_.end() && base_free_ + stranded_free_ > 0;) {
    const BatchJob& job = jobs_[*at];
    const Run run{now_h + job.runtime_h, now_h, *at};
    if (job.nodes <= base_free_) {
      base_free_ -= job.nodes;
      base_.push(run);
    } else if (base_only_[*at] == 0 && job.nodes <= stranded_free_) {
      stranded_free_ -= job.nodes;
      stranded_.push_back(run);
    } else {
      ++at;
      continue;
    }
    at = waiting_.erase(at);
  }
}

double Machines::next_end() const {
  double next = kInfinity;
  if (!base_.empty()) next = base_.top().end_h;
  for (const Run& run : stranded_) next = std::min(next, run.end_h);
  return next;
}

}  // namespace

std::vector<BatchJob> random_jobs(std::size_t nodes, double hours, double load,
                                  std::uint64_t seed) {
  if (!(hours > 0.0) || !(load > 0.0) || !std::isfinite(hours * load) || nodes < 8)
    throw InputError("jobs: load and hours above 0, at least 8 nodes");
  const RandomStream random(seed, "batch jobs");
  const double sigma2 = std::log1p(kVariation * kVariation);
  const double mu = std::log(kMeanRuntimeH) - sigma2 / 2.0;
  std::size_t sizes = 1;
  while ((std::size_t{1} << sizes) <= nodes / 8) ++sizes;
  const double mean_nodes =
      static_cast<double>((std::size_t{1} << sizes) - 1) / static_cast<double>(sizes);
  const double mean_gap_h = mean_nodes * kMeanRuntimeH / (load * static_cast<double>(nodes));
  std::vector<BatchJob> jobs;
  double now_h = 0.0;
  for (std::uint64_t k = 0;; k += 4) {
    now_h -= mean_gap_h * std::log1p(-random.uniform(k));
    if (now_h >= hours) return jobs;
    const double normal = std::sqrt(-2.0 * std::log1p(-random.uniform(k + 1))) *
                          std::cos(2.0 * std::numbers::pi * random.uniform(k + 2));
    jobs.push_back({now_h, std::min(kLongestH, std::exp(mu + std::sqrt(sigma2) * normal)),
                    std::size_t{1} << random.below(k + 3, sizes)});
  }
}

QueueOutcome simulate_queue(const std::vector<BatchJob>& jobs, std::size_t base_nodes,
                            std::size_t stranded_nodes, const Presence& presence, double step_h,
                            const StopToken& token) {
  SparseStop stop(token, 64);
  for (std::size_t j = 0; j < jobs.size(); ++j)
    if (jobs[j].nodes < 1 || jobs[j].nodes > base_nodes || !(jobs[j].runtime_h >= 0.0) ||
        (j > 0 && jobs[j].arrival_h < jobs[j - 1].arrival_h))
      throw InputError(
          fmt::format("jobs: job {}: arrivals in order, run times of at least 0, 1 to {} nodes",
                      j + 1, base_nodes));
  Machines machines(jobs, base_nodes, stranded_nodes);
  std::size_t next_job = 0, next_step = 0;
  bool on = false;
  const auto step_begin = [&] { return static_cast<double>(next_step) * step_h; };
  while (next_job < jobs.size() || !machines.idle()) {
    stop.throw_if_requested();
    double now_h = machines.next_end();
    if (next_job < jobs.size()) now_h = std::min(now_h, jobs[next_job].arrival_h);
    if (next_step <= presence.size()) now_h = std::min(now_h, step_begin());
    machines.end_runs(now_h);  // a run that ends with its power ends well
    while (next_step <= presence.size() && step_begin() <= now_h) {
      const bool is_on = next_step < presence.size() && presence[next_step] != 0;
      if (is_on != on) machines.power(is_on, now_h);
      on = is_on;
      ++next_step;
    }
    for (; next_job < jobs.size() && jobs[next_job].arrival_h <= now_h; ++next_job)
      machines.arrive(next_job);
    machines.start_runs(now_h);
  }
  QueueOutcome outcome = machines.outcome();
  if (outcome.jobs > 0) outcome.mean_wait_h /= static_cast<double>(outcome.jobs);
  return outcome;
}

}  // namespace carnot::grid
