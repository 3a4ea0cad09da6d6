// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Joules of activities to facility, grams and scopes.
///
///     facility    = node x PUE            stated, else the provider's, else the range of own halls
///     operational = facility x I          I: yearly mean of the grid, location-based
///     embodied    = machine time / lifetime x making, by share of the machine
///
/// Every gram stands in one scope, by role (GHG Protocol):
///
///     role         own machines, running        own machines, made     bought from clouds
///     owner        scope 2                      scope 3, category 2    scope 3, category 1
///     tenant       scope 2; what the hall adds  scope 3, category 2    scope 3, category 1
///                  to it: scope 3, category 8
///     cloud-user   scope 3, category 1          scope 3, category 1    scope 3, category 1
///
/// Offsets and certificates are not subtracted. Not counted: fuels burnt on site (scope 1), losses
/// of the grid and making of fuels (scope 3, category 3), making of storage and networks.
///
/// Pure, thread-safe.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/assess/activity/activity.hpp"
#include "carnot/base/estimate.hpp"

namespace carnot::assess {

enum class Role : std::uint8_t { Owner, Tenant, CloudUser };
std::string_view name(Role role) noexcept;  ///< "owner", "tenant", "cloud-user"
/// \throws InputError with what is allowed
Role role_named(std::string_view text);

struct FootprintOptions {
  Role role = Role::Owner;
  std::string location;       ///< of what has no place of its own; empty: the world
  std::optional<double> pue;  ///< of own halls, 1 ... 10
};

enum class Scope : std::uint8_t {
  Scope2,   ///< electricity, location-based
  Bought,   ///< scope 3, category 1: goods and services
  Capital,  ///< scope 3, category 2: making of own machines
  Leased,   ///< scope 3, category 8: leased halls
};
inline constexpr std::size_t kScopes = 4;
std::string_view name(Scope scope) noexcept;  ///< "scope 2", "scope 3, category 1" ...

struct ActivityFootprint {
  Estimate<double> pue;
  bool pue_stated = false;
  Estimate<Energy> facility;
  Estimate<CarbonIntensity> intensity;
  std::string grid, grid_name;
  Estimate<Carbon> operational, embodied;
  std::array<Estimate<Carbon>, kScopes> scopes;  ///< sum to operational + embodied
};

struct Footprint {
  std::vector<ActivityFootprint> parts;  ///< one an activity, in their order
  Estimate<Energy> node, facility;
  Estimate<Carbon> operational, embodied, total;
  std::array<Estimate<Carbon>, kScopes> scopes;
  std::vector<std::string> remarks;
};

/// \throws InputError for options out of range or a place that is not known
Footprint footprint(const std::vector<Activity>& activities, const FootprintOptions& options);

/// The footprint of one activity alone.
ActivityFootprint footprint_of(const Activity& activity, const FootprintOptions& options);

/// Share of each cause in the variance of a figure, greatest first; shares sum to 1.
struct CauseShare {
  std::string cause;
  double share = 0;
};
std::vector<CauseShare> variance_shares(const EstimateCore& figure);

}  // namespace carnot::assess
