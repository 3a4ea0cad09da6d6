// SPDX-License-Identifier: Apache-2.0
// Operators that act element by element. Costs are scalar operations an output element, as in the
// textbook formula: a sigmoid is a negation, an exponential, an addition and a division.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "model/workload/onnx_elements.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

struct Unary {
  std::uint64_t ops = 1, special = 0;
  double (*fold)(double) = nullptr;
};

const std::unordered_map<std::string_view, Unary>& unaries() {
  static const std::unordered_map<std::string_view, Unary> table{
      {"Abs", {1, 0, [](double x) { return std::fabs(x); }}},
      {"Neg", {1, 0, [](double x) { return -x; }}},
      {"Floor", {1, 0, [](double x) { return std::floor(x); }}},
      {"Ceil", {1, 0, [](double x) { return std::ceil(x); }}},
      {"Round", {1, 0, [](double x) { return std::nearbyint(x); }}},
      {"Sqrt", {1, 1, [](double x) { return std::sqrt(x); }}},
      {"Exp", {1, 1, [](double x) { return std::exp(x); }}},
      {"Log", {1, 1, [](double x) { return std::log(x); }}},
      {"Reciprocal", {1, 1, [](double x) { return 1 / x; }}},
      {"Not", {1, 0, [](double x) { return x == x ? static_cast<double>(x == 0) : x; }}},
      {"Sign", {1, 0, [](double x) { return static_cast<double>((x > 0) - (x < 0)); }}},
      {"Relu", {1, 0, [](double x) { return x > 0    ? x
                                            : x == x ? 0
                                                     : x; }}},
      {"Sin", {1, 1}},
      {"Cos", {1, 1}},
      {"Tan", {1, 1}},
      {"Asin", {1, 1}},
      {"Acos", {1, 1}},
      {"Atan", {1, 1}},
      {"Sinh", {1, 1}},
      {"Cosh", {1, 1}},
      {"Asinh", {1, 1}},
      {"Acosh", {1, 1}},
      {"Atanh", {1, 1}},
      {"Tanh", {1, 1}},
      {"Erf", {1, 1}},
      {"Sigmoid", {4, 2}},
      {"Softplus", {3, 2}},
      {"Softsign", {3, 1}},
      {"Elu", {4, 1}},
      {"Celu", {5, 2}},
      {"Selu", {5, 1}},
      {"LeakyRelu", {2}},
      {"ThresholdedRelu", {1}},
      {"HardSigmoid", {4}},
      {"HardSwish", {5}},
      {"Swish", {5, 2}},
      {"Mish", {5, 3}},
      {"Shrink", {3}},
      {"Gelu", {5, 1}},
      {"QuickGelu", {6, 2}},
      {"FastGelu", {8, 1}},
      {"BiasGelu", {6, 1}},
      {"IsNaN", {1}},
      {"IsInf", {1}},
      {"BitwiseNot", {1}},
      {"Hardmax", {2}},
      {"Det", {1}},
  };
  return table;
}

void unary(OnnxNodeContext& c) {
  const Unary& cost = unaries().at(c.node.type);
  OnnxValue value = c.input(0);
  value.claim = 0;
  value.constant = false;
  if (c.node.type == "IsNaN" || c.node.type == "IsInf") value.type = DataType::Bool;
  if (value.elements && cost.fold != nullptr) {
    auto made = std::make_shared<Elements>(*value.elements);
    for (double& each : *made) each = cost.fold(each);
    value.elements = std::move(made);
  } else {
    value.elements = nullptr;
  }
  c.output(0, std::move(value));
  c.stream(KernelKind::Elementwise, c.output_count(0), cost.ops, cost.special);
}

void cast(OnnxNodeContext& c) {
  OnnxValue value = c.input(0);
  const DataType to =
      c.node.type == "CastLike" ? c.input(1).type : onnx_data_type(c.integer("to", 0));
  if (value.elements && !is_floating(to)) {
    auto made = std::make_shared<Elements>(*value.elements);
    for (double& each : *made) each = to == DataType::Bool ? (each != 0) : std::trunc(each);
    value.elements = std::move(made);
  }
  value.type = to;
  value.constant = false;
  c.output(0, std::move(value));
  c.stream(KernelKind::DataMovement, c.output_count(0), 1);
}

struct Binary {
  std::uint64_t ops = 1, special = 0;
  bool logical = false;
  double (*fold)(double, double) = nullptr;
};

