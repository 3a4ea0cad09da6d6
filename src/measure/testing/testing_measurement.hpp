// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A made-up measurement for tests and pictures: two packages with memory, a platform counter
/// beside, an accelerator, a job of three processes that works in phases, a gap and two windows.
/// Everything about it is known, so that what the report says can be recomputed plainly.

#include <functional>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::measure::sample {

struct MeasurementOptions {
  bool accelerator = true;
  bool modelled = false;  ///< one channel, the power model
  bool whole_machine = false;
  bool ended = true;
  std::size_t samples = 121;
  std::int64_t interval_ns = 500'000'000;
  std::string static_policy = "capacity";
  std::string facts_json =
      R"({"accounting":{},"notes":[{"what":"powercap","why":"energy_uj is readable by root only",)"
      R"("remedy":"sudo chmod a+r /sys/class/powercap/*/energy_uj"}]})";
};

/// P = 40 W + 2 W a percent busy of 8 CPUs, in two packages, plus memory and accelerator.
std::vector<ledger::Entry> measurement(const MeasurementOptions& options = {});

/// What a measurement begins with, and its samples at both ends; found plainly.
struct Ends {
  const ledger::MeasurementBegin& begin;
  const ledger::MeasurementSample &first, &last;
};
Ends ends_of(const std::vector<ledger::Entry>& entries);

}  // namespace carnot::measure::sample
