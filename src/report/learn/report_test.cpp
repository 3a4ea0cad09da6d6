// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/report.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/learn/words.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A small sweep with real learners; made once.
const experiment::ExperimentResult& sample() {
  static const experiment::ExperimentResult result = [] {
    experiment::ExperimentOptions o;
    o.data.path = "digits";
    o.learner.hidden = 8;
    o.learner.epochs = 2.0;
    o.bits = {"f32", "int8"};
    o.curve_points = 4;
    o.command = "carnot learn digits --bits 32,8 <b>";
    return experiment::run_experiment(o);
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
  experiment::ExperimentResult r = sample();
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

TEST(LearnTerminal, DropsColumnsBeforeItCutsNames) {
  const std::string wide = to_terminal(sample(), 200, false);
  for (const char* head :
       {"accuracy, % (90 %)", "energy", "model", "labels", "net learned", "Mbit/J", "stopped"})
    EXPECT_THAT(wide, HasSubstr(head));
  const std::string narrow = to_terminal(sample(), 60, false);
  EXPECT_THAT(narrow, Not(HasSubstr("stopped\n")));
  EXPECT_THAT(narrow, HasSubstr("net learned"));
  experiment::ExperimentResult r = sample();
  r.points[0].precision = std::string(70, 'x');
  const std::string cut = to_terminal(r, 60, false);
  EXPECT_THAT(cut, Not(HasSubstr("net learned  ")));
  EXPECT_THAT(cut, HasSubstr("xxx~  "));
  EXPECT_THAT(cut, HasSubstr("> ")) << "the best run is marked";
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

TEST(LearnWords, SpellWidthsOut) {
  EXPECT_EQ(precision_text("4"), "int4");
  EXPECT_EQ(precision_text("16"), "bf16");
  EXPECT_EQ(precision_text("4>8@0.5>32@0.9"), "int4>int8@0.5>f32@0.9");
  EXPECT_EQ(precision_text("d2w4g4"), "d2w4g4");
}

TEST(LearnWords, NameRunsByWhatDiffers) {
  experiment::ExperimentResult r = sample();
  EXPECT_EQ(run_names(r), (std::vector<std::string>{"f32", "int8"}));
  r.points[1].seed = 7;
  EXPECT_EQ(run_names(r), (std::vector<std::string>{"f32, seed 1", "int8, seed 7"}));
  r.points[1].hidden = 9;
  r.points[0].epochs = 2.5;
  EXPECT_EQ(run_names(r)[0], "f32, 8 hidden, 2.5 epochs, seed 1");
}

TEST(LearnWords, SayWhatWasLearnedAndWhatWasMissed) {
  experiment::ExperimentResult r = sample();
  learn::CodeLengths& l = r.points[r.best].lengths;
  l.uniform = 5000.0;
  l.model = 1000.0;
  l.data = 500.0;
  l.learned_net = 3500.0;
  EXPECT_THAT(finding(r), HasSubstr("Of 5 kbit of training labels it learned 3.5 kbit, net of"));
  l.data = 4500.0;
  l.learned_net = -500.0;
  EXPECT_THAT(finding(r), HasSubstr("explains 500 bit of 5 kbit"));
  EXPECT_THAT(finding(r), HasSubstr("nothing was learned"));
  l.data = 5100.0;
  l.learned_net = -1100.0;
  EXPECT_THAT(finding(r), HasSubstr("explains nothing"));
  EXPECT_THAT(finding(r), Not(HasSubstr("target")));
  r.target = 0.99;
  EXPECT_THAT(finding(r), HasSubstr("The target of 0.99 was not certified"));
}

TEST(LearnWords, ScaleWithTheirSize) {
  EXPECT_EQ(joules_text(0.0123), "12.3 mJ");
  EXPECT_EQ(joules_text(4.5e-7), "450 nJ");
  EXPECT_EQ(joules_text(1000.0), "1 kJ");
  EXPECT_EQ(joules_text(999.7e-6), "1 mJ") << "never 1e+03 uJ";
  EXPECT_EQ(bits_text(12400.0), "12.4 kbit");
  EXPECT_EQ(bits_text(-40.0), "-40 bit");
  EXPECT_EQ(bits_text(std::nan("")), "n/a");
}

}  // namespace
}  // namespace carnot::report
