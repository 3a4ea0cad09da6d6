// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one job of a plan draws, slot by slot, and costs beside its energy. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// IT power at a site in a slot: running, restarting or carrying data.
struct JobDraw {
  std::uint32_t site = 0;
  std::int32_t slot = 0;
  double power_kw = 0;
};

struct JobUse {
  std::vector<JobDraw> draws;  ///< ascending slots
  double quality_eur = 0;
  double move_eur = 0;  ///< first site, later moves, egress
  double restart_eur = 0, late_eur = 0;
};

/// \param plan  of which `certify` finds nothing wrong; else use is undefined
/// \return nothing for a job that is not done
JobUse use_of(const Problem& problem, const Plan& plan, std::size_t job);

}  // namespace carnot::plan
