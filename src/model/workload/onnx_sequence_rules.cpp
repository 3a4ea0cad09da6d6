// SPDX-License-Identifier: Apache-2.0
// Sequences of tensors whose length is known. They hold references: nothing moves until they are
// joined.
#include <fmt/format.h>

#include "model/workload/onnx_node.hpp"

namespace carnot::model {

namespace {

constexpr std::size_t kLongest = 4096;

using Sequence = std::vector<OnnxValue>;

const Sequence& sequence(const OnnxNodeContext& c, std::size_t i) {
  const OnnxValue& value = c.input(i);
  if (!value.sequence) throw NotKnown{fmt::format("the sequence of input {} is not known", i)};
  return *value.sequence;
}

void give(OnnxNodeContext& c, Sequence made) {
  if (made.size() > kLongest) throw NotKnown{"a sequence of more than 4096 values"};
  OnnxValue value;
  value.type = made.empty() ? DataType::Undefined : made.front().type;
  value.sequence = std::make_shared<Sequence>(std::move(made));
  c.output(0, std::move(value));
}

std::size_t position(const OnnxNodeContext& c, std::size_t i, std::size_t size) {
  const std::vector<std::int64_t> given = c.integers(i);
  if (given.size() != 1 || size == 0) c.refuse("one position in a sequence that is not empty");
  return c.axis(given[0], size);
}

void empty(OnnxNodeContext& c) { give(c, {}); }

void construct(OnnxNodeContext& c) {
  Sequence made;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) made.push_back(c.input(i));
  give(c, std::move(made));
}

void insert(OnnxNodeContext& c) {
  Sequence made = sequence(c, 0);
  const std::size_t at = c.has(2) ? position(c, 2, made.size() + 1) : made.size();
  made.insert(made.begin() + static_cast<std::ptrdiff_t>(at), c.input(1));
  give(c, std::move(made));
}

void erase(OnnxNodeContext& c) {
  Sequence made = sequence(c, 0);
  const std::size_t at = c.has(1) ? position(c, 1, made.size()) : made.size() - 1;
  if (made.empty()) c.refuse("nothing to take away");
  made.erase(made.begin() + static_cast<std::ptrdiff_t>(at));
  give(c, std::move(made));
}

void element(OnnxNodeContext& c) {
  const Sequence& all = sequence(c, 0);
  if (!c.elements_known(1) && !all.empty()) {
    // Which one is not known, but all may be alike.
    OnnxValue value = all.front();
    for (const OnnxValue& each : all) value.ranked = value.ranked && each.dims == value.dims;
    value.elements = nullptr;
    c.output(0, std::move(value));
    return;
  }
  c.output(0, all[position(c, 1, all.size())]);
}

void length(OnnxNodeContext& c) {
  OnnxValue value = shaped(DataType::Int64, {});
  value.elements = std::make_shared<Elements>(Elements{static_cast<double>(sequence(c, 0).size())});
  value.constant = true;
  c.output(0, std::move(value));
}

void concatenate(OnnxNodeContext& c) {
  const Sequence& all = sequence(c, 0);
  if (all.empty()) c.refuse("a sequence that is not empty is needed");
  const bool fresh = c.integer("new_axis", 0) != 0;
  Dims made = all.front().dims;
  const std::size_t axis = c.axis(c.integer("axis", 0), made.size() + (fresh ? 1 : 0));
  std::int64_t total = 0;
  for (const OnnxValue& each : all) {
    if (!each.known() || each.dims.size() != made.size()) {
      throw NotKnown{"shapes in the sequence are not known or differ in rank"};
    }
    if (!fresh && __builtin_add_overflow(total, each.dims[axis], &total)) c.refuse("too long");
  }
  if (fresh) {
    made.insert(made.begin() + static_cast<std::ptrdiff_t>(axis),
                static_cast<std::int64_t>(all.size()));
  } else {
    made[axis] = total;
  }
  c.output(0, all.front().type, std::move(made));
  Operator* moved = c.stream(KernelKind::DataMovement, c.output_count(0), 0);
  if (moved != nullptr) moved->read_bytes = moved->written_bytes;
}

void split(OnnxNodeContext& c) {
  const Dims& dims = c.known_dims(0);
  const std::size_t axis = c.axis(c.integer("axis", 0), dims.size());
  std::vector<std::int64_t> sizes;
  const bool single = !c.has(1);
  if (single) {
    if (dims[axis] > static_cast<std::int64_t>(kLongest)) throw NotKnown{"a very long sequence"};
    sizes.assign(static_cast<std::size_t>(dims[axis]), 1);
  } else {
    sizes = c.integers(1);
    if (c.input(1).dims.empty()) {
      const std::int64_t size = sizes.empty() ? 0 : sizes[0];
      if (size < 1) c.refuse("pieces of one or more");
      if (dims[axis] / size > static_cast<std::int64_t>(kLongest)) {
        throw NotKnown{"a very long sequence"};
      }
      sizes.assign(static_cast<std::size_t>(dims[axis] / size), size);
      if (dims[axis] % size != 0) sizes.push_back(dims[axis] % size);
    }
  }
  Sequence made;
  for (const std::int64_t size : sizes) {
    if (size < 0) c.refuse("a piece below zero");
    Dims piece = dims;
    if (single && c.integer("keepdims", 1) == 0) {
      piece.erase(piece.begin() + static_cast<std::ptrdiff_t>(axis));
    } else {
      piece[axis] = size;
    }
    made.push_back(shaped(c.input(0).type, std::move(piece)));
  }
  give(c, std::move(made));
}

}  // namespace

void add_sequence_rules(OnnxRules& rules) {
  rules["SequenceEmpty"] = empty;
  rules["SequenceConstruct"] = construct;
  rules["SequenceInsert"] = insert;
  rules["SequenceErase"] = erase;
  rules["SequenceAt"] = element;
  rules["SequenceLength"] = length;
  rules["ConcatFromSequence"] = concatenate;
  rules["SplitToSequence"] = split;
}

}  // namespace carnot::model
