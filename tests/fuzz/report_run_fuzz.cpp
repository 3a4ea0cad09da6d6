// SPDX-License-Identifier: Apache-2.0
// The JSON texts inside a journal are foreign: the first line is taken as the run's facts, the
// second as a lane's row. Whatever they are, a report comes out or an InputError.
#include <cstddef>
#include <cstdint>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/report/run/result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  carnot::ledger::RunBegin begin;
  begin.facts_json = text.substr(0, end);
  std::vector<carnot::ledger::Entry> entries{begin, carnot::ledger::LaneBegin{"fixed:int8"}};
  carnot::ledger::SlotEntry slot;
  slot.length = carnot::Duration::seconds(300);
  slot.total = slot.own_used = slot.facility = 1e6 * carnot::joule;
  slot.mode = "int8";
  slot.throttle = 0.5;
  entries.emplace_back(slot);
  if (end != std::string::npos) {
    entries.emplace_back(
        carnot::ledger::LaneEnd{"fixed:int8", "target-reached", "done", text.substr(end + 1)});
    entries.emplace_back(carnot::ledger::RunEnd{});
  }
  try {
    const carnot::report::RunResult result = carnot::report::summarise(entries);
    carnot::report::to_html(result);
    carnot::report::to_json(result);
    carnot::report::to_terminal(result, 80, false);
  } catch (const carnot::InputError&) {
  }
  return 0;
}
