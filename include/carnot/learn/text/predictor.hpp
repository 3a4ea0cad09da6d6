// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A learner of bytes that learns while it codes: for each bit of a file a probability, found by
/// mixing what many contexts saw before, then corrected by what the bit was. Whoever has the same
/// bits so far has the same probabilities, so an arithmetic coder can spend -log2 p on each bit and
/// its receiver can follow: the code length is a prequential one and there is no model to send.
///
/// **Contexts**: the last 1 to 6 and 8 bytes, the word so far, the word with the one before it, the
/// bytes before the last, the line's first byte with what stands above, and the place where the
/// last six bytes stood before (match). Each of them keeps, for every node of the tree of the next
/// three bits, a probability, how often it was met, and the last seven bits seen there.
/// **Mixing** (Mahoney 2005, context mixing): with s(p) = ln(p / (1 - p)) the stretched probability
/// of an input, p = 1 / (1 + exp(-sum w s)), and w follows the coding error: w += rate * error * s.
/// Several sets of weights, each chosen by another context, are mixed once more. **Adaptive
/// probability maps** then move p towards what came of such p before.
///
/// All arithmetic is on integers: the same bytes on any machine. Knobs trade joules against bits:
/// which contexts, how large their tables, how many bits a counter and a weight has. A counter or
/// weight of few bits is rounded at random after each change, so that small changes are not lost on
/// average. One thread; not thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {

struct PredictorOptions {
  std::uint32_t contexts = 0xFFF;  ///< bit i: the i-th of `predictor_contexts()`
  int table_bits = 16;    ///< a context's table has 2^table_bits slots of 32 bytes, 8 to 20
  int weight_bits = 20;   ///< of a mixing weight, 4 to 20
  int counter_bits = 16;  ///< of a probability, 6 to 16
};

/// Names of the contexts, in the order of their bits.
const std::vector<std::string>& predictor_contexts();
/// A list of names such as "o1,o2,word", or "all" or "none". \throws InputError naming them all
std::uint32_t parse_contexts(std::string_view list);
std::string context_names(std::uint32_t contexts);
/// Slots that a file of so many bytes needs: 2^result, 12 to 19.
int table_bits_for(std::uint64_t bytes) noexcept;
/// \throws InputError for a knob out of its range
void check(const PredictorOptions& options);
/// Memory that the predictor takes, about.
std::uint64_t predictor_memory(const PredictorOptions& options) noexcept;

class BytePredictor {
 public:
  /// \throws InputError for a knob out of its range
  explicit BytePredictor(const PredictorOptions& options);
  ~BytePredictor();
  BytePredictor(const BytePredictor&) = delete;
  BytePredictor& operator=(const BytePredictor&) = delete;

  /// Chance that the next bit is 1, in 65536ths, 1 to 65535.
  std::uint32_t chance() const noexcept;
  /// Learns the bit.
  void learn(bool bit);

  /// What predicting and learning one byte counts, in closed form. Multiplications of integers of m
  /// and n bits count as ceil(m/8) ceil(n/8) of int8; a slot of a table is a line of 64 bytes read
  /// and written, in DRAM if the tables exceed 1 MiB.
  static Counters counters_of_byte(const PredictorOptions& options) noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace carnot::learn
