// SPDX-License-Identifier: Apache-2.0
// Functions, If, Loop and Scan.
#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "model/workload/onnx_walk.hpp"

namespace carnot::model {

namespace {

constexpr int kDeepest = 48;
constexpr std::uint64_t kMostTripsOneByOne = 1 << 16;

// What runs again keeps its shape, but is no longer the value it was.
OnnxValue carried(OnnxValue value, bool keep_elements) {
  value.constant = false;
  value.claim = 0;
  if (!keep_elements) {
    value.elements = nullptr;
    // A sequence may have grown.
    if (value.sequence) value.sequence = nullptr;
  }
  return value;
}

bool same_shape(const OnnxValue& a, const OnnxValue& b) {
  return a.type == b.type && a.ranked == b.ranked && a.dims == b.dims && !a.sequence && !b.sequence;
}

bool known_condition(const OnnxValue& value, bool& condition) {
  if (!value.elements || value.elements->size() != 1 ||
      (*value.elements)[0] != (*value.elements)[0]) {
    return false;
  }
  condition = (*value.elements)[0] != 0;
  return true;
}

OnnxValue scalar(double value) {
  OnnxValue made = shaped(DataType::Int64, {});
  made.elements = std::make_shared<Elements>(Elements{value});
  return made;
}

struct Work {
  double macs = 0, other = 0;
};
Work work_of(const std::vector<Operator>& all) {
  Work sum;
  for (const Operator& each : all) {
    sum.macs += static_cast<double>(each.counts.macs) * static_cast<double>(each.repeats);
    sum.other += static_cast<double>(each.counts.other_ops) * static_cast<double>(each.repeats);
  }
  return sum;
}

// The next trip's operators: those like the first's are more repeats of them.
void merge(std::vector<Operator>& all, std::vector<Operator> next) {
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (i < all.size()) {
      Operator like = next[i];
      like.parameters = all[i].parameters;
      like.repeats = all[i].repeats;
      if (like == all[i]) {
        all[i].repeats = checked_sum("repeats", {all[i].repeats, next[i].repeats});
        continue;
      }
    }
    all.push_back(std::move(next[i]));
  }
}

}  // namespace

class OnnxWalk::Deeper {
 public:
  Deeper(int& depth, const OnnxNodeContext& context) : depth_(depth) {
    if (depth_ >= kDeepest) {
      context.refuse(fmt::format(
          "functions and graphs nest more than {} deep; do functions call one another in a circle?",
          kDeepest));
    }
    ++depth_;
  }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& depth_;
};

bool OnnxWalk::control(OnnxNodeContext& context, Scope& scope) {
  const OnnxNode& node = context.node;
  if (!functions_.empty()) {
    const auto found =
        functions_.find(fmt::format("{}::{}:{}", node.domain, node.type, node.overload));
    if (found != functions_.end()) {
      call(*found->second, context, scope);
      return true;
    }
  }
  if (!node.domain.empty()) return false;
  if (node.type == "If") {
    branch(context, scope);
  } else if (node.type == "Loop") {
    loop(context, scope);
  } else if (node.type == "Scan") {
    scan(context, scope);
  } else {
    return false;
  }
  return true;
}

void OnnxWalk::call(const OnnxFunction& function, OnnxNodeContext& context, const Scope&) {
  const Deeper deeper(depth_, context);
  charge(1 + function.values.size() + function.attributes.size() + function.inputs.size(),
         context.node.offset);
  FunctionAttributes attributes;
  for (const OnnxAttribute& each : function.attributes) attributes[each.name] = &each;
  for (const OnnxAttribute& each : context.node.attributes) {
    if (const OnnxAttribute* value = context.attribute(each.name)) attributes[each.name] = value;
  }
  Scope inner;
  inner.attributes = &attributes;
  for (const OnnxValueInfo& each : function.values) inner.infos.emplace(each.name, &each);
  if (context.inputs.size() > function.inputs.size()) context.refuse("too many inputs");
  for (std::size_t i = 0; i < context.inputs.size(); ++i) {
    if (context.inputs[i] != nullptr) {
      inner.values.insert_or_assign(function.inputs[i], *context.inputs[i]);
    }
  }
  // An input left out is known by its name and empty inside.
  std::vector<OnnxNode> trimmed;
  const std::vector<OnnxNode>* body = &function.nodes;
  std::unordered_set<std::string_view> absent;
  for (std::size_t i = 0; i < function.inputs.size(); ++i) {
    if (i >= context.inputs.size() || !context.inputs[i]) absent.insert(function.inputs[i]);
  }
  if (!absent.empty()) {
    trimmed = function.nodes;
    for (OnnxNode& node : trimmed) {
      for (std::string_view& name : node.inputs) {
        if (absent.contains(name)) name = {};
      }
    }
    body = &trimmed;
  }
  const std::size_t before = operators_.size();
  nodes(*body, inner);
  const std::string prefix(context.node.name.empty() ? context.node.type : context.node.name);
  for (std::size_t i = before; i < operators_.size(); ++i) {
    if (prefix.size() + operators_[i].name.size() < 256) {
      operators_[i].name = prefix + "/" + operators_[i].name;
    }
  }
  for (std::size_t i = 0; i < context.outputs.size() && i < function.outputs.size(); ++i) {
    if (const OnnxValue* value = find(inner, function.outputs[i])) context.output(i, *value);
  }
}

