// SPDX-License-Identifier: Apache-2.0
#include "model/workload/onnx_proto.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr int kDeepestGraph = 32;
constexpr std::size_t kMostLoose = 4096;
constexpr std::size_t kHighestRank = 64;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 59;  // bytes still count
constexpr std::int64_t kLargestDimension = std::numeric_limits<std::int32_t>::max();

class Decoder {
 public:
  explicit Decoder(const WireSource& source) : source_(source) {}

  OnnxModel model() {
    OnnxModel model;
    bool graph_seen = false;
    WireCursor cursor(source_, source_.bytes, "ModelProto");
    WireField field;
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          model.ir_version = cursor.varint(field, "ir_version");
          break;
        case 2:
          model.producer = cursor.bytes(field, "producer_name");
          break;
        case 7:
          if (graph_seen) cursor.refuse("graph", "only one is allowed");
          graph_seen = true;
          graph(cursor.bytes(field, "graph"), model.graph, 0);
          break;
        case 8:
          opset(cursor.bytes(field, "opset_import"), model.opset);
          break;
        case 25:
          function(cursor.bytes(field, "functions"), model.functions.emplace_back());
          break;
        default:
          break;
      }
    }
    if (!graph_seen) cursor.refuse("graph", "an ONNX model has one; this file has none");
    return model;
  }

 private:
  void opset(std::string_view bytes, std::int64_t& version) {
    std::string_view domain;
    std::int64_t given = 0;
    WireCursor cursor(source_, bytes, "OperatorSetIdProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number == 1) domain = cursor.bytes(field, "domain");
      if (field.number == 2) given = cursor.varint(field, "version");
    }
    if (domain.empty() || domain == "ai.onnx") version = given;
  }

  void graph(std::string_view bytes, OnnxGraph& graph, int depth) {
    WireCursor cursor(source_, bytes, "GraphProto");
    WireField field;
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          node(cursor.bytes(field, "node"), graph.nodes.emplace_back(), depth);
          break;
        case 2:
          graph.name = cursor.bytes(field, "name");
          break;
        case 5:
          tensor(cursor.bytes(field, "initializer"), graph.initializers.emplace_back());
          break;
        case 11:
          info(cursor.bytes(field, "input"), graph.inputs.emplace_back());
          break;
        case 12:
          info(cursor.bytes(field, "output"), graph.outputs.emplace_back());
          break;
        case 13:
          info(cursor.bytes(field, "value_info"), graph.values.emplace_back());
          break;
        case 15:
          sparse(cursor.bytes(field, "sparse_initializer"), graph);
          break;
        default:
          break;
      }
    }
  }

  void node(std::string_view bytes, OnnxNode& node, int depth) {
    node.offset = source_.offset_of(bytes.data());
    WireCursor cursor(source_, bytes, "NodeProto");
    WireField field;
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          node.inputs.push_back(cursor.bytes(field, "input"));
          break;
        case 2:
          node.outputs.push_back(cursor.bytes(field, "output"));
          break;
        case 3:
          node.name = cursor.bytes(field, "name");
          break;
        case 4:
          node.type = cursor.bytes(field, "op_type");
          break;
        case 5:
          attribute(cursor.bytes(field, "attribute"), node.attributes.emplace_back(), depth);
          break;
        case 7:
          node.domain = cursor.bytes(field, "domain");
          break;
        case 8:
          node.overload = cursor.bytes(field, "overload");
          break;
        default:
          break;
      }
    }
    if (node.domain == "ai.onnx") node.domain = {};
  }

  void attribute(std::string_view bytes, OnnxAttribute& attribute, int depth) {
    WireCursor cursor(source_, bytes, "AttributeProto");
    WireField field;
    const auto inner = [&](std::string_view name) {
      if (depth + 1 > kDeepestGraph) {
        cursor.refuse(name, fmt::format("graphs nest at most {} deep", kDeepestGraph));
      }
      graph(cursor.bytes(field, name), attribute.graphs.emplace_back(), depth + 1);
    };
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          attribute.name = cursor.bytes(field, "name");
          break;
        case 2:
          attribute.f = cursor.real(field, "f");
          break;
        case 3:
          attribute.i = cursor.varint(field, "i");
          break;
        case 4:
          attribute.s = cursor.bytes(field, "s");
          break;
        case 5:
          tensor(cursor.bytes(field, "t"), attribute.tensors.emplace_back());
          break;
        case 6:
          inner("g");
          break;
        case 7:
          reals(cursor, field, attribute.floats);
          break;
        case 8:
          cursor.integers(field, "ints", attribute.ints);
          break;
        case 9:
          attribute.strings.push_back(cursor.bytes(field, "strings"));
          break;
        case 10:
          tensor(cursor.bytes(field, "tensors"), attribute.tensors.emplace_back());
          break;
        case 11:
          inner("graphs");
          break;
        case 21:
          attribute.reference = cursor.bytes(field, "ref_attr_name");
          break;
        default:
          break;
      }
    }
  }

  static void reals(const WireCursor& cursor, const WireField& field, std::vector<float>& values) {
    if (field.type == WireType::Four) {
      values.push_back(cursor.real(field, "floats"));
      return;
    }
    const std::string_view packed = cursor.bytes(field, "floats");
    if (packed.size() % 4 != 0) cursor.refuse("floats", "packed floats take four bytes each");
    for (std::size_t i = 0; i < packed.size(); i += 4) {
      float value = 0;
      std::memcpy(&value, packed.data() + i, 4);
      values.push_back(value);
    }
  }

  void tensor(std::string_view bytes, OnnxTensor& tensor) {
    WireCursor cursor(source_, bytes, "TensorProto");
    WireField field;
    const auto packed = [&](std::string_view name, std::string_view& into) {
      if (field.type == WireType::Bytes) {
        into = field.bytes;
      } else if (tensor.loose.size() < kMostLoose) {
        const double value = field.type == WireType::Four
                                 ? static_cast<double>(cursor.real(field, name))
                             : field.type == WireType::Eight ? std::bit_cast<double>(field.value)
                                                             : static_cast<double>(field.integer());
        tensor.loose.push_back(value);
      }
    };
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          cursor.integers(field, "dims", tensor.dims);
          if (tensor.dims.size() > kHighestRank) {
            cursor.refuse("dims", fmt::format("at most {} are allowed", kHighestRank));
          }
          break;
        case 2:
          tensor.type = cursor.varint(field, "data_type");
          break;
        case 4:
          packed("float_data", tensor.floats);
          break;
        case 5:
          packed("int32_data", tensor.ints);
          break;
        case 7:
          packed("int64_data", tensor.longs);
          break;
        case 8:
          tensor.name = cursor.bytes(field, "name");
          break;
        case 9:
          tensor.raw = cursor.bytes(field, "raw_data");
          break;
        case 10:
          packed("double_data", tensor.doubles);
          break;
        case 11:
          packed("uint64_data", tensor.unsigneds);
          break;
        case 13:
          external(cursor.bytes(field, "external_data"), tensor);
          break;
        case 14:
          tensor.external = cursor.varint(field, "data_location") == 1;
          break;
        default:
          break;
      }
    }
    tensor.elements = 1;
    for (const std::int64_t dim : tensor.dims) {
      if (dim < 0 || dim > kLargestDimension) {
        cursor.refuse("dims", fmt::format("each is 0 ... {}, not {}", kLargestDimension, dim));
      }
      if (__builtin_mul_overflow(tensor.elements, static_cast<std::uint64_t>(dim),
                                 &tensor.elements) ||
          tensor.elements > kMostElements) {
        cursor.refuse("dims", "their product exceeds 2^59");
      }
    }
    const DataType type = onnx_data_type(tensor.type);
    if (!tensor.external && !tensor.raw.empty() && bits(type) != 0 &&
        tensor.raw.size() != bytes_of(tensor.elements, type)) {
      cursor.refuse("raw_data", fmt::format("{} bytes are there, the shape needs {}",
                                            tensor.raw.size(), bytes_of(tensor.elements, type)));
    }
  }

  void external(std::string_view bytes, OnnxTensor& tensor) {
    std::string_view key, value;
    WireCursor cursor(source_, bytes, "StringStringEntryProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number == 1) key = cursor.bytes(field, "key");
      if (field.number == 2) value = cursor.bytes(field, "value");
    }
    if (key == "location") tensor.location = value;
    if (key == "offset") {
      std::uint64_t offset = 0;
      for (const char digit : value) {
        if (digit < '0' || digit > '9' || offset > std::uint64_t{1} << 56) {
          cursor.refuse("value", "the offset of external data is a number of bytes");
        }
        offset = offset * 10 + static_cast<std::uint64_t>(digit - '0');
      }
      tensor.external_offset = offset;
    }
  }

  // Kept as its dense shape with the bytes of its values: what a sparse product reads.
  void sparse(std::string_view bytes, OnnxGraph& graph) {
    OnnxTensor values;
    std::vector<std::int64_t> dims;
    WireCursor cursor(source_, bytes, "SparseTensorProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number == 1) tensor(cursor.bytes(field, "values"), values);
      if (field.number == 3) cursor.integers(field, "dims", dims);
    }
    for (const std::int64_t dim : dims) {
      if (dim < 0 || dim > kLargestDimension || dims.size() > kHighestRank) {
        cursor.refuse("dims", fmt::format("each is 0 ... {}", kLargestDimension));
      }
    }
    values.dims = std::move(dims);
    values.raw = {};
    values.external = true;
    graph.initializers.push_back(std::move(values));
  }

  void info(std::string_view bytes, OnnxValueInfo& info) {
    WireCursor cursor(source_, bytes, "ValueInfoProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number == 1) info.name = cursor.bytes(field, "name");
      if (field.number == 2) type(cursor.bytes(field, "type"), info);
    }
  }

  void type(std::string_view bytes, OnnxValueInfo& info) {
    WireCursor cursor(source_, bytes, "TypeProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number != 1) continue;
      info.tensor = true;
      WireCursor tensor(source_, cursor.bytes(field, "tensor_type"), "TypeProto.Tensor");
      WireField part;
      while (tensor.next(part)) {
        if (part.number == 1) info.type = tensor.varint(part, "elem_type");
        if (part.number == 2) shape(tensor.bytes(part, "shape"), info);
      }
    }
  }

  void shape(std::string_view bytes, OnnxValueInfo& info) {
    info.ranked = true;
    info.dims.clear();
    WireCursor cursor(source_, bytes, "TensorShapeProto");
    WireField field;
    while (cursor.next(field)) {
      if (field.number != 1) continue;
      if (info.dims.size() == kHighestRank) {
        cursor.refuse("dim", fmt::format("at most {} are allowed", kHighestRank));
      }
      OnnxDimension& dim = info.dims.emplace_back();
      WireCursor inner(source_, cursor.bytes(field, "dim"), "TensorShapeProto.Dimension");
      WireField part;
      while (inner.next(part)) {
        if (part.number == 1) {
          dim.value = inner.varint(part, "dim_value");
          if (dim.value > kLargestDimension) {
            inner.refuse("dim_value",
                         fmt::format("0 ... {} is allowed, not {}", kLargestDimension, dim.value));
          }
          // Some exporters write -1 for a dimension that is not known.
          dim.value = dim.value < 0 ? -1 : dim.value;
        }
        if (part.number == 2) dim.parameter = inner.bytes(part, "dim_param");
      }
    }
  }

  void function(std::string_view bytes, OnnxFunction& function) {
    WireCursor cursor(source_, bytes, "FunctionProto");
    WireField field;
    while (cursor.next(field)) {
      switch (field.number) {
        case 1:
          function.name = cursor.bytes(field, "name");
          break;
        case 4:
          function.inputs.push_back(cursor.bytes(field, "input"));
          break;
        case 5:
          function.outputs.push_back(cursor.bytes(field, "output"));
          break;
        case 7:
          node(cursor.bytes(field, "node"), function.nodes.emplace_back(), 0);
          break;
        case 10:
          function.domain = cursor.bytes(field, "domain");
          break;
        case 11:
          attribute(cursor.bytes(field, "attribute_proto"), function.attributes.emplace_back(), 0);
          break;
        case 12:
          info(cursor.bytes(field, "value_info"), function.values.emplace_back());
          break;
        case 13:
          function.overload = cursor.bytes(field, "overload");
          break;
        default:
          break;
      }
    }
  }

  const WireSource& source_;
};

