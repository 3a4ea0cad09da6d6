// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/certificate/certificate.hpp"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/plan/problem/plan_file.hpp"
#include "carnot/plan/search/planner.hpp"

#include "base/testing_stop.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::cell_cost;
using ::testing::HasSubstr;
using testing::small_problem;

/// The bound from its formula alone: every job, site, mode and slot anew, every cell on a fine
/// grid.
double plain_bound(const Problem& problem, const std::vector<double>& price) {
  const PlanJobs& jobs = problem.jobs;
  const auto slots = static_cast<std::size_t>(problem.slots);
  const double h = problem.slot_s / 3600;
  double bound = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    double least = jobs.value(j);
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
      const auto* allowed = jobs.sites(j);
      if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), s) == allowed->end())
        continue;
      for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
        const double kw = jobs.mode(i).power_kw;
        const PlanSite& site = problem.sites[s];
        std::vector<double> window;  // of slots in which the site could feed it alone
        for (auto t = static_cast<std::size_t>(jobs.release(j));
             t < static_cast<std::size_t>(jobs.deadline(j)); ++t)
          if (kw <= site.capacity_kw[t] &&
              kw * site.pue[t] <= site.free_kw[t] + site.grid_limit_kw[t])
            window.push_back(price[s * slots + t]);
        if (std::ssize(window) < jobs.mode(i).slots) continue;
        std::sort(window.begin(), window.end());
        double sum = 0;
        for (std::int32_t k = 0; k < jobs.mode(i).slots; ++k)
          sum += window[static_cast<std::size_t>(k)];
        least = std::min(least, jobs.mode(i).quality_eur + jobs.move_eur(j, s) +
                                    jobs.mode(i).power_kw * h * sum);
      }
    }
    bound += least;
  }
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < slots; ++t) {
      const PlanSite& site = problem.sites[s];
      const double most =
          std::min(site.capacity_kw[t], (site.free_kw[t] + site.grid_limit_kw[t]) / site.pue[t]);
      double least = 0;
      for (int i = 0; i <= 4000; ++i) {
        const double it = most * i / 4000 * (1 - 1e-12);
        least = std::min(least, cell_cost(problem, s, t, it) - price[s * slots + t] * it * h);
      }
      bound += least;
    }
  return bound;
}

Plan planned(const Problem& problem) {
  PlannerOptions options;
  options.threads = 1;
  options.iterations = 100;
  options.rounds = 50;
  return plan_large(problem, options);
}

/// A plan that has a job with at least two slots, in mode and site known.
std::size_t job_that_runs(const Problem& problem, const Plan& plan) {
  for (std::size_t j = 0; j < plan.jobs.size(); ++j)
    if (plan.jobs[j].site != kNone && plan.jobs[j].slots.size() >= 2 &&
        problem.jobs.deadline(j) < problem.slots)
      return j;
  ADD_FAILURE() << "no such job";
  return 0;
}

TEST(Certificate, TheBoundIsTheFormulas) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = small_problem(seed, 12, 3, 8);
    const RandomStream random(seed, "prices");
    Plan plan = planned(problem);
    plan.packing.clear();  // prices of energy alone
    for (std::size_t i = 0; i < plan.price.size(); ++i) plan.price[i] = 0.3 * random.uniform(i);
    const Certificate c = certify(problem, plan);
    const double plain = plain_bound(problem, plan.price);
    // The grid of the oracle is coarse: it may miss the least by a little, never undercut it.
    EXPECT_LE(c.totals.bound_eur, plain + 1e-9);
    EXPECT_NEAR(c.totals.bound_eur, plain, 2e-3 * (1 + std::abs(plain))) << seed;
  }
}

