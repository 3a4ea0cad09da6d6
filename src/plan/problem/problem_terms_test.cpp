// SPDX-License-Identifier: Apache-2.0
// Jobs with terms in files: problems and plans.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/problem/plan_file.hpp"

#include "plan/certificate/jobs.hpp"
#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/problem_read.hpp"
#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::problem_with_terms;

/// The same but for the number of parts that speeds are counted in.
void expect_same(const JobTerms& a, const JobTerms& b) {
  JobTerms same_speeds = a;
  same_speeds.speed_parts = b.speed_parts;
  same_speeds.levels = b.levels;
  EXPECT_EQ(same_speeds, b);
  const auto count = [](const JobTerms& of, std::size_t m) {
    return m < of.levels.size() ? of.levels[m].size() : 0;
  };
  for (std::size_t m = 0; m < std::max(a.levels.size(), b.levels.size()); ++m) {
    ASSERT_EQ(count(a, m), count(b, m));
    for (std::size_t l = 0; l < count(a, m); ++l) {
      EXPECT_EQ(a.levels[m][l].power_kw, b.levels[m][l].power_kw);
      EXPECT_EQ(a.levels[m][l].parts * b.speed_parts, b.levels[m][l].parts * a.speed_parts);
    }
  }
}

class TermsInFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Problem written_and_read(const Problem& problem) {
    write_problem(problem, folder_.string());
    return read_problem((folder_ / "problem.json").string());
  }
  std::filesystem::path folder_;
};

TEST_F(TermsInFiles, ComeBackTheSame) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Problem problem = problem_with_terms(seed, 5, 3, 8);
    const Problem read = written_and_read(problem);
    EXPECT_EQ(problem.network.egress_eur_per_gb, read.network.egress_eur_per_gb);
    EXPECT_EQ(problem.network.gb_per_s, read.network.gb_per_s);
    EXPECT_EQ(problem.network.kwh_per_gb, read.network.kwh_per_gb);
    for (std::uint32_t j = 0; j < 5; ++j) {
      const JobTerms* terms = read.terms_of(j);
      expect_same(problem.terms.at(j), terms == nullptr ? JobTerms() : *terms);
      EXPECT_EQ(problem.jobs.origin(j), read.jobs.origin(j));
      EXPECT_EQ(problem.jobs.move_eur(j, 0), read.jobs.move_eur(j, 0));
    }
  }
}

TEST_F(TermsInFiles, PlansHoldAndMixWithJobsOfTheContract) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Problem problem = problem_with_terms(seed, 4, 3, 8);
    problem.terms.erase(2);
    for (PlanSite& site : problem.sites) {
      site.capacity_kw.assign(8, 1e6);
      site.grid_limit_kw.assign(8, kInfinity);
    }
    write_problem(problem, folder_.string());
    Plan plan;
    for (const PlanSite& site : problem.sites)
      for (const double x : site.price_eur_per_kwh) plan.price.push_back(std::max(x, 0.0));
    for (std::uint32_t j = 0; j < 4; ++j) {
      JobPrices prices;
      prices.energy = plan.price;
      const JobRun run = cheapest(problem, j, prices);
      plan.jobs.push_back(run.assignment);
      if (!run.schedule.sites.empty() || !run.schedule.levels.empty())
        plan.schedules[j] = run.schedule;
    }
    PlanNotes notes;
    notes.problem = "problem.json";
    notes.assignments = "plan.csv";
    const Certificate made = certify(problem, plan);
    ASSERT_TRUE(made.holds()) << made.violations.front();
    const std::string rows = assignments_csv(plan, problem);
    EXPECT_EQ(rows.substr(0, rows.find('\n')),
              plan.schedules.empty() ? "id,site,mode,slots" : "id,site,mode,slots,sites,levels");
    write_file(folder_ / "plan.csv", rows);
    write_file(folder_ / "plan.json", plan_json(plan, made.totals, problem, notes));
    const PlanFile read = read_plan((folder_ / "plan.json").string());
    ASSERT_EQ(read.plan.schedules.size(), plan.schedules.size());
    for (const auto& [j, schedule] : plan.schedules) {
      EXPECT_EQ(read.plan.schedules.at(j).sites, schedule.sites);
      EXPECT_EQ(read.plan.schedules.at(j).levels, schedule.levels);
    }
    const Certificate checked = check_plan((folder_ / "plan.json").string());
    EXPECT_TRUE(checked.holds()) << seed << ' ' << checked.violations.front();
    EXPECT_DOUBLE_EQ(checked.totals.objective_eur, made.totals.objective_eur) << seed;
  }
}

