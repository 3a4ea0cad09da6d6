// SPDX-License-Identifier: Apache-2.0
// Operators that make, ask for or change shapes. Small integer arrays are computed along, so that
// chains such as Shape -> Gather -> Concat -> Reshape end in numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "model/workload/onnx_elements.hpp"
#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

// Nothing moves: the same bytes under another shape.
void same(OnnxNodeContext& c) { c.output(0, c.input(0)); }

void dropout(OnnxNodeContext& c) {
  same(c);
  if (c.outputs.size() > 1 && c.input(0).ranked) c.output(1, DataType::Bool, c.dims(0));
}

void shape(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto clamp = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t start = clamp(c.integer("start", 0));
  const std::int64_t end = std::max(start, clamp(c.integer("end", rank)));
  Elements found;
  for (std::int64_t i = start; i < end; ++i) {
    const std::int64_t dim = dims[static_cast<std::size_t>(i)];
    found.push_back(dim < 0 ? std::nan("") : static_cast<double>(dim));
  }
  OnnxValue value = shaped(DataType::Int64, {end - start});
  value.constant = std::none_of(found.begin(), found.end(), [](double x) { return x != x; });
  value.elements = std::make_shared<Elements>(std::move(found));
  c.output(0, std::move(value));
}

void size(OnnxNodeContext& c) {
  OnnxValue value = shaped(DataType::Int64, {});
  const auto count = element_count(c.input(0));
  value.constant = count.has_value();
  value.elements =
      std::make_shared<Elements>(Elements{count ? static_cast<double>(*count) : std::nan("")});
  c.output(0, std::move(value));
}

OnnxValue reshaped(const OnnxValue& from, Dims dims) {
  OnnxValue value = from;
  value.ranked = true;
  value.dims = std::move(dims);
  return value;
}

void reshape(OnnxNodeContext& c) {
  const OnnxValue& data = c.input(0);
  Dims wanted;
  if (c.attribute("shape") != nullptr) {
    wanted = c.integers("shape");
  } else {
    const OnnxValue& given = c.input(1);
    if (given.elements) {
      for (const double each : *given.elements) {
        // -2: not known, told apart from the -1 that asks for a division
        wanted.push_back(each == each ? to_integer(each) : -2);
      }
    } else if (given.known() && given.dims.size() == 1 && given.dims[0] <= 64) {
      c.output(0, shaped(data.type, Dims(static_cast<std::size_t>(given.dims[0]), -1)));
      return;
    } else {
      throw NotKnown{"the new shape is not known"};
    }
  }
  if (wanted.size() > 64) c.refuse("a shape has at most 64 dimensions");
  const bool zero_is_zero = c.integer("allowzero", 0) != 0;
  std::size_t free_at = wanted.size();
  bool open = false;
  std::uint64_t rest = 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && !zero_is_zero) {
      wanted[i] = data.ranked && i < data.dims.size() ? data.dims[i] : -2;
      if (wanted[i] == -1) wanted[i] = -2;
    } else if (wanted[i] == -1) {
      if (free_at != wanted.size()) c.refuse("two dimensions of -1");
      free_at = i;
      continue;
    } else if (wanted[i] < -2) {
      c.refuse(fmt::format("dimension {} is {}", i, wanted[i]));
    }
    if (wanted[i] == -2) {
      open = true;
    } else {
      rest = checked_product("elements of a tensor", {rest, static_cast<std::uint64_t>(wanted[i])});
    }
  }
  const auto have = element_count(data);
  if (free_at != wanted.size() && have && !open) {
    if (rest == 0 ? *have != 0 : *have % rest != 0) {
      c.refuse(fmt::format("{} elements do not divide by {}", *have, rest));
    }
    wanted[free_at] = rest == 0 ? 0 : static_cast<std::int64_t>(*have / rest);
  } else if (free_at == wanted.size() && have && !open && *have != rest) {
    c.refuse(fmt::format("{} elements do not fit a shape of {}", *have, rest));
  }
  // One unknown among known ones follows from the number of elements.
  if (have && open && free_at == wanted.size() && rest != 0 &&
      std::count(wanted.begin(), wanted.end(), -2) == 1 && *have % rest == 0) {
    *std::find(wanted.begin(), wanted.end(), -2) = static_cast<std::int64_t>(*have / rest);
  }
  for (std::int64_t& dim : wanted) dim = std::max<std::int64_t>(dim, -1);
  c.output(0, reshaped(data, std::move(wanted)));
}

