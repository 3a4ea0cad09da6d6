// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a training takes where nothing is said, by the size and kind of its data.
///
/// A learner settles after a number of steps, not of passes: eight passes over 100 rows in
/// minibatches of 64 are eight steps. So minibatches shrink until there are 16 of them in a pass
/// (never below 8 rows, never above 64), and small tables are passed over until 8,192 rows have
/// been seen; from 1,024 rows on it is 8 passes. Numbers are learned in smaller steps than classes,
/// since the squared errors of outliers pull harder than misread classes. Adam's steps have a size
/// of their own: one rate serves both, and it wants more of them: twice the passes.

#include <cstddef>
#include <string_view>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

struct TrainingDefaults {
  std::size_t batch = 64;
  double epochs = 8.0;
  double learning_rate = 0.3;
};

/// A pure function; safe from any thread.
/// \param optimiser  of LearnerOptions
TrainingDefaults training_defaults(const Dataset& train,
                                   std::string_view optimiser = "sgd") noexcept;

}  // namespace carnot::learn
