// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests and benches: writes small ONNX files, one function a message, each giving its bytes.

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::onnx_writing {

inline std::string varint(std::uint64_t value) {
  std::string made;
  for (; value >= 0x80; value >>= 7) made += static_cast<char>((value & 0x7f) | 0x80);
  return made + static_cast<char>(value);
}
inline std::string number(unsigned field, std::int64_t value) {
  return varint(field * 8) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(unsigned field, std::string_view value) {
  return varint(field * 8 + 2) + varint(value.size()) + std::string(value);
}
inline std::string real(unsigned field, float value) {
  std::string made(4, '\0');
  std::memcpy(made.data(), &value, 4);
  return varint(field * 8 + 5) + made;
}

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

// ---- attributes
inline std::string integer(std::string_view name, std::int64_t value) {
  return bytes(5, bytes(1, name) + number(3, value));
}
inline std::string integers(std::string_view name, const Numbers& values) {
  std::string all = bytes(1, name);
  for (const std::int64_t each : values) all += number(8, each);
  return bytes(5, all);
}
inline std::string text(std::string_view name, std::string_view value) {
  return bytes(5, bytes(1, name) + bytes(4, value));
}
inline std::string graph_attribute(std::string_view name, std::string_view graph) {
  return bytes(5, bytes(1, name) + bytes(6, graph));
}
inline std::string reference(std::string_view name, std::string_view of) {
  return bytes(5, bytes(1, name) + bytes(21, of));
}

// ---- tensors
inline constexpr int kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6, kInt64 = 7, kBool = 9;

/// A tensor without its bytes.
inline std::string tensor(std::string_view name, int type, const Numbers& dims) {
  std::string all;
  for (const std::int64_t each : dims) all += number(1, each);
  return all + number(2, type) + bytes(8, name) +
         bytes(13, bytes(1, "location") + bytes(2, "weights.bin")) + number(14, 1);
}
inline std::string weights(std::string_view name, const Numbers& dims) {
  return tensor(name, kFloat, dims);
}
/// 64-bit integers with their values; `scalar` without dims.
inline std::string values(std::string_view name, const Numbers& given, bool scalar = false) {
  std::string raw(given.size() * 8, '\0');
  std::memcpy(raw.data(), given.data(), raw.size());
  std::string all = scalar ? "" : number(1, static_cast<std::int64_t>(given.size()));
  return all + number(2, kInt64) + bytes(8, name) + bytes(9, raw);
}

// ---- values: a dimension is a number, or a name
struct Dimension {
  Dimension(std::int64_t given) : value(given) {}
  Dimension(const char* given) : name(given) {}
  std::int64_t value = 0;
  std::string name;
};
inline std::string info(std::string_view name, const std::vector<Dimension>& dims,
                        int type = kFloat) {
  std::string shape;
  for (const Dimension& each : dims) {
    shape += bytes(1, each.name.empty() ? number(1, each.value) : bytes(2, each.name));
  }
  return bytes(1, name) + bytes(2, bytes(1, number(1, type) + bytes(2, shape)));
}

// ---- nodes, graphs, models
inline std::string node(std::string_view type, const Names& inputs, const Names& outputs,
                        const std::vector<std::string>& attributes = {},
                        std::string_view domain = "", std::string_view name = "") {
  std::string all;
  for (const std::string& each : inputs) all += bytes(1, each);
  for (const std::string& each : outputs) all += bytes(2, each);
  if (!name.empty()) all += bytes(3, name);
  all += bytes(4, type);
  for (const std::string& each : attributes) all += each;
  if (!domain.empty()) all += bytes(7, domain);
  return all;
}
struct Graph {
  std::vector<std::string> nodes, inputs, outputs, initializers;
};
inline std::string graph(const Graph& given) {
  std::string all = bytes(2, "graph");
  for (const std::string& each : given.nodes) all += bytes(1, each);
  for (const std::string& each : given.initializers) all += bytes(5, each);
  for (const std::string& each : given.inputs) all += bytes(11, each);
  for (const std::string& each : given.outputs) all += bytes(12, each);
  return all;
}
inline std::string output(std::string_view name) { return bytes(1, name); }
inline std::string function(std::string_view domain, std::string_view name, const Names& inputs,
                            const Names& outputs, const std::vector<std::string>& nodes) {
  std::string all = bytes(1, name) + bytes(10, domain);
  for (const std::string& each : inputs) all += bytes(4, each);
  for (const std::string& each : outputs) all += bytes(5, each);
  for (const std::string& each : nodes) all += bytes(7, each);
  return all;
}
inline std::string file_of(const Graph& given, const std::vector<std::string>& functions = {},
                           std::int64_t opset = 17) {
  std::string all =
      number(1, 8) + bytes(8, bytes(1, "") + number(2, opset)) + bytes(7, graph(given));
  for (const std::string& each : functions) all += bytes(25, each);
  return all;
}

}  // namespace carnot::onnx_writing
