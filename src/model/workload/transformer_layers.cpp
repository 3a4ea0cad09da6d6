// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "carnot/model/workload/attention.hpp"

#include "model/workload/transformer_builder.hpp"

namespace carnot::model {

namespace {

struct Part {
  TransformerBuilder& b;
  const TransformerConfig& c;
  const LayerGroup& group;
  const LayerRun& run;
  std::uint64_t tokens;

  void norm(std::string_view name) const {
    if (c.norms != 0) b.norm(name, tokens, c.hidden, c.norm_bias);
  }

  void self_attention() const {
    const std::uint64_t heads = c.query_heads, d = c.head_dimension;
    const std::uint64_t queries = heads * d, keys = c.key_heads * d;
    b.product("attention.query", tokens, c.hidden, c.attention_gate ? 2 * queries : queries,
              c.query_bias);
    b.product("attention.key", tokens, c.hidden, keys, c.query_bias);
    b.product("attention.value", tokens, c.hidden, keys, c.query_bias);
    if (c.query_norm) {
      b.norm("attention.query_norm", tokens * heads, d, false);
      b.norm("attention.key_norm", tokens * c.key_heads, d, false);
    }
    if (c.positions == 0 && c.relative_buckets == 0 && !c.modulated) {
      b.stream("attention.rotary", KernelKind::Elementwise, tokens * (queries + keys), 3, 0, 1);
    }
    AttentionShape shape;
    shape.batch = run.batch;
    shape.query_heads = heads;
    shape.key_heads = c.key_heads;
    shape.query_length = run.length;
    shape.key_length = run.past + run.length;
    shape.key_dimension = shape.value_dimension = d;
    shape.causal = group.causal;
    shape.window = group.window;
    shape.pairs =
        attended_pairs(run.length, shape.key_length, run.past, group.causal, group.window);
    // Of the past a window still needs all but the newest key of its first query.
    const std::uint64_t past = group.window == 0 ? run.past : std::min(run.past, group.window - 1);
    Operator& op =
        b.attention("attention.scores", KernelKind::Attention, shape, past, run.length, 2 * keys);
    if (c.sinks) {
      op.parameters = heads;
      op.weight_type = b.weights();
      op.weight_bytes = bytes_of(heads, b.weights());
      op.weight_read_bytes = static_cast<double>(op.weight_bytes);
      b.workload.parameters += heads * group.count;
      b.workload.active_parameters += heads * group.count;
    }
    if (c.attention_gate) {
      b.stream("attention.gate", KernelKind::Elementwise, tokens * queries, 5, 2, 2);
    }
    b.product("attention.output", tokens, queries, c.hidden, c.output_bias);
  }

  // Prefill expands keys and values; decoding absorbs the expansion into queries and outputs.
  void latent_attention() const {
    const std::uint64_t h = c.query_heads, nope = c.head_dimension, rope = c.rope_dimension;
    const std::uint64_t queries = h * (nope + rope);
    if (c.query_rank != 0) {
      b.product("attention.query_down", tokens, c.hidden, c.query_rank, c.query_bias);
      b.norm("attention.query_norm", tokens, c.query_rank, false);
      b.product("attention.query_up", tokens, c.query_rank, queries, false);
    } else {
      b.product("attention.query", tokens, c.hidden, queries, false);
    }
    b.product("attention.key_value_down", tokens, c.hidden, c.key_rank + rope, c.query_bias);
    b.norm("attention.key_value_norm", tokens, c.key_rank, false);
    b.stream("attention.rotary", KernelKind::Elementwise, tokens * (h + 1) * rope, 3, 0, 1);
    AttentionShape shape;
    shape.batch = run.batch;
    shape.query_heads = h;
    shape.query_length = run.length;
    shape.key_length = run.past + run.length;
    shape.causal = group.causal;
    shape.pairs = attended_pairs(run.length, shape.key_length, run.past, group.causal, 0);
    const std::uint64_t cached = c.key_rank + rope;
    const bool absorbed = run.decode || run.past != 0;
    const std::uint64_t up = c.key_rank * h * (nope + c.value_dimension);
    if (absorbed) {
      b.batched("attention.absorb_key", {h, tokens, c.key_rank, nope}, c.key_rank * h * nope);
      shape.key_heads = 1;
      shape.key_dimension = cached;
      shape.value_dimension = c.key_rank;
    } else {
      b.product("attention.key_value_up", tokens, c.key_rank, up / c.key_rank, false);
      shape.key_heads = h;
      shape.key_dimension = nope + rope;
      shape.value_dimension = c.value_dimension;
    }
    b.attention("attention.scores", absorbed ? KernelKind::LatentAttention : KernelKind::Attention,
                shape, run.past, run.length, cached);
    if (absorbed) {
      b.batched("attention.absorb_value", {h, tokens, c.value_dimension, c.key_rank},
                c.key_rank * h * c.value_dimension);
    }
    b.product("attention.output", tokens, h * c.value_dimension, c.hidden, c.output_bias);
  }

