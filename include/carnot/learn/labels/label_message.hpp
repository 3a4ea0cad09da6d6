// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A code of labels as a file that stands alone: who has it and the inputs has the labels, to the
/// bit. Beside the message of two_part.hpp or prequential.hpp it holds what its receiver must know:
/// how columns become features, the names of classes, and of a prequential code the learner, so
/// that it can be trained again. That side information is counted apart from the code.
///
/// All rows of the inputs are coded, in their order; a column of labels, where one is still there,
/// is not looked at. The format is docs/formats/label-codes.md.
///
/// Reading trusts nothing: lengths, ranges and checksum are held before anything is trained, and
/// the labels against a checksum of theirs. Values; safe from any thread.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/labels/prequential.hpp"
#include "carnot/learn/labels/two_part.hpp"
#include "carnot/learn/saved/saved_model.hpp"

namespace carnot::learn {

struct LabelMessage {
  bool two_part = true;
  SavedModel shape;  ///< encoding, columns and classes; of no use as a model
  PrequentialOptions
      options;  ///< of a prequential code; progress, stop and threads are the caller's
  std::uint64_t rows = 0;
  std::uint32_t labels_checksum = 0;  ///< CRC-32 of the labels as 32-bit numbers
  std::vector<std::uint8_t> code;
};

/// Whether the bytes begin as a file of coded labels does.
bool is_label_message(std::span<const std::uint8_t> bytes) noexcept;

/// What sender and receiver read rows with: read_for(shape, path, {}) gives all of a file.
/// \param data  rows of it, with their encoding
SavedModel shape_of(const Dataset& data);

/// \param data  the rows that were coded, with their labels  \param code  of them
LabelMessage label_message(const SavedModel& shape, const Dataset& data,
                           const std::vector<std::uint8_t>& code, bool two_part,
                           const PrequentialOptions& options);

std::vector<std::uint8_t> pack_labels(const LabelMessage& message);
/// \throws InputError saying what is wrong: not such a file, another version, damaged, out of range
LabelMessage unpack_labels(std::span<const std::uint8_t> bytes);

/// The labels of the rows.
/// \param inputs  labels are not read
/// \throws InputError for other inputs, or a damaged code; Stopped
std::vector<std::uint32_t> decode_labels(const LabelMessage& message, const Dataset& inputs,
                                         const StopToken& stop = {}, int threads = 1);

/// A line for each label: the word that tables have for it, or the name of its class.
std::string label_lines(const LabelMessage& message, const std::vector<std::uint32_t>& labels);

}  // namespace carnot::learn
