// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Ends CLP between two pivots once a token says so. CLP copies its handler along with a
/// programme, so that what a solver above makes of it (presolved, sub-problems, heuristics, strong
/// branching) ends too. What such a programme says then is nothing: it may pass for infeasible. Ask
/// the token before believing CLP.

#ifdef CARNOT_HAVE_CLP

#include <ClpEventHandler.hpp>
#include <ClpSimplex.hpp>

#include "carnot/base/stop.hpp"

namespace carnot::solve {

class ClpStop : public ClpEventHandler {
 public:
  static constexpr int kStatus = 5;  ///< of a programme that was stopped

  /// \param stop  must outlive all copies; may be set anew while no solver runs
  explicit ClpStop(const StopToken& stop) : stop_(&stop) {}

  int event(Event which) override {
    switch (which) {
      case endOfIteration:
      case endOfFactorization:
      case endOfValuesPass:
        return stop_->requested() ? 0 : -1;
      default:
        return -1;  // elsewhere 0 means other things
    }
  }
  ClpEventHandler* clone() const override { return new ClpStop(*this); }

 private:
  const StopToken* stop_;
};

}  // namespace carnot::solve

#endif
