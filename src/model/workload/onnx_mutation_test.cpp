// SPDX-License-Identifier: Apache-2.0
// Bytes turned at random: a count or an InputError, nothing else, and soon.
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/model/workload/onnx.hpp"

#include "model/workload/onnx_writing.hpp"

namespace carnot::model {
namespace {

using namespace onnx_writing;

std::string sample() {
  Graph body;
  body.inputs = {info("i", {}, kInt64), info("go", {}, kBool), info("h", {1, 8})};
  body.outputs = {output("go"), output("h1")};
  body.nodes = {node("MatMul", {"h", "w"}, {"h1"})};
  Graph g;
  g.inputs = {info("x", {1, 3, 8, 8})};
  g.outputs = {output("y")};
  g.initializers = {weights("k", {8, 3, 3, 3}), weights("w", {8, 8}), values("trips", {5}, true),
                    values("to", {1, 8, -1}), values("axes", {2})};
  g.nodes = {node("Conv", {"x", "k"}, {"c"}, {integers("pads", {1, 1, 1, 1})}),
             node("Shape", {"c"}, {"s"}),
             node("Reshape", {"c", "to"}, {"r"}),
             node("ReduceMean", {"r"}, {"m"}, {integers("axes", {2}), integer("keepdims", 0)}),
             node("Loop", {"trips", "", "m"}, {"l"}, {graph_attribute("body", graph(body))}),
             node("F", {"l", "w"}, {"f"}, {}, "local"),
             node("Slice", {"f", "axes", "trips"}, {"y"})};
  return file_of(g, {function("local", "F", {"a", "b"}, {"r"},
                              {node("Gemm", {"a", "b"}, {"g"}), node("Gelu", {"g"}, {"r"})})});
}

TEST(OnnxMutation, AnyBytesGiveACountOrAnInputError) {
  const std::string whole = sample();
  OnnxOptions options;
  options.most_nodes = 2000;
  const RandomStream random(20, "mutation");
  std::uint64_t at = 0;
  int counted = 0, refused = 0;
  for (int trial = 0; trial < 60000; ++trial) {
    std::string bytes = whole;
    const std::uint64_t changes = 1 + random.below(at++, 2);
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::size_t place = random.below(at++, bytes.size());
      switch (random.below(at++, 5)) {
        case 0:
          bytes[place] = static_cast<char>(random.below(at++, 256));
          break;
        case 1:
          bytes[place] = static_cast<char>(bytes[place] ^ (1 << random.below(at++, 8)));
          break;
        case 2:
          bytes.erase(place, 1 + random.below(at++, 4));
          break;
        case 3:
          bytes.insert(place, bytes.substr(random.below(at++, bytes.size()), 12));
          break;
        default:
          bytes.replace(place, 1, std::string(random.below(at++, 11), '\xff') + "\x7f");
      }
      if (bytes.empty()) bytes = "x";
    }
    try {
      totals(parse_onnx(bytes, "mutant", options));
      ++counted;
    } catch (const InputError&) {
      ++refused;
    }
  }
  // Both happen, or the mutations are too tame or too wild to find anything.
  EXPECT_GT(counted, 1500);
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace carnot::model
