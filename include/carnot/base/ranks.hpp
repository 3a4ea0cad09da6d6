// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The processes that work on one thing together, each with its own memory: ranks, as the Message
/// Passing Interface has them (MPI 3.1, 2015). Work is cut by something that does not depend on how
/// many there are; each rank does its part, and what all of them need is a sum of whole numbers,
/// which is the same in whatever order it is taken. So the outcome is the same bytes for any number
/// of ranks:
///
///     Power of each part in units of 2^-32 kW  ->  sum  ->  the same power on every rank
///
/// A real number that one rank alone knows travels as its bits: all others add zero.
///
/// Every rank makes the same calls in the same order. Not thread-safe: one thread of a rank calls.

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carnot::inline base {

class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual int rank() const noexcept = 0;  ///< from 0
  virtual int size() const noexcept = 0;  ///< at least 1
  /// Replaces each number by its sum over all ranks; as many numbers on each. Returns on none
  /// before all have called. Sums wrap around: whoever calls keeps them in 64 bits.
  /// \throws DeviceError if a rank cannot be reached
  virtual void sum(std::span<std::int64_t> numbers) = 0;
  /// Texts of all ranks in their order, at rank 0; none elsewhere. \throws DeviceError
  virtual std::vector<std::string> gather(const std::string& text) = 0;

  /// Whether any rank says so. \throws DeviceError
  bool any(bool mine) {
    std::int64_t said = mine ? 1 : 0;
    sum({&said, 1});
    return said > 0;
  }
};

/// A process by itself.
class OneRank final : public Ranks {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  void sum(std::span<std::int64_t>) override {}
  std::vector<std::string> gather(const std::string& text) override { return {text}; }
};

/// A real number among whole ones that are summed, where one rank says it and all others 0.
constexpr std::int64_t to_bits(double x) noexcept { return std::bit_cast<std::int64_t>(x); }
constexpr double from_bits(std::int64_t x) noexcept { return std::bit_cast<double>(x); }

}  // namespace carnot::inline base
