// SPDX-License-Identifier: Apache-2.0
// Products and convolutions: macs = outputs x length of the sum, taps on padding included, as
// torchvision and the literature count them.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "model/workload/onnx_geometry.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

Operator* emit_product(OnnxNodeContext& c, KernelKind kind, const GemmShape& shape,
                       std::uint64_t other, std::uint64_t special) {
  const std::uint64_t outputs = checked_product("outputs", {shape.batch, shape.m, shape.n});
  const std::uint64_t macs = checked_product("multiply-accumulates", {outputs, shape.k});
  return c.emit(kind, shape,
                product_counts(macs, checked_product("other operations", {outputs, other}),
                               checked_product("special operations", {outputs, special})));
}

namespace {

std::uint64_t u(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// com.microsoft fuses activations into products: their name is an attribute.
std::uint64_t activation_ops(const OnnxNodeContext& c) {
  const std::string_view name = c.text("activation", "");
  return name.empty() ? 0 : name == "Relu" || name == "LeakyRelu" ? 1 : 4;
}

void convolution(OnnxNodeContext& c) {
  convolve(c, 0, 1, c.input(0).type, (c.has(2) ? 1u : 0u) + activation_ops(c));
}

}  // namespace

void convolve(OnnxNodeContext& c, std::size_t input, std::size_t kernel_input, DataType type,
              std::uint64_t other) {
  const Dims& x = c.dims(input);
  const Dims& w = c.known_dims(kernel_input);
  if (x.size() != w.size() || x.size() < 3) c.refuse("input and kernel are N x C x space");
  const std::int64_t groups = c.integer("group", 1);
  if (groups < 1 || w[0] % groups != 0) c.refuse("group divides the output channels");
  std::int64_t channels = 0;
  if (x[1] >= 0 && (__builtin_mul_overflow(w[1], groups, &channels) || channels != x[1])) {
    c.refuse(fmt::format("{} input channels, the kernel is for {} in each of {} groups", x[1], w[1],
                         groups));
  }
  const Dims kernel(w.begin() + 2, w.end());
  Dims y{x[0], w[0]};
  for (const std::int64_t each : window_output(c, Dims(x.begin() + 2, x.end()), kernel)) {
    y.push_back(each);
  }
  c.output(0, type, y);
  const std::uint64_t outputs = c.output_count(0);
  std::uint64_t taps = u(w[1]);
  for (const std::int64_t each : kernel) taps = checked_product("kernel", {taps, u(each)});
  const std::uint64_t per_channel = w[0] == 0 ? 0 : outputs / u(w[0]);
  emit_product(c, KernelKind::Convolution, {u(groups), per_channel, u(w[0] / groups), taps}, other);
}

namespace {

void transposed_convolution(OnnxNodeContext& c) {
  const Dims& x = c.dims(0);
  const Dims& w = c.known_dims(1);
  if (x.size() != w.size() || x.size() < 3) c.refuse("input and kernel are N x C x space");
  const std::int64_t groups = c.integer("group", 1);
  std::int64_t channels = 0;
  if (groups < 1 || w[0] % groups != 0 || __builtin_mul_overflow(w[1], groups, &channels)) {
    c.refuse("group divides the input channels");
  }
  if (x[1] >= 0 && x[1] != w[0]) c.refuse("input channels differ from the kernel's");
  const Dims kernel(w.begin() + 2, w.end());
  Dims y{x[0], channels};
  for (const std::int64_t each : transposed_output(c, Dims(x.begin() + 2, x.end()), kernel)) {
    y.push_back(each);
  }
  c.output(0, c.input(0).type, y);
  const std::uint64_t inputs = c.count(0);
  std::uint64_t fan = u(w[1]);
  for (const std::int64_t each : kernel) fan = checked_product("kernel", {fan, u(each)});
  const std::uint64_t positions = w[0] == 0 ? 0 : inputs / u(w[0]);
  const Counts counts = product_counts(checked_product("multiply-accumulates", {inputs, fan}),
                                       c.has(2) ? c.output_count(0) : 0);
  c.emit(KernelKind::Convolution, GemmShape{u(groups), positions, fan, u(w[0] / groups)}, counts);
}

void gemm(OnnxNodeContext& c) {
  Dims a = c.dims(0), b = c.dims(1);
  if (a.size() != 2 || b.size() != 2) c.refuse("two matrices are needed");
  if (c.integer("transA", 0) != 0) std::swap(a[0], a[1]);
  if (c.integer("transB", 0) != 0) std::swap(b[0], b[1]);
  if (a[1] >= 0 && b[0] >= 0 && a[1] != b[0]) {
    c.refuse(fmt::format("{} columns meet {} rows", a[1], b[0]));
  }
  c.output(0, c.input(0).type, {a[0], b[1]});
  c.known_dims(0);
  c.known_dims(1);
  const std::uint64_t passes = (c.has(2) ? 1u : 0u) + (c.real("alpha", 1) != 1 ? 1u : 0u) +
                               (c.has(2) && c.real("beta", 1) != 1 ? 1u : 0u);
  emit_product(c, KernelKind::Gemm, {1, u(a[0]), u(b[1]), u(a[1])}, passes + activation_ops(c));
}

}  // namespace

GemmShape matmul_shape(OnnxNodeContext& c, Dims a, Dims b, DataType type) {
  if (a.empty() || b.empty()) c.refuse("scalars have no matrix product");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const std::int64_t m = a[a.size() - 2], k = a.back(), n = b.back();
  if (k >= 0 && b[b.size() - 2] >= 0 && k != b[b.size() - 2]) {
    c.refuse(fmt::format("{} columns meet {} rows", k, b[b.size() - 2]));
  }
  Dims y = broadcast(c, Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  const Dims batch = y;
  if (!row) y.push_back(m);
  if (!column) y.push_back(n);
  c.output(0, type, y);
  c.output_count(0);
  if (k < 0) throw NotKnown{"the length of the sum is not known"};
  GemmShape shape{1, u(m), u(n), u(k)};
  // One right-hand matrix for all of a batch is one taller product.
  const bool shared = std::all_of(b.begin(), b.end() - 2, [](std::int64_t d) { return d == 1; });
  std::uint64_t all = 1;
  for (const std::int64_t each : batch) all = checked_product("batch", {all, u(each)});
  if (shared) {
    shape.m = checked_product("rows", {shape.m, all});
  } else {
    shape.batch = all;
  }
  return shape;
}

namespace {

void matmul(OnnxNodeContext& c) {
  Dims a = c.dims(0), b = c.dims(1);
  // com.microsoft::FusedMatMul
  if (c.integer("transA", 0) != 0 && a.size() > 1) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (c.integer("transB", 0) != 0 && b.size() > 1) std::swap(b[b.size() - 1], b[b.size() - 2]);
  emit_product(c, KernelKind::Gemm, matmul_shape(c, std::move(a), std::move(b), c.input(0).type));
}

// Terms of an equation as letters; an ellipsis becomes the letters 'A' ... that no equation of
// lower-case letters uses, aligned to the right.
struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

Equation read_equation(const OnnxNodeContext& c) {
  std::string text;
  for (const char each : c.text("equation", "")) {
    if (each != ' ') text += each;
  }
  Equation made;
  const std::size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow);
  std::size_t begin = 0;
  while (begin <= left.size()) {
    const std::size_t end = std::min(left.find(',', begin), left.size());
    made.terms.push_back(left.substr(begin, end - begin));
    begin = end + 1;
  }
  if (made.terms.size() != c.inputs.size()) c.refuse("as many terms as inputs are needed");
  std::string all;
  for (std::size_t i = 0; i < made.terms.size(); ++i) {
    std::string& term = made.terms[i];
    const std::size_t dots = term.find("...");
    const std::size_t rank = c.dims(i).size();
    if (dots != std::string::npos) {
      if (rank + 3 < term.size()) c.refuse("a term longer than its input");
      const std::size_t hidden = rank + 3 - term.size();
      if (hidden > 20) c.refuse("an ellipsis of more than 20 dimensions");
      std::string letters;
      for (std::size_t j = hidden; j-- > 0;) letters += static_cast<char>(1 + j);
      term.replace(dots, 3, letters);
    }
    if (term.size() != rank) c.refuse("a term has another length than its input");
    all += term;
  }
  const auto widest = [&] {
    std::string letters;
    for (char j = 20; j > 0; --j) {
      if (all.find(j) != std::string::npos) letters += j;
    }
    return letters;
  };
  if (arrow == std::string::npos) {
    made.result = widest();
    std::string sorted = all;
    std::sort(sorted.begin(), sorted.end());
    for (const char each : sorted) {
      if (each > 20 && std::count(all.begin(), all.end(), each) == 1) made.result += each;
    }
  } else {
    made.result = text.substr(arrow + 2);
    const std::size_t dots = made.result.find("...");
    if (dots != std::string::npos) made.result.replace(dots, 3, widest());
  }
  return made;
}

// Two terms at a time, from the left; what neither the rest nor the result needs is summed away.
void einsum(OnnxNodeContext& c) {
  if (c.inputs.empty() || c.inputs.size() > 64) c.refuse("1 ... 64 inputs are allowed");
  const Equation equation = read_equation(c);
  std::array<std::int64_t, 256> size{};
  size.fill(kUnknownDimension);
  for (std::size_t i = 0; i < equation.terms.size(); ++i) {
    for (std::size_t d = 0; d < equation.terms[i].size(); ++d) {
      std::int64_t& known = size[static_cast<unsigned char>(equation.terms[i][d])];
      const std::int64_t here = c.dims(i)[d];
      if (known > 1 && here > 1 && known != here) c.refuse("one letter, two lengths");
      known = std::max(known, here);
    }
  }
  const auto length = [&](char letter) { return size[static_cast<unsigned char>(letter)]; };
  Dims y;
  for (const char each : equation.result) {
    if (length(each) < 0 &&
        std::none_of(equation.terms.begin(), equation.terms.end(), [&](const std::string& term) {
          return term.find(each) != std::string::npos;
        })) {
      c.refuse("the result has a letter that no input has");
    }
    y.push_back(length(each));
  }
  if (y.size() > 64) c.refuse("a shape has at most 64 dimensions");
  c.output(0, c.input(0).type, std::move(y));
  for (std::size_t i = 0; i < c.inputs.size(); ++i) c.known_dims(i);
  const auto in = [](const std::string& text, char letter) {
    return text.find(letter) != std::string::npos;
  };
  const auto times = [&](std::uint64_t product, char letter) {
    return checked_product("multiply-accumulates", {product, u(length(letter))});
  };
  std::string left = equation.terms.front();
  if (equation.terms.size() == 1) {
    const std::uint64_t elements = c.count(0), outputs = c.output_count(0);
    Counts counts;
    counts.other_ops = elements > outputs ? elements - outputs : 0;
    c.emit(counts.other_ops != 0 ? KernelKind::Reduction : KernelKind::DataMovement,
           StreamShape{elements}, counts);
    return;
  }
  for (std::size_t i = 1; i < equation.terms.size(); ++i) {
    const std::string& right = equation.terms[i];
    std::string later = equation.result;
    for (std::size_t j = i + 1; j < equation.terms.size(); ++j) later += equation.terms[j];
    GemmShape shape{1, 1, 1, 1};
    std::string kept, seen;
    for (const char each : left + right) {
      if (in(seen, each)) continue;
      seen += each;
      const bool stays = in(later, each);
      if (stays) kept += each;
      std::uint64_t& side = !stays                              ? shape.k
                            : in(left, each) && in(right, each) ? shape.batch
                            : in(left, each)                    ? shape.m
                                                                : shape.n;
      side = times(side, each);
    }
    const bool sums = std::any_of(seen.begin(), seen.end(), [&](char x) { return !in(later, x); });
    const std::uint64_t products =
        checked_product("multiply-accumulates", {shape.batch, shape.m, shape.n, shape.k});
    if (sums) {
      c.emit(KernelKind::Gemm, shape, product_counts(products));
    } else {
      c.stream(KernelKind::Elementwise, products, 1);
    }
    left = kept;
  }
}

// Gates an operator has, and what a unit of state costs besides its products.
struct Cell {
  std::int64_t gates;
  std::uint64_t ops, special;
};

void recurrent(OnnxNodeContext& c) {
  // LSTM: 3 sigmoids, 2 tanh, 3 products, 1 sum, 8 biases and sums; GRU and RNN likewise.
  const Cell cell = c.node.type == "LSTM"  ? Cell{4, 3 * 4 + 2 + 4 + 8, 3 * 2 + 2}
                    : c.node.type == "GRU" ? Cell{3, 2 * 4 + 1 + 4 + 6, 2 * 2 + 1}
                                           : Cell{1, 1 + 2, 1};
  const Dims& x = c.dims(0);
  if (x.size() != 3) c.refuse("input 0 is steps x batch x features");
  const Dims& w = c.known_dims(1, 3);
  const Dims& r = c.known_dims(2, 3);
  const std::int64_t hidden = c.integer("hidden_size", r[2]);
  if (hidden != r[2] || w[1] / cell.gates != hidden || w[1] % cell.gates != 0 || r[1] != w[1] ||
      r[0] != w[0]) {
    c.refuse("weights are directions x gates hidden x features and x hidden");
  }
  if (x[2] >= 0 && x[2] != w[2]) c.refuse("features differ from the weights'");
  const bool batch_first = c.integer("layout", 0) == 1;
  const std::int64_t steps = x[batch_first ? 1 : 0], batch = x[batch_first ? 0 : 1];
  const std::int64_t directions = w[0];
  const DataType type = c.input(0).type;
  if (batch_first) {
    c.output(0, type, {batch, steps, directions, hidden});
    for (std::size_t i : {1u, 2u}) c.output(i, type, {batch, directions, hidden});
  } else {
    c.output(0, type, {steps, directions, batch, hidden});
    for (std::size_t i : {1u, 2u}) c.output(i, type, {directions, batch, hidden});
  }
  c.known_dims(0);
  const std::uint64_t rows = checked_product("rows", {u(steps), u(batch), u(directions)});
  const std::uint64_t macs = checked_product(
      "multiply-accumulates", {rows, u(w[1]), checked_sum("features", {u(w[2]), u(hidden)})});
  const std::uint64_t states = checked_product("states", {rows, u(hidden)});
  const std::uint64_t peepholes = c.node.type == "LSTM" && c.has(7) ? 6 : 0;
  c.emit(KernelKind::Recurrent,
         ScanShape{u(batch), u(steps), u(directions), u(hidden), u(w[2]) + u(hidden)},
         product_counts(macs, checked_product("other operations", {states, cell.ops + peepholes}),
                        checked_product("special operations", {states, cell.special})));
}

}  // namespace

void add_linear_rules(OnnxRules& rules) {
  rules["Conv"] = convolution;
  rules["com.microsoft::FusedConv"] = convolution;
  rules["ConvTranspose"] = transposed_convolution;
  rules["Gemm"] = gemm;
  rules["com.microsoft::FusedGemm"] = gemm;
  rules["MatMul"] = matmul;
  rules["com.microsoft::FusedMatMul"] = matmul;
  rules["Einsum"] = einsum;
  for (const char* type : {"LSTM", "GRU", "RNN"}) rules[type] = recurrent;
}

}  // namespace carnot::model
