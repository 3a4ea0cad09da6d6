// SPDX-License-Identifier: Apache-2.0
// The second question in its world: never overdrawn, the last look paid for, resumed exactly.
#include "carnot/control/training/most_quality.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/control/registry.hpp"

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using nlohmann::json;
using testing::all;
using testing::figures;
using testing::message;
using testing::RandomPolicy;
using testing::Stand;
using testing::tiny;

std::vector<std::string> quality(std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"objective.maximise=quality", "work.minimum_quality=0"});
  return more;
}

Energy grid_energy(const std::vector<ledger::Entry>& entries) {
  Energy sum;
  for (const auto& slot : all<ledger::SlotEntry>(entries)) sum += slot.grid;
  return sum;
}

/// Any wind, calm and storm, slot by slot.
Environment random_wind(const site::Scenario& scenario, std::uint64_t seed) {
  Environment e = load_environment(scenario, "");
  const RandomStream random(seed, "wind");
  double wind = 150.0 * random.uniform(0);
  for (std::size_t t = 0; t < e.weather.size(); ++t) {
    wind = std::clamp(wind + 30.0 * random.normal(t + 1), 0.0, 148.0);
    e.weather[t].total = wind * megawatt;
  }
  return e;
}

TEST(MostQuality, NeverOverdrawsUnderAnyWind) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const RandomStream random(seed, "case");
    const double mwh = random.uniform(0) < 0.3 ? 0.0 : 12.0 * random.uniform(1);
    std::vector<std::string> set = quality({fmt::format("objective.purchases={:.3f} MWh", mwh)});
    if (random.uniform(2) < 0.4)
      set.insert(set.end(), {"site.battery.capacity=6 MWh", "site.battery.charge_limit=8 MW",
                             "site.battery.discharge_limit=8 MW"});
    const site::Scenario scenario = tiny(set);
    const Environment wind = random_wind(scenario, seed);
    const auto spends = [&](control::Policy& policy) {
      Stand stand(scenario, wind);
      stand.finish(policy);
      EXPECT_LE(grid_energy(stand.entries), scenario.objective.purchases)
          << policy.name() << " " << seed;
      for (const auto& slot : stand.slots()) EXPECT_FALSE(slot.cap_violation);
    };
    RandomPolicy whatever(seed);
    spends(whatever);
    const Stand stand(scenario, wind);
    for (const char* name : {"adaptive", "plan-once", "fixed:int4"})
      spends(*control::make_policy(name,
                                   control::JobPolicyOptions{stand.job.modes, scenario.objective}));
  }
}

TEST(MostQuality, EndsAtTheDeadlineCooledAndCertified) {
  double phases = 0.0, lanes = 0.0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const site::Scenario scenario = tiny(quality());
    Stand stand(scenario, random_wind(scenario, seed));
    const auto policy = control::make_policy(
        "adaptive", control::JobPolicyOptions{stand.job.modes, scenario.objective});
    stand.finish(*policy);
    if (stand.steps_done() < 20) continue;  // calm
    const LaneOutcome outcome = stand.world.outcome();
    EXPECT_TRUE(outcome.certified) << seed;
    EXPECT_FALSE(outcome.deadline_passed) << seed;
    EXPECT_GT(outcome.certificate.lower_bound, 0.2) << seed;
    EXPECT_LE(outcome.owed, 1e-5 * stand.job.trainings * stand.job.step_energy[0]) << seed;
    phases += stand.learner->schedule().phase(stand.steps_done());
    lanes += 1.0;
  }
  ASSERT_GT(lanes, 2.0);
  EXPECT_GT(phases / lanes, 0.8);
}

TEST(MostQuality, TheLastLookIsPaidBeforehand) {
  // Plenty of wind: every joule drawn is of steps, of switching and of one look, no more, no less.
  const site::Scenario scenario = tiny(quality());
  Stand stand(scenario, testing::windy(scenario));
  control::Decision d;
  d.mode = 0;  // f32: nothing to copy or convert
  d.schedule_steps = 30;
  testing::Steady steady(d);
  stand.finish(steady);
  EXPECT_EQ(stand.steps_done(), 30u);
  EXPECT_TRUE(stand.world.outcome().schedule_done);
  Energy drawn;
  for (const auto& slot : stand.slots())
    drawn += slot.throttle * stand.job.modes[0].dynamic_power * slot.length.time();
  const learn::Precision f32 = learn::Precision::parse("f32");
  const Energy look =
      stand.table.energy(stand.learner->evaluation_counters(stand.split.test.rows, f32)).value();
  const Energy all = stand.job.trainings * (30.0 * stand.job.step_energy[0] + look);
  EXPECT_NEAR(drawn / all, 1.0, 1e-6);
}

