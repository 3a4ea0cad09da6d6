// SPDX-License-Identifier: Apache-2.0
// A Linear in the state of a learner.
#include <algorithm>
#include <cmath>
#include <string>

#include "carnot/base/error.hpp"

#include "learn/kernels/memory.hpp"
#include "learn/layers/linear.hpp"

namespace carnot::learn {

namespace {

void require(bool good, const char* what) {
  if (!good) throw InputError(std::string("learner state: ") + what);
}

}  // namespace

void read_finite(StateReader& in, std::vector<float>& like) {
  std::vector<float> read = in.sequence<float>();
  require(read.size() == like.size(), "a count is not that of the model");
  for (const float v : read) require(std::isfinite(v), "a coefficient is not finite");
  like = std::move(read);
}

void save_linear(const Linear& linear, StateWriter& out) {
  const Layer& layer = linear.layer();
  for (const AlignedBytes* bytes : {&layer.master, &layer.first, &layer.second})
    out.sequence(std::vector<std::uint8_t>(bytes->data(), bytes->data() + bytes->size()));
  out.sequence(layer.scale);
  out.sequence(layer.bias);
  out.sequence(layer.bias_first);
  out.sequence(layer.bias_second);
}

void restore_linear(Linear& linear, const Precision& precision, StateReader& in) {
  Layer& layer = linear.layer();
  const std::size_t n = layer.rows * layer.stride;
  const std::size_t widths[] = {precision.is_integer() ? std::size_t{2} : std::size_t{4},
                                moment_bytes(precision), moment_bytes(precision)};
  std::size_t which = 0;
  for (AlignedBytes* bytes : {&layer.master, &layer.first, &layer.second}) {
    const std::vector<std::uint8_t> read = in.sequence<std::uint8_t>();
    require(read.size() == n * widths[which], "size of a layer");
    *bytes = AlignedBytes(read.size());
    std::copy(read.begin(), read.end(), bytes->data());
    for (std::size_t i = 0; which > 0 && i < n; ++i)
      require(std::isfinite(moment(*bytes, i, precision)), "a moment is not finite");
    ++which;
  }
  for (std::size_t i = 0; !precision.is_integer() && i < n; ++i)
    require(std::isfinite(as<float>(layer.master)[i]), "a coefficient is not finite");
  layer.scale.assign(precision.is_integer() ? layer.rows : 0, 0.0f);
  read_finite(in, layer.scale);
  read_finite(in, layer.bias);
  read_finite(in, layer.bias_first);
  read_finite(in, layer.bias_second);
  linear.assume_precision(precision);
}

}  // namespace carnot::learn
