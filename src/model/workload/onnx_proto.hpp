// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An ONNX model as views into the bytes of its file: names, shapes and attributes are read, the
/// values of tensors are only located. Field numbers from the ONNX standard, `onnx.proto`, IR
/// version 14.

#include <cstdint>
#include <string_view>
#include <vector>

#include "carnot/model/workload/operator.hpp"

#include "model/workload/wire.hpp"

namespace carnot::model {

struct OnnxTensor {
  std::string_view name;
  std::vector<std::int64_t> dims;  ///< each 0 ... 2^31 - 1
  std::int64_t type = 0;           ///< as in the standard
  std::string_view raw;
  std::string_view floats, ints, longs, doubles, unsigneds;  ///< packed; of the last such field
  std::vector<double> loose;  ///< values given one by one, the first of them
  bool external = false;
  std::string_view location;
  std::uint64_t external_offset = 0;
  std::uint64_t elements = 0;
};

struct OnnxDimension {
  std::int64_t value = -1;     ///< -1: not given
  std::string_view parameter;  ///< such as "batch"
};

struct OnnxValueInfo {
  std::string_view name;
  std::int64_t type = 0;
  bool tensor = false;  ///< else a sequence, map or optional
  bool ranked = false;
  std::vector<OnnxDimension> dims;
};

struct OnnxGraph;

struct OnnxAttribute {
  std::string_view name, reference;
  std::int64_t i = 0;
  float f = 0;
  std::string_view s;
  std::vector<std::int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string_view> strings;
  std::vector<OnnxTensor> tensors;  ///< of `t` too
  std::vector<OnnxGraph> graphs;    ///< of `g` too
};

struct OnnxNode {
  std::string_view name, type, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
  std::uint64_t offset = 0;  ///< in the file
};

struct OnnxGraph {
  std::string_view name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValueInfo> inputs, outputs, values;
};

struct OnnxFunction {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<OnnxAttribute> attributes;  ///< with defaults
  std::vector<OnnxNode> nodes;
  std::vector<OnnxValueInfo> values;
};

struct OnnxModel {
  std::string_view producer;
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;  ///< of the standard domain
  OnnxGraph graph;
  std::vector<OnnxFunction> functions;
};

/// \throws InputError with file, byte and field
OnnxModel decode_onnx(const WireSource& source);

DataType onnx_data_type(std::int64_t type) noexcept;

/// The first `limit` values of a tensor that lie in the file itself; fewer if it holds fewer, none
/// for strings and complex numbers.
std::vector<double> onnx_tensor_values(const OnnxTensor& tensor, std::string_view raw,
                                       std::size_t limit);

}  // namespace carnot::model
