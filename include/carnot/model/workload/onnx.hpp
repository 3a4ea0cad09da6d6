// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// ONNX models as workloads. The file is mapped and only its structure is looked at: weights are
/// neither read nor needed, so that a model of any size takes milliseconds, and external data may
/// be absent. Shapes are inferred in one pass over the nodes; small integer arrays are computed
/// along. Functions of the model are expanded; Loop and Scan bodies are counted times their trips;
/// of an If the branch taken, or where that depends on data, the one with more work.
///
/// What is counted is what runs at each inference: nodes that depend on constants alone run when a
/// model is loaded and are left out; views (Reshape, Squeeze ...) cost nothing.
///
/// Parameters are the stored tensors of rank 1 and more that are used, in floating point or in 8
/// bits and fewer (4-bit weights packed in bytes count each); a batch norm that was folded into a
/// convolution is gone from the file and from the count.
///
/// Hostile bytes end in an InputError or in a count: nesting, lengths, dims, expansions are
/// bounded. The standard: github.com/onnx/onnx, IR version 14, operator sets to 26, and those of
/// com.microsoft that exporters of transformers and quantisers write. Functions are thread-safe.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

struct OnnxOptions {
  /// Values of dimensions that the file leaves open: by their name there ("batch"), or, for those
  /// without one and to override a fixed one, by "input.axis" ("pixels.0").
  std::map<std::string, std::int64_t> dimensions;
  /// Trips of loops whose count depends on data, by the name of the Loop node.
  std::map<std::string, std::uint64_t> trips;
  /// Nodes evaluated after functions and loops are expanded; more are refused.
  std::uint64_t most_nodes = 1'000'000;
};

/// \throws InputFileError if the file cannot be read
/// \throws InputError `file: byte N: field: what is allowed`; for an open dimension without a value
///         it names all of them; for an option that no dimension has, the nearest
Workload read_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// The same for bytes in memory. \param folder  where external data lies; empty: nowhere
Workload parse_onnx(std::string_view bytes, const std::string& file,
                    const OnnxOptions& options = {}, const std::filesystem::path& folder = {});

}  // namespace carnot::model
