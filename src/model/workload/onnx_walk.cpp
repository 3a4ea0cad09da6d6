// SPDX-License-Identifier: Apache-2.0
#include "model/workload/onnx_walk.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr std::size_t kMostKnownReals = 64;  // factors of a resize, never a weight
constexpr std::size_t kMostNotes = 50;

bool is_parameter(DataType type) {
  return is_floating(type) || (bits(type) != 0 && bits(type) <= 8 && type != DataType::Bool);
}

// Constants under another shape or in other digits: runtimes keep what is stored.
bool passes_through(std::string_view type) {
  return type == "Transpose" || type == "DequantizeLinear" || type == "Cast";
}

std::string function_key(std::string_view domain, std::string_view name,
                         std::string_view overload) {
  return fmt::format("{}::{}:{}", domain == "ai.onnx" ? "" : domain, name, overload);
}

}  // namespace

OnnxWalk::OnnxWalk(const WireSource& source, const OnnxModel& model, const OnnxOptions& options,
                   std::filesystem::path folder)
    : source_(source), model_(model), options_(options), folder_(std::move(folder)) {
  for (const OnnxFunction& each : model.functions) {
    functions_.emplace(function_key(each.domain, each.name, each.overload), &each);
  }
}

Workload OnnxWalk::run() {
  Workload workload;
  workload.name = model_.graph.name;
  workload.source = source_.file;
  workload.unit = "sample";
  workload.units = 1;
  Scope scope;
  for (const OnnxTensor& each : model_.graph.initializers) {
    scope.values.insert_or_assign(each.name, stored(each, true));
  }
  for (const OnnxValueInfo& each : model_.graph.values) scope.infos.emplace(each.name, &each);
  for (const OnnxValueInfo& each : model_.graph.outputs) scope.infos.emplace(each.name, &each);
  graph_inputs(model_.graph, scope, workload);
  operators_.reserve(model_.graph.nodes.size());
  nodes(model_.graph.nodes, scope);
  for (const OnnxValueInfo& each : model_.graph.outputs) {
    const OnnxValue* value = find(scope, each.name);
    if (value == nullptr) {
      throw InputError(
          fmt::format("{}: output `{}`: no node computes it", source_.file, each.name));
    }
    if (const auto n = element_count(*value)) {
      workload.output_bytes =
          checked_sum("output bytes", {workload.output_bytes, bytes_of(*n, value->type)});
    }
  }
  std::map<std::string, std::uint64_t> unknown;
  for (const Operator& each : operators_) {
    if (each.kind == KernelKind::Unknown) {
      unknown[each.type] = checked_sum("unknown nodes", {unknown[each.type], each.repeats});
    }
    workload.parameters = checked_sum("parameters", {workload.parameters, each.parameters});
    std::uint64_t active = each.parameters;
    if (const auto* experts = std::get_if<ExpertsShape>(&each.shape)) {
      if (experts->experts != 0) active = active / experts->experts * experts->chosen;
    }
    workload.active_parameters = checked_sum("parameters", {workload.active_parameters, active});
    const std::uint64_t cache = checked_product(
        "cache bytes",
        {checked_sum("cache bytes", {each.cache_read_bytes, each.cache_written_bytes}),
         each.repeats});
    workload.cache_bytes = checked_sum("cache bytes", {workload.cache_bytes, cache});
  }
  for (const auto& [type, count] : unknown) {
    workload.unknown.push_back({type, reasons_[type].first_name, reasons_[type].reason, count});
  }
  std::uint64_t unused = 0;
  for (const OnnxTensor& each : model_.graph.initializers) {
    const std::size_t claim = claim_of_[&each];
    if (claim == 0) continue;
    if (!claims_[claim].taken) {
      ++unused;
    }
    workload.weight_bytes =
        checked_sum("weight bytes",
                    {workload.weight_bytes, bytes_of(each.elements, onnx_data_type(each.type))});
  }
  if (unused != 0) note(fmt::format("{} stored tensors are not used by any node", unused));
  workload.operators = std::move(operators_);
  workload.notes = std::move(notes_);
  return workload;
}

