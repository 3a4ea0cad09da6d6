// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement against time: power stacked by domain with the job's and the static part drawn
/// over it, CPUs and frequency below, gaps shaded, windows named. Pure functions.

#include <string>

#include "carnot/report/measure/measurement.hpp"

namespace carnot::report {

/// An `<svg>`; empty if nothing lasted.
std::string measurement_figure(const measure::Measurement& m);
/// Style classes of the figure that html.hpp does not have.
std::string_view measurement_figure_css();

}  // namespace carnot::report
