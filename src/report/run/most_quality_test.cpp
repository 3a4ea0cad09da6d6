// SPDX-License-Identifier: Apache-2.0
#include "report/run/most_quality.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"

#include "report/draw/testing_schema.hpp"
#include "report/run/testing_run.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The sample run, as if the most quality had been asked: `low` of each policy as given.
std::vector<ledger::Entry> asked(const std::vector<std::pair<std::string, double>>& low,
                                 const std::string& best) {
  sample::Options options;
  options.policies.clear();
  for (const auto& [policy, bound] : low) options.policies.push_back(policy);
  std::vector<ledger::Entry> entries = sample::run(options);
  std::size_t lane = 0;
  for (ledger::Entry& entry : entries) {
    if (auto* begin = std::get_if<ledger::RunBegin>(&entry)) {
      Json facts = Json::parse(begin->facts_json);
      facts["objective"]["maximise"] = "quality";
      facts["objective"]["purchases_j"] = 7.2e8;
      facts["work"]["steps_per_pass"] = 100.0;
      begin->facts_json = facts.dump();
    } else if (auto* end = std::get_if<ledger::LaneEnd>(&entry)) {
      Json row = Json::parse(end->result_json);
      row["quality"]["low"] = low[lane].second;
      row["quality"]["value"] = low[lane++].second + 0.01;
      row["quality"]["metric"] = "accuracy";
      row["steps"] = 1000;
      row["most_quality"] = {{"schedule_steps", 1100},
                             {"schedule_phase", 0.93},
                             {"mode_steps", {{"int4", 700}, {"int8", 300}}},
                             {"mean_bits", 5.2},
                             {"owed_j", 0.0},
                             {"unused_j", 0.0}};
      end->result_json = row.dump();
    } else if (auto* last = std::get_if<ledger::RunEnd>(&entry)) {
      last->result_json = Json{{"best", best}, {"best_fixed", "fixed:int8"}}.dump();
    }
  }
  return entries;
}

const std::vector<std::pair<std::string, double>> kFour{
    {"adaptive", 0.95}, {"plan-once", 0.93}, {"fixed:int8", 0.94}, {"hindsight:fixed:int4", 0.97}};

TEST(MostQualityReport, RanksByWhatIsCertifiedAndKeepsHindsightApart) {
  const RunResult result = summarise(asked(kFour, "adaptive"));
  EXPECT_EQ(result.best, "adaptive");
  EXPECT_EQ(result.best_fixed, "fixed:int8");
  EXPECT_EQ(most_certified(result, true)->policy, "hindsight:fixed:int4");
  const std::string text = to_terminal(result, 200, false);
  EXPECT_THAT(text, HasSubstr("adaptive is certified at 95.0 % or more"));
  EXPECT_THAT(text, HasSubstr("own power and 200 kWh bought at most: int4 70 %, int8 30 %"));
  EXPECT_THAT(text, HasSubstr("plan-once, the same plan never changed: +2.00 points"));
  EXPECT_THAT(text, HasSubstr("the best in hindsight: -2.00 points"));
  EXPECT_THAT(text, HasSubstr("adaptive has 50 %"));
  EXPECT_THAT(text, Not(HasSubstr("EUR")));
}

TEST(MostQualityReport, ARunThatNamesAnotherBestIsRefused) {
  EXPECT_THROW(summarise(asked(kFour, "plan-once")), InputError);
}

TEST(MostQualityReport, PassesAndBitsOfARow) {
  const RunResult result = summarise(asked(kFour, "adaptive"));
  const QualityRow row = quality_row(result.lanes[0], read_facts(result.facts_json));
  EXPECT_DOUBLE_EQ(row.passes, 10.0);
  EXPECT_DOUBLE_EQ(row.mean_bits, 5.2);
  EXPECT_DOUBLE_EQ(row.phase, 0.93);
}

TEST(MostQualityReport, PageAndDocumentHold) {
  const RunResult result = summarise(asked(kFour, "adaptive"));
  const std::string page = to_html(result);
  EXPECT_THAT(page, HasSubstr("What the wind taught, and in how many bits"));
  EXPECT_THAT(page, HasSubstr("adaptive in int8"));
  EXPECT_THAT(page, Not(HasSubstr("cost by the objective")));
  EXPECT_THAT(schema_problems(std::string(CARNOT_SOURCE_DIR) + "/docs/formats/run.schema.json",
                              to_json(result)),
              IsEmpty());
}

TEST(MostQualityReport, NothingLearnedIsSaid) {
  std::vector<ledger::Entry> entries = asked({{"adaptive", 0.5}}, "adaptive");
  entries.resize(2);  // header and the lane's beginning
  EXPECT_THAT(to_terminal(summarise(entries), 100, false), HasSubstr("Nothing was learned"));
}

}  // namespace
}  // namespace carnot::report
