// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/bmc/redfish_power.hpp"

#include <nlohmann/json.hpp>

namespace carnot::meter {
namespace {

using nlohmann::json;

const json& at(const json& value, const char* key) {
  static const json kNothing;
  const auto found = value.is_object() ? value.find(key) : value.end();
  return value.is_object() && found != value.end() ? *found : kNothing;
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string link(const json& value) {
  std::string path = text(at(value, "@odata.id"));
  const bool local = path.size() > 1 && path[0] == '/' && path[1] != '/';
  const bool plain = path.find_first_of(" \t\r\n\\@") == std::string::npos;
  return local && plain ? path : std::string();
}

std::optional<double> watts(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if (!(number >= 0.0 && number < 1e6)) return std::nullopt;  // NaN too
  return number;
}

std::optional<double> positive(const json& value) {
  const auto number = watts(value);
  return number && *number > 0.0 ? number : std::nullopt;
}

std::vector<std::string> links(const json& array) {
  std::vector<std::string> paths;
  if (!array.is_array()) return paths;
  for (const json& item : array)
    if (std::string path = link(item); !path.empty()) paths.push_back(std::move(path));
  return paths;
}

/// A reading is an object with the number in it, or in early schemas the number itself.
std::optional<double> sensor(const json& value) {
  return value.is_object() ? positive(at(value, "Reading")) : positive(value);
}

/// The older resource's controls: the first is the whole chassis and the others are parts of it,
/// unless they belong to different computers.
void read_controls(const json& controls, RedfishResource& resource) {
  if (!controls.is_array()) return;
  std::vector<std::string> first_of;
  for (const json& control : controls) {
    const auto power = positive(at(control, "PowerConsumedWatts"));
    if (!power) continue;
    std::vector<std::string> of;
    for (std::string& path : links(at(control, "RelatedItem")))
      if (path.find("/Systems/") != std::string::npos) of.push_back(std::move(path));
    if (!resource.watts) {
      resource.watts = power;
      first_of = of;
      if (of.size() == 1) resource.nodes.push_back(*power);
    } else if (of.size() == 1 && first_of.size() == 1 && of != first_of) {
      resource.nodes.push_back(*power);
    }
  }
  if (resource.nodes.size() < 2) resource.nodes.clear();
  if (resource.watts) return;
  for (const json& control : controls)
    if ((resource.watts = positive(at(at(control, "PowerMetrics"), "AverageConsumedWatts")))) {
      resource.from = "the controller's mean over minutes (AverageConsumedWatts)";
      resource.least = 0.7;
      resource.most = 1.5;
      return;
    }
}

/// What makers put beside the standard's fields.
void read_maker(const json& oem, RedfishResource& resource) {
  if (!oem.is_object()) return;
  for (const auto& [maker, part] : oem.items()) {
    const json& chassis = at(part, "ChassisPowerConsumption");  // Fujitsu's iRMC
    for (const char* key : {"CurrentPowerConsumptionW", "PowerConsumedWatts"})
      for (const json* place : {&chassis, &part})
        if (!resource.watts && (resource.watts = positive(at(*place, key))))
          resource.from = "the maker's own field " + maker + "/" + key;
  }
}

/// Supplies of the older resource tell input or output; some makers put the supply's capacity where
/// the input belongs.
void read_old_supplies(const json& supplies, RedfishResource& resource) {
  if (!supplies.is_array()) return;
  double input = 0, output = 0;
  bool input_told = false;
  for (const json& supply : supplies) {
    const auto in = positive(at(supply, "PowerInputWatts"));
    const auto capacity = positive(at(supply, "PowerCapacityWatts"));
    if (in && (!capacity || *in < 0.98 * *capacity)) {
      input += *in;
      input_told = true;
    }
    for (const char* key : {"PowerOutputWatts", "LastPowerOutputWatts"})
      if (const auto out = positive(at(supply, key))) {
        output += *out;
        break;
      }
  }
  if (input_told && input >= 0.98 * output) {
    resource.watts = input;
    resource.from = "the sum of its supplies' PowerInputWatts";
  } else if (output > 0) {
    // What supplies lose comes on top: 80 PLUS asks for 80 to 96 %.
    resource.watts = output;
    resource.least = 1.0;
    resource.most = 1.25;
    resource.from = "its supplies' output power, without what they lose";
  }
}

}  // namespace

std::optional<RedfishResource> parse_redfish_power(std::string_view bytes) {
  const json document = json::parse(bytes, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  RedfishResource resource;
  resource.path = link(document);
  resource.id = text(at(document, "Id"));
  resource.members = links(at(document, "Members"));
  resource.power_subsystem = link(at(document, "PowerSubsystem"));
  resource.power_supplies = link(at(document, "PowerSupplies"));
  resource.metrics = link(at(document, "Metrics"));
  resource.power = link(at(document, "Power"));
  resource.environment = link(at(document, "EnvironmentMetrics"));
  resource.contained_by = link(at(at(document, "Links"), "ContainedBy"));
  resource.systems = links(at(at(document, "Links"), "ComputerSystems"));
  // A supply's metrics (a spare one says 0); a chassis' environment; the older resource.
  resource.watts = watts(at(at(document, "InputPowerWatts"), "Reading"));
  if (!resource.watts) resource.watts = sensor(at(document, "PowerWatts"));
  if (!resource.watts) read_controls(at(document, "PowerControl"), resource);
  if (!resource.watts) read_maker(at(document, "Oem"), resource);
  if (!resource.watts) read_old_supplies(at(document, "PowerSupplies"), resource);
  return resource;
}

}  // namespace carnot::meter
