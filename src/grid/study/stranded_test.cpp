// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/stranded.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::grid {
namespace {

TEST(Stranded, FiguresByHand) {
  const Presence presence{0, 1, 1, 0, 1, 0, 0, 1, 1, 1};
  const PresenceFigures f = figures_of(presence, 0.5);
  EXPECT_DOUBLE_EQ(f.duty, 0.6);
  EXPECT_EQ(f.intervals, 3u);
  EXPECT_DOUBLE_EQ(f.mean_h, 1.0);
  EXPECT_DOUBLE_EQ(f.median_h, 1.0);
  EXPECT_DOUBLE_EQ(f.longest_h, 1.5);
  EXPECT_EQ(figures_of({0, 0}, 1.0).intervals, 0u);
  EXPECT_EQ(figures_of({0, 0}, 1.0).mean_h, 0.0);
  EXPECT_THROW(figures_of({}, 1.0), InputError);
  EXPECT_THROW(figures_of({1}, 0.0), InputError);
}

TEST(Stranded, ThresholdsAtAndBeyond) {
  const std::vector<double> prices{5.0, 0.0, -3.0, 2.0, 2.0, 9.0, 0.0};
  EXPECT_EQ(at_most(prices, 0.0), (Presence{0, 1, 1, 0, 0, 0, 1}));
  EXPECT_EQ(at_least(prices, 2.0), (Presence{1, 0, 0, 1, 1, 1, 0}));
  // From the second step: means 0, -1.5, -1/3, 1/4 (ends); then the last.
  EXPECT_EQ(mean_at_most(prices, 0.0), (Presence{0, 1, 1, 1, 0, 0, 1}));
}

RC_GTEST_PROP(Stranded, CheapAsAWholeHoldsAllThatIsCheapAtOnce, ()) {
  const auto prices = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(-9, 10), [](int p) { return double(p); }));
  const double threshold = *rc::gen::inRange(-3, 4);
  const Presence at_once = at_most(prices, threshold), whole = mean_at_most(prices, threshold);
  for (std::size_t t = 0; t < prices.size(); ++t) RC_ASSERT(whole[t] >= at_once[t]);
  // Each interval begins cheap and its mean, from its beginning to anywhere in it, is cheap.
  double sum = 0.0;
  int count = 0;
  for (std::size_t t = 0; t < prices.size(); ++t) {
    if (whole[t] == 0) {
      if (count > 0) RC_ASSERT((sum + prices[t]) / (count + 1) > threshold);
      sum = count = 0;
      continue;
    }
    sum += prices[t];
    RC_ASSERT(sum / ++count <= threshold);
  }
}

TEST(Stranded, UnionsAddWhatIsMissing) {
  const std::vector<Presence> sites{{1, 1, 1, 0, 0, 0}, {1, 1, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 0}};
  const PresenceUnion all = union_of(sites);
  EXPECT_EQ(all.sites, (std::vector<std::size_t>{0, 2, 1}));
  EXPECT_EQ(all.duty, (std::vector<double>{0.5, 5.0 / 6.0, 5.0 / 6.0}));
  EXPECT_TRUE(union_of({}).sites.empty());
  EXPECT_THROW(union_of({{1}, {1, 0}}), InputError);
}

// One node of each kind; the second machine is on in hours 1 and 2 of 4.
TEST(StrandedQueue, KillsAndWaitsByHand) {
  const std::vector<BatchJob> jobs{{0.0, 4.0, 1}, {0.0, 1.5, 1}, {0.0, 1.0, 1}};
  const Presence presence{0, 1, 1, 0};
  const QueueOutcome r = simulate_queue(jobs, 1, 1, presence, 1.0);
  // Job 1 runs on the base machine until 4. Job 2 starts at 1 on the other and ends at 2.5; job 3
  // starts there at 2.5, is killed at 3 and starts again at 4.
  EXPECT_EQ(r.jobs, 3u);
  EXPECT_EQ(r.killed, 1u);
  EXPECT_DOUBLE_EQ(r.mean_wait_h, (0.0 + 1.0 + 4.0) / 3.0);
  EXPECT_DOUBLE_EQ(r.lost_node_h, 0.5);
  EXPECT_DOUBLE_EQ(r.stranded_node_h, 1.5);
  const QueueOutcome alone = simulate_queue(jobs, 1, 0, presence, 1.0);
  EXPECT_DOUBLE_EQ(alone.mean_wait_h, (0.0 + 4.0 + 5.5) / 3.0);
  // A run that ends as the power does ends well.
  const QueueOutcome exact = simulate_queue({{0.0, 9.0, 1}, {0.0, 2.0, 1}}, 1, 1, presence, 1.0);
  EXPECT_EQ(exact.killed, 0u);
  EXPECT_DOUBLE_EQ(exact.mean_wait_h, 0.5);
}

TEST(StrandedQueue, WhatWasKilledWaitsForTheBaseMachine) {
  const std::vector<BatchJob> jobs{{0.0, 9.0, 1}, {0.0, 1.5, 1}, {0.0, 1.0, 1}};
  // As above, but power comes back at 4 while the base machine is busy until 9.
  const QueueOutcome r = simulate_queue(jobs, 1, 1, {0, 1, 1, 0, 1, 1}, 1.0);
  EXPECT_EQ(r.killed, 1u);
  EXPECT_DOUBLE_EQ(r.mean_wait_h, (0.0 + 1.0 + 9.0) / 3.0);
}

