// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/simulate/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"

#include "report/draw/testing_markup.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

Json policy(const std::string& name, double cost, double late = 0, bool oracle = false) {
  Json flows{{"energy_j", 3.6e9},       {"grid_energy_j", 2.6e9}, {"own_energy_j", 1e9},
             {"exported_j", 5e8},       {"curtailed_j", 5e8},     {"own_total_j", 2e9},
             {"carbon_g", cost * 3000}, {"cost_eur", cost},       {"utilisation", 0.4}};
  Json out{{"policy", name},
           {"knows", {{"future", oracle}, {"lengths", false}}},
           {"jobs", 1000},
           {"finished", 1000},
           {"late", late},
           {"mean_wait_s", 60 * cost},
           {"wait_p90_s", 120 * cost},
           {"seconds", 0.1},
           {"bound", 50.0},
           {"end", "2024-01-03T04:00:00Z"}};
  out.update(flows);
  Json site{{"site", "hall <1>"}};
  site.update(flows);
  out["sites"] = Json::array({site});
  return out;
}

Json simulation(const std::vector<Json>& runs) {
  return {{"schema", "carnot.simulate/1"},
          {"carnot", "0.1.0"},
          {"started", "2026-01-02T03:04:05Z"},
          {"command", "carnot simulate --jobs <x> & 'y'"},
          {"jobs_source", "jobs.csv"},
          {"sites_source", "sites"},
          {"runs", runs}};
}

TEST(SimulatePage, NamesTheBestItsRivalAndTheBound) {
  const std::string text =
      simulation({policy("no-wait", 100), policy("seer", 60, 0, true), policy("late", 65, 3),
                  policy("good", 70), policy("second", 80)})
          .dump();
  EXPECT_TRUE(is_simulation(text));
  const std::string page = simulate_page_html(text, "s.json");
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("<p class=\"answer\">good does 1000 of 1000 jobs for 70.00 EUR"));
  EXPECT_THAT(page, HasSubstr("Against second: 10.00 EUR less (12.5 %) cost"));
  EXPECT_THAT(page, HasSubstr("No schedule that finishes every job by its deadline, one without by "
                              "2024-01-03T04:00:00Z, costs less than 50.00 EUR, 30.00 EUR less."));
  EXPECT_THAT(page, HasSubstr("Against no-wait: 30.00 EUR less (30.0 %) cost"));
  EXPECT_THAT(page, HasSubstr(">seer *</th>"));
  EXPECT_THAT(page, HasSubstr("bound 50.0"));
  EXPECT_THAT(page, HasSubstr("Site by site: good"));
  const std::string words = simulate_page_terminal(text, "s.json", 80, false);
  EXPECT_THAT(words, HasSubstr("good does 1000 of 1000 jobs"));
  EXPECT_THAT(words, Not(HasSubstr("\x1b")));
}

TEST(SimulatePage, UnfinishedJobsCountAsMissed) {
  Json cheap = policy("cheap", 10);
  cheap["finished"] = 900;
  const std::string text = simulation({cheap, policy("dear", 20)}).dump();
  EXPECT_THAT(simulate_page_html(text, "s.json"), HasSubstr("<p class=\"answer\">dear does"));
}

TEST(SimulatePage, SurvivesWhatIsMissing) {
  Json bare = policy("bare", 10);
  for (const char* key : {"bound", "knows", "sites", "mean_wait_s", "carbon_g"}) bare.erase(key);
  const std::string page = simulate_page_html(simulation({bare}).dump(), "s.json");
  expect_sound(page);
  EXPECT_THAT(page, Not(HasSubstr("The dotted line")));
  Json spread = policy("spread", 10);
  spread["ensemble"] = {{"members", 3},
                        {"cost_eur", {{"mean", 10}, {"low", 8}, {"high", 13}}},
                        {"carbon_g", {{"mean", 3e4}, {"low", 2e4}, {"high", 4e4}}}};
  EXPECT_THAT(simulate_page_html(simulation({spread}).dump(), "s.json"),
              HasSubstr("10.00 EUR (8.00 EUR … 13.00 EUR)"));
  expect_sound(simulate_page_html(simulation({policy("<o>", 5, 0, true)}).dump(), "s.json"));
}

TEST(SimulatePage, SaysWhatIsWrong) {
  EXPECT_THROW(simulate_page_html("{}", "s.json"), InputError);
  EXPECT_THROW(simulate_page_html(simulation({}).dump(), "s.json"), InputError);
  Json broken = simulation({policy("a", 1)});
  broken["runs"][0]["cost_eur"] = "much";
  EXPECT_THROW(simulate_page_html(broken.dump(), "s.json"), InputError);
  EXPECT_FALSE(is_simulation("{\"schema\": \"carnot.plan/1\"}"));
}

}  // namespace
}  // namespace carnot::report
