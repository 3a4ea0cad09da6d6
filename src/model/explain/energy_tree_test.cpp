// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/energy_tree.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

constexpr TreeLevel kLevels[] = {TreeLevel::Stage, TreeLevel::Phase, TreeLevel::Operator,
                                 TreeLevel::Component, TreeLevel::Circuit};

Activity activity(double count, double joules_each, double bits = 0) {
  Activity a;
  a.count = count;
  a.unit = "MAC";
  a.coefficient = joules_each * joule;
  a.erased = bits * bit;
  a.cause = "c";
  return a;
}

/// A tree of any shape: joules over twenty orders of magnitude, some leaves zero, some static.
EnergyTree random_tree(std::uint64_t seed, double* plain_total = nullptr) {
  const RandomStream random(seed, "energy tree");
  std::uint64_t drawn = 0;
  const auto uniform = [&] { return random.uniform(drawn++); };
  EnergyTree tree("all", 300 * kelvin);
  std::vector<EnergyTree::Index> inner{0};
  std::vector<std::size_t> depth{0};
  long double total = 0;
  const std::size_t size = 1 + random.below(drawn++, 30);
  for (std::size_t k = 0; k < size; ++k) {
    const std::size_t at = random.below(drawn++, inner.size());
    const std::string name = "n" + std::to_string(k);
    if (depth[at] < 4 && uniform() < 0.5) {
      inner.push_back(tree.add(inner[at], kLevels[depth[at]], name));
      depth.push_back(depth[at] + 1);
      continue;
    }
    Activity a = activity(std::pow(10, 20 * uniform() - 2), std::pow(10, -12 * uniform() - 2));
    if (uniform() < 0.3) a.static_power = std::pow(10, 4 * uniform()) * watt;
    if (uniform() < 0.8) a.owned_time = std::pow(10, 6 * uniform() - 6) * second;
    if (uniform() < 0.1) a.count = 0;
    a.low_ratio = uniform();
    a.high_ratio = 1 + 3 * uniform();
    a.cause = "cause" + std::to_string(random.below(drawn++, 4));
    a.floor = uniform() * a.energy();
    a.erased = uniform() * (a.energy() / landauer_bound(300 * kelvin));
    total += a.energy().base();
    tree.add_leaf(inner[at], kLevels[depth[at]], name, a);
  }
  tree.finish();
  if (plain_total != nullptr) *plain_total = static_cast<double>(total);
  return tree;
}

void check_conservation(std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t seed = from; seed < to; ++seed) {
    double plain = 0;
    const EnergyTree tree = random_tree(seed, &plain);
    ASSERT_LE(tree.worst_imbalance(), 1e-12) << seed;
    ASSERT_NEAR(tree.node(0).joules, plain, 1e-12 * plain) << seed;
    std::size_t owned = 0;
    for (EnergyTree::Index i = 0; i < tree.nodes().size(); ++i) {
      const EnergyTree::Node& node = tree.node(i);
      ASSERT_GE(node.joules, 0) << seed;
      ASSERT_GE(node.low, 0) << seed;
      ASSERT_LE(node.low, node.joules) << seed;
      ASSERT_GE(node.high, node.joules) << seed;
      // Bar 14: nothing below what physics asks; nor the floor above the estimate.
      ASSERT_LE(node.limit_joules, node.joules * (1 + 1e-12)) << seed;
      ASSERT_LE(node.floor_joules, node.joules * (1 + 1e-12)) << seed;
      if (node.leaf != EnergyTree::kNone) ++owned;
      if (i > 0) {
        ASSERT_LT(node.parent, i) << seed;
      }
    }
    ASSERT_EQ(owned, tree.leaves().size()) << seed;  // each joule one owner
    double by_component = 0;
    for (const ComponentShare& share : fold_components(tree, 0)) by_component += share.joules;
    ASSERT_NEAR(by_component, plain, 1e-12 * plain) << seed;
  }
}

