// SPDX-License-Identifier: Apache-2.0
//
// Answers of a management controller, which is a computer of its own and may say anything: a
// resource is read or not, its power is one, and its links stay on the service.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "meter/sources/bmc/redfish_power.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void require_local(const std::string& link) {
  if (link.empty()) return;
  require(link.size() > 1 && link[0] == '/' && link[1] != '/');
  require(link.find_first_of(" \t\r\n\\@") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto resource =
      carnot::meter::parse_redfish_power({reinterpret_cast<const char*>(data), size});
  if (!resource) return 0;
  if (resource->watts)
    require(std::isfinite(*resource->watts) && *resource->watts >= 0 && *resource->watts < 1e6);
  for (const std::string* link :
       {&resource->path, &resource->power_subsystem, &resource->power_supplies, &resource->metrics,
        &resource->power, &resource->contained_by})
    require_local(*link);
  for (const std::string& member : resource->members) require_local(member);
  return 0;
}
