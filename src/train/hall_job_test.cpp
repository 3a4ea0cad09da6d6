// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/hall_job.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using ::testing::HasSubstr;
using testing::message;
using testing::Stand;
using testing::tiny;

TEST(Job, F32AtFullThrottleTakesTheStatedTimeAndDrawsThePeak) {
  const Stand s(tiny());
  const site::Mode& f32 = s.job.modes.at(0);
  ASSERT_EQ(f32.name, "f32");
  const double steps = static_cast<double>(s.learner->total_steps());
  EXPECT_NEAR(steps / f32.steps_per_second, 3600.0, 1e-6);
  EXPECT_NEAR(f32.power(1.0).in(megawatt), 24.0, 1e-9);
  EXPECT_NEAR(f32.power(0.0).in(megawatt), 4.0, 1e-12);
}

TEST(Job, EveryCountedJouleIsScaledByTheTrainings) {
  const Stand s(tiny());
  for (std::size_t m = 0; m < s.job.modes.size(); ++m) {
    const Energy counted = s.table.energy(s.learner->step_counters(s.job.precisions[m])).value();
    EXPECT_EQ(s.job.step_energy[m], counted);
    EXPECT_NEAR(s.job.modes[m].step_energy() / (s.job.trainings * counted), 1.0, 1e-12);
    EXPECT_LE(s.job.modes[m].dynamic_power.in(megawatt), 20.0 + 1e-9);
  }
  EXPECT_THAT(s.job.scaling_text, HasSubstr("trainings"));
}

RC_GTEST_PROP(JobProperties, ModesComeFromMostToLeastBits, ()) {
  std::vector<std::string> names{"f32", "bf16", "int8", "int4", "int2"};
  const auto order = *rc::gen::container<std::vector<std::uint32_t>>(
      names.size(), rc::gen::arbitrary<std::uint32_t>());
  std::vector<std::pair<std::uint32_t, std::string>> keyed;
  for (std::size_t i = 0; i < names.size(); ++i) keyed.emplace_back(order[i], names[i]);
  std::sort(keyed.begin(), keyed.end());
  std::vector<std::string> shuffled;
  for (const auto& [key, name] : keyed) shuffled.push_back(name);
  static const Stand s(tiny());
  const Job job = make_job(*s.learner, s.table, s.scenario, shuffled);
  RC_ASSERT(job.modes.size() == names.size());
  for (std::size_t m = 0; m < names.size(); ++m) RC_ASSERT(job.modes[m].name == names[m]);
  for (std::size_t m = 1; m < names.size(); ++m)
    RC_ASSERT(job.modes[m].bits < job.modes[m - 1].bits);
}

TEST(Job, FewerBitsAreFasterAndCheaper) {
  // A perceptron's step is products; softmax on 64 columns is mostly roundings.
  const Stand s(tiny({"work.learner=mlp", "work.hidden=64"}));
  for (std::size_t m = 1; m < s.job.modes.size(); ++m) {
    EXPECT_GT(s.job.modes[m].steps_per_second, s.job.modes[m - 1].steps_per_second);
    EXPECT_LT(s.job.step_energy[m], s.job.step_energy[m - 1]);
  }
}

TEST(Job, RefusesPrecisionsThatAreNoneOrTwice) {
  const Stand s(tiny());
  const auto make = [&](std::vector<std::string> names) {
    return message<InputError>([&] { make_job(*s.learner, s.table, s.scenario, names); });
  };
  EXPECT_THAT(make({"f32", "int8", "f32"}), HasSubstr("`f32` twice"));
  EXPECT_THAT(make({"int7"}), HasSubstr("int7"));
}

TEST(Job, ACustomTableChangesTheModes) {
  const TemporaryFolder folder;
  std::string text = "key,energy_pj,low_pj,high_pj,per_second,source\n";
  for (const learn::CostRow& row : learn::EnergyTable::embedded().rows()) {
    const double factor = row.key == "int8_mac" ? 1000.0 : 1.0;
    text += row.key;
    for (const double pj :
         {row.energy.in(picojoule), row.low.in(picojoule), row.high.in(picojoule)})
      text += "," + std::to_string(pj * factor);
    text += "," + std::to_string(row.per_second) + ",test\n";
  }
  const Stand s(tiny());
  const auto dear = learn::EnergyTable::read(folder.write("table.csv", text));
  const Job job = make_job(*s.learner, dear, s.scenario, default_precisions());
  EXPECT_NEAR(job.modes[0].step_energy() / s.job.modes[0].step_energy(), 1.0, 1e-4);
  EXPECT_GT(job.step_energy[2], 2.0 * s.job.step_energy[2]);  // int8
  // The hall cannot draw more than its nodes can: dearer steps come slower.
  EXPECT_LE(job.modes[2].dynamic_power.in(megawatt), 20.0 + 1e-9);
  EXPECT_LT(job.modes[2].steps_per_second, s.job.modes[2].steps_per_second);
}

}  // namespace
}  // namespace carnot::train