TEST(StrandedQueue, SmallJobsPassLargeOnesThatDoNotFit) {
  const std::vector<BatchJob> jobs{{0.0, 2.0, 1}, {0.0, 1.0, 2}, {0.0, 1.0, 1}};
  EXPECT_DOUBLE_EQ(simulate_queue(jobs, 2, 0, {0}, 1.0).mean_wait_h, 2.0 / 3.0);
}

TEST(StrandedQueue, RefusesJobsThatNeverFit) {
  EXPECT_THROW(simulate_queue({{0.0, 1.0, 3}}, 2, 9, {1}, 1.0), InputError);
  EXPECT_THROW(simulate_queue({{1.0, 1.0, 1}, {0.0, 1.0, 1}}, 2, 0, {1}, 1.0), InputError);
  EXPECT_THROW(random_jobs(4, 10.0, 0.5, 1), InputError);
}

RC_GTEST_PROP(StrandedQueue, EveryJobEndsOnceAndAlwaysOnNeverKills, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const std::vector<BatchJob> jobs = random_jobs(16, 200.0, 0.9, seed);
  Presence presence;
  for (const int on : *rc::gen::container<std::vector<int>>(200, rc::gen::inRange(0, 2)))
    presence.push_back(on != 0 ? 1 : 0);
  const QueueOutcome with = simulate_queue(jobs, 16, 16, presence, 1.0);
  RC_ASSERT(with.jobs == jobs.size());
  RC_ASSERT(with.mean_wait_h >= 0.0);
  RC_ASSERT(with.killed <= jobs.size());  // each at most once
  const QueueOutcome never = simulate_queue(jobs, 16, 16, Presence(200, 0), 1.0);
  const QueueOutcome alone = simulate_queue(jobs, 16, 0, presence, 1.0);
  RC_ASSERT(never.mean_wait_h == alone.mean_wait_h);
  RC_ASSERT(never.killed == 0u && never.stranded_node_h == 0.0);
  const QueueOutcome always = simulate_queue(jobs, 16, 16, Presence(1000, 1), 1.0);
  RC_ASSERT(always.killed == 0u);
}

TEST(StrandedQueue, RandomJobsAreWhatTheySay) {
  const std::vector<BatchJob> jobs = random_jobs(128, 20000.0, 0.9, 7);
  double node_h = 0.0, runtime = 0.0;
  for (const BatchJob& job : jobs) {
    node_h += job.runtime_h * static_cast<double>(job.nodes);
    runtime += job.runtime_h;
    EXPECT_LE(job.runtime_h, 48.0);
    EXPECT_LE(job.nodes, 16u);
  }
  // The limit of 48 h takes a little off the mean of 4 h.
  EXPECT_NEAR(runtime / static_cast<double>(jobs.size()), 3.85, 0.2);
  EXPECT_NEAR(node_h / (128.0 * 20000.0), 0.87, 0.05);
  EXPECT_TRUE(std::is_sorted(jobs.begin(), jobs.end(), [](const BatchJob& a, const BatchJob& b) {
    return a.arrival_h < b.arrival_h;
  }));
}

TEST(StrandedStudy, RulesOfWhatIsKnown) {
  StrandedSet set{"two", 2.0, {}};
  set.sites.push_back({"priced", {-1.0, 4.0, 9.0, 9.0}, {10.0, 20.0, 30.0, 40.0}, {}});
  set.sites.push_back({"both", {9.0, 9.0, 0.0, 9.0}, {}, {0.0, 0.0, 50.0, 30.0}});
  StrandedOptions options;
  options.nodes = 16;
  const StrandedTable table = study_stranded({set}, options);
  // Two prices, at once and on the whole, at two sites; curtailed power at one.
  ASSERT_EQ(table.rows.size(), 9u);
  EXPECT_EQ(table.rows[0].rule, "price <= 0");
  EXPECT_EQ(table.rows[0].site, "priced");
  EXPECT_DOUBLE_EQ(table.rows[0].figures.duty, 0.25);
  EXPECT_DOUBLE_EQ(table.rows[0].figures.mean_h, 2.0);
  EXPECT_DOUBLE_EQ(table.rows[0].mean_mw, 10.0);
  EXPECT_TRUE(std::isnan(table.rows[1].mean_mw));
  EXPECT_EQ(table.rows[6].rule, "mean price <= 5");
  EXPECT_DOUBLE_EQ(table.rows[6].figures.duty, 0.75);  // -1, 4, 9 have a mean of 4
  EXPECT_EQ(table.rows[8].rule, "curtailed >= 20 MW");
  EXPECT_DOUBLE_EQ(table.rows[8].mean_mw, 40.0);
  ASSERT_EQ(table.unions.size(), 4u);
  EXPECT_EQ(table.unions[0].duty, (std::vector<double>{0.25, 0.5}));
  ASSERT_EQ(table.references.size(), 1u);
  EXPECT_EQ(table.references[0].always.jobs, table.references[0].alone.jobs);
  for (const StrandedRow& row : table.rows)
    EXPECT_EQ(row.queue.jobs, table.references[0].alone.jobs);
  set.sites.push_back({"short", {1.0}, {}, {}});
  EXPECT_THROW(study_stranded({set}, options), InputError);
  EXPECT_THROW(study_stranded({{"none", 1.0, {{"site", {}, {1.0}, {}}}}}, options), InputError);
}

}  // namespace
}  // namespace carnot::grid
