// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <initializer_list>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/model/workload/transformer.hpp"

namespace carnot::model {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargest = std::uint64_t{1} << 31;
constexpr std::uint64_t kMostLayers = 100000;

// One configuration under reading: asks for keys, under any of several names.
class Keys {
 public:
  Keys(const Json& object, std::string file, TransformerConfig& config)
      : object_(object), file_(std::move(file)), config_(config) {}

  const Json* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto found = object_.find(name);
      if (found != object_.end() && !found->is_null()) return &*found;
    }
    return nullptr;
  }
  bool has(const char* name) const { return find({name}) != nullptr; }

  /// \throws InputError if it is missing
  std::uint64_t need(std::initializer_list<const char*> names) const {
    const Json* found = find(names);
    if (found == nullptr) {
      refuse(*names.begin(), fmt::format("needed for model_type `{}`", config_.model_type));
    }
    return whole(*names.begin(), *found, 1);
  }
  std::uint64_t number(std::initializer_list<const char*> names, std::uint64_t otherwise) const {
    if (const Json* found = find(names)) return whole(*names.begin(), *found, 0);
    config_.notes.push_back(
        fmt::format("{}: {}, the default of `{}`", *names.begin(), otherwise, config_.model_type));
    return otherwise;
  }
  /// The same where absence means something: no note.
  std::uint64_t number_or(std::initializer_list<const char*> names, std::uint64_t otherwise) const {
    const Json* found = find(names);
    return found == nullptr ? otherwise : whole(*names.begin(), *found, 0);
  }
  bool flag(const char* name, bool otherwise) const {
    const Json* found = find({name});
    if (found == nullptr) return otherwise;
    if (!found->is_boolean()) refuse(name, "true or false is needed");
    return found->get<bool>();
  }
  std::string text(std::initializer_list<const char*> names, const std::string& otherwise) const {
    const Json* found = find(names);
    if (found == nullptr) return otherwise;
    if (!found->is_string()) refuse(*names.begin(), "a text is needed");
    return found->get<std::string>();
  }
  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> made;
    const Json* found = find({name});
    if (found == nullptr) return made;
    if (!found->is_array()) refuse(name, "a list of texts is needed");
    for (const Json& each : *found) {
      if (!each.is_string()) refuse(name, "a list of texts is needed");
      made.push_back(each.get<std::string>());
    }
    return made;
  }
  std::vector<std::uint64_t> numbers(const char* name) const {
    std::vector<std::uint64_t> made;
    const Json* found = find({name});
    if (found == nullptr) return made;
    if (!found->is_array()) refuse(name, "a list of numbers is needed");
    for (const Json& each : *found) made.push_back(whole(name, each, 0));
    return made;
  }
  [[noreturn]] void refuse(std::string_view key, std::string_view allowed) const {
    throw InputError(fmt::format("{}: {}: {}", file_, key, allowed));
  }

 private:
  std::uint64_t whole(const char* name, const Json& value, std::uint64_t least) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
        value.get<std::uint64_t>() >= kLargest) {
      refuse(name, fmt::format("a whole number, {} ... 2^31 - 1, is needed", least));
    }
    return value.get<std::uint64_t>();
  }

  const Json& object_;
  std::string file_;
  TransformerConfig& config_;
};

// Neighbours that are alike become one group.
void add_layer(std::vector<LayerGroup>& groups, LayerGroup layer) {
  for (LayerGroup& each : groups) {
    LayerGroup like = layer;
    like.first = each.first;
    like.count = each.count;
    if (like == each) {
      ++each.count;
      return;
    }
  }
  layer.count = 1;
  groups.push_back(std::move(layer));
}

std::uint64_t layer_total(const Keys& keys, std::initializer_list<const char*> names) {
  const std::uint64_t n = keys.need(names);
  if (n > kMostLayers) keys.refuse(*names.begin(), fmt::format("at most {}", kMostLayers));
  return n;
}

