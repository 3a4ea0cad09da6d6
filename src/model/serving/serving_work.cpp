// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/serving/serving_work.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr double kFourBits = 4.25;  // with a scale of 8 bits for each 32 weights

double bits_of(DataType type) {
  switch (bits(type)) {
    case 16:
      return 16;
    case 8:
      return 8;
    case 4:
      return kFourBits;
    default:
      throw InputError("serving: weights: a format of 16, 8 or 4 bits is needed");
  }
}

void check(std::string_view field, double value, double high) {
  if (!(value >= 1 && value <= high)) {
    throw InputError(describe({}, field, "a number from 1 to " + std::to_string(high)));
  }
}

/// What one layer's mixer holds and does.
struct MixerCost {
  double parameters = 0;
  double held = 0;                           // values of a token in the cache, all copies
  double decode_pair = 0, prefill_pair = 0;  // FLOP
  double state = 0;                          // bytes of a sequence
};

MixerCost mixer_cost(const TransformerConfig& c, Mixer mixer, double chips) {
  const auto d = [](std::uint64_t n) { return static_cast<double>(n); };
  const double h = d(c.hidden), heads = d(c.query_heads), head = d(c.head_dimension);
  MixerCost m;
  switch (mixer) {
    case Mixer::Attention: {
      const double keys = d(c.key_heads);
      m.parameters = h * (heads + 2 * keys) * head + heads * head * h;
      m.held = 2 * keys * head * std::max(1.0, chips / keys);
      m.decode_pair = m.prefill_pair = 4 * heads * head;
      break;
    }
    case Mixer::LatentAttention: {
      const double rank = d(c.key_rank), rope = d(c.rope_dimension), value = d(c.value_dimension);
      const double query = d(c.query_rank);
      m.parameters =
          query > 0 ? h * query + query * heads * (head + rope) : h * heads * (head + rope);
      m.parameters += h * (rank + rope) + rank * heads * (head + value) + heads * value * h;
      m.held = (rank + rope) * chips;
      m.decode_pair = 2 * heads * (2 * rank + rope);
      m.prefill_pair = 2 * heads * (head + rope + value);
      break;
    }
    case Mixer::Mamba2: {
      const double scan = d(c.scan_heads != 0 ? c.scan_heads : c.query_heads);
      m.parameters = h * (2 * d(c.inner) + 2 * d(c.groups) * d(c.state) + scan) + d(c.inner) * h;
      m.state = d(c.inner) * d(c.state) * 4;
      break;
    }
    case Mixer::Mamba:
      m.parameters = 3 * h * d(c.inner) + d(c.inner) * (2 * d(c.step_rank) + 2 * d(c.state));
      m.state = d(c.inner) * d(c.state) * 4;
      break;
    case Mixer::GatedDelta: {
      const double key = d(c.linear_key_heads) * d(c.linear_key_dimension);
      const double value = d(c.linear_value_heads) * d(c.linear_value_dimension);
      m.parameters = h * (2 * key + 3 * value + 2 * d(c.linear_value_heads));
      m.state =
          d(c.linear_value_heads) * d(c.linear_key_dimension) * d(c.linear_value_dimension) * 4;
      break;
    }
    case Mixer::None:
      break;
  }
  return m;
}

}  // namespace

ServingWork serving_work(const TransformerConfig& config, const ServingRun& run) {
  if (!config.decoder || !config.head || !config.encoder.empty() || config.layers.empty()) {
    throw InputError("serving: " + config.model_type + ": a decoder of tokens is needed");
  }
  check("chips", run.chips, 1024);
  check("batch", run.batch, 1e6);
  check("prompt", run.prompt, 1e8);
  check("output", run.output, 1e8);
  if (!(run.encoder_flops >= 0 && run.encoder_flops < 1e30)) {
    throw InputError(describe({}, "encoder_flops", "a number from 0"));
  }
  ServingWork w;
  w.bits = bits_of(run.weights == DataType::Undefined ? config.weights : run.weights);
  w.chips = run.chips;
  w.batch = run.batch;
  w.hidden = static_cast<double>(config.hidden);
  w.expert_parallel = run.expert_parallel;
  const double narrow = w.bits / 8, wide = run.mixers_in_16 || w.bits >= 16 ? 2 : narrow;
  const double context = run.prompt + run.output / 2;
  const double vocabulary = static_cast<double>(config.vocabulary);

  double active = 0, routed = 0, attention = 0, prefill_attention = 0, exchanges = 0;
  for (const LayerGroup& group : config.layers) {
    const double count = static_cast<double>(group.count);
    const MixerCost mixer = mixer_cost(config, group.mixer, run.chips);
    const FeedForward& feed = group.feed_forward;
    const double matrices = feed.gated ? 3 : 2;
    const double width = matrices * w.hidden * static_cast<double>(feed.width);
    const double shared = matrices * w.hidden * static_cast<double>(feed.shared_width);
    const double window = static_cast<double>(group.window);
    const double seen = group.window != 0 ? std::min(context, window) : context;
    const double pairs =
        run.prompt * (group.window != 0 ? std::min(run.prompt / 2, window) : run.prompt / 2);

    w.layers += count;
    if (mixer.state > 0) w.state_layers += count;
    w.dense_bytes += count * (mixer.parameters * wide + (width + shared) * narrow);
    w.cache_bytes += count * run.batch * seen * mixer.held * 2;
    w.state_bytes += count * 2 * run.batch * mixer.state;
    active += count * (mixer.parameters + width + shared);
    attention += count * seen * mixer.decode_pair;
    prefill_attention += count * pairs * mixer.prefill_pair;
    if (group.mixer != Mixer::None) exchanges += count;
    if (feed.width != 0 || feed.experts != 0) exchanges += count;
    if (feed.experts != 0) {
      const double experts = static_cast<double>(feed.experts);
      const double chosen = static_cast<double>(feed.chosen);
      if (w.experts != 0 && (w.experts != experts || w.chosen != chosen)) {
        throw InputError("serving: layers of different numbers of experts are not supported");
      }
      w.experts = experts;
      w.chosen = chosen;
      const double expert = matrices * w.hidden * static_cast<double>(feed.expert_width);
      w.expert_layers += count;
      w.expert_bytes += count * expert * narrow;
      routed += count * chosen * expert;
    }
  }
  w.block_layers = run.block_scales && w.bits == 8 ? w.layers : 0;
  w.dense_bytes += vocabulary * w.hidden * 2;
  w.linear_flops = 2 * run.batch * active;
  w.expert_flops = 2 * run.batch * routed;
  w.head_flops = 2 * run.batch * vocabulary * w.hidden;
  w.attention_flops = run.batch * attention;
  const double arrivals = run.batch / run.output;
  w.prefill_flops =
      arrivals * (2 * (active + routed) * run.prompt + prefill_attention + run.encoder_flops);
  w.prefill_tokens = arrivals * run.prompt;
  w.logits = run.batch * vocabulary;
  w.exchanges = run.chips > 1 ? exchanges : 0;
  return w;
}

}  // namespace carnot::model
