// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The world outside of a scenario, slot by slot: truth for the simulator and the oracle, history
/// and forecast documents for the policies. Immutable once built; lanes share it.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/site/scenario.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::train {

struct SignalNote {
  std::string signal;  ///< "power", "price", ...
  std::string source;  ///< where its values come from, in words
};

struct Environment {
  Instant start;
  Duration slot;
  std::vector<site::Weather> weather;       ///< one per slot from start to the deadline
  Power capacity;                           ///< greatest total power the signal can reach
  std::optional<TraceCore> power_history;   ///< watt, what happened before the start
  std::optional<TraceCore> price_history;   ///< EUR per joule
  std::optional<TraceCore> carbon_history;  ///< g per joule
  std::optional<TraceCore> power_forecast;  ///< watt, a document issued beforehand
  std::vector<SignalNote> notes;

  Instant end() const noexcept { return start + slot * static_cast<std::int64_t>(weather.size()); }
};

/// Opens or generates the scenario's signals over its job's time and up to 30 days before.
/// \param data_dir  where relative paths of data are looked up first; empty: beside the scenario
/// \throws IoError, InputError (`file:line: field: what is allowed`)
Environment load_environment(const site::Scenario& scenario, const std::string& data_dir);

}  // namespace carnot::train