// `plan(i)` gives layer i, from 0.
template <class Plan>
void plan_layers(TransformerConfig& config, std::uint64_t total, Plan plan) {
  for (std::uint64_t i = 0; i < total; ++i) {
    LayerGroup layer = plan(i);
    layer.first = i + 1;
    add_layer(config.layers, std::move(layer));
  }
}

void read_heads(const Keys& keys, TransformerConfig& config, std::uint64_t dimension) {
  // Published Gemma 3 configurations leave out what equals the class's defaults.
  const bool gemma3 = config.model_type == "gemma3_text";
  config.query_heads = gemma3 ? keys.number({"num_attention_heads"}, 8)
                              : keys.need({"num_attention_heads", "n_head", "num_heads"});
  config.key_heads = gemma3 ? keys.number({"num_key_value_heads"}, 4)
                            : keys.number_or({"num_key_value_heads"}, config.query_heads);
  if (config.key_heads == 0 || config.query_heads % config.key_heads != 0) {
    keys.refuse("num_key_value_heads", "divides num_attention_heads");
  }
  if (dimension == 0 && !keys.has("head_dim") && config.hidden % config.query_heads != 0) {
    keys.refuse("head_dim", "needed where heads do not divide hidden_size");
  }
  config.head_dimension =
      keys.number_or({"head_dim"}, dimension != 0 ? dimension : config.hidden / config.query_heads);
  if (config.head_dimension == 0) keys.refuse("head_dim", "1 or more");
}

FeedForward dense(std::uint64_t width, bool gated, bool bias) {
  FeedForward made;
  made.width = width;
  made.gated = gated;
  made.bias = bias;
  return made;
}

/// Layers that are all alike, with biases and no gate.
void like_layers(TransformerConfig& config, std::uint64_t total, std::uint64_t width, bool causal) {
  plan_layers(config, total, [&](std::uint64_t) {
    LayerGroup layer;
    layer.name = "layers";
    layer.causal = causal;
    layer.feed_forward = dense(width, false, true);
    return layer;
  });
}

FeedForward mixture(const Keys& keys, std::uint64_t experts, std::uint64_t chosen,
                    std::uint64_t width) {
  FeedForward made;
  made.experts = experts;
  made.chosen = chosen;
  made.expert_width = width;
  if (experts == 0 || chosen == 0 || chosen > experts) {
    keys.refuse("num_experts_per_tok", "1 ... the number of experts");
  }
  return made;
}

// Which layers look back only so far: by `layer_types`, or a rule of the family.
template <class Rule>
auto windows(const Keys& keys, std::uint64_t total, std::uint64_t window, Rule rule) {
  std::vector<std::uint64_t> made(total, 0);
  const std::vector<std::string> types = keys.texts("layer_types");
  if (!types.empty() && types.size() != total) {
    keys.refuse("layer_types", "one for each layer is needed");
  }
  for (std::uint64_t i = 0; i < total; ++i) {
    const bool sliding = types.empty() ? rule(i) : types[i] == "sliding_attention";
    made[i] = sliding ? window : 0;
  }
  return made;
}