  void cross_attention() const {
    const std::uint64_t width = c.query_heads * c.head_dimension;
    norm("cross.norm");
    b.product("cross.query", tokens, c.hidden, width, false);
    const std::uint64_t fresh = run.encoder_fresh ? run.batch * run.encoder_length : 0;
    b.product("cross.key", fresh, c.hidden, width, false);
    b.product("cross.value", fresh, c.hidden, width, false);
    AttentionShape shape;
    shape.batch = run.batch;
    shape.query_heads = shape.key_heads = c.query_heads;
    shape.query_length = run.length;
    shape.key_length = run.encoder_length;
    shape.key_dimension = shape.value_dimension = c.head_dimension;
    shape.pairs = attended_pairs(run.length, run.encoder_length, 0, false, 0);
    b.attention("cross.scores", KernelKind::Attention, shape,
                run.encoder_fresh ? 0 : run.encoder_length,
                run.encoder_fresh ? run.encoder_length : 0, 2 * width);
    b.product("cross.output", tokens, width, c.hidden, false);
  }

  void convolution(std::string_view name, std::uint64_t width, bool bias) const {
    const std::uint64_t macs = checked_product("multiply-accumulates", {tokens, width, c.kernel});
    const std::uint64_t outputs = tokens * width;
    const Counts counts{macs, checked_product("FLOPs", {macs, 2}),
                        checked_product("other operations", {outputs, bias ? 5u : 4u}),
                        2 * outputs};
    b.scan(name, {run.batch, run.length, width, 1, c.kernel}, counts, tokens * width,
           tokens * width, width * (c.kernel + (bias ? 1 : 0)),
           b.activation_bytes(checked_product("state", {run.batch, width, c.kernel})));
  }

  void gated_delta() const {
    const std::uint64_t kd = c.linear_key_heads * c.linear_key_dimension;
    const std::uint64_t vd = c.linear_value_heads * c.linear_value_dimension;
    b.product("linear.query_key_value_gate", tokens, c.hidden, 2 * kd + 2 * vd, false);
    b.product("linear.beta_decay", tokens, c.hidden, 2 * c.linear_value_heads, false);
    convolution("linear.convolution", 2 * kd + vd, false);
    const std::uint64_t cells = checked_product(
        "state", {c.linear_value_heads, c.linear_key_dimension, c.linear_value_dimension});
    const std::uint64_t steps = checked_product("state", {tokens, cells});
    const std::uint64_t macs = checked_product("multiply-accumulates", {3, steps});
    b.scan("linear.delta_rule",
           {run.batch, run.length, c.linear_value_heads, c.linear_key_dimension,
            c.linear_value_dimension},
           {macs, checked_product("FLOPs", {macs, 2}), steps, tokens * c.linear_value_heads * 2},
           tokens * (2 * kd + vd), tokens * vd, 2 * c.linear_value_heads,
           b.activation_bytes(checked_product("state", {run.batch, cells})));
    b.norm("linear.norm", tokens * c.linear_value_heads, c.linear_value_dimension, false);
    b.stream("linear.gate", KernelKind::Elementwise, tokens * vd, 5, 2, 2);
    b.product("linear.output", tokens, vd, c.hidden, false);
  }

  void mamba() const {
    b.product("mamba.input", tokens, c.hidden, 2 * c.inner, c.query_bias);
    convolution("mamba.convolution", c.inner, c.convolution_bias);
    b.product("mamba.select", tokens, c.inner, c.step_rank + 2 * c.state, false);
    b.product("mamba.step", tokens, c.step_rank, c.inner, true);
    const std::uint64_t cells = checked_product("state", {c.inner, c.state});
    const std::uint64_t steps = checked_product("state", {tokens, cells});
    const std::uint64_t macs = checked_product("multiply-accumulates", {2, steps});
    // exp(dt A), dt B x; D x is one more product a channel.
    b.scan("mamba.scan", {run.batch, run.length, c.inner, 1, c.state},
           {macs, checked_product("FLOPs", {macs, 2}),
            checked_sum("other operations", {macs, steps, 2 * tokens * c.inner}), steps},
           tokens * (2 * c.inner + 2 * c.state), tokens * c.inner, cells + c.inner,
           b.activation_bytes(checked_product("state", {run.batch, cells})));
    b.stream("mamba.gate", KernelKind::Elementwise, tokens * c.inner, 5, 2, 2);
    b.product("mamba.output", tokens, c.inner, c.hidden, c.output_bias);
  }

