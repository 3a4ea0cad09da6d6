// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Many training steps, with a look at a stop token now and then. Steps are the same however they
/// are cut into calls. Not thread-safe, as the learner is not.

#include <algorithm>
#include <cstdint>

#include "carnot/base/stop.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

/// What a step in `precision` costs at most, in steps as `Learner::step_counters` states them. A
/// row of integers that outgrows its grid is converted on top, at most once a step: all rows
/// together are one pass over the coefficients, which is less than what a step does to them.
inline double dearest_step(const Precision& precision) {
  return precision.is_integer() ? 2.0 : 1.0;
}

/// \return how many steps were done: fewer than `count` only where the schedule ends
/// \throws Stopped, with the steps done that were
inline std::uint64_t train_in_pieces(Learner& learner, std::uint64_t count,
                                     const Precision& precision, const StopToken& stop) {
  constexpr double kPiece = 1e8;  // operations: a fraction of a second
  double of_step = 1.0;
  for (const std::uint64_t n : learner.step_counters(precision).operations)
    of_step += static_cast<double>(n);
  const auto piece = static_cast<std::uint64_t>(std::clamp(kPiece / of_step, 1.0, 1024.0));
  std::uint64_t done = 0;
  while (done < count) {
    stop.throw_if_requested();
    const std::uint64_t did = learner.train(std::min(piece, count - done), precision);
    if (did == 0) break;
    done += did;
  }
  return done;
}

}  // namespace carnot::learn