// Llama, Mistral, Qwen, Gemma, Phi-3, Mixtral, Qwen-MoE and GPT-OSS differ in details only.
void read_decoder(const Keys& keys, TransformerConfig& c) {
  const std::string& type = c.model_type;
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* x) { return type == x; });
  };
  const bool gemma = is({"gemma", "gemma2", "gemma3_text"});
  c.hidden = keys.need({"hidden_size"});
  c.vocabulary =
      type == "gemma3_text" ? keys.number({"vocab_size"}, 262208) : keys.need({"vocab_size"});
  read_heads(keys, c, gemma ? 256 : is({"qwen3", "qwen3_moe"}) ? 128 : type == "gpt_oss" ? 64 : 0);
  c.tied = keys.flag("tie_word_embeddings", gemma);
  const bool biased = is({"qwen2", "qwen2_moe"});
  c.query_bias = biased || keys.flag("attention_bias", type == "gpt_oss");
  c.output_bias = !biased && c.query_bias;
  c.query_norm = is({"qwen3", "qwen3_moe", "gemma3_text"});
  c.sinks = type == "gpt_oss";
  c.norms = is({"gemma2", "gemma3_text"}) ? 4 : 2;
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});

  std::uint64_t window = keys.number_or({"sliding_window"}, type == "gemma2"        ? 4096
                                                            : type == "gemma3_text" ? 4096
                                                            : type == "gpt_oss"     ? 128
                                                                                    : 0);
  if (is({"qwen2", "qwen3", "qwen2_moe", "qwen3_moe"}) && !keys.flag("use_sliding_window", false)) {
    window = 0;
  }
  const std::uint64_t full_first = keys.number_or({"max_window_layers"}, 28);
  const std::uint64_t pattern =
      std::max<std::uint64_t>(1, keys.number_or({"sliding_window_pattern"}, 6));
  const auto seen = windows(keys, total, window, [&](std::uint64_t i) {
    if (is({"gemma2", "gpt_oss"})) return i % 2 == 0;
    if (type == "gemma3_text") return (i + 1) % pattern != 0;
    if (is({"qwen2", "qwen3", "qwen2_moe", "qwen3_moe"})) return i >= full_first;
    return window != 0;
  });

  FeedForward experts;
  if (is({"mixtral", "gpt_oss"})) {
    experts = mixture(keys, keys.need({"num_local_experts"}),
                      keys.number({"num_experts_per_tok", "experts_per_token"}, 2),
                      keys.need({"intermediate_size"}));
    experts.expert_bias = experts.router_bias = type == "gpt_oss";
  } else if (is({"qwen2_moe", "qwen3_moe"})) {
    experts = mixture(keys, keys.need({"num_experts"}), keys.need({"num_experts_per_tok"}),
                      keys.need({"moe_intermediate_size"}));
    if (type == "qwen2_moe") {
      experts.shared_width = keys.need({"shared_expert_intermediate_size"});
      experts.shared_gate = true;
    }
  }
  const bool all_experts = is({"mixtral", "gpt_oss"});
  const std::uint64_t width = all_experts ? 0 : keys.need({"intermediate_size"});
  const std::uint64_t step = std::max<std::uint64_t>(1, keys.number_or({"decoder_sparse_step"}, 1));
  const std::vector<std::uint64_t> plain = keys.numbers("mlp_only_layers");
  plan_layers(c, total, [&](std::uint64_t i) {
    LayerGroup layer;
    layer.window = seen[i];
    layer.name = layer.window != 0 ? "layers.sliding" : "layers";
    const bool sparse = experts.experts != 0 && (i + 1) % step == 0 &&
                        std::find(plain.begin(), plain.end(), i) == plain.end();
    layer.feed_forward = sparse ? experts : dense(width, true, keys.flag("mlp_bias", false));
    if (experts.experts != 0 && !sparse) layer.name += ".dense";
    return layer;
  });
}

void read_deepseek(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"hidden_size"});
  c.vocabulary = keys.need({"vocab_size"});
  c.query_heads = c.key_heads = keys.need({"num_attention_heads"});
  c.query_rank = keys.number_or({"q_lora_rank"}, 0);
  c.key_rank = keys.need({"kv_lora_rank"});
  c.rope_dimension = keys.need({"qk_rope_head_dim"});
  c.head_dimension = keys.need({"qk_nope_head_dim"});
  c.value_dimension = keys.need({"v_head_dim"});
  c.tied = keys.flag("tie_word_embeddings", false);
  c.query_bias = c.output_bias = keys.flag("attention_bias", false);
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});
  const std::uint64_t width = keys.need({"intermediate_size"});
  const std::uint64_t routed = keys.number_or({"n_routed_experts"}, 0);
  FeedForward experts;
  if (routed != 0) {
    experts = mixture(keys, routed, keys.need({"num_experts_per_tok"}),
                      keys.need({"moe_intermediate_size"}));
    experts.shared_width = checked_product(
        "shared experts", {keys.number_or({"n_shared_experts"}, 0), experts.expert_width});
    // A bias for balance, corrected at each step of training.
    experts.router_bias = c.model_type == "deepseek_v3";
  }
  const std::uint64_t first = keys.number_or({"first_k_dense_replace"}, 0);
  const std::uint64_t every = std::max<std::uint64_t>(1, keys.number_or({"moe_layer_freq"}, 1));
  plan_layers(c, total, [&](std::uint64_t i) {
    LayerGroup layer;
    layer.mixer = Mixer::LatentAttention;
    const bool sparse = routed != 0 && i >= first && i % every == 0;
    layer.name = sparse ? "layers" : "layers.dense";
    layer.feed_forward = sparse ? experts : dense(width, true, false);
    return layer;
  });
}

