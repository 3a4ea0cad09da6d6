// SPDX-License-Identifier: Apache-2.0
#include "model/workload/onnx_node.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

// Sums of a few dimensions, and their products with a number of heads, stay within 64 bits.
constexpr std::int64_t kLargestInferred = std::int64_t{1} << 38;

}  // namespace

std::string OnnxNodeContext::title() const {
  return fmt::format("node `{}` ({})",
                     node.name.empty() && !node.outputs.empty() ? node.outputs.front() : node.name,
                     node.type);
}

void OnnxNodeContext::refuse(std::string_view what) const {
  throw InputError(fmt::format("{}: byte {}: {}: {}", source_.file, node.offset, title(), what));
}

const OnnxValue& OnnxNodeContext::input(std::size_t i) const {
  if (!has(i)) refuse(fmt::format("input {} is needed", i));
  return *inputs[i];
}

const Dims& OnnxNodeContext::dims(std::size_t i) const {
  const OnnxValue& value = input(i);
  if (!value.ranked) throw NotKnown{fmt::format("the shape of input {} is not known", i)};
  return value.dims;
}

const Dims& OnnxNodeContext::known_dims(std::size_t i) const {
  const Dims& found = dims(i);
  for (std::size_t d = 0; d < found.size(); ++d) {
    if (found[d] < 0) throw NotKnown{fmt::format("dimension {} of input {} is not known", d, i)};
  }
  return found;
}

const Dims& OnnxNodeContext::known_dims(std::size_t i, std::size_t rank) const {
  const Dims& found = known_dims(i);
  if (found.size() != rank) {
    refuse(fmt::format("input {} has {} dimensions, {} are needed", i, found.size(), rank));
  }
  return found;
}

std::uint64_t OnnxNodeContext::count(std::size_t i) const {
  known_dims(i);
  return *element_count(*inputs[i]);
}

std::vector<std::int64_t> OnnxNodeContext::integers(std::size_t i) const {
  const OnnxValue& value = input(i);
  if (!value.elements) throw NotKnown{fmt::format("the elements of input {} are not known", i)};
  std::vector<std::int64_t> found;
  found.reserve(value.elements->size());
  for (const double element : *value.elements) {
    if (!(element == element)) {
      throw NotKnown{fmt::format("an element of input {} is not known", i)};
    }
    found.push_back(to_integer(element));
  }
  return found;
}

const OnnxAttribute* OnnxNodeContext::attribute(std::string_view name) const noexcept {
  for (const OnnxAttribute& each : node.attributes) {
    if (each.name != name) continue;
    if (each.reference.empty()) return &each;
    if (function_ == nullptr) return nullptr;
    const auto found = function_->find(each.reference);
    return found == function_->end() ? nullptr : found->second;
  }
  return nullptr;
}

std::int64_t OnnxNodeContext::integer(std::string_view name,
                                      std::int64_t otherwise) const noexcept {
  const OnnxAttribute* found = attribute(name);
  return found == nullptr ? otherwise : found->i;
}

double OnnxNodeContext::real(std::string_view name, double otherwise) const noexcept {
  const OnnxAttribute* found = attribute(name);
  return found == nullptr ? otherwise : static_cast<double>(found->f);
}

std::string_view OnnxNodeContext::text(std::string_view name,
                                       std::string_view otherwise) const noexcept {
  const OnnxAttribute* found = attribute(name);
  return found == nullptr ? otherwise : found->s;
}

std::vector<std::int64_t> OnnxNodeContext::integers(std::string_view name) const {
  const OnnxAttribute* found = attribute(name);
  return found == nullptr ? std::vector<std::int64_t>{} : found->ints;
}

std::vector<std::int64_t> OnnxNodeContext::integers(std::string_view name, std::size_t i) const {
  if (attribute(name) != nullptr) return integers(name);
  return has(i) ? integers(i) : std::vector<std::int64_t>{};
}

void OnnxNodeContext::output(std::size_t i, OnnxValue value) {
  for (const std::int64_t dim : value.dims) {
    if (dim > kLargestInferred) refuse(fmt::format("output {} has a dimension beyond 2^38", i));
  }
  if (i < outputs.size()) outputs[i] = std::move(value);
}

std::uint64_t OnnxNodeContext::output_count(std::size_t i) const {
  const auto found = i < outputs.size() ? element_count(outputs[i]) : std::nullopt;
  if (!found) throw NotKnown{fmt::format("the shape of output {} is not known", i)};
  return *found;
}

