// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `adaptive`, carnot's own governor of one job: the floor that was asked at least cost. Bits by
/// the stage of training and by what is left to gain, an end as soon as the floor is certified,
/// throughput by the power there is, energy by planning over what the wind may do.
///
/// **Bits.** Rounding adds noise to each step of training, as the minibatch does. Noise injected
/// early is forgotten: later steps contract it by exp(-kappa R), R the share of the summed learning
/// rate that is still to come (in a valley of curvature h noise decays by exp(-h sum lr)). A mode m
/// is *sufficient*, it loses nothing against binary32, if
///
///     gradient noise share_m <= 1     and     update noise share_m * exp(-kappa R) <= rho
///
/// (both measured by the learner, see `ModeNoise`). rho = 0.05; kappa = 200 is a calibration on
/// MNIST and digits perceptrons (docs/governor.md). Of the sufficient modes the one of least energy
/// for the rest of training is taken, the copy of the data that it would need first included; never
/// one with fewer bits than before. Changing for more bits is only worth it where they are needed:
/// it is left out while the floor will be met without, with chance 0.9 or more.
///
/// **Looks.** A look at held-out rows costs joules and confidence: each makes the next stricter
/// (certificate.hpp). Quality on held-out rows is foretold as
///
///     q(f) = q_train + delta (1 - q_train)(f - f_now) - gap,     delta = 0.3
///
/// with a gap of 0.01 +- 0.015 (R2: +- 0.03) until the first look tells it. Looking at share f is
/// worth p(f) (1 - f), the energy saved if it certifies, less 20 (1 - p(f)) times the chance of
/// certifying at the end that a failed look costs, less 1 - p(f) times a look's own energy. The
/// governor looks when that is positive and no later moment promises more. A certified floor ends
/// the job. Measuring noise costs real operations too, and may take 2 % of the schedule's energy:
/// it is done at the start, at 0.25 and 0.7 of the schedule, then every 1/32 (1/16 while less than
/// rho / 10 survives), and no more when the mode in use has a tenth of what is allowed; where fewer
/// than eight can be afforded, from 0.75 on; where none can, coefficients get eight bits for the
/// last fifth.
///
/// **Power.** The throttle follows own power inside each slot (site/site.hpp). Hourly the
/// stochastic programme of purchases.hpp says whether to run on own power alone or to buy besides
/// (it never pauses: waiting for hours in which own power cannot be sold was tried, and lost),
/// over eight scenarios. They follow the forecast's
/// mean and spread for half a day or so; own energy of the days after, expected by the forecast and
/// beyond it by the wind of the past, is as spread as it is large. The deadline guard (`must_buy`)
/// stands behind it.
///
/// The constants are stated once. They are not refitted for a task, but they were chosen while
/// looking at the tasks and sites of benches/adaptive/referee.json, on other seeds.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "carnot/control/training/job_policy.hpp"
#include "carnot/control/training/purchases.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::control {

struct GovernorOptions {
  double rho = 0.05;                ///< greatest surviving noise share
  double kappa = 200.0;             ///< contraction over the whole schedule
  double measure_share = 1.0 / 32;  ///< interval of measurements, as a share of the schedule
};

/// Index of the mode of least energy for `steps_left` steps whose surviving noise is at most rho;
/// the most precise one if none is. With nothing measured yet: the cheapest. Modes whose data width
/// is not among `widths` pay for their copy of the data first.
int cheapest_sufficient_mode(std::span<const site::Mode> modes, std::span<const ModeNoise> noise,
                             double remaining_learning, const GovernorOptions& options,
                             double steps_left = 1e300, std::span<const int> widths = {});

/// What a look at held-out quality is worth at share `at` of the schedule, in energies of the whole
/// schedule; the formula above. Both chances are of certifying.
double value_of_look(double at, double chance_now, double chance_at_end,
                     double chance_after_failing, double look_energy_share);

std::unique_ptr<JobPolicy> make_governor(std::span<const site::Mode> modes,
                                         const site::ObjectiveOptions& objective,
                                         const GovernorOptions& options = {});

}  // namespace carnot::control
