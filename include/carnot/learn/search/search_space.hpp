// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a search over hyperparameters may turn, and how far: a box of knobs, each mapped onto [0,
/// 1]. A point u of the unit cube stands for the values
///   linear       low + u (high - low)
///   logarithmic  low (high / low)^u
///   choice       the floor(u n)-th of n values, the cheap ones first
/// rounded where the knob is whole. Of knobs that cost joules 0 is the cheap end, so that the
/// corner `start` is the cheapest configuration there is (Wu, Wang & Huang, AAAI 2021, start
/// there); knobs that cost nothing, such as a rate, start where their default is. Values; safe to
/// read from many threads.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::learn {

struct SearchKnob {
  enum class Scale : std::uint8_t { Linear, Logarithmic, Choice };
  std::string name;
  Scale scale = Scale::Linear;
  double low = 0.0, high = 1.0;  ///< of a number, low < high; logarithmic: low > 0
  bool whole = false;            ///< rounded to a whole number
  std::vector<double> choices;   ///< of a choice, at least one
  double start = 0.0;            ///< in [0, 1]: where the search begins

  double value(double unit) const noexcept;  ///< \param unit  clipped to [0, 1]
  bool operator==(const SearchKnob&) const = default;
};

struct SearchSpace {
  std::vector<SearchKnob> knobs;

  std::size_t dimensions() const noexcept { return knobs.size(); }
  std::vector<double> start() const;  ///< of every knob
  /// What the knobs stand at. \param unit  shape [dimensions]
  std::vector<double> values(const std::vector<double>& unit) const;
  /// "hidden 16, epochs 2.5, bits 8"
  std::string text(const std::vector<double>& values) const;
  bool operator==(const SearchSpace&) const = default;
};

/// Ranges where nobody says otherwise, of the learner's knobs:
///   mlp                        hidden, epochs, batch, learning_rate, bits
///   linear, logistic, softmax  epochs, batch, learning_rate, bits
///   gbdt                       trees, leaves, learning_rate, l2, bins, bits
///   forest                     trees, leaves, bins, feature_share
///   cnn                        channels (of the first convolution), hidden, epochs, batch,
///                              learning_rate, bits
/// \param learning_rate  about which the range of a network's lies: a tenth of it to three times
/// \throws InputError for another learner
SearchSpace default_search_space(std::string_view model, double learning_rate);

/// Ranges of a TOML file in place of those in `space`: a table for each knob with `low`, `high` and
/// `scale` ("log" or "linear"), or `choices`, or one `value`. docs/formats/search.md.
/// \param name  of the file, for messages
/// \throws InputError `file:line: knob: allowed`
SearchSpace read_search_space(const std::string& text, const std::string& name, SearchSpace space);

}  // namespace carnot::learn
