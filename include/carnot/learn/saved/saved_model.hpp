// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A trained model in one file: what it is, how columns became its features, its coefficients or
/// trees under an entropy code, a checksum. The format is docs/formats/model.md.
///
/// Reading trusts nothing: every length is held against what is left, what a message may unpack to
/// against its size, every index against its range, before use. Prediction goes the plain way
/// (model_forward.hpp, tree_model.hpp), the decoder's, and is counted.
///
/// Values; safe to read from many threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/data/encoding.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::learn {

struct SavedModel {
  std::string learner;     ///< "mlp", "softmax", "logistic", "linear", "gbdt", "forest", "cnn",
                           ///< "transformer"
  std::string precision;   ///< it was trained in, as asked
  std::string trained_on;  ///< where the data came from
  std::uint64_t train_rows = 0;
  int width = 32;                                 ///< bits of a coefficient or leaf in the file
  Dataset shape;                                  ///< no rows: columns, classes, names, target
  std::shared_ptr<const TableEncoding> encoding;  ///< null: images
  std::vector<std::vector<float>> parameters;     ///< of a network, as Learner::parameters
  TreeModel trees;                                ///< of gbdt and forest
  TransformerOptions transformer;                 ///< of a transformer
  ConvolutionOptions convolution;                 ///< of a cnn
  Quality quality;                                ///< on held-out rows, when it was trained

  bool is_text() const noexcept { return learner == "transformer"; }
  bool is_convolution() const noexcept { return learner == "cnn"; }
  bool is_trees() const noexcept { return learner == "gbdt" || learner == "forest"; }
};

/// What to save of a learner.
/// \param width  bits: 2 to 12, 32, or of networks 16 too. What is saved is rounded to them
/// \throws InputError for another width
SavedModel saved_model(const Learner& learner, const LearnerOptions& options, const Dataset& train,
                       int width);

/// The file's bytes; the same for the same model.
std::vector<std::uint8_t> pack_model(const SavedModel& model);
/// \throws InputError saying what is wrong: not a model, another version, damaged
SavedModel unpack_model(std::span<const std::uint8_t> bytes);
/// \throws IoError
void save_model(const SavedModel& model, const std::string& path);
/// \throws InputFileError, InputError
SavedModel load_model(const std::string& path);

struct Predictions {
  std::vector<float> values;    ///< [rows x classes] probabilities, or [rows] predictions in the
                                ///< target's own unit (float; see `targets`)
  std::vector<double> targets;  ///< regression: the same in binary64
  std::vector<std::uint32_t> classes;  ///< the likeliest; empty for regression
  Counters counters;
};

/// Of tables and images; texts are scored by score_text (transformer.hpp).
/// \throws InputError unless the data has the model's columns
Predictions predict(const SavedModel& model, const Dataset& data);

/// Rows of the file as the model wants them. \param labels  of images: their file, or empty
/// \throws InputFileError, InputError
EncodedTable read_for(const SavedModel& model, const std::string& path, const std::string& labels);

/// Quality on those rows that have a label. `trials` is 0 where none has.
Quality quality_of(const Predictions& predictions, const EncodedTable& table);

}  // namespace carnot::learn
