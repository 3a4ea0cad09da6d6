// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/problem.hpp"

#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"
#include "plan/problem/problem_read.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using ::testing::HasSubstr;

void expect_same(const Problem& a, const Problem& b) {
  EXPECT_EQ(a.slot_s, b.slot_s);
  ASSERT_EQ(a.slots, b.slots);
  EXPECT_EQ(a.carbon_price_eur_per_t, b.carbon_price_eur_per_t);
  ASSERT_EQ(a.sites.size(), b.sites.size());
  for (std::size_t s = 0; s < a.sites.size(); ++s) {
    EXPECT_EQ(a.sites[s].name, b.sites[s].name);
    EXPECT_EQ(a.sites[s].capacity_kw, b.sites[s].capacity_kw);
    EXPECT_EQ(a.sites[s].pue, b.sites[s].pue);
    EXPECT_EQ(a.sites[s].free_kw, b.sites[s].free_kw);
    EXPECT_EQ(a.sites[s].price_eur_per_kwh, b.sites[s].price_eur_per_kwh);
    EXPECT_EQ(a.sites[s].carbon_g_per_kwh, b.sites[s].carbon_g_per_kwh);
    EXPECT_EQ(a.sites[s].grid_limit_kw, b.sites[s].grid_limit_kw);
    EXPECT_EQ(std::isfinite(a.sites[s].latitude), std::isfinite(b.sites[s].latitude));
    if (std::isfinite(a.sites[s].latitude)) {
      EXPECT_EQ(a.sites[s].latitude, b.sites[s].latitude);
      EXPECT_EQ(a.sites[s].longitude, b.sites[s].longitude);
    }
  }
  ASSERT_EQ(a.jobs.size(), b.jobs.size());
  for (std::size_t j = 0; j < a.jobs.size(); ++j) {
    EXPECT_EQ(a.jobs.id(j), b.jobs.id(j));
    EXPECT_EQ(a.jobs.release(j), b.jobs.release(j));
    EXPECT_EQ(a.jobs.deadline(j), b.jobs.deadline(j));
    EXPECT_EQ(a.jobs.value(j), b.jobs.value(j));
    for (std::uint32_t s = 0; s < a.sites.size(); ++s)
      EXPECT_EQ(a.jobs.move_eur(j, s), b.jobs.move_eur(j, s));
    ASSERT_EQ(a.jobs.sites(j) == nullptr, b.jobs.sites(j) == nullptr);
    if (a.jobs.sites(j) != nullptr) {
      EXPECT_EQ(*a.jobs.sites(j), *b.jobs.sites(j));
    }
    const std::size_t modes = a.jobs.mode_end(j) - a.jobs.mode_begin(j);
    ASSERT_EQ(modes, b.jobs.mode_end(j) - b.jobs.mode_begin(j));
    for (std::size_t m = 0; m < modes; ++m) {
      const PlanMode& x = a.jobs.mode(a.jobs.mode_begin(j) + m);
      const PlanMode& y = b.jobs.mode(b.jobs.mode_begin(j) + m);
      EXPECT_EQ(x.slots, y.slots);
      EXPECT_EQ(x.power_kw, y.power_kw);
      EXPECT_EQ(x.quality_eur, y.quality_eur);
    }
  }
}

TEST(PlanProblem, ComesBackTheSameFromFiles) {
  const std::string folder = ::testing::TempDir() + "/plan-problem";
  for (std::uint64_t seed = 0; seed < 10; ++seed) {  // with a cost a site: jobs inside the JSON
    Problem problem = testing::small_problem(seed, 9, 3, 7);
    problem.sites[0].latitude = -12.5;
    problem.sites[0].longitude = 170.25;
    write_problem(problem, folder);
    expect_same(problem, read_problem(folder + "/problem.json"));
  }
  GenerateOptions options;  // without: jobs in the CSV
  options.jobs = 200;
  options.sites = 4;
  const Problem problem = generate_problem(options);
  write_problem(problem, folder);
  ASSERT_TRUE(std::filesystem::exists(folder + "/jobs.csv"));
  expect_same(problem, read_problem(folder + "/problem.json"));
  std::filesystem::remove(folder + "/jobs.csv");
  EXPECT_THROW(read_problem(folder + "/problem.json"), InputFileError);
  EXPECT_THROW(read_problem(folder + "/none.json"), InputFileError);
  std::filesystem::remove_all(folder);
}

