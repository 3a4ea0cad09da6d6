// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A run's entries grouped by lane: the one place that knows their order.

#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::ledger::detail {

/// Views into a vector of entries, which must outlive them.
struct LaneView {
  const LaneBegin* begin = nullptr;
  std::vector<const SlotEntry*> slots;
  std::vector<const Evaluation*> evaluations;
  const LaneEnd* end = nullptr;  ///< null: still going
};

struct RunView {
  const RunBegin* begin = nullptr;
  std::vector<LaneView> lanes;
  const RunEnd* end = nullptr;  ///< null: still going
};

/// \throws InputError naming the first entry out of order: RunBegin (LaneBegin (SlotEntry |
///         Checkpoint | Evaluation)* LaneEnd)* RunEnd, which may stop anywhere. `whole_run` asks
///         for the RunBegin in front; without it a part of a run will do.
RunView group(const std::vector<Entry>& entries, bool whole_run);

}  // namespace carnot::ledger::detail
