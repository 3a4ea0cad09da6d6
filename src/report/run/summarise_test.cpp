// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/report/run/result.hpp"

#include "report/run/facts.hpp"
#include "report/run/testing_run.hpp"
#include "report/run/words.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

sample::Options small() {
  sample::Options options;
  options.slots = 60;
  options.slot_s = 2400;
  return options;
}

std::string error_of(const std::vector<ledger::Entry>& entries) {
  try {
    summarise(entries);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

ledger::LaneEnd& end_of(std::vector<ledger::Entry>& entries, const std::string& policy) {
  for (ledger::Entry& entry : entries) {
    if (auto* end = std::get_if<ledger::LaneEnd>(&entry); end != nullptr && end->policy == policy) {
      return *end;
    }
  }
  throw std::logic_error("no such lane");
}

void edit(ledger::LaneEnd& end, const std::function<void(Json&)>& change) {
  Json json = Json::parse(end.result_json);
  change(json);
  end.result_json = json.dump();
}

TEST(Summarise, AddsUpWhatTheSlotsSay) {
  const auto entries = sample::run(small());
  const RunResult result = summarise(entries);
  ASSERT_EQ(result.lanes.size(), 11U);
  EXPECT_TRUE(result.complete);
  double joules = 0, seconds = 0;
  for (const ledger::Entry& entry : entries) {
    if (const auto* slot = std::get_if<ledger::SlotEntry>(&entry)) {
      joules += slot->facility.in(joule);
      seconds += slot->length.time().in(second);
    }
  }
  double reported = 0, moded = 0, balance = 0;
  for (const LaneResult& lane : result.lanes) {
    const double energy = lane.energy.value().in(joule);
    reported += energy;
    for (const auto& [mode, time] : lane.mode_time) moded += time.in(second);
    balance = std::abs((lane.own_energy + lane.grid_energy).in(joule)-energy);
    EXPECT_LE(balance, 1e-9 * energy) << lane.policy;
    EXPECT_LE(lane.energy.low(), lane.energy.value());
    EXPECT_GE(lane.energy.high(), lane.energy.value());
    EXPECT_EQ(lane.energy.boundary(), Boundary::Facility);
  }
  EXPECT_NEAR(reported, joules, 1e-9 * joules);
  EXPECT_NEAR(moded, seconds, 1e-6);
}

TEST(Summarise, BestIsTheCheapestThatReachedTheTargetWithoutTheBound) {
  const RunResult result = summarise(sample::run());
  const LaneResult* best = result.lane(result.best);
  ASSERT_NE(best, nullptr);
  EXPECT_NE(result.best, "oracle");
  EXPECT_EQ(result.bound.policy, "oracle");
  for (const LaneResult& lane : result.lanes) {
    if (lane.outcome != "target-reached") continue;
    if (lane.policy != "oracle") {
      EXPECT_LE(best->cost.value(), lane.cost.value()) << lane.policy;
    }
    if (lane.policy.starts_with("fixed:")) {
      EXPECT_LE(result.lane(result.best_fixed)->cost.value(), lane.cost.value());
    }
  }
  // A cheaper lane that missed must not win.
  const LaneResult* missed = result.lane("fixed:int4");
  EXPECT_EQ(missed->outcome, "deadline-missed");
  EXPECT_LT(missed->cost.value(), best->cost.value());
}

TEST(Summarise, RefusesRowsThatContradictTheSlots) {
  const char* figures[] = {"energy_j", "carbon_g", "cost_eur"};
  const char* plain[] = {"own_energy_j", "grid_energy_j", "curtailed_j", "exported_j"};
  for (const char* key : figures) {
    auto entries = sample::run(small());
    edit(end_of(entries, "grid-f32"), [&](Json& row) {
      row[key]["value"] = row[key]["value"].get<double>() * (1 + 3e-9);
      row[key]["high"] = row[key]["value"].get<double>() * 2;
    });
    EXPECT_THAT(error_of(entries), HasSubstr(key));
    EXPECT_THAT(error_of(entries), HasSubstr("grid-f32"));
  }
  for (const char* key : plain) {
    auto entries = sample::run(small());
    edit(end_of(entries, "grid-f32"),
         [&](Json& row) { row[key] = row[key].get<double>() * (1 - 3e-9) - 1; });
    EXPECT_THAT(error_of(entries), HasSubstr(key));
    edit(end_of(entries, "grid-f32"), [&](Json& row) { row.erase(key); });
    EXPECT_THAT(error_of(entries), HasSubstr(key));
  }
}

TEST(Summarise, ForgivesRounding) {
  auto entries = sample::run(small());
  edit(end_of(entries, "grid-f32"), [&](Json& row) {
    row["energy_j"]["value"] = row["energy_j"]["value"].get<double>() * (1 + 3e-13);
  });
  EXPECT_EQ(error_of(entries), "");
}

TEST(Summarise, RefusesIntervalsThatMissTheirValue) {
  auto entries = sample::run(small());
  edit(end_of(entries, "cpt"),
       [](Json& row) { row["energy_j"]["low"] = row["energy_j"]["value"].get<double>() * 1.01; });
  EXPECT_THAT(error_of(entries), HasSubstr("low <= value"));
  entries = sample::run(small());
  edit(end_of(entries, "cpt"), [](Json& row) { row["energy_j"]["origin"] = "guessed"; });
  EXPECT_THAT(error_of(entries), HasSubstr("origin"));
}

TEST(Summarise, RefusesEntriesThatAreNoRun) {
  const auto whole = sample::run(small());
  EXPECT_THAT(error_of({}), HasSubstr("empty"));
  EXPECT_NE(error_of({whole.begin() + 1, whole.end()}), "");          // no header
  EXPECT_NE(error_of({whole[0], whole[2]}), "");                      // slot outside a lane
  EXPECT_NE(error_of({whole[0], whole[1], whole[2], whole[2]}), "");  // the same slot twice
  EXPECT_NE(error_of({whole[0], whole[0]}), "");                      // two headers
  EXPECT_NE(error_of({whole[0], whole[1], whole[1]}), "");            // a lane in a lane
  EXPECT_NE(error_of({whole[0], whole[1], ledger::LaneEnd{"other", "infeasible", "", "{}"}}), "");
  EXPECT_NE(error_of({whole[0], whole[1], ledger::RunEnd{"{}"}}), "");  // ends inside a lane
  auto doubled = whole;
  doubled.insert(doubled.end() - 1, ledger::LaneBegin{"grid-f32"});
  EXPECT_NE(error_of(doubled), "");
  auto broken = whole;
  std::get<ledger::SlotEntry>(broken[2]).grid = std::nan("") * joule;
  EXPECT_NE(error_of(broken), "");
  broken = whole;
  std::get<ledger::RunBegin>(broken[0]).facts_json = "[1]";
  EXPECT_THAT(error_of(broken), HasSubstr("facts"));
  broken = whole;
  std::get<ledger::RunBegin>(broken[0]).facts_json = R"({"modes":[{"bits":"eight"}]})";
  EXPECT_THAT(error_of(broken), HasSubstr("bits"));
  broken = whole;
  end_of(broken, "cpt").result_json = "{";
  EXPECT_THAT(error_of(broken), HasSubstr("cpt"));
}

TEST(Summarise, ChecksTheEndOfTheRun) {
  auto entries = sample::run();
  const RunResult result = summarise(entries);
  const double cost = result.bound.cost_eur;
  std::get<ledger::RunEnd>(entries.back()).result_json = Json{
      {"best", result.best},
      {"best_fixed", result.best_fixed},
      {"bound", {{"policy", "oracle"}, {"cost_eur", cost}}}}.dump();
  EXPECT_EQ(error_of(entries), "");
  std::get<ledger::RunEnd>(entries.back()).result_json = R"({"best":"grid-f32"})";
  EXPECT_THAT(error_of(entries), HasSubstr("best"));
  std::get<ledger::RunEnd>(entries.back()).result_json = R"({"best":"nobody"})";
  EXPECT_THAT(error_of(entries), HasSubstr("nobody"));
  std::get<ledger::RunEnd>(entries.back()).result_json =
      Json{{"bound", {{"policy", "oracle"}, {"cost_eur", cost * 1.1}}}}.dump();
  EXPECT_THAT(error_of(entries), HasSubstr("bound"));
  // A proven bound below what the oracle's lane carried out is fine, and the lane has a regret.
  std::get<ledger::RunEnd>(entries.back()).result_json =
      Json{{"bound", {{"policy", "oracle"}, {"cost_eur", cost * 0.8}}}}.dump();
  const RunResult loose = summarise(entries);
  EXPECT_EQ(regret_text(*loose.lane("oracle"), loose.bound), "+25");
  EXPECT_EQ(regret_text(*result.lane("oracle"), result.bound), "bound");
  EXPECT_EQ(regret_text(*result.lane("cpt"), result.bound), "-");  // missed
}

TEST(Summarise, TellsOfAnInterruptedRun) {
  sample::Options options = small();
  options.interrupted = true;
  const RunResult result = summarise(sample::run(options));
  EXPECT_FALSE(result.complete);
  EXPECT_FALSE(result.lanes.back().finished);
  EXPECT_EQ(result.lanes.back().outcome, "unfinished");
  EXPECT_GT(result.lanes.back().energy.value().in(joule), 0);
  EXPECT_THAT(answer(result, read_facts(result.facts_json)).front(), HasSubstr("interrupted"));
}

RC_GTEST_PROP(Summarise, AnyPrefixOfARunGivesAResult, ()) {
  static const std::vector<ledger::Entry> whole = sample::run(small());
  const auto length = *rc::gen::inRange<std::size_t>(1, whole.size());
  const RunResult result = summarise({whole.begin(), whole.begin() + static_cast<long>(length)});
  RC_ASSERT(!result.complete);
  RC_ASSERT(result.lanes.size() == result.series.size());
  RC_ASSERT(!to_html(result).empty());
  RC_ASSERT(!to_terminal(result, 80, false).empty());
  RC_ASSERT(!to_json(result).empty());
}

TEST(Answer, SpeaksOfTheRivalAndTheBound) {
  const RunResult result = summarise(sample::run());
  std::string all;
  for (const auto& sentence : answer(result, read_facts(result.facts_json))) all += sentence + "\n";
  EXPECT_THAT(all, HasSubstr("Against its best rival, " + best_rival(result)->policy));
  EXPECT_THAT(all, HasSubstr("The bound is oracle"));
  EXPECT_THAT(all, HasSubstr("floor 97.0 %"));
}

TEST(Answer, ConfessesWhenAdaptiveLosesOrNobodyWins) {
  sample::Options options;
  options.minimum_quality = 0.975;  // adaptive of the sample misses it
  const RunResult result = summarise(sample::run(options));
  std::string all;
  for (const auto& sentence : answer(result, read_facts(result.facts_json))) all += sentence + "\n";
  EXPECT_THAT(all, HasSubstr("adaptive did not reach the target"));
  options.minimum_quality = 0.999;
  const RunResult none = summarise(sample::run(options));
  EXPECT_EQ(none.best, "");
  EXPECT_THAT(answer(none, read_facts(none.facts_json)).front(),
              HasSubstr("No policy reached the target"));
}

TEST(Words, LeaveOutAnIntervalThatSaysNothing) {
  LaneResult lane;
  lane.quality_metric = "accuracy";
  lane.quality = 0.973;
  lane.quality_low = 0;
  lane.quality_high = 1;
  EXPECT_EQ(interval_text(lane), "97.3 %");
  lane.quality_low = 0.961;
  lane.quality_high = 0.985;
  EXPECT_EQ(interval_text(lane), "97.3 ± 1.2 %");
}

TEST(Words, ChooseUnitsAndDigits) {
  EXPECT_EQ(energy_text(3.6e9), "1.00 MWh");
  EXPECT_EQ(energy_text(500), "500 J");
  EXPECT_EQ(energy_text(0), "0 Wh");
  EXPECT_EQ(carbon_text(1500), "1.50 kg");
  EXPECT_EQ(money_text(12.345), "12.35 EUR");
  EXPECT_EQ(money_text(-1234.4), "-1,234 EUR");
  EXPECT_EQ(time_text(90), "90.0 s");
  EXPECT_EQ(time_text(36000), "10.0 h");
  EXPECT_EQ(time_text(30 * 86400.0), "30.0 d");
  EXPECT_EQ(change_text(1.5, 1), "+50 %");
  EXPECT_EQ(change_text(1, 0), "n/a");
}

}  // namespace
}  // namespace carnot::report
