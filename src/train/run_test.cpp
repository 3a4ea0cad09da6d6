// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/run.hpp"

#include <chrono>
#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/store.hpp"

#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using nlohmann::json;
using testing::all;
using ::testing::HasSubstr;
using testing::message;
using testing::tiny;

RunOptions options(std::vector<std::string> policies = {}) {
  RunOptions o;
  o.policies = std::move(policies);
  return o;
}

/// A row without what the machine measured.
json row(const ledger::LaneEnd& end) {
  json r = json::parse(end.result_json);
  r.erase("measured");
  return r;
}

void expect_same(const std::vector<ledger::Entry>& a, const std::vector<ledger::Entry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::holds_alternative<ledger::RunBegin>(a[i])) continue;
    if (const auto* end = std::get_if<ledger::LaneEnd>(&a[i])) {
      ASSERT_TRUE(std::holds_alternative<ledger::LaneEnd>(b[i]));
      EXPECT_EQ(row(*end), row(std::get<ledger::LaneEnd>(b[i])));
    } else {
      EXPECT_EQ(ledger::encode(a[i]), ledger::encode(b[i])) << i;
    }
  }
}

TEST(Run, EveryPolicyLeavesALaneAndTheSumsOfItsSlots) {
  const RunSummary run = run_scenario(tiny(), options());
  EXPECT_TRUE(run.complete);
  EXPECT_TRUE(run.any_target_reached);
  const auto ends = all<ledger::LaneEnd>(run.entries);
  ASSERT_EQ(ends.size(), 14u);
  EXPECT_EQ(ends.back().policy, "oracle");
  const auto sums = ledger::totals(run.entries);
  ASSERT_EQ(sums.size(), ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const json r = json::parse(ends[i].result_json);
    const double energy = r["energy_j"]["value"];
    EXPECT_NEAR(r["own_energy_j"].get<double>() + r["grid_energy_j"].get<double>(), energy,
                1e-9 * energy);
    EXPECT_NEAR(energy / sums[i].facility.in(joule), 1.0, 1e-12);
    double seconds = 0.0;
    for (const auto& [mode, time] : r["mode_seconds"].items()) seconds += time.get<double>();
    EXPECT_NEAR(seconds, r["duration_s"].get<double>(), 1e-6);
    EXPECT_EQ(r["cap_violations"], 0);
    EXPECT_LE(r["balance_residual"].get<double>(), 1e-9);
    EXPECT_LE(r["steps"].get<std::uint64_t>(), 42u);
  }
}

TEST(Run, RowsKeepTheContract) {
  const RunSummary run = run_scenario(tiny(), options({"fixed:int8", "adaptive", "oracle"}));
  for (const ledger::LaneEnd& end : all<ledger::LaneEnd>(run.entries)) {
    const json r = json::parse(end.result_json);
    for (const char* key : {"policy", "outcome"}) EXPECT_TRUE(r.at(key).is_string()) << key;
    EXPECT_THAT(std::vector<std::string>({"target-reached", "deadline-missed", "infeasible"}),
                ::testing::Contains(r["outcome"].get<std::string>()));
    for (const char* key : {"duration_s", "own_energy_j", "grid_energy_j", "curtailed_j",
                            "exported_j", "bits_learned", "bits_per_j", "times_above_landauer",
                            "cap_violations", "balance_residual"})
      EXPECT_TRUE(r.at(key).is_number()) << key;
    for (const char* key : {"energy_j", "carbon_g", "cost_eur"}) {
      const json& figure = r.at(key);
      for (const char* part : {"value", "low", "high"}) EXPECT_TRUE(figure.at(part).is_number());
      EXPECT_LE(figure["low"], figure["value"]);
      EXPECT_GE(figure["high"], figure["value"]);
      EXPECT_EQ(figure["origin"], "modelled");
      EXPECT_EQ(figure["boundary"], "facility");
      EXPECT_FALSE(figure["sources"].empty());
    }
    EXPECT_TRUE(r.at("quality").at("certified").is_boolean());
    EXPECT_TRUE(r.at("mode_seconds").is_object());
    const double energy = r["energy_j"]["value"], bits = r["bits_learned"];
    EXPECT_GT(bits, 0.0);
    EXPECT_NEAR(r["bits_per_j"].get<double>() / (bits / energy), 1.0, 1e-12);
    const double landauer = 1.380649e-23 * 300.0 * std::log(2.0) * bits;
    EXPECT_NEAR(r["times_above_landauer"].get<double>() / (energy / landauer), 1.0, 1e-9);
  }
  const json comparison = json::parse(all<ledger::RunEnd>(run.entries).at(0).result_json);
  EXPECT_TRUE(comparison.at("best").is_string());
  EXPECT_LE(comparison.at("bound").at("proven_cost_eur").get<double>(),
            comparison.at("bound").at("cost_eur").get<double>() * (1 + 1e-9));
}

TEST(Run, SameSeedSameEntriesForAnyThreads) {
  const std::vector<std::string> policies{"fixed:f32", "fixed:int4", "adaptive"};
  const RunSummary once = run_scenario(tiny(), options(policies));
  RunOptions threads = options(policies);
  threads.threads = 3;
  expect_same(once.entries, run_scenario(tiny(), threads).entries);
  const RunSummary other = run_scenario(tiny({"seed=6"}), options(policies));
  EXPECT_NE(row(all<ledger::LaneEnd>(once.entries)[0]),
            row(all<ledger::LaneEnd>(other.entries)[0]));
}