// Every other layer, or all, of routed and shared experts of the same width; three layers in four
// attend within chunks.
void read_llama4(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"hidden_size"});
  c.vocabulary = keys.need({"vocab_size"});
  read_heads(keys, c, 128);
  c.tied = keys.flag("tie_word_embeddings", false);
  c.query_bias = c.output_bias = keys.flag("attention_bias", false);
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});
  FeedForward experts =
      mixture(keys, keys.need({"num_local_experts"}), keys.number({"num_experts_per_tok"}, 1),
              keys.need({"intermediate_size"}));
  experts.shared_width = experts.expert_width;
  const std::uint64_t width = keys.need({"intermediate_size_mlp"});
  const std::uint64_t step =
      std::max<std::uint64_t>(1, keys.number_or({"interleave_moe_layer_step"}, 1));
  const std::uint64_t chunk = keys.number_or({"attention_chunk_size"}, 8192);
  const std::uint64_t full =
      std::max<std::uint64_t>(1, keys.number_or({"no_rope_layer_interval"}, 4));
  plan_layers(c, total, [&](std::uint64_t i) {
    LayerGroup layer;
    layer.window = (i + 1) % full == 0 ? 0 : chunk;
    const bool sparse = (i + 1) % step == 0;
    layer.name = layer.window != 0 ? "layers.chunked" : "layers";
    if (!sparse) layer.name += ".dense";
    layer.feed_forward = sparse ? experts : dense(width, true, false);
    return layer;
  });
}

// A layer is one of: Mamba-2 (M), attention (*), feed forward (-), by a pattern of these letters.
void read_nemotron_h(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"hidden_size"});
  c.vocabulary = keys.need({"vocab_size"});
  read_heads(keys, c, keys.number_or({"attention_head_dim"}, 128));
  c.tied = keys.flag("tie_word_embeddings", false);
  c.kernel = keys.number({"conv_kernel"}, 4);
  c.convolution_bias = keys.flag("use_conv_bias", true);
  c.state = keys.number({"ssm_state_size"}, 128);
  c.groups = keys.number({"n_groups"}, 8);
  c.scan_heads = keys.need({"mamba_num_heads"});
  c.inner = checked_product("inner", {c.scan_heads, keys.number({"mamba_head_dim"}, 64)});
  c.norms = 1;
  const std::uint64_t width = keys.need({"intermediate_size"});
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});
  const std::string pattern = keys.text({"hybrid_override_pattern"}, "");
  if (pattern.size() != total || pattern.find_first_not_of("M*-") != std::string::npos) {
    keys.refuse("hybrid_override_pattern", "one of `M`, `*` and `-` for each layer is needed");
  }
  plan_layers(c, total, [&](std::uint64_t i) {
    LayerGroup layer;
    const char kind = pattern[static_cast<std::size_t>(i)];
    layer.mixer = kind == 'M' ? Mixer::Mamba2 : kind == '*' ? Mixer::Attention : Mixer::None;
    layer.name = kind == 'M' ? "layers.scan" : kind == '*' ? "layers.attention" : "layers.mlp";
    if (kind == '-') layer.feed_forward = dense(width, false, false);
    return layer;
  });
}

