// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "carnot/base/random.hpp"
#include "carnot/meter/attribution/attribution.hpp"

namespace carnot::meter {

namespace {

/// Planted machines: 100 W static and 200 W more at full load.
class Planted {
 public:
  explicit Planted(std::uint64_t seed) : random_(seed, "static power") {}

  double uniform() { return random_.uniform(draw_++); }
  void add(double busy, double static_w = 100, double slope_w = 200) {
    const double noise = 1 + 0.02 * (2 * uniform() - 1);
    power.add(busy, (static_w + slope_w * busy) * noise * watt, Duration::seconds(1));
  }
  bool covers(double static_w) const {
    const Estimate<Power> value = power.value();
    return value.low() <= static_w * watt && static_w * watt <= value.high();
  }

  StaticPower power;

 private:
  RandomStream random_;
  std::uint64_t draw_ = 0;
};

struct Tally {
  int runs = 0, covered = 0, near = 0;
  double width = 0;
};

/// Many machines, each fed by `feed`.
Tally tally(const std::function<void(Planted&)>& feed, double static_w = 100) {
  Tally t;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Planted machine(seed);
    feed(machine);
    const Estimate<Power> value = machine.power.value();
    EXPECT_TRUE(machine.power.known());
    EXPECT_EQ(value.origin(), Origin::Modelled);
    EXPECT_EQ(value.value(), machine.power.watts());
    ++t.runs;
    t.covered += machine.covers(static_w);
    t.near += std::abs(value.value().in(watt)-static_w) <= 3;
    t.width += (value.high() - value.low()).in(watt) / 400;
  }
  return t;
}

}  // namespace

TEST(StaticPower, ThatWasGivenIsNotLearned) {
  StaticPower power = StaticPower::given(30.0 * watt, 20.0 * watt, 50.0 * watt);
  for (int i = 0; i < 100; ++i) power.add(0.01 * i, (100.0 + i) * watt, Duration::seconds(1));
  EXPECT_TRUE(power.known());
  EXPECT_EQ(power.watts(), 30.0 * watt);
  EXPECT_EQ(power.value().low(), 20.0 * watt);
  EXPECT_EQ(power.value().high(), 50.0 * watt);
  EXPECT_EQ(power.value().origin(), Origin::Modelled);
  EXPECT_FALSE(StaticPower().is_given());
}

TEST(StaticPower, WithinThreeWattsAfterSixtySamples) {
  const Tally t = tally([](Planted& m) {
    for (int i = 0; i < 60; ++i) m.add(m.uniform());
  });
  EXPECT_EQ(t.near, t.runs);
  EXPECT_GE(t.covered, 0.88 * t.runs);
  EXPECT_LT(t.width, 4.0);
}

TEST(StaticPower, UnchangedAtFullLoad) {
  Planted machine(1);
  for (int i = 0; i < 60; ++i) machine.add(machine.uniform());
  const Power before = machine.power.watts();
  for (int i = 0; i < 600; ++i) machine.add(1.0);
  EXPECT_NEAR(machine.power.watts().in(watt), 100, 3);
  EXPECT_NEAR(machine.power.watts().in(watt), before.in(watt), 3);
  EXPECT_TRUE(machine.covers(100));
}

TEST(StaticPower, LoadNeverBelowThirtyPercentIsToldLessSurely) {
  const auto feed = [](double least) {
    return [least](Planted& m) {
      for (int i = 0; i < 60; ++i) m.add(least + (1 - least) * m.uniform());
    };
  };
  const Tally from_idle = tally(feed(0)), from_thirty = tally(feed(0.3));
  EXPECT_GE(from_thirty.covered, 0.88 * from_thirty.runs);
  EXPECT_GT(from_thirty.width, 1.7 * from_idle.width);
}

TEST(StaticPower, PowerThatIsNotQuiteLinearInLoad) {
  // 15 W above the straight line at half load.
  const Tally t = tally([](Planted& m) {
    for (int i = 0; i < 60; ++i) {
      const double busy = m.uniform();
      m.add(busy, 100, 200 + 60 * (1 - busy));
    }
  });
  EXPECT_EQ(t.near, t.runs);
  EXPECT_GE(t.covered, 0.88 * t.runs);
}

TEST(StaticPower, StepLoads) {
  const Tally t = tally([](Planted& m) {
    double busy = 0;
    for (int i = 0; i < 60; ++i) {
      if (i % 6 == 0) busy = m.uniform();
      m.add(busy);
    }
  });
  EXPECT_GE(t.covered, 0.88 * t.runs);
  EXPECT_GE(t.near, 0.9 * t.runs);
}

