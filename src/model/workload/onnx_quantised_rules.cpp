// SPDX-License-Identifier: Apache-2.0
// Operators on narrow integers. A product of 8-bit or 4-bit numbers is a multiply-accumulate as any
// other; bringing sums back to 8 bits costs a multiplication, a rounding and a clamp an output.
#include <fmt/format.h>

#include "model/workload/onnx_geometry.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

constexpr std::uint64_t kRequantise = 4;

std::uint64_t u(std::int64_t value) { return static_cast<std::uint64_t>(value); }

void quantise(OnnxNodeContext& c) {
  const std::int64_t named = c.integer("output_dtype", 0);
  c.output(0,
           c.has(2)     ? c.input(2).type
           : named != 0 ? onnx_data_type(named)
                        : DataType::Int8,
           c.dims(0));
  c.stream(KernelKind::Quantise, c.output_count(0), kRequantise, 1);
}

void dequantise(OnnxNodeContext& c) {
  c.output(0, c.input(1).type, c.dims(0));
  c.stream(KernelKind::Quantise, c.output_count(0), 2);
}

void dynamic_quantise(OnnxNodeContext& c) {
  c.output(0, DataType::Int8, c.dims(0));
  c.output(1, c.input(0).type, {});
  c.output(2, DataType::Int8, {});
  // Two compares to find the range.
  c.stream(KernelKind::Quantise, c.output_count(0), kRequantise + 2, 1);
}

void convolution(OnnxNodeContext& c) {
  if (c.node.type == "ConvInteger") {
    convolve(c, 0, 1, DataType::Int32, 0);
  } else {
    convolve(c, 0, 3, c.input(0).type, kRequantise + (c.has(8) ? 1 : 0));
  }
}

// Which inputs are the matrices, what comes out and what an output costs besides its sum.
struct Product {
  std::size_t left, right;
  DataType type;
  std::uint64_t other;
};

void product(OnnxNodeContext& c) {
  const std::string_view type = c.node.type;
  const Product p = type == "QLinearMatMul"   ? Product{0, 3, c.input(0).type, kRequantise}
                    : type == "MatMulInteger" ? Product{0, 1, DataType::Int32, 0}
                    : type == "DynamicQuantizeMatMul"
                        ? Product{0, 1, c.input(0).type, c.has(4) ? 2u : 1u}
                        : Product{0, 1, c.input(2).type, c.has(6) ? 2u : 1u};
  emit_product(c, KernelKind::Gemm, matmul_shape(c, c.dims(p.left), c.dims(p.right), p.type),
               p.other);
}

void quantised_gemm(OnnxNodeContext& c) {
  Dims a = c.dims(0), b = c.dims(3);
  if (a.size() != 2 || b.size() != 2) c.refuse("two matrices are needed");
  if (c.integer("transA", 0) != 0) std::swap(a[0], a[1]);
  if (c.integer("transB", 0) != 0) std::swap(b[0], b[1]);
  const DataType type = c.has(7) ? c.input(0).type : DataType::Float32;
  emit_product(c, KernelKind::Gemm, matmul_shape(c, a, b, type),
               (c.has(7) ? kRequantise : 1) + (c.has(6) ? 1 : 0));
}

// Weights of 2 to 8 bits in blocks that share a scale; B is packed, so K and N are attributes.
void block_product(OnnxNodeContext& c) {
  const std::int64_t k = c.integer("K", 0), n = c.integer("N", 0);
  const std::int64_t width = c.node.type == "MatMulBnb4" ? 4 : c.integer("bits", 4);
  if (k < 1 || n < 1 || k > INT32_MAX || n > INT32_MAX) c.refuse("K and N are 1 ... 2^31 - 1");
  if (width < 1 || width > 8) c.refuse("bits is 1 ... 8");
  const std::int64_t inner = c.dims(0).empty() ? -1 : c.dims(0).back();
  if (inner >= 0 && inner != k) c.refuse(fmt::format("{} columns meet K = {}", inner, k));
  const bool bias = c.node.type == "MatMulNBits" && c.has(5);
  const GemmShape shape = matmul_shape(c, c.dims(0), {k, n}, c.input(0).type);
  Operator* made = emit_product(c, KernelKind::Gemm, shape, bias ? 1 : 0);
  if (made == nullptr) return;
  // Each weight is scaled (and shifted) on its way to the multiplier.
  const std::uint64_t weights = checked_product("parameters", {u(k), u(n)});
  made->counts.other_ops =
      checked_sum("other operations",
                  {made->counts.other_ops, checked_product("other operations", {weights, 2})});
  if (made->parameters != 0) made->parameters = weights;
  made->weight_type = width <= 2 ? DataType::Int2 : width <= 4 ? DataType::Int4 : DataType::Int8;
}

