// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One pass over the nodes of a model: finds inputs by name, applies the rule of each node, expands
/// functions, branches and loops. Linear in the nodes evaluated, of which there are at most
/// OnnxOptions::most_nodes.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "carnot/model/workload/onnx.hpp"

#include "model/workload/onnx_node.hpp"
#include "model/workload/onnx_proto.hpp"

namespace carnot::model {

class OnnxWalk {
 public:
  OnnxWalk(const WireSource& source, const OnnxModel& model, const OnnxOptions& options,
           std::filesystem::path folder);

  /// \throws InputError
  Workload run();

 private:
  using Infos = std::unordered_map<std::string_view, const OnnxValueInfo*>;
  struct Scope {
    const Scope* outer = nullptr;
    const FunctionAttributes* attributes = nullptr;
    std::unordered_map<std::string_view, OnnxValue> values;
    Infos infos;
  };
  using Values = std::vector<OnnxValue>;

  // onnx_walk.cpp
  void graph_inputs(const OnnxGraph& graph, Scope& scope, Workload& workload);
  /// Work done so far in nodes. \throws InputError beyond the allowed
  void charge(std::uint64_t work, std::uint64_t offset);
  void nodes(const std::vector<OnnxNode>& all, Scope& scope);
  void node(const OnnxNode& node, Scope& scope);
  void apply(OnnxNodeContext& context);
  void constant(OnnxNodeContext& context);
  void fold(OnnxNodeContext& context);
  void describe_outputs(OnnxNodeContext& context, const Scope& scope);
  void not_known(OnnxNodeContext& context, const std::string& reason);
  const OnnxValue* find(const Scope& scope, std::string_view name) const;
  std::int64_t open_dimension(const OnnxDimension& dim, const std::string& place);
  OnnxValue stored(const OnnxTensor& tensor, bool trained);
  std::string_view external_bytes(const OnnxTensor& tensor, std::string& buffer);
  void note(std::string text);

  // onnx_control.cpp
  bool control(OnnxNodeContext& context, Scope& scope);
  void call(const OnnxFunction& function, OnnxNodeContext& context, const Scope& scope);
  Values body(const OnnxGraph& graph, Values inputs, const OnnxNodeContext& context,
              const Scope& scope);
  const OnnxGraph& graph_of(const OnnxNodeContext& context, std::string_view name) const;
  void branch(OnnxNodeContext& context, Scope& scope);
  void loop(OnnxNodeContext& context, Scope& scope);
  void scan(OnnxNodeContext& context, Scope& scope);
  std::uint64_t loop_trips(OnnxNodeContext& context);
  void repeat(std::vector<Operator> inner, std::uint64_t times);

  class Deeper;

  const WireSource& source_;
  const OnnxModel& model_;
  const OnnxOptions& options_;
  std::filesystem::path folder_;
  std::unordered_map<std::string, const OnnxFunction*> functions_;
  std::vector<WeightClaim> claims_{1};  // 0: none
  std::unordered_map<const OnnxTensor*, std::size_t> claim_of_;
  std::vector<Operator> operators_;
  struct Reason {
    std::string first_name, reason;
  };
  std::map<std::string, Reason> reasons_;
  std::set<std::string> used_dimensions_, open_;
  std::vector<std::string> notes_;
  std::uint64_t evaluated_ = 0;
  int depth_ = 0;
};

}  // namespace carnot::model
