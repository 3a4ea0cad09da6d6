// SPDX-License-Identifier: Apache-2.0
// What a machine says about itself without being root.
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/meter/power_model/power_model.hpp"

#include "meter/counters/plain_text.hpp"

namespace carnot::meter {

namespace {

namespace fs = std::filesystem;

/// Empty where it cannot be read.
std::string text_of(const std::string& path) {
  try {
    return read_file(path);
  } catch (const IoError&) {
    return {};
  }
}

std::optional<double> number_of(std::string_view text) {
  try {
    const double value = parse_number(trimmed(text));
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  } catch (const InputError&) {
    return {};
  }
}

/// First value of each key of `key : value` lines, and how often `processor` occurs.
struct CpuInfo {
  std::map<std::string, std::string, std::less<>> value;
  int processors = 0;
  bool is_guest = false;

  explicit CpuInfo(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      const auto key = trimmed(line.substr(0, colon));
      processors += key == "processor" ? 1 : 0;
      value.try_emplace(std::string(key), trimmed(line.substr(colon + 1)));
    }
    is_guest = (" " + get("flags") + " ").find(" hypervisor ") != std::string::npos;
  }
  std::string get(std::string_view key) const {
    const auto found = value.find(key);
    return found == value.end() ? "" : found->second;
  }
};

/// The year a processor family came out. Families and models as Linux names them
/// (arch/x86/include/asm/intel-family.h, arch/x86/kernel/cpu/amd.c); years are those of the makers'
/// announcements. A family's last model, and a server with it, came out up to two years later.
struct Generation {
  std::string_view maker;
  int family, model_from, model_to, year;
};
constexpr std::array kGenerations{
    Generation{"AMD", 16, 0, 255, 2009},        // K10
    Generation{"AMD", 21, 0, 255, 2012},        // Bulldozer, Piledriver
    Generation{"AMD", 23, 0, 47, 2017},         // Zen, Zen+
    Generation{"AMD", 23, 48, 255, 2019},       // Zen 2
    Generation{"AMD", 25, 0, 15, 2021},         // Zen 3, servers
    Generation{"AMD", 25, 16, 31, 2022},        // Zen 4, servers
    Generation{"AMD", 25, 32, 95, 2021},        // Zen 3
    Generation{"AMD", 25, 96, 127, 2022},       // Zen 4
    Generation{"AMD", 25, 160, 175, 2023},      // Zen 4c, servers
    Generation{"AMD", 26, 0, 255, 2024},        // Zen 5
    Generation{"Intel", 6, 0x1a, 0x1a, 2009},   // Nehalem-EP
    Generation{"Intel", 6, 0x2c, 0x2c, 2010},   // Westmere-EP
    Generation{"Intel", 6, 0x2d, 0x2d, 2012},   // Sandy Bridge-EP
    Generation{"Intel", 6, 0x3e, 0x3e, 2013},   // Ivy Bridge-EP
    Generation{"Intel", 6, 0x3f, 0x3f, 2014},   // Haswell-EP
    Generation{"Intel", 6, 0x4f, 0x4f, 2016},   // Broadwell-EP
    Generation{"Intel", 6, 0x55, 0x55, 2017},   // Skylake-SP, Cascade Lake (2019)
    Generation{"Intel", 6, 0x5e, 0x5e, 2015},   // Skylake
    Generation{"Intel", 6, 0x6a, 0x6c, 2021},   // Ice Lake-SP
    Generation{"Intel", 6, 0x8e, 0x8e, 2016},   // Kaby Lake and after, mobile
    Generation{"Intel", 6, 0x8f, 0x8f, 2023},   // Sapphire Rapids
    Generation{"Intel", 6, 0x97, 0x9a, 2021},   // Alder Lake
    Generation{"Intel", 6, 0x9e, 0x9e, 2017},   // Kaby Lake, Coffee Lake
    Generation{"Intel", 6, 0xad, 0xae, 2024},   // Granite Rapids
    Generation{"Intel", 6, 0xcf, 0xcf, 2023}};  // Emerald Rapids

std::optional<double> year_of(std::string_view maker, std::optional<double> family,
                              std::optional<double> model) {
  for (const auto& g : kGenerations) {
    if (g.maker == maker && family == g.family && model && *model >= g.model_from &&
        *model <= g.model_to) {
      return g.year;
    }
  }
  return {};
}

/// Chips, cores and threads out of /sys/devices/system/cpu.
void read_topology(const std::string& sysfs_root, HostFacts& facts) {
  std::set<std::string> chips;
  std::set<std::pair<std::string, std::string>> cores;
  int threads = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(sysfs_root + "/devices/system/cpu", error)) {
    const auto name = entry.path().filename().string();
    if (name.substr(0, 3) != "cpu" || !number_of(name.substr(3))) continue;
    const auto base = entry.path().string() + "/topology/";
    const std::string chip(trimmed(text_of(base + "physical_package_id")));
    const std::string core(trimmed(text_of(base + "core_id")));
    if (chip.empty() || core.empty()) continue;  // offline: not counted
    ++threads;
    chips.insert(chip);
    cores.emplace(chip, core);
  }
  if (threads == 0) return;
  facts.threads = threads;
  facts.chips = static_cast<double>(chips.size());
  facts.cores = static_cast<double>(cores.size());
  facts.sources.emplace_back("chips, cores, threads: /sys/devices/system/cpu");
}