void OnnxWalk::note(std::string text) {
  if (notes_.size() < kMostNotes && std::find(notes_.begin(), notes_.end(), text) == notes_.end()) {
    notes_.push_back(std::move(text));
  }
}

std::int64_t OnnxWalk::open_dimension(const OnnxDimension& dim, const std::string& place) {
  const auto given = [&](const std::string& key) -> std::int64_t {
    const auto found = options_.dimensions.find(key);
    if (found == options_.dimensions.end()) return kUnknownDimension;
    if (found->second < 0 || found->second > INT32_MAX) {
      throw InputError(
          fmt::format("{}: dimension {}: 0 ... 2^31 - 1 is allowed", source_.file, key));
    }
    used_dimensions_.insert(key);
    return found->second;
  };
  const std::int64_t placed = given(place);
  if (placed >= 0) return placed;
  if (dim.value >= 0) return dim.value;
  return dim.parameter.empty() ? kUnknownDimension : given(std::string(dim.parameter));
}

void OnnxWalk::graph_inputs(const OnnxGraph& graph, Scope& scope, Workload& workload) {
  std::vector<std::string> names;
  bool first = true;
  for (const OnnxValueInfo& each : graph.inputs) {
    if (scope.values.contains(each.name)) continue;  // a default that a file of IR 3 repeats
    OnnxValue value;
    value.type = onnx_data_type(each.type);
    value.ranked = each.tensor && each.ranked;
    for (std::size_t i = 0; i < each.dims.size(); ++i) {
      const std::string place = fmt::format("{}.{}", each.name, i);
      value.dims.push_back(open_dimension(each.dims[i], place));
      names.push_back(place);
      if (!each.dims[i].parameter.empty()) names.emplace_back(each.dims[i].parameter);
      if (value.dims.back() < 0) {
        open_.insert(each.dims[i].parameter.empty() ? place : std::string(each.dims[i].parameter));
      }
    }
    if (const auto n = element_count(value)) {
      workload.input_bytes =
          checked_sum("input bytes", {workload.input_bytes, bytes_of(*n, value.type)});
      if (first && !value.dims.empty()) workload.units = static_cast<std::uint64_t>(value.dims[0]);
      first = false;
    }
    scope.values.emplace(each.name, std::move(value));
  }
  if (!open_.empty()) {
    throw InputError(fmt::format("{}: dimensions without a value: {}; give each one, such as {}=1",
                                 source_.file, fmt::join(open_, ", "), *open_.begin()));
  }
  for (const auto& [key, value] : options_.dimensions) {
    if (used_dimensions_.contains(key)) continue;
    const std::string close = nearest(key, names);
    throw InputError(
        fmt::format("{}: dimension {}: no input has it{}", source_.file, key,
                    close.empty() ? std::string() : fmt::format("; did you mean `{}`?", close)));
  }
}

std::string_view OnnxWalk::external_bytes(const OnnxTensor& tensor, std::string& buffer) {
  const std::filesystem::path location(tensor.location);
  const bool leaves = location.is_absolute() ||
                      std::any_of(location.begin(), location.end(),
                                  [](const std::filesystem::path& part) { return part == ".."; });
  if (tensor.location.empty() || leaves) {
    throw InputError(fmt::format(
        "{}: byte {}: TensorProto.external_data of `{}`: a file in the model's folder is needed",
        source_.file, source_.offset_of(tensor.name.data()), tensor.name));
  }
  std::error_code ignored;
  if (folder_.empty() || !std::filesystem::is_regular_file(folder_ / location, ignored)) {
    note(fmt::format("external data `{}` is not there; counts do not need it", tensor.location));
    return {};
  }
  return buffer;
}

