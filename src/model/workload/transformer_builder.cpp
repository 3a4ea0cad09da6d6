// SPDX-License-Identifier: Apache-2.0
#include "model/workload/transformer_builder.hpp"

#include "carnot/model/workload/attention.hpp"

namespace carnot::model {

namespace {

Counts counts_of(std::uint64_t macs, std::uint64_t other = 0, std::uint64_t special = 0) {
  return {macs, checked_product("FLOPs", {macs, 2}), other, special};
}

}  // namespace

TransformerBuilder::TransformerBuilder(const TransformerConfig& config, const TransformerRun& run)
    : run_(run), weights_(run.weights == DataType::Undefined ? config.weights : run.weights) {
  workload.name = config.name;
  workload.source = config.model_type;
  workload.notes = config.notes;
}

void TransformerBuilder::layers(std::string_view name, std::uint64_t copies, std::uint64_t first) {
  prefix_ = name.empty() ? std::string() : std::string(name) + ".";
  copies_ = copies;
  first_ = first;
}

Operator& TransformerBuilder::add(std::string_view name, KernelKind kind, OperatorShape shape,
                                  const Counts& counts, std::uint64_t parameters,
                                  std::uint64_t inputs, std::uint64_t outputs) {
  Operator made;
  made.name = prefix_ + std::string(name);
  made.type = std::string(name);
  made.kind = kind;
  made.shape = shape;
  made.counts = counts;
  made.parameters = parameters;
  made.weight_type = parameters != 0 ? weights_ : DataType::Undefined;
  made.weight_bytes = bytes_of(parameters, weights_);
  made.weight_read_bytes = static_cast<double>(made.weight_bytes);
  made.activation_type = run_.activations;
  made.read_bytes = activation_bytes(inputs);
  made.written_bytes = activation_bytes(outputs);
  made.repeats = made.copies = copies_;
  made.layer = first_;
  workload.parameters = checked_sum(
      "parameters", {workload.parameters, checked_product("parameters", {parameters, copies_})});
  workload.active_parameters = checked_sum(
      "parameters",
      {workload.active_parameters, checked_product("parameters", {parameters, copies_})});
  workload.operators.push_back(std::move(made));
  return workload.operators.back();
}

Operator& TransformerBuilder::product(std::string_view name, std::uint64_t tokens, std::uint64_t in,
                                      std::uint64_t out, bool bias, bool shared) {
  const std::uint64_t macs = checked_product("multiply-accumulates", {tokens, in, out});
  const std::uint64_t outputs = checked_product("outputs", {tokens, out});
  const std::uint64_t stored =
      checked_sum("parameters", {checked_product("parameters", {in, out}), bias ? out : 0});
  Operator& made = add(name, KernelKind::Gemm, GemmShape{1, tokens, out, in},
                       counts_of(macs, bias ? outputs : 0), shared ? 0 : stored,
                       checked_product("inputs", {tokens, in}), outputs);
  if (shared) {
    made.weight_type = weights_;
    made.weight_bytes = bytes_of(stored, weights_);
    made.weight_read_bytes = static_cast<double>(made.weight_bytes);
  }
  return made;
}

Operator& TransformerBuilder::batched(std::string_view name, const GemmShape& shape,
                                      std::uint64_t parameters) {
  const std::uint64_t macs =
      checked_product("multiply-accumulates", {shape.batch, shape.m, shape.n, shape.k});
  return add(name, KernelKind::Gemm, shape, counts_of(macs), parameters,
             checked_product("inputs", {shape.batch, shape.m, shape.k}),
             checked_product("outputs", {shape.batch, shape.m, shape.n}));
}

Operator& TransformerBuilder::attention(std::string_view name, KernelKind kind,
                                        const AttentionShape& shape, std::uint64_t past,
                                        std::uint64_t fresh, std::uint64_t cache_width) {
  const std::uint64_t queries = checked_product(
      "inputs", {shape.batch, shape.query_heads, shape.query_length, shape.key_dimension});
  const std::uint64_t outputs = checked_product(
      "outputs", {shape.batch, shape.query_heads, shape.query_length, shape.value_dimension});
  const std::uint64_t keys = checked_product("inputs", {shape.batch, fresh, cache_width});
  Operator& made = add(name, kind, shape, attention_counts(shape, false), 0,
                       checked_sum("inputs", {queries, keys}), outputs);
  const auto cached = [&](std::uint64_t tokens) {
    return bytes_of(checked_product("cache", {shape.batch, tokens, cache_width}), run_.cache);
  };
  made.cache_read_bytes = cached(past);
  made.cache_written_bytes = run_.mode == RunMode::Train ? 0 : cached(fresh);
  return made;
}

Operator& TransformerBuilder::norm(std::string_view name, std::uint64_t rows, std::uint64_t width,
                                   bool mean, bool weights) {
  const std::uint64_t elements = checked_product("elements", {rows, width});
  const std::uint64_t each = (mean ? 6u : 4u) + (mean && weights ? 1u : 0u) - (weights ? 0u : 1u);
  const std::uint64_t other =
      checked_sum("other operations", {checked_product("other operations", {elements, each}),
                                       checked_product("other operations", {rows, 4})});
  return add(name, KernelKind::Normalisation, StreamShape{elements},
             counts_of(0, other, checked_product("special operations", {rows, 2})),
             weights ? checked_product("parameters", {width, mean ? 2u : 1u}) : 0, elements,
             elements);
}

Operator& TransformerBuilder::stream(std::string_view name, KernelKind kind, std::uint64_t elements,
                                     std::uint64_t ops, std::uint64_t special, std::uint64_t inputs,
                                     std::uint64_t parameters) {
  return add(name, kind, StreamShape{elements},
             counts_of(0, checked_product("other operations", {elements, ops}),
                       checked_product("special operations", {elements, special})),
             parameters, checked_product("inputs", {elements, inputs}), elements);
}

Operator& TransformerBuilder::embedding(std::string_view name, std::uint64_t rows,
                                        std::uint64_t width, std::uint64_t looked_up) {
  const std::uint64_t elements = checked_product("elements", {looked_up, width});
  Operator& made = add(name, KernelKind::Embedding, StreamShape{elements}, {},
                       checked_product("parameters", {rows, width}), 0, elements);
  made.weight_read_bytes = static_cast<double>(bytes_of(elements, weights_));
  return made;
}

Operator& TransformerBuilder::experts(std::string_view name, const ExpertsShape& shape, bool bias) {
  const std::uint64_t weights =
      checked_product("parameters", {shape.matrices, shape.hidden, shape.intermediate});
  const std::uint64_t biases =
      bias ? checked_sum("parameters", {(shape.matrices - 1) * shape.intermediate, shape.hidden})
           : 0;
  const std::uint64_t one = checked_sum("parameters", {weights, biases});
  const std::uint64_t rows = checked_product("rows", {shape.tokens, shape.chosen});
  const std::uint64_t inner = checked_product("elements", {rows, shape.intermediate});
  const std::uint64_t outputs = checked_product("outputs", {rows, shape.hidden});
  // Activation and gate inside, then the weighted sum of the chosen.
  const std::uint64_t other =
      checked_sum("other operations",
                  {checked_product("other operations", {inner, shape.matrices == 3 ? 6u : 5u}),
                   checked_product("other operations", {outputs, 2}),
                   checked_product("other operations", {rows, biases})});
  Operator& made = add(name, KernelKind::Experts, shape,
                       counts_of(checked_product("multiply-accumulates", {rows, weights}), other,
                                 checked_product("special operations", {inner, 2})),
                       checked_product("parameters", {shape.experts, one}),
                       checked_product("inputs", {shape.tokens, shape.hidden}),
                       checked_product("outputs", {shape.tokens, shape.hidden}));
  made.weight_read_bytes *= shape.touched / static_cast<double>(shape.experts);
  workload.active_parameters -=
      checked_product("parameters", {shape.experts - shape.chosen, one, copies_});
  return made;
}

Operator& TransformerBuilder::scan(std::string_view name, const ScanShape& shape,
                                   const Counts& counts, std::uint64_t inputs,
                                   std::uint64_t outputs, std::uint64_t parameters,
                                   std::uint64_t state_bytes) {
  Operator& made = add(name, KernelKind::Scan, shape, counts, parameters, inputs, outputs);
  if (run_.mode != RunMode::Train) {
    made.cache_written_bytes = state_bytes;
    if (run_.context != 0 || run_.mode == RunMode::Decode) made.cache_read_bytes = state_bytes;
  }
  return made;
}

void TransformerBuilder::communicate(std::string_view name, Collective collective,
                                     Parallelism parallelism, std::uint64_t participants,
                                     std::uint64_t payload) {
  if (participants < 2) return;
  CommunicationShape shape;
  shape.collective = collective;
  shape.parallelism = parallelism;
  shape.participants = participants;
  shape.payload_bytes = payload;
  const double n = static_cast<double>(participants), bytes = static_cast<double>(payload);
  shape.sent_bytes = collective == Collective::SendReceive ? bytes
                     : collective == Collective::AllReduce ? 2 * (n - 1) / n * bytes
                                                           : (n - 1) / n * bytes;
  add(name, KernelKind::Communication, shape, {}, 0, 0, 0);
}

}  // namespace carnot::model
