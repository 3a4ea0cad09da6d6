// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From a learner to a job of a hall: what a training step costs in each precision becomes the
/// modes that policies choose from.
///
/// Let e(p), t(p) be joules and seconds of one step in precision p by the energy table (exact
/// counts x published costs). A demonstration trains one small model; a hall of megawatts does as
/// many identical trainings in lockstep as make the whole schedule last `full_speed_time` in f32 at
/// full throttle and draw nodes x (peak - idle) doing so:
///
///     rate(f32) = steps / full_speed_time,      trainings = nodes (peak - idle) / (rate(f32)
///     e(f32)), rate(p)   = min( rate(f32) t(f32) / t(p),  nodes (peak - idle) / (trainings e(p))
///     ), dynamic power(p) = trainings e(p) rate(p),     static power = nodes x idle.
///
/// The factor `trainings` scales every counted joule to the site; it is stated in each report.

#include <string>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::train {

struct Job {
  std::vector<learn::Precision> precisions;  ///< ordered from most to least bits
  std::vector<site::Mode> modes;             ///< same order
  std::vector<Energy> step_energy;           ///< e(p): of one training's step, same order
  double trainings = 1.0;
  std::string scaling_text;  ///< the paragraph above with this job's numbers
};

/// Precisions every job offers.
const std::vector<std::string>& default_precisions();

Job make_job(const learn::Learner& learner, const learn::EnergyTable& table,
             const site::Scenario& scenario, const std::vector<std::string>& precisions);

}  // namespace carnot::train
