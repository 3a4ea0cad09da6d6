// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/training_world.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/control/registry.hpp"
#include "carnot/ledger/store/store.hpp"

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using testing::all;
using ::testing::HasSubstr;
using testing::RandomPolicy;
using testing::Stand;
using testing::Steady;
using testing::tiny;
using testing::windy;

control::Decision at_full(int mode) {
  control::Decision d;
  d.mode = mode;
  d.grid_allowance = 1e12 * watt;
  return d;
}

std::uint64_t sum(const learn::Counters& counters) {
  std::uint64_t operations = 0;
  for (const std::uint64_t n : counters.operations) operations += n;
  return operations;
}

/// What a policy of one job commands when it ticks.
control::Decision decision_of(control::Policy& policy, const control::View& view) {
  struct Recorder final : control::Commands {
    void follow(control::JobIndex, const control::Decision& d) override { decision = d; }
    control::Decision decision;
  } recorder;
  policy.tick({view, recorder});
  return recorder.decision;
}

/// Without what was evaluated for reports alone.
learn::Counters job_counters(const Stand& s) {
  return s.learner->counters() - s.world.outcome().instrument;
}

/// A site and a job out of one number.
site::Scenario random_scenario(std::uint64_t seed) {
  const RandomStream random(seed, "scenario");
  std::uint64_t next = 0;
  const auto draw = [&] { return random.uniform(next++); };
  site::Scenario s = tiny({"work.deadline_after=4 h"});
  s.seed = seed;
  s.site.export_limit = 120.0 * draw() * megawatt;
  s.site.import_limit = (draw() < 0.3 ? 0.0 : 30.0 * draw()) * megawatt;
  s.site.computing_uses =
      draw() < 0.5 ? site::ComputingUses::AllOwn : site::ComputingUses::Curtailed;
  s.site.hall.node_suspended = 20.0 * draw() * watt;
  s.site.hall.fixed_overhead = 0.1 * draw();
  s.site.hall.cooling_slope_per_k = 0.02 * draw();
  if (draw() < 0.6) {
    s.site.battery.capacity = 40.0 * draw() * megawatt_hour;
    s.site.battery.charge_limit = 20.0 * draw() * megawatt;
    s.site.battery.discharge_limit = 20.0 * draw() * megawatt;
    s.site.battery.initial_charge = draw();
    s.site.battery.self_discharge_per_day = 0.2 * draw();
  }
  s.slot = Duration::seconds(draw() < 0.5 ? 300 : 900);
  s.work.stop_when_certified = draw() < 0.5;
  s.work.minimum_quality = draw() < 0.5 ? 0.0 : 0.6;
  return s;
}

RC_GTEST_PROP(WorldProperties, BooksCloseWhateverAPolicyAsks, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  Stand s(random_scenario(seed));
  RandomPolicy policy(seed);
  s.finish(policy);
  const auto slots = s.slots();
  RC_ASSERT(!slots.empty());
  const site::BatteryOptions& battery = s.scenario.site.battery;
  Instant at = s.environment.start;
  Energy facility, own_and_grid, charged, discharged, lost, stored;
  Time in_modes;
  std::uint64_t steps = 0;
  for (const ledger::SlotEntry& slot : slots) {
    RC_ASSERT(ledger::balance_residual(slot) <= ledger::kBalanceTolerance);
    RC_ASSERT(!slot.cap_violation);
    RC_ASSERT(slot.start == at);
    at = slot.start + slot.length;
    RC_ASSERT(slot.steps >= steps);
    RC_ASSERT(slot.steps <= s.learner->total_steps());
    steps = slot.steps;
    RC_ASSERT(slot.battery_charge >= Energy{});
    RC_ASSERT(slot.battery_charge <= battery.capacity * (1.0 + 1e-12));
    RC_ASSERT(slot.grid <= s.scenario.site.import_limit * slot.length.time() * (1.0 + 1e-9));
    RC_ASSERT(slot.throttle >= 0.0 && slot.throttle <= 1.0);
    facility += slot.facility;
    own_and_grid += slot.own_used + slot.discharged + slot.grid;
    charged += slot.charged;
    discharged += slot.discharged;
    lost += slot.battery_loss;
    stored = slot.battery_charge;
    in_modes += slot.length.time();
  }
  const LaneOutcome outcome = s.world.outcome();
  RC_ASSERT(std::abs(in_modes / outcome.duration - 1.0) < 1e-12);
  RC_ASSERT(std::abs((own_and_grid - facility).in(joule)) <= 1e-9 * facility.in(joule));
  RC_ASSERT(s.world.progress().energy == facility);
  RC_ASSERT(at <= s.environment.end());
  // What went into the battery is there, was given or was lost.
  const Energy before = battery.initial_charge * battery.capacity;
  const Energy off = before + charged - discharged - lost - stored;
  RC_ASSERT(std::abs(off.in(joule)) <= 1e-9 * (before + charged + 1.0 * joule).in(joule));
}

