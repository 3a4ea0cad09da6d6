// SPDX-License-Identifier: Apache-2.0
// Closed forms of what a convolutional network counts, from the formulas and not from its code.
#include "learn/convolution/convolution.hpp"

namespace carnot::learn {

namespace {
using Kind = OperationKind;
}

Counters convolution_forward_counters(const ConvolutionShape& shape, const Precision& p,
                                      std::uint64_t rows) {
  Counters c;
  c.at(MemoryLevel::Dram) = 4 * rows * shape.pixels();
  for (const ConvolutionShape::Stage& s : shape.stages) {
    const std::uint64_t places = rows * s.height * s.width, patch = 9 * s.inputs;
    const std::uint64_t kept = rows * (s.height / 2) * (s.width / 2) * s.channels;
    c.at(MemoryLevel::Cache) += 8 * places * patch + 4 * places * s.channels + 5 * kept;
    c.at(Kind::F32Elementwise) += 3 * kept;
    c += operand_counters(places, patch, p);
    c += linear_forward_counters(patch, s.channels, places, true, p);
  }
  c += operand_counters(rows, shape.flat(), p);
  c += linear_forward_counters(shape.flat(), shape.hidden, rows, true, p);
  c += operand_counters(rows, shape.hidden, p);
  c += linear_forward_counters(shape.hidden, shape.classes, rows, false, p);
  return c;
}

Counters convolution_loss_counters(const ConvolutionShape& shape, std::uint64_t rows) {
  Counters c;
  c.at(Kind::F32Elementwise) = rows * (5 * shape.classes + 1);
  c.at(Kind::Special) = rows * (shape.classes + 2);
  return c;
}

Counters convolution_backward_counters(const ConvolutionShape& shape, const Precision& p,
                                       std::uint64_t rows, bool decays, bool update) {
  Counters c;
  const auto both = [&](std::uint64_t in, std::uint64_t out, std::uint64_t n, bool back) {
    c += linear_weight_gradient_counters(in, out, n, decays, update, p);
    if (back) c += linear_input_gradient_counters(in, out, n, p);
  };
  both(shape.hidden, shape.classes, rows, true);
  c.at(Kind::F32Elementwise) += rows * shape.hidden;
  both(shape.flat(), shape.hidden, rows, true);
  for (std::size_t i = 0; i < shape.stages.size(); ++i) {
    const ConvolutionShape::Stage& s = shape.stages[i];
    const std::uint64_t places = rows * s.height * s.width, patch = 9 * s.inputs;
    const std::uint64_t kept = rows * (s.height / 2) * (s.width / 2) * s.channels;
    c.at(Kind::F32Elementwise) += kept;
    c.at(MemoryLevel::Cache) += 4 * places * s.channels + 13 * kept;
    both(patch, s.channels, places, i > 0);
    if (i == 0) continue;
    c.at(Kind::F32Elementwise) += places * patch;
    c.at(MemoryLevel::Cache) += 12 * places * patch;
  }
  return c;
}

Counters convolution_conversion_counters(const ConvolutionShape& shape, const Precision& from,
                                         const Precision& to) {
  Counters c = linear_conversion_counters(shape.flat(), shape.hidden, from, to);
  c += linear_conversion_counters(shape.hidden, shape.classes, from, to);
  for (const ConvolutionShape::Stage& s : shape.stages)
    c += linear_conversion_counters(9 * s.inputs, s.channels, from, to);
  return c;
}

Counters convolution_predict_counters(const ConvolutionOptions& options, std::size_t pixels,
                                      std::size_t hidden, std::size_t classes, std::size_t rows) {
  const ConvolutionShape shape = convolution_shape(options, pixels, hidden, classes);
  Counters c = convolution_forward_counters(shape, Precision::parse("f32"), rows);
  c.at(Kind::Special) += rows * (classes + 1);
  return c;
}

}  // namespace carnot::learn