TEST(MostQuality, ScheduleIsFittedWithoutAJump) {
  const site::Scenario scenario = tiny(quality());
  const auto learner = Stand::learner_of(scenario, Stand::digits().train);
  const learn::Precision f32 = learn::Precision::parse("f32");
  EXPECT_EQ(learner->schedule().steps, 42u);
  learner->train(20, f32);
  const double before = learner->schedule().phase(20), left = learner->remaining_learning();
  learner->set_schedule(learner->schedule().fitted(20, 100));
  EXPECT_DOUBLE_EQ(learner->schedule().phase(20), before);
  EXPECT_DOUBLE_EQ(learner->remaining_learning(), left);
  EXPECT_EQ(learner->total_steps(), 100u);
  EXPECT_DOUBLE_EQ(learner->schedule().phase(100), 1.0);
  EXPECT_NEAR(learner->schedule().phase(60), 0.5 * (before + 1.0), 1e-12);
  learner->train(30, f32);
  learner->set_schedule(learner->schedule().fitted(50, 60));
  EXPECT_EQ(learner->train(1000, f32), 10u);
  EXPECT_NEAR(learner->remaining_learning(), 0.0, 1e-12);
  EXPECT_THROW(learner->set_schedule({40, 0, 0.0}), InputError);   // fewer than are done
  EXPECT_THROW(learner->set_schedule({90, 70, 0.0}), InputError);  // from a step to come
  EXPECT_THROW(learner->set_schedule({90, 10, 1.5}), InputError);
}

TEST(MostQuality, FittedBeforeTheFirstStepIsTheScheduleOfThatLength) {
  site::Scenario scenario = tiny(quality());
  const auto fitted = Stand::learner_of(scenario, Stand::digits().train);
  fitted->set_schedule(fitted->schedule().fitted(0, 84));
  scenario.work.epochs = 2.0;
  const auto made = Stand::learner_of(scenario, Stand::digits().train);
  ASSERT_EQ(made->total_steps(), 84u);
  const learn::Precision int8 = learn::Precision::parse("int8");
  fitted->train(84, int8);
  made->train(84, int8);
  EXPECT_EQ(fitted->parameters(), made->parameters());
}

json row_of(const RunSummary& run, const std::string& policy) {
  for (const auto& end : all<ledger::LaneEnd>(run.entries))
    if (end.policy == policy) return json::parse(end.result_json);
  ADD_FAILURE() << policy << " did not run";
  return {};
}

TEST(MostQuality, ARunComparesWithHindsight) {
  RunOptions options;
  options.policies = {"adaptive", "plan-once", "fixed:int4", "hindsight:fixed:int4",
                      "hindsight:switch:int4>int8@0.8"};
  options.overrides = quality({"site.export_limit=0 MW"});
  const RunSummary run = run_scenario(tiny(options.overrides), options);
  ASSERT_TRUE(run.complete);
  for (const std::string& name : options.policies) {
    const json row = row_of(run, name);
    EXPECT_EQ(row["grid_energy_j"], 0.0) << name;
    EXPECT_TRUE(row["quality"]["low"].is_number()) << name;
  }
  // What knew the wind used it up and is cooled.
  for (const char* name : {"hindsight:fixed:int4", "hindsight:switch:int4>int8@0.8"}) {
    const json more = row_of(run, name)["most_quality"];
    EXPECT_GT(more["schedule_phase"], 0.98) << name;
  }
  const json end = json::parse(all<ledger::RunEnd>(run.entries).back().result_json);
  double most = 0.0;
  for (const char* name : {"hindsight:fixed:int4", "hindsight:switch:int4>int8@0.8"})
    most = std::max<double>(most, row_of(run, name)["quality"]["low"]);
  EXPECT_EQ(end["hindsight_quality"], most);
  const double ours = row_of(run, "adaptive")["quality"]["low"],
               once = row_of(run, "plan-once")["quality"]["low"];
  EXPECT_NEAR(end["gain_over_plan_once"], ours - once, 1e-12);
}

TEST(MostQuality, ResumedAnywhereItEndsTheSame) {
  const TemporaryFolder folder;
  const std::vector<std::string> set =
      quality({"objective.purchases=3 MWh", "slot=15 min", "site.export_limit=20 MW"});
  RunOptions o;
  o.policies = {"adaptive", "plan-once", "hindsight:fixed:int8"};
  o.overrides = set;
  o.journal = folder / "whole";
  const std::vector<std::string> told = figures(run_scenario(tiny(set), o).entries);
  o.journal = folder / "stopped";
  int asked = 0;
  o.interrupted = [&] { return ++asked >= 2; };
  RunSummary run = run_scenario(tiny(set), o);
  EXPECT_FALSE(run.complete);
  for (int stop = 3; stop < 1'000'000 && !run.complete; stop += 1 + stop / 4) {
    RunOptions again;
    asked = 0;
    again.interrupted = [&] { return ++asked >= stop; };
    run = resume_run(folder / "stopped", again);
  }
  ASSERT_TRUE(run.complete);
  EXPECT_EQ(figures(run.entries), told);
}

}  // namespace
}  // namespace carnot::train