void streaming(OnnxNodeContext& c) {
  // x, scale, zero point, then the second operand of QLinearAdd and QLinearMul.
  Dims made = c.dims(0);
  const bool two = c.node.type == "QLinearAdd" || c.node.type == "QLinearMul";
  if (two) made = broadcast(c, made, c.dims(3));
  c.output(0, c.input(0).type, std::move(made));
  c.stream(KernelKind::Elementwise, c.output_count(0), two ? kRequantise + 3 : kRequantise + 4);
}

void pool(OnnxNodeContext& c) {
  Dims made = c.known_dims(0);
  if (made.size() < 3) c.refuse("input is N x C x space");
  if (c.integer("channels_last", 0) != 0) throw NotKnown{"channels_last is not supported"};
  for (std::size_t i = 2; i < made.size(); ++i) made[i] = 1;
  c.output(0, c.input(0).type, std::move(made));
  Counts counts;
  counts.other_ops = checked_sum(
      "other operations",
      {c.count(0), checked_product("other operations", {c.output_count(0), kRequantise})});
  c.emit(KernelKind::Pooling, StreamShape{c.count(0)}, counts);
}

void joined(OnnxNodeContext& c) {
  // scale, zero point of the result, then three inputs for each part
  if (c.inputs.size() < 5 || (c.inputs.size() - 2) % 3 != 0) c.refuse("three inputs a part");
  Dims made = c.known_dims(2);
  const std::size_t axis = c.axis(c.integer("axis", 0), made.size());
  for (std::size_t i = 5; i < c.inputs.size(); i += 3) {
    const Dims& part = c.known_dims(i, made.size());
    if (__builtin_add_overflow(made[axis], part[axis], &made[axis])) c.refuse("too long");
  }
  c.output(0, c.input(2).type, std::move(made));
  c.stream(KernelKind::DataMovement, c.output_count(0), kRequantise);
}

// Rows of a table in 4 or 8 bits with a scale a block.
void gather(OnnxNodeContext& c) {
  const Dims& table = c.known_dims(0);
  const Dims& at = c.dims(1);
  const std::size_t axis = c.axis(c.integer("gather_axis", 0), table.size());
  Dims made(table.begin(), table.begin() + static_cast<std::ptrdiff_t>(axis));
  made.insert(made.end(), at.begin(), at.end());
  made.insert(made.end(), table.begin() + static_cast<std::ptrdiff_t>(axis) + 1, table.end());
  const bool packed = c.input(0).type == DataType::Int8 && c.integer("bits", 4) == 4;
  if (packed && !made.empty() && made.back() > 0 && made.back() < INT32_MAX) made.back() *= 2;
  c.output(0, c.input(2).type, std::move(made));
  Operator* row = c.stream(KernelKind::Embedding, c.output_count(0), 2);
  if (row == nullptr || c.count(0) == 0) return;
  const double rows =
      static_cast<double>(c.output_count(0)) / (static_cast<double>(c.count(0)) * (packed ? 2 : 1));
  row->weight_read_bytes *= rows < 1 ? rows : 1;
  if (packed && row->parameters != 0) row->parameters = c.count(0) * 2;
}

}  // namespace

void add_quantised_rules(OnnxRules& rules) {
  rules["QuantizeLinear"] = quantise;
  rules["DequantizeLinear"] = dequantise;
  rules["com.microsoft::QuantizeLinear"] = quantise;
  rules["com.microsoft::DequantizeLinear"] = dequantise;
  rules["DynamicQuantizeLinear"] = dynamic_quantise;
  rules["QLinearConv"] = convolution;
  rules["ConvInteger"] = convolution;
  rules["QLinearMatMul"] = product;
  rules["MatMulInteger"] = product;
  rules["com.microsoft::DynamicQuantizeMatMul"] = product;
  rules["com.microsoft::MatMulIntegerToFloat"] = product;
  rules["com.microsoft::QGemm"] = quantised_gemm;
  rules["com.microsoft::MatMulNBits"] = block_product;
  rules["com.microsoft::MatMulBnb4"] = block_product;
  for (const char* type :
       {"com.microsoft::QLinearAdd", "com.microsoft::QLinearMul", "com.microsoft::QLinearSigmoid",
        "com.microsoft::QLinearLeakyRelu", "com.microsoft::QLinearSoftmax"}) {
    rules[type] = streaming;
  }
  rules["com.microsoft::QLinearGlobalAveragePool"] = pool;
  rules["com.microsoft::QLinearConcat"] = joined;
  rules["com.microsoft::GatherBlockQuantized"] = gather;
}

}  // namespace carnot::model
