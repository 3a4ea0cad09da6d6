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

}  // namespace

std::optional<RedfishResource> parse_redfish_power(std::string_view bytes) {
  const json document = json::parse(bytes, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  RedfishResource resource;
  resource.path = link(document);
  resource.id = text(at(document, "Id"));
  if (const json& members = at(document, "Members"); members.is_array())
    for (const json& member : members)
      if (std::string path = link(member); !path.empty())
        resource.members.push_back(std::move(path));
  resource.power_subsystem = link(at(document, "PowerSubsystem"));
  resource.power_supplies = link(at(document, "PowerSupplies"));
  resource.metrics = link(at(document, "Metrics"));
  resource.power = link(at(document, "Power"));
  resource.contained_by = link(at(at(document, "Links"), "ContainedBy"));
  // A supply's metrics; else the first of the older resource's controls, which is the whole chassis
  // (others are parts of it).
  resource.watts = watts(at(at(document, "InputPowerWatts"), "Reading"));
  if (const json& controls = at(document, "PowerControl"); !resource.watts && controls.is_array())
    for (const json& control : controls)
      if ((resource.watts = watts(at(control, "PowerConsumedWatts")))) break;
  return resource;
}

}  // namespace carnot::meter
