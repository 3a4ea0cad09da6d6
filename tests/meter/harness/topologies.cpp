// SPDX-License-Identifier: Apache-2.0
#include "topologies.hpp"

namespace carnot::harness {
namespace {

constexpr std::uint64_t kDramUnit = 15'300, kAmdUnit = 15'258, kOneJoule = 1'000'000'000;
constexpr bool kCounted = true, kBeside = false;

Zone mirror(const std::string& id, const std::string& name, const Zone& of) {
  return {id, name, of.watts, kBeside, of.id, of.unit_nj};
}

/// Linux 6.10 and 6.11 show a package of eight dies eight times; zone numbers are hexadecimal.
Topology sixteen_dies() {
  Topology made{"sixteen-dies", {}, {}};
  const std::string digits = "0123456789abcdef";
  for (int zone = 0; zone < 16; ++zone) {
    const int package = zone / 8, die = zone % 8;
    const std::string id = std::string("intel-rapl:") + digits[static_cast<std::size_t>(zone)];
    const std::string name = "package-" + std::to_string(package) + "-die-" + std::to_string(die);
    if (die == 0)
      made.zones.push_back({id, name, package == 0 ? 110.0 : 90.0, kCounted, "", kAmdUnit});
    else
      made.zones.push_back(mirror(id, name, made.zones[static_cast<std::size_t>(8 * package)]));
  }
  return made;
}

std::vector<Topology> make() {
  const Zone package{"intel-rapl:0", "package-0", 100, kCounted, "", 61'035};
  const Zone amd{"intel-rapl:0", "package-0", 68, kCounted, "", kAmdUnit};
  std::vector<Topology> all;
  all.push_back({"one-socket",
                 {package,
                  {"intel-rapl:0:0", "core", 60, kBeside, "", 61'035},
                  {"intel-rapl:0:1", "uncore", 5, kBeside, "", 61'035}},
                 {}});
  all.push_back({"two-sockets",
                 {{"intel-rapl:0", "package-0", 80, kCounted, "", 61'035},
                  {"intel-rapl:0:0", "core", 50, kBeside, "", 61'035},
                  {"intel-rapl:1", "package-1", 60, kCounted, "", 61'035},
                  {"intel-rapl:1:0", "core", 40, kBeside, "", 61'035}},
                 {}});
  all.push_back({"dram",
                 {{"intel-rapl:0", "package-0", 80, kCounted, "", 61'035},
                  {"intel-rapl:0:0", "dram", 20, kCounted, "", kDramUnit},
                  {"intel-rapl:1", "package-1", 60, kCounted, "", 61'035},
                  {"intel-rapl:1:0", "dram", 20, kCounted, "", kDramUnit}},
                 {}});
  all.push_back({"psys",
                 {package,
                  {"intel-rapl:0:0", "core", 60, kBeside, "", 61'035},
                  {"intel-rapl:0:1", "uncore", 5, kBeside, "", 61'035},
                  {"intel-rapl:1", "psys", 130, kBeside, "", 61'035}},
                 {}});
  all.push_back({"mmio-twin", {package, mirror("intel-rapl-mmio:0", "package-0", package)}, {}});
  all.push_back({"die-mirror",
                 {{"intel-rapl:0", "package-0-die-0", 68, kCounted, "", kAmdUnit},
                  mirror("intel-rapl:1", "package-0-die-1", amd)},
                 {}});
  all.push_back(sixteen_dies());
  all.push_back({"amd-core", {amd, {"intel-rapl:0:0", "core", 4, kBeside, "", kAmdUnit}}, {}});
  all.push_back({"joule-psys",
                 {{"intel-rapl:0", "package-0", 180, kCounted, "", 61'035},
                  {"intel-rapl:0:0", "dram", 25, kCounted, "", kDramUnit},
                  {"intel-rapl:1", "package-1", 150, kCounted, "", 61'035},
                  {"intel-rapl:1:0", "dram", 25, kCounted, "", kDramUnit},
                  {"intel-rapl:2", "psys", 450, kBeside, "", kOneJoule}},
                 {}});
  all.push_back({"no-name", {{"intel-rapl:0", "", 100, kCounted, "", 61'035}}, {}});
  all.push_back({"perf-subset",
                 {package,
                  {"intel-rapl:0:0", "core", 60, kBeside, "", 61'035},
                  {"intel-rapl:0:1", "dram", 15, kCounted, "", kDramUnit}},
                 {"energy-pkg"}});
  all.push_back({"hwmon",
                 {{"hwmon0/energy1_input", "Ecore000", 3, kBeside, "", kAmdUnit},
                  {"hwmon0/energy2_input", "Ecore001", 3, kBeside, "", kAmdUnit},
                  {"hwmon0/energy3_input", "Esocket0", 90, kCounted, "", kAmdUnit}},
                 {}});
  all.push_back({"empty", {}, {}});
  return all;
}

}  // namespace

const std::vector<Topology>& topologies() {
  static const std::vector<Topology> all = make();
  return all;
}

}  // namespace carnot::harness
