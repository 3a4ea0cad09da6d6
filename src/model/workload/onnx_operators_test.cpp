// SPDX-License-Identifier: Apache-2.0
// Counts of single operators against brute force: loops that touch every multiply-accumulate.
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/model/workload/attention.hpp"
#include "carnot/model/workload/onnx.hpp"

#include "base/testing_thrown.hpp"
#include "model/workload/onnx_writing.hpp"

namespace carnot::model {
namespace {

using namespace onnx_writing;

Workload read(const Graph& g, std::int64_t opset = 23) {
  return parse_onnx(file_of(g, {}, opset), "test.onnx");
}
std::uint64_t macs(const Graph& g) { return totals(read(g)).counts.macs; }

int drawn(int least, int most) { return *rc::gen::inRange(least, most + 1); }

RC_GTEST_PROP(OnnxOracle, ConvolutionIsItsLoopNest, ()) {
  const int groups = drawn(1, 3), in = groups * drawn(1, 3), out = groups * drawn(1, 3);
  const int n = drawn(1, 3), h = drawn(3, 9), w = drawn(3, 9), kh = drawn(1, 3), kw = drawn(1, 3);
  const int stride = drawn(1, 3), pad = drawn(0, 2), dilation = drawn(1, 2);
  RC_PRE(h + 2 * pad > dilation * (kh - 1) && w + 2 * pad > dilation * (kw - 1));
  Graph g;
  g.inputs = {info("x", {n, in, h, w})};
  g.outputs = {output("y")};
  g.initializers = {weights("k", {out, in / groups, kh, kw})};
  g.nodes = {
      node("Conv", {"x", "k"}, {"y"},
           {integer("group", groups), integers("strides", {stride, stride}),
            integers("pads", {pad, pad, pad, pad}), integers("dilations", {dilation, dilation})})};
  std::uint64_t count = 0, outputs = 0;
  for (int b = 0; b < n; ++b) {
    for (int o = 0; o < out; ++o) {
      for (int y = -pad; y + dilation * (kh - 1) < h + pad; y += stride) {
        for (int x = -pad; x + dilation * (kw - 1) < w + pad; x += stride) {
          ++outputs;
          for (int c = 0; c < in / groups; ++c) {
            for (int i = 0; i < kh; ++i) {
              for (int j = 0; j < kw; ++j) ++count;
            }
          }
        }
      }
    }
  }
  const Workload workload = read(g);
  RC_ASSERT(totals(workload).counts.macs == count);
  RC_ASSERT(workload.output_bytes == outputs * 4);
  const auto& shape = std::get<GemmShape>(workload.operators[0].shape);
  RC_ASSERT(shape.batch * shape.m * shape.n * shape.k == count);
}

RC_GTEST_PROP(OnnxOracle, ProductsBroadcastLikeNumpy, ()) {
  const int b1 = drawn(1, 3), b2 = drawn(1, 3), m = drawn(1, 5), k = drawn(1, 5), n = drawn(1, 5);
  const bool flat = *rc::gen::arbitrary<bool>(), one = *rc::gen::arbitrary<bool>();
  Graph g;
  g.inputs = {info("a", {b1, b2, m, k}),
              flat ? info("b", {k, n}) : info("b", {one ? 1 : b1, b2, k, n})};
  g.outputs = {output("y")};
  g.nodes = {node("MatMul", {"a", "b"}, {"y"})};
  std::uint64_t count = 0;
  for (int i = 0; i < b1 * b2 * m * n; ++i) count += static_cast<std::uint64_t>(k);
  RC_ASSERT(macs(g) == count);
}

RC_GTEST_PROP(OnnxOracle, CountsAreLinearInTheBatch, ()) {
  const int batch = drawn(1, 7);
  const auto at = [&](int size) {
    Graph g;
    g.inputs = {info("x", {size, 3, 12, 12})};
    g.outputs = {output("y")};
    g.initializers = {weights("k", {8, 3, 3, 3}), weights("w", {8, 5}), weights("s", {8}),
                      weights("b", {8})};
    g.nodes = {node("Conv", {"x", "k"}, {"c"}),
               node("Relu", {"c"}, {"r"}),
               node("GlobalAveragePool", {"r"}, {"p"}),
               node("Flatten", {"p"}, {"f"}),
               node("LayerNormalization", {"f", "s", "b"}, {"l"}),
               node("MatMul", {"l", "w"}, {"m"}),
               node("Softmax", {"m"}, {"y"})};
    return totals(read(g)).counts;
  };
  const Counts one = at(1), many = at(batch);
  const auto n = static_cast<std::uint64_t>(batch);
  RC_ASSERT(many.macs == n * one.macs);
  RC_ASSERT(many.other_ops == n * one.other_ops);
  RC_ASSERT(many.special_ops == n * one.special_ops);
}

RC_GTEST_PROP(OnnxOracle, CausalPairsAreCounted, ()) {
  const auto q = static_cast<std::uint64_t>(drawn(0, 20));
  const auto k = static_cast<std::uint64_t>(drawn(0, 20));
  const auto offset = static_cast<std::uint64_t>(drawn(0, 20));
  const auto window = static_cast<std::uint64_t>(drawn(0, 8));
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < q; ++i) {
    // The last `window` of the keys that query i may see, if it may see so many.
    std::uint64_t seen = std::min(k, i + offset + 1);
    if (window != 0) seen = std::min(seen, window);
    count += seen;
  }
  RC_ASSERT(attended_pairs(q, k, offset, true, window) == count);
}

TEST(OnnxOperators, ExpectedExperts) {
  EXPECT_DOUBLE_EQ(expected_touched(8, 2, 1), 2);
  EXPECT_NEAR(expected_touched(8, 2, 3), 8 * (1 - std::pow(0.75, 3)), 1e-12);
  EXPECT_DOUBLE_EQ(expected_touched(8, 8, 1), 8);
  EXPECT_DOUBLE_EQ(expected_touched(0, 2, 3), 0);
}

TEST(OnnxOperators, TransposedConvolution) {
  Graph g;
  g.inputs = {info("x", {1, 6, 5, 5})};
  g.outputs = {output("y")};
  g.initializers = {weights("k", {6, 4, 3, 3})};
  g.nodes = {node("ConvTranspose", {"x", "k"}, {"y"},
                  {integers("strides", {2, 2}), integers("pads", {1, 1, 1, 1}),
                   integers("output_padding", {1, 1})})};
  const Workload workload = read(g);
  EXPECT_EQ(totals(workload).counts.macs, 25u * 6 * 4 * 9);
  EXPECT_EQ(workload.output_bytes, 4u * 10 * 10 * 4);
}

TEST(OnnxOperators, EinsumOfAttention) {
  Graph g;
  g.inputs = {info("q", {2, 3, 5, 8}), info("k", {2, 3, 7, 8})};
  g.outputs = {output("y")};
  g.nodes = {node("Einsum", {"q", "k"}, {"y"}, {text("equation", "bhqd,bhkd->bhqk")})};
  const Workload workload = read(g);
  EXPECT_EQ(std::get<GemmShape>(workload.operators[0].shape), (GemmShape{6, 5, 7, 8}));
  EXPECT_EQ(totals(workload).counts.macs, 6u * 5 * 7 * 8);
  g.nodes = {node("Einsum", {"q", "k"}, {"y"}, {text("equation", "...qd,...kd->...qk")})};
  EXPECT_EQ(macs(g), 6u * 5 * 7 * 8);
  // Nothing is summed: products only.
  g.inputs = {info("q", {4}), info("k", {5})};
  g.nodes = {node("Einsum", {"q", "k"}, {"y"}, {text("equation", "i,j->ij")})};
  EXPECT_EQ(macs(g), 0u);
  EXPECT_EQ(totals(read(g)).counts.other_ops, 20u);
}

TEST(OnnxOperators, StandardAttentionWithGroupedHeads) {
  Graph g;
  g.inputs = {info("q", {2, 8, 10, 32}), info("k", {2, 2, 12, 32}), info("v", {2, 2, 12, 48})};
  g.outputs = {output("y")};
  g.nodes = {node("Attention", {"q", "k", "v"}, {"y"})};
  const Workload workload = read(g);
  EXPECT_EQ(totals(workload).counts.macs, 2u * 8 * 10 * 12 * (32 + 48));
  EXPECT_EQ(workload.output_bytes, 2u * 8 * 10 * 48 * 4);
  g.nodes = {node("Attention", {"q", "k", "v"}, {"y"}, {integer("is_causal", 1)})};
  EXPECT_EQ(macs(g), 2u * 8 * 55 * (32 + 48));
}

// LLM-Viewer loads keys by query heads: eight times too many with eight queries a key.
TEST(OnnxOperators, GroupQueryAttentionReadsTheCacheByKeyHeads) {
  Graph g;
  g.inputs = {info("q", {1, 1, 32 * 128}), info("k", {1, 1, 4 * 128}), info("v", {1, 1, 4 * 128}),
              info("pk", {1, 4, 999, 128}), info("pv", {1, 4, 999, 128})};
  g.outputs = {output("y"), output("nk"), output("nv")};
  g.nodes = {node("GroupQueryAttention", {"q", "k", "v", "pk", "pv"}, {"y", "nk", "nv"},
                  {integer("num_heads", 32), integer("kv_num_heads", 4)}, "com.microsoft")};
  const Workload workload = read(g);
  const Operator& op = workload.operators.at(0);
  EXPECT_EQ(op.counts.macs, 32u * 1000 * 256);
  EXPECT_EQ(op.cache_read_bytes, 2u * 4 * 999 * 128 * 4);
  EXPECT_EQ(op.cache_written_bytes, 2u * 4 * 128 * 4);
  EXPECT_EQ(op.read_bytes, (32u + 8) * 128 * 4);
  EXPECT_EQ(op.written_bytes, 32u * 128 * 4);
}

TEST(OnnxOperators, MicrosoftAttentionIsAProjectionAndAttention) {
  Graph g;
  g.inputs = {info("x", {2, 16, 64})};
  g.outputs = {output("y")};
  g.initializers = {weights("w", {64, 192}), weights("b", {192})};
  g.nodes = {node("Attention", {"x", "w", "b"}, {"y"}, {integer("num_heads", 4)}, "com.microsoft")};
  const Workload workload = read(g);
  ASSERT_EQ(workload.operators.size(), 2u);
  EXPECT_EQ(totals(workload).counts.macs, 2u * 16 * 64 * 192 + 2u * 16 * 16 * 64 * 2);
  EXPECT_EQ(workload.parameters, 64u * 192 + 192);
}

TEST(OnnxOperators, QuantisedProducts) {
  Graph g;
  g.inputs = {info("x", {1, 3, 8, 8}, kUint8)};
  g.outputs = {output("y")};
  g.initializers = {tensor("w", kInt8, {4, 3, 3, 3}), weights("s", {}), tensor("z", kUint8, {}),
                    tensor("b", kInt32, {4})};
  g.nodes = {node("QLinearConv", {"x", "s", "z", "w", "s", "z", "s", "z", "b"}, {"y"})};
  const Workload conv = read(g);
  EXPECT_EQ(totals(conv).counts.macs, 4u * 36 * 27);
  EXPECT_EQ(conv.operators[0].weight_type, DataType::Int8);
  EXPECT_EQ(conv.operators[0].activation_type, DataType::Int8);
  EXPECT_EQ(conv.output_bytes, 4u * 36);

  Graph n;
  n.inputs = {info("a", {5, 256})};
  n.outputs = {output("y")};
  n.initializers = {tensor("b", kUint8, {64, 8, 16}), weights("s", {64 * 8})};
  n.nodes = {
      node("MatMulNBits", {"a", "b", "s"}, {"y"},
           {integer("K", 256), integer("N", 64), integer("bits", 4), integer("block_size", 32)},
           "com.microsoft")};
  const Workload bits4 = read(n);
  EXPECT_EQ(totals(bits4).counts.macs, 5u * 256 * 64);
  EXPECT_EQ(bits4.parameters, 256u * 64) << "two weights a byte";
  EXPECT_EQ(bits4.operators[0].weight_bytes, 64u * 128 + 64 * 8 * 4);
  EXPECT_EQ(bits4.operators[0].weight_type, DataType::Int4);
}

TEST(OnnxOperators, DequantisedWeightsKeepTheirStoredBytes) {
  Graph g;
  g.inputs = {info("x", {2, 8})};
  g.outputs = {output("y")};
  g.initializers = {tensor("w", kInt8, {8, 8}), weights("s", {}), tensor("z", kInt8, {})};
  g.nodes = {node("DequantizeLinear", {"w", "s", "z"}, {"d"}), node("MatMul", {"x", "d"}, {"y"})};
  const Workload workload = read(g);
  ASSERT_EQ(workload.operators.size(), 1u);
  EXPECT_EQ(workload.operators[0].weight_bytes, 64u + 4 + 1);
  EXPECT_EQ(workload.operators[0].parameters, 64u);
}

TEST(OnnxOperators, TiedWeightsCountOnce) {
  Graph g;
  g.inputs = {info("ids", {2, 6}, kInt64)};
  g.outputs = {output("y")};
  g.initializers = {weights("e", {1000, 16})};
  g.nodes = {node("Gather", {"e", "ids"}, {"x"}), node("Transpose", {"e"}, {"t"}),
             node("MatMul", {"x", "t"}, {"y"})};
  const Workload workload = read(g);
  EXPECT_EQ(workload.parameters, 16000u);
  EXPECT_EQ(workload.weight_bytes, 64000u);
  ASSERT_EQ(workload.operators.size(), 2u);
  EXPECT_EQ(workload.operators[0].kind, KernelKind::Embedding);
  EXPECT_DOUBLE_EQ(workload.operators[0].weight_read_bytes, 2 * 6 * 16 * 4);
  EXPECT_DOUBLE_EQ(workload.operators[1].weight_read_bytes, 64000);
}

TEST(OnnxOperators, MixtureReadsTheExpertsItMeets) {
  Graph g;
  g.inputs = {info("x", {3, 32}), info("r", {3, 8})};
  g.outputs = {output("y")};
  g.initializers = {weights("f1", {8, 64, 32}), weights("f2", {8, 32, 64})};
  g.nodes = {node("MoE", {"x", "r", "f1", "", "f2"}, {"y"}, {integer("k", 2)}, "com.microsoft")};
  const Workload workload = read(g);
  const Operator& op = workload.operators.at(0);
  EXPECT_EQ(op.counts.macs, 3u * 2 * 2 * 32 * 64);
  EXPECT_NEAR(op.weight_read_bytes, 2.0 * 8 * 64 * 32 * 4 * (1 - std::pow(0.75, 3)), 1e-6);
  EXPECT_EQ(workload.parameters, 2u * 8 * 64 * 32);
  EXPECT_EQ(workload.active_parameters, 2u * 2 * 64 * 32);
  g.nodes = {node("MoE", {"x", "r", "f1", "", "f2"}, {"y"}, {integer("k", 9)}, "com.microsoft")};
  EXPECT_NE(thrown<InputError>([&] { read(g); }).find("k is 1 ... 8"), std::string::npos);
}

TEST(OnnxOperators, InconsistentShapesNameTheNode) {
  Graph g;
  g.inputs = {info("x", {2, 8})};
  g.outputs = {output("y")};
  g.initializers = {weights("w", {9, 8})};
  g.nodes = {node("MatMul", {"x", "w"}, {"y"}, {}, "", "product")};
  const std::string said = thrown<InputError>([&] { read(g); });
  EXPECT_NE(said.find("node `product` (MatMul): 8 columns meet 9 rows"), std::string::npos) << said;
}

TEST(OnnxOperators, SequencesJoin) {
  Graph g;
  g.inputs = {info("x", {2, 8}), info("z", {3, 8})};
  g.outputs = {output("y")};
  g.initializers = {weights("w", {8, 4})};
  g.nodes = {node("SequenceConstruct", {"x", "z"}, {"s"}),
             node("ConcatFromSequence", {"s"}, {"j"}, {integer("axis", 0)}),
             node("MatMul", {"j", "w"}, {"y"})};
  EXPECT_EQ(macs(g), 5u * 8 * 4);
}

}  // namespace
}  // namespace carnot::model
