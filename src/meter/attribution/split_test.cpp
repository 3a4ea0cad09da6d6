// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/meter/attribution/attribution.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::meter {

namespace {

constexpr std::array kPolicies = {StaticPolicy::Capacity, StaticPolicy::Busy, StaticPolicy::Whole,
                                  StaticPolicy::None};

Energy rows_of(const Split& s) {
  const std::array rows = {s.job_static, s.job_dynamic, s.others, s.idle, s.unattributed};
  return sum(std::span<const Energy>(rows));
}

/// docs/attribution.md: 10 s at 180 W, of which 100 W are static; 4 CPUs, 16 s of their 40 busy,
/// 12 s of these the job's.
Split example(StaticPolicy policy) {
  return split(1800.0 * joule, 100.0 * watt, Duration::seconds(10),
               {.capacity_s = 40, .busy_s = 16, .job_s = 12}, policy);
}

}  // namespace

TEST(StaticPolicyName, ReadsBackAndRefusesOthers) {
  for (const StaticPolicy policy : kPolicies) EXPECT_EQ(parse_static_policy(name(policy)), policy);
  const std::string message = thrown<InputError>([] { parse_static_policy("fair"); });
  EXPECT_NE(message.find("capacity, busy, whole or none"), std::string::npos);
  EXPECT_NE(message.find("`fair`"), std::string::npos);
}

TEST(Split, WorkedExampleOfTheDocumentation) {
  struct Row {
    StaticPolicy policy;
    double job, others, idle;
  };
  // dynamic 800 J: 600 the job's (12 / 16), 200 the others'
  for (const Row& row :
       {Row{StaticPolicy::Capacity, 300 + 600, 100 + 200, 600},
        Row{StaticPolicy::Busy, 750 + 600, 250 + 200, 0},
        Row{StaticPolicy::Whole, 1000 + 600, 200, 0}, Row{StaticPolicy::None, 600, 200, 1000}}) {
    const Split s = example(row.policy);
    SCOPED_TRACE(name(row.policy));
    EXPECT_EQ(s.static_energy, 1000.0 * joule);
    EXPECT_EQ(s.dynamic_energy, 800.0 * joule);
    EXPECT_NEAR((s.job_static + s.job_dynamic).in(joule), row.job, 1e-9);
    EXPECT_NEAR(s.others.in(joule), row.others, 1e-9);
    EXPECT_NEAR(s.idle.in(joule), row.idle, 1e-9);
    EXPECT_EQ(s.unattributed, Energy{});
  }
}

TEST(Split, StaticPowerDoesNotShrinkWhenTheMachineIsFull) {
  const Split full = split(3000.0 * joule, 100.0 * watt, Duration::seconds(10),
                           {.capacity_s = 40, .busy_s = 40, .job_s = 40}, StaticPolicy::Capacity);
  EXPECT_EQ(full.static_energy, 1000.0 * joule);
  EXPECT_EQ(full.job_static, 1000.0 * joule);
  EXPECT_EQ(full.idle, Energy{});
}

TEST(Split, NobodyBusyPaysNothingDynamic) {
  for (const StaticPolicy policy : {StaticPolicy::Capacity, StaticPolicy::Busy}) {
    const Split s = split(1500.0 * joule, 100.0 * watt, Duration::seconds(10),
                          {.capacity_s = 40, .busy_s = 0, .job_s = 0}, policy);
    EXPECT_EQ(s.unattributed, 500.0 * joule);
    EXPECT_EQ(s.idle, 1000.0 * joule);
    EXPECT_EQ(s.job_static + s.job_dynamic + s.others, Energy{});
  }
}

TEST(Split, JobTimeFinerThanTheMachinesTicksIsBusyTime) {
  // 10 ms ticks saw nothing; the group's clock saw 4 ms.
  const Split s = split(2.0 * joule, 100.0 * watt, Duration::nanoseconds(10'000'000),
                        {.capacity_s = 0.02, .busy_s = 0, .job_s = 0.004}, StaticPolicy::None);
  EXPECT_EQ(s.job_dynamic, 1.0 * joule);
  EXPECT_EQ(s.unattributed, Energy{});
}

TEST(Split, LessThanStaticIsAllStatic) {
  const Split s = split(300.0 * joule, 100.0 * watt, Duration::seconds(10),
                        {.capacity_s = 40, .busy_s = 20, .job_s = 20}, StaticPolicy::Busy);
  EXPECT_EQ(s.static_energy, 300.0 * joule);
  EXPECT_EQ(s.dynamic_energy, Energy{});
  EXPECT_EQ(s.job_static, 300.0 * joule);
}

