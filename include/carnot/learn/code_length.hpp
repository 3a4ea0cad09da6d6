// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Learning as compression: how many bits describe the labels with and without a trained model, and
/// the learning cycle on the temperature-entropy plane.
///
///   uniform    n log2 C                        (regression: n bits of the prior Gaussian code,
///   stated) data       -sum log2 p(y_i | x_i, S)       under the trained, quantised model S model
///   K(S): architecture + per-row scales + integers under an adaptive
///              Krichevsky-Trofimov arithmetic code (ideal length)
///   two_part   model + data
///   prequential  from the learner's first pass (see learner.hpp)
///   learned_net  uniform - two_part (may be negative: then nothing was learned, and we say so)
///
/// Cycle (B = bits learned gross, E = joules): effective temperature T_eff = (dE/dB) / (k_B ln 2),
/// so that the area under T over S on the (remaining bits, T_eff) plane times k_B ln 2 is E
/// exactly; efficiency = k_B T0 ln 2 B / E. Legs: ingest (S rises as data is read), learn (S
/// falls), consolidate (model bits fall as coefficients are rounded), reset (state erased, priced
/// by Landauer). Sources: Rissanen 1978; Grünwald 2007; Blier & Ollivier, arXiv 1802.07044;
/// Landauer 1961.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/learn/dataset.hpp"
#include "carnot/learn/learner.hpp"

namespace carnot::learn {

struct CodeLengths {
  double uniform = 0, data = 0, model = 0, two_part = 0, prequential = 0, learned_net = 0;
};

/// Ideal length in bits of the adaptive KT code for symbols in [0, alphabet):
/// log2 G(N + K/2)/G(K/2) - sum_i log2 G(c_i + 1/2)/G(1/2).
double kt_code_length(std::span<const std::uint64_t> counts);
/// Length of a universal code for an integer n >= 1 (Elias delta).
double universal_integer_length(std::uint64_t n);

/// Bits of `parameters` (rows of each layer share a scale) rounded to `bits` signed bits.
/// \param rows  rows of each layer's matrix
double model_length(const std::vector<std::vector<float>>& parameters,
                    const std::vector<std::size_t>& rows, int bits);

/// \param evaluation_on_train  quality on the training rows (its bits_per_label is the data code)
CodeLengths code_lengths(const Learner& learner, const Dataset& train,
                         const Quality& evaluation_on_train, int model_bits);

/// One corner-to-corner leg of the cycle.
struct CycleLeg {
  std::string leg;  ///< "ingest" | "learn" | "consolidate" | "reset"
  double entropy_bits_from = 0, entropy_bits_to = 0;
  Energy energy;
  Temperature temperature;  ///< effective, mean over the leg; zero where no bits move
};

struct LearningCycle {
  std::vector<CycleLeg> legs;  ///< energies sum to the total (1e-9)
  double efficiency = 0.0;     ///< k_B T0 ln 2 B / E
  struct Point {
    double remaining_bits;
    Temperature temperature;
  };
  std::vector<Point> curve;  ///< of the learn leg, for the T-S diagram
};

/// \param loss_bits   data code length (bits) at points of training, first = before training
/// \param energy      joules spent up to each point, non-decreasing, same shape
/// \param ambient     T0
LearningCycle learning_cycle(const CodeLengths& lengths, std::span<const double> loss_bits,
                             std::span<const Energy> energy, Energy ingest, Temperature ambient);

}  // namespace carnot::learn
