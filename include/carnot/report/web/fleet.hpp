// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans and simulations as the HTTP API shows them. docs/formats/api.md. Pure, thread-safe.

#include <cstddef>
#include <string>

#include "carnot/report/plan/report.hpp"

namespace carnot::report {

/// Sites with their powers over time in at most `most` points (means: the integral stays), what was
/// planned, what the bound proves, what simple rules would have cost, flows between the sites.
std::string fleet_plan_json(const PlanReport& report, const std::string& id,
                            const std::string& name, std::size_t most);

/// A carnot.simulate/1 with words beside its figures.
/// \throws InputError for a text that is none
std::string fleet_simulation_json(const std::string& text, const std::string& id,
                                  const std::string& name);

/// Two plans of one problem's variants: what changes, with what the bounds prove about it.
/// `base` and `other` as carnot.plan/1 texts. \throws InputError for texts that are none
std::string plan_difference_json(const std::string& base, const std::string& other);

/// Outlines of the land, `longitude,latitude` a line, an empty line between outlines.
std::string land_csv();

}  // namespace carnot::report