void read_qwen3_next(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"hidden_size"});
  c.vocabulary = keys.need({"vocab_size"});
  read_heads(keys, c, 256);
  c.tied = keys.flag("tie_word_embeddings", false);
  c.query_bias = c.output_bias = keys.flag("attention_bias", false);
  c.query_norm = c.attention_gate = true;
  c.linear_key_heads = keys.number({"linear_num_key_heads"}, 16);
  c.linear_value_heads = keys.number({"linear_num_value_heads"}, 32);
  c.linear_key_dimension = keys.number({"linear_key_head_dim"}, 128);
  c.linear_value_dimension = keys.number({"linear_value_head_dim"}, 128);
  c.kernel = keys.number({"linear_conv_kernel_dim"}, 4);
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});
  FeedForward experts =
      mixture(keys, keys.need({"num_experts"}), keys.need({"num_experts_per_tok"}),
              keys.need({"moe_intermediate_size"}));
  experts.shared_width = keys.number({"shared_expert_intermediate_size"}, 512);
  experts.shared_gate = true;
  const std::vector<std::string> types = keys.texts("layer_types");
  if (!types.empty() && types.size() != total) {
    keys.refuse("layer_types", "one for each layer is needed");
  }
  const std::uint64_t every =
      types.empty() ? std::max<std::uint64_t>(1, keys.number({"full_attention_interval"}, 4)) : 1;
  plan_layers(c, total, [&](std::uint64_t i) {
    LayerGroup layer;
    const bool full = types.empty() ? (i + 1) % every == 0 : types[i] == "full_attention";
    layer.mixer = full ? Mixer::Attention : Mixer::GatedDelta;
    layer.name = full ? "layers.attention" : "layers.linear";
    layer.feed_forward = experts;
    return layer;
  });
}

void read_gpt(const Keys& keys, TransformerConfig& c) {
  const bool gpt2 = c.model_type == "gpt2", opt = c.model_type == "opt";
  c.hidden = keys.need({gpt2 ? "n_embd" : "hidden_size"});
  c.vocabulary = keys.need({"vocab_size"});
  read_heads(keys, c, 0);
  c.norm_bias = true;
  c.query_bias = c.output_bias = keys.flag("attention_bias", true);
  c.tied = keys.flag("tie_word_embeddings", gpt2 || opt);
  if (gpt2) c.positions = keys.number({"n_positions", "n_ctx"}, 1024);
  if (opt) {
    c.positions = keys.need({"max_position_embeddings"}) + 2;
    if (keys.number_or({"word_embed_proj_dim"}, c.hidden) != c.hidden) {
      keys.refuse("word_embed_proj_dim", "other than hidden_size is not supported");
    }
  }
  const std::uint64_t total = layer_total(keys, {gpt2 ? "n_layer" : "num_hidden_layers"});
  const std::uint64_t width = keys.number_or({gpt2  ? "n_inner"
                                              : opt ? "ffn_dim"
                                                    : "intermediate_size"},
                                             4 * c.hidden);
  like_layers(c, total, width, true);
}

void read_encoder(const Keys& keys, TransformerConfig& c) {
  const bool image = c.model_type == "vit";
  c.hidden = keys.need({"hidden_size"});
  read_heads(keys, c, 0);
  c.norm_bias = c.query_bias = c.output_bias = true;
  c.decoder = c.head = false;
  if (image) {
    c.image = keys.number({"image_size"}, 224);
    c.patch = std::max<std::uint64_t>(1, keys.number({"patch_size"}, 16));
    c.channels = keys.number({"num_channels"}, 3);
    if (c.image % c.patch != 0) keys.refuse("patch_size", "divides image_size");
    c.positions = (c.image / c.patch) * (c.image / c.patch) + 1;
    const Json* labels = keys.find({"id2label"});
    c.classes = keys.number_or({"num_labels", "num_classes"},
                               labels != nullptr && labels->is_object() ? labels->size() : 0);
    c.pooler = c.classes == 0;
  } else {
    c.vocabulary = keys.need({"vocab_size"});
    c.positions = keys.number({"max_position_embeddings"}, 512);
    c.token_types = keys.number({"type_vocab_size"}, 2);
    c.final_norm = false;
    c.pooler = true;
  }
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers"});
  const std::uint64_t width = keys.number({"intermediate_size"}, 4 * c.hidden);
  like_layers(c, total, width, false);
}

