// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Collects the operators of a transformer: each call adds one, with its parameters, counts and
/// bytes, for `copies` equal layers.

#include <cstdint>
#include <string>
#include <string_view>

#include "carnot/model/workload/transformer.hpp"

namespace carnot::model {

class TransformerBuilder {
 public:
  TransformerBuilder(const TransformerConfig& config, const TransformerRun& run);

  /// From here on operators stand in `copies` layers, the first of which is `first`.
  void layers(std::string_view name, std::uint64_t copies, std::uint64_t first);
  void outside() { layers("", 1, 0); }

  /// tokens x in by in x out. \param shared  the weights are counted elsewhere
  Operator& product(std::string_view name, std::uint64_t tokens, std::uint64_t in,
                    std::uint64_t out, bool bias, bool shared = false);
  /// `batch` products that share no weights with others (latent attention's heads).
  Operator& batched(std::string_view name, const GemmShape& shape, std::uint64_t parameters);
  Operator& attention(std::string_view name, KernelKind kind, const AttentionShape& shape,
                      std::uint64_t past, std::uint64_t fresh, std::uint64_t cache_width);
  /// Norm of `rows` rows of `width`; `weights` false: nothing trained.
  Operator& norm(std::string_view name, std::uint64_t rows, std::uint64_t width, bool mean,
                 bool weights = true);
  Operator& stream(std::string_view name, KernelKind kind, std::uint64_t elements,
                   std::uint64_t ops, std::uint64_t special, std::uint64_t inputs,
                   std::uint64_t parameters = 0);
  Operator& embedding(std::string_view name, std::uint64_t rows, std::uint64_t width,
                      std::uint64_t looked_up);
  Operator& experts(std::string_view name, const ExpertsShape& shape, bool bias);
  Operator& scan(std::string_view name, const ScanShape& shape, const Counts& counts,
                 std::uint64_t inputs, std::uint64_t outputs, std::uint64_t parameters,
                 std::uint64_t state_bytes);
  void communicate(std::string_view name, Collective collective, Parallelism parallelism,
                   std::uint64_t participants, std::uint64_t payload);

  DataType weights() const noexcept { return weights_; }
  std::uint64_t activation_bytes(std::uint64_t elements) const {
    return bytes_of(elements, run_.activations);
  }
  Workload workload;

 private:
  Operator& add(std::string_view name, KernelKind kind, OperatorShape shape, const Counts& counts,
                std::uint64_t parameters, std::uint64_t inputs, std::uint64_t outputs);

  const TransformerRun& run_;
  DataType weights_;
  std::string prefix_;
  std::uint64_t copies_ = 1, first_ = 0;
};

/// One group of layers in the forward direction. \param keys  earlier tokens in the cache
struct LayerRun {
  std::uint64_t batch = 1, length = 1, past = 0;
  std::uint64_t encoder_length = 0;  ///< keys of cross attention; 0: none
  bool encoder_fresh = false;        ///< its keys and values are computed now
  bool decode = false;
};
void add_layers(TransformerBuilder& builder, const TransformerConfig& config,
                const LayerGroup& group, const LayerRun& run);

/// Backward pass and update of all operators so far.
void add_training(TransformerBuilder& builder, const TransformerConfig& config,
                  const TransformerRun& run);
/// What devices send each other. \throws InputError for degrees that do not fit
void add_communication(TransformerBuilder& builder, const TransformerConfig& config,
                       const TransformerRun& run, std::uint64_t length);

}  // namespace carnot::model
