// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A physical figure as the documents carry it: value, 90 % bounds, origin, boundary, sources.
/// Private to the .cpp that write JSON.

#include "carnot/base/estimate.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

/// In coherent base units (J, W, g, EUR, s).
template <class Q>
Json json_figure(const Estimate<Q>& estimate) {
  return Json{{"value", number_or_null(estimate.core().value())},
              {"low", number_or_null(estimate.core().low())},
              {"high", number_or_null(estimate.core().high())},
              {"origin", name(estimate.origin())},
              {"boundary", name(estimate.boundary())},
              {"sources", estimate.sources()}};
}

}  // namespace carnot::report
