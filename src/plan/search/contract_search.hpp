// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whole plans of contract jobs: the loads of all site-slots, and jobs put in (insertion) and taken
/// out at marginal cost.

#include <cstdint>
#include <functional>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/plan/search/planner.hpp"

#include "plan/pricing/window_classes.hpp"
#include "plan/search/marginal_cost.hpp"

namespace carnot::plan {

class ContractSearch {
 public:
  /// \param table  used to rank sites, and evaluated anew at what costs are while jobs move
  ContractSearch(const Problem& problem, const std::vector<Supply>& supply, WindowClasses& table,
                 const std::vector<double>& price, int threads);

  /// Places every job that has no place, big ones and tight ones first, at the dearer of marginal
  /// cost and price.
  /// \param go_on  asked now and then; false: the rest stays as it is
  void insert_all(const std::function<bool()>& go_on);
  /// Puts a job where it was in another plan, if it fits there.
  void keep(std::size_t job, const Assignment& to);
  /// Each job in turn is taken out and put where it costs least given all others, as seen.
  void sweep(const CostView& view, const std::function<bool()>& go_on);
  /// Ruin and recreate (ruin_recreate.hpp), `rounds` times.
  /// \param warmth  EUR that a change may cost at first
  /// \param reach   EUR, mean of what a round lets a site-mode cost over the job's best at the
  /// prices and still be tried; infinite: all are
  /// \param stop    ends it before the next round
  void rebuild(std::uint64_t rounds, double warmth, double reach, std::uint64_t seed,
               const StopToken& stop = {});
  /// Objective of the plan in hand, EUR.
  double objective() const;
  const std::vector<Assignment>& assignments() const noexcept { return jobs_; }

 private:
  struct Rounds;
  struct Offer {
    double floor;  // what it costs as far as the table knows
    std::uint64_t mode;
    std::uint32_t site;
  };

  void look(const CostView& view);
  void rank_sites(const std::vector<double>& price);
  void offer(std::size_t job, bool everywhere);
  void order_buckets();
  /// Sets costs_ to those of running at `power` in each slot of the job's window, EUR per hour.
  void price_window(std::size_t job, std::uint32_t site, double power);
  void find(std::size_t job);
  void consider(std::size_t job, const Offer& at);
  void choose_slots(std::size_t job);
  double cost_now(std::size_t job) const;
  void occupy(std::size_t job, double sign);
  void put(std::size_t job, const Assignment& to);
  void take(std::size_t job);
  void pick(const RandomStream& draw);
  std::vector<std::uint32_t> shuffled(const RandomStream& draw) const;
  void gather(std::size_t site, std::size_t slot, std::size_t most, std::uint64_t random);

  const Problem& problem_;
  WindowClasses& table_;
  int threads_;
  std::size_t slots_;
  double little_;  // kW: what many jobs draw at least
  const std::vector<double>& price_;
  CellCosts cells_;
  std::vector<Assignment> jobs_;
  std::vector<std::uint32_t> near_;                 // [class x kNear]: the sites of least cost
  std::vector<std::vector<std::uint32_t>> bucket_;  // [cell]: jobs whose first slot it is
  std::vector<std::uint32_t> place_;                // [job] in its bucket
  // Scratch.
  bool rebuilding_ = false;   // then the table lags behind, and no offer is passed over for it
  double reach_ = kInfinity;  // of the round
  std::vector<Offer> offers_;
  std::vector<double> costs_;
  std::vector<double> tilt_;  // factors that a round of `rebuild` sees costs through; empty: none
  std::size_t tilt_from_ = 0;
  std::vector<std::pair<double, std::int32_t>> ranked_;
  std::vector<std::uint32_t> out_;
  Assignment best_;
  double best_cost_ = 0;
};

}  // namespace carnot::plan
