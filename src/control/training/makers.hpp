// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Makes the policies of one job for the registry.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "carnot/control/registry.hpp"
#include "carnot/control/training/job_policy.hpp"

namespace carnot::control {

/// A mode from share `from` of the steps on.
struct ScheduleStage {
  int mode = 0;
  double from = 0.0;
};

/// `A>B@f`, any number of stages, A alone too. Empty if `text` is no such schedule of these modes.
std::vector<ScheduleStage> parse_stages(std::string_view text, std::span<const site::Mode> modes);

/// Null for a name that is none of theirs, and for `oracle`.
std::unique_ptr<JobPolicy> make_job_policy(std::string_view name, const JobPolicyOptions& options);

}  // namespace carnot::control
