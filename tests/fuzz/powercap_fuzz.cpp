// SPDX-License-Identifier: Apache-2.0
// Any bytes as what /sys and /proc say about energy counters, and then as the values of a counter.
// Nothing may escape; what is understood must be consistent; totals never go back and never grow by
// more than the hardware could spend.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "carnot/meter/counters/counter.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/counters/rapl.hpp"

namespace {

using namespace carnot::meter;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view first_line_of(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void try_names(std::string_view line) {
  if (const auto zone = carnot::meter::parse_zone_name(line))
    require(zone->zone >= 0 && zone->subzone >= -1 && zone->control.starts_with("intel-rapl"));
  if (const auto label = carnot::meter::parse_zone_label(line))
    require(label->kind != carnot::meter::DomainKind::Package || label->socket >= 0);
  if (const auto kind = carnot::meter::parse_event_name(line))
    require(!carnot::meter::name(*kind).empty());
  carnot::meter::parse_event_code(line);
  int last = -1;
  for (const int cpu : carnot::meter::parse_cpu_list(line)) {
    require(cpu > last);
    last = cpu;
  }
}

carnot::meter::RaplTurn try_range(std::uint64_t max_uj) {
  const carnot::meter::RaplTurn turn = carnot::meter::rapl_turn(max_uj);
  require(turn.step_uj >= 1);
  require(turn.modulus_uj > max_uj || turn.modulus_uj == 0);
  require(turn.modulus_uj == 0 || turn.modulus_uj - max_uj <= turn.step_uj + 1);
  return turn;
}

// Lines of (value, milliseconds since the last).
void try_counter(std::string_view text, const carnot::meter::RaplTurn& turn, bool range_known) {
  carnot::meter::CounterSpec spec;
  spec.unit = 1e-6 * carnot::joule;
  spec.modulus = turn.modulus_uj;
  spec.step = turn.step_uj;
  spec.modulus_known = range_known;
  if (range_known && spec.modulus != 0 && spec.modulus / 2 < spec.step) return;
  carnot::meter::Counter counter(spec);
  carnot::meter::Stamp at;
  std::uint64_t total = 0;
  double most = 0.0;  // J that can have been spent
  carnot::Duration awake, unobserved;
  while (!text.empty()) {
    std::uint64_t raw = 0, milliseconds = 0;
    const std::string_view value = first_line_of(text), wait = first_line_of(text);
    if (!carnot::meter::parse_decimal(value, raw)) continue;
    if (!carnot::meter::parse_decimal(wait, milliseconds)) milliseconds = 1;
    const auto passed = static_cast<std::int64_t>(milliseconds % 100'000'000) * 1'000'000;
    at.monotonic_ns += passed;
    at.boottime_ns += passed;
    const carnot::meter::Step step = counter.advance(raw, at);
    require(counter.total_raw() == total + step.raw);
    total = counter.total_raw();
    // In all, for one that comes back from a glitch adds what passed during it.
    most += spec.power_cap.base() * (static_cast<double>(passed) * 1e-9 + 1e-3) +
            static_cast<double>(spec.step) * 1e-6;
    require(static_cast<double>(total) * 1e-6 <= most * (1 + 1e-12));
    awake = awake + step.awake;
    unobserved = unobserved + step.unobserved;
    require(unobserved <= awake);
    require(std::isfinite(counter.highest().base()));
    if (total > std::uint64_t{1} << 62) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  carnot::meter::parse_cpuinfo(text);
  try_names(text);
  for (std::string_view rest = text; !rest.empty();) try_names(first_line_of(rest));
  std::string_view values = text;
  std::uint64_t max_uj = 0;
  const bool range_known =
      carnot::meter::parse_decimal(first_line_of(values), max_uj) && max_uj > 1;
  try_counter(values, range_known ? try_range(max_uj) : carnot::meter::RaplTurn{}, range_known);
  return 0;
}