const std::unordered_map<std::string_view, Binary>& binaries() {
  static const std::unordered_map<std::string_view, Binary> table{
      {"Add", {1, 0, false, [](double a, double b) { return a + b; }}},
      {"Sub", {1, 0, false, [](double a, double b) { return a - b; }}},
      {"Mul", {1, 0, false, [](double a, double b) { return a * b; }}},
      {"Div", {1, 1, false, [](double a, double b) { return a / b; }}},
      {"Pow", {1, 1, false, [](double a, double b) { return std::pow(a, b); }}},
      {"Mod",
       {2, 1, false,
        [](double a, double b) {
          const double rest = std::fmod(a, b);
          return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
        }}},
      {"PRelu", {2}},
      {"Equal", {1, 0, true, [](double a, double b) { return static_cast<double>(a == b); }}},
      {"Less", {1, 0, true, [](double a, double b) { return static_cast<double>(a < b); }}},
      {"Greater", {1, 0, true, [](double a, double b) { return static_cast<double>(a > b); }}},
      {"LessOrEqual", {1, 0, true, [](double a, double b) { return static_cast<double>(a <= b); }}},
      {"GreaterOrEqual",
       {1, 0, true, [](double a, double b) { return static_cast<double>(a >= b); }}},
      {"And",
       {1, 0, true, [](double a, double b) { return static_cast<double>(a != 0 && b != 0); }}},
      {"Or",
       {1, 0, true, [](double a, double b) { return static_cast<double>(a != 0 || b != 0); }}},
      {"Xor",
       {1, 0, true, [](double a, double b) { return static_cast<double>((a != 0) != (b != 0)); }}},
      {"BitShift", {1}},
      {"BitwiseAnd", {1}},
      {"BitwiseOr", {1}},
      {"BitwiseXor", {1}},
      {"Max", {1, 0, false, [](double a, double b) { return a < b ? b : a; }}},
      {"Min", {1, 0, false, [](double a, double b) { return b < a ? b : a; }}},
      {"Sum", {1, 0, false, [](double a, double b) { return a + b; }}},
      {"Mean", {1}},
  };
  return table;
}

// Also Sum, Mean, Max and Min of any number of inputs.
void binary(OnnxNodeContext& c) {
  const Binary& cost = binaries().at(c.node.type);
  if (c.inputs.empty()) c.refuse("at least one input is needed");
  OnnxValue value = c.input(0);
  value.claim = 0;
  value.constant = false;
  const bool whole = !is_floating(value.type);
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    const Dims left = value.dims;
    value.ranked = value.ranked && c.input(i).ranked;
    if (!value.ranked) throw NotKnown{fmt::format("the shape of input {} is not known", i)};
    value.dims = broadcast(c, left, c.input(i).dims);
    std::shared_ptr<const Elements> a, b;
    if (value.elements && c.elements_known(i) && cost.fold != nullptr && value.known() &&
        c.inputs.size() <= 64) {
      a = spread(*value.elements, left, value.dims);
      b = spread(*c.input(i).elements, c.input(i).dims, value.dims);
    }
    value.elements = nullptr;
    if (a && b) {
      auto made = std::make_shared<Elements>();
      for (std::size_t j = 0; j < a->size(); ++j) {
        const double x = (*a)[j], y = (*b)[j];
        // What is not known stays so, also through comparisons.
        const double z = x == x && y == y ? cost.fold(x, y) : std::nan("");
        made->push_back(whole && std::isfinite(z) ? std::trunc(z) : z);
      }
      value.elements = std::move(made);
    }
  }
  if (cost.logical) value.type = DataType::Bool;
  c.output(0, std::move(value));
  const std::uint64_t inputs = std::max<std::size_t>(2, c.inputs.size()) - 1;
  c.stream(KernelKind::Elementwise, c.output_count(0),
           checked_product("other operations", {inputs, cost.ops}), cost.special);
}

void where(OnnxNodeContext& c) {
  OnnxValue value =
      shaped(c.input(1).type, broadcast(c, broadcast(c, c.dims(0), c.dims(1)), c.dims(2)));
  if (c.elements_known(0) && c.elements_known(1) && c.elements_known(2) && value.known()) {
    const auto condition = spread(*c.input(0).elements, c.dims(0), value.dims);
    const auto yes = spread(*c.input(1).elements, c.dims(1), value.dims);
    const auto no = spread(*c.input(2).elements, c.dims(2), value.dims);
    if (condition && yes && no) {
      auto made = std::make_shared<Elements>();
      for (std::size_t i = 0; i < yes->size(); ++i) {
        const double which = (*condition)[i];
        made->push_back(which != which ? std::nan("") : which != 0 ? (*yes)[i] : (*no)[i]);
      }
      value.elements = std::move(made);
    }
  }
  c.output(0, std::move(value));
  c.stream(KernelKind::Elementwise, c.output_count(0), 1);
}

void clip(OnnxNodeContext& c) {
  OnnxValue value = c.input(0);
  value.claim = 0;
  value.constant = false;
  if (c.inputs.size() > 1) value.elements = nullptr;
  c.output(0, std::move(value));
  c.stream(KernelKind::Elementwise, c.output_count(0), 2);
}

void rotary(OnnxNodeContext& c) {
  c.output(0, c.input(0));
  // A pair takes four multiplications and two additions.
  c.stream(KernelKind::Elementwise, c.output_count(0), 3);
}

}  // namespace

void add_elementwise_rules(OnnxRules& rules) {
  for (const auto& [type, cost] : unaries()) rules[type] = unary;
  for (const char* type : {"com.microsoft::Gelu", "com.microsoft::QuickGelu",
                           "com.microsoft::FastGelu", "com.microsoft::BiasGelu"}) {
    rules[type] = unary;
  }
  for (const auto& [type, cost] : binaries()) rules[type] = binary;
  rules["Cast"] = cast;
  rules["CastLike"] = cast;
  rules["Where"] = where;
  rules["Clip"] = clip;
  rules["RotaryEmbedding"] = rotary;
  rules["com.microsoft::RotaryEmbedding"] = rotary;
}

}  // namespace carnot::model
