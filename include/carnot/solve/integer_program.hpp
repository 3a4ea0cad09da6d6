// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A linear programme some of whose columns must be whole, by CBC's branch and cut on one thread.
/// The answer is checked against the rows; that nothing better exists is CBC's word. Thread-safe.

#include <functional>
#include <span>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/solve/linear_program.hpp"

namespace carnot::solve {

struct IntegerOptions {
  double cutoff = kInfinity;  ///< look only for what costs less
  StopToken stop;             ///< asked at every pivot
  /// Told between nodes of the bound so far; false: stop with what there is.
  std::function<bool(double bound)> progress;
};

struct IntegerAnswer {
  bool found = false;   ///< there is an answer below the cutoff
  bool proven = false;  ///< CBC says that nothing costs less than it or, if not found, the cutoff;
                        ///< never if stopped
  std::vector<double> values;  ///< [column]; whole where they must be
  double objective = 0.0;
  /// CBC says that nothing below the cutoff costs less than this; infinite if there is nothing.
  double bound = -kInfinity;
  double violation = 0.0;  ///< greatest by which `values` leave the bounds of a row or a column
};

/// Whether this build has CBC.
bool has_integer_solver() noexcept;

/// \param integers  columns that must be whole
/// \throws DeviceError if CBC is not built in
IntegerAnswer solve_integer(const LinearProgram& program, std::span<const int> integers,
                            const IntegerOptions& options = {});

}  // namespace carnot::solve