RC_GTEST_PROP(WorldProperties, GoesOnExactlyFromAnySlot, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const site::Scenario scenario = random_scenario(seed);
  const Environment truth = load_environment(scenario, "");
  Stand whole(scenario, truth);
  RandomPolicy policy(seed);
  whole.finish(policy);
  const auto cut = *rc::gen::inRange<std::size_t>(0, whole.environment.weather.size());

  Stand first(scenario, truth);
  RandomPolicy first_policy(seed);
  first.run_to(first_policy, cut);
  RC_PRE(!first.world.over());
  Stand second(scenario, truth);
  RandomPolicy second_policy(seed);
  StateWriter state;
  first_policy.save(state);
  const std::vector<std::uint8_t> bytes = state.take();
  StateReader reader(bytes);
  second_policy.restore(reader);
  second.world.restore(first.world.save());
  second.finish(second_policy);
  std::vector<ledger::Entry> joined = first.entries;
  joined.insert(joined.end(), second.entries.begin(), second.entries.end());
  RC_ASSERT(joined.size() == whole.entries.size());
  for (std::size_t i = 0; i < joined.size(); ++i)
    RC_ASSERT(ledger::encode(joined[i]) == ledger::encode(whole.entries[i]));  // NaN is NaN
  RC_ASSERT(second.learner->save() == whole.learner->save());
  RC_ASSERT(second.world.outcome().stopped == whole.world.outcome().stopped);
}

RC_GTEST_PROP(WorldProperties, StepsStopExactlyWhereAsked, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  Stand s(random_scenario(seed));
  RandomPolicy policy(seed);
  while (!s.world.over()) {
    const control::Observation o = control::observe(s.world.view(), 0);
    const std::uint64_t before = o.learning.steps_done;
    const control::Decision d = policy.decide(o);
    s.act(d);
    const auto did = static_cast<double>(s.steps_done() - before);
    RC_ASSERT(did <= std::max(1.0, d.max_steps));
  }
}

RC_GTEST_PROP(WorldProperties, TheFutureChangesNothingBeforeIt, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const site::Scenario scenario = random_scenario(seed);
  const Environment truth = load_environment(scenario, "");
  const auto k = *rc::gen::inRange<std::size_t>(1, truth.weather.size());
  Environment swapped = truth;
  const RandomStream random(seed, "another future");
  for (std::size_t i = k; i < swapped.weather.size(); ++i) {
    swapped.weather[i].total = 148.0 * random.uniform(4 * i) * megawatt;
    swapped.weather[i].price = 200.0 * random.uniform(4 * i + 1) * euro_per_megawatt_hour;
    swapped.weather[i].carbon = 500.0 * random.uniform(4 * i + 2) * gram_per_kilowatt_hour;
    swapped.weather[i].outside = from_celsius(35.0 * random.uniform(4 * i + 3));
  }
  const auto names = control::policy_names(Stand(scenario, truth).job.modes);
  for (const std::string& name : names) {
    if (name == "oracle") continue;
    Stand a(scenario, truth), b(scenario, swapped);
    const auto policy_a =
        control::make_policy(name, control::JobPolicyOptions{a.job.modes, scenario.objective});
    const auto policy_b =
        control::make_policy(name, control::JobPolicyOptions{b.job.modes, scenario.objective});
    a.run_to(*policy_a, k);
    b.run_to(*policy_b, k);
    RC_ASSERT(a.entries.size() == b.entries.size());
    for (std::size_t i = 0; i < a.entries.size(); ++i)
      RC_ASSERT(ledger::encode(a.entries[i]) == ledger::encode(b.entries[i]));
    if (a.world.over()) continue;
    // At the slot itself, prices are published; everything else is still unknown.
    for (std::size_t i = k; i < swapped.weather.size(); ++i) {
      b.environment.weather[i].price = truth.weather[i].price;
      b.environment.weather[i].export_price = truth.weather[i].export_price;
    }
    const control::Decision da = decision_of(*policy_a, a.world.view());
    const control::Decision db = decision_of(*policy_b, b.world.view());
    RC_ASSERT(da.mode == db.mode);
    RC_ASSERT(da.throttle == db.throttle);
    RC_ASSERT(da.grid_allowance == db.grid_allowance);
    RC_ASSERT(da.max_steps == db.max_steps);
    RC_ASSERT(da.measure_noise == db.measure_noise);
  }
}

