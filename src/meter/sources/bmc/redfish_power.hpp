// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Power of machines as their management controllers tell it over Redfish (DMTF DSP0266; schemas
/// Chassis, EnvironmentMetrics, PowerSubsystem, PowerSupply, PowerSupplyMetrics and the older
/// Power, DSP8010). Zero watts are no reading of a chassis: its controller runs.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// What one resource says about power and where more is. Links are paths on the same service:
/// anything else (another host, no path) is left out.
struct RedfishResource {
  std::string path, id;              ///< of the resource itself
  std::vector<std::string> members;  ///< of a collection
  std::string power_subsystem, power_supplies, metrics, power, environment;
  std::string contained_by;          ///< of a chassis: the chassis around it
  std::vector<std::string> systems;  ///< of a chassis: the computers in it
  std::optional<double> watts;       ///< input power here; finite, >= 0, below 1 MW
  double least = 1, most = 1;        ///< the input power over `watts`, where that is another figure
  std::string from;                  ///< which figure it is, where it is not the standard's
  /// Powers of the single computers that share one resource, where it tells them apart; else empty.
  std::vector<double> nodes;
};

/// Empty for text that is no JSON object. Never throws for what the text holds.
std::optional<RedfishResource> parse_redfish_power(std::string_view text);

struct RedfishTiming {
  Duration interval = Duration::seconds(5);  ///< between looks
  Duration timeout = Duration::seconds(5);   ///< of one request
};

/// `open_redfish` at another pace.
std::unique_ptr<Source> open_redfish(const SourceOptions& options, const RedfishTiming& timing,
                                     std::vector<Note>& notes);

}  // namespace carnot::meter
