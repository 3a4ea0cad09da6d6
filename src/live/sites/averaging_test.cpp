// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/averaging.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::live {
namespace {

Tensors random_tensors(std::uint64_t seed, const std::vector<std::size_t>& sizes) {
  const RandomStream stream(seed, "tensors");
  Tensors out;
  std::uint64_t k = 0;
  for (const std::size_t size : sizes) {
    auto& t = out.emplace_back(size);
    for (float& x : t) x = static_cast<float>(stream.normal(k++) * 0.01);
  }
  return out;
}

/// What a message may say at most: each element between its two neighbours on the grid.
RC_GTEST_PROP(PseudoGradient, MessageAndWhatIsLeftOverSumToWhatWasSaid, ()) {
  AveragingOptions o;
  o.bits = *rc::gen::element(32, 8, 4, 2);
  o.share = *rc::gen::element(1.0, 0.5, 0.1, 0.01);
  const auto sizes =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 300));
  PseudoGradientCoder coder(o);
  Tensors said, heard;
  for (const auto size : sizes) {
    said.emplace_back(size, 0.0f);
    heard.emplace_back(size, 0.0f);
  }
  for (std::uint64_t round = 0; round < 4; ++round) {
    const Tensors delta = random_tensors(round + 1, sizes);
    const auto message = coder.encode(delta);
    const Tensors got = decode_pseudo_gradient(message, delta, o);
    RC_ASSERT(got.size() == delta.size());
    for (std::size_t t = 0; t < delta.size(); ++t) {
      std::size_t sent = 0;
      for (std::size_t i = 0; i < delta[t].size(); ++i) {
        said[t][i] += delta[t][i];
        heard[t][i] += got[t][i];
        sent += got[t][i] != 0;
        RC_ASSERT(std::abs(said[t][i] - heard[t][i] - coder.left_over()[t][i]) < 1e-6f);
      }
      if (o.share < 1)
        RC_ASSERT(sent <= static_cast<std::size_t>(
                              std::ceil(o.share * static_cast<double>(delta[t].size()))));
    }
    if (o.bits == 32 && o.share == 1.0)
      for (std::size_t t = 0; t < delta.size(); ++t) RC_ASSERT(got[t] == delta[t]);
  }
}

TEST(PseudoGradient, TheGreatestElementsAreSentAndTheRestComesLater) {
  AveragingOptions o;
  o.bits = 32;
  o.share = 0.25;
  PseudoGradientCoder coder(o);
  const Tensors delta = {{0.1f, -0.4f, 0.2f, 0.3f}};
  EXPECT_EQ(decode_pseudo_gradient(coder.encode(delta), delta, o), (Tensors{{0, -0.4f, 0, 0}}));
  const Tensors nothing = {{0, 0, 0, 0}};
  EXPECT_EQ(decode_pseudo_gradient(coder.encode(nothing), nothing, o), (Tensors{{0, 0, 0, 0.3f}}));
  EXPECT_EQ(decode_pseudo_gradient(coder.encode(nothing), nothing, o), (Tensors{{0, 0, 0.2f, 0}}));
}

TEST(PseudoGradient, SizesOfMessagesAreTheirBits) {
  const Tensors delta = random_tensors(3, {1000, 10});
  const auto size = [&](int bits, double share) {
    AveragingOptions o;
    o.bits = bits;
    o.share = share;
    return PseudoGradientCoder(o).encode(delta).size();
  };
  EXPECT_EQ(size(32, 1), 4040u);
  EXPECT_EQ(size(8, 1), 1010u + 8);
  EXPECT_EQ(size(4, 1), 505u + 8);
  EXPECT_EQ(size(2, 1), 250u + 3 + 8);
  // 10 and 1 positions of a byte or two each, 2 bits a value.
  EXPECT_LE(size(2, 0.01), 8u + 22 + 4);
}

TEST(PseudoGradient, HostileMessagesAreRefused) {
  const Tensors like = random_tensors(5, {64, 9});
  AveragingOptions o;
  o.share = 0.5;
  const auto good = PseudoGradientCoder(o).encode(like);
  const RandomStream stream(9, "spoil");
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    auto bad = good;
    if (i % 3 == 0)
      bad.resize(stream.below(3 * i, good.size()));
    else
      bad[stream.below(3 * i, bad.size())] =
          static_cast<std::uint8_t>(stream.below(3 * i + 1, 256));
    try {
      const Tensors got = decode_pseudo_gradient(bad, like, o);
      for (const auto& t : got)
        for (const float x : t) ASSERT_TRUE(std::isfinite(x));
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 6000u);
  auto longer = good;
  longer.push_back(0);
  EXPECT_THROW(decode_pseudo_gradient(longer, like, o), InputError);
}

