// SPDX-License-Identifier: Apache-2.0
// Pools, resizing, sampling.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "model/workload/onnx_geometry.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

std::uint64_t u(std::int64_t value) { return static_cast<std::uint64_t>(value); }

void pool(OnnxNodeContext& c) {
  const Dims& x = c.dims(0);
  if (x.size() < 3) c.refuse("input is N x C x space");
  const std::vector<std::int64_t> kernel = c.integers("kernel_shape");
  Dims y{x[0], x[1]};
  for (const std::int64_t each : window_output(c, Dims(x.begin() + 2, x.end()), kernel)) {
    y.push_back(each);
  }
  c.output(0, c.input(0).type, y);
  c.output(1, DataType::Int64, y);
  std::uint64_t taps = 1;
  for (const std::int64_t each : kernel) taps = checked_product("kernel", {taps, u(each)});
  const bool mean = c.node.type == "AveragePool";
  const bool power = c.node.type == "LpPool";
  const std::uint64_t ops = power ? checked_sum("kernel", {checked_product("kernel", {2, taps}), 1})
                            : mean ? checked_sum("kernel", {taps, 1})
                                   : taps;
  c.stream(KernelKind::Pooling, c.output_count(0), ops, mean || power ? 1 : 0);
}

void global_pool(OnnxNodeContext& c) {
  Dims y = c.dims(0);
  if (y.size() < 3) c.refuse("input is N x C x space");
  for (std::size_t i = 2; i < y.size(); ++i) y[i] = 1;
  c.output(0, c.input(0).type, std::move(y));
  const std::uint64_t elements = c.count(0), outputs = c.output_count(0);
  const bool mean = c.node.type != "GlobalMaxPool";
  Counts counts;
  counts.other_ops = checked_sum("other operations", {elements, mean ? outputs : 0});
  counts.special_ops = mean ? outputs : 0;
  c.emit(KernelKind::Pooling, StreamShape{elements}, counts);
}

// Operator set 10 has the scales as input 1, from 11 on they are input 2 and sizes input 3.
void resize(OnnxNodeContext& c) {
  Dims y = c.dims(0);
  const bool upsample = c.node.type == "Upsample" || c.inputs.size() == 2;
  const std::size_t scales_at = upsample ? 1 : 2;
  std::vector<std::int64_t> axes = c.integers("axes");
  const auto place = [&](std::size_t i, std::size_t given) -> std::int64_t& {
    if (axes.empty() ? given != y.size() : given != axes.size()) {
      c.refuse(fmt::format("{} scales or sizes for {} dimensions", given, y.size()));
    }
    return y[axes.empty() ? i : c.axis(axes[i], y.size())];
  };
  if (c.elements_known(3) && !c.input(3).elements->empty()) {
    const std::vector<std::int64_t> sizes = c.integers(3);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] < 0) c.refuse("a size below zero");
      place(i, sizes.size()) = sizes[i];
    }
  } else {
    Elements scales;
    if (const OnnxAttribute* given = c.attribute("scales")) {
      scales.assign(given->floats.begin(), given->floats.end());
    } else if (c.elements_known(scales_at)) {
      scales = *c.input(scales_at).elements;
    } else {
      throw NotKnown{"neither scales nor sizes are known"};
    }
    for (std::size_t i = 0; i < scales.size(); ++i) {
      std::int64_t& dim = place(i, scales.size());
      if (dim < 0) continue;
      if (!(scales[i] > 0) || scales[i] > 1e6) c.refuse("a scale is above 0");
      dim = to_integer(std::floor(static_cast<double>(dim) * scales[i]));
    }
  }
  c.output(0, c.input(0).type, y);
  const std::string_view mode = c.text("mode", "nearest");
  // Linear: 2 taps along each stretched axis; cubic: 4. Nearest moves only.
  std::uint64_t taps = 1;
  const Dims& x = c.known_dims(0);
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (x[i] != y[i]) taps *= mode == "cubic" ? 4 : 2;
    taps = std::min<std::uint64_t>(taps, 1 << 16);
  }
  c.stream(mode == "nearest" ? KernelKind::DataMovement : KernelKind::Elementwise,
           c.output_count(0), mode == "nearest" ? 0 : 2 * taps);
}

void grid_sample(OnnxNodeContext& c) {
  const Dims& x = c.known_dims(0);
  const Dims& grid = c.known_dims(1);
  if (grid.size() != x.size() || x.size() < 3) c.refuse("grid has as many dimensions as the input");
  Dims y{x[0], x[1]};
  y.insert(y.end(), grid.begin() + 1, grid.end() - 1);
  c.output(0, c.input(0).type, std::move(y));
  c.stream(KernelKind::Elementwise, c.output_count(0), 8);
}

void roi_align(OnnxNodeContext& c) {
  const Dims& x = c.known_dims(0, 4);
  const Dims& rois = c.dims(1);
  if (rois.size() != 2) c.refuse("boxes are rows of four");
  const std::int64_t height = c.integer("output_height", 1), width = c.integer("output_width", 1);
  if (height < 1 || width < 1) c.refuse("an output below one");
  c.output(0, c.input(0).type, {rois[0], x[1], height, width});
  const std::int64_t ratio = std::clamp<std::int64_t>(c.integer("sampling_ratio", 0), 1, 64);
  c.stream(KernelKind::Elementwise, c.output_count(0), 8 * u(ratio) * u(ratio));
}

void columns_to_image(OnnxNodeContext& c) {
  const Dims& x = c.known_dims(0, 3);
  const std::vector<std::int64_t> image = c.integers(1), block = c.integers(2);
  std::int64_t taps = 1;
  for (const std::int64_t each : block) {
    if (each < 1 || __builtin_mul_overflow(taps, each, &taps)) c.refuse("block_shape");
  }
  Dims y{x[0], x[1] / taps};
  for (const std::int64_t each : image) {
    if (each < 0 || image.size() > 8) c.refuse("image_shape");
    y.push_back(each);
  }
  c.output(0, c.input(0).type, std::move(y));
  c.stream(KernelKind::DataMovement, c.count(0), 1);
}

}  // namespace

void add_image_rules(OnnxRules& rules) {
  for (const char* type : {"MaxPool", "AveragePool", "LpPool"}) rules[type] = pool;
  for (const char* type : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    rules[type] = global_pool;
  }
  rules["Resize"] = resize;
  rules["Upsample"] = resize;
  rules["GridSample"] = grid_sample;
  rules["RoiAlign"] = roi_align;
  rules["Col2Im"] = columns_to_image;
}

}  // namespace carnot::model
