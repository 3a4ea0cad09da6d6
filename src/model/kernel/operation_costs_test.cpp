// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/kernel/operation_costs.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/model/kernel/kernel_energy.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

std::map<std::string, OperationCost> costs(const char* chip) {
  std::map<std::string, OperationCost> out;
  for (OperationCost& cost : operation_costs(ChipCatalogue::embedded().chip(chip)))
    out[cost.key] = cost;
  return out;
}

// M. Horowitz, "Computing's energy problem", ISSCC 2014: the figures carnot's learners were first
// priced with, and the rates of an A100 of 40 GB by its data sheet.
TEST(OperationCosts, CircuitsAreSumsOfWhatIsPublished) {
  const auto c = costs("asic-45nm");
  const std::map<std::string, std::array<double, 4>> published = {
      {"f32_mac", {4.6, 3.22, 5.98, 9.75e12}},
      {"bf16_mac", {2.0, 1.0, 4.0, 1.56e14}},
      {"int8_mac", {0.3, 0.21, 0.39, 3.12e14}},
      {"int4_mac", {0.15, 0.075, 0.3, 6.24e14}},
      {"int2_mac", {0.1125, 0.05625, 0.225, 6.24e14}},
      {"f32_elementwise", {2.3, 0.9, 3.7, 9.75e12}},
      {"rounding", {4.7, 1.0, 9.4, 9.75e12}},
      {"special", {27.6, 13.8, 55.2, 2.4375e12}},
      {"int32_add", {0.1, 0.07, 0.13, 9.75e12}},
      {"cache", {12.5, 8.75, 16.25, 5e12}},
      {"dram", {160, 112, 325, 1.555e12}}};
  ASSERT_EQ(c.size(), published.size());
  for (const auto& [key, want] : published) {
    const OperationCost& got = c.at(key);
    EXPECT_NEAR(got.energy.in(picojoule), want[0], 1e-9 * want[0]) << key;
    EXPECT_NEAR(got.low.in(picojoule), want[1], 1e-9 * want[1]) << key;
    EXPECT_NEAR(got.high.in(picojoule), want[2], 1e-9 * want[2]) << key;
    EXPECT_NEAR(got.per_second, want[3], 1e-9 * want[3]) << key;
    EXPECT_THAT(got.source, HasSubstr("horowitz-2014"));
  }
}

// Measured ratios of large products (AIConfigurator's kernels, 2026): NVFP4 0.37 and FP8 0.57 of
// bfloat16's joules on a B200, FP8 0.65 on an H200.
TEST(OperationCosts, OfCardsFollowsMeasuredKernels) {
  const auto b200 = costs("b200"), h200 = costs("h200-sxm");
  EXPECT_NEAR(b200.at("int4_mac").energy / b200.at("bf16_mac").energy, 0.37, 0.06);
  EXPECT_NEAR(b200.at("int8_mac").energy / b200.at("bf16_mac").energy, 0.57, 0.08);
  EXPECT_NEAR(h200.at("int8_mac").energy / h200.at("bf16_mac").energy, 0.65, 0.08);
  // No four-bit products there: nothing is saved by them.
  EXPECT_EQ(h200.at("int4_mac").energy, h200.at("int8_mac").energy);
  EXPECT_EQ(costs("a100-sxm-80").at("int8_mac").energy, costs("a100-sxm-80").at("bf16_mac").energy);
}

TEST(OperationCosts, EachChipAnswersInOrderOrNamesWhatItLacks) {
  int answered = 0;
  for (const Chip& chip : ChipCatalogue::embedded().chips()) {
    try {
      for (const OperationCost& cost : operation_costs(chip)) {
        EXPECT_GT(cost.low, Energy{}) << chip.id << ' ' << cost.key;
        EXPECT_LE(cost.low, cost.energy) << chip.id << ' ' << cost.key;
        EXPECT_LE(cost.energy, cost.high) << chip.id << ' ' << cost.key;
        EXPECT_GT(cost.per_second, 0) << chip.id << ' ' << cost.key;
        EXPECT_THAT(cost.source, testing::Not(testing::IsEmpty()));
      }
      ++answered;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("chip " + chip.id + ": "));
      EXPECT_THAT(error.what(), HasSubstr("lacks "));
    }
  }
  EXPECT_GE(answered, 20);
}

// A card whose energies a narrower format does not lower says the next wider one's, never less.
TEST(OperationCosts, ACardWithoutTensorUnitsForAFormatGainsNothing) {
  Chip chip = ChipCatalogue::embedded().chip("b200");
  chip.id = "mine";
  chip.values.erase("fp4");
  std::map<std::string, OperationCost> c;
  for (OperationCost& cost : operation_costs(chip)) c[cost.key] = cost;
  EXPECT_EQ(c.at("int4_mac").energy, c.at("int8_mac").energy);
  chip.values.erase("l2");
  try {
    operation_costs(chip);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("it lacks l2"));
  }
}

}  // namespace
}  // namespace carnot::model
