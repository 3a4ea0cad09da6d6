// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Options that say how a hall is cooled and in what weather, as `facility` and `explain` have
/// them.

#include <optional>
#include <string>
#include <vector>

#include "carnot/model/explain/explain.hpp"
#include "carnot/model/facility/climate.hpp"
#include "carnot/model/facility/plant.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

struct FacilityCommand {
  std::string cooling, climate, weather, column, humidity = "0.7", supply, liquid, load = "0.7";
  bool asked() const { return !cooling.empty() || !climate.empty() || !weather.empty(); }
};

void add_facility_options(CLI::App& command, FacilityCommand& options);
/// \throws UsageError, InputError naming the option
model::PlantOptions plant_options(const FacilityCommand& command);
/// The climates asked for; temperate if none is. "all": every named one.
std::vector<model::Climate> facility_climates(const FacilityCommand& command);
/// A share from 0 to 1. \throws UsageError
double share_option(const std::string& text, const char* option);
/// Overheads of the mean hour, part by part. \throws as above
std::vector<model::FacilityPart> facility_parts(const FacilityCommand& command);

}  // namespace carnot::app
