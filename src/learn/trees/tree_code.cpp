// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/trees/tree_code.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/codes/code_length.hpp"

#include "learn/codes/arithmetic_coder.hpp"

namespace carnot::learn {

namespace {

constexpr int kBitsField = 5, kScaleBits = 8;
constexpr int kGreatestIntegerBits = 12;
constexpr std::size_t kDepths = 32;  // contexts of the structure bit
constexpr std::int32_t kScaleBias = 160;
constexpr std::uint64_t kMostSymbols = std::uint64_t{1} << 26, kFewSymbols = std::uint64_t{1} << 20;

void check_bits(int bits) {
  if (bits != 32 && (bits < 2 || bits > kGreatestIntegerBits))
    throw InputError(
        describe({}, "model bits",
                 fmt::format("of leaves 2 to {} or 32, found {}", kGreatestIntegerBits, bits)));
}

std::int32_t greatest(int bits) noexcept { return (std::int32_t{1} << (bits - 1)) - 1; }
std::size_t alphabet(int bits) noexcept { return 2 * static_cast<std::size_t>(greatest(bits)) + 1; }

/// Exponent e of the least power of two 2^e with every |value| <= greatest * 2^e; its code is
/// e + kScaleBias, 0 where all are 0.
int scale_code(const std::vector<float>& values, int bits) noexcept {
  float most = 0.0f;
  for (const float v : values) most = std::max(most, std::abs(v));
  if (most == 0.0f) return 0;
  const double needed = static_cast<double>(most) / greatest(bits);
  int exponent = 0;
  const double fraction = std::frexp(needed, &exponent);  // needed = fraction 2^exponent
  if (fraction == 0.5) --exponent;
  return std::clamp(exponent + kScaleBias, 1, 255);
}

float scale_of(int code) noexcept { return code == 0 ? 0.0f : std::ldexp(1.0f, code - kScaleBias); }

std::int32_t rounded(float value, float scale, int bits) noexcept {
  if (scale == 0.0f) return 0;
  const float m = static_cast<float>(greatest(bits));
  return static_cast<std::int32_t>(std::clamp(std::nearbyint(value / scale), -m, m));
}

/// An adaptive code's cost, symbol by symbol.
class AdaptiveLength {
 public:
  explicit AdaptiveLength(std::size_t size) : doubled_(size, 1), total_(size) {}
  double add(std::size_t symbol) noexcept {
    const double cost =
        std::log2(static_cast<double>(total_) / static_cast<double>(doubled_[symbol]));
    doubled_[symbol] += 2;
    total_ += 2;
    return cost;
  }

 private:
  std::vector<std::uint64_t> doubled_;
  std::uint64_t total_;
};

/// Where symbols go: an encoder, or a sum of lengths. Both see the same sequence.
class LengthSink {
 public:
  explicit LengthSink(const TreeModel& model, int bits)
      : structure_(kDepths, AdaptiveLength(2)),
        feature_(std::max<std::size_t>(model.features.size(), 1)),
        missing_(2),
        leaf_(bits == 32 ? 1 : alphabet(bits)) {}
  void bits(std::uint64_t, int count) noexcept { length += count; }
  void integer(std::uint64_t n) { length += universal_integer_length(n); }
  void structure(std::size_t depth, bool leaf) { length += structure_[depth].add(leaf); }
  void feature(std::size_t f) { length += feature_.add(f); }
  void uniform(std::size_t, std::size_t total) { length += std::log2(static_cast<double>(total)); }
  void missing(bool left) { length += missing_.add(left); }
  void leaf(std::size_t symbol) { length += leaf_.add(symbol); }
  double length = 0.0;

 private:
  std::vector<AdaptiveLength> structure_;
  AdaptiveLength feature_, missing_, leaf_;
};

class EncoderSink {
 public:
  explicit EncoderSink(const TreeModel& model, int bits)
      : structure_(kDepths, KrichevskyTrofimov(2)),
        feature_(std::max<std::size_t>(model.features.size(), 1)),
        missing_(2),
        leaf_(bits == 32 ? 1 : alphabet(bits)) {}
  void bits(std::uint64_t value, int count) { encoder.encode_bits(value, count); }
  void integer(std::uint64_t n) { encoder.encode_integer(n); }
  void structure(std::size_t depth, bool leaf) { structure_[depth].encode(leaf, encoder); }
  void feature(std::size_t f) { feature_.encode(f, encoder); }
  void uniform(std::size_t value, std::size_t total) { encoder.encode(value, 1, total); }
  void missing(bool left) { missing_.encode(left, encoder); }
  void leaf(std::size_t symbol) { leaf_.encode(symbol, encoder); }
  ArithmeticEncoder encoder;