TEST(EnergyTree, ChildrenSumToParents) { check_conservation(0, 10'000); }
TEST(EnergyTreeSlow, ChildrenSumToParentsHundredThousandTimes) {
  check_conservation(10'000, 110'000);
}

// Bar 14: constants exact since the 2019 SI; the bound to 1e-12 of long arithmetic.
TEST(EnergyTree, LimitIsLandauersAtItsTemperature) {
  EXPECT_EQ(boltzmann_constant.base(), 1.380649e-23);
  EXPECT_EQ(electronvolt.base(), 1.602176634e-19);
  for (const double t : {1.0, 4.2, 77.0, 300.0, 358.15}) {
    const long double exact = 1.380649e-23L * static_cast<long double>(t) * std::log(2.0L);
    EXPECT_NEAR(landauer_bound(t * kelvin).base() / static_cast<double>(exact), 1, 1e-12) << t;
    EnergyTree tree("all", t * kelvin);
    tree.add_leaf(0, TreeLevel::Component, "m", activity(1e12, 1e-12, 64e12));
    tree.finish();
    EXPECT_NEAR(tree.node(0).limit_joules / static_cast<double>(exact * 64e12L), 1, 1e-12) << t;
  }
  EXPECT_NEAR(landauer_bound(300 * kelvin).base(), 2.870979e-21, 1e-27);
}

TEST(EnergyTree, RefusesLeavesThatCannotBe) {
  EnergyTree tree("all", 300 * kelvin);
  const auto refused = [&](Activity a, const std::string& words) {
    try {
      tree.add_leaf(0, TreeLevel::Component, "leaf", std::move(a));
      ADD_FAILURE() << words;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("leaf: " + words));
    }
  };
  refused(activity(-1, 1), "count");
  refused(activity(1, -1), "coefficient");
  refused(activity(1, 2.8e-21, 1), "energy: at least k_B T ln 2");
  refused(activity(NAN, 1), "count");
  Activity a = activity(1, 1);
  a.floor = 1.5 * joule;
  refused(a, "floor");
  a = activity(1, 1);
  a.low_ratio = 1.1;
  refused(a, "interval");
  a = activity(1, 1);
  a.static_power = -1 * watt;
  refused(a, "static power");
  tree.add_leaf(0, TreeLevel::Component, "edge", activity(1, 2.8710e-21, 1));
  EXPECT_THROW(tree.add(1, TreeLevel::Circuit, "x"), InputError);   // under a leaf
  EXPECT_THROW(tree.add(0, TreeLevel::Phase, "edge"), InputError);  // named twice
  const auto phase = tree.add(0, TreeLevel::Phase, "phase");
  EXPECT_THROW(tree.add(phase, TreeLevel::Stage, "up"), InputError);  // upwards
  EXPECT_THROW(EnergyTree("all", Temperature{}), InputError);
}

// Equal causes add, different ones in quadrature.
TEST(EnergyTree, IntervalsOfOneCauseAddUp) {
  EnergyTree tree("all", 300 * kelvin);
  Activity a = activity(1, 10);
  a.low_ratio = 0.5;
  a.high_ratio = 1.3;
  a.cause = "same";
  tree.add_leaf(0, TreeLevel::Component, "one", a);
  tree.add_leaf(0, TreeLevel::Component, "two", a);
  a.cause = "other";
  tree.add_leaf(0, TreeLevel::Component, "three", a);
  tree.finish();
  EXPECT_NEAR(tree.node(0).high, 30 + std::hypot(6, 3), 1e-12);
  EXPECT_NEAR(tree.node(0).low, 30 - std::hypot(10, 5), 1e-12);
  const Estimate<Energy> all = tree.estimate(0);
  EXPECT_EQ(all.boundary(), Boundary::Chip);
  EXPECT_NEAR(all.high().in(joule), tree.node(0).high, 1e-12);
}

// A sum that was calibrated as a whole keeps its interval, and hands it up.
TEST(EnergyTree, ACalibratedSumHasItsOwnInterval) {
  EnergyTree tree("all", 300 * kelvin);
  const auto phase = tree.add(0, TreeLevel::Phase, "phase");
  Activity a = activity(1, 10);
  a.low_ratio = 0.1;
  a.high_ratio = 3;
  tree.add_leaf(phase, TreeLevel::Component, "one", a);
  tree.add_leaf(phase, TreeLevel::Component, "two", a);
  tree.calibrate(phase, 0.8, 1.25, "whole phase");
  EXPECT_THROW(tree.calibrate(phase, 1.1, 1.25, "x"), InputError);
  EXPECT_THROW(tree.calibrate(2, 0.9, 1.1, "x"), InputError);  // a leaf
  EnergyTree life("life", 300 * kelvin);
  life.graft(0, tree, 3);
  life.finish();
  tree.finish();
  EXPECT_NEAR(tree.node(0).low, 16, 1e-12);
  EXPECT_NEAR(tree.node(0).high, 25, 1e-12);
  EXPECT_NEAR(life.node(0).high, 75, 1e-12);
  EXPECT_NEAR(tree.node(2).high, 30, 1e-12);
}

TEST(EnergyTree, AGraftIsTheBranchTimesOver) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const EnergyTree branch = random_tree(seed);
    EnergyTree tree("life", 300 * kelvin);
    tree.graft(tree.add(0, TreeLevel::Stage, "a"), branch, 2.5);
    tree.graft(tree.add(0, TreeLevel::Stage, "b"), branch, 1.0);
    tree.finish();
    const double whole = branch.node(0).joules;
    EXPECT_NEAR(tree.node(0).joules, 3.5 * whole, 1e-12 * 3.5 * whole);
    EXPECT_NEAR(tree.node(0).floor_joules, 3.5 * branch.node(0).floor_joules, 1e-11 * whole);
    EXPECT_NEAR(tree.node(0).limit_joules, 3.5 * branch.node(0).limit_joules, 1e-11 * whole);
  }
}

}  // namespace
}  // namespace carnot::model
