// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The second question: not the least cost of a floor, but the most that this wind can teach by the
/// deadline (`objective.maximise = "quality"`). Power decides format and length together.
///
/// **Outlook.** For each mode the steps that own power is expected to do from now to the deadline
/// if it were used alone: hour by hour over the forecast's mean and spread, beyond it over the wind
/// of the past; what the battery holds and what may be bought besides. With it a spread: errors of
/// one forecast go together, days beyond it are each their own. A month has some ten spells of
/// weather: by the rule of succession one of twelve to come is windy, and one calm, whatever the
/// past was.
///
/// **Plan.** Mode A up to phase f of the rate's cosine, then B, for N steps in all. With S_m the
/// outlook of mode m and phi the phase now,
///
///     N - done = (1 - phi) / ((f - phi) / S_A + (1 - f) / S_B)
///
/// as a share of the schedule costs what its mode costs; what entering a mode costs (the first copy
/// of the data in its width) is paid before its first step and comes off. Worth is minus the
/// logarithm of the error that is expected to be left,
///
///     worth = a ln(x / (x + h)) - integral of g(mode) d exp(-kappa R),      x = N / steps a pass
///
/// a = 0.5: the error falls as the square root of the passes, as long as they are few; h = 40
/// passes; R(phase) the share of the summed rate still to come, so that what is rounded late counts
/// and what is rounded early is forgotten, kappa = 30; g, by how much rounding in a mode raises the
/// error: 0.15 x 8^-(bits - 4)/2 of the coefficients, 0.02 x 8^-(bits - 4)/2 of the data, zero from
/// 16 on; below a quarter of a pass the logarithm goes on along its tangent, so that no wind is
/// endlessly bad. Few joules: passes are worth more than bits; many: bits more than passes.
///
/// **Under risk.** A is decided now, under a wind that is not known; B and f later, when it is. So
/// A is the mode of greatest worth in the mean over eight equally likely winds of the outlook, in
/// each of them followed by the best (B, f), A being held for an eighth of what is left of the
/// schedule:
///
///     A = argmax  mean over wind of  max over (B, f) of  worth
///
/// A copy that a calm week could not pay for is then worth less than it seems in the mean. The plan
/// is A with the best (B, f) of the mean; all are found by trying all. Constants were set once, on
/// the tuning tasks, weeks and seeds of benches/adaptive/most_quality.json, and are not refitted
/// for a task.
///
/// **Going on.** `adaptive` plans anew each hour, each slot towards the end: the rate's schedule is
/// fitted to the steps that are possible now (learn::Schedule: no jump, and cooled at the end). A
/// schedule that turns out too short has wasted its high rates; one too long can be shortened
/// later: so up to half of the cosine the number of steps is planned one sigma above what is
/// expected, from there evenly down to 0.7 sigma below at its end, and never below what five
/// eighths of full power would do in the time left: a forecast of calm must not cool a training
/// that has days to go. That bound goes to zero with the time.
///
/// **Never overdrawn.** Own power alone, or `purchases` besides; the world cuts what would exceed
/// it (train/training_world.hpp). Bought energy tops up hours in which own power carries the hall
/// already, or is used from the last moment on at which all of it can still be.
///
/// Rivals, in the same run: `plan-once` (the first plan, never changed), `fixed:<mode>` and
/// `switch:A>B@f` with a schedule fitted once to the mean forecast, and `hindsight:<either>`,
/// fitted to the wind that came: the best of them in a run is the best in hindsight. Policies
/// belong to one run and one thread; functions are pure and thread-safe.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/control/training/foresight.hpp"
#include "carnot/control/training/job_policy.hpp"
#include "carnot/site/mode.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::control {

/// Steps of one mode, if it alone used all there is from now to the deadline.
struct StepOutlook {
  double mean = 0.0;
  double spread = 0.0;  ///< one sigma
};

/// Of each mode. What is owed (`LearningState::overhead`) comes off first.
std::vector<StepOutlook> step_outlook(const Observation& observation);

/// How far a training has come.
struct QualityProgress {
  double steps_done = 0.0;
  double phase = 0.0;  ///< of the rate's cosine
  double steps_per_pass = 1.0;
};

struct QualityPlan {
  int first = 0, second = 0;  ///< modes
  double switch_phase = 0.0;  ///< of the cosine; `second` from there on
  double steps = 0.0;         ///< from now on
  double worth = 0.0;

  int mode_at(double phase) const noexcept { return phase < switch_phase ? first : second; }
};

/// By how much rounding in this mode raises the error that is left, if all of training is in it.
double rounding_gap(const site::Mode& mode);

/// Worth of having done `passes` and of what rounding adds in stages: `gaps[i]` from phase
/// `from[i]` on, the first at the phase that is reached; what was before is the same for all.
double schedule_worth(double passes, std::span<const double> from, std::span<const double> gaps);

/// \param outlook      of each mode; without spread there is one wind
/// \param entry_costs  of each mode, before its first step (LearningState); empty: nothing
/// A plan of no steps if no mode has any.
QualityPlan best_quality_plan(std::span<const site::Mode> modes,
                              std::span<const StepOutlook> outlook, const QualityProgress& progress,
                              std::span<const Energy> entry_costs = {});

/// "adaptive", "plan-once", "fixed:...", "switch:..."; null for any other name.
std::unique_ptr<JobPolicy> make_quality_policy(std::string_view name,
                                               std::span<const site::Mode> modes);

/// In report order, those in hindsight last.
std::vector<std::string> quality_policy_names(std::span<const site::Mode> modes);

/// What is known of a site, for a policy in hindsight.
struct QualityTruth {
  site::SiteOptions site;                  ///< import limit zero without purchases
  Energy battery_energy;                   ///< at the start
  std::span<const site::Weather> weather;  ///< one per slot, up to the deadline
  Time slot;
  Energy purchases;
  /// Dynamic energy beside the steps, in each mode: the last look.
  std::span<const Energy> overhead;
};

/// `schedule` is "fixed:..." or "switch:..." of these modes; its steps are the most that end before
/// the deadline under `truth`. Null for any other schedule.
std::unique_ptr<JobPolicy> make_hindsight(std::string_view schedule,
                                          std::span<const site::Mode> modes,
                                          const QualityTruth& truth);

}  // namespace carnot::control
