// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A hall through the hours of a year, for people and for programs: PUE and where it comes from,
/// the fan speed of a node, heat worth selling, entropy of the site. carnot.facility/1
/// (docs/formats/facility.md). Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/model/facility/entropy.hpp"
#include "carnot/model/facility/plant.hpp"
#include "carnot/model/facility/server.hpp"

namespace carnot::report {

struct FacilityRow {
  std::string climate, source;
  std::size_t hours = 0;
  model::PlantYear year, good, poor;  ///< as asked; with parts at both ends of what is published
};

struct FacilityNode {
  double utilisation = 0;
  Temperature inlet;
  model::ServerState best, slow, full;  ///< best fan speed; least speed; full speed
};

struct FacilitySite {
  model::SitePowers powers;
  Temperature surroundings;
  double bits_per_second = 0;
  model::SiteEntropy entropy;
};

struct FacilityReport {
  std::string command;
  model::PlantOptions plant;
  Power it;  ///< mean
  std::vector<FacilityRow> rows;
  FacilityNode node;
  std::optional<FacilitySite> site;
};

std::string facility_terminal(const FacilityReport& report, std::size_t width, bool colour);
std::string facility_json(const FacilityReport& report);

}  // namespace carnot::report