bool OnnxNodeContext::folds() const noexcept {
  bool any = false;
  for (const OnnxValue* each : inputs) {
    if (each == nullptr) continue;
    if (!each->constant) return false;
    any = true;
  }
  return any;
}

void OnnxNodeContext::weigh(Operator& made) {
  // An input named twice is read once.
  std::unordered_set<const OnnxValue*> seen;
  const auto first_use = [&](std::size_t i) {
    if (inputs.size() > 8) return seen.insert(inputs[i]).second;
    const auto end = inputs.begin() + static_cast<std::ptrdiff_t>(i);
    return std::find(inputs.begin(), end, inputs[i]) == end;
  };
  std::uint64_t widest = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OnnxValue* each = inputs[i];
    if (each == nullptr) continue;
    if (!first_use(i)) continue;
    if (each->constant) {
      made.weight_bytes = checked_sum("weight bytes", {made.weight_bytes, each->stored_bytes});
      if (each->claim == 0) continue;
      WeightClaim& claim = claims_[each->claim];
      if (!claim.taken) {
        made.parameters = checked_sum("parameters", {made.parameters, claim.parameters});
        claim.taken = true;
      }
      if (each->stored_bytes >= widest && claim.parameters > 0) {
        widest = each->stored_bytes;
        made.weight_type = each->stored_type;
      }
    } else if (const auto elements = element_count(*each)) {
      if (made.activation_type == DataType::Undefined) made.activation_type = each->type;
      made.read_bytes =
          checked_sum("bytes read", {made.read_bytes, bytes_of(*elements, each->type)});
    }
  }
  for (const OnnxValue& each : outputs) {
    if (const auto elements = element_count(each)) {
      if (made.activation_type == DataType::Undefined) made.activation_type = each.type;
      made.written_bytes =
          checked_sum("bytes written", {made.written_bytes, bytes_of(*elements, each.type)});
    }
  }
  made.weight_read_bytes = static_cast<double>(made.weight_bytes);
}

Operator* OnnxNodeContext::emit(KernelKind kind, OperatorShape shape, const Counts& counts) {
  if (folds()) return nullptr;
  Operator made;
  made.name = std::string(!node.name.empty()      ? node.name
                          : !node.outputs.empty() ? node.outputs.front()
                                                  : node.type);
  made.type =
      node.domain.empty() ? std::string(node.type) : fmt::format("{}::{}", node.domain, node.type);
  made.kind = kind;
  made.shape = shape;
  made.counts = counts;
  if (!emitted_) weigh(made);
  emitted_ = true;
  operators_.push_back(std::move(made));
  return &operators_.back();
}

Operator* OnnxNodeContext::stream(KernelKind kind, std::uint64_t elements, std::uint64_t ops,
                                  std::uint64_t special) {
  Counts counts;
  counts.other_ops = checked_product("other operations", {elements, ops});
  counts.special_ops = checked_product("special operations", {elements, special});
  return emit(kind, StreamShape{elements}, counts);
}

std::size_t OnnxNodeContext::axis(std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    refuse(fmt::format("axis {} of a value of {} dimensions", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

Counts product_counts(std::uint64_t macs, std::uint64_t other_ops, std::uint64_t special_ops) {
  return {macs, checked_product("FLOPs", {macs, 2}), other_ops, special_ops};
}

Dims broadcast(const OnnxNodeContext& context, const Dims& a, const Dims& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Dims out(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const std::int64_t y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (x == y || y == 1) {
      out[i] = x;
    } else if (x == 1) {
      out[i] = y;
    } else if (x < 0 || y < 0) {
      out[i] = std::max(x, y);  // an unknown one must be 1 or equal to the known
    } else {
      context.refuse(fmt::format("dimensions {} and {} do not broadcast", x, y));
    }
  }
  return out;
}

OnnxRule find_onnx_rule(std::string_view domain, std::string_view type) {
  static const OnnxRules rules = [] {
    OnnxRules made;
    add_shape_rules(made);
    add_elementwise_rules(made);
    add_linear_rules(made);
    add_attention_rules(made);
    add_quantised_rules(made);
    add_reduction_rules(made);
    add_image_rules(made);
    add_sequence_rules(made);
    return made;
  }();
  if (domain.empty()) {
    const auto found = rules.find(type);
    return found == rules.end() ? nullptr : found->second;
  }
  const auto found = rules.find(fmt::format("{}::{}", domain, type));
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace carnot::model
