// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Products of positive figures with wide ranges, kept above zero. Pure, thread-safe.

#include <utility>

#include "carnot/base/estimate.hpp"

namespace carnot::model {

/// A product of positive figures, whose lower bound the linear rule may put below zero. Factors err
/// by ratios: the bound is value x exp(-root of the sum of squared logarithms of each cause's
/// ratio). All causes' downward parts shrink alike to meet it.
EstimateCore positive_core(const EstimateCore& product);

template <class Q>
Estimate<Q> positive(const Estimate<Q>& product) {
  return Estimate<Q>(positive_core(product.core()));
}

}  // namespace carnot::model
