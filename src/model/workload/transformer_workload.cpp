// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "model/workload/transformer_builder.hpp"

namespace carnot::model {

namespace {

void limit(std::string_view what, std::initializer_list<std::uint64_t> factors, unsigned bits) {
  if (checked_product(what, factors) >> bits != 0) {
    throw InputError(fmt::format("{}: at most 2^{}", what, bits));
  }
}

// Keeps products of a few of these within 64 bits.
void validate(const TransformerConfig& c, const TransformerRun& run) {
  const auto one = [](std::uint64_t x) { return std::max<std::uint64_t>(1, x); };
  limit("tokens", {one(run.batch), one(run.prompt) + one(run.context) + one(run.target)}, 34);
  limit("image", {one(run.batch), one(c.image), one(c.image)}, 34);
  limit("hidden size", {one(c.hidden)}, 24);
  limit("heads",
        {one(c.query_heads),
         one(c.head_dimension) + c.rope_dimension + c.value_dimension + c.key_rank},
        28);
  limit("linear heads",
        {one(c.linear_value_heads + c.linear_key_heads),
         one(c.linear_key_dimension + c.linear_value_dimension)},
        26);
  limit("latent ranks", {one(c.key_rank), one(c.query_rank)}, 36);
  limit("state", {one(c.inner), one(c.state)}, 34);
  limit("groups", {one(c.groups), one(c.state)}, 24);
  limit("inner width", {one(c.inner)}, 26);
  limit("kernel", {one(c.kernel)}, 16);
  for (const std::vector<LayerGroup>* groups : {&c.layers, &c.encoder}) {
    for (const LayerGroup& each : *groups) {
      const FeedForward& f = each.feed_forward;
      limit("feed-forward width", {one(std::max({f.width, f.expert_width, f.shared_width}))}, 26);
      limit("experts", {one(f.experts)}, 20);
    }
  }
  if (c.hidden == 0 || c.layer_count() == 0) throw InputError("a transformer without layers");
  if (run.batch == 0 || (run.prompt == 0 && run.mode != RunMode::Decode)) {
    throw InputError("batch and prompt are 1 or more");
  }
}

std::uint64_t image_tokens(const TransformerConfig& c) {
  const std::uint64_t side = c.image / c.patch;
  return side * side + (c.modulated ? 0 : 1);
}

// Images: patches in, a class or a denoised image out.
void image_workload(TransformerBuilder& b, const TransformerConfig& c, const TransformerRun& run) {
  const std::uint64_t patches = (c.image / c.patch) * (c.image / c.patch);
  const std::uint64_t patch = c.channels * c.patch * c.patch;
  const std::uint64_t length = image_tokens(c), tokens = run.batch * length;
  b.outside();
  b.product("patches", run.batch * patches, patch, c.hidden, true);
  if (!c.modulated) {
    b.stream("class_token", KernelKind::DataMovement, run.batch * c.hidden, 0, 0, 0, c.hidden);
  }
  b.stream("positions", KernelKind::Elementwise, tokens * c.hidden, 1, 0, 1,
           c.positions * c.hidden);
  if (c.modulated) {
    constexpr std::uint64_t kFrequencies = 256;
    b.product("time.up", run.batch, kFrequencies, c.hidden, true);
    b.product("time.down", run.batch, c.hidden, c.hidden, true);
    b.embedding("classes", c.classes, c.hidden, run.batch);
  }
  LayerRun layer;
  layer.batch = run.batch;
  layer.length = length;
  for (const LayerGroup& each : c.layers) add_layers(b, c, each, layer);
  b.outside();
  if (c.modulated) {
    b.product("final.modulation", run.batch, c.hidden, 2 * c.hidden, true);
    b.norm("final.norm", tokens, c.hidden, true, false);
    b.stream("final.modulate", KernelKind::Elementwise, tokens * c.hidden, 2, 0, 1);
    b.product("final.output", tokens, c.hidden, c.patch * c.patch * c.out_channels, true);
  } else {
    b.norm("final.norm", tokens, c.hidden, c.norm_bias);
    if (c.classes != 0) b.product("classifier", run.batch, c.hidden, c.classes, true);
  }
  if (c.pooler) b.product("pooler", run.batch, c.hidden, c.hidden, true);
  b.workload.unit = "image";
  b.workload.units = run.batch;
  b.workload.input_bytes = b.activation_bytes(run.batch * c.channels * c.image * c.image);
  if (run.mode == RunMode::Train) add_training(b, c, run);
  add_communication(b, c, run, length);
}

void embed(TransformerBuilder& b, const TransformerConfig& c, std::string_view name,
           std::uint64_t tokens) {
  b.embedding(name, c.vocabulary, c.hidden, tokens);
  if (c.positions != 0) b.embedding("positions", c.positions, c.hidden, tokens);
  if (c.token_types != 0) b.embedding("token_types", c.token_types, c.hidden, tokens);
  if (c.positions != 0) {
    b.stream("embedding.sum", KernelKind::Elementwise, tokens * c.hidden,
             c.token_types != 0 ? 2 : 1, 0, 2);
  }
  if (c.token_types != 0) b.norm("embedding.norm", tokens, c.hidden, true);
}

void relative_positions(TransformerBuilder& b, const TransformerConfig& c, std::string_view name,
                        std::uint64_t pairs) {
  if (c.relative_buckets == 0) return;
  b.stream(name, KernelKind::Embedding, checked_product("pairs", {pairs, c.query_heads}), 0, 0, 0,
           c.relative_buckets * c.query_heads);
}

void text_workload(TransformerBuilder& b, const TransformerConfig& c, const TransformerRun& run) {
  const bool pair = !c.encoder.empty(), train = run.mode == RunMode::Train;
  const bool decode = run.mode == RunMode::Decode;
  if (decode && !c.decoder) {
    throw InputError(fmt::format("{}: an encoder does not decode", c.model_type));
  }
  LayerRun layer;
  layer.batch = run.batch;
  layer.decode = decode;
  layer.length = decode ? 1 : pair ? (train ? run.target : 1) : run.prompt;
  layer.past = train ? 0 : run.context;
  if (pair && !decode) layer.past = 0;
  if (train && run.context != 0) throw InputError("training has no context in a cache");
  if (!c.decoder && run.context != 0) throw InputError("an encoder has no context in a cache");
  if (c.positions != 0 && layer.past + layer.length > c.positions) {
    throw InputError(fmt::format("{}: {} tokens, it has {} positions", c.name,
                                 layer.past + layer.length, c.positions));
  }
  const std::uint64_t tokens = checked_product("tokens", {run.batch, layer.length});
  b.outside();
  embed(b, c, "embedding", tokens);
  if (pair) {
    layer.encoder_length = run.prompt;
    layer.encoder_fresh = !decode;
    if (decode && run.prompt == 0) throw InputError("prompt: tokens of the encoder are needed");
    if (!decode) {
      const std::uint64_t source = checked_product("tokens", {run.batch, run.prompt});
      Operator& row = b.embedding("encoder.embedding", 0, c.hidden, source);
      row.weight_type = b.weights();
      relative_positions(b, c, "encoder.positions",
                         checked_product("pairs", {run.prompt, run.prompt}));
      LayerRun encoder;
      encoder.batch = run.batch;
      encoder.length = run.prompt;
      for (const LayerGroup& each : c.encoder) add_layers(b, c, each, encoder);
      b.outside();
      b.norm("encoder.final_norm", source, c.hidden, c.norm_bias);
      relative_positions(b, c, "decoder.positions",
                         checked_product("pairs", {layer.length, layer.length}));
    }
  }
  for (const LayerGroup& each : c.layers) add_layers(b, c, each, layer);
  b.outside();
  const std::uint64_t last = train || run.all_logits ? tokens : run.batch;
  if (c.final_norm) b.norm("final_norm", c.decoder ? last : tokens, c.hidden, c.norm_bias);
  if (c.head) b.product("head", last, c.hidden, c.vocabulary, false, c.tied);
  if (c.pooler) b.product("pooler", run.batch, c.hidden, c.hidden, true);
  b.workload.unit = "token";
  b.workload.units = pair && !decode ? run.batch * (run.prompt + layer.length) : tokens;
  b.workload.input_bytes = checked_product("input bytes", {tokens, 4});
  if (!train && c.decoder) {
    b.workload.cache_bytes = checked_product(
        "cache bytes", {run.batch, cache_bytes(c, layer.past + layer.length, run.cache)});
    if (pair) {
      b.workload.notes.emplace_back(
          "cache: keys and values of cross attention are counted where they are read");
    }
  }
  if (train) add_training(b, c, run);
  add_communication(b, c, run, layer.length);
}

// What of the model a pass leaves out is stored all the same.
void count_stored(TransformerBuilder& b, const TransformerConfig& c, const TransformerRun& run) {
  if (c.encoder.empty() || run.mode != RunMode::Decode) return;
  TransformerRun whole = run;
  whole.mode = RunMode::Prefill;
  whole.batch = whole.prompt = 1;
  whole.context = 0;
  whole.tensor = whole.pipeline = whole.data = whole.expert = 1;
  TransformerBuilder all(c, whole);
  text_workload(all, c, whole);
  b.workload.parameters = all.workload.parameters;
}

}  // namespace

std::uint64_t cache_bytes(const TransformerConfig& c, std::uint64_t context, DataType type) {
  std::uint64_t all = 0;
  for (const LayerGroup& each : c.layers) {
    const std::uint64_t kept = each.window != 0 ? std::min(context, each.window) : context;
    std::uint64_t values = 0;
    switch (each.mixer) {
      case Mixer::Attention:
        values = checked_product("cache", {2, kept, c.key_heads, c.head_dimension});
        break;
      case Mixer::LatentAttention:
        values = checked_product("cache", {kept, c.key_rank + c.rope_dimension});
        break;
      case Mixer::GatedDelta: {
        const std::uint64_t mixed = 2 * c.linear_key_heads * c.linear_key_dimension +
                                    c.linear_value_heads * c.linear_value_dimension;
        values = checked_sum(
            "cache", {checked_product("cache", {c.linear_value_heads, c.linear_key_dimension,
                                                c.linear_value_dimension}),
                      checked_product("cache", {mixed, c.kernel})});
        break;
      }
      case Mixer::Mamba:
        values = checked_product("cache", {c.inner, c.state + c.kernel});
        break;
      case Mixer::Mamba2:
        values = checked_sum(
            "cache", {checked_product("cache", {c.inner, c.state}),
                      checked_product("cache", {c.inner + 2 * c.groups * c.state, c.kernel})});
        break;
      case Mixer::None:
        break;
    }
    all =
        checked_sum("cache", {all, checked_product("cache", {each.count, bytes_of(values, type)})});
  }
  return all;
}

Workload transformer_workload(const TransformerConfig& config, const TransformerRun& run) {
  validate(config, run);
  TransformerBuilder builder(config, run);
  if (config.image != 0) {
    if (run.mode == RunMode::Decode) {
      throw InputError(fmt::format("{}: an image model does not decode", config.model_type));
    }
    image_workload(builder, config, run);
  } else {
    text_workload(builder, config, run);
    count_stored(builder, config, run);
  }
  builder.workload.weight_bytes = bytes_of(builder.workload.parameters, builder.weights());
  return std::move(builder.workload);
}

}  // namespace carnot::model