  void mamba2() const {
    const std::uint64_t mixed = c.inner + 2 * c.groups * c.state;
    const std::uint64_t heads = c.scan_heads != 0 ? c.scan_heads : c.query_heads;
    b.product("mamba.input", tokens, c.hidden, mixed + c.inner + heads, c.query_bias);
    convolution("mamba.convolution", mixed, c.convolution_bias);
    const std::uint64_t cells = checked_product("state", {c.inner, c.state});
    const std::uint64_t steps = checked_product("state", {tokens, cells});
    const std::uint64_t macs = checked_product("multiply-accumulates", {2, steps});
    b.scan("mamba.scan", {run.batch, run.length, heads, c.inner / heads, c.state},
           {macs, checked_product("FLOPs", {macs, 2}),
            checked_sum("other operations", {steps, 3 * tokens * c.inner}), tokens * heads},
           tokens * mixed, tokens * c.inner, 3 * heads,
           b.activation_bytes(checked_product("state", {run.batch, cells})));
    b.stream("mamba.gate", KernelKind::Elementwise, tokens * c.inner, 5, 2, 2);
    b.norm("mamba.norm", tokens, c.inner, false);
    b.product("mamba.output", tokens, c.inner, c.hidden, c.output_bias);
  }

  void dense(std::string_view prefix, std::uint64_t width, bool gated, bool bias) const {
    const std::string name(prefix);
    if (gated) b.product(name + ".gate", tokens, c.hidden, width, bias);
    b.product(name + ".up", tokens, c.hidden, width, bias);
    b.stream(name + ".activation", KernelKind::Elementwise, tokens * width, gated ? 6 : 5,
             gated ? 2 : 1, gated ? 2 : 1);
    b.product(name + ".down", tokens, width, c.hidden, bias);
  }

  void feed_forward() const {
    const FeedForward& f = group.feed_forward;
    if (f.width != 0) dense("mlp", f.width, f.gated, f.bias);
    if (f.experts == 0) return;
    b.product("router", tokens, c.hidden, f.experts, f.router_bias);
    b.stream("router.choice", KernelKind::Selection, tokens * f.experts, 6, 2, 1);
    ExpertsShape shape;
    shape.tokens = tokens;
    shape.experts = f.experts;
    shape.chosen = f.chosen;
    shape.hidden = c.hidden;
    shape.intermediate = f.expert_width;
    shape.matrices = f.gated ? 3 : 2;
    shape.touched = expected_touched(f.experts, f.chosen, tokens);
    b.experts("experts", shape, f.expert_bias);
    if (f.shared_width == 0) return;
    dense("shared", f.shared_width, f.gated, false);
    if (f.shared_gate) {
      b.product("shared.weight", tokens, c.hidden, 1, false);
      b.stream("shared.scale", KernelKind::Elementwise, tokens * c.hidden, 2, 0, 2);
    }
  }

  void modulation() const {
    b.product("modulation", run.batch, c.hidden, 6 * c.hidden, true);
    b.norm("attention.norm", tokens, c.hidden, true, false);
    b.stream("attention.modulate", KernelKind::Elementwise, tokens * c.hidden, 2, 0, 1);
  }
};

}  // namespace

void add_layers(TransformerBuilder& b, const TransformerConfig& c, const LayerGroup& group,
                const LayerRun& run) {
  b.layers(group.name, group.count, group.first);
  const Part part{b, c, group, run, checked_product("tokens", {run.batch, run.length})};
  const std::uint64_t elements = checked_product("elements", {part.tokens, c.hidden});
  if (c.modulated) part.modulation();
  part.norm("attention.norm");
  switch (group.mixer) {
    case Mixer::Attention:
      part.self_attention();
      break;
    case Mixer::LatentAttention:
      part.latent_attention();
      break;
    case Mixer::GatedDelta:
      part.gated_delta();
      break;
    case Mixer::Mamba:
      part.mamba();
      break;
    case Mixer::Mamba2:
      part.mamba2();
      break;
    case Mixer::None:
      break;
  }
  if (c.norms == 4) part.norm("attention.post_norm");
  b.stream("attention.residual", KernelKind::Elementwise, elements, c.modulated ? 2 : 1, 0, 2);
  if (group.cross) {
    part.cross_attention();
    b.stream("cross.residual", KernelKind::Elementwise, elements, 1, 0, 2);
  }
  const bool feeds = group.feed_forward.width != 0 || group.feed_forward.experts != 0;
  if (!feeds) return;
  if (c.modulated) {
    b.norm("mlp.norm", part.tokens, c.hidden, true, false);
    b.stream("mlp.modulate", KernelKind::Elementwise, elements, 2, 0, 1);
  }
  part.norm("mlp.norm");
  part.feed_forward();
  if (c.norms == 4) part.norm("mlp.post_norm");
  b.stream("mlp.residual", KernelKind::Elementwise, elements, c.modulated ? 2 : 1, 0, 2);
}

}  // namespace carnot::model
