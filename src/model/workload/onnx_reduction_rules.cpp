// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax, norms and selections. A sum of n terms is counted as n operations.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

// Before the sum, after it.
struct Reduction {
  std::uint64_t each = 1, end = 0, special_each = 0, special_end = 0;
};

const std::unordered_map<std::string_view, Reduction>& reductions() {
  static const std::unordered_map<std::string_view, Reduction> table{
      {"ReduceSum", {}},
      {"ReduceMax", {}},
      {"ReduceMin", {}},
      {"ReduceProd", {}},
      {"ReduceMean", {1, 1, 0, 1}},
      {"ReduceL1", {2}},
      {"ReduceL2", {2, 1, 0, 1}},
      {"ReduceSumSquare", {2}},
      {"ReduceLogSum", {1, 1, 0, 1}},
      {"ReduceLogSumExp", {2, 1, 1, 1}},
  };
  return table;
}

std::shared_ptr<const Elements> fold(const OnnxNodeContext& c, std::string_view type) {
  if (!c.elements_known(0) || c.dims(0).size() > 1) return nullptr;
  const Elements& all = *c.input(0).elements;
  double made = type == "ReduceProd" ? 1 : 0;
  if (type == "ReduceMax" || type == "ReduceMin") {
    if (all.empty()) return nullptr;
    made = all[0];
  }
  for (const double each : all) {
    if (each != each) return nullptr;
    if (type == "ReduceProd") {
      made *= each;
    } else if (type == "ReduceSum") {
      made += each;
    } else if (type == "ReduceMax") {
      made = std::max(made, each);
    } else if (type == "ReduceMin") {
      made = std::min(made, each);
    } else {
      return nullptr;
    }
  }
  return std::make_shared<Elements>(Elements{made});
}

void reduce(OnnxNodeContext& c) {
  const Reduction& cost = reductions().at(c.node.type);
  const Dims& dims = c.dims(0);
  const std::vector<std::int64_t> axes = c.integers("axes", 1);
  const bool keep = c.integer("keepdims", 1) != 0;
  if (axes.empty() && c.integer("noop_with_empty_axes", 0) != 0) {
    c.output(0, c.input(0));
    return;
  }
  std::vector<bool> gone(dims.size(), axes.empty());
  for (const std::int64_t each : axes) gone[c.axis(each, dims.size())] = true;
  Dims made;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!gone[i]) {
      made.push_back(dims[i]);
    } else if (keep) {
      made.push_back(1);
    }
  }
  OnnxValue value = shaped(c.input(0).type, std::move(made));
  if (gone.empty() || gone[0]) value.elements = fold(c, c.node.type);
  c.output(0, std::move(value));
  const std::uint64_t elements = c.count(0), outputs = c.output_count(0);
  Counts counts;
  counts.other_ops =
      checked_sum("other operations", {checked_product("other operations", {elements, cost.each}),
                                       checked_product("other operations", {outputs, cost.end})});
  counts.special_ops =
      checked_sum("special operations", {elements * cost.special_each, outputs * cost.special_end});
  c.emit(KernelKind::Reduction, StreamShape{elements}, counts);
}