// Facility energy is the hall's idle power and the counted joules, nothing else, when no cooling
// and no pumps are in the way: what noise and looks cost is worked off.
TEST(World, EnergyIsIdlePowerPlusCountedJoules) {
  site::Scenario scenario = tiny({"work.epochs=4", "work.full_speed_time=3 h"});
  scenario.site.hall.fixed_overhead = 0.0;
  scenario.site.hall.cooling_slope_per_k = 0.0;
  for (int mode = 0; mode < 4; ++mode) {
    for (const bool measure : {false, true}) {
      Stand s(scenario, windy(scenario));
      bool first = true;
      while (!s.world.over()) {
        control::Decision d = at_full(mode);
        d.measure_noise = measure && first;
        d.throttle = first ? 0.6 : 1.0;
        first = false;
        s.act(d);
      }
      ASSERT_TRUE(s.world.outcome().certified) << s.world.outcome().stopped;
      Energy facility;
      Time on;
      for (const ledger::SlotEntry& slot : s.slots()) {
        facility += slot.facility;
        on += slot.length.time();
      }
      const Energy expected =
          4.0 * megawatt * on + s.job.trainings * s.table.energy(job_counters(s)).value();
      EXPECT_NEAR(facility / expected, 1.0, 1e-6) << mode << measure;
      // And no joule of it is small enough for that tolerance to hide.
      const learn::Counters noise = s.learner->noise_counters(s.job.precisions);
      EXPECT_GT(s.job.trainings * s.table.energy(noise).value() / facility, 1e-4);
    }
  }
}

TEST(World, ChangesOfModeCostWhatIsCounted) {
  site::Scenario scenario = tiny({"work.epochs=4", "work.full_speed_time=3 h"});
  scenario.site.hall.fixed_overhead = 0.0;
  scenario.site.hall.cooling_slope_per_k = 0.0;
  Stand s(scenario, windy(scenario));
  int decisions = 0;
  while (!s.world.over()) {
    control::Decision d = at_full(decisions++ % 4);
    d.max_steps = 7;
    s.act(d);
  }
  ASSERT_GT(decisions, 20);
  Energy facility;
  Time on;
  for (const ledger::SlotEntry& slot : s.slots()) {
    facility += slot.facility;
    on += slot.length.time();
  }
  const Energy expected =
      4.0 * megawatt * on + s.job.trainings * s.table.energy(job_counters(s)).value();
  EXPECT_NEAR(facility / expected, 1.0, 1e-5);
}

TEST(World, SlotsTellOfEveryOperation) {
  const site::Scenario scenario = tiny({"work.epochs=2"});
  Stand s(scenario, windy(scenario));
  RandomPolicy policy(4);
  s.finish(policy);
  ASSERT_TRUE(s.world.outcome().schedule_done);
  double told = 0.0;
  for (const ledger::SlotEntry& slot : s.slots()) told += slot.operations.in(operation);
  EXPECT_EQ(told, static_cast<double>(sum(job_counters(s))));
}

TEST(World, StopsEarlyWhenCertifiedAndCostsLess) {
  const std::vector<std::string> set{"work.epochs=12", "work.full_speed_time=3 h",
                                     "work.minimum_quality=0.8"};
  site::Scenario scenario = tiny(set);
  Stand whole(scenario, windy(scenario));
  Steady policy(at_full(2));
  whole.finish(policy);
  scenario.work.stop_when_certified = true;
  Stand early(scenario, windy(scenario));
  early.finish(policy);
  ASSERT_TRUE(whole.world.outcome().certified);
  ASSERT_TRUE(early.world.outcome().certified);
  EXPECT_EQ(whole.steps_done(), whole.learner->total_steps());
  EXPECT_LT(early.steps_done(), early.learner->total_steps() / 2);
  EXPECT_GE(4 * early.steps_done(), early.learner->total_steps());
  EXPECT_LT(early.world.progress().energy, 0.6 * whole.world.progress().energy);
  EXPECT_EQ(early.world.outcome().stopped, "the minimum quality is certified");
  auto looks = all<ledger::Evaluation>(early.entries);
  std::erase_if(looks,
                [](const ledger::Evaluation& e) { return e.low == e.high; });  // the report's curve
  ASSERT_FALSE(looks.empty());
  EXPECT_TRUE(looks.back().certified);
  EXPECT_GE(looks.back().low, 0.8);
  const std::uint64_t sixteenth = early.learner->total_steps() / 16;
  for (const ledger::Evaluation& look : looks) EXPECT_EQ(look.steps % sixteenth, 0u);
}