 private:
  std::vector<KrichevskyTrofimov> structure_;
  KrichevskyTrofimov feature_, missing_, leaf_;
};

struct Visit {
  std::uint32_t node;
  std::size_t depth;
};

template <class Sink>
void put_head(Sink& sink, const TreeModel& model, std::size_t trees, int bits) {
  sink.bits(static_cast<std::uint64_t>(bits - 1), kBitsField);
  sink.integer(trees + 1);
  for (const float b : model.base) sink.bits(std::bit_cast<std::uint32_t>(b), 32);
}

/// \param order  leaves in the order in which they come
template <class Sink>
void put_tree(Sink& sink, const TreeModel& model, const Tree& tree, int bits) {
  std::vector<float> values;
  std::vector<Visit> waiting{{0, 0}};
  while (!waiting.empty()) {
    const Visit at = waiting.back();
    waiting.pop_back();
    const TreeNode& node = tree.nodes[at.node];
    sink.structure(std::min(at.depth, kDepths - 1), node.is_leaf());
    if (node.is_leaf()) {
      for (std::size_t k = 0; k < tree.width; ++k)
        values.push_back(tree.values[node.left * tree.width + k]);
      continue;
    }
    sink.feature(node.feature);
    const TreeFeature& feature = model.features[node.feature];
    if (feature.categorical())
      for (std::size_t b = 0; b < feature.bins; ++b)
        sink.bits((tree.sets[node.set][b / 64] >> (b % 64)) & 1u, 1);
    else
      sink.uniform(node.bin, feature.bins);
    sink.missing(node.missing_left);
    waiting.push_back({node.right, at.depth + 1});
    waiting.push_back({node.left, at.depth + 1});
  }
  if (bits == 32) {
    for (const float v : values) sink.bits(std::bit_cast<std::uint32_t>(v), 32);
    return;
  }
  const int code = scale_code(values, bits);
  sink.bits(static_cast<std::uint64_t>(code), kScaleBits);
  const float scale = scale_of(code);
  for (const float v : values)
    sink.leaf(static_cast<std::size_t>(rounded(v, scale, bits) + greatest(bits)));
}

}  // namespace

std::vector<double> tree_code_lengths(const TreeModel& model, int bits,
                                      std::span<const std::size_t> prefixes) {
  check_bits(bits);
  LengthSink sink(model, bits);
  std::vector<double> out;
  std::size_t next = 0;
  for (std::size_t t = 0; t <= model.trees.size() && next < prefixes.size(); ++t) {
    for (; next < prefixes.size() && std::min(prefixes[next], model.trees.size()) == t; ++next) {
      LengthSink head(model, bits);
      put_head(head, model, t, bits);
      out.push_back(head.length + sink.length);
    }
    if (t < model.trees.size()) put_tree(sink, model, model.trees[t], bits);
  }
  CARNOT_CHECK(out.size() == prefixes.size(), "prefixes ascend");
  return out;
}

std::vector<std::vector<float>> rounded_leaves(const TreeModel& model, int bits) {
  check_bits(bits);
  std::vector<std::vector<float>> out;
  for (const Tree& tree : model.trees) {
    out.push_back(tree.values);
    if (bits == 32) continue;
    const float scale = scale_of(scale_code(tree.values, bits));
    for (float& v : out.back()) v = static_cast<float>(rounded(v, scale, bits)) * scale;
  }
  return out;
}

std::vector<std::uint8_t> encode_trees(const TreeModel& model, int bits) {
  check_bits(bits);
  EncoderSink sink(model, bits);
  put_head(sink, model, model.trees.size(), bits);
  for (const Tree& tree : model.trees) put_tree(sink, model, tree, bits);
  return sink.encoder.finish();
}

void decode_trees(std::span<const std::uint8_t> bytes, TreeModel& model) {
  ArithmeticDecoder decoder(bytes);
  const auto broken = [](const char* what) -> InputError {
    return InputError(fmt::format("trees: {}", what));
  };
  const int bits = static_cast<int>(decoder.decode_bits(kBitsField)) + 1;
  if (bits != 32 && (bits < 2 || bits > kGreatestIntegerBits))
    throw broken("leaves of 2 to 12 or 32 bits");
  const std::uint64_t count = decoder.decode_integer() - 1;
  // A symbol of a tree that learned something costs well over 2^-5 bits: a message bounds what it
  // unpacks to.
  const std::uint64_t most =
      std::min(kMostSymbols, std::max<std::uint64_t>(kFewSymbols, bytes.size() << 8));
  if (count > most) throw broken("more trees than the message can hold");
  model.base.clear();
  for (std::size_t k = 0; k < model.outputs; ++k)
    model.base.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(decoder.decode_bits(32))));
  std::vector<KrichevskyTrofimov> structure(kDepths, KrichevskyTrofimov(2));
  KrichevskyTrofimov features(std::max<std::size_t>(model.features.size(), 1)), missing(2),
      leaves(bits == 32 ? 1 : alphabet(bits));
  model.trees.clear();
  std::uint64_t nodes = 0;
  for (std::uint64_t t = 0; t < count; ++t) {
    Tree tree;
    tree.width = model.average ? static_cast<std::uint32_t>(model.outputs) : 1u;
    tree.output = model.average ? 0u : static_cast<std::uint32_t>(t % model.outputs);
    struct Waiting {
      std::uint32_t parent;
      bool left;
      std::size_t depth;
    };
    std::vector<Waiting> waiting{{0, true, 0}};
    std::uint32_t leaf = 0;
    while (!waiting.empty()) {
      const Waiting at = waiting.back();
      waiting.pop_back();
      const auto own = static_cast<std::uint32_t>(tree.nodes.size());
      if (++nodes > most || leaf * static_cast<std::uint64_t>(tree.width) > most)
        throw broken("more nodes than the message can hold");
      TreeNode node;
      if (structure[std::min(at.depth, kDepths - 1)].decode(decoder) == 1) {
        node.left = leaf++;
      } else {
        if (model.features.empty()) throw broken("a split without features");
        node.feature = static_cast<std::uint32_t>(features.decode(decoder));
        const TreeFeature& feature = model.features[node.feature];
        if (feature.categorical()) {
          std::array<std::uint64_t, 4> set{};
          for (std::size_t b = 0; b < feature.bins; ++b)
            set[b / 64] |= decoder.decode_bits(1) << (b % 64);
          node.set = static_cast<std::uint32_t>(tree.sets.size());
          tree.sets.push_back(set);
        } else {
          const std::uint64_t bin = decoder.target(feature.bins);
          decoder.consume(bin, 1, feature.bins);
          node.bin = static_cast<std::uint8_t>(bin);
        }
        node.missing_left = missing.decode(decoder) == 1;
        waiting.push_back({own, false, at.depth + 1});
        waiting.push_back({own, true, at.depth + 1});
      }
      if (own > 0) {
        TreeNode& parent = tree.nodes[at.parent];
        (at.left ? parent.left : parent.right) = own;
      }
      tree.nodes.push_back(node);
    }
    const std::uint64_t values = std::uint64_t{leaf} * tree.width;
    if (values > most) throw broken("more leaves than the message can hold");
    const float scale =
        bits == 32 ? 0.0f : scale_of(static_cast<int>(decoder.decode_bits(kScaleBits)));
    for (std::uint64_t i = 0; i < values; ++i) {
      if (bits == 32)
        tree.values.push_back(
            std::bit_cast<float>(static_cast<std::uint32_t>(decoder.decode_bits(32))));
      else
        tree.values.push_back(
            scale *
            static_cast<float>(static_cast<std::int32_t>(leaves.decode(decoder)) - greatest(bits)));
    }
    model.trees.push_back(std::move(tree));
  }
  check_model(model);
}

}  // namespace carnot::learn
