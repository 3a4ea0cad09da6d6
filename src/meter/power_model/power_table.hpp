// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The fitted table behind power_model.cpp: a Gaussian process with a linear and a Matern-3/2 part
/// on a few centres, as tools/fit_power_model writes it. docs/power-model.md has the formulas.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace carnot::meter {

/// data/power_model.csv as it was at build time.
extern const char* const kEmbeddedPowerModel;

inline constexpr std::size_t kFacts = 7;   ///< tdp, chips, cores, threads, memory, year, AMD
inline constexpr std::size_t kLoads = 11;  ///< idle, 10 ... 100 %

/// What is known about a server, as the model wants it: logarithms of tdp in W, of counts and of
/// GB, (year - 2013) / 5, and 1 for AMD or 0.
using Facts = std::array<std::optional<double>, kFacts>;

/// Log power of W: mean and standard deviation, and how many deviations below and above bound 90 %.
struct LogPower {
  double mean = 0, deviation = 0, below = 0, above = 0;
};

/// Of one host at each load, and at a load that is not known (index kLoads).
using LogPowers = std::array<LogPower, kLoads + 1>;

class PowerTable {
 public:
  /// \throws InputError if the text is no such table
  explicit PowerTable(std::string_view text);
  static const PowerTable& embedded();

  /// \param share  log of the CPUs of a guest, whose part of the host's power is wanted: its CPUs
  ///               over the host's threads, at most 1; empty: the whole host's power
  LogPowers predict(Facts facts, std::optional<double> share = {}) const;

 private:
  using Vector = std::array<double, kFacts>;
  struct Load {
    double mean, scale, residual;
  };
  struct Centre {
    double share;
    Vector at;     // standardised features
    Vector facts;  // the same in facts
    std::array<double, kLoads> weight;
  };
  struct Candidate {
    double weight;
    Vector facts;
  };
  struct Value {
    std::array<double, kLoads> log_power;
    double novelty;  // squared distance from the nearest centre
    double threads;  // log, after facts made up were held to the range seen
  };
  Value at(const Vector& facts, const std::array<bool, kFacts>& made_up) const;
  std::vector<Candidate> candidates(const Facts& facts) const;

  Vector mean_{}, sd_{}, low_{}, high_{}, length_{};
  std::array<Vector, kFacts> covariance_{};
  std::array<Load, kLoads> load_{};
  std::array<std::array<double, kLoads>, kFacts + 1> linear_{};
  std::vector<Centre> centres_;
  std::vector<std::array<double, 4>> bounds_;  // by set of missing facts: known load, unknown load
};

}  // namespace carnot::meter
