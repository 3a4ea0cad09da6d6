// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counter.hpp"

#include <gtest/gtest.h>

#include "meter/testing.hpp"
#include "meter/testing_tree.hpp"

namespace carnot::meter {
namespace {

TEST(Counter, AddsWhatPassedOverATurn) {
  CounterSpec spec;
  spec.unit = 1e-6 * joule;
  spec.modulus = 262'143'328'911;
  Counter counter(spec);
  counter.advance(262'143'328'000, {1'000'000'000, 1'000'000'000});
  const Step step = counter.advance(89, {1'010'000'000, 1'010'000'000});
  EXPECT_EQ(step.kind, StepKind::Turn);
  EXPECT_EQ(step.raw, 1000u);
}

}  // namespace
}  // namespace carnot::meter
