// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a learning experiment says: carnot.learn/1 for programs, a table for terminals, a page for
/// people. Pure functions of the result; the same bytes for the same result.

#include <string>

#include "carnot/experiment/experiment.hpp"

namespace carnot::report {

/// carnot.learn/1, see docs/formats/learn.md. The best point's keys stand at the top level;
/// `points` holds every run, `structure` the structure function.
std::string to_json(const experiment::ExperimentResult& result);

/// The runs, the code lengths and k*, at most `width` columns (60 at least); colour only if
/// `colour`.
std::string to_terminal(const experiment::ExperimentResult& result, int width, bool colour);

/// One self-contained page: quality against energy, the structure function, the learning cycle on
/// the temperature-entropy plane; light, dark, print.
std::string to_html(const experiment::ExperimentResult& result);

}  // namespace carnot::report