nlohmann::json document() {
  const std::vector<double> ones{1, 1, 1};
  return {{"schema", "carnot.problem/1"},
          {"slot_s", 3600},
          {"slots", 3},
          {"carbon_price_eur_per_t", 50},
          {"sites",
           {{{"name", "a"},
             {"capacity_kw", ones},
             {"pue", ones},
             {"free_kw", ones},
             {"price_eur_per_kwh", ones},
             {"carbon_g_per_kwh", ones},
             {"grid_limit_kw", nullptr}}}},
          {"jobs",
           {{{"id", "x"},
             {"release", 0},
             {"deadline", 2},
             {"value_eur", 1},
             {"sites", nullptr},
             {"move_cost_eur", nullptr},
             {"modes", {{{"slots", 2}, {"power_kw", 0.5}, {"quality_cost_eur", 0}}}}}}}};
}

std::string complaint(const nlohmann::json& json) {
  try {
    parse_problem(json.dump(1), "p.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(PlanProblem, SaysWhereAndWhatIsAllowed) {
  ASSERT_EQ(complaint(document()), "");
  const struct {
    const char* path;
    nlohmann::json value;
    const char* words;
  } faults[] = {
      {"/schema", "carnot.problem/2", "schema: \"carnot.problem/1\""},
      {"/slot_s", 0, "slot_s: a number"},
      {"/slots", 2.5, "slots: a whole number"},
      {"/slots", -3, "slots: a whole number"},
      {"/carbon_price_eur_per_t", "x", "carbon_price_eur_per_t: a number"},
      {"/sites", nlohmann::json::array(), "sites: a list of 1"},
      {"/sites/0", 3, "sites[0]: an object"},
      {"/sites/0/name", 3, "sites[0].name: text"},
      {"/sites/0/capacity_kw/1", -1, "sites[0].capacity_kw[1]: a number, 0 to"},
      {"/sites/0/pue/2", 0.9, "sites[0].pue[2]: a number, 1"},
      {"/sites/0/free_kw/0", -1, "sites[0].free_kw[0]: a number, 0"},
      {"/sites/0/price_eur_per_kwh/0", nullptr, "sites[0].price_eur_per_kwh[0]: a number"},
      {"/sites/0/carbon_g_per_kwh", {1, 2}, "sites[0].carbon_g_per_kwh: 3 numbers"},
      {"/sites/0/latitude", 90.1, "sites[0].latitude: a number, -90 to 90"},
      {"/sites/0/latitude", 45, "sites[0].longitude: a number, -180 to 180"},
      {"/sites/0/grid_limit_kw", {1, -2, 1}, "sites[0].grid_limit_kw[1]: a number, 0"},
      {"/jobs", 3, "jobs: a list"},
      {"/jobs/0/id", "", "id: 1 to 200 characters"},
      {"/jobs/0/id", "a,b", "id: 1 to 200 characters"},
      {"/jobs/0/release", 3, "jobs[0].release: a whole number, 0 to 2"},
      {"/jobs/0/deadline", 4, "jobs[0].deadline: a whole number, 1 to 3"},
      {"/jobs/0/deadline", 0, "jobs[0].deadline: a whole number"},
      {"/jobs/0/deadline", 1, "mode 1 slots: at most 1, the length of the window"},
      {"/jobs/0/value_eur", -1, "jobs[0].value_eur: a number, 0"},
      {"/jobs/0/sites", {1}, "jobs[0].sites: sites, 0 to 0"},
      {"/jobs/0/sites", {0, 0}, "sites: each site once"},
      {"/jobs/0/sites", nlohmann::json::array(), "at least one site"},
      {"/jobs/0/move_cost_eur", {1, 2}, "one a site"},
      {"/jobs/0/move_cost_eur", {"x"}, "move_cost_eur: numbers"},
      {"/jobs/0/modes", nlohmann::json::array(), "modes: at least one"},
      {"/jobs/0/modes/0/slots", 0, "jobs[0].modes[0].slots: a whole number, 1"},
      {"/jobs/0/modes/0/power_kw", -1, "jobs[0].modes[0].power_kw: a number, 0"},
      {"/jobs/0/modes/0/quality_cost_eur", "x", "jobs[0].modes[0].quality_cost_eur"},
  };
  for (const auto& [path, value, words] : faults) {
    nlohmann::json json = document();
    json[nlohmann::json::json_pointer(path)] = value;
    EXPECT_THAT(complaint(json), HasSubstr(words)) << path;
    EXPECT_THAT(complaint(json), ::testing::StartsWith("p.json:")) << path;
  }
}

TEST(PlanProblem, KnowsNoNumbersThatAreNone) {
  for (const char* none : {"NaN", "nan", "Infinity", "-Infinity", "1e999", "-1e999"}) {
    std::string text = document().dump(1);
    const std::size_t at = text.find("\"power_kw\": 0.5");
    ASSERT_NE(at, std::string::npos);
    text.replace(at + 12, 3, none);
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    try {
      parse_problem(text, "p.json");
      ADD_FAILURE() << none;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("p.json:" + std::to_string(line) + ": JSON")) << none;
    }
  }
}

TEST(PlanProblem, NamesTheLineOfTheSiteOrJob) {
  nlohmann::json json = document();
  json["jobs"].push_back(json["jobs"][0]);
  const std::string text = json.dump(1);
  const auto line =
      1 + std::count(text.begin(),
                     text.begin() + static_cast<std::ptrdiff_t>(text.rfind("\"deadline\"")), '\n');
  const std::string words = complaint(json);  // keys are sorted: deadline is its first
  EXPECT_THAT(words, HasSubstr("p.json:" + std::to_string(line - 1) + ": jobs[1].id"));
  EXPECT_THAT(words, HasSubstr("`x` is the id of jobs[0] already"));
  try {
    parse_problem("{\n\"schema\": \"carnot.problem/1\",\n\"slots\": }", "p.json");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("p.json:3: JSON"));
  }
}