template <class T>
void take(std::string_view raw, std::size_t limit, std::vector<double>& values) {
  for (std::size_t i = 0; i + sizeof(T) <= raw.size() && values.size() < limit; i += sizeof(T)) {
    T value{};
    std::memcpy(&value, raw.data() + i, sizeof(T));
    values.push_back(static_cast<double>(value));
  }
}

double half(std::uint16_t bits) noexcept {
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

OnnxModel decode_onnx(const WireSource& source) { return Decoder(source).model(); }

DataType onnx_data_type(std::int64_t type) noexcept {
  using enum DataType;
  // By number in the standard; signed and unsigned are of one width.
  constexpr std::array<DataType, 29> kTypes{
      Undefined, Float32, Int8,  Int8,   Int16,     Int16,      Int32,    Int64,  String, Bool,
      Float16,   Float64, Int32, Int64,  Complex64, Complex128, Bfloat16, Float8, Float8, Float8,
      Float8,    Int4,    Int4,  Float4, Float8,    Int2,       Int2,     Float6, Float6};
  const auto index = static_cast<std::uint64_t>(type);
  return index < kTypes.size() ? kTypes[index] : Undefined;
}

std::vector<double> onnx_tensor_values(const OnnxTensor& tensor, std::string_view raw,
                                       std::size_t limit) {
  limit = static_cast<std::size_t>(std::min<std::uint64_t>(limit, tensor.elements));
  std::vector<double> values;
  if (!raw.empty()) {
    switch (tensor.type) {
      case 1:
        take<float>(raw, limit, values);
        break;
      case 2:
      case 9:
        take<std::uint8_t>(raw, limit, values);
        break;
      case 3:
        take<std::int8_t>(raw, limit, values);
        break;
      case 4:
        take<std::uint16_t>(raw, limit, values);
        break;
      case 5:
        take<std::int16_t>(raw, limit, values);
        break;
      case 6:
        take<std::int32_t>(raw, limit, values);
        break;
      case 7:
        take<std::int64_t>(raw, limit, values);
        break;
      case 11:
        take<double>(raw, limit, values);
        break;
      case 12:
        take<std::uint32_t>(raw, limit, values);
        break;
      case 13:
        take<std::uint64_t>(raw, limit, values);
        break;
      case 10:
      case 16:
        take<std::uint16_t>(raw, limit, values);
        for (double& value : values) {
          const auto pattern = static_cast<std::uint16_t>(value);
          value = tensor.type == 10
                      ? half(pattern)
                      : static_cast<double>(std::bit_cast<float>(std::uint32_t{pattern} << 16));
        }
        break;
      default:
        break;
    }
    return values;
  }
  if (!tensor.floats.empty()) take<float>(tensor.floats, limit, values);
  if (!tensor.doubles.empty()) take<double>(tensor.doubles, limit, values);
  for (std::string_view rest : {tensor.ints, tensor.longs, tensor.unsigneds}) {
    std::uint64_t value = 0;
    while (values.size() < limit && !rest.empty() && take_varint(rest, value)) {
      values.push_back(static_cast<double>(static_cast<std::int64_t>(value)));
    }
  }
  if (values.empty()) values = tensor.loose;
  if (values.size() > limit) values.resize(limit);
  if (tensor.type == 10 && tensor.floats.empty()) {
    // Bit patterns, stored as integers.
    for (double& value : values) {
      value = value >= 0 && value < 65536 ? half(static_cast<std::uint16_t>(value)) : std::nan("");
    }
  }
  return values;
}

}  // namespace carnot::model