void read_t5(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"d_model"});
  c.vocabulary = keys.need({"vocab_size"});
  c.query_heads = c.key_heads = keys.need({"num_heads"});
  c.head_dimension = keys.number({"d_kv"}, 64);
  c.relative_buckets = keys.number({"relative_attention_num_buckets"}, 32);
  c.tied = keys.flag("tie_word_embeddings", true);
  const std::uint64_t width = keys.need({"d_ff"});
  const bool gated = keys.text({"feed_forward_proj"}, "relu").starts_with("gated");
  const std::uint64_t encoders = layer_total(keys, {"num_layers"});
  const std::uint64_t decoders = keys.number_or({"num_decoder_layers"}, encoders);
  if (decoders > kMostLayers) keys.refuse("num_decoder_layers", "too many");
  LayerGroup layer;
  layer.feed_forward = dense(width, gated, false);
  layer.name = "encoder";
  layer.causal = false;
  layer.count = encoders;
  c.encoder.push_back(layer);
  layer.name = "decoder";
  layer.causal = layer.cross = true;
  layer.count = decoders;
  c.layers.push_back(layer);
}

void read_dit(const Keys& keys, TransformerConfig& c) {
  c.hidden = keys.need({"hidden_size"});
  read_heads(keys, c, 0);
  c.norm_bias = false;
  c.norms = 0;  // its norms have no weights
  c.query_bias = c.output_bias = true;
  c.modulated = true;
  c.decoder = c.head = c.final_norm = false;
  c.image = keys.number({"input_size", "sample_size"}, 32);
  c.patch = std::max<std::uint64_t>(1, keys.number({"patch_size"}, 2));
  c.channels = keys.number({"in_channels"}, 4);
  c.out_channels = keys.flag("learn_sigma", true) ? 2 * c.channels : c.channels;
  c.classes = keys.number({"num_classes"}, 1000) + 1;  // and one for none
  if (c.image % c.patch != 0) keys.refuse("patch_size", "divides input_size");
  c.positions = (c.image / c.patch) * (c.image / c.patch);
  const std::uint64_t total = layer_total(keys, {"depth", "num_layers", "num_hidden_layers"});
  const std::uint64_t width = keys.number_or({"intermediate_size"}, 4 * c.hidden);
  like_layers(c, total, width, false);
}

void read_mamba(const Keys& keys, TransformerConfig& c) {
  const bool second = c.model_type == "mamba2";
  c.hidden = keys.need({"hidden_size", "d_model"});
  c.vocabulary = keys.need({"vocab_size"});
  const std::uint64_t total = layer_total(keys, {"num_hidden_layers", "n_layer"});
  c.kernel = keys.number({"conv_kernel", "d_conv"}, 4);
  c.convolution_bias = keys.flag("use_conv_bias", true);
  c.query_bias = c.output_bias = keys.flag("use_bias", false);
  c.state = keys.number({"state_size", "d_state"}, second ? 128 : 16);
  c.inner = keys.number_or({"intermediate_size", "d_inner"},
                           checked_product("inner", {keys.number({"expand"}, 2), c.hidden}));
  c.tied = keys.flag("tie_word_embeddings", !second);
  if (second) {
    c.head_dimension = keys.number({"head_dim"}, 64);
    if (c.head_dimension == 0 || c.inner % c.head_dimension != 0) {
      keys.refuse("head_dim", "divides the inner width");
    }
    c.query_heads = keys.number_or({"num_heads"}, c.inner / c.head_dimension);
    if (checked_product("heads", {c.query_heads, c.head_dimension}) != c.inner) {
      keys.refuse("num_heads", "num_heads x head_dim = expand x hidden_size");
    }
    c.groups = keys.number({"n_groups"}, 8);
  } else {
    const Json* rank = keys.find({"time_step_rank"});
    c.step_rank = rank != nullptr && rank->is_string()
                      ? (c.hidden + 15) / 16
                      : keys.number_or({"time_step_rank"}, (c.hidden + 15) / 16);
  }
  c.norms = 1;
  plan_layers(c, total, [&](std::uint64_t) {
    LayerGroup layer;
    layer.name = "layers";
    layer.mixer = second ? Mixer::Mamba2 : Mixer::Mamba;
    return layer;
  });
}