/// The chip's thermal design power, which RAPL shows as the most its long-term limit may be.
void read_tdp(const std::string& sysfs_root, HostFacts& facts) {
  const auto zone = sysfs_root + "/class/powercap/intel-rapl:0/constraint_0_";
  const auto microwatts = number_of(text_of(zone + "max_power_uw"));
  if (trimmed(text_of(zone + "name")) != "long_term" || !microwatts || *microwatts < 1e6) return;
  facts.tdp_w = *microwatts * 1e-6;
  facts.sources.emplace_back("TDP: powercap, greatest long-term limit");
}

void read_memory(const std::string& procfs_root, HostFacts& facts) {
  const std::string text = text_of(procfs_root + "/meminfo");
  constexpr std::string_view kKey = "MemTotal:";
  const auto at = text.find(kKey);
  if (at == std::string::npos) return;
  auto rest = std::string_view(text).substr(at + kKey.size());
  rest = trimmed(rest.substr(0, rest.find('\n')));
  const auto kibibytes = number_of(rest.substr(0, rest.find(' ')));
  if (!kibibytes || *kibibytes < 1e5) return;
  facts.memory_gb = *kibibytes / (1024.0 * 1024.0);
  facts.sources.emplace_back("memory: /proc/meminfo");
}

}  // namespace

HostFacts read_host_facts(const std::string& sysfs_root, const std::string& procfs_root) {
  HostFacts facts;
  const CpuInfo cpu(text_of(procfs_root + "/cpuinfo"));
  const auto maker = cpu.get("vendor_id");
  facts.vendor = maker == "AuthenticAMD" ? "AMD" : maker == "GenuineIntel" ? "Intel" : "";
  if (!facts.vendor.empty()) facts.sources.emplace_back("vendor: /proc/cpuinfo");
  facts.year = year_of(facts.vendor, number_of(cpu.get("cpu family")), number_of(cpu.get("model")));
  if (facts.year) facts.sources.emplace_back("year: processor family and model");
  if (cpu.is_guest) {
    if (cpu.processors > 0) facts.vcpus = cpu.processors;
    facts.sources.emplace_back("a guest: size and memory of its host are not known");
    return facts;
  }
  read_topology(sysfs_root, facts);
  read_tdp(sysfs_root, facts);
  read_memory(procfs_root, facts);
  return facts;
}

}  // namespace carnot::meter