TEST(Certificate, ManyJobsOnSeveralThreadsAddUpToTheSame) {
  Problem problem = testing::generated(130'000, 2, 12);
  for (PlanSite& site : problem.sites) {  // sites would be paid less than they pay
    site.free_kw.assign(12, 0.0);
    site.price_eur_per_kwh.assign(12, 1.0);
  }
  const RandomStream random(1, "prices");
  Plan plan;
  plan.jobs.resize(problem.jobs.size());  // all dropped
  for (std::size_t i = 0; i < 24; ++i) plan.price.push_back(0.3 * random.uniform(i));
  const double bound = certify(problem, plan).totals.bound_eur;
  const double plain = plain_bound(problem, plan.price);
  EXPECT_GT(plain, 0.0);
  EXPECT_NEAR(bound, plain, 1e-9 * plain);
  EXPECT_EQ(certify(problem, plan).totals.bound_eur, bound);
  carnot::testing::CountedStop stop(135);  // once the jobs' windows are sorted
  EXPECT_THROW(certify(problem, plan, stop.token()), Stopped);
}

TEST(Certificate, TheObjectiveIsTheCostOfEveryCellAndJob) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = small_problem(seed, 15, 3, 10, seed % 2 == 0 ? 0.5 : 1.0);
    const Plan plan = planned(problem);
    const auto slots = static_cast<std::size_t>(problem.slots);
    std::vector<double> load(problem.sites.size() * slots);
    double cost = 0;
    std::size_t dropped = 0;
    for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
      const Assignment& a = plan.jobs[j];
      if (a.site == kNone) {
        ++dropped;
        cost += problem.jobs.value(j);
        continue;
      }
      const PlanMode& mode = problem.jobs.mode(problem.jobs.mode_begin(j) + a.mode);
      cost += mode.quality_eur + problem.jobs.move_eur(j, a.site);
      for (const std::int32_t t : a.slots)
        load[a.site * slots + static_cast<std::size_t>(t)] += mode.power_kw;
    }
    for (std::size_t i = 0; i < load.size(); ++i)
      cost += cell_cost(problem, i / slots, i % slots, load[i] * (1 - 1e-12));
    const Certificate c = certify(problem, plan);
    EXPECT_TRUE(c.holds());
    EXPECT_NEAR(c.totals.objective_eur, cost, 1e-8 * (1 + std::abs(cost))) << seed;
    EXPECT_EQ(c.totals.dropped, dropped);
    EXPECT_NEAR(c.totals.energy_j, c.totals.free_energy_j + c.totals.grid_energy_j,
                1e-9 * c.totals.energy_j);
  }
}

TEST(Certificate, FindsEveryKindOfViolation) {
  const Problem problem = small_problem(11, 30, 3, 16, 3.0);
  const Plan good = planned(problem);
  ASSERT_TRUE(certify(problem, good).holds());
  const std::size_t j = job_that_runs(problem, good);
  const struct {
    const char* words;
    std::function<void(Plan&)> spoil;
  } kinds[] = {
      {"no site", [&](Plan& p) { p.jobs[j].site = 3; }},
      {"no mode", [&](Plan& p) { p.jobs[j].mode = 9; }},
      {"needs", [&](Plan& p) { p.jobs[j].slots.pop_back(); }},
      {"twice", [&](Plan& p) { p.jobs[j].slots[1] = p.jobs[j].slots[0]; }},
      {"outside", [&](Plan& p) { p.jobs[j].slots.back() = problem.jobs.deadline(j); }},
      {"outside", [&](Plan& p) { p.jobs[j].slots.back() = -1; }},
      {"outside", [&](Plan& p) { p.jobs[j].slots.back() = 1'000'000; }},
      {"dropped, yet", [&](Plan& p) { p.jobs[j].site = kNone; }},
      {"jobs, the problem", [&](Plan& p) { p.jobs.pop_back(); }},
      {"prices, not", [&](Plan& p) { p.price.pop_back(); }},
      {"price 2", [&](Plan& p) { p.price[2] = -2e12; }},
      {"price 2", [&](Plan& p) { p.price[2] = std::nan(""); }},
  };
  for (const auto& [words, spoil] : kinds) {
    Plan bad = good;
    spoil(bad);
    const Certificate c = certify(problem, bad);
    ASSERT_FALSE(c.holds()) << words;
    EXPECT_THAT(c.violations, ::testing::Contains(HasSubstr(words)));
  }
}

TEST(Certificate, FindsLoadsAboveCapacityAndAboveThePowerThereIs) {
  Problem problem = small_problem(12, 30, 2, 16, 3.0);
  for (PlanSite& site : problem.sites)
    for (double& kw : site.grid_limit_kw) kw = 1e6;
  const Plan plan = planned(problem);
  const std::size_t j = job_that_runs(problem, plan);
  const auto t = static_cast<std::size_t>(plan.jobs[j].slots[0]);
  const std::uint32_t s = plan.jobs[j].site;
  Problem tight = problem;
  tight.sites[s].capacity_kw[t] = 0.5;
  EXPECT_THAT(certify(tight, plan).violations, ::testing::ElementsAre(HasSubstr("capacity 0.5")));
  tight = problem;
  tight.sites[s].grid_limit_kw[t] = tight.sites[s].free_kw[t] = 0;
  EXPECT_THAT(certify(tight, plan).violations, ::testing::ElementsAre(HasSubstr("grid 0 kW")));
  // A job at a site that it may not use.
  Problem barred = problem;
  barred.jobs = {};
  for (std::size_t i = 0; i < problem.jobs.size(); ++i) {
    std::vector<PlanMode> modes;
    for (std::size_t m = problem.jobs.mode_begin(i); m < problem.jobs.mode_end(i); ++m)
      modes.push_back(problem.jobs.mode(m));
    barred.jobs.add(problem.jobs.id(i), problem.jobs.release(i), problem.jobs.deadline(i), 1.0,
                    modes, kNone, 0.0,
                    i == j ? std::vector<std::uint32_t>{1 - s} : std::vector<std::uint32_t>{});
  }
  EXPECT_THAT(certify(barred, plan).violations, ::testing::ElementsAre(HasSubstr("not allowed")));
}

