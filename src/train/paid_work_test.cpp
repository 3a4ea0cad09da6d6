// SPDX-License-Identifier: Apache-2.0
// Nothing is done before it is paid: at every instant the dynamic energy that was drawn covers all
// that was counted, and what was certified had been paid.
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/control/registry.hpp"
#include "carnot/control/training/most_quality.hpp"

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using testing::all;
using testing::RandomPolicy;
using testing::Stand;
using testing::Steady;
using testing::tiny;
using testing::windy;

learn::Dataset signed_rows(std::uint64_t seed, std::size_t rows) {
  constexpr std::size_t kColumns = 24;
  const RandomStream x(seed, "x");
  learn::Dataset data;
  data.rows = rows;
  data.columns = kColumns;
  data.classes = 2;
  for (std::size_t i = 0; i < rows; ++i) {
    double z = 0.0;
    for (std::size_t j = 0; j < kColumns; ++j) {
      const double v = x.normal(i * kColumns + j);
      data.features.push_back(static_cast<float>(v));
      z += v * (j % 5 == 0 ? 4.0 : 0.2);  // coefficients that outgrow their grids
    }
    data.labels.push_back(z > 0.0 ? 1u : 0u);
  }
  return data;
}

/// Signed features: each width of the data needs a copy of its own, dear beside these few steps.
const learn::Split& table() {
  static const learn::Split split{signed_rows(1, 900), signed_rows(2, 300)};
  return split;
}

/// A site, its wind and a job out of one number.
struct Case {
  explicit Case(std::uint64_t seed) : random(seed, "paid") {
    std::vector<std::string> set{"work.learner=logistic", "work.epochs=2", "work.batch=32",
                                 "work.deadline_after=4 h", "slot=15 min"};
    quality = draw() < 0.5;
    if (quality) {
      set.insert(set.end(), {"objective.maximise=quality", "work.minimum_quality=0"});
      if (draw() < 0.5) set.push_back("objective.purchases=4 MWh");
    } else {
      set.push_back(draw() < 0.5 ? "work.minimum_quality=0.6" : "work.minimum_quality=0.85");
      if (draw() < 0.5) set.push_back("work.stop_when_certified=true");
      if (draw() < 0.3) set.push_back("site.import_limit=0 MW");
    }
    if (draw() < 0.3)
      set.insert(set.end(), {"site.battery.capacity=6 MWh", "site.battery.charge_limit=8 MW",
                             "site.battery.discharge_limit=8 MW"});
    scenario = tiny(set);
    environment = load_environment(scenario, "");
    double wind = 130.0 * draw();
    for (site::Weather& weather : environment.weather) {
      wind = std::clamp(wind + 25.0 * (draw() - 0.55), 0.0, 148.0);
      weather.total = wind * megawatt;
    }
  }
  double draw() { return random.uniform(next++); }

  RandomStream random;
  std::uint64_t next = 0;
  bool quality = false;
  site::Scenario scenario;
  Environment environment;
};

/// Steps the world to its end and looks at the books at each event.
void check_books(Stand& stand, control::Policy& policy) {
  const Energy rounding = 1e-4 * stand.job.trainings * stand.job.step_energy.back();
  bool more = true;
  while (more) {
    more = stand.world.step(policy);
    RC_ASSERT(stand.used() <= stand.drawn() * (1.0 + 1e-9) + rounding);
  }
  const LaneOutcome outcome = stand.world.outcome();
  RC_ASSERT(outcome.owed <= rounding);
  RC_ASSERT(outcome.unused >= Energy{});
  // What was drawn was used or is named as unused: no joule is lost on the way.
  const Energy off = stand.drawn() - stand.used() - outcome.unused + outcome.owed;
  RC_ASSERT(std::abs(off.in(joule)) <= (1e-9 * stand.drawn() + rounding).in(joule));
  if (outcome.certified) {
    RC_ASSERT(stand.steps_done() > 0);
    RC_ASSERT(!outcome.deadline_passed);
  }
}

RC_GTEST_PROP(PaidWork, NoPolicyIsEverAheadOfWhatItPaid, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const Case c(seed);
  const Stand names(c.scenario, c.environment, default_precisions(), table());
  std::vector<std::string> policies = c.quality ? control::quality_policy_names(names.job.modes)
                                                : control::policy_names(names.job.modes);
  std::erase(policies, "oracle");  // replays what was found offline: below
  // Two of them a case: a hundred cases meet each some ten times.
  for (const std::uint64_t draw : {seed % policies.size(), (seed / 64) % policies.size()}) {
    Stand stand(c.scenario, c.environment, default_precisions(), table());
    check_books(stand,
                *control::make_policy(policies[draw], control::JobPolicyOptions{
                                                          stand.job.modes, c.scenario.objective}));
  }
  Stand stand(c.scenario, c.environment, default_precisions(), table());
  RandomPolicy whatever(seed);
  check_books(stand, whatever);
}