TEST_F(TermsInFiles, SchedulesThatAreNoneAreNamedByLine) {
  const Problem problem = problem_with_terms(1, 1, 2, 6);
  write_problem(problem, folder_.string());
  PlanNotes notes;
  notes.problem = "problem.json";
  notes.assignments = "plan.csv";
  Plan plan;
  plan.jobs.resize(1);
  plan.price.assign(12, 0.1);
  write_file(folder_ / "plan.json", plan_json(plan, certify(problem, plan).totals, problem, notes));
  const std::string head = "id,site,mode,slots,sites,levels\n";
  for (const char* row : {"j0,0,0,1", "j0,0,0,1,0", "j0,0,0,1,x,0", "j0,0,0,1,0,-1", "j0,,,,0,",
                          "j0,0,0,1;2,0;;0,", "j0,0,0,1,0,0,0"}) {
    write_file(folder_ / "plan.csv", head + row + "\n");
    try {
      check_plan((folder_ / "plan.json").string());
      ADD_FAILURE() << row;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("plan.csv:2: id,site,mode,slots,sites,levels;")) << row;
    }
  }
  write_file(folder_ / "plan.csv", "id,site,mode,slots,levels\n");
  EXPECT_THROW(check_plan((folder_ / "plan.json").string()), InputError);
}

/// Three sites, six slots and a job.
nlohmann::json document() {
  const std::vector<double> ones(6, 1);
  nlohmann::json sites = nlohmann::json::array();
  for (const char* name : {"a", "b", "c"})
    sites.push_back({{"name", name},
                     {"capacity_kw", ones},
                     {"pue", ones},
                     {"free_kw", ones},
                     {"price_eur_per_kwh", ones},
                     {"carbon_g_per_kwh", ones}});
  sites[0]["tags"] = {"eu", "h100"};
  sites[1]["tags"] = {"eu"};
  sites[1]["memory_gb"] = 80;
  nlohmann::json mode{{"slots", 2}, {"power_kw", 0.5}, {"quality_cost_eur", 0}};
  nlohmann::json job{
      {"id", "x"}, {"release", 1}, {"deadline", 5}, {"value_eur", 1}, {"modes", {mode}}};
  return {{"schema", "carnot.problem/1"},
          {"slot_s", 3600},
          {"slots", 6},
          {"sites", sites},
          {"jobs", {job}}};
}

