// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/counter.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "meter/counters/rapl.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

Stamp at_ns(std::int64_t ns) { return {ns, ns}; }

CounterSpec microjoules(std::uint64_t max_energy_range_uj) {
  const RaplTurn turn = rapl_turn(max_energy_range_uj);
  CounterSpec spec;
  spec.unit = 1e-6 * joule;
  spec.modulus = turn.modulus_uj;
  spec.step = turn.step_uj;
  return spec;
}

// A 32-bit register as the kernel shows it, and what it truly counted.
struct Zone {
  std::uint64_t unit_nj;
  std::uint64_t counts = 0;
  std::uint64_t start = 0;
  std::uint64_t turns() const { return (counts >> 32) - (start >> 32); }
  std::uint64_t shown() const { return (counts & 0xffffffffu) * unit_nj / 1000; }
  long double true_uj() const {
    return static_cast<long double>(counts - start) * static_cast<long double>(unit_nj) / 1000;
  }
};

// A counter that nobody wrote for three seconds shows them at once; it was read all the time.
TEST(Counter, WhatASlowCounterShowsAtOnceIsCounted) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(1'000'000, at_ns(0));
  std::int64_t now = 0;
  for (int i = 0; i < 30; ++i) counter.advance(1'000'000, at_ns(now += kSecond / 10));
  const auto most = static_cast<std::uint64_t>(0.9 * counter.spec().power_cap.in(watt)*3.0 * 1e6);
  const Step step = counter.advance(1'000'000 + most, at_ns(now));
  EXPECT_EQ(step.kind, StepKind::Advance);
  EXPECT_EQ(counter.total_raw(), most);
  EXPECT_LE(counter.highest(), counter.spec().power_cap);
  const Step jump = counter.advance(1'000'000 + 2 * most, at_ns(now + kSecond / 10));
  EXPECT_EQ(jump.kind, StepKind::Implausible);
}

