// SPDX-License-Identifier: Apache-2.0
// A misspelt key is refused wherever it stands, and named with the key that was meant.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

#include "plan/problem/problem_read.hpp"

namespace carnot::plan {
namespace {

using ::testing::HasSubstr;

const char* const kProblem = R"({"schema": "carnot.problem/1", "carnot": "0", "slot_s": 3600,
"slots": 2, "carbon_price_eur_per_t": 0,
"network": {"gb_per_s": 1, "kwh_per_gb": 0},
"reserve": {"hold_slots": 1, "within_s": 5},
"goals": {"own_share": 0.1, "order": ["late"]},
"sites": [
{"name": "a", "capacity_kw": [9, 9], "pue": [1, 1], "free_kw": [0, 0], "price_eur_per_kwh": [1, 1],
 "carbon_g_per_kwh": [0, 0], "grid_limit_kw": null, "tags": ["x"],
 "battery": {"capacity_kwh": 1, "charge_kw": 1, "discharge_kw": 1},
 "export": {"limit_kw": [1, 1], "price_eur_per_kwh": [0, 0]},
 "demand_charges": [{"eur_per_kw": 1, "from": 0}], "knees": [{"from_kw": 1, "extra": 1}],
 "reserve": {"committed_kw": [0, 0]}}],
"jobs": [
{"id": "j", "release": 0, "deadline": 2, "value_eur": 5, "sites": null, "preemptible": true,
 "modes": [{"slots": 1, "power_kw": 1, "quality_cost_eur": 0,
            "levels": [{"power_kw": 2, "speed": 2}]}]}]})";

std::string said(std::string text, const std::string& from, const std::string& to) {
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  try {
    parse_problem(text, "p.json");
    return "accepted";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(ProblemKeys, UnknownOnesAreRefusedAtEveryDepth) {
  EXPECT_EQ(said(kProblem, "", ""), "accepted");
  struct Slip {
    const char *key, *written, *where;
  };
  const std::vector<Slip> slips = {
      {"\"network\"", "\"netwrok\"", "p.json:3: netwrok"},
      {"\"kwh_per_gb\"", "\"kwh_per_bg\"", "p.json:3: network.kwh_per_bg"},
      {"\"within_s\"", "\"witin_s\"", "p.json:4: reserve.witin_s"},
      {"\"own_share\"", "\"own_shares\"", "p.json:5: goals.own_shares"},
      {"\"grid_limit_kw\"", "\"grid_limit_kv\"", "p.json:7: sites[0].grid_limit_kv"},
      {"\"battery\"", "\"baterry\"", "p.json:7: sites[0].baterry"},
      {"\"capacity_kwh\": 1", "\"capacity_kwh\": 1, \"start_kw\": 0",
       "p.json:7: sites[0].battery.start_kw"},
      {"\"limit_kw\"", "\"limits_kw\"", "p.json:7: sites[0].export.limits_kw"},
      {"\"from\": 0", "\"form\": 0", "p.json:7: sites[0].demand_charges[0].form"},
      {"\"extra\": 1", "\"extra\": 1, \"exta\": 1", "p.json:7: sites[0].knees[0].exta"},
      {"\"committed_kw\"", "\"comitted_kw\"", "p.json:7: sites[0].reserve.comitted_kw"},
      {"\"preemptible\"", "\"preemptable\"", "p.json:14: jobs[0].preemptable"},
      {"\"quality_cost_eur\": 0", "\"quality_cost_eur\": 0, \"quality_cost\": 0",
       "p.json:14: jobs[0].modes[0].quality_cost"},
      {"\"speed\": 2", "\"speed\": 2, \"sped\": 2", "p.json:14: jobs[0].modes[0].levels[0].sped"}};
  for (const Slip& slip : slips) {
    const std::string message = said(kProblem, slip.key, slip.written);
    EXPECT_THAT(message, HasSubstr(std::string(slip.where) + ": unknown key; did you mean `"))
        << slip.key;
  }
  EXPECT_THAT(said(kProblem, "\"value_eur\"", "\"depends_on\": [], \"value_eur\""),
              HasSubstr("jobs[0].depends_on: unknown key; allowed: id, release"));
}

}  // namespace
}  // namespace carnot::plan
