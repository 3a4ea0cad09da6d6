// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A small make-believe run for tests: a deterministic simulation of a wind site under about a
/// dozen policies, as balanced ledger entries. Figures are plausible, not results. Tests only.

#include <string>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::report::sample {

struct Options {
  int slots = 576;  ///< before the deadline
  double slot_s = 300;
  std::vector<std::string> policies = {"grid-f32",   "pause-resume", "fixed:f32", "fixed:bf16",
                                       "fixed:int8", "fixed:int4",   "paper",     "cpt",
                                       "pfq",        "adaptive",     "oracle"};
  std::string scenario = "North Sea farm, digits classifier";
  std::string scenario_text = "[site]\nname = \"Farm\"\n";
  std::string note = "Modelled figures for a test.";
  double farm_w = 8.0e6;     ///< rated
  double export_w = 4.5e6;   ///< limit
  bool interrupted = false;  ///< cut inside the last lane
  double minimum_quality = 0.970;
};

std::vector<ledger::Entry> run(const Options& options = {});

}  // namespace carnot::report::sample