const OnnxGraph& OnnxWalk::graph_of(const OnnxNodeContext& context, std::string_view name) const {
  const OnnxAttribute* found = context.attribute(name);
  if (found == nullptr || found->graphs.empty()) {
    context.refuse(fmt::format("a graph `{}` is needed", name));
  }
  return found->graphs.front();
}

OnnxWalk::Values OnnxWalk::body(const OnnxGraph& graph, Values inputs,
                                const OnnxNodeContext& context, const Scope& scope) {
  // Entering costs too: a body without nodes is no free loop.
  charge(1 + graph.initializers.size() + graph.values.size() + graph.outputs.size(),
         context.node.offset);
  Scope inner;
  inner.outer = &scope;
  inner.attributes = scope.attributes;
  for (const OnnxValueInfo& each : graph.values) inner.infos.emplace(each.name, &each);
  for (const OnnxTensor& each : graph.initializers) {
    inner.values.insert_or_assign(each.name, stored(each, true));
  }
  if (inputs.size() != graph.inputs.size()) {
    context.refuse(
        fmt::format("its graph takes {} inputs, not {}", graph.inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inner.values.insert_or_assign(graph.inputs[i].name, std::move(inputs[i]));
  }
  nodes(graph.nodes, inner);
  Values made;
  for (const OnnxValueInfo& each : graph.outputs) {
    const OnnxValue* value = find(inner, each.name);
    if (value == nullptr) context.refuse(fmt::format("no node computes `{}`", each.name));
    made.push_back(*value);
  }
  return made;
}

void OnnxWalk::branch(OnnxNodeContext& context, Scope& scope) {
  const Deeper deeper(depth_, context);
  const OnnxGraph& yes = graph_of(context, "then_branch");
  const OnnxGraph& no = graph_of(context, "else_branch");
  bool condition = false;
  Values values;
  if (known_condition(context.input(0), condition)) {
    values = body(condition ? yes : no, {}, context, scope);
  } else {
    std::vector<Operator> outside;
    outside.swap(operators_);
    Values then_values = body(yes, {}, context, scope);
    std::vector<Operator> then_operators;
    then_operators.swap(operators_);
    Values else_values = body(no, {}, context, scope);
    const Work a = work_of(then_operators), b = work_of(operators_);
    const bool take_then = a.macs != b.macs ? a.macs > b.macs : a.other >= b.other;
    std::vector<Operator> taken = std::move(take_then ? then_operators : operators_);
    operators_ = std::move(outside);
    operators_.insert(operators_.end(), std::make_move_iterator(taken.begin()),
                      std::make_move_iterator(taken.end()));
    values = std::move(take_then ? then_values : else_values);
    note(fmt::format("{}: which branch runs depends on data; counted is `{}`, with more work",
                     context.title(), take_then ? "then" : "else"));
  }
  for (std::size_t i = 0; i < values.size(); ++i) context.output(i, std::move(values[i]));
}

std::uint64_t OnnxWalk::loop_trips(OnnxNodeContext& context) {
  const auto given = options_.trips.find(std::string(context.node.name));
  if (given != options_.trips.end()) return given->second;
  bool condition = true;
  if (context.has(1) && known_condition(*context.inputs[1], condition) && !condition) return 0;
  if (context.elements_known(0) && context.inputs[0]->elements->size() == 1) {
    const double trips = (*context.inputs[0]->elements)[0];
    // Exporters write the largest integer for `while`.
    if (trips == trips && trips < 0x1p62) return trips > 0 ? static_cast<std::uint64_t>(trips) : 0;
  }
  note(fmt::format("{}: how often it runs depends on data; counted once", context.title()));
  Operator mark;
  mark.name = std::string(context.node.name);
  mark.type = "Loop";
  mark.kind = KernelKind::Unknown;
  operators_.push_back(mark);
  reasons_.try_emplace("Loop", Reason{mark.name, "trips depend on data; counted once"});
  return 1;
}

void OnnxWalk::repeat(std::vector<Operator> inner, std::uint64_t times) {
  if (times == 0) return;
  for (Operator& each : inner) {
    each.repeats = checked_product("repeats", {each.repeats, times});
    operators_.push_back(std::move(each));
  }
}

void OnnxWalk::loop(OnnxNodeContext& context, Scope& scope) {
  const Deeper deeper(depth_, context);
  const OnnxGraph& graph = graph_of(context, "body");
  const std::uint64_t trips = loop_trips(context);
  Values state;
  for (std::size_t i = 2; i < context.inputs.size(); ++i) state.push_back(context.input(i));
  const std::size_t carry = state.size();
  const auto enter = [&](double trip, bool keep) {
    Values inputs{scalar(trip), shaped(DataType::Bool, {})};
    for (const OnnxValue& each : state) inputs.push_back(carried(each, keep));
    return inputs;
  };
  std::vector<Operator> outside;
  outside.swap(operators_);
  const auto leave = [&] {
    std::vector<Operator> inner;
    inner.swap(operators_);
    return inner;
  };
  // One trip that knows shapes only. If they come out as they went in and nothing is missing, all
  // trips are alike.
  Values out = body(graph, enter(std::nan(""), false), context, scope);
  std::vector<Operator> once = leave();
  if (out.size() < 1 + carry) context.refuse("its graph gives too few outputs");
  bool alike = std::none_of(once.begin(), once.end(),
                            [](const Operator& each) { return each.kind == KernelKind::Unknown; });
  for (std::size_t i = 0; i < carry && alike; ++i) {
    alike = same_shape(out[i + 1], state[i]) && out[i + 1].known();
  }
  for (std::size_t i = 1 + carry; i < out.size() && alike; ++i) alike = out[i].known();
  std::uint64_t ran = trips;
  if (alike || trips > kMostTripsOneByOne) {
    if (!alike) {
      note(fmt::format("{}: its {} trips are not alike; counted as {} times the first",
                       context.title(), trips, trips));
    }
    operators_ = std::move(outside);
    repeat(std::move(once), trips);
    for (std::size_t i = 0; i < carry; ++i) {
      state[i] = trips == 0 ? state[i] : carried(std::move(out[i + 1]), false);
    }
  } else {
    std::vector<Operator> all;
    for (ran = 0; ran < trips;) {
      out = body(graph, enter(static_cast<double>(ran), true), context, scope);
      ++ran;
      merge(all, leave());
      for (std::size_t i = 0; i < carry; ++i) state[i] = carried(std::move(out[i + 1]), true);
      bool condition = true;
      if (known_condition(out[0], condition) && !condition) break;
    }
    operators_ = std::move(outside);
    repeat(std::move(all), 1);
  }
  for (std::size_t i = 0; i < carry; ++i) context.output(i, std::move(state[i]));
  for (std::size_t i = 1 + carry; i < out.size(); ++i) {
    if (!out[i].ranked) continue;
    Dims made = out[i].dims;
    made.insert(made.begin(), static_cast<std::int64_t>(std::min<std::uint64_t>(ran, INT64_MAX)));
    context.output(i - 1, out[i].type, std::move(made));
  }
}

void OnnxWalk::scan(OnnxNodeContext& context, Scope& scope) {
  const Deeper deeper(depth_, context);
  if (context.opset != 0 && context.opset < 9) throw NotKnown{"Scan of operator set 8"};
  const OnnxGraph& graph = graph_of(context, "body");
  const std::int64_t rows = context.integer("num_scan_inputs", 0);
  if (rows < 1 || static_cast<std::uint64_t>(rows) > context.inputs.size()) {
    context.refuse("num_scan_inputs is 1 or more");
  }
  const std::size_t carry = context.inputs.size() - static_cast<std::size_t>(rows);
  const std::vector<std::int64_t> axes = context.integers("scan_input_axes");
  Values inputs;
  for (std::size_t i = 0; i < carry; ++i) inputs.push_back(carried(context.input(i), false));
  std::int64_t trips = kUnknownDimension;
  for (std::size_t i = carry; i < context.inputs.size(); ++i) {
    Dims dims = context.known_dims(i);
    const std::size_t axis =
        context.axis(i - carry < axes.size() ? axes[i - carry] : 0, dims.size());
    if (trips >= 0 && trips != dims[axis]) context.refuse("scanned inputs of different length");
    trips = dims[axis];
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    inputs.push_back(shaped(context.input(i).type, std::move(dims)));
  }
  std::vector<Operator> outside;
  outside.swap(operators_);
  Values out = body(graph, std::move(inputs), context, scope);
  std::vector<Operator> inner;
  inner.swap(operators_);
  operators_ = std::move(outside);
  repeat(std::move(inner), static_cast<std::uint64_t>(trips));
  const std::vector<std::int64_t> out_axes = context.integers("scan_output_axes");
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i < carry) {
      context.output(i, carried(std::move(out[i]), false));
    } else if (out[i].ranked) {
      Dims made = out[i].dims;
      const std::size_t axis =
          context.axis(i - carry < out_axes.size() ? out_axes[i - carry] : 0, made.size() + 1);
      made.insert(made.begin() + static_cast<std::ptrdiff_t>(axis), trips);
      context.output(i, out[i].type, std::move(made));
    }
  }
}

}  // namespace carnot::model
