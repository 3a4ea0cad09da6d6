// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A mixture of predictions of one label whose weights follow what came (see prequential.hpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carnot::learn {

class LabelExperts {
 public:
  explicit LabelExperts(std::size_t classes);

  /// \param present, before  [classes] of the models there are; empty: none yet
  /// \return the mixture, [classes], positive
  std::span<const float> mix(std::span<const float> present, std::span<const float> before);
  void learn(std::uint32_t label);

  /// Of the weightiest expert; 0: the counts.
  double temperature() const noexcept;
  /// Bits of the label under the counts alone, before it is learned.
  double counts_bits(std::uint32_t label) const;

 private:
  std::size_t classes_;
  std::vector<double> counts_, weights_;
  std::vector<double> said_;  ///< [experts x classes]
  std::vector<float> mixture_;
};

}  // namespace carnot::learn
