// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a map of states costs at least, given what is put in and what it was built for.
///
///     flow / (k_B T ln 2) = S(p) - S(Pp) + mismatch          bits, entropies base 2
///     mismatch            = D(p || q) - D(Pp || Pq) >= 0
///
/// P: the map, P(y | x). p: distribution of the states put in. q: the one the machine was built
/// for, at which it dissipates nothing beyond the drop of entropy. Kolchinsky & Wolpert, J. Stat.
/// Mech. 2017 083202; Wolpert, J. Phys. A 52 (2019) 193001. Mismatch is not negative, by the
/// data-processing inequality. Landauer's k_B T ln 2 is P = erase, p = q uniform. A map that adds
/// entropy has a negative first part: heat flows in.
///
/// What K(x) means here: a realisation that knows which states are likely keeps the flow of x down
/// to K(x | f(x)) k_B T ln 2 (Kolchinsky & Wolpert, Phys. Rev. Research 2 (2020) 033312);
/// K is not computable, code lengths of real coders stand above it. `kolmogorov_work` is the work
/// that data may give when what was learned shortens them: (before - after) k_B T ln 2, negative
/// where they grew. Erasing the code that is left takes after x k_B T ln 2.
///
/// Pure functions, thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::model {

struct StateMap {
  std::string name;
  std::size_t inputs = 0, outputs = 0;
  std::vector<double> probability;  ///< [output + outputs x input]; of each input they sum to 1
};

/// "erase", "not", "copy" (b, b), "and", "or", "xor", "nand", "half_adder", "identity" (2 states),
/// "randomise" (any bit to a fair one).
/// \throws InputError with the nearest name
StateMap named_map(std::string_view name);
std::vector<std::string> map_names();

struct MapCost {
  double input_bits = 0, output_bits = 0;   ///< S(p), S(Pp)
  double drop_bits = 0, mismatch_bits = 0;  ///< their sum is the flow
  double flow_bits = 0;
  Energy drop, mismatch, flow;  ///< x k_B T ln 2
};
/// \param input   p; empty: uniform. \param design  q; empty: p, no mismatch
/// \throws InputError unless both are distributions over the inputs, and p only where q is
MapCost map_cost(const StateMap& map, const std::vector<double>& input,
                 const std::vector<double>& design, Temperature temperature);

Energy kolmogorov_work(Information before, Information after, Temperature temperature);

/// What training must dissipate at least in quasi-static analogue networks, 2 N D k_B T, N
/// parameters and D samples or tokens (Tkachenko, arXiv 2503.09980). \throws InputError for what
/// is negative
Energy training_bound(double parameters, double samples, Temperature temperature);

}  // namespace carnot::model
