// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Numbers of jobs and of sites. Each is a type of its own that carries its own "none", so that a
/// job's number is not taken for a site's. Values; thread-safe.

#include <concepts>
#include <cstdint>

namespace carnot::control {

/// A number from 0 on, below 2^32 - 1, or none.
template <class Tag>
class Index {
 public:
  constexpr Index() = default;  ///< 0
  template <std::integral I>
  constexpr Index(I number) noexcept : number_(static_cast<std::uint32_t>(number)) {}  // NOLINT
  template <class Other>
  Index(Index<Other>) = delete;  // a job is no site
  static constexpr Index none() noexcept { return Index(std::uint32_t{0xffffffff}); }
  constexpr operator std::uint32_t() const noexcept { return number_; }  // NOLINT: indexes arrays
  constexpr Index& operator++() noexcept {
    ++number_;
    return *this;
  }
  friend constexpr bool operator==(Index a, Index b) noexcept { return a.number_ == b.number_; }
  template <class Other>
  friend bool operator==(Index, Index<Other>) = delete;
  template <std::integral I>
  friend constexpr bool operator==(Index a, I b) noexcept {
    return a == Index(b);
  }

 private:
  std::uint32_t number_ = 0;
};

using JobIndex = Index<struct JobTag>;    ///< by arrival
using SiteIndex = Index<struct SiteTag>;  ///< as the fleet lists them

}  // namespace carnot::control
