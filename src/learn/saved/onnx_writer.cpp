// SPDX-License-Identifier: Apache-2.0
#include "learn/saved/onnx_writer.hpp"

#include <bit>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"

namespace carnot::learn {

namespace {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

ProtocolBuffer value_info(std::string_view name, OnnxType type,
                          const std::vector<OnnxWriter::Dimension>& sizes) {
  ProtocolBuffer shape;
  for (const OnnxWriter::Dimension& d : sizes) {
    ProtocolBuffer one;
    if (d.value >= 0)
      one.integer(1, d.value);
    else
      one.text(2, d.name);
    shape.message(1, one);
  }
  ProtocolBuffer tensor, of_type, all;
  tensor.integer(1, static_cast<std::int64_t>(type));
  tensor.message(2, shape);
  of_type.message(1, tensor);
  all.text(1, name);
  all.message(2, of_type);
  return all;
}

ProtocolBuffer opset(std::string_view domain, std::int64_t version) {
  ProtocolBuffer all;
  all.text(1, domain);
  all.integer(2, version);
  return all;
}

constexpr std::int64_t kIrVersion = 8, kOpset = 17, kMlOpset = 3;
enum AttributeType {
  kReal = 1,
  kInteger = 2,
  kString = 3,
  kReals = 6,
  kIntegers = 7,
  kStrings = 8
};

}  // namespace

void OnnxAttributes::add(std::string_view name, const ProtocolBuffer& value, int type) {
  ProtocolBuffer one;
  one.text(1, name);
  one.append(value);
  one.integer(20, type);
  fields_.message(5, one);
}

OnnxAttributes& OnnxAttributes::integer(std::string_view name, std::int64_t value) {
  ProtocolBuffer v;
  v.integer(3, value);
  add(name, v, kInteger);
  return *this;
}
OnnxAttributes& OnnxAttributes::real(std::string_view name, float value) {
  ProtocolBuffer v;
  v.real32(2, value);
  add(name, v, kReal);
  return *this;
}
OnnxAttributes& OnnxAttributes::text(std::string_view name, std::string_view value) {
  ProtocolBuffer v;
  v.text(4, value);
  add(name, v, kString);
  return *this;
}
OnnxAttributes& OnnxAttributes::integers(std::string_view name,
                                         const std::vector<std::int64_t>& values) {
  ProtocolBuffer v;
  for (const std::int64_t x : values) v.integer(8, x);
  add(name, v, kIntegers);
  return *this;
}
OnnxAttributes& OnnxAttributes::reals(std::string_view name, const std::vector<float>& values) {
  ProtocolBuffer v;
  for (const float x : values) v.real32(7, x);
  add(name, v, kReals);
  return *this;
}
OnnxAttributes& OnnxAttributes::texts(std::string_view name,
                                      const std::vector<std::string>& values) {
  ProtocolBuffer v;
  for (const std::string& x : values) v.text(9, x);
  add(name, v, kStrings);
  return *this;
}

void OnnxWriter::input(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes) {
  inputs_.message(11, value_info(name, type, sizes));
}

void OnnxWriter::output(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes) {
  outputs_.message(12, value_info(name, type, sizes));
}

void OnnxWriter::node_of_many(std::string_view operation, const Names& inputs, const Names& outputs,
                              const OnnxAttributes& attributes, std::string_view domain) {
  ProtocolBuffer all;
  for (const std::string& name : inputs) all.text(1, name);
  for (const std::string& name : outputs) all.text(2, name);
  all.text(3, outputs.front());
  all.text(4, operation);
  all.append(attributes.fields());
  if (!domain.empty()) all.text(7, domain);
  nodes_.message(1, all);
}

std::string OnnxWriter::node(std::string_view operation, const Names& inputs,
                             std::string_view output, const OnnxAttributes& attributes,
                             std::string_view domain) {
  node_of_many(operation, inputs, {std::string(output)}, attributes, domain);
  return std::string(output);
}

std::string OnnxWriter::tensor(std::string_view name, OnnxType type, const void* values,
                               std::size_t bytes, const Sizes& sizes) {
  ProtocolBuffer all;
  for (const std::int64_t n : sizes) all.integer(1, n);
  all.integer(2, static_cast<std::int64_t>(type));
  all.text(8, name);
  all.text(9, std::string_view(static_cast<const char*>(values), bytes));
  constants_.message(5, all);
  return std::string(name);
}

std::string OnnxWriter::constant(std::string_view name, const std::vector<float>& values,
                                 const Sizes& sizes) {
  return tensor(name, OnnxType::Float, values.data(), values.size() * sizeof(float), sizes);
}
std::string OnnxWriter::constant(std::string_view name, const std::vector<double>& values,
                                 const Sizes& sizes) {
  return tensor(name, OnnxType::Double, values.data(), values.size() * sizeof(double), sizes);
}
std::string OnnxWriter::constant(std::string_view name, const std::vector<std::int64_t>& values,
                                 const Sizes& sizes) {
  return tensor(name, OnnxType::Int64, values.data(), values.size() * sizeof(std::int64_t), sizes);
}

void OnnxWriter::property(std::string_view key, std::string_view value) {
  ProtocolBuffer all;
  all.text(1, key);
  all.text(2, value);
  properties_.message(14, all);
}

std::string OnnxWriter::finish(std::string_view graph_name, std::string_view about) {
  ProtocolBuffer graph = std::move(nodes_), all;
  graph.text(2, graph_name);
  for (const ProtocolBuffer* part : {&constants_, &inputs_, &outputs_}) graph.append(*part);
  if (graph.bytes().size() >= (std::size_t{1} << 31) - (std::size_t{1} << 20))
    throw InputError("onnx: at most 2 GB in one file; save with fewer units or trees");
  all.integer(1, kIrVersion);
  all.text(2, "carnot");
  all.text(3, kVersion);
  all.text(6, about);
  all.message(7, graph);
  all.message(8, opset("", kOpset));
  all.message(8, opset(kOnnxMl, kMlOpset));
  all.append(properties_);
  return std::move(all).bytes();
}

}  // namespace carnot::learn
