// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What perf, powercap and MSR say alike about RAPL: units, turns, names, errors. Pure functions.
/// The kernel shows 32-bit registers as floor(raw * unit_nj / 1000) microjoules with whole
/// nanojoules (intel_rapl_common.c).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// Units met in hardware, whole nanojoules as the kernel truncates them, ascending: 2^-16 J
/// (Haswell and later, AMD), 15.3 uJ (DRAM of servers), 2^-15 J, 2^-14 J (most of Intel), 2^-10 J,
/// 1 J (psys of Sapphire and Emerald Rapids).
inline constexpr std::array<std::uint64_t, 6> kRaplUnitsNj = {15'258, 15'300,  30'517,
                                                              61'035, 976'562, 1'000'000'000};

/// How a counter in microjoules turns.
struct RaplTurn {
  std::uint64_t modulus_uj = 0;
  std::uint64_t step_uj = 1;  ///< between neighbouring values, rounded up
};
/// From max_energy_range_uj = floor((2^32 - 1) * unit / 1000): the greatest value plus one count. A
/// range that no whole number of nanojoules gives turns at the next microjoule.
RaplTurn rapl_turn(std::uint64_t max_energy_range_uj) noexcept;

/// `intel-rapl:f:0`: control type and zone numbers, which are hexadecimal.
struct ZoneName {
  std::string control;
  int zone = 0;
  int subzone = -1;  ///< -1: a zone itself
  bool operator==(const ZoneName&) const = default;
};
std::optional<ZoneName> parse_zone_name(std::string_view text);

/// `package-1-die-0`, `dram`: what a zone counts.
struct ZoneLabel {
  DomainKind kind = DomainKind::Rail;
  int socket = -1;
  int die = -1;
  bool operator==(const ZoneLabel&) const = default;
};
std::optional<ZoneLabel> parse_zone_label(std::string_view text);

/// `energy-pkg`: an event of the perf power PMU.
std::optional<DomainKind> parse_event_name(std::string_view text);
/// `event=0x02`, the only form the power PMU's events have.
std::optional<std::uint64_t> parse_event_code(std::string_view text);
/// `0,28-29`, as in cpumask and online; empty if it is none or goes beyond 65535.
std::vector<int> parse_cpu_list(std::string_view text);

/// Whose registers they are.
struct CpuModel {
  std::string vendor;
  int family = 0;
  int model = 0;
  /// AMD and Hygon: package registers only, dies mirror them (intel_rapl_common.c since 6.12).
  bool is_amd() const noexcept { return vendor == "AuthenticAMD" || vendor == "HygonGenuine"; }
};
/// The first processor of /proc/cpuinfo's text.
CpuModel parse_cpuinfo(std::string_view text);
CpuModel cpu_model(const std::string& procfs_root);
/// Unit of a register that does not follow the unit register, in joules; 0: it does. DRAM of Xeons
/// since Haswell 2^-16, psys of Sapphire and Emerald Rapids 1 (kernel arch/x86/events/rapl.c).
double fixed_unit_j(DomainKind kind, const CpuModel& cpu) noexcept;

/// Error of the sensor, 90 %, assumed: docs/meter-sources.md.
Gain rapl_gain(DomainKind kind, bool is_amd) noexcept;
/// Above what a domain can draw for longer than an update.
Power rapl_power_cap(DomainKind kind) noexcept;

/// The cores, dies and packages of <sysfs>/devices/system/cpu.
class CpuTopology {
 public:
  explicit CpuTopology(std::string sysfs_root) : root_(std::move(sysfs_root)) {}
  std::vector<int> online() const;
  int socket_of(int cpu) const { return number(cpu, "physical_package_id"); }  ///< -1: not told
  int die_of(int cpu) const { return number(cpu, "die_id"); }
  int core_of(int cpu) const { return number(cpu, "core_id"); }

 private:
  int number(int cpu, const char* file) const;
  std::string root_;
};

}  // namespace carnot::meter
