// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Makes the policies of one job for the registry.

#include <memory>
#include <string_view>

#include "carnot/control/registry.hpp"
#include "carnot/control/training/job_policy.hpp"

namespace carnot::control {

/// Null for a name that is none of theirs, and for `oracle`.
std::unique_ptr<JobPolicy> make_job_policy(std::string_view name, const JobPolicyOptions& options);

}  // namespace carnot::control