TEST(World, SaysWhenTheScheduleEndsBelowTheFloor) {
  const site::Scenario scenario =
      tiny({"work.epochs=1", "work.learning_rate=0.0001", "work.minimum_quality=0.9"});
  Stand s(scenario, windy(scenario));
  Steady policy(at_full(0));
  s.finish(policy);
  const LaneOutcome outcome = s.world.outcome();
  EXPECT_TRUE(outcome.schedule_done);
  EXPECT_FALSE(outcome.certified);
  EXPECT_FALSE(outcome.deadline_passed);
  EXPECT_THAT(outcome.stopped, HasSubstr("not certified"));
}

TEST(World, DeadlinePassesMidTraining) {
  const site::Scenario scenario = tiny({"work.full_speed_time=24 h"});
  Stand s(scenario, windy(scenario));
  Steady policy(at_full(0));
  s.finish(policy);
  const LaneOutcome outcome = s.world.outcome();
  EXPECT_FALSE(outcome.schedule_done);
  EXPECT_FALSE(outcome.certified);
  EXPECT_TRUE(outcome.deadline_passed);
  EXPECT_TRUE(outcome.evaluated);
  EXPECT_EQ(outcome.duration, 6.0 * hour);
  EXPECT_LE(outcome.certificate.lower_bound, outcome.quality.value);
  EXPECT_GE(outcome.certificate.upper_bound, outcome.quality.value);
  EXPECT_GT(outcome.certificate.lower_bound, 0.0);
  // A quarter of the schedule's time: 42 steps in 24 h, less the standing share.
  EXPECT_EQ(s.steps_done(), s.learner->total_steps() / 4);
}

TEST(World, WithoutPowerNothingHappensForever) {
  site::Scenario scenario = tiny();
  scenario.site.import_limit = Power{};
  Stand s(scenario, windy(scenario, Power{}));
  Steady policy(at_full(0));
  s.finish(policy);
  EXPECT_EQ(s.steps_done(), 0u);
  EXPECT_EQ(s.slots().size(), 72u);
  for (const ledger::SlotEntry& slot : s.slots()) {
    EXPECT_EQ(slot.mode, "");
    EXPECT_EQ(slot.facility, Energy{});
  }
  EXPECT_FALSE(s.world.outcome().evaluated);
  EXPECT_EQ(s.world.outcome().duration, 6.0 * hour);
}

TEST(World, MaxStepsIsExactWithABatteryThatGivesMoreForLess) {
  site::Scenario scenario = tiny({"work.epochs=20", "work.full_speed_time=1 h"});
  scenario.site.import_limit = Power{};
  scenario.site.battery.capacity = 1.0 * megawatt_hour;
  scenario.site.battery.discharge_limit = 40.0 * megawatt;
  scenario.site.battery.initial_charge = 1.0;
  scenario.site.export_limit = Power{};
  Stand t(scenario, windy(scenario, 6.0 * megawatt));
  for (int i = 0; i < 5; ++i) {
    control::Decision d = at_full(0);
    d.max_steps = 3;
    const std::uint64_t before = t.steps_done();
    t.act(d);
    EXPECT_EQ(t.steps_done() - before, 3u);
  }
}

TEST(World, RefusesStatesOfAnotherJob) {
  const site::Scenario scenario = tiny();
  Stand s(scenario, windy(scenario));
  const auto state = s.world.save();
  Stand other(tiny({"work.learner=mlp"}));
  EXPECT_THROW(other.world.restore(state), InputError);
  for (const std::size_t keep :
       {std::size_t{0}, std::size_t{5}, state.size() / 2, state.size() - 1})
    EXPECT_THROW(s.world.restore({state.begin(), state.begin() + static_cast<long>(keep)}),
                 InputError);
  auto longer = state;
  longer.push_back(0);
  EXPECT_THROW(s.world.restore(longer), InputError);
}

}  // namespace
}  // namespace carnot::train
