// SPDX-License-Identifier: Apache-2.0
#include "model/workload/onnx_geometry.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace carnot::model {

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;  // keeps all sums below within 64 bits

// A list of the node, or `otherwise` for each dimension of space.
Dims per_axis(const OnnxNodeContext& c, std::string_view name, std::size_t size,
              std::int64_t otherwise, std::int64_t least) {
  Dims found = c.integers(name);
  if (found.empty()) found.assign(size, otherwise);
  if (found.size() != size) c.refuse(fmt::format("{} needs {} values", name, size));
  for (const std::int64_t each : found) {
    if (each < least || each > kLargest) c.refuse(fmt::format("{} of {}", name, each));
  }
  return found;
}

}  // namespace

Dims window_output(const OnnxNodeContext& c, const Dims& space, const Dims& kernel) {
  const std::size_t n = space.size();
  if (kernel.size() != n) c.refuse(fmt::format("kernel_shape needs {} values", n));
  const Dims stride = per_axis(c, "strides", n, 1, 1);
  const Dims dilation = per_axis(c, "dilations", n, 1, 1);
  const Dims pads = per_axis(c, "pads", 2 * n, 0, -kLargest);
  const std::string_view automatic = c.text("auto_pad", "NOTSET");
  const bool ceil = c.integer("ceil_mode", 0) != 0;
  Dims made;
  for (std::size_t i = 0; i < n; ++i) {
    if (space[i] < 0) {
      made.push_back(kUnknownDimension);
      continue;
    }
    if (kernel[i] < 1 || kernel[i] > kLargest || space[i] > kLargest) {
      c.refuse(fmt::format("a kernel of {} over {}", kernel[i], space[i]));
    }
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      made.push_back((space[i] + stride[i] - 1) / stride[i]);
      continue;
    }
    const std::int64_t padded = automatic == "VALID" ? space[i] : space[i] + pads[i] + pads[i + n];
    const std::int64_t span = padded - dilation[i] * (kernel[i] - 1) - 1;
    if (span < 0) {
      c.refuse(fmt::format("a kernel that reaches over {} does not fit into {}",
                           dilation[i] * (kernel[i] - 1) + 1, padded));
    }
    std::int64_t out = (span + (ceil ? stride[i] - 1 : 0)) / stride[i] + 1;
    // A window that would start in the padding after the end is left out.
    if (ceil && (out - 1) * stride[i] >= space[i] + pads[i] && out > 1) --out;
    made.push_back(out);
  }
  return made;
}

Dims transposed_output(const OnnxNodeContext& c, const Dims& space, const Dims& kernel) {
  const std::size_t n = space.size();
  const Dims stride = per_axis(c, "strides", n, 1, 1);
  const Dims dilation = per_axis(c, "dilations", n, 1, 1);
  const Dims pads = per_axis(c, "pads", 2 * n, 0, -kLargest);
  const Dims extra = per_axis(c, "output_padding", n, 0, 0);
  const Dims given = c.integers("output_shape");
  if (!given.empty() && given.size() < n) c.refuse("output_shape needs a value for each axis");
  const std::string_view automatic = c.text("auto_pad", "NOTSET");
  Dims made;
  for (std::size_t i = 0; i < n; ++i) {
    if (!given.empty()) {
      made.push_back(given[given.size() - n + i]);
    } else if (space[i] < 0) {
      made.push_back(kUnknownDimension);
    } else if (space[i] > kLargest || kernel[i] > kLargest || kernel[i] < 1) {
      c.refuse(fmt::format("a kernel of {} over {}", kernel[i], space[i]));
    } else if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      made.push_back(space[i] * stride[i]);
    } else {
      const std::int64_t cut = automatic == "VALID" ? 0 : pads[i] + pads[i + n];
      const std::int64_t out =
          stride[i] * (space[i] - 1) + extra[i] + (kernel[i] - 1) * dilation[i] + 1 - cut;
      if (out < 0) c.refuse("an output below zero");
      made.push_back(out);
    }
    if (made.back() < kUnknownDimension) c.refuse("an output below zero");
  }
  return made;
}

}  // namespace carnot::model
