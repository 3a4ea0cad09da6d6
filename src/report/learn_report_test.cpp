// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn_report.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/learn_words.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A small sweep with real learners; made once.
const run::ExperimentResult& sample() {
  static const run::ExperimentResult result = [] {
    run::ExperimentOptions o;
    o.data.path = "digits";
    o.learner.hidden = 8;
    o.learner.epochs = 2.0;
    o.bits = {"f32", "int8"};
    o.curve_points = 4;
    o.command = "carnot learn digits --bits 32,8 <b>";
    return run::run_experiment(o);
  }();
  return result;
}

TEST(LearnJson, HoldsEveryKeyOfTheContract) {
  const auto j = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ(j["schema"], "carnot.learn/1");
  for (const char* key : {"carnot", "seed", "started", "command", "task", "learner", "knobs",
                          "quality", "steps", "operations", "bytes_moved", "energy_j", "seconds",
                          "bits", "cycle", "stopped", "points", "k_star"})
    EXPECT_TRUE(j.contains(key)) << key;
  for (const char* key : {"metric", "value", "low", "high", "split"})
    EXPECT_TRUE(j["quality"].contains(key)) << key;
  for (const char* key : {"value", "low", "high", "origin", "boundary", "sources"})
    EXPECT_TRUE(j["energy_j"].contains(key)) << key;
  for (const char* key : {"uniform", "data", "model", "two_part", "prequential", "learned_net"})
    EXPECT_TRUE(j["bits"][key].is_number()) << key;
  EXPECT_EQ(j["energy_j"]["origin"], "modelled");
  EXPECT_EQ(j["energy_j"]["boundary"], "chip");
  ASSERT_EQ(j["points"].size(), 2u);
  double best = 0.0, sum = 0.0;
  for (const auto& p : j["points"]) best = std::max(best, p["quality"]["value"].get<double>());
  EXPECT_EQ(j["quality"]["value"], best);
  ASSERT_EQ(j["cycle"]["legs"].size(), 4u);
  for (const auto& leg : j["cycle"]["legs"]) {
    for (const char* key :
         {"leg", "entropy_bits_from", "entropy_bits_to", "energy_j", "temperature_k"})
      EXPECT_TRUE(leg.contains(key)) << key;
    sum += leg["energy_j"].get<double>();
  }
  EXPECT_NEAR(sum / j["energy_j"]["value"].get<double>(), 1.0, 1e-9);
  EXPECT_GT(j["points"][1]["operations"]["int8_mac"], 0);
  EXPECT_EQ(j["points"][0]["operations"]["int8_mac"], 0);
  EXPECT_TRUE(j["measured_energy_j"].is_null());
  const auto& star = j["structure"]["points"][j["structure"]["k_star_index"].get<std::size_t>()];
  EXPECT_EQ(star["model_bits"], j["k_star"]);
  EXPECT_TRUE(star["on_hull"]);
}

TEST(LearnJson, WritesWhatIsNoNumberAsNull) {
  run::ExperimentResult r = sample();
  r.points[r.best].lengths.prequential = std::nan("");
  const auto j = nlohmann::json::parse(to_json(r));
  EXPECT_TRUE(j["bits"]["prequential"].is_null());
  EXPECT_TRUE(j["target"].is_null());
}

TEST(LearnTerminal, StaysInItsWidthAndColoursOnlyWhenAsked) {
  for (const int width : {60, 80, 140}) {
    const std::string text = to_terminal(sample(), width, false);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      if (line.find(' ') != std::string::npos) {
        EXPECT_LE(line.size(), static_cast<std::size_t>(width));
      }
      begin = end + 1;
    }
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, HasSubstr("k* = "));
  }
  EXPECT_THAT(to_terminal(sample(), 120, true), HasSubstr("\x1b[1m"));
}

TEST(LearnPage, HasItsThreeFiguresAndNothingFromOutside) {
  const std::string page = to_html(sample());
  for (const char* title : {"Quality against energy", "Structure function", "Learning cycle", "k*"})
    EXPECT_THAT(page, HasSubstr(title));
  for (const char* outside : {"href=\"http", "url(", "<script", "src=", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;")) << "foreign text is escaped";
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(LearnWords, ScaleWithTheirSize) {
  EXPECT_EQ(joules_text(0.0123), "12.3 mJ");
  EXPECT_EQ(joules_text(4.5e-7), "450 nJ");
  EXPECT_EQ(joules_text(1000.0), "1 kJ");
  EXPECT_EQ(bits_text(12400.0), "12.4 kbit");
  EXPECT_EQ(bits_text(-40.0), "-40 bit");
  EXPECT_EQ(bits_text(std::nan("")), "n/a");
}

}  // namespace
}  // namespace carnot::report
