// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of an exported graph: what stands before a model, and models of trees.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/learn/saved/saved_model.hpp"

#include "learn/saved/onnx_writer.hpp"

namespace carnot::learn {

/// The columns of a table as the two inputs of a graph: `numbers` [rows x n] in binary64, missing
/// ones not a number, and `categories` [rows x m], texts. Each is left out where there are none.
struct OnnxColumns {
  std::vector<std::size_t> numbers, categories;  ///< columns of the encoding
};
OnnxColumns onnx_inputs(OnnxWriter& out, const SavedModel& model);

/// Column `i` of the categories, a text a row. \return its value's name
std::string onnx_category(OnnxWriter& out, std::size_t i);

/// Standardised numbers [rows x n], binary32. \param fill  missing ones become 0, else not a number
std::string onnx_numbers(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns,
                         bool fill);

/// Scores of the model's trees, [rows x outputs], from its inputs on.
std::string onnx_tree_scores(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns);

}  // namespace carnot::learn
