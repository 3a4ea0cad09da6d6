// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Random orders (Fisher & Yates 1938, in Durstenfeld's form of 1964, CACM 7, 420): every order is
/// as likely, and it is a function of the stream alone.

#include <cstddef>
#include <utility>
#include <vector>

#include "carnot/base/random.hpp"

namespace carnot::inline base {

/// \param random  draws 2 ... values.size() of it are used
template <class T>
void shuffle(std::vector<T>& values, const RandomStream& random) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.below(i, i)]);
}

}  // namespace carnot::inline base
