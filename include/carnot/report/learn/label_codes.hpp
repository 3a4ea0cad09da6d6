// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn prequential` and `carnot learn two-part` show: bits of the labels, joules of
/// finding them, block by block and over several orders or seeds. JSON is
/// docs/formats/label-codes.md. Pure functions of the report; safe from any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/labels/prequential.hpp"
#include "carnot/learn/labels/two_part.hpp"

namespace carnot::report {

/// One message.
struct LabelCodeRun {
  std::uint64_t seed = 0;
  double bits = 0.0;        ///< of the whole message
  double model_bits = 0.0;  ///< its first part; prequential: 0
  double data_bits = 0.0;
  double uniform = 0.0;                         ///< labels under their counts
  double accuracy = 0.0;                        ///< two-part: of the coded model
  std::size_t coefficients = 0, nonzero = 0;    ///< two-part
  std::vector<learn::PrequentialBlock> blocks;  ///< prequential
  learn::Counters counters;
  double seconds = 0.0;  ///< of the wall clock, measured; encoding alone
  bool decoded = false;  ///< its labels were rebuilt from features and message
};

struct LabelCodeReport {
  std::string command, data_source, learner;
  bool two_part = false;
  std::size_t rows = 0, columns = 0, classes = 0;
  std::vector<std::pair<std::string, double>> knobs;
  bool shuffled = false;
  std::vector<LabelCodeRun> runs;
  const learn::EnergyTable* table = nullptr;  ///< outlives the report
};

std::string to_json(const LabelCodeReport& report);
std::string to_terminal(const LabelCodeReport& report, int width, bool colour);
std::string to_html(const LabelCodeReport& report);

}  // namespace carnot::report