TEST(Certificate, NoPricesProveMoreThanThePlanCosts) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = small_problem(seed, 6, 2, 6, 0.7);
    const RandomStream random(seed, "prices");
    Plan plan = planned(problem);
    for (std::size_t i = 0; i < plan.price.size(); ++i)
      plan.price[i] = std::exp(4 * random.normal(i)) * 0.1;
    const PlanTotals totals = certify(problem, plan).totals;
    EXPECT_LE(totals.bound_eur, totals.objective_eur) << seed;
  }
}

class PlanFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    problem_ = small_problem(21, 20, 3, 12);
    write_problem(problem_, folder_.string());
    plan_ = planned(problem_);
    PlanNotes notes;
    notes.command = "carnot plan";
    notes.problem = "problem.json";
    notes.assignments = "plan.csv";
    json_ =
        nlohmann::json::parse(plan_json(plan_, certify(problem_, plan_).totals, problem_, notes));
    rows_ = assignments_csv(plan_, problem_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Certificate check() {
    write_file(folder_ / "plan.json", json_.dump());
    write_file(folder_ / "plan.csv", rows_);
    return check_plan((folder_ / "plan.json").string());
  }

  std::filesystem::path folder_;
  Problem problem_;
  Plan plan_;
  nlohmann::json json_;
  std::string rows_;
};

TEST_F(PlanFiles, HoldAfterWritingAndReading) {
  const Certificate c = check();
  EXPECT_TRUE(c.holds()) << (c.violations.empty() ? "" : c.violations.front());
  EXPECT_EQ(c.totals.objective_eur, plan_.objective_eur);
  EXPECT_EQ(c.totals.bound_eur, plan_.bound_eur);
  for (const char* key : {"schema", "carnot", "seed", "started", "command", "objective_eur",
                          "bound_eur", "gap", "seconds", "solver", "dropped", "energy_j",
                          "free_energy_j", "grid_energy_j", "carbon_g", "prices", "assignments"})
    EXPECT_TRUE(json_.contains(key)) << key;
}

TEST_F(PlanFiles, AnyFalseFigureIsFound) {
  const nlohmann::json good = json_;
  for (const char* key : {"objective_eur", "bound_eur", "gap", "energy_j", "free_energy_j",
                          "grid_energy_j", "carbon_g"}) {
    json_ = good;
    json_[key] = good[key].get<double>() + 1e-6 * (1 + std::abs(good[key].get<double>()));
    EXPECT_THAT(check().violations, ::testing::Contains(HasSubstr(key)));
  }
  json_ = good;
  json_["dropped"] = good["dropped"].get<int>() + 1;
  EXPECT_THAT(check().violations, ::testing::ElementsAre(HasSubstr("dropped")));
}

TEST_F(PlanFiles, RowsMissingTwiceOrOfNoJobAreFound) {
  const std::string good = rows_;
  rows_ = good + "j0,0,0,1\n";
  EXPECT_THAT(check().violations, ::testing::Contains(HasSubstr("`j0` again")));
  rows_ = good + "who,0,0,1\n";
  EXPECT_THAT(check().violations, ::testing::Contains(HasSubstr("no job `who`")));
  rows_ = good.substr(0, good.rfind("j19,"));
  EXPECT_THAT(check().violations, ::testing::Contains(HasSubstr("j19: no line")));
}

TEST_F(PlanFiles, RowsThatAreNoneAreNamedByLine) {
  for (const char* row : {"j0", "j0,0,0", "j0,x,0,1", "j0,0,0,1;;2", "j0,,0,1", "j0,0,0,1.5",
                          "j0,-1,0,1", "j0,0,0,1,2"}) {
    const std::string good = rows_;
    rows_ += std::string(row) + "\n";
    try {
      check();
      ADD_FAILURE() << row;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("plan.csv:22: id,site,mode,slots")) << row;
    }
    rows_ = good;
  }
  json_.erase("bound_eur");
  EXPECT_THROW(check(), InputError);
}

}  // namespace
}  // namespace carnot::plan
