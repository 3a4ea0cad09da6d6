// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Learning from a table that does not fit into memory: it streams from disk, piece by piece, and
/// what is resident is one piece, one block of rows and the model.
///
/// *First look*: the head of the file says what the columns are, how numbers are written and which
/// levels and classes there are (encoding.hpp). *First pass*: mean and spread of every number over
/// the training rows (Welford 1962), the number of rows. *Training*: blocks of `block_rows` rows in
/// the order of the file, each shuffled by itself, pass after pass without a gap between them: a
/// minibatch gradient step at a time on the schedule of the whole training (learner.hpp, f32, plain
/// descent). Blocks are counted in rows, so pieces of any size give the same model, to the bit, and
/// so do the same rows handed over in memory.
///
/// Held out is each row with a chance of `test_share`, or what makes `most_held_out` rows; they are
/// kept. A file in order of its classes cannot be learned from in blocks and is refused: shuffle
/// it.
///
/// *Checkpoint*: everything needed to go on exactly, every few blocks.
/// A stopped training leaves one.
/// Functions of their arguments and files; one thread each.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/learn/saved/saved_model.hpp"

namespace carnot::learn {

struct StreamOptions {
  LearnerOptions learner;  ///< linear, logistic, softmax or mlp; sgd without momentum
  DatasetOptions data;     ///< path, labels, task, test_share, seed, header, missing, categories
  std::size_t piece_bytes = std::size_t{16} << 20;  ///< of text read at once
  std::size_t block_rows = 8192;                    ///< made a multiple of the batch
  std::size_t most_held_out = 20000;
  std::string checkpoint;              ///< file; empty: none. One that is there is gone on from
  std::size_t checkpoint_blocks = 64;  ///< from one to the next
  std::function<void(std::uint64_t rows, std::uint64_t of)>
      progress;  ///< of training; 0: not known
  StopToken stop;
};

struct StreamResult {
  SavedModel model;
  Quality quality;    ///< on the rows held out
  Counters counters;  ///< of training and judging
  std::uint64_t train_rows = 0, held_out_rows = 0, unlabelled_rows = 0;
  std::uint64_t blocks = 0, steps = 0;
  std::uint64_t trained_rows = 0;  ///< over all passes
  bool resumed = false;            ///< went on from a checkpoint
};

/// Whether the file is a delimited table that is larger than that share of the machine's memory.
bool too_large_for_memory(const std::string& path, double share);

/// \throws InputError for a file that is no delimited table, options out of range, a checkpoint of
///         another training; InputFileError; IoError; Stopped, after a checkpoint where one is
///         wanted
StreamResult learn_stream(const StreamOptions& options);

/// The coefficients after the same blocks and steps on rows in memory, all of them trained on.
/// \throws InputError as learn_stream
std::vector<std::vector<float>> learn_in_blocks(const LearnerOptions& learner, const Dataset& rows,
                                                std::size_t block_rows);

}  // namespace carnot::learn
