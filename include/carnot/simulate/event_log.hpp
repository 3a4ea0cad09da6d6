// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The event log of a simulation, and its replay: totals recomputed from the log alone, event by
/// event, with a book-keeping of its own. A log that fits its totals to the last bit shows that
/// nothing was drawn that no event accounts for.
///
/// Lines `time_ns,event,job,site,nodes,mode` (empty: does not apply; jobs and sites from 0), time
/// since 1970; before them `# carnot.events/1`, behind them `# total NAME VALUE` lines.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/simulate/simulate.hpp"

namespace carnot::simulate {

class FleetLog {
 public:
  /// A log to go on with (its totals, if any, cut off), or a new one.
  explicit FleetLog(std::string text = {});
  void add(const FleetEvent& event);
  /// \param result  at the end
  void close(const FleetResult& result);
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// A simulation to go on with, and the log up to there.
struct FleetCheckpoint {
  std::vector<std::uint8_t> state;  ///< of `FleetSimulation::save`
  std::string log;                  ///< empty: none was kept
};
/// The bytes of a file, a checksum among them.
std::string to_bytes(const FleetCheckpoint& checkpoint);
/// \throws InputError naming `name` if the bytes are no checkpoint or damaged
FleetCheckpoint checkpoint_of(std::string_view bytes, const std::string& name);

struct FleetReplay {
  FleetResult result;  ///< flows, and of the rest what events tell: finished, starts, ...
  std::uint64_t events = 0;
  std::vector<std::string> violations;  ///< the first 50: what cannot have been, totals that differ
};

/// \param text  of a closed log  \throws InputError `file:line: what is allowed`
FleetReplay replay(std::string_view text, const std::string& name, const FleetScenario& scenario,
                   const Workload& workload, const FleetOptions& options);

}  // namespace carnot::simulate
