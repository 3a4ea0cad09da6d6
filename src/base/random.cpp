// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/random.hpp"

#include <algorithm>

#include "carnot/base/statistics.hpp"

namespace carnot::inline base {

namespace {
constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}
}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) noexcept
    : RandomStream(seed, fnv1a(name)) {}

double RandomStream::normal(std::uint64_t index) const noexcept {
  // Midpoints of 2^53 cells. That of the last rounds to 1, where the quantile is not finite: the
  // double below it stands for it.
  const double p = (static_cast<double>(bits(index) >> 11) + 0.5) * 0x1p-53;
  return normal_quantile(std::min(p, 1.0 - 0x1p-53));
}

RandomStream RandomStream::child(std::uint64_t which) const noexcept {
  // A block keyed apart from the number blocks (counter words 2, 3 inverted) names the child.
  const auto w =
      philox4x32({static_cast<std::uint32_t>(which), static_cast<std::uint32_t>(which >> 32),
                  ~static_cast<std::uint32_t>(stream_), ~static_cast<std::uint32_t>(stream_ >> 32)},
                 {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
  return {seed_, (std::uint64_t{w[1]} << 32) | w[0]};
}

}  // namespace carnot::inline base
