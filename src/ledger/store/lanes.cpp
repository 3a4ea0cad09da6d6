// SPDX-License-Identifier: Apache-2.0
#include "ledger/store/lanes.hpp"

#include <string_view>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

namespace carnot::ledger::detail {
namespace {

class Grouper {
 public:
  RunView run;
  std::string_view fault;  // of the entry last given; empty: none

  void operator()(const RunBegin& e) {
    if (!first_) fault = "RunBegin is the first entry";
    run.begin = &e;
    first_ = false;
  }
  void operator()(const LaneBegin& e) {
    between_lanes("a lane begins where the one before has ended");
    run.lanes.push_back({&e, {}, {}, nullptr});
    inside_ = true;
  }
  void operator()(const SlotEntry& e) {
    if (in_lane()) run.lanes.back().slots.push_back(&e);
  }
  void operator()(const Evaluation& e) {
    if (in_lane()) run.lanes.back().evaluations.push_back(&e);
  }
  void operator()(const Checkpoint&) { in_lane(); }
  void operator()(const LaneEnd& e) {
    if (!in_lane()) return;
    run.lanes.back().end = &e;
    inside_ = false;
  }
  void operator()(const RunEnd& e) {
    between_lanes("a run ends where its last lane has ended");
    run.end = &e;
  }
  template <class OfMeasurement>
  void operator()(const OfMeasurement&) {
    fault = "this entry belongs to a measurement, not to a run";
  }

 private:
  void going_on() {
    if (run.end) fault = "nothing follows RunEnd";
    first_ = false;
  }
  bool in_lane() {
    going_on();
    if (fault.empty() && !inside_) fault = "this entry belongs between LaneBegin and LaneEnd";
    return fault.empty();
  }
  void between_lanes(std::string_view rule) {
    going_on();
    if (fault.empty() && inside_) fault = rule;
  }

  bool first_ = true;
  bool inside_ = false;
};

}  // namespace

RunView group(const std::vector<Entry>& entries, bool whole_run) {
  if (is_measurement(entries)) throw InputError("ledger: this is a measurement, not a run");
  if (whole_run && (entries.empty() || !std::holds_alternative<RunBegin>(entries.front())))
    throw InputError("ledger: entry 1: a run starts with RunBegin");
  Grouper grouper;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::visit(grouper, entries[i]);
    if (!grouper.fault.empty())
      throw InputError(fmt::format("ledger: entry {}: {}", i + 1, grouper.fault));
  }
  return std::move(grouper.run);
}

}  // namespace carnot::ledger::detail
