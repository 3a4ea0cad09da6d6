// SPDX-License-Identifier: Apache-2.0
#include "learn/saved/onnx_writer.hpp"

#include <bit>
#include <cstring>

#include "carnot/base/error.hpp"
#include "carnot/base/version.hpp"

namespace carnot::learn {

namespace {

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

// Messages as protocol buffers write them: a tag (field * 8 + wire type), then the value.
void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>((value & 0x7f) | 0x80);
  to += static_cast<char>(value);
}
void put(std::string& to, unsigned field, std::int64_t value) {
  put_varint(to, field * 8);
  put_varint(to, static_cast<std::uint64_t>(value));
}
void put(std::string& to, unsigned field, std::string_view value) {
  put_varint(to, field * 8 + 2);
  put_varint(to, value.size());
  to += value;
}
void put(std::string& to, unsigned field, float value) {
  put_varint(to, field * 8 + 5);
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  to.append(bytes, 4);
}

std::string value_info(std::string_view name, OnnxType type,
                       const std::vector<OnnxWriter::Dimension>& sizes) {
  std::string shape;
  for (const OnnxWriter::Dimension& d : sizes) {
    std::string one;
    if (d.value >= 0)
      put(one, 1, d.value);
    else
      put(one, 2, std::string_view(d.name));
    put(shape, 1, std::string_view(one));
  }
  std::string tensor;
  put(tensor, 1, static_cast<std::int64_t>(type));
  put(tensor, 2, std::string_view(shape));
  std::string of_type, all;
  put(of_type, 1, std::string_view(tensor));
  put(all, 1, name);
  put(all, 2, std::string_view(of_type));
  return all;
}

std::string opset(std::string_view domain, std::int64_t version) {
  std::string all;
  put(all, 1, domain);
  put(all, 2, version);
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

void OnnxAttributes::add(std::string_view name, std::string_view value, int type) {
  std::string one;
  put(one, 1, name);
  one += value;
  put(one, 20, std::int64_t{type});
  put(bytes_, 5, std::string_view(one));
}

OnnxAttributes& OnnxAttributes::integer(std::string_view name, std::int64_t value) {
  std::string v;
  put(v, 3, value);
  add(name, v, kInteger);
  return *this;
}
OnnxAttributes& OnnxAttributes::real(std::string_view name, float value) {
  std::string v;
  put(v, 2, value);
  add(name, v, kReal);
  return *this;
}
OnnxAttributes& OnnxAttributes::text(std::string_view name, std::string_view value) {
  std::string v;
  put(v, 4, value);
  add(name, v, kString);
  return *this;
}
OnnxAttributes& OnnxAttributes::integers(std::string_view name,
                                         const std::vector<std::int64_t>& values) {
  std::string v;
  for (const std::int64_t x : values) put(v, 8, x);
  add(name, v, kIntegers);
  return *this;
}
OnnxAttributes& OnnxAttributes::reals(std::string_view name, const std::vector<float>& values) {
  std::string v;
  for (const float x : values) put(v, 7, x);
  add(name, v, kReals);
  return *this;
}
OnnxAttributes& OnnxAttributes::texts(std::string_view name,
                                      const std::vector<std::string>& values) {
  std::string v;
  for (const std::string& x : values) put(v, 9, std::string_view(x));
  add(name, v, kStrings);
  return *this;
}

void OnnxWriter::input(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes) {
  put(inputs_, 11, std::string_view(value_info(name, type, sizes)));
}

void OnnxWriter::output(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes) {
  put(outputs_, 12, std::string_view(value_info(name, type, sizes)));
}

void OnnxWriter::node_of_many(std::string_view operation, const Names& inputs, const Names& outputs,
                              const OnnxAttributes& attributes, std::string_view domain) {
  std::string all;
  for (const std::string& name : inputs) put(all, 1, std::string_view(name));
  for (const std::string& name : outputs) put(all, 2, std::string_view(name));
  put(all, 3, std::string_view(outputs.front()));
  put(all, 4, operation);
  all += attributes.bytes();
  if (!domain.empty()) put(all, 7, domain);
  put(nodes_, 1, std::string_view(all));
}

std::string OnnxWriter::node(std::string_view operation, const Names& inputs,
                             std::string_view output, const OnnxAttributes& attributes,
                             std::string_view domain) {
  node_of_many(operation, inputs, {std::string(output)}, attributes, domain);
  return std::string(output);
}

std::string OnnxWriter::tensor(std::string_view name, OnnxType type, const void* values,
                               std::size_t bytes, const Sizes& sizes) {
  std::string all;
  for (const std::int64_t n : sizes) put(all, 1, n);
  put(all, 2, static_cast<std::int64_t>(type));
  put(all, 8, name);
  put(all, 9, std::string_view(static_cast<const char*>(values), bytes));
  put(constants_, 5, std::string_view(all));
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
  std::string all;
  put(all, 1, key);
  put(all, 2, value);
  put(properties_, 14, std::string_view(all));
}

std::string OnnxWriter::finish(std::string_view graph_name, std::string_view about) {
  std::string graph = std::move(nodes_);
  put(graph, 2, graph_name);
  graph += constants_;
  graph += inputs_;
  graph += outputs_;
  std::string all;
  put(all, 1, kIrVersion);
  put(all, 2, std::string_view("carnot"));
  put(all, 3, kVersion);
  put(all, 6, about);
  if (graph.size() >= (std::size_t{1} << 31) - (std::size_t{1} << 20))
    throw InputError("onnx: at most 2 GB in one file; save with fewer units or trees");
  put(all, 7, std::string_view(graph));
  put(all, 8, std::string_view(opset("", kOpset)));
  put(all, 8, std::string_view(opset(kOnnxMl, kMlOpset)));
  all += properties_;
  return all;
}

}  // namespace carnot::learn
