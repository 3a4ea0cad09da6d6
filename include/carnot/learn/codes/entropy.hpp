// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Estimators of entropy with their standard errors, in bits. Pure functions; thread-safe.
///
/// How many bits a table holds bounds what can be learned from it and how coarsely its columns may
/// be stored: a column of m values loses nothing at log2 m bits, one of 14 bits loses at each bit
/// that is taken away.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carnot::learn {

struct EntropyEstimate {
  double bits = 0.0;
  double error = 0.0;  ///< standard error, bits
};

/// Entropy of a discrete source from the counts of its symbols, after P. Grassberger (Entropy
/// estimates from insufficient samplings, arXiv physics/0307138, 2003): log N - (1/N) sum n G(n),
/// G(n) = psi(n) + (-1)^n / 2 (psi((n + 1) / 2) - psi(n / 2)). The plug-in estimate is too low by
/// about the symbols met over 2 N ln 2; this one by what the symbols that were never met hold. The
/// error is that of a mean of -log2 p. One symbol alone holds nothing.
/// \throws InputError if all counts are 0
EntropyEstimate discrete_entropy(std::span<const std::uint64_t> counts);

/// The same, of values as they stand in a column: equal values are one symbol.
EntropyEstimate column_entropy(std::span<const float> values);

/// Differential entropy of a density from the distance of each point to its k-th nearest neighbour
/// (L. Kozachenko, N. Leonenko 1987): psi(N) - psi(k) + ln c_d + (d / N) sum ln eps_i, c_d the
/// volume of the unit ball. Relative to cells of side s it is this minus d log2 s. Compares all
/// pairs: N^2 d operations.
/// \param points  [rows x dims], row-major, finite; equal points leave it at minus infinity
/// \throws InputError unless rows > k >= 1 and dims >= 1
EntropyEstimate nearest_neighbour_entropy(std::span<const double> points, std::size_t dims,
                                          std::size_t k = 4);

/// What an adaptive coder that starts from nothing spends on a string of symbols, bits: the
/// estimator of R. Krichevsky and V. Trofimov (1981) over a known alphabet. Never below the
/// symbols' empirical entropy times their number, so a bound from above.
/// \throws InputError for a symbol outside the alphabet
double coded_length(std::span<const std::uint32_t> symbols, std::uint32_t alphabet);

}  // namespace carnot::learn