void flatten(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  std::int64_t axis = c.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(dims.size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) c.refuse("axis out of range");
  const auto product = [](auto first, auto last) {
    std::int64_t all = 1;
    for (; first != last; ++first) {
      if (*first < 0) return kUnknownDimension;
      if (__builtin_mul_overflow(all, *first, &all)) {
        checked_product("elements of a tensor", {UINT64_MAX, 2});
      }
    }
    return all;
  };
  const auto middle = dims.begin() + axis;
  c.output(0, reshaped(c.input(0), {product(dims.begin(), middle), product(middle, dims.end())}));
}

void squeeze(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const std::vector<std::int64_t> axes = c.integers("axes", 1);
  std::vector<bool> out(dims.size(), false);
  for (const std::int64_t each : axes) out[c.axis(each, dims.size())] = true;
  Dims kept;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (axes.empty() && dims[i] < 0) throw NotKnown{"which dimensions are one is not known"};
    if (!(axes.empty() ? dims[i] == 1 : out[i])) kept.push_back(dims[i]);
  }
  c.output(0, reshaped(c.input(0), std::move(kept)));
}

void unsqueeze(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const std::vector<std::int64_t> axes = c.integers("axes", 1);
  const std::size_t rank = dims.size() + axes.size();
  if (rank > 64) c.refuse("a shape has at most 64 dimensions");
  std::vector<bool> fresh(rank, false);
  for (const std::int64_t each : axes) {
    const std::size_t at = c.axis(each, rank);
    if (fresh[at]) c.refuse(fmt::format("axis {} twice", each));
    fresh[at] = true;
  }
  Dims made;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) made.push_back(fresh[i] ? 1 : dims[next++]);
  c.output(0, reshaped(c.input(0), std::move(made)));
}

