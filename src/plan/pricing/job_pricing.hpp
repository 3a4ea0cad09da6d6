// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A job's own best answer to prices: the column that a price decomposition asks for. Exact: k
/// cheapest slots for a contract job; for a job with terms a shortest path over (slot, work left,
/// site, length of the run so far), where coming from anywhere costs O(sites) a layer. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan.hpp"

#include "plan/pricing/job_prices.hpp"
#include "plan/pricing/pricing.hpp"

namespace carnot::plan {

/// Power that a job draws at a site in a slot: running, restarting or carrying its data.
struct Piece {
  std::uint32_t site = 0;
  std::int32_t slot = 0;
  double power_kw = 0;
  bool stoppable = false;  ///< in the sense of JobPrices

  friend bool operator==(const Piece&, const Piece&) = default;
};

struct JobRun {
  Assignment assignment;      ///< what the plan will say of the job
  JobSchedule schedule;       ///< likewise
  std::vector<Piece> pieces;  ///< ascending slots; up to two sites in a slot while data is carried
  OwnCost own;
};

/// The least of own cost + sum of price x h x power - sum of reserve price x stoppable power.
/// \param prices  spans of sites x slots values, finite
JobRun cheapest(const Problem& problem, std::size_t job, const JobPrices& prices);

/// Pieces and own cost of a schedule that obeys its job's terms. \param offer  its prices are not
/// looked at, only when power counts as stoppable
JobRun run_of(const Problem& problem, std::size_t job, const Assignment& assignment,
              const JobSchedule& schedule, const JobPrices& offer = {});

/// Weighted own cost + priced energy - reserve: what `cheapest` minimises.
double priced(const Problem& problem, const JobRun& run, const JobPrices& prices);

/// Cheapest runs of all jobs, and what they cost at these prices, summed. The same for any number
/// of threads. \throws Stopped, with `out` half done
double cheapest_runs(const Problem& problem, const JobPrices& prices, int threads,
                     std::vector<JobRun>& out, const StopToken& stop = {});

/// Pricing job by job.
class JobPricing final : public Pricing {
 public:
  /// \param problem  kept by reference
  /// \param stop     then `respond` throws Stopped
  JobPricing(const Problem& problem, const OwnWeights& weights, StopToken stop = {})
      : problem_(problem), weights_(weights), stop_(std::move(stop)) {}

  double respond(const std::vector<double>& price, int threads,
                 std::vector<double>& demand) override;
  /// What the jobs answered last, [job].
  const std::vector<JobRun>& runs() const noexcept { return runs_; }

 private:
  const Problem& problem_;
  OwnWeights weights_;
  StopToken stop_;
  std::vector<JobRun> runs_;
};

}  // namespace carnot::plan
