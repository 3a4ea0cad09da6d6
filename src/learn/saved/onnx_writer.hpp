// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes ONNX models (onnx.proto, IR version 8) as protocol-buffer bytes: nodes, constants, inputs,
// outputs, properties. Values are named by strings, as in the file.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/protocol_buffer.hpp"

namespace carnot::learn {

enum class OnnxType : std::uint8_t { Float = 1, Int64 = 7, Text = 8, Double = 11 };

/// Attributes of a node, in the order given.
class OnnxAttributes {
 public:
  OnnxAttributes& integer(std::string_view name, std::int64_t value);
  OnnxAttributes& real(std::string_view name, float value);
  OnnxAttributes& text(std::string_view name, std::string_view value);
  OnnxAttributes& integers(std::string_view name, const std::vector<std::int64_t>& values);
  OnnxAttributes& reals(std::string_view name, const std::vector<float>& values);
  OnnxAttributes& texts(std::string_view name, const std::vector<std::string>& values);
  const ProtocolBuffer& fields() const noexcept { return fields_; }

 private:
  void add(std::string_view name, const ProtocolBuffer& value, int type);
  ProtocolBuffer fields_;
};

class OnnxWriter {
 public:
  using Names = std::vector<std::string>;
  using Sizes = std::vector<std::int64_t>;

  /// A dimension is a number, or a name where `value` is negative.
  struct Dimension {
    Dimension(std::size_t n) : value(static_cast<std::int64_t>(n)) {}
    Dimension(const char* of) : name(of) {}
    std::int64_t value = -1;
    std::string name;
  };

  void input(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes);
  void output(std::string_view name, OnnxType type, const std::vector<Dimension>& sizes);
  /// \return the name of its output
  std::string node(std::string_view operation, const Names& inputs, std::string_view output,
                   const OnnxAttributes& attributes = {}, std::string_view domain = {});
  void node_of_many(std::string_view operation, const Names& inputs, const Names& outputs,
                    const OnnxAttributes& attributes = {}, std::string_view domain = {});

  /// Constants; each returns its name. \param sizes  empty: a scalar
  std::string constant(std::string_view name, const std::vector<float>& values, const Sizes& sizes);
  std::string constant(std::string_view name, const std::vector<double>& values,
                       const Sizes& sizes);
  std::string constant(std::string_view name, const std::vector<std::int64_t>& values,
                       const Sizes& sizes);

  void property(std::string_view key, std::string_view value);
  /// \param about  a sentence for readers
  std::string finish(std::string_view graph_name, std::string_view about);

 private:
  std::string tensor(std::string_view name, OnnxType type, const void* values, std::size_t bytes,
                     const Sizes& sizes);
  ProtocolBuffer nodes_, constants_, inputs_, outputs_, properties_;
};

inline constexpr std::string_view kOnnxMl = "ai.onnx.ml";

}  // namespace carnot::learn