void arg_reduce(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  const std::size_t axis = c.axis(c.integer("axis", 0), made.size());
  if (c.integer("keepdims", 1) != 0) {
    made[axis] = 1;
  } else {
    made.erase(made.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  c.output(0, DataType::Int64, std::move(made));
  c.stream(KernelKind::Reduction, c.count(0), 1);
}

void softmax(OnnxNodeContext& c) {
  OnnxValue value = shaped(c.input(0).type, c.dims(0));
  c.output(0, std::move(value));
  // maximum, difference, exponential, sum, division; the logarithm instead of the division
  c.stream(KernelKind::Softmax, c.output_count(0), 5, 2);
}

void cumulative(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  c.stream(KernelKind::Reduction, c.output_count(0), 1);
}

// y = (x - mean) / deviation * scale + bias over groups; operations an element, and special ones a
// group: a division and a root.
void norm(OnnxNodeContext& c, std::uint64_t each, std::uint64_t groups) {
  const std::uint64_t elements = c.count(0);
  Counts counts;
  counts.other_ops =
      checked_sum("other operations", {checked_product("other operations", {elements, each}),
                                       checked_product("other operations", {groups, 4})});
  counts.special_ops = checked_product("special operations", {groups, 2});
  c.emit(KernelKind::Normalisation, StreamShape{elements}, counts);
}

std::uint64_t rows_before(const Dims& dims, std::size_t axis) {
  std::uint64_t rows = 1;
  for (std::size_t i = 0; i < axis; ++i) {
    rows = checked_product("rows", {rows, static_cast<std::uint64_t>(dims[i])});
  }
  return rows;
}

void layer_norm(OnnxNodeContext& c) {
  const bool skip = c.node.type.starts_with("Skip");
  const bool rms = c.node.type.find("RMS") != std::string_view::npos ||
                   c.node.type.find("Simplified") != std::string_view::npos;
  c.output(0, c.input(0).type, c.dims(0));
  if (skip) c.output(3, c.input(0).type, c.dims(0));
  const Dims& dims = c.known_dims(0);
  const std::size_t axis = c.axis(c.integer("axis", -1), dims.size());
  Dims means = dims;
  for (std::size_t i = axis; i < means.size(); ++i) means[i] = 1;
  for (std::size_t i : {1u, 2u}) c.output(i, DataType::Float32, means);
  const std::size_t bias_at = skip ? (rms ? 5 : 3) : 2;
  // mean 1, difference 1, square 1, sum 1, times 1, scale 1; without the mean 4
  const std::uint64_t bias = c.has(bias_at) ? 1 : 0;
  norm(c, (rms ? 4 : 6) + bias + (skip ? 1 : 0), rows_before(dims, axis));
}

void batch_norm(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  c.known_dims(0);
  // At inference scale and shift are one multiplication and one addition.
  if (c.integer("training_mode", 0) == 0) {
    c.stream(KernelKind::Normalisation, c.count(0), 2);
    return;
  }
  for (std::size_t i : {1u, 2u}) {
    if (c.has(i + 2)) c.output(i, *c.inputs[i + 2]);
  }
  const Dims& dims = c.known_dims(0);
  norm(c, 7, dims.size() > 1 ? static_cast<std::uint64_t>(dims[1]) : 1);
}

void group_norm(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  const Dims& dims = c.known_dims(0);
  if (dims.size() < 2) c.refuse("input is N x C x ...");
  const std::int64_t given = c.integer("num_groups", c.integer("groups", 0));
  const std::int64_t groups = c.node.type == "InstanceNormalization" ? dims[1] : given;
  if (groups < 0) c.refuse("groups below zero");
  norm(c, 7,
       checked_product("groups",
                       {static_cast<std::uint64_t>(dims[0]), static_cast<std::uint64_t>(groups)}));
}

void local_response(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  const std::int64_t size = c.integer("size", 1);
  if (size < 1 || size > (1 << 20)) c.refuse("size is 1 or more");
  // squares and sums in the window, then x / (k + a s)^b
  c.stream(KernelKind::Normalisation, c.output_count(0), 2 * static_cast<std::uint64_t>(size) + 4,
           2);
}

void lp_norm(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  c.stream(KernelKind::Normalisation, c.output_count(0), 3, 1);
}

void top_k(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  const std::size_t axis = c.axis(c.integer("axis", -1), made.size());
  const std::int64_t length = made[axis];
  std::vector<std::int64_t> k = c.attribute("k") != nullptr
                                    ? std::vector<std::int64_t>{c.integer("k", 0)}
                                : c.elements_known(1) ? c.integers(1)
                                                      : std::vector<std::int64_t>{-1};
  if (k.size() != 1 || k[0] < -1) c.refuse("k is one number, 0 or more");
  made[axis] = k[0];
  c.output(0, c.input(0).type, made);
  c.output(1, DataType::Int64, std::move(made));
  if (k[0] < 0) throw NotKnown{"k is not known"};
  // Compares of a heap of k: n log2 k, at least one each.
  const double deep = std::max(1.0, std::ceil(std::log2(static_cast<double>(std::max<std::int64_t>(
                                        1, std::min(k[0], std::max<std::int64_t>(1, length)))))));
  c.stream(KernelKind::Selection, c.count(0), static_cast<std::uint64_t>(deep));
}

void embed_layer_norm(OnnxNodeContext& c) {
  const Dims& ids = c.known_dims(0, 2);
  const Dims& table = c.known_dims(2, 2);
  const DataType type = c.input(2).type;
  c.output(0, type, {ids[0], ids[1], table[1]});
  c.output(1, DataType::Int32, {ids[0]});
  c.output(2, type, {ids[0], ids[1], table[1]});
  const std::uint64_t elements = c.output_count(0);
  Operator* made = c.stream(KernelKind::Embedding, elements, 9);
  if (made != nullptr) {
    made->weight_read_bytes =
        std::min(made->weight_read_bytes, 3 * static_cast<double>(bytes_of(elements, type)));
  }
}

}  // namespace

void add_reduction_rules(OnnxRules& rules) {
  for (const auto& [type, cost] : reductions()) rules[type] = reduce;
  for (const char* type : {"ArgMax", "ArgMin"}) rules[type] = arg_reduce;
  for (const char* type : {"Softmax", "LogSoftmax"}) rules[type] = softmax;
  for (const char* type : {"CumSum", "CumProd"}) rules[type] = cumulative;
  for (const char* type :
       {"LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization",
        "com.microsoft::SimplifiedLayerNormalization", "com.microsoft::SkipLayerNormalization",
        "com.microsoft::SkipSimplifiedLayerNormalization", "com.microsoft::LayerNormalization"}) {
    rules[type] = layer_norm;
  }
  rules["BatchNormalization"] = batch_norm;
  for (const char* type :
       {"GroupNormalization", "InstanceNormalization", "com.microsoft::GroupNorm"}) {
    rules[type] = group_norm;
  }
  rules["LRN"] = local_response;
  for (const char* type : {"LpNormalization", "MeanVarianceNormalization"}) rules[type] = lp_norm;
  rules["TopK"] = top_k;
  rules["com.microsoft::EmbedLayerNormalization"] = embed_layer_norm;
}

}  // namespace carnot::model
