// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energy of a measurement between moments of it, with its interval: what a drawing of fewer
/// points than there are samples needs. Each joule lies in exactly one span, so the values sum to
/// those of the whole; the intervals do not (their ends are read once for each span). Pure,
/// thread-safe.

#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/ledger/entry/entry.hpp"

namespace carnot::measure {

struct EnergySpan {
  double from_s = 0, to_s = 0;      ///< since the first sample, suspends included
  double awake_s = 0;               ///< of it
  Estimate<Energy> energy;          ///< of everything counted
  std::vector<double> by_domain_j;  ///< in the order of the measurement's channels
};

struct EnergySpans {
  std::vector<std::string> labels, roles;  ///< of the channels: "counted", "beside", ...
  std::vector<EnergySpan> spans;
};

/// At most `most` (>= 1) spans of equally many consecutive intervals, the last may have fewer.
/// \throws InputError if the entries are no measurement, or say what cannot be
EnergySpans energy_spans(const std::vector<ledger::Entry>& entries, std::size_t most);

}  // namespace carnot::measure
