// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/sites/sites.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "live/sites/site_levels.hpp"

namespace carnot::live {
namespace {

using testing::HasSubstr;

const Instant kStart = Instant::parse("2023-03-01T00:00Z");

/// Two states that change seldom, and a wave of the day: grams a kilowatt-hour.
TrainingSite site(const std::string& name, std::uint64_t seed, int hours, int history = 0) {
  const RandomStream stream(seed, "site");
  std::vector<double> mean;
  bool curtailed = seed % 2 == 0;
  for (int h = 0; h < hours + history; ++h) {
    if (stream.uniform(2 * static_cast<std::uint64_t>(h)) < 0.15) curtailed = !curtailed;
    const double wave = 60 * std::sin(0.2618 * h + static_cast<double>(seed));
    mean.push_back(
        CarbonIntensity((curtailed ? 20.0 : 380.0 + wave) * gram_per_kilowatt_hour).base());
  }
  return {name,
          TraceCore(kStart - Duration::seconds(3600LL * history), Duration::seconds(3600), mean)};
}

SitesTask task(double work_h, double deadline_h) {
  SitesTask t;
  t.start = kStart;
  t.work = work_h * hour;
  t.deadline = deadline_h * hour;
  return t;
}

TEST(Sites, OneSiteCostsPowerTimesIntensity) {
  // An hour at 100 and one at 300 g/kWh, 2 kW; four minutes of 0.5 kW to make ready.
  const double g = CarbonIntensity(1.0 * gram_per_kilowatt_hour).base();
  TrainingSite one{"a", TraceCore(kStart, Duration::seconds(3600), {100 * g, 300 * g, 500 * g})};
  const auto r = train_at_sites({one}, task(1.5, 3), "single:a");
  EXPECT_TRUE(r.finished);
  EXPECT_NEAR(r.elapsed.in(minute), 94, 1e-9);
  EXPECT_NEAR(r.energy.in(kilowatt_hour), 3 + 0.5 * 4 / 60, 1e-9);
  EXPECT_NEAR(r.idle_energy.in(kilowatt_hour), 0.5 * 4 / 60, 1e-9);
  const double first = 2.0 * 56 / 60 + 0.5 * 4 / 60, second_hour = 2.0 * 34 / 60;
  EXPECT_NEAR(r.carbon.in(gram), 100 * first + 300 * second_hour, 1e-6);
  EXPECT_NEAR(carbon_bound({one}, task(1.5, 3)).carbon.in(gram), 2 * 100 + 1 * 300, 1e-6);
  EXPECT_FALSE(train_at_sites({one}, task(3, 3), "single:a").finished);
  EXPECT_FALSE(carbon_bound({one}, task(3.1, 3)).feasible);
}

TEST(Sites, CurtailedWaitsAndCheapestMoves) {
  const double g = CarbonIntensity(1.0 * gram_per_kilowatt_hour).base();
  const TrainingSite a{"a", TraceCore(kStart, Duration::seconds(3600), {50 * g, 400 * g, 400 * g})};
  const TrainingSite b{"b", TraceCore(kStart, Duration::seconds(3600), {300 * g, 300 * g, 50 * g})};
  const auto waits = train_at_sites({a, b}, task(1.5, 3), "curtailed");
  EXPECT_TRUE(waits.finished);
  EXPECT_EQ(waits.on[13], (std::vector<std::uint8_t>{0, 0}));
  EXPECT_NEAR(waits.below_threshold, 1, 1e-12);
  const auto moves = train_at_sites({a, b}, task(1.5, 3), "cheapest");
  EXPECT_EQ(moves.on[11], (std::vector<std::uint8_t>{2, 0}));
  EXPECT_EQ(moves.on[13], (std::vector<std::uint8_t>{0, 2}));
  EXPECT_EQ(moves.sites[0].starts, 1u);
}

/// No policy emits less than the bound of the work that it did, and joules add up.
RC_GTEST_PROP(Sites, NoPolicyIsBelowTheBound, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 4);
  std::vector<TrainingSite> sites;
  for (std::size_t s = 0; s < count; ++s) {
    sites.push_back(
        site("s" + std::to_string(s), *rc::gen::inRange<std::uint64_t>(0, 1000), 60, 100));
    sites.back().speed = *rc::gen::element(0.5, 1.0, 2.0);
    sites.back().provisioning = *rc::gen::element(0.0, 240.0, 900.0) * second;
  }
  SitesTask t = task(*rc::gen::inRange(1, 40), *rc::gen::inRange(2, 60));
  t.slot = *rc::gen::element(300.0, 900.0, 3600.0, 1234.0) * second;
  for (const std::string& policy : site_policies(sites)) {
    const SitesResult r = train_at_sites(sites, t, policy);
    SitesTask same = t;
    same.work = t.work - r.work_left;
    if (!(same.work > Time{})) continue;
    const SitesBound bound = carbon_bound(sites, same);
    RC_ASSERT(bound.feasible);
    RC_ASSERT(r.carbon.in(gram) >= bound.carbon.in(gram) * (1 - 1e-9) - 1e-9);
    double joules = 0, work = 0;
    for (std::size_t s = 0; s < count; ++s) {
      joules += r.sites[s].training.in(second)*sites[s].training_power.in(watt) +
                r.sites[s].idle.in(second)*sites[s].idle_power.in(watt);
      work += r.sites[s].training.in(second)*sites[s].speed;
    }
    RC_ASSERT(std::abs(joules - r.energy.in(joule)) <= 1e-9 * joules + 1e-9);
    RC_ASSERT(std::abs(work - same.work.in(second)) <= 1e-6 * work + 1e-6);
    RC_ASSERT(r.elapsed <= t.deadline + 1e-6 * second);
    RC_ASSERT(r.finished == !(r.work_left.in(second) > 0));
  }
}

/// The cheapest choice of whole slots by trying all of them.
RC_GTEST_PROP(Sites, BoundIsBelowEveryChoiceOfSlots, ()) {
  std::vector<TrainingSite> sites = {site("a", *rc::gen::inRange<std::uint64_t>(0, 99), 6),
                                     site("b", *rc::gen::inRange<std::uint64_t>(0, 99), 6)};
  SitesTask t = task(*rc::gen::inRange(1, 6), 5);
  t.slot = 1.0 * hour;
  const double bound = carbon_bound(sites, t).carbon.in(gram);
  double best = 1e300;
  for (unsigned chosen = 0; chosen < 1024; ++chosen) {
    double hours = 0, grams = 0;
    for (unsigned i = 0; i < 10; ++i) {
      if ((chosen >> i & 1u) == 0) continue;
      const TrainingSite& s = sites[i % 2];
      const Instant at = kStart + Duration::seconds(3600LL * (i / 2));
      hours += 1;
      grams += s.carbon.at(at) * s.training_power.in(watt)*3600;
    }
    if (hours >= t.work.in(hour)) best = std::min(best, grams);
  }
  RC_ASSERT(std::abs(bound - best) <= 1e-9 * best);
}

/// Neither the trace after now nor the other policies' doings may be seen.
TEST(Sites, NoneSeesTheFuture) {
  for (const char* policy : {"carnot", "curtailed", "cheapest"}) {
    std::vector<TrainingSite> sites = {site("a", 4, 48, 200), site("b", 7, 48, 200)};
    const SitesTask t = task(14, 40);
    const SitesResult before = train_at_sites(sites, t, policy);
    const std::size_t now = 12 * 10;  // slots of five minutes: ten hours in
    for (TrainingSite& s : sites) {
      std::vector<double> mean(s.carbon.mean().begin(), s.carbon.mean().end());
      for (std::size_t h = 200 + 10; h < mean.size(); ++h)
        mean[h] = mean[mean.size() - 1 - h % 30] * 1.7;
      s.carbon = TraceCore(s.carbon.begin(), Duration::seconds(3600), mean);
    }
    const SitesResult after = train_at_sites(sites, t, policy);
    for (std::size_t slot = 0; slot < std::min({now, before.on.size(), after.on.size()}); ++slot)
      ASSERT_EQ(before.on[slot], after.on[slot]) << policy << " slot " << slot;
  }
}

TEST(Sites, CarnotIsInTimeWhereTheWholeTimeIsNeeded) {
  // 100 worlds with 2 % to spare when all sites train all the time: never late.
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<TrainingSite> sites = {site("a", seed, 30), site("b", seed + 1, 30)};
    const SitesTask t = task(2 * 20 * 0.98 - 0.2, 20);
    EXPECT_TRUE(train_at_sites(sites, t, "carnot").finished) << seed;
    // Without history and with all the time there is, it emits less than training at once.
    const SitesTask loose = task(8, 28);
    const auto carnot = train_at_sites(sites, loose, "carnot");
    EXPECT_TRUE(carnot.finished) << seed;
  }
}

