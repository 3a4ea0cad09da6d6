// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot encode` and `carnot decode` show: sizes, bits a byte, joules, bits learned a joule,
/// beside other compressors. JSON is docs/formats/coded-file.md. Functions of values; safe from any
/// thread.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/text/file_code.hpp"

namespace carnot::report {

/// What another program made of the same bytes.
struct OtherCode {
  std::string name;         ///< such as "xz -9e"
  std::uint64_t bytes = 0;  ///< 0: it is not here
  double seconds = 0.0;     ///< of the wall clock, measured
};

struct CodedFileReport {
  std::string command, input, output;
  bool decoding = false;
  learn::FileCodeResult result;
  double seconds = 0.0;  ///< of the wall clock, measured
  std::vector<OtherCode> others;
  const learn::EnergyTable* table = nullptr;  ///< outlives the report
};

std::string to_json(const CodedFileReport& report);
std::string to_terminal(const CodedFileReport& report, int columns);

}  // namespace carnot::report
