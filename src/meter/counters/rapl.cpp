// SPDX-License-Identifier: Apache-2.0
#include "meter/counters/rapl.hpp"

#include <algorithm>
#include <charconv>

#include "carnot/base/random.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"

namespace carnot::meter {

namespace {

constexpr int kMostCpus = 65'536;

// The whole of `text` as a number; nothing else around it.
std::optional<int> whole_number(std::string_view text, int base = 10) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || text.front() == '-' || error != std::errc{} ||
      end != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool strip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

RaplTurn rapl_turn(std::uint64_t max_uj) noexcept {
  constexpr detail::Uint128 kLastCount = 0xffff'ffffu;
  const detail::Uint128 scaled = detail::Uint128{max_uj} * 1000;
  const detail::Uint128 unit_nj = (scaled + kLastCount - 1) / kLastCount;
  // Units below a microjoule would make the greatest value and the turn the same microjoule.
  if (unit_nj < 1000 || unit_nj * kLastCount / 1000 != max_uj || unit_nj > 1'000'000'000'000)
    return {max_uj == ~std::uint64_t{0} ? 0 : max_uj + 1, 1};
  return {static_cast<std::uint64_t>(unit_nj * (kLastCount + 1) / 1000),
          static_cast<std::uint64_t>((unit_nj + 999) / 1000)};
}

std::optional<ZoneName> parse_zone_name(std::string_view text) {
  ZoneName name;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !text.starts_with("intel-rapl")) return std::nullopt;
  name.control = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  const std::size_t second = text.find(':');
  const auto zone = whole_number(text.substr(0, second), 16);
  if (!zone) return std::nullopt;
  name.zone = *zone;
  if (second != std::string_view::npos) {
    const auto subzone = whole_number(text.substr(second + 1), 16);
    if (!subzone) return std::nullopt;
    name.subzone = *subzone;
  }
  return name;
}

std::optional<ZoneLabel> parse_zone_label(std::string_view text) {
  if (text == "core") return ZoneLabel{DomainKind::Core};
  if (text == "uncore") return ZoneLabel{DomainKind::Uncore};
  if (text == "dram") return ZoneLabel{DomainKind::Dram};
  if (text == "psys") return ZoneLabel{DomainKind::Platform};
  if (!strip(text, "package-")) return std::nullopt;
  ZoneLabel label{DomainKind::Package};
  const std::size_t end = text.find('-');
  const auto socket = whole_number(text.substr(0, end));
  if (!socket) return std::nullopt;
  label.socket = *socket;
  if (end != std::string_view::npos) {
    text.remove_prefix(end);
    const auto die = strip(text, "-die-") ? whole_number(text) : std::nullopt;
    if (!die) return std::nullopt;
    label.die = *die;
  }
  return label;
}

std::optional<DomainKind> parse_event_name(std::string_view text) {
  if (text == "energy-pkg") return DomainKind::Package;
  if (text == "energy-cores" || text == "energy-core") return DomainKind::Core;
  if (text == "energy-gpu") return DomainKind::Uncore;
  if (text == "energy-ram") return DomainKind::Dram;
  if (text == "energy-psys") return DomainKind::Platform;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_event_code(std::string_view text) {
  text = trimmed(text);
  if (!strip(text, "event=0x")) return std::nullopt;
  std::uint64_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return code;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  text = trimmed(text);
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = whole_number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : whole_number(part.substr(dash + 1));
    const int next = cpus.empty() ? 0 : cpus.back() + 1;
    if (!first || !last || *first < next || *last < *first || *last >= kMostCpus) return {};
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return cpus;
}

CpuModel parse_cpuinfo(std::string_view text) {
  CpuModel model;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (trimmed(line).empty()) break;  // only the first processor
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      const std::string_view key = trimmed(line.substr(0, colon));
      const std::string_view value = trimmed(line.substr(colon + 1));
      if (key == "vendor_id") model.vendor = value;
      if (key == "cpu family") model.family = whole_number(value).value_or(0);
      if (key == "model") model.model = whole_number(value).value_or(0);
    }
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return model;
}

CpuModel cpu_model(const std::string& procfs_root) {
  PinnedFile file(procfs_root + "/cpuinfo");
  std::array<char, 4096> buffer;
  return file.is_open() ? parse_cpuinfo(file.read(buffer)) : CpuModel{};
}

double fixed_unit_j(DomainKind kind, const CpuModel& cpu) noexcept {
  // Haswell, Broadwell, Broadwell-D, Skylake/Cascade Lake, Ice Lake, Ice Lake-D, Knights Landing
  // and Mill; Sapphire and Emerald Rapids.
  constexpr std::array<int, 8> kServers = {63, 79, 86, 85, 106, 108, 87, 133};
  constexpr std::array<int, 2> kRapids = {143, 207};
  if (cpu.vendor != "GenuineIntel" || cpu.family != 6) return 0.0;
  const bool is_rapids = std::ranges::find(kRapids, cpu.model) != kRapids.end();
  const bool is_server = is_rapids || std::ranges::find(kServers, cpu.model) != kServers.end();
  if (kind == DomainKind::Dram && is_server) return 0x1p-16;
  if (kind == DomainKind::Platform && is_rapids) return 1.0;
  return 0.0;
}

Gain rapl_gain(DomainKind kind, bool is_amd) noexcept {
  if (kind == DomainKind::Dram) return {0.8, 1.2};
  if (kind == DomainKind::Package && !is_amd) return {0.95, 1.05};
  return {0.9, 1.1};
}

Power rapl_power_cap(DomainKind kind) noexcept {
  if (kind == DomainKind::Platform) return 10'000.0 * watt;
  return (kind == DomainKind::Dram ? 500.0 : 2000.0) * watt;
}

std::vector<int> CpuTopology::online() const {
  return parse_cpu_list(first_line(root_ + "/devices/system/cpu/online"));
}

int CpuTopology::number(int cpu, const char* file) const {
  const std::string path =
      root_ + "/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + file;
  return whole_number(trimmed(first_line(path))).value_or(-1);
}

}  // namespace carnot::meter