std::string complaint(const nlohmann::json& json) {
  try {
    parse_problem(json.dump(1), "p.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TermsOfJobs, WhatIsAskedForLikeTheContractIsNotKept) {
  nlohmann::json json = document();
  EXPECT_TRUE(parse_problem(json.dump(), "p.json").terms.empty());
  json["jobs"][0].update({{"preemptible", true},
                          {"min_run_slots", 1},
                          {"restart_eur", 0},
                          {"movable", false},
                          {"stop_s", nullptr},
                          {"needs", nlohmann::json::array()}});
  EXPECT_TRUE(parse_problem(json.dump(), "p.json").terms.empty());
}

TEST(TermsOfJobs, NeedsLeaveTheSitesThatHaveThemAll) {
  const auto sites = [](const char* needs, double memory, const char* given) {
    nlohmann::json json = document();
    json["jobs"][0]["needs"] = nlohmann::json::parse(needs);
    json["jobs"][0]["memory_gb"] = memory;
    json["jobs"][0]["sites"] = nlohmann::json::parse(given);
    const Problem problem = parse_problem(json.dump(), "p.json");
    return problem.jobs.sites(0) == nullptr ? std::vector<std::uint32_t>{9}
                                            : *problem.jobs.sites(0);
  };
  EXPECT_THAT(sites("[]", 0, "null"), ElementsAre(9));
  EXPECT_THAT(sites("[\"eu\"]", 0, "null"), ElementsAre(0, 1));
  EXPECT_THAT(sites("[\"h100\", \"eu\"]", 0, "null"), ElementsAre(0));
  EXPECT_THAT(sites("[]", 81, "null"), ElementsAre(0, 2));
  EXPECT_THAT(sites("[]", 80, "null"), ElementsAre(9));
  EXPECT_THAT(sites("[\"eu\"]", 0, "[1, 2]"), ElementsAre(1));
}

TEST(TermsOfJobs, SpeedsAreCountedInTheirCoarsestParts) {
  const auto parts = [](std::vector<double> speeds) {
    nlohmann::json json = document();
    for (const double speed : speeds)
      json["jobs"][0]["modes"][0]["levels"].push_back({{"power_kw", 1}, {"speed", speed}});
    const Problem problem = parse_problem(json.dump(), "p.json");
    std::vector<int> out{problem.terms.at(0).speed_parts};
    for (const PlanLevel& level : problem.terms.at(0).levels[0]) out.push_back(level.parts);
    return out;
  };
  EXPECT_THAT(parts({2, 3}), ElementsAre(1, 2, 3));
  EXPECT_THAT(parts({0.5, 1.75}), ElementsAre(4, 2, 7));
  EXPECT_THAT(parts({1.0 / 3, 2.5}), ElementsAre(6, 2, 15));
}

TEST(TermsOfJobs, BadOnesAreNamed) {
  const struct {
    const char* path;
    nlohmann::json value;
    const char* words;
  } faults[] = {
      {"/network", 3, "network: an object"},
      {"/network", {{"gb_per_s", 0}}, "network.gb_per_s: a number, 1e-09"},
      {"/network", {{"kwh_per_gb", -1}, {"gb_per_s", 1}}, "network.kwh_per_gb: a number, 0"},
      {"/network", {{"kwh_per_gb", 1}}, "network.gb_per_s: a number"},
      {"/sites/2/egress_eur_per_gb", "x", "sites[2].egress_eur_per_gb: a number"},
      {"/sites/2/tags", {"a", 3}, "sites[2].tags: a list of texts"},
      {"/sites/2/tags", "a", "sites[2].tags: a list of texts"},
      {"/sites/2/memory_gb", -1, "sites[2].memory_gb: a number, 0"},
      {"/jobs/0/preemptible", 1, "jobs[0].preemptible: true or false"},
      {"/jobs/0/min_run_slots", 0, "jobs[0].min_run_slots: a whole number, 1 to 4"},
      {"/jobs/0/min_run_slots", 5, "jobs[0].min_run_slots: a whole number, 1 to 4"},
      {"/jobs/0/restart_eur", -1, "jobs[0].restart_eur: a number, 0"},
      {"/jobs/0/restart_slots", 5, "jobs[0].restart_slots: a whole number, 0 to 4"},
      {"/jobs/0/movable", "yes", "jobs[0].movable: true or false"},
      {"/jobs/0/each_move_eur", -1, "jobs[0].each_move_eur: a number, 0"},
      {"/jobs/0/data_gb", -1, "jobs[0].data_gb: a number, 0"},
      {"/jobs/0/origin", 3, "jobs[0].origin: a whole number, 0 to 2"},
      {"/jobs/0/due", 3, "jobs[0].due: together with late_eur_per_slot"},
      {"/jobs/0/late_eur_per_slot", 3, "jobs[0].due: together with late_eur_per_slot"},
      {"/jobs/0/stop_s", -1, "jobs[0].stop_s: a number, 0"},
      {"/jobs/0/needs", {1}, "jobs[0].needs: a list of texts"},
      {"/jobs/0/needs", {"eu", "tpu"}, "jobs[0].needs: what one of its sites has at once"},
      {"/jobs/0/memory_gb", -1, "jobs[0].memory_gb: a number, 0"},
      {"/jobs/0/modes/0/levels", 2, "jobs[0].modes[0].levels: a list of 1 to 64"},
      {"/jobs/0/modes/0/levels", nlohmann::json::array(), "levels: a list of 1 to 64"},
      {"/jobs/0/modes/0/levels", {2}, "levels: a list of 1 to 64"},
      {"/jobs/0/modes/0/levels",
       {{{"power_kw", -1}, {"speed", 1}}},
       "jobs[0].modes[0].levels[0].power_kw: a number, 0"},
      {"/jobs/0/modes/0/levels",
       {{{"power_kw", 1}, {"speed", 0}}},
       "jobs[0].modes[0].levels[0].speed: a number, 0.01"},
      {"/jobs/0/modes/0/levels",
       {{{"power_kw", 1}, {"speed", 0.0371}}},
       "jobs[0].modes: speeds of levels: whole multiples of one 1/n"},
      {"/jobs/0/modes/0/slots", 5, "mode 1 slots: at most 4, the length of the window, not 5"},
  };
  for (const auto& [path, value, words] : faults) {
    nlohmann::json json = document();
    json[nlohmann::json::json_pointer(path)] = value;
    EXPECT_THAT(complaint(json), HasSubstr(words)) << path;
    EXPECT_THAT(complaint(json), ::testing::StartsWith("p.json:")) << path;
  }
  nlohmann::json json = document();
  json["jobs"][0].update({{"preemptible", false}, {"movable", true}});
  EXPECT_THAT(complaint(json), HasSubstr("jobs[0].movable: false where preemptible is false"));
  json = document();
  json["jobs"][0].update({{"due", 6}, {"late_eur_per_slot", 1}});
  EXPECT_THAT(complaint(json), HasSubstr("jobs[0].due: a whole number, 1 to 5"));
  json = document();
  json["jobs"][0]["sites"] = {2};
  json["jobs"][0]["memory_gb"] = 4;
  json["sites"][2]["memory_gb"] = 2;
  EXPECT_THAT(complaint(json), HasSubstr("jobs[0].memory_gb: what one of its sites has"));
}

TEST(TermsOfJobs, WorkMustFitAtFullSpeedAndIntoMemory) {
  nlohmann::json json = document();
  nlohmann::json& mode = json["jobs"][0]["modes"][0];
  mode["levels"] = {{{"power_kw", 1}, {"speed", 2.5}}};
  mode["slots"] = 10;
  EXPECT_EQ(complaint(json), "");
  mode["slots"] = 11;
  EXPECT_THAT(complaint(json), HasSubstr("at most 10, the length of the window at full speed"));
  const std::vector<double> ones(3000, 1);
  json["slots"] = 3000;
  for (nlohmann::json& site : json["sites"])
    for (const char* key :
         {"capacity_kw", "pue", "free_kw", "price_eur_per_kwh", "carbon_g_per_kwh"})
      site[key] = ones;
  json["jobs"][0]["deadline"] = 3000;
  mode = {{"slots", 2900}, {"power_kw", 1}, {"quality_cost_eur", 0}};
  EXPECT_EQ(complaint(json), "");
  json["jobs"][0]["restart_eur"] = 1;
  EXPECT_THAT(complaint(json), HasSubstr("mode 1 slots: fewer: window x work"));
}

TEST(TermsOfJobs, WhateverIsReadCanBePlannedAndChecked) {
  const nlohmann::json odd[] = {nullptr, 0,    1,    2,    3,     4,     6,   -1,  0.5,   1.0 / 3,
                                1e-9,    60,   1e6,  1e12, "x",   true,  5,   100, false, 2.5,
                                {"eu"},  0.25, 1e-3, 2,    3600., 1.5e4, 7e5, 4,   1};
  const char* paths[] = {"/network/gb_per_s",
                         "/network/kwh_per_gb",
                         "/sites/0/egress_eur_per_gb",
                         "/sites/1/memory_gb",
                         "/jobs/0/needs",
                         "/jobs/0/memory_gb",
                         "/jobs/0/preemptible",
                         "/jobs/0/min_run_slots",
                         "/jobs/0/restart_eur",
                         "/jobs/0/restart_slots",
                         "/jobs/0/movable",
                         "/jobs/0/each_move_eur",
                         "/jobs/0/data_gb",
                         "/jobs/0/origin",
                         "/jobs/0/due",
                         "/jobs/0/late_eur_per_slot",
                         "/jobs/0/stop_s",
                         "/jobs/0/value_eur",
                         "/jobs/0/modes/0/slots",
                         "/jobs/0/modes/0/power_kw",
                         "/jobs/0/modes/0/levels/0/power_kw",
                         "/jobs/0/modes/0/levels/0/speed",
                         "/jobs/0/modes/0/levels/1/power_kw",
                         "/jobs/0/modes/0/levels/1/speed"};
  int read = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const RandomStream random(seed, "odd-terms");
    nlohmann::json json = document();
    json["network"] = {{"gb_per_s", 1}, {"kwh_per_gb", 0.01}};
    json["jobs"][0]["movable"] = true;
    json["jobs"][0]["value_eur"] = 1e6;
    json["jobs"][0].update({{"due", 3}, {"late_eur_per_slot", 0.1}});
    json["jobs"][0]["modes"][0]["levels"] = {{{"power_kw", 1}, {"speed", 2}},
                                             {{"power_kw", 2}, {"speed", 2.5}}};
    for (std::uint64_t k = 0; k < 3; ++k)
      json[nlohmann::json::json_pointer(paths[random.below(2 * k, std::size(paths))])] =
          odd[random.below(2 * k + 1, std::size(odd))];
    Problem problem;
    try {
      problem = parse_problem(json.dump(), "p.json");
    } catch (const InputError&) {
      continue;
    }
    ++read;
    const testing::RandomPrices prices(problem, seed);
    const JobRun run = cheapest(problem, 0, prices.prices);
    std::vector<double> load(prices.energy.size());
    std::vector<std::string> wrong;
    check_schedule(problem, 0, run.assignment, run.schedule, prices.prices, load, {}, wrong);
    EXPECT_THAT(wrong, ::testing::IsEmpty()) << json.dump();
    const double cost = priced(problem, run, prices.prices);
    const double least = least_cost(problem, 0, prices.prices);
    EXPECT_LE(least, cost) << json.dump();
    // What it could draw and pay, which rounding is measured by.
    double size = 1 + std::abs(cost) + problem.jobs.mode(0).power_kw;
    if (const JobTerms* terms = problem.terms_of(0)) {
      for (const auto& levels : terms->levels)
        for (const PlanLevel& level : levels) size = std::max(size, level.power_kw);
      size += std::min(terms->data_gb, 4 * problem.slot_s * problem.network.gb_per_s) *
              problem.network.kwh_per_gb;
    }
    EXPECT_NEAR(least, cost, 1e-11 * size) << json.dump();
  }
  EXPECT_GE(read, 500);
}

}  // namespace
}  // namespace carnot::plan
