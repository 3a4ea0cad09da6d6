// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Transformers and their relatives from the config.json that model hubs publish, as workloads in
/// closed form: no weights, no framework, microseconds.
///
/// Families: dense decoders (GPT-2, OPT, GPT-NeoX, Llama, Mistral, Qwen, Gemma, Phi-3), mixtures of
/// experts (Mixtral, Qwen-MoE, DeepSeek with latent attention, GPT-OSS, Llama 4), encoders (BERT,
/// RoBERTa, ViT), encoder-decoders (T5), diffusion transformers (DiT), state space models (Mamba,
/// Mamba-2), linear attention (Qwen3-Next) and layers of scans, attention and feed forward in a
/// pattern (Nemotron-H). `model_type` in the file chooses; keys that a family has
/// defaults for may be left out (each default taken is a note), others are asked for by name.
///
///     product             macs = tokens x in x out
///     attention           macs = batch x heads x pairs x (d_key + d_value), pairs under the mask
///     cache a token       2 x key heads x d bytes a layer; latent attention (c + rope) bytes;
///                         a window holds min(context, window)
///     experts touched     E (1 - (1 - k / E)^tokens)
///     training            backward = 2 x forward, full recomputation one forward more
///     activations kept    s b h L (34 + 5 a s / h) bytes in 16 bits; 34 s b h L with selective,
///                         2 s b h L with full recomputation (Korthikanti et al., arXiv 2205.05198)
///     linear attention    3 d_key d_value macs a head and token (read, correct, answer);
///                         state space 2 (update, answer). The recurrent form: what chunked kernels
///                         do beyond it is their own
///
/// Counts are of the whole model on all devices together; Communication operators say what each
/// device sends. Values and pure functions, thread-safe.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

/// What mixes tokens.
enum class Mixer : std::uint8_t { Attention, LatentAttention, GatedDelta, Mamba, Mamba2, None };

struct FeedForward {
  std::uint64_t width = 0;  ///< of the dense part; 0: none
  bool gated = true;        ///< three matrices instead of two
  bool bias = false;
  std::uint64_t experts = 0, chosen = 0, expert_width = 0;  ///< 0: dense
  bool expert_bias = false, router_bias = false;
  std::uint64_t shared_width = 0;  ///< of all shared experts together
  bool shared_gate = false;
  bool operator==(const FeedForward&) const = default;
};

/// A run of equal layers.
struct LayerGroup {
  std::string name;         ///< "layers", "layers.sliding" ...
  std::uint64_t first = 1;  ///< 1-based
  std::uint64_t count = 0;
  Mixer mixer = Mixer::Attention;
  std::uint64_t window = 0;  ///< 0: all keys
  bool causal = true;
  bool cross = false;  ///< attends to the encoder besides
  FeedForward feed_forward;
  bool operator==(const LayerGroup&) const = default;
};

struct TransformerConfig {
  std::string name, model_type;
  std::uint64_t hidden = 0, vocabulary = 0;
  std::uint64_t query_heads = 0, key_heads = 0, head_dimension = 0;
  // Latent attention.
  std::uint64_t query_rank = 0, key_rank = 0, rope_dimension = 0, value_dimension = 0;
  // State space and linear attention.
  std::uint64_t inner = 0, state = 0, kernel = 0, step_rank = 0, groups = 0;
  std::uint64_t scan_heads = 0;  ///< of Mamba-2 beside attention; 0: query_heads
  std::uint64_t linear_key_heads = 0, linear_value_heads = 0;
  std::uint64_t linear_key_dimension = 0, linear_value_dimension = 0;
  bool convolution_bias = false;

  bool query_bias = false, output_bias = false;  ///< of query, key, value; of the output product
  bool query_norm = false, attention_gate = false, sinks = false;
  bool norm_bias = false;   ///< layer norm; else root mean square norm
  std::uint64_t norms = 2;  ///< a layer
  bool final_norm = true;
  bool modulated = false;  ///< adaptive norms of diffusion transformers
  bool tied = false;       ///< output head = embedding
  bool head = true;        ///< has an output head
  bool pooler = false;
  std::uint64_t positions = 0;  ///< learned
  std::uint64_t token_types = 0;
  std::uint64_t relative_buckets = 0;
  // Images.
  std::uint64_t image = 0, patch = 0, channels = 0, out_channels = 0, classes = 0;

  std::vector<LayerGroup> encoder;  ///< of an encoder-decoder
  std::vector<LayerGroup> layers;
  bool decoder = true;  ///< generates token by token
  DataType weights = DataType::Bfloat16;
  std::vector<std::string> notes;

  std::uint64_t layer_count() const noexcept;
};

/// \throws InputFileError, InputError `file: key: what is allowed`
TransformerConfig read_transformer_config(const std::filesystem::path& path);
/// \param text  JSON \param file  its name, for messages
TransformerConfig parse_transformer_config(std::string_view text, const std::string& file);
/// The values of `model_type` that are understood.
std::vector<std::string> transformer_model_types();

enum class RunMode : std::uint8_t { Prefill, Decode, Train };
enum class Recompute : std::uint8_t { None, Selective, Full };

struct TransformerRun {
  RunMode mode = RunMode::Prefill;
  std::uint64_t batch = 1;                 ///< sequences or images, over all replicas
  std::uint64_t prompt = 1;                ///< new tokens of each; of the encoder, if there is one
  std::uint64_t context = 0;               ///< tokens already in the cache
  std::uint64_t target = 1;                ///< decoder tokens of an encoder-decoder in training
  bool all_logits = false;                 ///< Prefill: logits of every position, not of the last
  DataType weights = DataType::Undefined;  ///< Undefined: as the configuration says
  DataType activations = DataType::Bfloat16, cache = DataType::Bfloat16;
  Recompute recompute = Recompute::None;
  std::uint64_t tensor = 1, pipeline = 1, data = 1, expert = 1;  ///< degrees of parallelism
};

/// One forward pass over the prompt, one decoded token of each sequence, or one step of training.
/// \throws InputError for a run that the model cannot do or that cannot be split so
Workload transformer_workload(const TransformerConfig& config, const TransformerRun& run);

/// Bytes of cache that one sequence of `context` tokens holds. \throws InputError beyond 2^64 - 1
std::uint64_t cache_bytes(const TransformerConfig& config, std::uint64_t context, DataType type);

}  // namespace carnot::model
