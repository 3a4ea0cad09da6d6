// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one step of a language model that serves many requests at once asks of its chips. In the
/// steady state `batch` sequences each get one token a step, and as many begin as end, so a step
/// also does 1/output of the prefill of each:
///
///     dense bytes      weights that each token meets: mixers, dense feed forward, shared experts,
///                      output head
///     expert bytes     of one routed expert in all layers; the batch meets E (1 - (1 - k/E)^B) of
///     E cache bytes      batch x context x values held, context = prompt + output / 2 or the
///     window,
///                      times the copies that tensor parallelism makes of too few key heads
///     state bytes      read and written once a step by state space layers, in 32 bits
///     flops            2 batch x parameters met; attention 4 heads d a pair, latent attention with
///                      absorbed products 2 heads (2 rank + rope)
///     prefill flops    batch / output x (2 parameters met x prompt + prompt^2 / 2 pairs
///                      + encoder)
///     logits           batch x vocabulary, from which tokens are drawn
///     exchanges        one all-reduce after each mixer and each feed forward, if chips > 1
///
/// Counts are of all chips of one replica together, exact but for what is said above; embedding
/// look-ups, norms and biases are left out. Values and pure functions, thread-safe.

#include "carnot/model/workload/transformer.hpp"

namespace carnot::model {

struct ServingRun {
  double chips = 1;     ///< of one replica: 1 ... 1024
  double batch = 1;     ///< sequences decoded together, mean; at least 1
  double prompt = 200;  ///< tokens of a request; at least 1
  double output = 400;  ///< tokens answered; at least 1
  /// FLOP of a request outside of the decoder, such as an encoder of its images; their tokens count
  /// in `prompt`. Not checked against measurements.
  double encoder_flops = 0;
  /// Of the weights: 16, 8 or 4 bits. Undefined: as the configuration says.
  DataType weights = DataType::Undefined;
  bool block_scales = false;     ///< 8 bits with a scale for each block of 128 x 128
  bool mixers_in_16 = false;     ///< attention keeps 16 bits where the rest is narrower
  bool expert_parallel = false;  ///< whole experts on chips, not a slice of each on every chip
};

/// Numbers of one step; see above. Bytes and FLOP of all chips together.
struct ServingWork {
  double chips = 0, batch = 0, hidden = 0;
  double layers = 0, expert_layers = 0, state_layers = 0;
  double block_layers = 0;  ///< layers whose weights have block scales
  double bits = 0;          ///< of a weight; scales of 4-bit formats included
  double experts = 0, chosen = 0;
  bool expert_parallel = false;
  double dense_bytes = 0, expert_bytes = 0, cache_bytes = 0, state_bytes = 0;
  double linear_flops = 0, expert_flops = 0, head_flops = 0, attention_flops = 0;
  double prefill_flops = 0, prefill_tokens = 0;
  double logits = 0, exchanges = 0;
  bool operator==(const ServingWork&) const = default;
};

/// \throws InputError for a configuration that does not generate tokens, has an encoder, mixes
///         experts of different numbers, or a run out of range
ServingWork serving_work(const TransformerConfig& config, const ServingRun& run);

}  // namespace carnot::model