// The same with a learner whose rows outgrow their grids in the first steps.
RC_GTEST_PROP(PaidWork, NorWhereRowsOutgrowTheirGrids, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  Case c(seed);
  c.scenario.work.learning_rate = 3.0;
  for (const char* format : {"int8", "d4w8g4", "int4"}) {
    Stand stand(c.scenario, c.environment, {"f32", format}, table());
    control::Decision d;
    d.mode = 1;
    d.grid_allowance = 1e12 * watt;
    Steady steady(d);
    check_books(stand, steady);
  }
}

TEST(PaidWork, AStepThatOutgrowsCostsAtMostOneMore) {
  // The bound that the world reckons with, and that it is needed at all.
  site::Scenario scenario = tiny({"work.learner=logistic", "work.learning_rate=3"});
  bool outgrew = false;
  for (const char* name : {"int8", "d4w8g4", "int4"}) {
    const auto learner = Stand::learner_of(scenario, table().train);
    const learn::Precision p = learn::Precision::parse(name);
    const learn::EnergyTable energies = learn::EnergyTable::embedded();
    const Energy step = energies.energy(learner->step_counters(p)).value();
    learn::Counters before = learner->counters();
    before += learner->switch_counters(learn::Precision::parse("f32"), p);
    while (learner->train(1, p) > 0) {
      const Energy cost = energies.energy(learner->counters() - before).value();
      EXPECT_GE(cost, step * (1.0 - 1e-12));
      EXPECT_LE(cost, 2.0 * step);
      outgrew = outgrew || cost > 1.0001 * step;
      before = learner->counters();
    }
  }
  EXPECT_TRUE(outgrew);
}

TEST(PaidWork, ACopyThatIsNotPaidByTheDeadlineIsVoid) {
  site::Scenario scenario =
      tiny({"work.learner=logistic", "objective.maximise=quality", "work.minimum_quality=0",
            "site.export_limit=0 MW", "work.deadline_after=1 h"});
  Stand probe(scenario, windy(scenario), {"f32", "int4"}, table());
  const site::Mode& mode = probe.job.modes[1];
  ASSERT_GT(mode.first_use, 4.0 * mode.step_energy());
  // As much wind as pays for half of the copy and the look.
  const Energy half = 0.5 * mode.first_use;
  const Power total = (mode.static_power + half / (1.0 * hour)) * 1.0;
  scenario.site.hall.fixed_overhead = 0.0;
  scenario.site.hall.cooling_slope_per_k = 0.0;
  Stand stand(scenario, windy(scenario, total), {"f32", "int4"}, table());
  control::Decision d;
  d.mode = 1;
  Steady steady(d);
  stand.finish(steady);
  const LaneOutcome outcome = stand.world.outcome();
  EXPECT_EQ(stand.steps_done(), 0u);
  EXPECT_FALSE(outcome.certified);
  EXPECT_FALSE(outcome.evaluated);
  EXPECT_TRUE(outcome.deadline_passed);
  EXPECT_NEAR(outcome.unused / half, 1.0, 1e-6);
  EXPECT_NEAR(stand.drawn() / half, 1.0, 1e-6);
  EXPECT_EQ(stand.used(), Energy{});
  for (const auto& look : all<ledger::Evaluation>(stand.entries)) EXPECT_EQ(look.steps, 0u);
}

TEST(PaidWork, ALookWaitsForItsPower) {
  site::Scenario scenario = tiny({"work.learner=logistic", "work.minimum_quality=0.98"});
  scenario.site.import_limit = Power{};
  Environment calm = windy(scenario);
  for (std::size_t t = 2; t < 6; ++t) calm.weather[t].total = Power{};
  Stand stand(scenario, calm, default_precisions(), table());
  control::Decision d;
  d.mode = 0;
  d.max_steps = 2;
  stand.act(d);
  d.max_steps = 1e300;
  d.throttle = 0.0;
  Steady still(d);
  stand.run_to(still, 2);
  ASSERT_EQ(stand.steps_done(), 2u);
  d.throttle = 1.0;
  d.look = true;
  Steady looks(d);
  stand.run_to(looks, 6);
  EXPECT_EQ(control::observe(stand.world.view(), 0).learning.looks, 0u);  // no power, no look
  EXPECT_EQ(stand.steps_done(), 2u);
  // It may take more than one slot's power; it comes before any step.
  for (int slot = 0; slot < 4 && control::observe(stand.world.view(), 0).learning.looks == 0;
       ++slot)
    stand.act(d);
  EXPECT_EQ(control::observe(stand.world.view(), 0).learning.looks, 1u);
  EXPECT_EQ(stand.steps_done(), 2u);
}

}  // namespace
}  // namespace carnot::train