// Bar: 10 000 turns over four zones, reads at any offset from the turn: at most one raw unit off
// per turn, never negative.
TEST(Counter, TenThousandTurnsAtAnyOffset) {
  const RandomStream random(1, "turns");
  std::uint64_t draw = 0, turns = 0;
  for (const std::uint64_t unit_nj : {15'258u, 15'300u, 61'035u, 1'000'000'000u}) {
    Zone zone{unit_nj};
    zone.counts = zone.start = random.bits(draw++) & 0xffffffffu;
    CounterSpec spec = microjoules(0xffffffffu * unit_nj / 1000);
    spec.power_cap = unit_nj > 1'000'000 ? 1e9 * watt : 2000.0 * watt;
    Counter counter(spec);
    std::int64_t now = 0;
    counter.advance(zone.shown(), at_ns(now));
    std::uint64_t last_total = 0;
    while (zone.turns() < 2500) {
      // Up to just before the turn, over it by nothing, one or any number of counts, and on.
      const std::uint64_t left = 0x1'0000'0000u - (zone.counts & 0xffffffffu);
      const std::uint64_t small = random.below(draw++, 4);
      const std::uint64_t any = 1 + random.below(draw++, std::uint64_t{1} << 31);
      std::uint64_t more = any;
      switch (random.below(draw++, 3)) {
        case 0:
          if (left < 0x8000'0000u) more = left + small;
          break;
        case 1:
          if (left < 0x8000'0000u && left > small) more = left - small;
          break;
        default:
          break;
      }
      zone.counts += more;
      const double joules = static_cast<double>(more) * static_cast<double>(unit_nj) * 1e-9;
      const double power = spec.power_cap.base() * (0.05 + 0.9 * random.uniform(draw++));
      now += 1 + static_cast<std::int64_t>(joules / power * 1e9);
      const Step step = counter.advance(zone.shown(), at_ns(now));
      ASSERT_TRUE(step.kind == StepKind::Advance || step.kind == StepKind::Turn ||
                  step.kind == StepKind::Unsure)
          << unit_nj << " " << more << " " << static_cast<int>(step.kind);
      ASSERT_GE(counter.total_raw(), last_total);
      last_total = counter.total_raw();
      const long double off =
          std::abs(static_cast<long double>(counter.total_raw()) - zone.true_uj());
      const long double raw_unit_uj = static_cast<long double>(unit_nj) / 1000;
      ASSERT_LE(off, (1 + static_cast<long double>(zone.turns())) * raw_unit_uj);
    }
    turns += zone.turns();
  }
  EXPECT_GE(turns, 10'000u);
}

TEST(Counter, OneRangeIsReachedAtTheLongestInterval) {
  const CounterSpec spec = microjoules(65'532'610'987);
  const Counter counter(spec);
  const double seconds = counter.longest_interval().time().in(second);
  EXPECT_NEAR(seconds * spec.power_cap.base(), 65'532.6 / 2, 0.1);
  CounterSpec never = spec;
  never.modulus = 0;
  EXPECT_EQ(Counter(never).longest_interval(), Duration{});
}

TEST(Counter, ALongSilenceIsALowerBound) {
  Counter counter(microjoules(65'532'610'987));
  counter.advance(5, at_ns(0));
  const Step step = counter.advance(1'000'005, at_ns(40 * kSecond));  // 2 kW * 40 s > one turn
  EXPECT_EQ(step.kind, StepKind::Unsure);
  EXPECT_EQ(step.raw, 1'000'000u);
  EXPECT_EQ(step.unobserved, Duration::seconds(40));
}

TEST(Counter, AResetIsNotATurn) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(100'000'000'000, at_ns(0));
  const Step step = counter.advance(3'000'000, at_ns(kSecond));
  EXPECT_EQ(step.kind, StepKind::Reset);
  EXPECT_EQ(step.raw, 3'000'000u);  // what passed since
  EXPECT_EQ(step.unobserved, Duration::seconds(1));
  EXPECT_EQ(counter.unobserved(), Duration::seconds(1));
}

TEST(Counter, WhatNoHardwareSpendsIsNotAdded) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(0, at_ns(0));
  const Step jump = counter.advance(200'000'000'000, at_ns(kSecond));  // 200 kJ in a second
  EXPECT_EQ(jump.kind, StepKind::Implausible);
  EXPECT_EQ(counter.total_raw(), 0u);
  EXPECT_EQ(jump.unobserved, Duration::seconds(1));
  const Step next = counter.advance(200'100'000'000, at_ns(2 * kSecond));
  EXPECT_EQ(next.kind, StepKind::Advance);
  EXPECT_EQ(counter.total_raw(), 100'000'000u);
}

// Two reads around an update: the energy of a whole update period in hardly any time is real.
TEST(Counter, AnUpdateBetweenCloseReadsIsPlausible) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(0, at_ns(0));
  EXPECT_EQ(counter.advance(1'000'000, at_ns(2'000)).kind, StepKind::Advance);  // 1 kW * 1 ms
  EXPECT_EQ(counter.total_raw(), 1'000'000u);
  EXPECT_EQ(counter.advance(4'100'000, at_ns(4'000)).kind, StepKind::Implausible);
}

TEST(Counter, SixtyFourBitsTurnToo) {
  CounterSpec spec;
  spec.unit = 1e-6 * joule;
  Counter counter(spec);
  counter.advance(std::numeric_limits<std::uint64_t>::max() - 4, at_ns(0));
  const Step step = counter.advance(5, at_ns(kSecond));
  EXPECT_EQ(step.kind, StepKind::Turn);
  EXPECT_EQ(step.raw, 10u);
  EXPECT_EQ(counter.advance(2, at_ns(2 * kSecond)).kind, StepKind::Reset);
}

// 30 W read every half second, and what the counter shows instead at one reading or from it on.
struct Reading30W {
  std::vector<std::pair<int, double>> shown_j;  // reading, joules instead
  double offset_j = 0;                          // from reading `from` on
  int from = 1 << 30;
};
void expect_truth(double start_j, const Reading30W& faults, const char* what) {
  CounterSpec spec;
  spec.unit = 1e-6 * joule;
  Counter counter(spec);
  double before = -1;
  constexpr int kReadings = 40;
  for (int i = 0; i <= kReadings; ++i) {
    double shown = start_j + 15.0 * i + (i >= faults.from ? faults.offset_j : 0.0);
    for (const auto& [at, instead] : faults.shown_j)
      if (at == i) shown = instead;
    counter.advance(static_cast<std::uint64_t>(shown * 1e6), at_ns(i * (kSecond / 2)));
    const double total = counter.total().in(joule), truth = 15.0 * i;
    ASSERT_GE(total, before) << what;
    before = total;
    const double missing =
        (max(counter.highest(), 30.0 * watt) * counter.unobserved().time()).in(joule);
    // What cannot be told from a burst is told when it is over.
    bool is_faulty = false;
    for (const auto& [at, instead] : faults.shown_j) is_faulty |= at == i;
    if (!is_faulty) {
      ASSERT_LE(total - counter.excess().in(joule), truth + 1e-3) << what << " at " << i;
    }
    ASSERT_GE(total + missing, truth - 1e-3) << what << " at " << i;
  }
}

TEST(Counter, StepsBackAndSpikesAddNothing) {
  for (const double start : {0.0, 20.0, 400.0, 150e3}) {
    expect_truth(start, {{{10, start + 120.0}, {20, start + 280.0}}, 0, 1 << 30}, "steps back");
    expect_truth(start, {{{10, 9.0e12}}, 0, 1 << 30}, "a spike up");
    expect_truth(start, {{{10, 9.0e12}, {11, 9.0e12}, {12, 9.0e12}}, 0, 1 << 30}, "a long spike");
    // Of few joules a return cannot be told from a reset: that is doubt of the channel's.
    if (start >= 400.0)
      expect_truth(start, {{{10, start + 500.0}}, 0, 1 << 30}, "a spike that might be");
    if (start >= 400.0) expect_truth(start, {{}, -213.0, 20}, "a fall for good");
    expect_truth(start, {{{10, 0.0}}, 0, 1 << 30}, "zero once");
  }
}

TEST(Counter, AsleepNothingIsSpent) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(100'000'000'000, {0, 0});
  // Ten minutes of suspend, one second awake: 2 kJ at most, so 5 kJ less than before is a reset.
  const Step step = counter.advance(95'000'000'000, {kSecond, 601 * kSecond});
  EXPECT_EQ(step.asleep, Duration::seconds(600));
  EXPECT_EQ(step.awake, Duration::seconds(1));
  EXPECT_EQ(step.kind, StepKind::Implausible);
  EXPECT_EQ(counter.total_raw(), 0u);
}

TEST(Counter, HighestIsOfStepsLongEnoughToKnow) {
  Counter counter(microjoules(262'143'328'850));
  counter.advance(0, at_ns(0));
  counter.advance(500'000, at_ns(1'000'000));  // 500 W for a millisecond may be an update early
  EXPECT_EQ(counter.highest().base(), 0.0);
  counter.advance(2'500'000, at_ns(21'000'000));
  EXPECT_NEAR(counter.highest().in(watt), 100.0, 1e-9);
  counter.advance(2'600'000, at_ns(kSecond));
  EXPECT_NEAR(counter.highest().in(watt), 100.0, 1e-9);
}

TEST(Counter, GoesOnFromARecordedTotal) {
  const CounterSpec spec = microjoules(262'143'328'850);
  Counter counter(spec);
  counter.restore(spec.modulus - 10, at_ns(kSecond), 777, Duration::seconds(3));
  const Step step = counter.advance(5, at_ns(2 * kSecond));
  EXPECT_EQ(step.kind, StepKind::Turn);
  EXPECT_EQ(counter.total_raw(), 792u);
  EXPECT_EQ(counter.unobserved(), Duration::seconds(3));
}

// Bar: mean power is energy over time to 1e-9, whatever the lengths of the steps.
TEST(Counter, MeanPowerIsEnergyOverTime) {
  const RandomStream random(2, "steps");
  CounterSpec spec;
  spec.unit = 1e-12 * joule;
  Counter counter(spec);
  counter.advance(0, at_ns(0));
  std::int64_t now = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    now += 1'000'000 + static_cast<std::int64_t>(random.below(i, 500'000'000));
    counter.advance(static_cast<std::uint64_t>(now) * 200'000, at_ns(now));  // 200 W
  }
  const Time passed = Duration::nanoseconds(now).time();
  EXPECT_NEAR((counter.total() / passed).in(watt), 200.0, 200.0 * 1e-9);
}

// Eight hours at 1 kHz: exact to the count, no memory, no drift.
TEST(Counter, EightHoursAtAKilohertzAreExact) {
  const CounterSpec spec = [] {
    CounterSpec s;
    s.unit = 0x1p-14 * joule;
    s.modulus = std::uint64_t{1} << 32;
    return s;
  }();
  Counter counter(spec);
  const std::uint64_t start = 4'000'000'000;
  std::uint64_t counts = start;
  counter.advance(counts & 0xffffffffu, at_ns(0));
  const std::uint64_t before = testing::allocations();
  const std::int64_t samples = 8 * 3600 * 1000;
  for (std::int64_t i = 1; i <= samples; ++i) {
    counts += 2000 + static_cast<std::uint64_t>(i * i % 1777);  // 120 to 230 W
    counter.advance(counts & 0xffffffffu, at_ns(i * 1'000'000));
  }
  EXPECT_EQ(testing::allocations(), before);
  EXPECT_EQ(counter.total_raw(), counts - start);
  EXPECT_GT(counts - start, 10u * spec.modulus);
  EXPECT_EQ(counter.unobserved(), Duration{});
}

TEST(Counter, RefusesSpecsThatCannotBe) {
  const auto refused = [](auto change) {
    CounterSpec spec;
    spec.unit = 1e-6 * joule;
    change(spec);
    EXPECT_THROW(Counter{spec}, InputError);
  };
  refused([](CounterSpec& s) { s.unit = Energy{}; });
  refused([](CounterSpec& s) { s.unit = std::nan("") * joule; });
  refused([](CounterSpec& s) { s.power_cap = -1.0 * watt; });
  refused([](CounterSpec& s) { s.step = 0; });
  refused([](CounterSpec& s) { s.modulus = 1; });
  refused([](CounterSpec& s) { s.update_period = Duration::nanoseconds(-1); });
}

TEST(Stamp, GoesOnAndTellsSuspendFromClockNoise) {
  const Stamp first = Stamp::now(), second = Stamp::now();
  EXPECT_GE(second.monotonic_ns, first.monotonic_ns);
  EXPECT_GE(second.boottime_ns, first.boottime_ns);
  EXPECT_EQ(elapsed({0, 0}, {kSecond, kSecond + 900'000}).asleep, Duration{});
  EXPECT_EQ(elapsed({0, 0}, {kSecond, 3 * kSecond}).asleep, Duration::seconds(2));
  EXPECT_EQ(elapsed({kSecond, kSecond}, {0, 0}).awake, Duration{});
}

}  // namespace
}  // namespace carnot::meter