TEST(SiteLevels, SeeTheDayAndTodaysDifference) {
  // 10 in the first half of each day, 50 in the second; ten days.
  std::vector<double> mean;
  for (int h = 0; h < 240; ++h) mean.push_back(h % 24 < 12 ? 10 : 50);
  const TraceCore trace(kStart - Duration::seconds(240 * 3600), Duration::seconds(3600), mean);
  const SiteLevels levels(trace, kStart);
  EXPECT_EQ(levels.after(24, 0), 10);
  EXPECT_EQ(levels.after(24, 15), 50);
  EXPECT_EQ(levels.after(24, 27), 10);  // not seen yet: the day before
  EXPECT_EQ(levels.after(48, 40), 50);
  const auto level = [&](double now, double ahead, double work) {
    return work_level({levels}, {{now, 1, 0, 0}}, 300, ahead, work, 0);
  };
  // No time to spare: no level. Twelve low hours ahead: two hours of work need no other; fifteen
  // do.
  EXPECT_TRUE(std::isinf(level(50, 3300, 3600)));
  EXPECT_NEAR(level(10, 86100, 7200), 10, 1e-9);
  EXPECT_NEAR(level(10, 86100, 15 * 3600), 50, 1e-9);
}

TEST(SiteLevels, ScarceScenariosCountByTheirPrice) {
  // Each day begins at 150; then it is clean till night, or it is not, by turns. An hour more of
  // work costs 20 or 400 if it is left, 210 on the average: 150 now is cheap.
  std::vector<double> mean;
  for (int h = 0; h < 480; ++h) mean.push_back(h % 24 == 0 ? 150 : h / 24 % 2 == 0 ? 20 : 400);
  const TraceCore trace(kStart - Duration::seconds(480 * 3600), Duration::seconds(3600), mean);
  const double level =
      work_level({SiteLevels(trace, kStart)}, {{150, 1, 0, 0}}, 300, 20 * 3600, 5 * 3600, 0);
  EXPECT_NEAR(level, 0.5 * (20 + 400), 1e-9);
}

