// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Counter-based randomness: a number is a pure function of (seed, stream, index), so any thread
/// may draw any number in any order and every run, thread count and instruction set sees the same
/// ones. Generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011), tested against the known-answer vectors published with it.
/// There is no global generator. Values are trivially copyable.

#include <array>
#include <cstdint>
#include <string_view>

namespace carnot::inline base {

namespace detail {
__extension__ using Uint128 = unsigned __int128;
}

/// One Philox4x32-10 block: counter (4 words) and key (2 words) to 4 random words.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// A named, independent sequence of random numbers with random access.
class RandomStream {
 public:
  /// \param seed    the run's seed
  /// \param stream  which use of randomness this is; streams with different numbers never overlap
  constexpr RandomStream(std::uint64_t seed, std::uint64_t stream) noexcept
      : seed_(seed), stream_(stream) {}
  /// The stream named by text (64-bit FNV-1a of it), such as "init" or "shuffle".
  RandomStream(std::uint64_t seed, std::string_view name) noexcept;

  /// 64 uniform bits at `index`.
  constexpr std::uint64_t bits(std::uint64_t index) const noexcept {
    const auto w =
        philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                    static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                   {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
    return (std::uint64_t{w[1]} << 32) | w[0];
  }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform(std::uint64_t index) const noexcept {
    return static_cast<double>(bits(index) >> 11) * 0x1p-53;
  }
  /// Uniform integer in [0, bound), bound >= 1 (multiply-high; bias < bound / 2^64).
  constexpr std::uint64_t below(std::uint64_t index, std::uint64_t bound) const noexcept {
    return static_cast<std::uint64_t>(
        (static_cast<detail::Uint128>(bits(index)) * static_cast<detail::Uint128>(bound)) >> 64);
  }
  /// Standard normal (inverse of the distribution function; one draw per index).
  double normal(std::uint64_t index) const noexcept;

  /// A stream derived from this one, for a sub-use (a layer, an epoch, a site).
  RandomStream child(std::uint64_t which) const noexcept;

  constexpr std::uint64_t seed() const noexcept { return seed_; }
  constexpr std::uint64_t stream() const noexcept { return stream_; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace carnot::inline base
