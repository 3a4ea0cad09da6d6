// SPDX-License-Identifier: Apache-2.0
// A measurement's facts are foreign JSON: whatever they are, a report comes out or an InputError.
#include <cstddef>
#include <cstdint>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/report/measure/measurement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carnot::ledger::MeasurementBegin begin;
  begin.static_policy = "capacity";
  begin.facts_json.assign(reinterpret_cast<const char*>(data), size);
  carnot::ledger::MeasurementChannel channel;
  channel.id = "model";
  channel.role = "counted";
  channel.origin = "modelled";
  channel.boundary = "node";
  channel.unit_j = 1e-6;
  begin.channels.push_back(channel);
  carnot::ledger::MeasurementSample sample;
  sample.channels.resize(1);
  std::vector<carnot::ledger::Entry> entries{begin, sample};
  sample.monotonic_ns = sample.boottime_ns = 1'000'000'000;
  sample.channels[0].total = 5'000'000;
  entries.emplace_back(sample);
  try {
    const carnot::measure::Measurement m = carnot::measure::summarise_measurement(entries, {});
    carnot::report::measurement_html(m);
    carnot::report::measurement_json(m);
    carnot::report::measurement_terminal(m, 80, false);
    carnot::measure::recorded_account_options(entries);
  } catch (const carnot::InputError&) {
  }
  return 0;
}
