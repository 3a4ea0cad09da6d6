// SPDX-License-Identifier: Apache-2.0
#include "learn/text/logistic.hpp"

namespace carnot::learn {

Logistic::Logistic() {
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kOne = std::uint64_t{1} << 62;
  constexpr std::uint64_t kStep = 4593706758521714574u;  // exp(-1/256) in 2^-62
  std::uint64_t power = kOne;                            // exp(-x / 256)
  for (int x = 0; x <= kMostOdds; ++x) {
    const std::uint64_t sum = (kOne >> 16) + (power >> 16);
    const auto chance = static_cast<std::int32_t>(std::min<std::uint64_t>(kOne / sum, 65535));
    squash_[static_cast<std::size_t>(kMostOdds + x)] = chance;
    squash_[static_cast<std::size_t>(kMostOdds - x)] = 65536 - chance;
    power = static_cast<std::uint64_t>((static_cast<Wide>(power) * kStep) >> 62);
  }
  std::int32_t odds = -kMostOdds;
  for (std::int32_t step = 0; step < 4096; ++step) {
    const std::int32_t middle = step * 16 + 8;
    while (odds < kMostOdds && squash(odds + 1) <= middle) ++odds;
    stretch_[static_cast<std::size_t>(step)] = static_cast<std::int16_t>(odds);
  }
}

const Logistic& Logistic::tables() {
  static const Logistic kTables;
  return kTables;
}

}  // namespace carnot::learn
