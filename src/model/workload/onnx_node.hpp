// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One node under evaluation, as the rules of operators see it: inputs, attributes, outputs, and
/// the operators it emits.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "carnot/model/workload/operator.hpp"

#include "model/workload/onnx_proto.hpp"
#include "model/workload/onnx_value.hpp"

namespace carnot::model {

/// Stored values are counted once, by the first operator that uses them.
struct WeightClaim {
  std::uint64_t parameters = 0;
  bool taken = false;
};

using FunctionAttributes = std::unordered_map<std::string_view, const OnnxAttribute*>;

class OnnxNodeContext {
 public:
  OnnxNodeContext(const WireSource& source, const OnnxNode& of, std::int64_t operator_set,
                  const FunctionAttributes* function, std::vector<WeightClaim>& claims,
                  std::vector<Operator>& operators)
      : node(of),
        opset(operator_set),
        outputs(of.outputs.size()),
        source_(source),
        function_(function),
        claims_(claims),
        operators_(operators) {}

  const OnnxNode& node;
  const std::int64_t opset;

  // ---- inputs
  std::vector<const OnnxValue*> inputs;  ///< null where none is given
  bool has(std::size_t i) const noexcept { return i < inputs.size() && inputs[i] != nullptr; }
  /// \throws InputError if it is not given
  const OnnxValue& input(std::size_t i) const;
  /// Its dims, of which some may be unknown. \throws InputError, NotKnown if it has no rank
  const Dims& dims(std::size_t i) const;
  /// Its dims, all known. \throws InputError, NotKnown
  const Dims& known_dims(std::size_t i) const;
  /// Its dims if there are `rank` of them and all are known. \throws InputError, NotKnown
  const Dims& known_dims(std::size_t i, std::size_t rank) const;
  std::uint64_t count(std::size_t i) const;  ///< elements of it. \throws InputError, NotKnown
  /// Its elements as integers. \throws InputError, NotKnown if they are not all known
  std::vector<std::int64_t> integers(std::size_t i) const;
  bool elements_known(std::size_t i) const noexcept { return has(i) && inputs[i]->elements; }

  // ---- attributes
  const OnnxAttribute* attribute(std::string_view name) const noexcept;
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const noexcept;
  double real(std::string_view name, double otherwise) const noexcept;
  std::string_view text(std::string_view name, std::string_view otherwise) const noexcept;
  std::vector<std::int64_t> integers(std::string_view name) const;  ///< empty if not there
  /// The integer list in attribute `name`, or in input `i`. \throws NotKnown
  std::vector<std::int64_t> integers(std::string_view name, std::size_t i) const;

  // ---- outputs
  std::vector<OnnxValue> outputs;
  /// Does nothing where the node does not name such an output.
  void output(std::size_t i, OnnxValue value);
  void output(std::size_t i, DataType type, Dims dims) { output(i, shaped(type, std::move(dims))); }
  /// Elements of an output. \throws NotKnown
  std::uint64_t output_count(std::size_t i) const;

  // ---- what it costs
  /// An operator with the weights among the inputs and the bytes of all other inputs and outputs;
  /// null if the node works on constants alone, which is done once, when a model is loaded.
  /// A second one has neither weights nor bytes: give them.
  Operator* emit(KernelKind kind, OperatorShape shape, const Counts& counts);
  /// The same for what streams over its outputs: `ops` and `special` a scalar, other_ops each.
  Operator* stream(KernelKind kind, std::uint64_t elements, std::uint64_t ops,
                   std::uint64_t special = 0);
  /// The node computes from constants alone.
  bool folds() const noexcept;

  /// \throws InputError `file: byte: node `x` (Conv): what is wrong`
  [[noreturn]] void refuse(std::string_view what) const;
  /// Axis in [0, rank). \throws InputError
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  const WireSource& source() const noexcept { return source_; }
  std::string title() const;

 private:
  void weigh(Operator& made);

  const WireSource& source_;
  const FunctionAttributes* function_;
  std::vector<WeightClaim>& claims_;
  std::vector<Operator>& operators_;
  bool emitted_ = false;
};

/// Counts of a product. \throws InputError beyond 2^64 - 1
Counts product_counts(std::uint64_t macs, std::uint64_t other_ops = 0,
                      std::uint64_t special_ops = 0);

/// Numpy's broadcasting; unknown dims stay unknown unless the other is above 1. \throws NotKnown
Dims broadcast(const OnnxNodeContext& context, const Dims& a, const Dims& b);

using OnnxRule = void (*)(OnnxNodeContext&);
using OnnxRules = std::unordered_map<std::string_view, OnnxRule>;

// Each file of rules adds its own, by "Conv" or "com.microsoft::Attention".
void add_shape_rules(OnnxRules& rules);
void add_elementwise_rules(OnnxRules& rules);
void add_linear_rules(OnnxRules& rules);
void add_attention_rules(OnnxRules& rules);
void add_quantised_rules(OnnxRules& rules);
void add_reduction_rules(OnnxRules& rules);
void add_image_rules(OnnxRules& rules);
void add_sequence_rules(OnnxRules& rules);

/// The rule of a node, null if there is none.
OnnxRule find_onnx_rule(std::string_view domain, std::string_view type);

}  // namespace carnot::model