/// The jobs of a CSV over a problem of 10 slots and 3 sites, or what is wrong with it.
std::string csv(const std::string& text, Problem* out = nullptr) {
  Problem problem = testing::small_problem(1, 0, 3, 10);
  Findings findings;
  std::istringstream in(text);
  parse_jobs_csv(in, "j.csv", problem, findings);
  if (out != nullptr) *out = problem;
  try {
    findings.throw_if_any();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string kHead =
    "id,release,deadline,value_eur,origin,move_cost_eur,sites,m1_slots,m1_kw,m1_eur\n";

TEST(PlanJobsCsv, ReadsWhatTheContractSays) {
  Problem problem;
  EXPECT_EQ(csv("\xef\xbb\xbf"
                "id,release,deadline,value_eur,origin,move_cost_eur,sites,m1_slots,"
                "m1_kw,m1_eur,m2_slots,m2_kw,m2_eur\r\n"
                "a,0,10,5,1,0.25,,2,3.5,0,4,1e0,-0.5\r\n\r\n"
                "b , 3, 4,1.5,,,2;0,1,2,0,,,",
                &problem),
            "");
  const PlanJobs& jobs = problem.jobs;
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs.id(1), "b");
  EXPECT_EQ(jobs.mode_end(0), 2U);
  EXPECT_EQ(jobs.mode(1).quality_eur, -0.5);
  EXPECT_EQ(jobs.move_eur(0, 1), 0.0);
  EXPECT_EQ(jobs.move_eur(0, 2), 0.25);
  EXPECT_EQ(jobs.mode_end(1) - jobs.mode_begin(1), 1U);
  EXPECT_THAT(*jobs.sites(1), ::testing::ElementsAre(0, 2));
  EXPECT_EQ(jobs.origin(1), kNone);
}

TEST(PlanJobsCsv, NamesTheLineOfEachFault) {
  const struct {
    const char* row;
    const char* words;
  } faults[] = {
      {",0,5,1,,,,1,1,0", "j.csv:3: id: 1 to 200"},
      {"a,0,5,1,,,,1,1,0", "j.csv:3: id: `a` stands in line 2 already"},
      {"b,0,5,nan,,,,1,1,0", "j.csv:3: value_eur: a number, not `nan`"},
      {"b,0,5,-1,,,,1,1,0", "j.csv:3: value_eur: a number, 0"},
      {"b,x,5,1,,,,1,1,0", "j.csv:3: release: a whole number, not `x`"},
      {"b,10,5,1,,,,1,1,0", "j.csv:3: release: a slot, 0 to 9, not 10"},
      {"b,5,5,1,,,,1,1,0", "j.csv:3: deadline: a slot, 6 to 10, not 5"},
      {"b,0,2,1,,,,3,1,0", "j.csv:3: mode 1 slots: at most 2"},
      {"b,0,2,1,3,,,1,1,0", "j.csv:3: origin: a site, 0 to 2, not 3"},
      {"b,0,2,1,,inf,,1,1,0", "j.csv:3: move_cost_eur: a number, not `inf`"},
      {"b,0,2,1,,,0;3,1,1,0", "j.csv:3: sites: a site, 0 to 2, not 3"},
      {"b,0,2,1,,,0;;1,1,1,0", "j.csv:3: sites: a whole number, not ``"},
      {"b,0,2,1,,,,,,", "j.csv:3: modes: at least one"},
      {"b,0,2,1,,,,1,,0", "j.csv:3: m1_slots: slots, kw and eur"},
      {"b,0,2,1,,,,1,1", "j.csv:3: 10 values, as the header has, not 9"},
      {"b,0,2,1,,,,0,1,0", "j.csv:3: mode 1 slots: at least 1, not 0"},
      {"b,0,2,1,,,,1,-1,0", "j.csv:3: mode 1 power: kW"},
  };
  for (const auto& [row, words] : faults)
    EXPECT_THAT(csv(kHead + "a,0,5,1,,,,1,1,0\n" + row + "\nlast,0,5,1,,,,1,1,0\n"),
                HasSubstr(words))
        << row;
  EXPECT_THAT(csv(""), HasSubstr("header"));
  EXPECT_THAT(csv("id,release\n"), HasSubstr("deadline: the header must have"));
  EXPECT_THAT(csv("id,id,x\n"), ::testing::AllOf(HasSubstr("each column once"),
                                                 HasSubstr("j.csv:1: x: not a column")));
}

TEST(PlanJobsCsv, CountsWhatItDoesNotPrintAndReadsOnAcrossPieces) {
  // Longer than the reader's pieces of 1 MiB; the only bad line is far behind.
  std::string text = kHead;
  for (int i = 0; i < 60'000; ++i) text += "job-" + std::to_string(i) + ",0,5,1,,,,1,1,0\n";
  Problem problem;
  EXPECT_EQ(csv(text, &problem), "");
  EXPECT_EQ(problem.jobs.size(), 60'000U);
  EXPECT_EQ(problem.jobs.id(59'999), "job-59999");
  EXPECT_EQ(csv(text + "bad,0,5,x,,,,1,1,0\n"), "j.csv:60002: value_eur: a number, not `x`");
  std::string all = kHead;
  for (int i = 0; i < 70; ++i) all += std::to_string(i) + ",0,5,x,,,,1,1,0\n";
  EXPECT_THAT(csv(all), ::testing::EndsWith("and 20 more"));
  EXPECT_THAT(csv(kHead + std::string(3 << 20, 'a')), HasSubstr("at most 1 MiB"));
}

TEST(PlanGenerate, IsOfItsSeedAndWithinItsNumbers) {
  GenerateOptions options;
  options.jobs = 500;
  options.sites = 3;
  options.slots = 48;
  const Problem a = generate_problem(options), b = generate_problem(options);
  expect_same(a, b);
  options.seed = 2;
  EXPECT_NE(a.sites[0].free_kw, generate_problem(options).sites[0].free_kw);
  double smallest = 1e300, greatest = 0;
  for (const PlanSite& site : a.sites) smallest = std::min(smallest, site.capacity_kw[0]);
  for (std::size_t i = 0; i < a.jobs.mode_end(499); ++i)
    greatest = std::max(greatest, a.jobs.mode(i).power_kw);
  EXPECT_LE(greatest, 0.1 * smallest + 1e-3);
  options.sites = 0;
  EXPECT_THROW(generate_problem(options), InputError);
}

TEST(PlanGenerate, TakesRealHours) {
  CARNOT_NEED_SHARED_DATA(sites, "sites-2023-hourly");
  GenerateOptions options;
  options.jobs = 50;
  options.sites = 4;
  options.data_dir = sites;
  const Problem problem = generate_problem(options);
  EXPECT_NE(problem.sites[0].price_eur_per_kwh, problem.sites[1].price_eur_per_kwh);
  EXPECT_EQ(problem.sites[0].name, "AU-NSW");
  for (const PlanSite& site : problem.sites) EXPECT_TRUE(std::isfinite(site.latitude)) << site.name;
  options.slots = 9000;
  EXPECT_THROW(generate_problem(options), InputError);
}

}  // namespace
}  // namespace carnot::plan
