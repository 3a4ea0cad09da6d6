// SPDX-License-Identifier: Apache-2.0
// Bar: ranges that cannot be read, resets, EIO, vanished zones, suspends: never more than the cap
// allows, gaps flagged, totals monotonic, and what is missing is within what is said to be missing.
#include <cerrno>

#include <gtest/gtest.h>

#include "meter/counters/rapl.hpp"
#include "meter/testing/testing.hpp"

namespace carnot::meter {
namespace {

using testing::FakeSource;

struct Trial {
  std::uint64_t seed;
  std::uint64_t unit_nj;
  bool range_known;
};

class CounterUnderFaults : public ::testing::TestWithParam<Trial> {};

TEST_P(CounterUnderFaults, NeverInventEnergy) {
  const Trial trial = GetParam();
  const RandomStream random(trial.seed, "faults");
  std::uint64_t draw = 0;
  Domain domain = testing::package_domain("fake/package-0");
  const RaplTurn turn = rapl_turn(0xffffffffu * trial.unit_nj / 1000);
  domain.counter.unit = 1e-6 * joule;
  domain.counter.step = turn.step_uj;
  domain.counter.modulus = turn.modulus_uj;
  FakeSource source;
  source.add(domain, 100.0 * watt, turn.modulus_uj - 500'000'000);
  CounterSpec seen = domain.counter;
  if (!trial.range_known) {
    seen.modulus = 0;
    seen.modulus_known = false;
  }
  Counter counter(seen);
  std::vector<Reading> readings(1);
  Energy before, phantom_room;
  const Power highest = 400.0 * watt;
  int resets = 0, turns = 0;
  bool was_reset = false;
  Duration slept;  // since the last good reading
  source.poll(readings);
  counter.advance(readings[0].raw, readings[0].at);
  for (int i = 0; i < 4000; ++i) {
    source.set_power(0, (20.0 + 380.0 * random.uniform(draw++)) * watt);
    const Duration awake = Duration::from((0.001 + 2.0 * random.uniform(draw++)) * second);
    const Duration asleep = Duration::seconds(random.below(draw++, 40) == 0 ? 600 : 0);
    if (random.below(draw++, 400) == 0) {
      source.reset(0);
      was_reset = true;
      ++resets;
    }
    if (random.below(draw++, 40) == 0)
      source.fail(0, PollStatus::Retry, 1 + static_cast<int>(random.below(draw++, 3)), EIO);
    source.pass(awake, asleep);
    slept = slept + asleep;
    source.poll(readings);
    if (readings[0].status != PollStatus::Ok) {
      ASSERT_EQ(readings[0].error, EIO);
      continue;
    }
    const Step step = counter.advance(readings[0].raw, readings[0].at);
    turns += step.kind == StepKind::Turn;
    ASSERT_EQ(step.asleep, slept);
    const Energy most = seen.power_cap * (step.awake + seen.update_period).time() + 62e-6 * joule;
    ASSERT_LE((static_cast<double>(step.raw) * seen.unit).base(), most.base());
    if (step.kind == StepKind::Reset || step.kind == StepKind::Implausible) {
      ASSERT_EQ(step.unobserved, step.awake);
    }
    ASSERT_GE(counter.total(), before);
    before = counter.total();
    // A reset within reach of the range's end cannot be told from a turn: then up to the cap.
    if (was_reset && step.kind == StepKind::Turn) phantom_room += most;
    was_reset = false;
    slept = {};
    // What a reading is behind: an update period. What is missing beyond it was flagged.
    const Energy behind = highest * seen.update_period.time() + 62e-6 * joule;
    const Energy off = counter.total() - source.truth(0);
    ASSERT_LE(off.base(), (phantom_room + behind).base());
    ASSERT_LE(-off.base(), (highest * counter.unobserved().time() + 2.0 * behind).base());
  }
  EXPECT_GT(resets, 3);
  EXPECT_GT(turns, 0);
}

INSTANTIATE_TEST_SUITE_P(Ranges, CounterUnderFaults,
                         ::testing::Values(Trial{1, 61'035, true}, Trial{2, 15'258, true},
                                           Trial{3, 15'300, true}, Trial{4, 61'035, false},
                                           Trial{5, 15'258, false}, Trial{6, 15'300, false}));

// A turn is a turn also where the range cannot be read: rivals lose 262 kJ here.
TEST(CounterFaults, TurnsWithoutAKnownRange) {
  for (const std::uint64_t unit_nj : {15'258u, 15'300u, 61'035u}) {
    const std::uint64_t modulus = rapl_turn(0xffffffffu * unit_nj / 1000).modulus_uj;
    CounterSpec spec;
    spec.unit = 1e-6 * joule;
    spec.modulus_known = false;
    Counter counter(spec);
    counter.advance(modulus - 40'000'000, {0, 0});
    const Step step = counter.advance(60'000'000, {1'000'000'000, 1'000'000'000});
    // 65 533 J and 65 713 J are both possible for a moment: the lesser is taken, and said so.
    const bool is_sure = unit_nj != 15'258;
    EXPECT_EQ(step.kind, is_sure ? StepKind::Turn : StepKind::Unsure) << unit_nj;
    EXPECT_EQ(step.unobserved, is_sure ? Duration{} : Duration::seconds(1)) << unit_nj;
    EXPECT_NEAR(static_cast<double>(step.raw), 100e6, 62.0) << unit_nj;
  }
}

// A zone that comes back after EIO has counted on; one that vanished stays as it was.
TEST(CounterFaults, EnergySpentWhileUnreadableIsNotLost) {
  FakeSource source;
  source.add(testing::package_domain("fake/package-0"), 150.0 * watt, 4'290'000'000);
  Counter counter(source.domains()[0].counter);
  std::vector<Reading> readings(1);
  const auto poll = [&] {
    source.poll(readings);
    if (readings[0].status == PollStatus::Ok) counter.advance(readings[0].raw, readings[0].at);
  };
  poll();
  source.fail(0, PollStatus::Retry, 5, EIO);
  for (int i = 0; i < 6; ++i) {
    source.pass(Duration::seconds(2));
    poll();
  }
  EXPECT_NEAR(counter.total().in(joule), 1800.0, 1e-3);
  EXPECT_EQ(counter.unobserved(), Duration{});
  source.vanish(0);
  source.pass(Duration::seconds(2));
  poll();
  EXPECT_EQ(readings[0].status, PollStatus::Ended);
  EXPECT_NEAR(counter.total().in(joule), 1800.0, 1e-3);
}

}  // namespace
}  // namespace carnot::meter
