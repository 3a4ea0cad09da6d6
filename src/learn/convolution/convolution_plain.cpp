// SPDX-License-Identifier: Apache-2.0
// Shapes, and the decoder's way through a convolutional network: plain loops that share no code
// with the learner's.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"

#include "learn/convolution/convolution.hpp"

namespace carnot::learn {

// A copy an instruction set, the same bits from each.
#define CARNOT_WIDE [[gnu::target_clones("default", "avx2", "avx512f")]]

namespace {

std::size_t whole_root(std::size_t n) {
  auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(n))));
  return side * side == n ? side : 0;
}

/// to[j] += sum over k of from[k] w[k][j], k ascending.
CARNOT_WIDE void add_scaled(const float* w, std::size_t ldw, const float* from, std::size_t count,
                            std::size_t n, float* to) {
  for (std::size_t k = 0; k < count; ++k, w += ldw) {
    const float v = from[k];
    if (v == 0.0f) continue;
    for (std::size_t j = 0; j < n; ++j) to[j] += v * w[j];
  }
}

/// One image through one convolution, ReLU and pooling. \param turned  weights [patch][channels]
void convolve(const ConvolutionShape::Stage& s, const std::vector<float>& turned,
              const std::vector<float>& bias, const float* in, std::vector<float>& full,
              std::vector<float>& out) {
  const std::size_t c = s.inputs, n = s.channels;
  full.resize(s.pixels() * n);
  for (std::size_t y = 0; y < s.height; ++y)
    for (std::size_t x = 0; x < s.width; ++x) {
      float* to = full.data() + (y * s.width + x) * n;
      std::copy(bias.begin(), bias.end(), to);
      const std::size_t left = x == 0 ? 1 : 0, right = x + 1 == s.width ? 1 : 0;
      for (std::size_t dy = 0; dy < 3; ++dy) {
        if (y + dy < 1 || y + dy > s.height) continue;
        const float* from = in + ((y + dy - 1) * s.width + x + left - 1) * c;
        add_scaled(turned.data() + (3 * dy + left) * c * n, n, from, (3 - left - right) * c, n, to);
      }
    }
  out.assign(s.pooled(), 0.0f);  // ReLU is the greatest with 0
  for (std::size_t y = 0; y < s.height / 2 * 2; ++y)
    for (std::size_t x = 0; x < s.width / 2 * 2; ++x) {
      const float* from = full.data() + (y * s.width + x) * n;
      float* to = out.data() + (y / 2 * (s.width / 2) + x / 2) * n;
      for (std::size_t j = 0; j < n; ++j) to[j] = std::max(to[j], from[j]);
    }
}

std::vector<float> turn(const std::vector<float>& w, std::size_t outputs) {
  const std::size_t inputs = w.size() / outputs;
  std::vector<float> out(w.size());
  for (std::size_t j = 0; j < outputs; ++j)
    for (std::size_t k = 0; k < inputs; ++k) out[k * outputs + j] = w[j * inputs + k];
  return out;
}

std::vector<float> dense(const std::vector<float>& turned, const std::vector<float>& bias,
                         const std::vector<float>& in) {
  std::vector<float> out = bias;
  add_scaled(turned.data(), out.size(), in.data(), in.size(), out.size(), out.data());
  return out;
}

}  // namespace

ImageSize image_size(const ConvolutionOptions& o, std::size_t pixels) {
  if (o.height == 0 && o.width == 0) {
    if (const std::size_t side = whole_root(pixels); side > 0) return {side, side, 1};
    if (const std::size_t side = whole_root(pixels / 3); pixels % 3 == 0 && side > 0)
      return {side, side, 3};
    throw InputError(describe(
        {}, "image",
        fmt::format("height and width: {} numbers are no square of one colour or three", pixels)));
  }
  if (o.height == 0 || o.width == 0 || o.height > pixels || o.width > pixels ||
      pixels % (o.height * o.width) != 0)
    throw InputError(describe({}, "image",
                              fmt::format("a height and a width whose product divides the {} "
                                          "numbers of a row, found {} x {}",
                                          pixels, o.height, o.width)));
  return {o.height, o.width, pixels / (o.height * o.width)};
}

ConvolutionShape convolution_shape(const ConvolutionOptions& options, std::size_t pixels,
                                   std::size_t hidden, std::size_t classes) {
  check_convolution(options, pixels);
  const ImageSize image = image_size(options, pixels);
  ConvolutionShape shape;
  shape.hidden = hidden;
  shape.classes = classes;
  std::size_t height = image.height, width = image.width, inputs = image.colours;
  for (const std::size_t channels : options.channels) {
    shape.stages.push_back({height, width, inputs, channels});
    height /= 2;
    width /= 2;
    inputs = channels;
  }
  return shape;
}

