// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Labels as a message to somebody who has the features: each block of labels is told under
/// learners that were trained on all labels before it, so there is no model to send (Dawid 1984;
/// Blier & Ollivier, arXiv 1802.07044; Bornschein, Li & Hutter, arXiv 2210.07931).
///
/// Rows come in a random order. With n rows and growth g the learners are trained anew at
/// t = n/g, n/g^2, ... down to `first` rows, always on all rows told so far (rehearsal), and those
/// up to the next t are told under the mean of `members` of them.
///
/// *Forward calibration*: the probability of a label is a mixture of experts p^(1/T) / sum p^(1/T)
/// for a range of temperatures T, of the model before the last training, and of the counts of the
/// labels so far. The weights follow Bayes after each label, with a small share handed round so
/// that they may change (fixed share: Herbster & Warmuth 1998). They are learned from labels that
/// were told already, so the receiver has them too.
///
/// The receiver does the same in the same order and has the labels back; it needs the learners'
/// arithmetic to the last bit, so the same program on the same kind of processor, or integers.
///
/// Functions of their arguments; safe from any thread.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

namespace carnot::learn {

struct PrequentialOptions {
  LearnerOptions learner;  ///< model, hidden, threads, ...; batch, epochs and rate of 0: as fits
                           ///< the rows there are (defaults.hpp)
  TreeOptions tree;
  Precision precision = Precision::parse("f32");
  std::size_t first = 64;  ///< rows before the first training, >= 2
  double growth = 1.5;     ///< of the rows from one training to the next, > 1
  int members = 2;         ///< learners whose mean tells a block, 1 to 64
  /// Square images of pixels: beside each row stands one moved by a pixel in a random direction.
  bool shifts = false;
  std::uint64_t seed = 1;  ///< of the order of the rows and of the learners
  std::function<void(std::size_t told, std::size_t rows)> progress;  ///< may be empty
  StopToken stop;
};

/// One block of labels.
struct PrequentialBlock {
  std::size_t first = 0, rows = 0;  ///< rows told before; rows of this block
  double bits = 0.0;                ///< that its labels took
  double counts_bits = 0.0;         ///< under the counts alone
  double temperature = 1.0;         ///< the likeliest expert's at its end; 0: the counts
  Counters counters;                ///< of training for it and telling it
};

struct PrequentialCode {
  double bits = 0.0;     ///< sum over the blocks
  double uniform = 0.0;  ///< under the counts alone
  std::vector<PrequentialBlock> blocks;
  Counters counters;
  std::vector<std::uint8_t> message;
};

/// \throws InputError for regression, one row, options out of range; Stopped
PrequentialCode prequential_encode(const Dataset& data, const PrequentialOptions& options);

/// The labels of the rows, from their features and the message alone.
/// \param inputs  labels are not read
/// \throws InputError as encoding does; a message of other labels or options gives other labels
std::vector<std::uint32_t> prequential_decode(const Dataset& inputs,
                                              std::span<const std::uint8_t> message,
                                              const PrequentialOptions& options);

}  // namespace carnot::learn
