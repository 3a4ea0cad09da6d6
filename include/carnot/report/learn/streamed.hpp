// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn --stream` shows: a document (JSON: docs/formats/learn-stream.md) and lines
/// for a terminal. Functions of values; safe from any thread.

#include <cstdint>
#include <string>

#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/stream/stream.hpp"

namespace carnot::report {

struct StreamReport {
  std::string command, file;
  std::uint64_t bytes = 0;  ///< of the file
  const learn::StreamResult* result = nullptr;
  const learn::EnergyTable* table = nullptr;
  double seconds = 0.0;             ///< of the wall clock, measured
  std::uint64_t peak_resident = 0;  ///< bytes, as the system counts them; 0: not known
};

std::string to_json(const StreamReport& report);
std::string to_terminal(const StreamReport& report, int width);

}  // namespace carnot::report