TEST(SiteLevels, WithoutHistoryTheSameDrawsGiveTheSameLevel) {
  const TraceCore trace(kStart, Duration::seconds(3600), {10, 50, 10});
  SiteLevels levels(trace, kStart);
  levels.observe(3600, 10);
  levels.observe(3600, 50);
  const auto level = [&](std::uint64_t draw) {
    return work_level({levels}, {{30, 1, 0, 0}}, 300, 36000, 18000, draw);
  };
  EXPECT_EQ(level(3), level(3));
  EXPECT_GE(level(3), 10);
  EXPECT_LE(level(3), 50);
}

/// Two states that change seldom and nothing seen before the start: never late, and far less than
/// training at once, though dearer than a rule to which the threshold was told where that is in
/// time.
TEST(Sites, CarnotWithoutHistoryIsInTime) {
  Carbon carnot, bound, all;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::vector<TrainingSite> sites = {site("a", 3 * seed, 20), site("b", 3 * seed + 1, 20),
                                             site("c", 3 * seed + 2, 20)};
    const SitesTask t = task(17.8, 14.6);
    const auto mine = train_at_sites(sites, t, "carnot");
    EXPECT_TRUE(mine.finished) << seed;
    carnot += mine.carbon;
    bound += carbon_bound(sites, t).carbon;
    all += train_at_sites(sites, t, "all").carbon;
  }
  EXPECT_LT(carnot / bound, 1.8);
  EXPECT_LT(carnot / all, 0.7);
  RecordProperty("over_bound", std::to_string(carnot / bound));
  RecordProperty("over_all", std::to_string(carnot / all));
}

