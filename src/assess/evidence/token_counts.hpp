// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One row of usage of a language model, whoever wrote it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "carnot/assess/evidence/evidence.hpp"

namespace carnot::assess {

struct TokenCounts {
  std::size_t line = 0;
  std::string model;
  double input = 0, cached = 0, output = 0, reasoning = 0;
  bool cached_is_part = false;  ///< of `input`
  std::string_view region, account;
  std::uint32_t from = kNone, to = 0;
  std::uint16_t currency = 0;
  double money = 0;
};

void add_tokens(Evidence& evidence, std::uint16_t file, const TokenCounts& counts);

}  // namespace carnot::assess
