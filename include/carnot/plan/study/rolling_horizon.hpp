// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Planning again and again as time goes on. A `Replanner` holds the jobs that are known, plans
/// those that are not done on the forecasts of the moment, runs a slot, and moves on:
///
///     Replanner replanner(3600, carbon_price);
///     for (;;) {
///       replanner.add(jobs, j);             // whatever has become known
///       replanner.plan(forecast);           // forecast[site].series[0] is the slot at hand
///       replanner.run(what_really_was);     // decisions of this slot are now past
///     }
///
/// A job that has started keeps its site and mode, unless it may move, and has only the slots left
/// that it has not had. Each plan starts warm from the one before, moved on by the slots that have
/// passed, and carries a proven bound for what is left to decide on the forecast given. Without
/// `plan` in a slot, the last plan is carried out.
///
/// Where reality gives less own power than planned, grid power is bought; where that is not allowed
/// or not enough, jobs are stopped for the slot, those with most time to spare first.
/// Not thread-safe.

#include <cstdint>
#include <optional>
#include <vector>

#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

enum class JobStage : std::uint8_t { Waiting, Started, Finished, Dropped };

/// Where a job stands.
struct JobStanding {
  JobStage stage = JobStage::Waiting;
  std::uint32_t site = kNone;  ///< of the last slot it ran in
  std::uint32_t mode = 0;      ///< of the job, once started
  std::int32_t slots_done = 0, slots_left = 0;
};

/// What one slot cost, at what really was.
struct SlotReport {
  std::int64_t slot = 0;
  double own_kwh = 0, grid_kwh = 0;  ///< at the facility
  double carbon_g = 0;               ///< of grid energy
  double grid_eur = 0;               ///< with carbon at its price
  double quality_eur = 0, move_eur = 0, dropped_eur = 0;
  std::size_t running = 0, started = 0, finished = 0, dropped = 0;
  std::size_t stopped = 0;  ///< for want of power or room
  double cost_eur() const noexcept { return grid_eur + quality_eur + move_eur + dropped_eur; }
};

struct ReplanOptions {
  PlannerOptions planner;  ///< its warm start is set for each plan
  bool warm = true;        ///< false: each plan from nothing, for comparison
};

class Replanner {
 public:
  Replanner(double slot_s, double carbon_price_eur_per_t, ReplanOptions options = {});

  /// Makes a job known. Its release and deadline count from slot 0 of this object.
  /// \param may_move  once started it may go on at another site, at the cost of a move
  /// \return its number, from 0 in order of arrival
  std::size_t add(const PlanJobs& jobs, std::size_t job, bool may_move = false);
  /// A job is done sooner than thought, or not wanted any more.
  void complete(std::size_t job);

  /// Plans all jobs that are not done.
  /// \param forecast  every series begins at now() and reaches to the latest deadline
  /// \throws InputError if one is shorter
  const Plan& plan(const std::vector<PlanSite>& forecast);
  /// Carries out the slot at hand and moves on to the next.
  /// \param actual  series of one or more values: the slot's, at equal parts of it
  SlotReport run(const std::vector<PlanSite>& actual);

  std::int64_t now() const noexcept { return now_; }
  std::size_t jobs() const noexcept { return jobs_.size(); }
  std::size_t open() const noexcept { return open_.size(); }  ///< not done
  const JobStanding& standing(std::size_t job) const { return standing_.at(job); }
  /// What the last plan decided: slots of job, site and mode; of the object's own time.
  const Assignment& decided(std::size_t job) const { return decided_.at(job); }

 private:
  Problem problem_now(const std::vector<PlanSite>& forecast);
  void add_open(Problem& problem, std::size_t job);
  void drop_what_cannot_be_done();
  void run_site(const PlanSite& actual, std::vector<std::uint32_t>& jobs, SlotReport& report);
  void ran(std::size_t job, SlotReport& report);
  void stopped(std::size_t job, SlotReport& report);
  std::int32_t window(std::size_t job) const;
  std::int32_t least_slots(std::size_t job) const;

  double slot_s_, carbon_price_;
  ReplanOptions options_;
  std::int64_t now_ = 0, planned_at_ = 0;
  PlanJobs jobs_;                      // in this object's time
  std::vector<JobStanding> standing_;  // [job]
  std::vector<Assignment> decided_;    // [job]
  std::vector<bool> may_move_;         // [job]
  std::vector<std::uint32_t> open_;
  std::vector<std::vector<std::uint32_t>> modes_;  // [open job of the last plan]: its modes there
  std::size_t dropped_now_ = 0;
  double dropped_eur_ = 0;
  std::optional<Plan> last_;
};

}  // namespace carnot::plan