void transpose(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  std::vector<std::int64_t> order = c.integers("perm");
  if (order.empty()) {
    order.resize(dims.size());
    std::iota(order.rbegin(), order.rend(), 0);
  }
  if (order.size() != dims.size()) c.refuse("perm has another number of dimensions");
  std::vector<std::size_t> from;
  Dims made;
  std::vector<bool> seen(dims.size(), false);
  for (const std::int64_t each : order) {
    from.push_back(c.axis(each, dims.size()));
    if (seen[from.back()]) c.refuse(fmt::format("perm names axis {} twice", each));
    seen[from.back()] = true;
    made.push_back(dims[from.back()]);
  }
  OnnxValue value = shaped(c.input(0).type, made);
  if (c.elements_known(0) && value.known()) {
    const std::vector<std::size_t> stride = strides(dims);
    value.elements = pick(*c.input(0).elements, made, [&](const std::vector<std::size_t>& at) {
      std::size_t index = 0;
      for (std::size_t i = 0; i < at.size(); ++i) index += at[i] * stride[from[i]];
      return index;
    });
  }
  c.output(0, std::move(value));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void concat(OnnxNodeContext& c) {
  if (c.inputs.empty()) c.refuse("at least one input is needed");
  Dims dims;
  std::size_t axis = 0;
  bool first = true;
  Elements joined;
  bool elements = true;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const Dims& each = c.dims(i);
    if (first) {
      dims = each;
      axis = c.axis(c.integer("axis", 0), dims.size());
      first = false;
    } else {
      if (each.size() != dims.size()) c.refuse("inputs of different rank");
      for (std::size_t d = 0; d < dims.size(); ++d) {
        if (d == axis) {
          const bool known = dims[d] >= 0 && each[d] >= 0;
          if (known && __builtin_add_overflow(dims[d], each[d], &dims[d])) c.refuse("too long");
          if (!known) dims[d] = kUnknownDimension;
        } else if (dims[d] < 0) {
          dims[d] = each[d];
        } else if (each[d] >= 0 && each[d] != dims[d]) {
          c.refuse(fmt::format("dimension {} is {} and {}", d, dims[d], each[d]));
        }
      }
    }
    elements = elements && dims.size() == 1 && c.elements_known(i) &&
               joined.size() + c.inputs[i]->elements->size() <= kMostKnownElements;
    if (elements) {
      joined.insert(joined.end(), c.inputs[i]->elements->begin(), c.inputs[i]->elements->end());
    }
  }
  OnnxValue value = shaped(c.input(0).type, std::move(dims));
  if (elements) value.elements = std::make_shared<Elements>(std::move(joined));
  c.output(0, std::move(value));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void split(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const std::size_t axis = c.axis(c.integer("axis", 0), dims.size());
  const std::size_t parts = c.outputs.size();
  std::vector<std::int64_t> sizes = c.integers("split", 1);
  if (sizes.empty() && dims[axis] >= 0 && parts > 0) {
    const auto n = static_cast<std::int64_t>(parts);
    const std::int64_t size = dims[axis] / n + (dims[axis] % n != 0 ? 1 : 0);
    for (std::int64_t i = 0; i < n; ++i) {
      sizes.push_back(std::clamp<std::int64_t>(dims[axis] - i * size, 0, size));
    }
  }
  if (!sizes.empty() && sizes.size() != parts) c.refuse("as many sizes as outputs are needed");
  std::size_t begin = 0;
  for (std::size_t i = 0; i < parts; ++i) {
    Dims made = dims;
    made[axis] = sizes.empty() ? kUnknownDimension : sizes[i];
    if (made[axis] < kUnknownDimension) c.refuse("a size below zero");
    OnnxValue value = shaped(c.input(0).type, std::move(made));
    if (!sizes.empty() && dims.size() == 1 && c.elements_known(0)) {
      const Elements& all = *c.input(0).elements;
      const std::size_t from = std::min(begin, all.size());
      const std::size_t to = std::min(all.size(), from + static_cast<std::size_t>(sizes[i]));
      value.elements = std::make_shared<Elements>(all.begin() + static_cast<std::ptrdiff_t>(from),
                                                  all.begin() + static_cast<std::ptrdiff_t>(to));
      begin = to;
    }
    c.output(i, std::move(value));
  }
  c.stream(KernelKind::DataMovement, c.count(0), 0);
}

// Only what is kept is read.
void moved(OnnxNodeContext& c) {
  Operator* made = c.stream(KernelKind::DataMovement, c.output_count(0), 0);
  if (made != nullptr) {
    if (made->weight_bytes != 0) {
      made->weight_read_bytes =
          std::min(made->weight_read_bytes, static_cast<double>(made->written_bytes));
    } else {
      made->read_bytes = std::min(made->read_bytes, made->written_bytes);
    }
  }
}

void slice(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  OnnxValue value = shaped(c.input(0).type, dims);
  std::vector<std::int64_t> axes = c.integers("axes", 3);
  std::vector<std::int64_t> steps = c.has(4) ? c.integers(4) : std::vector<std::int64_t>{};
  const auto bounds = [&](const char* name, std::size_t i) {
    if (c.attribute(name) != nullptr || !c.has(i)) {
      const auto given = c.integers(name);
      return Elements(given.begin(), given.end());
    }
    return c.inputs[i]->elements ? *c.inputs[i]->elements : Elements{};
  };
  const Elements starts = bounds("starts", 1), ends = bounds("ends", 2);
  if (axes.empty()) {
    // Without starts that are known even the axes are unknown: all of them then.
    axes.resize(starts.empty() ? dims.size() : starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  std::vector<std::int64_t> begin(dims.size(), 0), step(dims.size(), 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = c.axis(axes[i], dims.size());
    const std::int64_t n = dims[axis];
    const std::int64_t by = i < steps.size() ? steps[i] : 1;
    if (by == 0 || by == std::numeric_limits<std::int64_t>::min()) c.refuse("a step of zero");
    const double from = i < starts.size() ? starts[i] : std::nan("");
    const double to = i < ends.size() ? ends[i] : std::nan("");
    const bool whole = by == 1 && from == 0 && to >= 0x1p31;
    if (whole) continue;
    if (n < 0 || from != from || to != to) {
      value.dims[axis] = kUnknownDimension;
      continue;
    }
    const auto place = [&](double given, std::int64_t low, std::int64_t high) {
      const std::int64_t at = to_integer(given);
      return std::clamp<std::int64_t>(at < 0 ? at + n : at, low, high);
    };
    const std::int64_t first = by > 0 ? place(from, 0, n) : place(from, 0, n - 1);
    const std::int64_t last = by > 0 ? place(to, 0, n) : place(to, -1, n - 1);
    const std::int64_t span = by > 0 ? last - first : first - last;
    const std::int64_t stride = by > 0 ? by : -by;
    value.dims[axis] = span <= 0 ? 0 : (span - 1) / stride + 1;
    begin[axis] = first;
    step[axis] = by;
  }
  if (c.elements_known(0) && value.known()) {
    const std::vector<std::size_t> stride = strides(dims);
    value.elements =
        pick(*c.input(0).elements, value.dims, [&](const std::vector<std::size_t>& at) {
          std::size_t index = 0;
          for (std::size_t i = 0; i < at.size(); ++i) {
            const std::int64_t along = begin[i] + static_cast<std::int64_t>(at[i]) * step[i];
            index += static_cast<std::size_t>(along) * stride[i];
          }
          return index;
        });
  }
  c.output(0, std::move(value));
  moved(c);
}

void gather(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const Dims& at = c.dims(1);
  const std::size_t axis = c.axis(c.integer("axis", 0), dims.size());
  Dims made(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis));
  made.insert(made.end(), at.begin(), at.end());
  made.insert(made.end(), dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, dims.end());
  if (made.size() > 64) c.refuse("a shape has at most 64 dimensions");
  OnnxValue value = shaped(c.input(0).type, std::move(made));
  if (dims.size() == 1 && c.elements_known(0) && c.elements_known(1)) {
    const Elements& all = *c.input(0).elements;
    Elements found;
    for (const double each : *c.input(1).elements) {
      std::int64_t index = to_integer(each, INT64_MAX);
      if (index < 0) index += static_cast<std::int64_t>(all.size());
      const bool inside = index >= 0 && index < static_cast<std::int64_t>(all.size());
      found.push_back(inside ? all[static_cast<std::size_t>(index)] : std::nan(""));
    }
    value.elements = std::make_shared<Elements>(std::move(found));
  }
  c.output(0, std::move(value));
  const bool lookup = c.input(0).constant && c.input(0).claim != 0 && !c.input(1).constant;
  Operator* row =
      c.stream(lookup ? KernelKind::Embedding : KernelKind::DataMovement, c.output_count(0), 0);
  if (row == nullptr) return;
  if (c.input(0).constant) {
    row->weight_read_bytes =
        std::min(row->weight_read_bytes, static_cast<double>(row->written_bytes));
  } else {
    row->read_bytes = std::min(row->read_bytes, row->written_bytes * 2);
  }
}

void like_indices(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(1));
  moved(c);
}

void gather_nd(OnnxNodeContext& c) {
  const Dims& dims = c.dims(0);
  const Dims& at = c.dims(1);
  const auto batch =
      static_cast<std::size_t>(std::max<std::int64_t>(0, c.integer("batch_dims", 0)));
  if (at.empty() || at.back() < 0) throw NotKnown{"the length of an index is not known"};
  const std::size_t taken = batch + static_cast<std::size_t>(at.back());
  if (taken > dims.size() || batch > at.size()) c.refuse("indices are longer than the data's rank");
  Dims made(at.begin(), at.end() - 1);
  made.insert(made.end(), dims.begin() + static_cast<std::ptrdiff_t>(taken), dims.end());
  c.output(0, c.input(0).type, std::move(made));
  moved(c);
}

void scatter(OnnxNodeContext& c) {
  c.output(0, c.input(0).type, c.dims(0));
  const bool adds = c.text("reduction", "none") != "none";
  const std::uint64_t updates = c.has(2) ? c.count(2) : 0;
  Counts counts;
  counts.other_ops = adds ? updates : 0;
  c.emit(KernelKind::DataMovement, StreamShape{c.output_count(0)}, counts);
}

void expand(OnnxNodeContext& c) {
  const OnnxValue& wanted = c.input(1);
  Dims to;
  if (wanted.elements) {
    for (const double each : *wanted.elements) to.push_back(to_integer(each));
  } else {
    throw NotKnown{"the new shape is not known"};
  }
  if (to.size() > 64) c.refuse("a shape has at most 64 dimensions");
  for (const std::int64_t each : to) {
    if (each < -1) c.refuse("a dimension below zero");
  }
  const Dims& dims = c.dims(0);
  OnnxValue value = shaped(c.input(0).type, broadcast(c, dims, to));
  if (c.elements_known(0) && value.known()) {
    value.elements = spread(*c.input(0).elements, dims, value.dims);
  }
  c.output(0, std::move(value));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void tile(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  const std::vector<std::int64_t> repeats = c.integers(1);
  if (repeats.size() != made.size()) c.refuse("as many repeats as dimensions are needed");
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (repeats[i] < 0) c.refuse("a repeat below zero");
    if (made[i] >= 0 && __builtin_mul_overflow(made[i], repeats[i], &made[i])) {
      c.refuse("too long");
    }
  }
  c.output(0, c.input(0).type, std::move(made));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void range(OnnxNodeContext& c) {
  OnnxValue value = shaped(c.input(0).type, {kUnknownDimension});
  if (c.elements_known(0) && c.elements_known(1) && c.elements_known(2) &&
      c.input(0).elements->size() == 1 && c.input(1).elements->size() == 1 &&
      c.input(2).elements->size() == 1) {
    const double start = (*c.input(0).elements)[0], limit = (*c.input(1).elements)[0];
    const double step = (*c.input(2).elements)[0];
    const double n = std::ceil((limit - start) / step);
    if (n == n) {
      if (n > 0x1p31) c.refuse("longer than 2^31");
      value.dims[0] = std::max<std::int64_t>(0, to_integer(n));
      if (value.dims[0] <= static_cast<std::int64_t>(kMostKnownElements)) {
        Elements found;
        for (std::int64_t i = 0; i < value.dims[0]; ++i) {
          found.push_back(start + static_cast<double>(i) * step);
        }
        value.elements = std::make_shared<Elements>(std::move(found));
      }
    }
  }
  c.output(0, std::move(value));
  c.stream(KernelKind::Elementwise, c.output_count(0), 1);
}

void constant_of_shape(OnnxNodeContext& c) {
  Dims dims;
  const OnnxValue& wanted = c.input(0);
  if (wanted.elements) {
    for (const double each : *wanted.elements) dims.push_back(to_integer(each));
  } else if (wanted.known() && wanted.dims.size() == 1 && wanted.dims[0] <= 64) {
    dims.assign(static_cast<std::size_t>(wanted.dims[0]), kUnknownDimension);
  } else {
    throw NotKnown{"the shape is not known"};
  }
  if (dims.size() > 64) c.refuse("a shape has at most 64 dimensions");
  for (const std::int64_t each : dims) {
    if (each < kUnknownDimension) c.refuse("a dimension below zero");
  }
  OnnxValue value = shaped(DataType::Float32, std::move(dims));
  double fill = 0;
  if (const OnnxAttribute* given = c.attribute("value"); given && !given->tensors.empty()) {
    const OnnxTensor& tensor = given->tensors.front();
    value.type = onnx_data_type(tensor.type);
    const std::vector<double> first = onnx_tensor_values(tensor, tensor.raw, 1);
    fill = first.empty() ? std::nan("") : first[0];
  }
  const auto n = element_count(value);
  if (n && *n <= kMostKnownElements) value.elements = std::make_shared<Elements>(*n, fill);
  c.output(0, std::move(value));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void like_input(OnnxNodeContext& c) {
  const std::int64_t type = c.integer("dtype", 0);
  c.output(0, type != 0 ? onnx_data_type(type) : c.input(0).type, c.dims(0));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void random(OnnxNodeContext& c) {
  const std::int64_t type = c.integer("dtype", 1);
  c.output(0, onnx_data_type(type), c.inputs.empty() ? c.integers("shape") : c.dims(0));
  for (const std::int64_t each : c.outputs[0].dims) {
    if (each < kUnknownDimension) c.refuse("a dimension below zero");
  }
  c.stream(KernelKind::Elementwise, c.output_count(0), 10);
}

void pad(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  std::vector<std::int64_t> pads = c.integers("pads", 1);
  if (pads.empty()) pads = c.integers("paddings");
  std::vector<std::int64_t> axes = c.has(3) ? c.integers(3) : std::vector<std::int64_t>{};
  if (axes.empty()) {
    axes.resize(made.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (pads.size() != 2 * axes.size()) c.refuse("two pads for each axis are needed");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::int64_t& dim = made[c.axis(axes[i], made.size())];
    if (dim < 0) continue;
    if (__builtin_add_overflow(dim, pads[i], &dim) ||
        __builtin_add_overflow(dim, pads[i + axes.size()], &dim) || dim < 0) {
      c.refuse("pads give a dimension below zero or beyond 2^63");
    }
  }
  c.output(0, c.input(0).type, std::move(made));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void data_dependent(OnnxNodeContext& c) {
  if (c.node.type == "NonZero") {
    const bool ranked = c.input(0).ranked;
    c.output(0, DataType::Int64,
             {ranked ? static_cast<std::int64_t>(c.input(0).dims.size()) : -1, kUnknownDimension});
  } else if (c.node.type == "Unique") {
    c.output(0, c.input(0).type, {kUnknownDimension});
    for (std::size_t i = 1; i < c.outputs.size(); ++i) {
      c.output(i, DataType::Int64, {kUnknownDimension});
    }
  } else if (c.node.type == "NonMaxSuppression") {
    c.output(0, DataType::Int64, {kUnknownDimension, 3});
  }
  throw NotKnown{"how much it gives depends on the data"};
}

void compress(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  const OnnxAttribute* axis = c.attribute("axis");
  if (axis == nullptr) {
    made = {kUnknownDimension};
  } else {
    made[c.axis(axis->i, made.size())] = kUnknownDimension;
  }
  c.output(0, c.input(0).type, std::move(made));
  throw NotKnown{"how much it gives depends on the data"};
}

void one_hot(OnnxNodeContext& c) {
  Dims made = c.dims(0);
  const std::vector<std::int64_t> depth = c.integers(1);
  std::int64_t axis = c.integer("axis", -1);
  const auto rank = static_cast<std::int64_t>(made.size()) + 1;
  if (axis < 0) axis += rank;
  if (depth.size() != 1 || depth[0] < 0 || axis < 0 || axis >= rank) c.refuse("depth or axis");
  made.insert(made.begin() + axis, depth[0]);
  c.output(0, c.has(2) ? c.input(2).type : DataType::Float32, std::move(made));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

void blocks(OnnxNodeContext& c) {
  Dims made = c.known_dims(0, 4);
  const std::int64_t block = c.integer("blocksize", 0);
  if (block < 1 || block > 65535) c.refuse("blocksize is 1 ... 65535");
  if (c.node.type == "DepthToSpace") {
    made[1] /= block * block;
    made[2] = static_cast<std::int64_t>(
        checked_product("elements of a tensor",
                        {static_cast<std::uint64_t>(made[2]), static_cast<std::uint64_t>(block)}));
    made[3] = static_cast<std::int64_t>(
        checked_product("elements of a tensor",
                        {static_cast<std::uint64_t>(made[3]), static_cast<std::uint64_t>(block)}));
  } else {
    made[1] = static_cast<std::int64_t>(checked_product(
        "elements of a tensor",
        {static_cast<std::uint64_t>(made[1]), static_cast<std::uint64_t>(block * block)}));
    made[2] /= block;
    made[3] /= block;
  }
  for (const std::int64_t each : made) {
    if (each < 0) c.refuse("a dimension beyond 2^63");
  }
  c.output(0, c.input(0).type, std::move(made));
  c.stream(KernelKind::DataMovement, c.output_count(0), 0);
}

}  // namespace

void add_shape_rules(OnnxRules& rules) {
  for (const char* type : {"Identity", "Optional", "OptionalGetElement"}) rules[type] = same;
  rules["Dropout"] = dropout;
  rules["Shape"] = shape;
  rules["Size"] = size;
  rules["Reshape"] = reshape;
  rules["Flatten"] = flatten;
  rules["Squeeze"] = squeeze;
  rules["Unsqueeze"] = unsqueeze;
  rules["Transpose"] = transpose;
  rules["Concat"] = concat;
  rules["Split"] = split;
  rules["Slice"] = slice;
  rules["Gather"] = gather;
  rules["GatherElements"] = like_indices;
  rules["GatherND"] = gather_nd;
  for (const char* type : {"Scatter", "ScatterElements", "ScatterND", "TensorScatter"}) {
    rules[type] = scatter;
  }
  rules["Expand"] = expand;
  rules["Tile"] = tile;
  rules["Range"] = range;
  rules["ConstantOfShape"] = constant_of_shape;
  rules["EyeLike"] = like_input;
  for (const char* type : {"Trilu", "ReverseSequence", "com.microsoft::Trilu"}) {
    rules[type] = like_input;
  }
  for (const char* type :
       {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli"}) {
    rules[type] = random;
  }
  rules["Pad"] = pad;
  for (const char* type : {"NonZero", "Unique", "NonMaxSuppression"}) rules[type] = data_dependent;
  rules["Compress"] = compress;
  rules["OneHot"] = one_hot;
  rules["DepthToSpace"] = blocks;
  rules["SpaceToDepth"] = blocks;
}

}  // namespace carnot::model
