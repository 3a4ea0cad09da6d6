// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/most_quality.hpp"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"

namespace carnot::control {
namespace {

std::vector<site::Mode> modes() {
  const Power idle = 4.0 * megawatt;
  std::vector<site::Mode> all{{"f32", 32, 0.05, idle, 20.0 * megawatt},
                              {"int8", 8, 0.20, idle, 20.0 * megawatt},
                              {"d4w8g4", 8, 0.26, idle, 20.0 * megawatt},
                              {"int4", 4, 0.32, idle, 20.0 * megawatt}};
  all[2].data_bits = 4;
  return all;
}

/// Of these steps, without doubt and with nothing to pay before the first.
QualityPlan sure_plan(const std::vector<site::Mode>& modes, const std::vector<double>& steps,
                      double steps_per_pass, const std::vector<Energy>& entry_costs = {}) {
  std::vector<StepOutlook> outlook;
  for (const double each : steps) outlook.push_back({each, 0.0});
  return best_quality_plan(modes, outlook, {0.0, 0.0, steps_per_pass}, entry_costs);
}

/// The worth of a training step by step, as the header states it: plain sums, no formula of stages.
double plain_worth(const std::vector<site::Mode>& modes, const std::vector<int>& mode_of_step,
                   double steps_per_pass) {
  const auto n = static_cast<double>(mode_of_step.size());
  const double passes = n / steps_per_pass;
  double worth = 0.5 * std::log(passes / (passes + 40.0));
  const auto weight = [](double f) {
    return std::exp(-30.0 * (1.0 - f - std::sin(std::numbers::pi * f) / std::numbers::pi));
  };
  for (std::size_t i = 0; i < mode_of_step.size(); ++i) {
    const site::Mode& m = modes[static_cast<std::size_t>(mode_of_step[i])];
    const int data = m.data_bits > 0 ? m.data_bits : m.bits;
    double gap = 0.0;
    if (m.bits < 16) gap += 0.15 * std::pow(8.0, -(m.bits - 4) / 2.0);
    if (data < 16) gap += 0.02 * std::pow(8.0, -(data - 4) / 2.0);
    worth -=
        gap * (weight((static_cast<double>(i) + 1.0) / n) - weight(static_cast<double>(i) / n));
  }
  return worth;
}

// Six stretches of time, each offering as many steps of a mode as its power does: every
// assignment of modes to stretches is tried. Nothing beats the plan, which may switch once and
// anywhere.
TEST(MostQuality, NoAssignmentOfModesBeatsThePlan) {
  const std::vector<site::Mode> all = modes();
  for (const auto& [scale, per_pass] :
       {std::pair{3.0, 50.0}, std::pair{20.0, 50.0}, std::pair{20.0, 1.0}}) {
    constexpr int kStretches = 6;
    std::vector<double> steps, each;
    for (const site::Mode& m : all) {
      each.push_back(std::floor(scale * m.steps_per_second * 20.0));
      steps.push_back(kStretches * each.back());
    }
    const QualityPlan plan = sure_plan(all, steps, per_pass);
    double best = -1e9;
    for (int code = 0; code < 1 << (2 * kStretches); ++code) {
      std::vector<int> sequence;
      for (int s = 0; s < kStretches; ++s) {
        const int m = (code >> (2 * s)) & 3;
        sequence.insert(sequence.end(), static_cast<std::size_t>(each[static_cast<std::size_t>(m)]),
                        m);
      }
      best = std::max(best, plain_worth(all, sequence, per_pass));
    }
    EXPECT_GT(plan.worth, best - 5e-3) << scale;
    // And it is worth what it says.
    std::vector<int> as_planned(static_cast<std::size_t>(plan.steps));
    for (std::size_t i = 0; i < as_planned.size(); ++i)
      as_planned[i] =
          plan.mode_at((static_cast<double>(i) + 0.5) / static_cast<double>(as_planned.size()));
    EXPECT_NEAR(plain_worth(all, as_planned, per_pass), plan.worth, 0.03) << scale;
    EXPECT_LT(plan.worth, best + 0.05) << scale;
  }
}

RC_GTEST_PROP(MostQuality, MoreJoulesNeverMeanMoreRounding, ()) {
  const std::vector<site::Mode> all = modes();
  const double base = std::pow(10.0, *rc::gen::inRange(0, 50) / 10.0);
  const double more = base * (1.0 + *rc::gen::inRange(1, 90) / 10.0);
  const auto rounding = [&](double scale) {
    std::vector<double> steps;
    for (const site::Mode& m : all) steps.push_back(scale * m.steps_per_second);
    const QualityPlan plan = sure_plan(all, steps, 20.0);
    const double a = rounding_gap(all[static_cast<std::size_t>(plan.first)]),
                 b = rounding_gap(all[static_cast<std::size_t>(plan.second)]);
    const std::vector<double> from{0.0, plan.switch_phase}, gaps{a, b};
    // What rounding adds: the worth without its passes.
    return schedule_worth(1.0, std::vector<double>{0.0}, std::vector<double>{0.0}) -
           schedule_worth(1.0, from, gaps);
  };
  RC_ASSERT(rounding(more) <= rounding(base) + 1e-9);
}

TEST(MostQuality, BitsFollowPower) {
  const std::vector<site::Mode> all = modes();
  const auto last = [&](double passes_in_f32) {
    std::vector<double> steps;
    for (const site::Mode& m : all)
      steps.push_back(passes_in_f32 * 100.0 * m.steps_per_second / all[0].steps_per_second);
    const QualityPlan plan = sure_plan(all, steps, 100.0);
    return std::pair{all[static_cast<std::size_t>(plan.first)].bits,
                     all[static_cast<std::size_t>(plan.second)].bits};
  };
  EXPECT_EQ(last(0.5).first, 4);
  EXPECT_GE(last(5000.0).second, 8);
  EXPECT_GE(last(1e6).first, 8);
}

TEST(MostQuality, AFirstCopyOfTheDataIsPaidFor) {
  const std::vector<site::Mode> all = modes();
  const std::vector<double> steps{50, 200, 260, 320};
  const QualityPlan without = sure_plan(all, steps, 10.0);
  std::vector<Energy> entry(all.size());
  for (std::size_t m = 1; m < all.size(); ++m) entry[m] = 10.0 * all[m].step_energy();
  const QualityPlan with = sure_plan(all, steps, 10.0, entry);
  EXPECT_LT(with.worth, without.worth);
  // What is planned fits: shares of power for steps and copies make one.
  const auto share = [&](int m, double n) { return n / steps[static_cast<std::size_t>(m)]; };
  double used = share(with.first, with.steps * with.switch_phase + 10.0);
  if (with.second != with.first) {
    used += share(with.second, with.steps * (1.0 - with.switch_phase));
    if (all[static_cast<std::size_t>(with.first)].copy_bits() !=
        all[static_cast<std::size_t>(with.second)].copy_bits())
      used += share(with.second, 10.0);
  }
  EXPECT_NEAR(used, 1.0, 1e-9);
  // A copy that eats all there is leaves nothing; no plan of negative steps.
  for (std::size_t m = 0; m < all.size(); ++m) entry[m] = 1000.0 * all[m].step_energy();
  EXPECT_EQ(sure_plan(all, steps, 10.0, entry).steps, 0.0);
}

// The mean of the wind pays for the copy of the cheaper format well, half of the winds do not.
TEST(MostQuality, ACopyIsNotBoughtOnHope) {
  const std::vector<site::Mode> all = modes();
  std::vector<StepOutlook> outlook;
  for (const site::Mode& m : all) outlook.push_back({1000.0 * m.steps_per_second, 0.0});
  std::vector<Energy> entry(all.size());
  for (std::size_t m = 1; m < all.size(); ++m) entry[m] = 250.0 * all[m].step_energy();
  const auto bits = [&](double doubt) {
    std::vector<StepOutlook> unsure = outlook;
    for (StepOutlook& each : unsure) each.spread = doubt * each.mean;
    return all[static_cast<std::size_t>(
                   best_quality_plan(all, unsure, {0.0, 0.0, 10.0}, entry).first)]
        .bits;
  };
  EXPECT_EQ(bits(0.0), 4);
  EXPECT_EQ(bits(0.8), 32);
}

/// Half an hour into a job at a site without export, with an even wind of 14 MW and no doubt of it.
struct Even {
  explicit Even(double watts) : mean(48, watts), usual(16, watts) {
    o.now = Instant::from_unix_seconds(1'700'000'000);
    o.start = o.now;
    o.slot = Duration::seconds(300);
    o.deadline = o.now + Duration::seconds(100 * 3600);
    o.site.total = watts * watt;
    o.site.own = watts * watt;
    o.site.usual_total = usual;
    o.site.purchases_left = Energy{};
    o.total_forecast = {o.now, Duration::seconds(3600), mean, {}, {}};
    o.learning.modes = all;
    o.learning.steps_total = 10;
    o.learning.steps_per_pass = 100.0;
  }
  std::vector<site::Mode> all = modes();
  std::vector<double> mean, usual;
  Observation o;
};

TEST(MostQuality, OutlookOfAnEvenWindIsExact) {
  Even even(14e6);
  const std::vector<StepOutlook> outlook = step_outlook(even.o);
  for (std::size_t m = 0; m < even.all.size(); ++m) {
    // (14 - 4) / 20 of full speed for 100 h: 48 of them forecast; of 52 beyond, ten spells of
    // twelve are as usual and one is windy.
    EXPECT_NEAR(outlook[m].mean,
                even.all[m].steps_per_second * 3600.0 * (48.0 * 0.5 + 52.0 * (5.0 + 1.0) / 12.0),
                1e-6)
        << m;
  }
  even.o.learning.overhead = 7.0 * even.all[1].step_energy();
  EXPECT_NEAR(step_outlook(even.o)[1].mean, outlook[1].mean - 7.0, 1e-6);
  Even calm(3e6);  // less than the hall's idle power
  calm.o.deadline = calm.o.now + Duration::seconds(40 * 3600);
  EXPECT_EQ(step_outlook(calm.o)[1].mean, 0.0);
  calm.o.site.purchases_left = 3.0 * calm.all[1].step_energy();
  EXPECT_NEAR(step_outlook(calm.o)[1].mean, 3.0, 1e-6);
}

TEST(MostQuality, PlansOnceOrAnew) {
  Even even(14e6);
  const JobPolicyOptions options{even.all, [] {
                                   site::ObjectiveOptions o;
                                   o.maximise = "quality";
                                   return o;
                                 }()};
  auto make = [&](const char* name) {
    auto policy = make_policy(name, options);
    return std::unique_ptr<JobPolicy>(dynamic_cast<JobPolicy*>(policy.release()));
  };
  const auto ours = make("adaptive"), once = make("plan-once"), fixed = make("fixed:int8");
  const auto at_first = once->decide(even.o).schedule_steps;
  EXPECT_NEAR(static_cast<double>(fixed->decide(even.o).schedule_steps),
              step_outlook(even.o)[1].mean, 1.0);
  const auto before = ours->decide(even.o).schedule_steps;
  // The wind doubles: the one who planned once does not care.
  Even windy(24e6);
  windy.o.now = even.o.now + Duration::seconds(3600);
  windy.o.learning.steps_done = 5;
  EXPECT_EQ(once->decide(windy.o).schedule_steps, at_first);
  EXPECT_GT(ours->decide(windy.o).schedule_steps, before + before / 2);
  // Its schedule never ends before the deadline does.
  windy.o.learning.steps_total = 1000;
  for (int hours = 0; hours < 99; ++hours) {
    windy.o.now = windy.o.now + Duration::seconds(3600);
    if (windy.o.deadline - windy.o.now <= windy.o.slot) break;
    const Decision d = ours->decide(windy.o);
    const auto total = d.schedule_steps > 0 ? d.schedule_steps : windy.o.learning.steps_total;
    windy.o.learning.steps_total = total;
    EXPECT_LE(
        d.max_steps,
        std::max(1.0, std::ceil(0.25 * static_cast<double>(total - windy.o.learning.steps_done))));
  }
}

TEST(MostQuality, BuysWhereItDoesStepsAndAllOfItByTheEnd) {
  Even even(14e6);
  even.o.site.grid_limit = 30.0 * megawatt;
  even.o.site.purchases_left = 20.0 * megawatt_hour;
  const auto fixed = make_quality_policy("fixed:int8", even.all);
  // Own power carries the hall: topped up to full power.
  EXPECT_NEAR(fixed->decide(even.o).grid_allowance.in(megawatt), 10.0, 1e-9);
  even.o.site.own = 1.0 * megawatt;  // calm: wait
  EXPECT_EQ(fixed->decide(even.o).grid_allowance, Power{});
  even.o.now = even.o.deadline - Duration::seconds(3600);
  EXPECT_EQ(fixed->decide(even.o).grid_allowance, even.o.site.grid_limit);
  even.o.site.purchases_left = Energy{};
  EXPECT_EQ(fixed->decide(even.o).grid_allowance, Power{});
}

TEST(MostQuality, HindsightFitsTheWindThatCame) {
  const std::vector<site::Mode> all = modes();
  std::vector<site::Weather> weather(60);
  for (std::size_t t = 0; t < weather.size(); ++t)
    weather[t].total = (t % 3 == 0 ? 1.0 : 14.0) * megawatt;
  site::SiteOptions site;
  site.export_limit = Power{};
  site.hall.nodes = 40000;
  site.hall.node_suspended = Power{};
  site.hall.fixed_overhead = 0.0;
  const std::vector<Energy> looks(all.size(), 10.0 * all[1].step_energy());
  const QualityTruth truth{site, {}, weather, 3600.0 * second, {}, looks};
  const auto policy = make_hindsight("fixed:int8", all, truth);
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->name(), "hindsight:fixed:int8");
  // 40 hours at half speed, less the look: 0.1 steps a second.
  const Even even(14e6);
  EXPECT_NEAR(static_cast<double>(policy->decide(even.o).schedule_steps), 40.0 * 360.0 - 10.0, 2.0);
  EXPECT_EQ(make_hindsight("adaptive", all, truth), nullptr);
}

TEST(MostQuality, NamesAndMistakes) {
  const std::vector<site::Mode> all = modes();
  site::ObjectiveOptions objective;
  objective.maximise = "quality";
  for (const std::string& name : quality_policy_names(all))
    EXPECT_EQ(make_policy(name, JobPolicyOptions{all, objective})->name(), name);
  EXPECT_THROW(make_policy("grid-f32", JobPolicyOptions{all, objective}), InputError);
  EXPECT_THROW(make_policy("fixed:int3", JobPolicyOptions{all, objective}), InputError);
  EXPECT_THROW(make_policy("hindsight:adaptive", JobPolicyOptions{all, objective}), InputError);
  objective.maximise = "nothing";
  EXPECT_THROW(make_policy("plan-once", JobPolicyOptions{all, objective}), InputError);
}

}  // namespace
}  // namespace carnot::control