TEST(StaticPower, TwoFrequencies) {
  const Tally t = tally([](Planted& m) {
    double slope = 200;
    for (int i = 0; i < 240; ++i) {
      if (i % 8 == 0) slope = m.uniform() < 0.5 ? 200 : 280;
      m.add(m.uniform(), 100, slope);
    }
  });
  EXPECT_GE(t.covered, 0.88 * t.runs);
  EXPECT_GE(t.near, 0.95 * t.runs);
}

TEST(StaticPower, SlowDriftStaysInsideTheInterval) {
  const Tally t = tally(
      [](Planted& m) {
        for (int i = 0; i < 400; ++i) m.add(m.uniform(), 100 + 10.0 * i / 400);
      },
      105);
  EXPECT_GE(t.covered, 0.88 * t.runs);
}

TEST(StaticPower, FollowsALastingChange) {
  Planted machine(3);
  for (int i = 0; i < 2 * 3600; ++i) machine.add(machine.uniform(), 100);
  for (int i = 0; i < 4 * 3600; ++i) machine.add(machine.uniform(), 130);
  EXPECT_NEAR(machine.power.watts().in(watt), 130, 3);
}

TEST(StaticPower, IdleMachineTellsItsStaticPower) {
  const Tally t = tally([](Planted& m) {
    for (int i = 0; i < 60; ++i) m.add(0.05 * m.uniform());
  });
  EXPECT_EQ(t.near, t.runs);
  EXPECT_GE(t.covered, 0.88 * t.runs);
}

TEST(StaticPower, SteadyFullLoadTellsNothing) {
  Planted machine(4);
  EXPECT_FALSE(machine.power.known());
  EXPECT_EQ(machine.power.watts(), Power{});
  for (int i = 0; i < 100; ++i) machine.add(1.0);
  const Estimate<Power> value = machine.power.value(Boundary::Chip);
  EXPECT_FALSE(machine.power.known());
  EXPECT_EQ(value.origin(), Origin::Assumed);
  EXPECT_EQ(value.boundary(), Boundary::Chip);
  EXPECT_EQ(value.low(), Power{});
  EXPECT_GT(value.high(), 290.0 * watt);
  // The published idle share of the 300 W seen.
  EXPECT_NEAR(value.value().in(watt), 0.22 * 300, 2);
}

// Power and load stand still; what moves is the clock that counts load.
TEST(StaticPower, TicksOfASteadyLoadTellNothing) {
  for (const double step_s : {0.1, 0.2, 1.0}) {
    StaticPower learner;
    const RandomStream random(1, "ticks");
    double before = 0;
    for (std::uint64_t n = 1; n <= 60; ++n) {
      // Four CPUs, 37.5 % busy, each counted in whole ticks.
      double ticks = 0;
      for (std::uint64_t cpu = 0; cpu < 4; ++cpu)
        ticks += std::floor(37.5 * step_s * static_cast<double>(n) + random.uniform(cpu));
      learner.add((ticks - before) / (400 * step_s), 175.0 * watt, Duration::from(step_s * second));
      before = ticks;
    }
    EXPECT_FALSE(learner.known()) << step_s;
    const Estimate<Power> value = learner.value();
    EXPECT_EQ(value.origin(), Origin::Assumed) << step_s;
    EXPECT_EQ(value.low(), Power{});
    // As servers are: 0.22 of full load.
    EXPECT_NEAR(value.value().in(watt), 175.0 * 0.22 / (0.22 + 0.78 * 0.375), 5.0) << step_s;
  }
}

TEST(StaticPower, SamplesThatAreNoneAreLeftOut) {
  StaticPower power;
  power.add(0.5, 0.0 * watt, Duration::seconds(1));
  power.add(0.5, 100.0 * watt, Duration{});
  power.add(0.5, -1.0 * watt, Duration::seconds(1));
  EXPECT_EQ(power.samples(), 0u);
  EXPECT_EQ(power.value().origin(), Origin::Assumed);
}

TEST(StaticPower, LongSamplesCountForTheirLength) {
  // 30 s at one load and power in one sample or in thirty: the same line.
  StaticPower coarse, fine;
  for (int i = 0; i < 64; ++i) {
    const double busy = (i * 37 % 64) / 64.0;
    const Power p = (100 + 200 * busy + (i % 3 - 1)) * watt;
    coarse.add(busy, p, Duration::seconds(30));
    for (int k = 0; k < 30; ++k) fine.add(busy, p, Duration::seconds(1));
  }
  EXPECT_NEAR(coarse.watts().in(watt), fine.watts().in(watt), 0.05);
}

}  // namespace carnot::meter