OnnxValue OnnxWalk::stored(const OnnxTensor& tensor, bool trained) {
  OnnxValue value = shaped(onnx_data_type(tensor.type), tensor.dims);
  value.constant = true;
  value.stored_bytes = bytes_of(tensor.elements, value.type);
  value.stored_type = value.type;
  std::string buffer;
  if (tensor.external && !tensor.location.empty()) external_bytes(tensor, buffer);
  const std::size_t limit = is_floating(value.type) ? kMostKnownReals : kMostKnownElements;
  if (tensor.elements <= limit && bits(value.type) >= 8) {
    std::string_view raw = tensor.raw;
    if (tensor.external && !tensor.location.empty() && !folder_.empty()) {
      std::ifstream file(folder_ / std::filesystem::path(tensor.location), std::ios::binary);
      buffer.resize(value.stored_bytes);
      file.seekg(static_cast<std::streamoff>(tensor.external_offset));
      if (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))) raw = buffer;
    }
    Elements found = onnx_tensor_values(tensor, raw, limit);
    if (found.size() == tensor.elements) {
      value.elements = std::make_shared<Elements>(std::move(found));
    }
  }
  if (!trained || tensor.dims.empty() || !is_parameter(value.type)) return value;
  const auto [entry, fresh] = claim_of_.try_emplace(&tensor, claims_.size());
  if (fresh) claims_.push_back({tensor.elements, false});
  value.claim = entry->second;
  return value;
}

const OnnxValue* OnnxWalk::find(const Scope& scope, std::string_view name) const {
  for (const Scope* each = &scope; each != nullptr; each = each->outer) {
    const auto found = each->values.find(name);
    if (found != each->values.end()) return &found->second;
  }
  return nullptr;
}

void OnnxWalk::charge(std::uint64_t work, std::uint64_t offset) {
  evaluated_ += work;
  if (evaluated_ > options_.most_nodes) {
    throw InputError(
        fmt::format("{}: byte {}: more than {} nodes once functions and loops are expanded",
                    source_.file, offset, options_.most_nodes));
  }
}

void OnnxWalk::nodes(const std::vector<OnnxNode>& all, Scope& scope) {
  scope.values.reserve(scope.values.size() + all.size());
  for (const OnnxNode& each : all) node(each, scope);
}

void OnnxWalk::node(const OnnxNode& node, Scope& scope) {
  charge(1, node.offset);
  OnnxNodeContext context(source_, node, model_.opset, scope.attributes, claims_, operators_);
  context.inputs.reserve(node.inputs.size());
  for (const std::string_view name : node.inputs) {
    const OnnxValue* value = name.empty() ? nullptr : find(scope, name);
    if (value == nullptr && !name.empty()) {
      context.refuse(fmt::format(
          "input `{}` is neither stored, an input nor computed by an earlier node", name));
    }
    context.inputs.push_back(value);
  }
  const std::size_t before = operators_.size();
  try {
    if (!control(context, scope)) apply(context);
  } catch (const NotKnown& problem) {
    operators_.resize(before);
    not_known(context, problem.reason);
  }
  describe_outputs(context, scope);
  if (context.folds()) fold(context);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    const auto [entry, fresh] =
        scope.values.emplace(node.outputs[i], std::move(context.outputs[i]));
    if (!fresh) context.refuse(fmt::format("output `{}` is computed twice", node.outputs[i]));
  }
}

void OnnxWalk::apply(OnnxNodeContext& context) {
  if (context.node.type == "Constant" && context.node.domain.empty()) {
    constant(context);
    return;
  }
  const OnnxRule rule = find_onnx_rule(context.node.domain, context.node.type);
  if (rule == nullptr) throw NotKnown{"no rule for this operator"};
  rule(context);
}

