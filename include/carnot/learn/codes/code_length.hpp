// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Learning as compression: how many bits describe the labels with and without a trained model, and
/// the learning cycle on the temperature-entropy plane.
///
///   uniform     labels without a model of the rows: the adaptive Krichevsky-Trofimov code of their
///               counts, about n H(frequencies), at most n log2 C + (C - 1)/2 log2 n, so that
///               knowing which label is frequent counts as nothing learned (regression: below)
///   data        -sum log2 p(y_i | x_i, S) under the trained, quantised model S
///   model       K(S): architecture + per-row scales + integers under an adaptive
///               Krichevsky-Trofimov arithmetic code (ideal length; arithmetic_coder.hpp writes it)
///   model_raw   the coefficients as training keeps them, before rounding
///   two_part    model + data
///   prequential from the learner's first pass (see learner.hpp)
///   learned_net uniform - two_part (may be negative: then nothing was learned, and we say so)
///
/// Regression: standardised targets are stated to 2^-8 of a standard deviation, so that a label
/// costs log2(sqrt(2 pi e)) + 8 bits under the prior N(0, 1) and log2(sqrt(2 pi e mse)) + 8 under a
/// Gaussian around the prediction, whose variance costs 32 bits more in the model.
///
/// Cycle (B = bits learned gross, E = joules): effective temperature T_eff = (dE/dB) / (k_B ln 2),
/// so that the area under T over S on the (remaining bits, T_eff) plane times k_B ln 2 is E
/// exactly; efficiency = k_B T0 ln 2 B / E. S is what the labels still need once the memory is
/// used. Legs: ingest (S rises from 0 to `uniform` as data is read), learn (S falls), consolidate
/// (model bits fall from model_raw to model as coefficients are rounded), reset (S falls to 0: the
/// labels are erased, which a memory holding the model can do for k_B T0 ln 2 per bit it cannot
/// predict). Sources: Rissanen 1978; Grünwald 2007; Blier & Ollivier, arXiv 1802.07044; Landauer
/// 1961; Kolchinsky & Wolpert 2020 (thermodynamic cost of computing, for the reset).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

struct CodeLengths {
  double uniform = 0, data = 0, model = 0, two_part = 0, prequential = 0, learned_net = 0;
  double model_raw = 0;
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
/// What a receiver of that model has: the same shapes, coefficients rounded.
std::vector<std::vector<float>> rounded(const std::vector<std::vector<float>>& parameters,
                                        const std::vector<std::size_t>& rows, int bits);

/// Rows of each entry of `parameters` of a fully connected network: an entry is a layer's matrix
/// with or without a column of biases, or a vector of biases (one row). An entry that fits no such
/// chain counts as one row. \param inputs, outputs  width of the first and of the last layer
std::vector<std::size_t> parameter_rows(const std::vector<std::vector<float>>& parameters,
                                        std::size_t inputs, std::size_t outputs);

/// Labels without a model: the code of their counts, or the Gaussian code of standardised targets.
double uniform_length(const Dataset& data);
/// Labels under a model of this quality on these very rows.
double data_length(const Dataset& data, const Quality& quality);

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
  std::vector<CycleLeg> legs;  ///< energies sum to `total`
  Energy total;                ///< ingest + training + consolidate + reset
  double bits_learned = 0.0;   ///< B, gross: first minus least of the data code; >= 0
  double efficiency = 0.0;     ///< k_B T0 ln 2 B / total
  struct Point {
    double remaining_bits;
    Temperature temperature;
  };
  /// Of the learn leg, for the T-S diagram: two points a step (T is constant between losses seen),
  /// S falling. The trapezoid rule over it gives the leg's energy exactly. Empty if nothing was
  /// learned.
  std::vector<Point> curve;
};

/// \param loss_bits    data code length (bits) at points of training, first = before training
/// \param energy       joules of training spent up to each point, non-decreasing, same shape.
/// Joules
///                     that set no new least `loss_bits` count towards the next that does (the last
///                     ones towards the last), so the curve falls and no joule is lost
/// \param ambient      T0
/// \param consolidate  joules of rounding the final model
/// \throws InputError unless shapes agree, there are two points or more, energies do not fall
LearningCycle learning_cycle(const CodeLengths& lengths, std::span<const double> loss_bits,
                             std::span<const Energy> energy, Energy ingest, Temperature ambient,
                             Energy consolidate = {});

}  // namespace carnot::learn
