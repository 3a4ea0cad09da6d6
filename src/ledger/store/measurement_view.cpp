// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/measurement_view.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::ledger {
namespace {

class Grouper {
 public:
  MeasurementView measurement;
  std::string_view fault;  // of the entry last given; empty: none

  void operator()(const MeasurementBegin& e) {
    if (measurement.begin) fault = "a measurement begins once";
    measurement.begin = &e;
  }
  void operator()(const MeasurementSample& e) {
    if (e.channels.size() != measurement.begin->channels.size())
      fault = "a sample has as many channels as its measurement";
    if (!measurement.samples.empty() &&
        (e.monotonic_ns < measurement.samples.back()->monotonic_ns ||
         e.boottime_ns < measurement.samples.back()->boottime_ns))
      fault = "the clocks of samples never go back";
    measurement.samples.push_back(&e);
  }
  void operator()(const MeasurementProcess& e) { measurement.processes.push_back(&e); }
  void operator()(const MeasurementGap& e) { measurement.gaps.push_back(&e); }
  void operator()(const MeasurementWindow& e) { measurement.windows.push_back(&e); }
  void operator()(const MeasurementEnd& e) { measurement.end = &e; }
  template <class OfRun>
  void operator()(const OfRun&) {
    fault = "this entry belongs to a run, not to a measurement";
  }
};

}  // namespace

bool is_measurement(const std::vector<Entry>& entries) noexcept {
  return !entries.empty() && std::holds_alternative<MeasurementBegin>(entries.front());
}

MeasurementView view_measurement(const std::vector<Entry>& entries) {
  if (!is_measurement(entries))
    throw InputError("ledger: entry 1: a measurement starts with MeasurementBegin");
  Grouper grouper;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (grouper.measurement.end) grouper.fault = "nothing follows MeasurementEnd";
    if (grouper.fault.empty()) std::visit(grouper, entries[i]);
    if (!grouper.fault.empty())
      throw InputError(fmt::format("ledger: entry {}: {}", i + 1, grouper.fault));
  }
  return std::move(grouper.measurement);
}

}  // namespace carnot::ledger
