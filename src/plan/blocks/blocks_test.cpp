// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/blocks/blocks.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/plan/problem/plan_file.hpp"

#include "base/testing_files.hpp"
#include "base/testing_stop.hpp"
#include "plan/blocks/block_search.hpp"
#include "plan/blocks/job_blocks.hpp"
#include "plan/blocks/testing_ranks.hpp"

namespace carnot::plan {
namespace {

namespace fs = std::filesystem;

/// What planning on so many ranks leaves: the same on each of them.
struct Outcome {
  std::vector<double> price;
  PlanTotals totals;
  std::string rows, status, error;
  std::vector<std::size_t> held;  // [rank] jobs
};

Outcome plan_on(int ranks, const std::string& problem, const BlockOptions& options,
                const std::string& out) {
  Outcome outcome;
  outcome.held.resize(static_cast<std::size_t>(ranks));
  std::vector<Plan> plans(static_cast<std::size_t>(ranks));
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  ThreadRanks(ranks).run([&](Ranks& of) {
    const auto r = static_cast<std::size_t>(of.rank());
    try {
      JobBlocks blocks(problem, of, options);
      outcome.held[r] = blocks.own_jobs();
      plans[r] = plan_blocks(blocks, of, options);
      write_assignments(blocks, of, out);
    } catch (const std::exception& error) {
      errors[r] = error.what();
    }
  });
  for (const Plan& plan : plans) {
    EXPECT_EQ(plan.price, plans.front().price);
    EXPECT_EQ(plan.objective_eur, plans.front().objective_eur);
    EXPECT_EQ(plan.bound_eur, plans.front().bound_eur);
    EXPECT_EQ(plan.status, plans.front().status);
  }
  outcome.price = plans.front().price;
  outcome.totals = plans.front().totals;
  outcome.status = plans.front().status;
  outcome.error = errors.front();
  if (outcome.error.empty()) outcome.rows = read_file(out);
  return outcome;
}

std::string generated(const fs::path& folder, std::int64_t jobs, std::int64_t sites,
                      std::int64_t slots, std::uint64_t seed) {
  GenerateOptions o;
  o.jobs = jobs, o.sites = sites, o.slots = slots, o.seed = seed;
  write_problem(generate_problem(o), folder.string());
  return (folder / "problem.json").string();
}

RC_GTEST_PROP(WindowBlocks, KeepWindowsWholeInOrderAndAlike, ()) {
  const auto slots = *rc::gen::inRange(1, 60);
  const auto target = *rc::gen::inRange<std::size_t>(1, 40);
  WindowBlocks windows(slots);
  std::map<std::pair<int, int>, std::size_t> counted;
  for (int n = *rc::gen::inRange(1, 300); n > 0; --n) {
    const int release = *rc::gen::inRange(0, slots);
    const int deadline = *rc::gen::inRange(release + 1, slots + 1);
    windows.count(release, deadline);
    ++counted[{release, deadline}];
  }
  windows.cut(target);
  std::vector<std::size_t> jobs(windows.blocks());
  std::size_t before = 0, greatest = 0, all = 0;
  for (const auto& [window, n] : counted) {
    const std::size_t block = windows.block_of(window.first, window.second);
    RC_ASSERT(block >= before);
    before = block;
    jobs[block] += n;
    greatest = std::max(greatest, n);
    all += n;
  }
  RC_ASSERT(windows.jobs() == all);
  for (std::size_t b = 0; b < jobs.size(); ++b) {
    RC_ASSERT(jobs[b] == windows.jobs_of(b));
    RC_ASSERT(jobs[b] > 0);
    RC_ASSERT(jobs[b] <= 2 * target + greatest);
  }
}

TEST(WindowBlocks, ManySlotsTakeLittleMemory) {
  WindowBlocks windows(100'000);
  for (int t = 0; t < 100'000; t += 10) windows.count(t, 100'000);
  windows.cut(1'000);
  EXPECT_EQ(windows.jobs(), 10'000);
  EXPECT_EQ(windows.blocks(), 10);
  EXPECT_EQ(windows.block_of(0, 100'000), 0);
  EXPECT_EQ(windows.block_of(99'990, 100'000), 9);
}

TEST(PowerUnits, SumsFitAndSmallOnesAreFine) {
  EXPECT_DOUBLE_EQ(PowerUnits(10).unit(), std::ldexp(1.0, -32));
  EXPECT_DOUBLE_EQ(PowerUnits(0).unit(), std::ldexp(1.0, -32));
  for (const double kw : {1e9, 3.7e11, 1e15}) EXPECT_GT(PowerUnits(kw).whole(kw), 1LL << 59);
}

/// Whatever blocks do with what they have and were handed, all of it fits, and what a block is
/// told that more costs is what more costs.
RC_GTEST_PROP(BlockShares, FitTogetherAtTrueCosts, ()) {
  const auto real = [](double from, double to) {
    return from + (to - from) * *rc::gen::inRange(0, 1'000'000) / 1e6;
  };
  Supply all;
  all.most = real(0.1, 1000);
  all.first = real(0, all.most);
  all.first_price = real(-1, 1);
  all.second_price = all.first_price + real(0, 1);
  std::vector<double> own(*rc::gen::inRange<std::size_t>(1, 8));
  double sum = 0;
  for (double& x : own) sum += x = real(0, 1);
  const double filled = real(0, 1) * all.most / std::max(sum, 1e-9);
  sum = 0;
  for (double& x : own) sum += x *= filled;
  const std::size_t holder = *rc::gen::inRange<std::size_t>(0, own.size());
  double together = 0;
  for (std::size_t b = 0; b < own.size(); ++b) {
    const double others = sum - own[b];
    const Supply mine = above(all, others, own[b], b == holder);
    RC_ASSERT(mine.most >= own[b]);
    together += mine.most;
    const double x = real(0, 1) * mine.most;
    RC_ASSERT(std::abs(mine.cost(x) - (all.cost(others + x) - all.cost(others))) <=
              1e-9 * (1 + all.most));
  }
  RC_ASSERT(together <= all.most * (1 + 1e-10));
}

class PlanBlocks : public ::testing::Test {
 protected:
  TemporaryFolder made_;
  fs::path folder_ = made_.path();
  std::string out(int n) const { return (folder_ / fmt::format("plan{}.csv", n)).string(); }
};

TEST_F(PlanBlocks, AnyNumberOfRanksAndThreadsIsTheSamePlanAndItHolds) {
  const std::string path = generated(folder_, 1'500, 5, 48, 3);
  BlockOptions options;
  options.block_jobs = 300;
  options.iterations = 120;
  options.threads = 1;
  const Outcome one = plan_on(1, path, options, out(1));
  ASSERT_EQ(one.error, "");
  EXPECT_EQ(one.held, std::vector<std::size_t>{1'500});
  for (const int ranks : {2, 3, 4, 7}) {
    options.threads = ranks % 2 + 1;
    const Outcome other = plan_on(ranks, path, options, out(ranks));
    ASSERT_EQ(other.error, "");
    EXPECT_EQ(other.rows, one.rows) << ranks;
    EXPECT_EQ(other.price, one.price) << ranks;
    EXPECT_EQ(other.totals.objective_eur, one.totals.objective_eur);
    EXPECT_EQ(other.totals.bound_eur, one.totals.bound_eur);
    std::size_t held = 0;
    for (const std::size_t n : other.held) {
      held += n;
      EXPECT_LT(n, 1'000);  // nobody holds them all
    }
    EXPECT_EQ(held, 1'500);
  }

  // The check knows nothing of blocks.
  Plan plan;
  plan.price = one.price;
  plan.solver = "blocks";
  PlanNotes notes;
  notes.problem = path;
  notes.assignments = out(1);
  write_file(folder_ / "plan.json", plan_json(plan, one.totals, read_problem(path), notes));
  const Certificate check = check_plan((folder_ / "plan.json").string());
  EXPECT_TRUE(check.holds()) << check.violations.front();

  // Beside the planner of one process.
  PlannerOptions quick;
  quick.rounds = 2'000;
  const Plan whole = plan_large(read_problem(path), quick);
  EXPECT_LE(one.totals.bound_eur, whole.objective_eur);
  EXPECT_NEAR(one.totals.bound_eur, whole.bound_eur, 0.01 * whole.objective_eur);
  EXPECT_LT(one.totals.objective_eur, 1.02 * whole.objective_eur);
}

TEST_F(PlanBlocks, JobsOfTheProblemsOwnFile) {
  const std::string path = generated(folder_, 400, 3, 24, 5);
  const Problem problem = read_problem(path);
  const std::string csv = read_file(folder_ / "jobs.csv");
  BlockOptions options;
  options.block_jobs = 100;
  options.iterations = 60;
  const Outcome from_csv = plan_on(2, path, options, out(1));
  // The same jobs as a list.
  std::string text = read_file(path), list;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    std::string modes, moves;
    for (std::size_t i = problem.jobs.mode_begin(j); i < problem.jobs.mode_end(j); ++i)
      modes += fmt::format(R"({}{{"slots": {}, "power_kw": {}, "quality_cost_eur": {}}})",
                           modes.empty() ? "" : ", ", problem.jobs.mode(i).slots,
                           problem.jobs.mode(i).power_kw, problem.jobs.mode(i).quality_eur);
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s)
      moves += fmt::format("{}{}", s == 0 ? "" : ", ", problem.jobs.move_eur(j, s));
    list += fmt::format(R"({}{{"id": "{}", "release": {}, "deadline": {}, "value_eur": {}, )"
                        R"("move_cost_eur": [{}], "modes": [{}]}})",
                        list.empty() ? "" : ",\n", problem.jobs.id(j), problem.jobs.release(j),
                        problem.jobs.deadline(j), problem.jobs.value(j), moves, modes);
  }
  text.replace(text.find("\"jobs.csv\""), 10, "[" + list + "]");
  write_file(folder_ / "inside.json", text);
  const Outcome inside = plan_on(3, (folder_ / "inside.json").string(), options, out(2));
  ASSERT_EQ(inside.error, "");
  EXPECT_NEAR(inside.totals.objective_eur, from_csv.totals.objective_eur,
              0.01 * from_csv.totals.objective_eur);
  EXPECT_NEAR(inside.totals.bound_eur, from_csv.totals.bound_eur, 0.01 * from_csv.totals.bound_eur);
}

TEST_F(PlanBlocks, MoreRanksThanBlocksAndNoJobs) {
  BlockOptions options;
  options.iterations = 40;
  const std::string few = generated(folder_ / "few", 20, 2, 24, 1);
  const Outcome outcome = plan_on(4, few, options, out(1));
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.rows, plan_on(1, few, options, out(2)).rows);
  EXPECT_EQ(outcome.totals.dropped, 0);
  const Outcome none = plan_on(2, generated(folder_ / "none", 0, 2, 24, 1), options, out(3));
  ASSERT_EQ(none.error, "");
  EXPECT_EQ(none.rows, "id,site,mode,slots\n");
  EXPECT_EQ(none.totals.objective_eur, 0);
}

TEST_F(PlanBlocks, WrongRowsAreNamedWhoeverHoldsThem) {
  const std::string path = generated(folder_, 200, 3, 24, 2);
  std::string csv = read_file(folder_ / "jobs.csv");
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < csv.size();) {
    const std::size_t end = csv.find('\n', at);
    lines.push_back(csv.substr(at, end - at));
    at = end + 1;
  }
  const auto save = [&](std::vector<std::string> rows) {
    std::string text;
    for (const std::string& row : rows) text += row + "\n";
    write_file(folder_ / "jobs.csv", text);
  };
  BlockOptions options;
  options.block_jobs = 20;
  options.iterations = 30;
  std::vector<std::string> wrong = lines;
  wrong[10] += ",7";                                                // one cell too many
  wrong[60] = "x" + wrong[60].substr(wrong[60].find(','));          // fine
  wrong[61].replace(wrong[61].find(','), 1, ",noon");               // no release
  wrong[150] = "late,20,19" + std::string(wrong[150].size(), ' ');  // ends before it begins
  save(wrong);
  std::string sequential;
  try {
    read_problem(path);
  } catch (const InputError& error) {
    sequential = error.what();
  }
  const Outcome outcome = plan_on(3, path, options, out(1));
  for (const char* line : {":11:", ":62:", ":151:"}) {
    EXPECT_NE(sequential.find(line), std::string::npos) << sequential;
    EXPECT_NE(outcome.error.find(line), std::string::npos) << outcome.error;
  }

  wrong = lines;
  wrong[190] = wrong[7].substr(0, wrong[7].find(',')) + wrong[190].substr(wrong[190].find(','));
  save(wrong);
  for (const int ranks : {1, 2, 5}) {
    const Outcome twice = plan_on(ranks, path, options, out(1));
    EXPECT_NE(twice.error.find("jobs.csv:191: id: it stands in line 8 already"), std::string::npos)
        << twice.error;
  }
}

TEST_F(PlanBlocks, WhatIsBeyondTheContractIsRefusedOnEveryRank) {
  const std::string path = generated(folder_, 30, 2, 24, 2);
  std::string text = read_file(path);
  text.insert(text.find("\"jobs\""), "\"goals\": {\"carbon_cap_g\": 1e9},\n");
  write_file(path, text);
  const Outcome outcome = plan_on(2, path, {}, out(1));
  EXPECT_NE(outcome.error.find("of the contract alone"), std::string::npos) << outcome.error;
}

TEST_F(PlanBlocks, ARankThatIsToldToStopStopsAllWithACertifiedPlan) {
  const std::string path = generated(folder_, 600, 3, 48, 4);
  for (const int turns : {1, 5, 40, 130, 170}) {
    std::vector<Plan> plans(3);
    ThreadRanks(3).run([&](Ranks& of) {
      BlockOptions options;
      options.block_jobs = 100;
      options.iterations = 100;
      int asked = 0;
      if (of.rank() == 1)
        options.progress = [&asked, turns](const PlanProgress&) { return ++asked < turns; };
      JobBlocks blocks(path, of, options);
      plans[static_cast<std::size_t>(of.rank())] = plan_blocks(blocks, of, options);
    });
    for (const Plan& plan : plans) {
      EXPECT_EQ(plan.objective_eur, plans[0].objective_eur) << turns;
      EXPECT_LE(plan.bound_eur, plan.objective_eur + 1e-9) << turns;
      EXPECT_EQ(plan.status, turns > 110 ? "" : "stopped") << turns;
    }
  }
}

}  // namespace
}  // namespace carnot::plan
