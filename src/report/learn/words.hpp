// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "carnot/experiment/experiment.hpp"

namespace carnot::report {

/// A precision as asked, with widths spelt out: "int4>int8@0.75" for "4>8@0.75".
std::string precision_text(const std::string& asked);
/// The same for the gradients of trees.
std::string gradient_text(const std::string& asked);
/// What tells each run from the others: its precision and those knobs that differ between runs,
/// such as "int8, 64 hidden, seed 1".
std::vector<std::string> run_names(const experiment::ExperimentResult& result);
/// "97.5 % (96.1 to 98.4)" or "0.812 (0.79 to 0.83)".
std::string quality_range(const experiment::ExperimentPoint& point);
/// "12.3 mJ" and the like, from nanojoules up.
std::string joules_text(double joules);
/// "12.4 kbit" and the like.
std::string bits_text(double bits);
/// The finding in one sentence.
std::string finding(const experiment::ExperimentResult& result);
/// Bits a character of held-out text, of every run.
std::string text_sentence(const experiment::ExperimentResult& result);
/// What was learned at k*, in one sentence.
std::string k_star_sentence(const experiment::ExperimentResult& result);

}  // namespace carnot::report