void OnnxWalk::constant(OnnxNodeContext& context) {
  const auto give = [&](DataType type, Dims dims, Elements elements) {
    OnnxValue value = shaped(type, std::move(dims));
    value.constant = true;
    value.stored_type = type;
    value.stored_bytes = bytes_of(elements.size(), type);
    if (elements.size() <= kMostKnownElements) {
      value.elements = std::make_shared<Elements>(std::move(elements));
    }
    context.output(0, std::move(value));
  };
  const auto length = [](const auto& list) { return Dims{static_cast<std::int64_t>(list.size())}; };
  if (const OnnxAttribute* tensor = context.attribute("value");
      tensor && !tensor->tensors.empty()) {
    context.output(0, stored(tensor->tensors.front(), false));
  } else if (const OnnxAttribute* i = context.attribute("value_int")) {
    give(DataType::Int64, {}, {static_cast<double>(i->i)});
  } else if (const OnnxAttribute* f = context.attribute("value_float")) {
    give(DataType::Float32, {}, {static_cast<double>(f->f)});
  } else if (const OnnxAttribute* ints = context.attribute("value_ints")) {
    give(DataType::Int64, length(ints->ints), Elements(ints->ints.begin(), ints->ints.end()));
  } else if (const OnnxAttribute* floats = context.attribute("value_floats")) {
    give(DataType::Float32, length(floats->floats),
         Elements(floats->floats.begin(), floats->floats.end()));
  } else {
    OnnxValue value;
    value.constant = true;
    context.output(0, std::move(value));
  }
}

void OnnxWalk::fold(OnnxNodeContext& context) {
  std::uint64_t bytes = 0, parameters = 0;
  std::size_t claim = 0;
  bool several = false;
  for (const OnnxValue* each : context.inputs) {
    if (each == nullptr) continue;
    bytes = checked_sum("weight bytes", {bytes, each->stored_bytes});
    if (each->claim == 0) continue;
    several = several || claim != 0;
    claim = each->claim;
    if (!claims_[claim].taken) parameters += claims_[claim].parameters;
  }
  if (several) {
    for (const OnnxValue* each : context.inputs) {
      if (each != nullptr && each->claim != 0) claims_[each->claim].taken = true;
    }
    claim = claims_.size();
    claims_.push_back({parameters, parameters == 0});
  }
  const bool passes = context.node.domain.empty() && passes_through(context.node.type);
  for (OnnxValue& each : context.outputs) {
    each.constant = true;
    each.claim = claim;
    const auto n = element_count(each);
    each.stored_bytes = passes ? bytes : n ? bytes_of(*n, each.type) : 0;
    each.stored_type = passes && context.has(0) ? context.inputs[0]->stored_type : each.type;
  }
}

void OnnxWalk::describe_outputs(OnnxNodeContext& context, const Scope& scope) {
  for (std::size_t i = 0; i < context.outputs.size(); ++i) {
    OnnxValue& value = context.outputs[i];
    if (value.known() || value.sequence) continue;
    const auto found = scope.infos.find(context.node.outputs[i]);
    if (found == scope.infos.end() || !found->second->tensor) continue;
    const OnnxValueInfo& info = *found->second;
    if (value.type == DataType::Undefined) value.type = onnx_data_type(info.type);
    if (!info.ranked || (value.ranked && value.dims.size() != info.dims.size())) continue;
    if (!value.ranked) value.dims.assign(info.dims.size(), kUnknownDimension);
    value.ranked = true;
    for (std::size_t d = 0; d < info.dims.size(); ++d) {
      if (value.dims[d] >= 0) continue;
      value.dims[d] = info.dims[d].value;
      const auto named = options_.dimensions.find(std::string(info.dims[d].parameter));
      if (value.dims[d] < 0 && named != options_.dimensions.end()) value.dims[d] = named->second;
    }
  }
}

void OnnxWalk::not_known(OnnxNodeContext& context, const std::string& reason) {
  if (context.outputs.size() > 0 && context.has(0)) {
    for (OnnxValue& each : context.outputs) {
      if (each.type == DataType::Undefined) each.type = context.inputs[0]->type;
    }
  }
  Operator* made = context.emit(KernelKind::Unknown, StreamShape{}, {});
  if (made != nullptr) reasons_.try_emplace(made->type, Reason{made->name, reason});
}

}  // namespace carnot::model