TEST(Split, ConservesOnAHundredThousandRandomTraces) {
  const RandomStream random(7, "split");
  std::uint64_t draw = 0;
  const auto uniform = [&] { return random.uniform(draw++); };
  const auto spread = [&](double decades) { return std::pow(10.0, decades * (uniform() - 0.5)); };
  std::vector<double> weights;
  std::vector<Energy> processes;
  for (int trace = 0; trace < 100'000; ++trace) {
    const StaticPolicy policy = kPolicies[static_cast<std::size_t>(uniform() * 4)];
    const Energy total = (uniform() < 0.02 ? 0.0 : spread(20)) * joule;
    const Power static_power = (uniform() < 0.1 ? 0.0 : spread(6) * 50) * watt;
    const double capacity = spread(6), busy = capacity * uniform() * 1.2;
    // Now and then a job that seems busier than the machine, or the machine than it can be.
    const CpuUse use{capacity, uniform() < 0.05 ? 0 : busy,
                     uniform() < 0.05 ? 0 : busy * uniform() * 1.3};
    const Split s = split(total, static_power, Duration::from(spread(6) * second), use, policy);
    ASSERT_EQ(rows_of(s), total) << trace;
    ASSERT_EQ((Sum<Energy>(s.static_energy) += s.dynamic_energy).value(), total);
    for (const Energy row : {s.job_static, s.job_dynamic, s.others, s.idle, s.unattributed,
                             s.static_energy, s.dynamic_energy}) {
      ASSERT_GE(row, Energy{}) << trace;
      ASSERT_LE(row, total) << trace;
    }
    // The others' part again, by process.
    weights.clear();
    for (int i = 0, n = 1 + static_cast<int>(uniform() * 40); i < n; ++i) {
      weights.push_back(uniform() < 0.3 ? 0.0 : spread(12));
    }
    processes.assign(weights.size(), Energy{});
    divide(s.others, weights, processes);
    Sum<Energy> all;
    for (const Energy row : processes) {
      ASSERT_GE(row, Energy{});
      ASSERT_LE(row, s.others);
      all += row;
    }
    ASSERT_EQ(all.value(), s.others) << trace;
    for (const Energy row : {s.job_static, s.job_dynamic, s.idle, s.unattributed}) all += row;
    ASSERT_NEAR(all.value().in(joule), total.in(joule), 1e-9 * total.in(joule)) << trace;
  }
}

TEST(Split, IsInProportionToTimeAgainstPlainArithmetic) {
  const RandomStream random(8, "split");
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const double capacity = 1 + 9 * random.uniform(4 * i),
                 busy = capacity * random.uniform(4 * i + 1);
    const double job = busy * random.uniform(4 * i + 2),
                 total = 50 + 100 * random.uniform(4 * i + 3);
    const Split s = split(total * joule, 40.0 * watt, Duration::seconds(1), {capacity, busy, job},
                          StaticPolicy::Capacity);
    EXPECT_NEAR(s.job_dynamic.in(joule), (total - 40) * job / busy, 1e-10);
    EXPECT_NEAR(s.job_static.in(joule), 40 * job / capacity, 1e-10);
    EXPECT_NEAR(s.idle.in(joule), 40 * (capacity - busy) / capacity, 1e-10);
  }
}

TEST(Split, NegativeAndNotANumberAreNothing) {
  const double nan = kNaN;
  const Split s =
      split(-5.0 * joule, 10.0 * watt, Duration::seconds(1), {1, 1, 1}, StaticPolicy::Capacity);
  EXPECT_EQ(rows_of(s), Energy{});
  const Split t = split(5.0 * joule, -10.0 * watt, Duration::seconds(1), {nan, nan, -1},
                        StaticPolicy::Capacity);
  EXPECT_EQ(rows_of(t), 5.0 * joule);
  EXPECT_EQ(t.unattributed, 5.0 * joule);
}

TEST(Divide, AllZeroGoesToTheLast) {
  std::array<Energy, 3> rows{};
  divide(5.0 * joule, std::array{0.0, -1.0, 0.0}, rows);
  EXPECT_EQ(rows[2], 5.0 * joule);
  EXPECT_EQ(rows[0] + rows[1], Energy{});
  divide(5.0 * joule, {}, {});
}

TEST(Divide, WeightsNearTheEndsOfDoubles) {
  const double huge = std::numeric_limits<double>::max();
  const double tiny = std::numeric_limits<double>::denorm_min();
  for (const double scale : {huge, tiny}) {
    std::array<Energy, 2> rows{};
    divide(8.0 * joule, std::array{scale, scale}, rows);
    EXPECT_EQ(rows[0], 4.0 * joule);
    EXPECT_EQ(rows[1], 4.0 * joule);
  }
}

RC_GTEST_PROP(DivideProperty, SumsExactlyInAnyOrder, (std::vector<double> weights)) {
  RC_PRE(!weights.empty());
  for (double& weight : weights) weight = std::abs(weight);
  const double joules = std::abs(*rc::gen::arbitrary<double>());
  std::vector<Energy> rows(weights.size());
  divide(joules * joule, weights, rows);
  RC_ASSERT(sum(std::span<const Energy>(rows)) == joules * joule);
  for (const Energy row : rows) RC_ASSERT(row >= Energy{} && row <= joules * joule);
}

}  // namespace carnot::meter
