// SPDX-License-Identifier: Apache-2.0
// Fused attention, of the standard (operator set 23) and of com.microsoft, and mixtures of experts.
#include <cmath>

#include <fmt/format.h>

#include "carnot/model/workload/attention.hpp"

#include "model/workload/onnx_geometry.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

std::uint64_t u(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::uint64_t bytes_of_input(const OnnxNodeContext& c, std::size_t i) {
  return c.has(i) ? bytes_of(c.count(i), c.inputs[i]->type) : 0;
}

// Past keys and values are cache, not activations; of the present only what is new is written.
void emit_attention(OnnxNodeContext& c, AttentionShape shape, bool masked, std::size_t past_key,
                    std::size_t past_value, bool weights_apart = false) {
  if (shape.key_heads == 0 || shape.query_heads % shape.key_heads != 0) {
    c.refuse(fmt::format("{} key heads do not divide {} query heads", shape.key_heads,
                         shape.query_heads));
  }
  Operator* made = c.emit(KernelKind::Attention, shape, attention_counts(shape, masked));
  if (made == nullptr) return;
  const std::uint64_t width = c.input(0).type == DataType::Undefined ? 0 : bits(c.input(0).type);
  const std::uint64_t past =
      bytes_of_input(c, past_key) + (past_value != past_key ? bytes_of_input(c, past_value) : 0);
  made->cache_read_bytes = past;
  if (!weights_apart) made->read_bytes -= std::min(past, made->read_bytes);
  const bool keeps = c.outputs.size() > 1;
  if (keeps) {
    std::uint64_t present = 0;
    for (std::size_t i = 1; i < c.outputs.size() && i < 3; ++i) {
      if (const auto n = element_count(c.outputs[i])) present += bytes_of(*n, c.outputs[i].type);
    }
    made->written_bytes -= std::min(present, made->written_bytes);
    made->cache_written_bytes =
        checked_product("cache bytes", {shape.batch, shape.key_heads, shape.query_length,
                                        shape.key_dimension + shape.value_dimension, width}) /
        8;
  }
}

std::int64_t positive(const OnnxNodeContext& c, std::string_view name, std::int64_t otherwise) {
  const std::int64_t found = c.integer(name, otherwise);
  if (found < 1 || found > (1 << 24)) c.refuse(fmt::format("{} is needed, 1 or more", name));
  return found;
}

std::int64_t divided(const OnnxNodeContext& c, std::int64_t width, std::int64_t heads) {
  if (width % heads != 0) c.refuse(fmt::format("{} heads do not divide {}", heads, width));
  return width / heads;
}

struct Heads {
  std::int64_t batch, heads, length, dimension;
};

// A 3-d or 4-d input as heads.
Heads heads_of(const OnnxNodeContext& c, std::size_t i, std::int64_t heads) {
  const Dims& dims = c.known_dims(i);
  if (dims.size() == 4) return {dims[0], dims[1], dims[2], dims[3]};
  if (dims.size() == 3) return {dims[0], heads, dims[1], divided(c, dims[2], heads)};
  c.refuse(fmt::format("input {} has 3 or 4 dimensions", i));
}

void attention(OnnxNodeContext& c) {
  const bool flat = c.dims(0).size() == 3;
  const std::int64_t query_heads = flat ? positive(c, "q_num_heads", 0) : 1;
  const std::int64_t key_heads = flat ? positive(c, "kv_num_heads", 0) : 1;
  const Heads q = heads_of(c, 0, query_heads), k = heads_of(c, 1, key_heads);
  const Heads v = heads_of(c, 2, key_heads);
  if (q.dimension != k.dimension) c.refuse("queries and keys of different width");
  const std::int64_t past = c.has(4) ? c.known_dims(4, 4)[2] : 0;
  const std::int64_t length = past + k.length;
  const DataType type = c.input(0).type;
  if (flat) {
    c.output(0, type, {q.batch, q.length, q.heads * v.dimension});
  } else {
    c.output(0, type, {q.batch, q.heads, q.length, v.dimension});
  }
  c.output(1, type, {q.batch, k.heads, length, k.dimension});
  c.output(2, type, {q.batch, k.heads, length, v.dimension});
  c.output(3, type, {q.batch, q.heads, q.length, length});
  AttentionShape shape;
  shape.batch = u(q.batch);
  shape.query_heads = u(q.heads);
  shape.key_heads = u(k.heads);
  shape.query_length = u(q.length);
  shape.key_length = u(length);
  shape.key_dimension = u(k.dimension);
  shape.value_dimension = u(v.dimension);
  shape.causal = c.integer("is_causal", 0) != 0;
  // The standard aligns a causal mask at the first key after the past.
  shape.pairs = attended_pairs(shape.query_length, shape.key_length, u(past), shape.causal, 0);
  emit_attention(c, shape, c.has(3), 4, 5);
}

void multi_head_attention(OnnxNodeContext& c) {
  const std::int64_t heads = positive(c, "num_heads", 0);
  const DataType type = c.input(0).type;
  const Dims& q = c.known_dims(0);
  Heads query{}, key{}, value{};
  if (q.size() == 5) {  // batch x length x heads x 3 x dimension
    query = {q[0], q[2], q[1], q[4]};
    key = value = query;
  } else {
    query = heads_of(c, 0, heads);
    if (!c.has(1)) c.refuse("keys are needed");
    const Dims& k = c.known_dims(1);
    if (k.size() == 5) {
      key = value = {k[0], k[2], k[1], k[4]};
    } else {
      key = heads_of(c, 1, heads);
      value = c.has(2) ? heads_of(c, 2, heads) : key;
    }
  }
  const std::int64_t past = c.has(6) ? c.known_dims(6, 4)[2] : 0;
  AttentionShape shape;
  shape.batch = u(query.batch);
  shape.query_heads = shape.key_heads = u(heads);
  shape.query_length = u(query.length);
  shape.key_length = u(past + key.length);
  shape.key_dimension = u(query.dimension);
  shape.value_dimension = u(value.dimension);
  shape.causal = c.integer("unidirectional", 0) != 0;
  shape.pairs = attended_pairs(shape.query_length, shape.key_length,
                               shape.key_length - std::min(shape.key_length, shape.query_length),
                               shape.causal, 0);
  c.output(0, type, {query.batch, query.length, heads * value.dimension});
  c.output(1, type, {query.batch, heads, past + key.length, query.dimension});
  c.output(2, type, {query.batch, heads, past + key.length, value.dimension});
  emit_attention(c, shape, c.has(4) || c.has(5), 6, 7);
}

void group_query_attention(OnnxNodeContext& c) {
  const std::int64_t heads = positive(c, "num_heads", 0);
  const std::int64_t key_heads = positive(c, "kv_num_heads", 0);
  const Dims& q = c.known_dims(0, 3);
  const bool packed = !c.has(1);
  const std::int64_t dimension = divided(c, q[2], packed ? heads + 2 * key_heads : heads);
  const std::int64_t fresh = packed ? q[1] : c.known_dims(1, 3)[1];
  const std::int64_t past = c.has(3) ? c.known_dims(3, 4)[2] : 0;
  AttentionShape shape;
  shape.batch = u(q[0]);
  shape.query_heads = u(heads);
  shape.key_heads = u(key_heads);
  shape.query_length = u(q[1]);
  shape.key_length = u(past + fresh);
  shape.key_dimension = shape.value_dimension = u(dimension);
  shape.causal = true;
  const std::int64_t window = c.integer("local_window_size", -1);
  shape.window = window > 0 ? u(window) : 0;
  shape.pairs = attended_pairs(shape.query_length, shape.key_length,
                               shape.key_length - std::min(shape.key_length, shape.query_length),
                               true, shape.window);
  c.output(0, c.input(0).type, {q[0], q[1], heads * dimension});
  for (std::size_t i : {1u, 2u}) {
    c.output(i, c.input(0).type, {q[0], key_heads, past + fresh, dimension});
  }
  emit_attention(c, shape, false, 3, 4);
}

// Projection and attention in one node: two operators. Also the 8-bit QAttention.
void projected_attention(OnnxNodeContext& c) {
  const bool quantised = c.node.type == "QAttention";
  const std::size_t past_at = quantised ? 8 : 4;
  const std::int64_t heads = positive(c, "num_heads", 0);
  const Dims& x = c.known_dims(0, 3);
  const Dims& w = c.known_dims(1, 2);
  if (x[2] != w[0]) c.refuse("features differ from the weights'");
  const std::vector<std::int64_t> sizes = c.integers("qkv_hidden_sizes");
  std::int64_t query_width = 0, value_width = 0;
  if (sizes.size() == 3) {
    query_width = sizes[0];
    value_width = sizes[2];
    if (sizes[0] < 1 || sizes[2] < 1 || sizes[0] > w[1] || sizes[2] > w[1]) {
      c.refuse("qkv_hidden_sizes differ from the weights'");
    }
  } else {
    query_width = value_width = divided(c, w[1], 3);
  }
  const DataType type = quantised ? c.input(3).type : c.input(0).type;
  const std::int64_t past = c.has(past_at) ? c.known_dims(past_at, 5)[3] : 0;
  AttentionShape shape;
  shape.batch = u(x[0]);
  shape.query_heads = shape.key_heads = u(heads);
  shape.query_length = u(x[1]);
  shape.key_length = u(past + x[1]);
  shape.key_dimension = u(divided(c, query_width, heads));
  shape.value_dimension = u(divided(c, value_width, heads));
  shape.causal = c.integer("unidirectional", 0) != 0;
  shape.pairs = attended_pairs(shape.query_length, shape.key_length, u(past), shape.causal, 0);
  c.output(0, type, {x[0], x[1], value_width});
  c.output(1, type, {2, x[0], heads, past + x[1], query_width / heads});
  emit_product(c, KernelKind::Gemm,
               {1, checked_product("rows", {u(x[0]), u(x[1])}), u(w[1]), u(w[0])},
               c.has(2) ? 1 : 0);
  emit_attention(c, shape, c.has(quantised ? 5 : 3), past_at, past_at, true);
}

void experts(OnnxNodeContext& c) {
  const bool quantised = c.node.type == "QMoE";
  const Dims& x = c.known_dims(0);
  const Dims& router = c.known_dims(1, 2);
  if (x.empty()) c.refuse("rows are needed");
  const std::int64_t chosen = positive(c, "k", 1);
  const std::int64_t weight_bits = quantised ? c.integer("expert_weight_bits", 4) : 0;
  if (quantised && weight_bits != 4 && weight_bits != 8) c.refuse("expert_weight_bits is 4 or 8");
  const std::uint64_t packed = quantised && weight_bits == 4 ? 2 : 1;
  ExpertsShape shape;
  shape.tokens = u(router[0]);
  shape.experts = u(router[1]);
  shape.chosen = u(chosen);
  shape.hidden = u(x.back());
  std::uint64_t weights = 0;
  for (const std::size_t i :
       quantised ? std::vector<std::size_t>{2, 5, 8} : std::vector<std::size_t>{2, 4, 6}) {
    if (!c.has(i)) continue;
    const Dims& w = c.known_dims(i, 3);
    if (u(w[0]) != shape.experts) c.refuse("as many experts as router columns are needed");
    weights =
        checked_sum("parameters", {weights, checked_product("parameters", {c.count(i), packed})});
    ++shape.matrices;
  }
  if (shape.experts == 0 || shape.hidden == 0) c.refuse("no experts");
  if (shape.chosen > shape.experts) c.refuse(fmt::format("k is 1 ... {}", shape.experts));
  shape.touched = expected_touched(shape.experts, shape.chosen, shape.tokens);
  shape.intermediate =
      shape.matrices == 0 ? 0 : weights / shape.experts / shape.matrices / shape.hidden;
  c.output(0, c.input(0).type, x);
  const std::uint64_t macs = checked_product("multiply-accumulates",
                                             {shape.tokens, shape.chosen, weights / shape.experts});
  const std::uint64_t inner =
      checked_product("activations", {shape.tokens, shape.chosen, shape.intermediate});
  Operator* made = c.emit(KernelKind::Experts, shape,
                          product_counts(macs, checked_product("other operations", {inner, 5}),
                                         checked_product("special operations", {inner, 2})));
  if (made == nullptr) return;
  made->weight_read_bytes *= shape.touched / static_cast<double>(shape.experts);
  if (quantised) made->parameters = weights;
}

}  // namespace

void add_attention_rules(OnnxRules& rules) {
  rules["Attention"] = attention;
  rules["com.microsoft::MultiHeadAttention"] = multi_head_attention;
  rules["com.microsoft::GroupQueryAttention"] = group_query_attention;
  rules["com.microsoft::Attention"] = projected_attention;
  rules["com.microsoft::QAttention"] = projected_attention;
  rules["com.microsoft::MoE"] = experts;
  rules["com.microsoft::QMoE"] = experts;
}

}  // namespace carnot::model
