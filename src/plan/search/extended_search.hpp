// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whole jobs over sites whose other decisions stand still: charging, reserve held and the grid
/// power that demand charges are paid for. Then a site-slot's cost is a function of its IT power,
/// and jobs are put where they cost least given all others.

#include <cstdint>
#include <optional>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/base/stop.hpp"

#include "plan/search/workflow_state.hpp"
#include "plan/supply/site_rows.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {

class ExtendedSearch {
 public:
  explicit ExtendedSearch(const SiteModel& model);

  /// What sites do and how it counts from now on.
  void look(const PricedWeights& weights, const std::vector<SiteFlows>& flows);
  /// Prices to fear where they are dearer than the cost now: [cell] EUR per kWh; empty: none.
  void set_guide(std::vector<double> price) { guide_ = std::move(price); }
  /// The jobs in hand; those of no pieces are dropped. What their ties to others do not allow is
  /// put elsewhere.
  void set_runs(std::vector<JobRun> runs);
  const WorkflowState& workflow() const noexcept { return workflow_; }

  /// Each job in turn is put where it costs least given all others.
  /// \param trust  weight of the guide, [0, 1]
  /// \param stop   then the jobs not looked at yet stay where they are
  void sweep(double trust, const StopToken& stop = {});
  /// Ruin and recreate (ruin_recreate.hpp), `rounds` times.
  /// \param warmth  what a change may cost at first, falling to none
  void rebuild(std::uint64_t rounds, double warmth, std::uint64_t seed, const StopToken& stop = {});

  const std::vector<JobRun>& runs() const noexcept { return runs_; }
  const JobSums& sums() const noexcept { return sums_; }

 private:
  struct Rounds;
  std::size_t cell(const Piece& piece) const {
    return piece.site * model_.slots() + static_cast<std::size_t>(piece.slot);
  }
  double reserve_cost(std::size_t i, double stoppable) const;
  double cell_cost(std::size_t i, double load, double stoppable) const;
  /// Adding `kw` where jobs draw what they draw now.
  double marginal(std::size_t i, double kw, bool stoppable, double trust) const;
  double run_cost(const JobRun& run, double trust);
  /// Nothing: it can neither run nor be dropped beside those it is tied to.
  std::optional<JobRun> best(std::size_t job, double trust);
  void put(std::size_t job, JobRun run);
  JobRun take(std::size_t job);
  std::vector<std::size_t> neighbours(const RandomStream& draw) const;

  const SiteModel& model_;
  const Problem& problem_;
  WorkflowState workflow_;
  std::vector<JobRun> runs_;
  JobSums sums_;
  // Of a cell.
  std::vector<double> base_, owed_, held_, held_price_, guide_;
  std::vector<Supply> supply_;
  OwnWeights weights_;
  // Scratch.
  std::vector<double> energy_, reserve_;
};

}  // namespace carnot::plan