TEST(PseudoGradient, BadInputIsNamed) {
  AveragingOptions o;
  o.bits = 3;
  EXPECT_THROW(PseudoGradientCoder{o}, InputError);
  o = {};
  o.share = 0;
  EXPECT_THROW(PseudoGradientCoder{o}, InputError);
  PseudoGradientCoder coder{AveragingOptions{}};
  coder.encode({{1.0f, 2.0f}});
  EXPECT_THROW(coder.encode({{1.0f}}), InputError);
  EXPECT_THROW(coder.encode({{1.0f, std::nanf("")}}), InputError);
}

/// Nesterov momentum by hand over two rounds.
TEST(OuterStep, EqualsTheFormula) {
  AveragingOptions o;
  o.rate = 0.7;
  o.momentum = 0.9;
  OuterStep outer({{1.0f}}, o);
  outer.merge({{{0.5f}}, {{0.1f}}});
  // Numbers all point the same way: 0.5 (1 - 0.1) + 0.1 (1 - 2.5).
  const double g1 = 0.5 * 0.9 + 0.1 * -1.5;
  EXPECT_NEAR(outer.coefficients()[0][0], 1 - 0.7 * (g1 + 0.9 * g1), 1e-6);
  outer.merge({{{0.2f}}});
  EXPECT_NEAR(outer.coefficients()[0][0],
              1 - 0.7 * (g1 + 0.9 * g1) - 0.7 * (0.2 + 0.9 * (0.9 * g1 + 0.2)), 1e-6);
  outer.merge({});
  EXPECT_THROW(outer.merge({{{0.5f, 1.0f}}}), InputError);
}

TEST(OuterStep, AddsWhatIsAtRightAnglesAndAveragesWhatIsAlike) {
  const auto after = [](std::vector<Tensors> parts) {
    OuterStep outer({{0.0f, 0.0f, 0.0f, 0.0f}}, {});
    outer.merge(std::move(parts));
    return outer.coefficients()[0];
  };
  EXPECT_EQ(after({{{1, 0, 0, 0}}, {{0, 2, 0, 0}}}), (std::vector<float>{-1, -2, 0, 0}));
  EXPECT_EQ(after({{{1, 2, 0, 0}}, {{1, 2, 0, 0}}}), (std::vector<float>{-1, -2, 0, 0}));
  EXPECT_EQ(after({{{1, 2, 0, 0}}, {{1, 2, 0, 0}}, {{1, 2, 0, 0}}}),
            (std::vector<float>{-1, -2, 0, 0}));
  // One that says nothing changes nothing.
  EXPECT_EQ(after({{{0, 0, 0, 0}}, {{0, 2, 0, 3}}}), (std::vector<float>{0, -2, 0, -3}));
}

/// A site that hears every message holds the same coefficients to the bit; and what messages leave
/// out is only late: the sum of all steps comes through but for the last rounding.
RC_GTEST_PROP(OuterStep, MessagesBringAFollowerAlong, ()) {
  AveragingOptions o;
  o.bits = *rc::gen::element(2, 4, 8);
  const std::size_t size = *rc::gen::inRange<std::size_t>(1, 20);
  const RandomStream draw(*rc::gen::arbitrary<std::uint64_t>(), "follower");
  Tensors follower = {std::vector<float>(size, 0.5f)};
  OuterStep outer(follower, o);
  std::vector<double> exact(size, 0.5);
  std::uint64_t k = 0;
  double greatest = 0;
  for (int round = 0; round < 40; ++round) {
    Tensors part = {std::vector<float>(size)};
    for (std::size_t i = 0; i < size; ++i) {
      part[0][i] = static_cast<float>(draw.normal(k++));
      exact[i] -= static_cast<double>(part[0][i]);
      greatest = std::max(greatest, std::abs(static_cast<double>(part[0][i])));
    }
    outer.merge({part});
    const auto message = outer.publish();
    const Tensors moved = decode_pseudo_gradient(message, follower, o);
    for (std::size_t i = 0; i < size; ++i) follower[0][i] -= moved[0][i];
    RC_ASSERT(follower == outer.coefficients());
  }
  // Two bits have one level: what is left over may be several steps' worth, never forty.
  for (std::size_t i = 0; i < size; ++i)
    RC_ASSERT(std::abs(exact[i] - static_cast<double>(follower[0][i])) <
              (o.bits == 2 ? 6.0 : 2.0) * greatest);
}

}  // namespace
}  // namespace carnot::live
