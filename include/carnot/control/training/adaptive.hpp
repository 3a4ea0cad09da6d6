// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `adaptive`, carnot's own governor of one job: bits by the stage of training, throughput by the
/// power there is, grid energy by receding-horizon planning.
///
/// **Bits.** Rounding adds noise to each step of training, as the minibatch does. Noise injected
/// early is forgotten: later steps contract it by exp(-kappa R), R the share of the summed learning
/// rate that is still to come (in a valley of curvature h noise decays by exp(-h sum lr)). So the
/// governor uses the cheapest mode m for which
///
///     gradient noise share_m <= 1     and     update noise share_m * exp(-kappa R) <= rho
///
/// (both measured by the learner, see `ModeNoise`): the quantisation noise that survives to the end
/// stays a fixed small share of the minibatch's. It never goes back down within a schedule (the
/// learning rate only falls). rho = 0.05; kappa = 200 is a calibration on MNIST and digits
/// perceptrons (docs/governor.md shows how little the switch moves with either). Coefficients need
/// their bits late because the step of their grid is fixed while updates shrink with the learning
/// rate. Measuring costs real operations, so it is done when the answer can matter: at the start,
/// at 0.25 and 0.7 of the schedule, then every 1/32 (1/16 while less than rho / 10 survives), and
/// no more when the mode in use has a tenth of what is allowed.
///
/// **Power.** The throttle follows own power inside each slot (see site/site.hpp). Grid power is
/// bought only where a plan over the forecast says that it lowers expected cost: for each hour k
/// ahead, work that own power will not have done by k is bought in the cheapest hours up to k;
/// cost(k) = bought energy x (price + carbon) + delay price x k. The least cost(k), k no later than
/// the deadline, decides; the present slot buys if it is among the hours chosen. Expected own
/// progress in an hour is the mean over the forecast's distribution (5-point Gauss-Hermite,
/// clipped), not the progress at the mean: progress is concave in wind. Plans are remade hourly.
/// O(horizon log horizon) a plan, no allocation after the first.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "carnot/control/training/job_policy.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::control {

struct GovernorOptions {
  double rho = 0.05;                ///< greatest surviving noise share
  double kappa = 200.0;             ///< contraction over the whole schedule
  double measure_share = 1.0 / 32;  ///< interval of measurements, as a share of the schedule
};

/// Index of the cheapest mode (joules a step) whose surviving noise is at most rho; the most
/// precise one if none is. With nothing measured yet: the cheapest.
int cheapest_sufficient_mode(std::span<const site::Mode> modes, std::span<const ModeNoise> noise,
                             double remaining_learning, const GovernorOptions& options);

/// What the purchase plan needs of one hour (or forecast step) ahead.
struct PlanStep {
  Time length;
  Energy own;        ///< expected dynamic energy that own power covers (IT side)
  Energy room;       ///< dynamic energy the grid could add
  double unit_cost;  ///< EUR per joule of dynamic energy bought (PUE, price, carbon in it)
};

struct PurchasePlan {
  bool buy_now = false;
  std::size_t finish = 0;      ///< step in which the job is expected to end; steps.size(): beyond
  double expected_cost = 0.0;  ///< EUR of purchases and delay from now
};

/// The plan described above, for `work` (dynamic joules left). `last` is the number of steps before
/// the deadline (steps.size() if it is beyond the horizon). Exposed for its oracle test.
PurchasePlan plan_purchases(std::span<const PlanStep> steps, Energy work, DelayPrice delay,
                            std::size_t last, std::vector<std::size_t>& scratch);

std::unique_ptr<JobPolicy> make_governor(std::span<const site::Mode> modes,
                                         const site::ObjectiveOptions& objective,
                                         const GovernorOptions& options = {});

}  // namespace carnot::control
