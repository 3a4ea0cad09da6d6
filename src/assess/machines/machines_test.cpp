// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/machines/machines.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "carnot/model/footprint/accounting.hpp"

namespace carnot::assess {
namespace {

double watts(const std::string& name) {
  const CloudMachine* m = cloud_machine(name);
  if (m == nullptr) return 0;
  return machine_power(m->vcpus, m->memory_gib, m->accelerators, m->accelerator_w).value().in(watt);
}

TEST(Machines, EightAcceleratorsDrawKilowatts) {
  for (const char* name :
       {"p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "a2-ultragpu-8g", "a3-highgpu-8g",
        "Standard_ND96asr_v4", "Standard_ND96amsr_A100_v4", "Standard_ND96isr_H100_v5"}) {
    EXPECT_GT(watts(name), 2000) << name;
    EXPECT_LT(watts(name), 11000) << name;
  }
  EXPECT_GT(watts("p5.48xlarge"), watts("p4d.24xlarge"));
}

TEST(Machines, NamesAreFoundExactlyOrNotAtAll) {
  EXPECT_EQ(cloud_machine("db.t3.micro")->name, "t3.micro");
  EXPECT_EQ(cloud_machine("ND96asr_v4")->accelerators, 8);
  EXPECT_EQ(cloud_machine("STANDARD_ND96ASR_V4")->accelerators, 8);
  for (const char* unknown :
       {"", "p9.24xlarge", "d96as_v4x", "m5", "m5.largest", "Standard_ND96asr_v9"})
    EXPECT_EQ(cloud_machine(unknown), nullptr) << unknown;
  const auto near = nearest_machines("p5.96xlarge");
  ASSERT_FALSE(near.empty());
  EXPECT_TRUE(std::any_of(near.begin(), near.end(),
                          [](const std::string& n) { return n.starts_with("p5"); }));
}

TEST(Machines, AreFoundInDescriptions) {
  EXPECT_EQ(cloud_machine_in("$1.624 per On Demand Linux g5.4xlarge Instance Hour")->name,
            "g5.4xlarge");
  EXPECT_EQ(cloud_machine_in("USE2-BoxUsage:c5.large")->name, "c5.large");
  EXPECT_EQ(
      cloud_machine_in("Virtual Machines Dv2/DSv2 Series - D11 v2/DS11 v2 - US East 2")->memory_gib,
      14);
  EXPECT_EQ(cloud_machine_in("$0.045 per NAT Gateway Hour"), nullptr);
}

TEST(Machines, EveryRowIsPlausible) {
  for (const CloudMachine& m : cloud_machines()) {
    EXPECT_GT(m.vcpus, 0) << m.name;
    EXPECT_GT(m.memory_gib, 0) << m.name;
    EXPECT_EQ(m.accelerators > 0, m.accelerator_w > 0) << m.name;
    EXPECT_EQ(cloud_machine(m.name), &m);
  }
  EXPECT_GT(cloud_machines().size(), 2000U);
}

TEST(Regions, EveryGridIsKnown) {
  EXPECT_EQ(region_grid("aws", "us-west-2"), "US-OR");
  EXPECT_EQ(region_grid("aws", "eu-central-1b"), "DE");
  EXPECT_EQ(region_grid("gcp", "us-central1-a"), "US-IA");
  EXPECT_EQ(region_grid("azure", "West Europe"), "NL");
  EXPECT_EQ(region_grid("aws", "mars-1"), "");
  for (const char* region : {"us-east-1", "ap-south-2", "af-south-1"})
    EXPECT_NO_THROW(model::grid_intensity(region_grid("aws", region)));
}

TEST(Ratings, AreFoundInWords) {
  EXPECT_EQ(accelerator_rating("NVIDIA A100-SXM4-80GB"), 400);
  EXPECT_EQ(accelerator_rating("8 x NVIDIA H100 80GB HBM3"), 700);
  EXPECT_EQ(accelerator_rating("Tesla T4"), 70);
  EXPECT_EQ(accelerator_rating("NVIDIA L40S"), 350);
  EXPECT_EQ(accelerator_rating("GT400"), 0);
}

TEST(Tokens, KindsArePricedApart) {
  const TokenEnergy t = token_energy("meta-llama/Llama-3.1-70B-Instruct");
  EXPECT_TRUE(t.disclosed);
  EXPECT_EQ(t.total, 70);
  EXPECT_GT(t.output.value(), t.input.value());
  EXPECT_GT(t.input.value(), 2 * t.cached.value());
  EXPECT_GT(t.cached.value(), 0);
  EXPECT_EQ(t.reasoning.value(), t.output.value());
}

TEST(Tokens, SizesAreReadFromNames) {
  EXPECT_EQ(token_energy("qwen3-235b-a22b-instruct-2507").active, 22);
  EXPECT_EQ(token_energy("qwen3-235b-a22b-instruct-2507").total, 235);
  EXPECT_EQ(token_energy("deepseek-ai/DeepSeek-V3").total, 671);
  EXPECT_EQ(token_energy("deepseek-r1-distill-qwen-32b").total, 32);
  EXPECT_EQ(token_energy("mixtral-8x7b-instruct").active, 12.9);
  EXPECT_EQ(token_energy("gemma-2-9b-it").total, 9);
  for (const char* closed :
       {"gpt-4o-mini", "claude-3-5-sonnet-20241022", "gemini-1.5-pro", "o3", "4b2x", ""})
    EXPECT_FALSE(token_energy(closed).disclosed) << closed;
}

TEST(Tokens, AnUndisclosedModelIsWide) {
  for (const char* model : {"gpt-4o", "claude-sonnet-4", "gemini-2.5-pro"}) {
    const TokenEnergy t = token_energy(model);
    for (const EstimateCore& kind : {t.input, t.cached, t.output}) {
      EXPECT_GE(kind.high() / kind.low(), 3) << model;
      EXPECT_GT(kind.low(), 0);
    }
    EXPECT_GT(t.output.high() / t.output.low(),
              token_energy("llama-70b").output.high() / token_energy("llama-70b").output.low());
  }
}

}  // namespace
}  // namespace carnot::assess
