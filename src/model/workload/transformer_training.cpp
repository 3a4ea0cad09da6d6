// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "model/workload/transformer_builder.hpp"

namespace carnot::model {

namespace {

Counts times(const Counts& counts, std::uint64_t n) {
  return {checked_product("multiply-accumulates", {counts.macs, n}),
          checked_product("FLOPs", {counts.flops, n}),
          checked_product("other operations", {counts.other_ops, n}),
          checked_product("special operations", {counts.special_ops, n})};
}

// Gradients of the input and of the weights: a product each, as large as the forward one.
void add_backward(std::vector<Operator>& into, const Operator& forward) {
  Operator made = forward;
  made.phase = Phase::Backward;
  made.parameters = 0;
  made.cache_read_bytes = made.cache_written_bytes = 0;
  const auto* shape = std::get_if<GemmShape>(&forward.shape);
  if (shape != nullptr && forward.kind == KernelKind::Gemm) {
    made.name = forward.name + ".input_gradient";
    made.shape = GemmShape{shape->batch, shape->m, shape->k, shape->n};
    made.counts = times(forward.counts, 1);
    made.read_bytes = forward.written_bytes;
    made.written_bytes = forward.read_bytes;
    into.push_back(made);
    made.name = forward.name + ".weight_gradient";
    made.shape = GemmShape{shape->batch, shape->k, shape->n, shape->m};
    made.weight_read_bytes = 0;
    made.read_bytes = checked_sum("bytes read", {forward.read_bytes, forward.written_bytes});
    made.written_bytes = forward.weight_bytes;
    into.push_back(std::move(made));
    return;
  }
  made.name = forward.name + ".gradient";
  made.counts = times(forward.counts, 2);
  made.read_bytes = checked_sum("bytes read", {forward.read_bytes, forward.written_bytes});
  made.written_bytes = checked_sum(
      "bytes written", {forward.read_bytes, static_cast<std::uint64_t>(forward.weight_read_bytes)});
  into.push_back(std::move(made));
}

std::uint64_t kept_for_backward(const TransformerConfig& c, const TransformerRun& run,
                                std::uint64_t layers, std::uint64_t length) {
  const std::uint64_t rows = checked_product("activations", {length, run.batch, c.hidden, layers});
  if (run.recompute == Recompute::Full) return checked_product("activations", {2, rows});
  const std::uint64_t linear = checked_product("activations", {34, rows});
  if (run.recompute == Recompute::Selective) return linear;
  return checked_sum("activations",
                     {linear, checked_product("activations", {5, c.query_heads, length, length,
                                                              run.batch, layers})});
}

}  // namespace

void add_training(TransformerBuilder& b, const TransformerConfig& c, const TransformerRun& run) {
  Workload& w = b.workload;
  const std::vector<Operator> forward = w.operators;
  std::vector<Operator> added;
  for (const Operator& each : forward) {
    const bool attention =
        each.kind == KernelKind::Attention || each.kind == KernelKind::LatentAttention;
    // Selective recomputation repeats the attention alone.
    if (each.layer != 0 && (run.recompute == Recompute::Full ||
                            (run.recompute == Recompute::Selective && attention))) {
      Operator again = each;
      again.name += ".again";
      again.phase = Phase::Recompute;
      again.parameters = 0;
      added.push_back(std::move(again));
    }
  }
  for (auto each = forward.rbegin(); each != forward.rend(); ++each) {
    if (each->kind != KernelKind::Communication) add_backward(added, *each);
  }
  // Adam in mixed precision: two moments and a master copy in 32 bits, gradient and weights in
  // their own format; 12 operations a parameter, of them a root and a division.
  Operator update;
  update.name = update.type = "adam";
  update.kind = KernelKind::Optimiser;
  update.phase = Phase::Update;
  update.shape = StreamShape{w.parameters};
  update.weight_type = b.weights();
  update.activation_type = DataType::Float32;
  update.counts.other_ops = checked_product("other operations", {w.parameters, 12});
  update.counts.special_ops = checked_product("special operations", {w.parameters, 2});
  const std::uint64_t own = bytes_of(w.parameters, b.weights());
  update.read_bytes =
      checked_sum("bytes read", {checked_product("bytes", {w.parameters, 12}), own});
  update.written_bytes =
      checked_sum("bytes written", {checked_product("bytes", {w.parameters, 12}), own});
  added.push_back(std::move(update));
  w.operators.insert(w.operators.end(), std::make_move_iterator(added.begin()),
                     std::make_move_iterator(added.end()));
  std::uint64_t layers = 0, encoders = 0;
  for (const LayerGroup& each : c.layers) layers += each.count;
  for (const LayerGroup& each : c.encoder) encoders += each.count;
  const std::uint64_t side = c.image != 0 ? (c.image / c.patch) * (c.image / c.patch) : 0;
  const std::uint64_t length = side != 0 ? side : c.encoder.empty() ? run.prompt : run.target;
  w.activation_bytes = checked_sum(
      "activations",
      {kept_for_backward(c, run, layers, length), kept_for_backward(c, run, encoders, run.prompt)});
}

void add_communication(TransformerBuilder& b, const TransformerConfig& c, const TransformerRun& run,
                       std::uint64_t length) {
  const auto refuse = [](std::string_view what) {
    throw InputError(fmt::format("parallelism: {}", what));
  };
  if (run.tensor == 0 || run.pipeline == 0 || run.data == 0 || run.expert == 0) {
    refuse("degrees are 1 or more");
  }
  if (run.batch % run.data != 0) {
    refuse(fmt::format("a batch of {} does not divide among {} replicas", run.batch, run.data));
  }
  if (run.tensor > 1 && c.query_heads % run.tensor != 0) {
    refuse(fmt::format("{} heads do not divide among {} devices", c.query_heads, run.tensor));
  }
  if (run.tensor > 1 && c.query_heads == 0) refuse("heads are needed to split a layer");
  if (run.pipeline > c.layer_count()) {
    refuse(fmt::format("{} stages for {} layers", run.pipeline, c.layer_count()));
  }
  const bool train = run.mode == RunMode::Train;
  const std::uint64_t tokens = checked_product("tokens", {run.batch / run.data, length});
  const std::uint64_t state = b.activation_bytes(checked_product("state", {tokens, c.hidden}));
  bool experts = false;
  for (const LayerGroup& each : c.layers) {
    b.layers(each.name, each.count, each.first);
    const bool feeds = each.feed_forward.width != 0 || each.feed_forward.experts != 0;
    for (const bool backward : {false, true}) {
      if (backward && !train) continue;
      const std::string suffix = backward ? ".gradient" : "";
      const std::size_t before = b.workload.operators.size();
      b.communicate("attention.all_reduce" + suffix, Collective::AllReduce, Parallelism::Tensor,
                    run.tensor, state);
      if (feeds) {
        b.communicate("mlp.all_reduce" + suffix, Collective::AllReduce, Parallelism::Tensor,
                      run.tensor, state);
      }
      if (each.feed_forward.experts != 0) {
        experts = true;
        if (each.feed_forward.experts % run.expert != 0) {
          refuse(fmt::format("{} experts do not divide among {} devices", each.feed_forward.experts,
                             run.expert));
        }
        const std::uint64_t sent =
            b.activation_bytes(checked_product("tokens", {(tokens + run.expert - 1) / run.expert,
                                                          each.feed_forward.chosen, c.hidden}));
        b.communicate("experts.dispatch" + suffix, Collective::AllToAll, Parallelism::Expert,
                      run.expert, sent);
        b.communicate("experts.combine" + suffix, Collective::AllToAll, Parallelism::Expert,
                      run.expert, sent);
      }
      for (std::size_t i = before; i < b.workload.operators.size(); ++i) {
        if (backward) b.workload.operators[i].phase = Phase::Backward;
      }
    }
  }
  if (run.expert > 1 && !experts) refuse("expert parallelism needs experts");
  b.outside();
  if (run.pipeline > 1) {
    b.communicate("pipeline.forward", Collective::SendReceive, Parallelism::Pipeline, 2, state);
    b.workload.operators.back().repeats = run.pipeline - 1;
    if (train) {
      b.communicate("pipeline.backward", Collective::SendReceive, Parallelism::Pipeline, 2, state);
      b.workload.operators.back().repeats = run.pipeline - 1;
      b.workload.operators.back().phase = Phase::Backward;
    }
  }
  if (train && run.data > 1) {
    const std::uint64_t shards = checked_product("devices", {run.tensor, run.pipeline});
    b.communicate("gradients.all_reduce", Collective::AllReduce, Parallelism::Data, run.data,
                  bytes_of((b.workload.parameters + shards - 1) / shards, b.weights()));
    b.workload.operators.back().phase = Phase::Update;
  }
}

}  // namespace carnot::model