TEST(Run, IntegerPoliciesAreTheSameOnEveryInstructionSet) {
  const std::string present = learn::instruction_set();
  std::optional<RunSummary> first;
  for (const char* set : {"scalar", "avx2", "avx512-vnni"}) {
    try {
      learn::set_instruction_set(set);
    } catch (const InputError&) {
      continue;  // not on this machine
    }
    const RunSummary run = run_scenario(tiny({"work.learner=mlp", "work.hidden=16"}),
                                        options({"fixed:int8", "fixed:int4", "cpt"}));
    if (first)
      expect_same(first->entries, run.entries);
    else
      first = run;
  }
  learn::set_instruction_set(present);
  ASSERT_TRUE(first);
}

TEST(Run, AWallClockPacesAndChangesNoFigure) {
  const site::Scenario s = tiny({"work.deadline_after=2 h"});
  const RunSummary jumped = run_scenario(s, options({"grid-f32"}));
  const double site_s =
      json::parse(all<ledger::LaneEnd>(jumped.entries)[0].result_json)["duration_s"];
  RunOptions paced = options({"grid-f32"});
  paced.speed = site_s / 0.5;
  const auto from = std::chrono::steady_clock::now();
  const RunSummary walked = run_scenario(s, paced);
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  EXPECT_GE(took, 0.5);
  EXPECT_LT(took, 0.5 * 1.2 + 0.5);  // the rest: preparing, on a busy machine
  expect_same(jumped.entries, walked.entries);
}

TEST(Run, AnImpossibleFloorIsRefusedBeforeAnyTraining) {
  int asked = 0;
  RunOptions o = options();
  o.interrupted = [&] { return ++asked > 0; };
  EXPECT_THAT(message<InputError>([&] { run_scenario(tiny({"work.minimum_quality=0.9999"}), o); }),
              ::testing::AllOf(HasSubstr("work.minimum_quality"), HasSubstr("cannot be certified"),
                               HasSubstr("held-out rows")));
  EXPECT_EQ(asked, 0);
}

TEST(Run, TooLittleTimeIsInfeasibleAndTooLittleCareIsAMissedDeadline) {
  const auto outcome = [](const std::vector<std::string>& set, const std::string& policy) {
    return all<ledger::LaneEnd>(run_scenario(tiny(set), options({policy})).entries).at(0).outcome;
  };
  EXPECT_EQ(outcome({"work.deadline_after=10 min", "work.full_speed_time=20 h"}, "grid-f32"),
            "infeasible");
  // int4 could have done it, f32 cannot.
  EXPECT_EQ(outcome({"work.deadline_after=2 h", "work.full_speed_time=2.2 h", "work.learner=mlp",
                     "work.minimum_quality=0.2"},
                    "fixed:f32"),
            "deadline-missed");
}

TEST(Run, PoliciesRunOnceEachAndUnknownOnesAreRefused) {
  const RunSummary run =
      run_scenario(tiny(), options({"grid-f32", "oracle", "grid-f32", "oracle"}));
  const auto ends = all<ledger::LaneEnd>(run.entries);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].policy, "grid-f32");
  EXPECT_EQ(ends[1].policy, "oracle");
  EXPECT_THAT(message<InputError>([] { run_scenario(tiny(), options({"adaptiv"})); }),
              HasSubstr("adaptive"));
  EXPECT_THAT(message<InputError>([] { run_scenario(tiny(), options({"fixed:int3"})); }),
              HasSubstr("int3"));
}

TEST(Run, TheOracleAloneSpeaksForItself) {
  const RunSummary run = run_scenario(tiny(), options({"oracle"}));
  EXPECT_TRUE(run.any_target_reached);
  EXPECT_EQ(all<ledger::LaneEnd>(run.entries).at(0).outcome, "target-reached");
}

TEST(Run, AJournalIsReplacedOnlyOnceTheInputIsSound) {
  const TemporaryFolder folder;
  RunOptions o = options({"grid-f32"});
  o.journal = folder.write("journal", "precious");
  EXPECT_THROW(run_scenario(tiny(), o), IoError);
  o.replace_journal = true;
  EXPECT_THROW(run_scenario(tiny({"work.data=nowhere.csv"}), o), InputFileError);
  EXPECT_EQ(std::filesystem::file_size(o.journal), 8u);
  run_scenario(tiny(), o);
  EXPECT_TRUE(
      std::holds_alternative<ledger::RunEnd>(ledger::read_journal(o.journal).entries.back()));
}

TEST(Run, FilesBesideTheScenarioAreFound) {
  const TemporaryFolder folder;
  std::string rows = "a,b,label\n";
  for (int i = 0; i < 400; ++i)
    rows += std::to_string(i % 7) + "," + std::to_string(i % 2) + "," +
            (i % 2 == 0 ? "no" : "yes") + "\n";
  folder.write("rows.csv", rows);
  const std::string path = folder.write("s.toml", testing::kTiny);
  const site::Scenario s =
      site::read_scenario(path, {"work.data=rows.csv", "work.minimum_quality=0.5"});
  const RunSummary run = run_scenario(s, options({"grid-f32"}));
  EXPECT_TRUE(run.complete);
}

}  // namespace
}  // namespace carnot::train
