// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/every_run.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace carnot::plan {

namespace {

const JobTerms kContract;

/// Depth first over what the next slot does.
class Tree {
 public:
  Tree(const Problem& problem, std::size_t job, const JobPrices& offer, std::size_t most,
       std::vector<JobRun>& out)
      : problem_(problem),
        job_(job),
        offer_(offer),
        terms_(problem.terms_of(job) == nullptr ? kContract : *problem.terms_of(job)),
        deadline_(problem.jobs.deadline(job)),
        carry_slots_(
            transfer_slots(problem.network, terms_.data_gb, problem.slot_s, problem.slots)),
        most_(most),
        steps_(100 * most),
        out_(out) {
    if (const auto* sites = problem.jobs.sites(job)) {
      sites_ = *sites;
    } else {
      sites_.resize(problem.sites.size());
      std::iota(sites_.begin(), sites_.end(), 0U);
    }
  }

  bool all() {
    const PlanJobs& jobs = problem_.jobs;
    for (std::size_t i = jobs.mode_begin(job_); i < jobs.mode_end(job_); ++i) {
      mode_ = i - jobs.mode_begin(job_);
      levels_.assign(1, {jobs.mode(i).power_kw, terms_.speed_parts});
      if (!terms_.levels.empty())
        levels_.insert(levels_.end(), terms_.levels[mode_].begin(), terms_.levels[mode_].end());
      for (const std::uint32_t site : sites_) {
        const std::uint32_t origin = jobs.origin(job_);
        const bool carried = terms_.data_gb > 0 && origin != kNone && origin != site;
        const std::int32_t from = jobs.release(job_) + (carried ? carry_slots_ : 0);
        for (std::int32_t t = from; t < deadline_; ++t)
          work(t, site, 1, jobs.mode(i).slots * terms_.speed_parts);
      }
    }
    return steps_ > 0;
  }

 private:
  bool go_on() {
    if (steps_ > 0 && --steps_ > 0 && out_.size() <= most_) return true;
    steps_ = 0;
    return false;
  }

  /// Runs slot t, the n-th of its run.
  void work(std::int32_t t, std::uint32_t site, std::int32_t n, std::int32_t left) {
    if (t >= deadline_ || !go_on()) return;
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      take(t, site, level);
      const std::int32_t after = left - levels_[level].parts;
      if (after <= 0)
        out_.push_back(run());
      else
        next(t + 1, site, n, after);
      drop();
    }
  }

  /// The slot before t was the n-th of its run.
  void next(std::int32_t t, std::uint32_t site, std::int32_t n, std::int32_t left) {
    work(t, site, n + 1, left);
    if (!terms_.preemptible || n < terms_.min_run_slots) return;
    for (std::int32_t at = t + 1; at < deadline_; ++at) resume(at, site, left);
    if (!terms_.movable) return;
    const std::int32_t arrives = t + (terms_.data_gb > 0 ? carry_slots_ : 0);
    for (const std::uint32_t other : sites_)
      for (std::int32_t at = arrives; other != site && at < deadline_; ++at)
        resume(at, other, left);
  }

  void resume(std::int32_t t, std::uint32_t site, std::int32_t left) {
    if (t + terms_.restart_slots >= deadline_ || !go_on()) return;
    for (std::int32_t k = 0; k < terms_.restart_slots; ++k) take(t + k, site, 0);
    work(t + terms_.restart_slots, site, terms_.restart_slots + 1, left);
    for (std::int32_t k = 0; k < terms_.restart_slots; ++k) drop();
  }

  void take(std::int32_t t, std::uint32_t site, std::size_t level) {
    slots_.push_back(t);
    where_.push_back(site);
    level_.push_back(static_cast<std::uint32_t>(level));
  }
  void drop() {
    slots_.pop_back();
    where_.pop_back();
    level_.pop_back();
  }

  JobRun run() const {
    JobSchedule schedule;
    if (std::any_of(where_.begin(), where_.end(), [&](auto s) { return s != where_.front(); }))
      schedule.sites = where_;
    if (std::any_of(level_.begin(), level_.end(), [](auto l) { return l != 0; }))
      schedule.levels = level_;
    return run_of(problem_, job_, {where_.front(), static_cast<std::uint32_t>(mode_), slots_},
                  schedule, offer_);
  }

  const Problem& problem_;
  std::size_t job_;
  const JobPrices& offer_;
  const JobTerms& terms_;
  std::int32_t deadline_, carry_slots_;
  std::size_t most_, steps_;
  std::vector<JobRun>& out_;
  std::vector<std::uint32_t> sites_;
  std::size_t mode_ = 0;
  std::vector<PlanLevel> levels_;
  std::vector<std::int32_t> slots_;
  std::vector<std::uint32_t> where_, level_;
};

}  // namespace

bool every_run(const Problem& problem, std::size_t job, const JobPrices& offer, std::size_t most,
               std::vector<JobRun>& out) {
  out.clear();
  return Tree(problem, job, offer, most, out).all();
}

}  // namespace carnot::plan