using Reader = void (*)(const Keys&, TransformerConfig&);
const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> table{
      {"llama", read_decoder},
      {"mistral", read_decoder},
      {"qwen2", read_decoder},
      {"qwen3", read_decoder},
      {"gemma", read_decoder},
      {"gemma2", read_decoder},
      {"gemma3_text", read_decoder},
      {"phi3", read_decoder},
      {"mixtral", read_decoder},
      {"qwen2_moe", read_decoder},
      {"qwen3_moe", read_decoder},
      {"gpt_oss", read_decoder},
      {"deepseek_v2", read_deepseek},
      {"deepseek_v3", read_deepseek},
      {"qwen3_next", read_qwen3_next},
      {"llama4_text", read_llama4},
      {"nemotron_h", read_nemotron_h},
      {"gpt2", read_gpt},
      {"opt", read_gpt},
      {"gpt_neox", read_gpt},
      {"bert", read_encoder},
      {"roberta", read_encoder},
      {"vit", read_encoder},
      {"t5", read_t5},
      {"dit", read_dit},
      {"mamba", read_mamba},
      {"mamba2", read_mamba},
  };
  return table;
}

}  // namespace

std::uint64_t TransformerConfig::layer_count() const noexcept {
  std::uint64_t total = 0;
  for (const LayerGroup& each : layers) total += each.count;
  for (const LayerGroup& each : encoder) total += each.count;
  return total;
}

std::vector<std::string> transformer_model_types() {
  std::vector<std::string> made;
  for (const auto& [type, reader] : readers()) made.push_back(type);
  return made;
}

TransformerConfig parse_transformer_config(std::string_view text, const std::string& file) {
  const Json root = Json::parse(text, nullptr, false, true);
  if (root.is_discarded() || !root.is_object()) {
    throw InputError(fmt::format("{}: a JSON object, as in config.json, is needed", file));
  }
  TransformerConfig config;
  const Json* object = &root;
  // Models of images and text hold the configuration of their language part inside.
  const auto inner = root.find("text_config");
  if (inner != root.end() && inner->is_object() && inner->contains("hidden_size")) {
    object = &*inner;
    config.notes.emplace_back("text_config: only the language part is counted");
  }
  const Keys keys(*object, file, config);
  config.model_type = keys.text({"model_type"}, "");
  if (config.model_type == "gemma3") config.model_type = "gemma3_text";
  if (config.model_type.empty()) {
    keys.refuse("model_type", "needed, such as `llama`");
  }
  const auto reader = readers().find(config.model_type);
  if (reader == readers().end()) {
    const std::string close = nearest(config.model_type, transformer_model_types());
    keys.refuse(
        "model_type",
        fmt::format("`{}` is not known{}", config.model_type,
                    close.empty() ? std::string() : fmt::format("; did you mean `{}`?", close)));
  }
  config.name = keys.text({"_name_or_path"}, config.model_type);
  if (config.name.empty()) config.name = config.model_type;
  const std::string type = keys.text({"dtype", "torch_dtype"}, "bfloat16");
  config.weights = data_type_from(type == "auto" ? "bfloat16" : type);
  reader->second(keys, config);
  return config;
}

TransformerConfig read_transformer_config(const std::filesystem::path& path) {
  try {
    return parse_transformer_config(read_file(path), path.string());
  } catch (const IoError& problem) {
    throw InputFileError(problem.what());
  }
}

}  // namespace carnot::model
