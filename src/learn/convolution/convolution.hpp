// SPDX-License-Identifier: Apache-2.0
#pragma once

// The network: neighbourhoods, products, pooling, two layers; forward, backward and Adam's step.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/convolution/convolution.hpp"

#include "learn/layers/linear.hpp"

namespace carnot::learn {

struct ConvolutionShape {
  /// One convolution: of height x width pixels with `inputs` numbers each to `channels`, then half
  /// the pixels each way (an odd last row or column is left out).
  struct Stage {
    std::size_t height = 0, width = 0, inputs = 0, channels = 0;
    std::size_t pixels() const noexcept { return height * width; }
    std::size_t patch() const noexcept { return 9 * inputs; }
    std::size_t pooled() const noexcept { return height / 2 * (width / 2) * channels; }
    bool operator==(const Stage&) const = default;
  };
  std::vector<Stage> stages;
  std::size_t hidden = 64, classes = 0;
  std::size_t pixels() const noexcept { return stages.front().pixels() * stages.front().inputs; }
  std::size_t flat() const noexcept { return stages.back().pooled(); }
  bool operator==(const ConvolutionShape&) const = default;
};

/// \throws InputError as check_convolution
ConvolutionShape convolution_shape(const ConvolutionOptions& options, std::size_t pixels,
                                   std::size_t hidden, std::size_t classes);

class ConvolutionNetwork {
 public:
  /// f32, random.
  ConvolutionNetwork(const ConvolutionShape& shape, double weight_decay, std::uint64_t seed);

  const ConvolutionShape& shape() const noexcept { return shape_; }
  const Precision& precision() const noexcept { return precision_; }
  const Optimiser& optimiser() const noexcept { return optimiser_; }
  /// Convolutions, hidden layer, scores.
  std::vector<const Linear*> matrices() const;
  std::vector<std::vector<float>> parameters() const;
  /// f32 only. \throws InputError unless they have the shape, and are finite
  void take_parameters(const std::vector<std::vector<float>>& parameters);
  void set_precision(const Precision& precision, RoundingKey key, Counters* count);

  /// \param images  [rows][pixels]
  /// \return scores [rows][score_stride()]
  float* forward(std::span<const float> images, std::size_t rows, Counters* count);
  std::size_t score_stride() const noexcept { return scores_layer_.out_stride(); }
  /// -ln p of each row's label; scores become their gradient of the mean. \return rows said right
  std::size_t differentiate(std::span<const std::uint32_t> labels, std::vector<double>& nats,
                            Counters* count);
  /// After forward and differentiate. With rule.capture gradients go there, in the order of
  /// matrices(), and nothing changes.
  void backward(const StepRule& rule, Counters* count);
  void refresh(std::uint64_t seed, std::uint64_t step);

  void save(StateWriter& out) const;
  /// \throws InputError
  void restore(StateReader& in);

 private:
  struct Stage {
    Linear layer;
    AlignedBytes patches, out;                         ///< [rows * pixels][stride]
    AlignedBytes pooled;                               ///< [rows][image stride]
    std::vector<std::uint8_t> which;                   ///< [rows][pooled]: the greatest of the four
    AlignedBytes change, pooled_change, patch_change;  ///< their gradients
    Operand operand;
  };
  std::vector<Linear*> mutable_matrices();
  std::size_t image_stride(std::size_t stage) const noexcept;
  void gather(std::size_t stage, const float* in, std::size_t in_stride, Counters* count);
  void pool(std::size_t stage, Counters* count);
  void pool_back(std::size_t stage, Counters* count);
  void gather_back(std::size_t stage, Counters* count);

  ConvolutionShape shape_;
  Optimiser optimiser_;
  Precision precision_ = Precision::parse("f32");
  std::vector<Stage> stages_;
  Linear hidden_layer_, scores_layer_;
  LinearWork work_;
  std::size_t rows_ = 0;
  AlignedBytes units_, scores_, unit_change_;
  Operand flat_operand_, unit_operand_;
};

/// Closed forms, written apart from the code that counts.
Counters convolution_forward_counters(const ConvolutionShape& shape, const Precision& p,
                                      std::uint64_t rows);
Counters convolution_loss_counters(const ConvolutionShape& shape, std::uint64_t rows);
Counters convolution_backward_counters(const ConvolutionShape& shape, const Precision& p,
                                       std::uint64_t rows, bool decays, bool update);
Counters convolution_conversion_counters(const ConvolutionShape& shape, const Precision& from,
                                         const Precision& to);

}  // namespace carnot::learn