RC_GTEST_PROP(AddedWork, SumsToWorkTogetherCheapestFirst, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 6);
  const double parallel = 0.1 * *rc::gen::inRange(1, 11);
  std::vector<LevelSite> sites;
  std::vector<double> intensity;
  for (std::size_t s = 0; s < n; ++s) {
    LevelSite site;
    site.power = 1.0 + *rc::gen::inRange(0, 5);
    sites.push_back(site);
    intensity.push_back(1.0 + *rc::gen::inRange(0, 50));
  }
  const auto parts = added_work(sites, intensity, parallel);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += parts[i].rate;
    RC_ASSERT(std::abs(sum - std::pow(static_cast<double>(i + 1), parallel)) < 1e-9);
    RC_ASSERT(std::abs(parts[i].price * parts[i].rate -
                       intensity[parts[i].site] * sites[parts[i].site].power) < 1e-9);
    if (i > 0 && parallel < 1) RC_ASSERT(parts[i].price >= parts[i - 1].price - 1e-9);
  }
}

// Where a second site hardly helps and there is time, no more is spent than one site would; where
// time is short, all are called and the work is done.
TEST(Sites, ASecondSiteIsCalledWhereItIsWorthIt) {
  const TraceCore flat(kStart, Duration::seconds(3600), std::vector<double>(40, 1e-4));
  const std::vector<TrainingSite> sites = {{"a", flat}, {"b", flat}};
  SitesTask t = task(10, 40);
  t.parallel = 0.4;
  const auto one = train_at_sites({sites[0]}, t, "carnot");
  const auto two = train_at_sites(sites, t, "carnot");
  ASSERT_TRUE(one.finished && two.finished);
  EXPECT_LT(two.energy / one.energy, 1.05);
  t.parallel = 1.0;
  EXPECT_LT(train_at_sites(sites, t, "carnot").elapsed, two.elapsed);
  t = task(10, 9);
  t.parallel = 0.4;
  EXPECT_FALSE(train_at_sites({sites[0]}, t, "carnot").finished);
  EXPECT_TRUE(train_at_sites(sites, t, "carnot").finished);
}

// A site that draws twice the power for the same work costs twice as much an hour.
TEST(Sites, PricesCountPowerAndSpeed) {
  std::vector<TrainingSite> sites = {site("a", 5, 40), site("b", 5, 40)};
  sites[1].training_power = 2.0 * sites[0].training_power;
  const auto r = train_at_sites(sites, task(10, 30), "carnot");
  ASSERT_TRUE(r.finished);
  EXPECT_LT(r.sites[1].training, 0.5 * r.sites[0].training);
}

TEST(Sites, BadInputIsNamed) {
  const std::vector<TrainingSite> sites = {site("a", 1, 10)};
  const auto thrown = [&](const std::vector<TrainingSite>& s, const SitesTask& t,
                          const std::string& policy) -> std::string {
    try {
      train_at_sites(s, t, policy);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(thrown(sites, task(1, 5), "curtaild"), HasSubstr("did you mean `curtailed`?"));
  EXPECT_THAT(thrown(sites, task(1, 50), "all"), HasSubstr("a: values from 2023-03-01"));
  EXPECT_THAT(thrown({}, task(1, 5), "all"), HasSubstr("site: one or more"));
  EXPECT_THAT(thrown({sites[0], sites[0]}, task(1, 5), "all"), HasSubstr("distinct names"));
  EXPECT_THAT(thrown(sites, task(0, 5), "all"), HasSubstr("work: above 0 s"));
}

}  // namespace
}  // namespace carnot::live
