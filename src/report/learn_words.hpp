// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "carnot/run/experiment.hpp"

namespace carnot::report {

/// "int8, 64 hidden, 8 epochs, seed 1".
std::string knobs_text(const run::ExperimentPoint& point);
/// "97.5 % (96.1 to 98.4)" or "0.812 (0.79 to 0.83)".
std::string quality_range(const run::ExperimentPoint& point);
/// "12.3 mJ" and the like, from nanojoules up.
std::string joules_text(double joules);
/// "12.4 kbit" and the like.
std::string bits_text(double bits);
/// The finding in one sentence.
std::string finding(const run::ExperimentResult& result);
/// What was learned at k*, in one sentence.
std::string k_star_sentence(const run::ExperimentResult& result);

}  // namespace carnot::report
