// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What must be settled between claims before time is cut: names, dates of lists, meters of racks,
/// runs without a machine, bills that stand in two formats.

#include <string>
#include <vector>

#include "carnot/assess/activity/activity.hpp"

#include "assess/activity/sweep.hpp"

namespace carnot::assess {

/// Moves every claim to the machine that it turned out to be of.
void resolve_claims(Evidence& evidence);
/// Gives lists of servers without dates the time that the rest covers.
void date_lists(Evidence& evidence);
/// A rack's readings become its members', in equal parts.
void share_racks(Evidence& evidence);
/// Lays runs without a machine on those that fit.
void place_runs(Evidence& evidence, std::vector<Overlap>& overlaps);
/// The same account's month in two formats of bill: the second's amounts are duplicates.
void match_formats(Evidence& evidence);
/// Merged time of dedicated hosts of one family in one region.
std::vector<HostTime> host_times(const Evidence& evidence, const Machine& instance);

/// Code of the grid where a machine stands; empty: not known.
std::string place_of(const Evidence& evidence, std::uint8_t provider, std::uint32_t region,
                     std::uint32_t location, const std::string& otherwise,
                     std::vector<std::string>& remarks);

}  // namespace carnot::assess