void check_convolution(const ConvolutionOptions& o, std::size_t pixels) {
  if (o.channels.empty() || o.channels.size() > 8 ||
      !std::all_of(o.channels.begin(), o.channels.end(),
                   [](std::size_t n) { return n >= 1 && n <= 1024; }))
    throw InputError(describe({}, "channels", "1 to 8 convolutions of 1 to 1024 channels"));
  const ImageSize image = image_size(o, pixels);
  const std::size_t least = std::size_t{1} << o.channels.size();
  if (image.height < least || image.width < least || image.colours > 64)
    throw InputError(describe(
        {}, "channels",
        fmt::format("so many convolutions that half the pixels each way are left after each: "
                    "{} need images of {} x {} or more, found {} x {}",
                    o.channels.size(), least, least, image.height, image.width)));
}

std::string shape_text(const ConvolutionOptions& o, std::size_t pixels) {
  const ImageSize image = image_size(o, pixels);
  return fmt::format("{} x {} pixels{}, convolutions of {} channels", image.height, image.width,
                     image.colours == 1 ? "" : fmt::format(" of {} colours", image.colours),
                     fmt::join(o.channels, ", "));
}

std::vector<std::size_t> convolution_rows(const std::vector<std::vector<float>>& parameters) {
  std::vector<std::size_t> rows(parameters.size(), 1);
  for (std::size_t i = 0; i + 1 < parameters.size(); i += 2)
    rows[i] = std::max<std::size_t>(parameters[i + 1].size(), 1);
  return rows;
}

std::vector<float> convolution_forward(const ConvolutionOptions& options,
                                       const std::vector<std::vector<float>>& parameters,
                                       const Dataset& data, std::size_t first, std::size_t rows) {
  CARNOT_CHECK(first + rows <= data.rows, "rows of the data");
  const std::size_t stages = options.channels.size();
  const bool counts = parameters.size() == 2 * stages + 4;
  const std::size_t hidden = counts ? parameters[2 * stages + 1].size() : 1;
  const ConvolutionShape shape = convolution_shape(options, data.columns, hidden, data.classes);
  bool fits = counts && hidden > 0;
  std::vector<std::vector<float>> turned;
  for (std::size_t l = 0; fits && l < stages + 2; ++l) {
    const std::size_t in = l < stages    ? shape.stages[l].patch()
                           : l == stages ? shape.flat()
                                         : shape.hidden;
    const std::size_t out = l < stages    ? shape.stages[l].channels
                            : l == stages ? shape.hidden
                                          : shape.classes;
    fits = parameters[2 * l].size() == in * out && parameters[2 * l + 1].size() == out;
    if (fits) turned.push_back(turn(parameters[2 * l], out));
  }
  if (!fits) throw InputError("coefficients: those of a convolutional network for the data");
  std::vector<float> result, in, full, out;
  result.reserve(rows * data.classes);
  for (std::size_t r = first; r < first + rows; ++r) {
    const float* image = data.features.data() + r * data.columns;
    for (std::size_t s = 0; s < stages; ++s) {
      convolve(shape.stages[s], turned[s], parameters[2 * s + 1], image, full, out);
      std::swap(in, out);
      image = in.data();
    }
    out = dense(turned[stages], parameters[2 * stages + 1], in);
    for (float& v : out) v = std::max(v, 0.0f);
    std::vector<float> z = dense(turned[stages + 1], parameters[2 * stages + 3], out);
    const float most = *std::max_element(z.begin(), z.end());
    float sum = 0.0f;
    for (float& v : z) sum += v = std::exp(v - most);
    for (const float v : z) result.push_back(v / sum);
  }
  return result;
}

double convolution_label_bits(const ConvolutionOptions& options,
                              const std::vector<std::vector<float>>& parameters,
                              const Dataset& data, std::size_t rows) {
  const std::vector<float> p = convolution_forward(options, parameters, data, 0, rows);
  double bits = 0.0;
  for (std::size_t r = 0; r < rows; ++r)
    bits -= std::log2(
        std::clamp(static_cast<double>(p[r * data.classes + data.labels[r]]), 0x1p-26, 1.0));
  return bits;
}

}  // namespace carnot::learn
