// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/ledger/journal/journal.hpp"
#include "carnot/report/run/result.hpp"

#include "report/draw/html.hpp"
#include "report/draw/testing_markup.hpp"
#include "report/run/facts.hpp"
#include "report/run/figures.hpp"
#include "report/run/testing_run.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Page, IsWellFormedAndNeedsNothingFromOutside) {
  const std::string page = to_html(summarise(sample::run()));
  expect_sound(page);
  for (const char* heading :
       {"Policies side by side", "What each policy took", "Power, precision and learning over time",
        "Quality over energy", "The learning cycle", "From joules spent to the limit",
        "Where the figures come from", "Do it again"}) {
    EXPECT_THAT(page, HasSubstr(heading));
  }
  EXPECT_THAT(page, HasSubstr("carnot run north_sea.toml --seed 7"));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(page, HasSubstr("@media print"));
}

TEST(Page, CheckerSeesFaults) {
  EXPECT_NE(fault_of("<!DOCTYPE html>\n<p>a"), "");
  EXPECT_NE(fault_of("<!DOCTYPE html>\n<p><b>a</p></b>"), "");
  EXPECT_NE(fault_of("<!DOCTYPE html>\n<p>a & b</p>"), "");
  EXPECT_NE(fault_of("<!DOCTYPE html>\n<p class=x>a</p>"), "");
  EXPECT_NE(fault_of("<!DOCTYPE html>\n<p id=\"a\">a</p><p id=\"a\">b</p>"), "");
  EXPECT_EQ(fault_of("<!DOCTYPE html>\n<p class=\"x\">a &amp; b<br></p>"), "");
}

TEST(Page, EveryFigureHasACaptionThatSaysOrigin) {
  const std::string page = to_html(summarise(sample::run()));
  std::size_t figures = 0;
  for (std::size_t at = page.find("<figure>"); at != std::string::npos;
       at = page.find("<figure>", at + 1)) {
    ++figures;
    const std::size_t caption = page.find("<figcaption>", at);
    ASSERT_NE(caption, std::string::npos);
    const std::string words = page.substr(caption, page.find("</figcaption>", caption) - caption);
    EXPECT_THAT(words, testing::AnyOf(HasSubstr("odelled"), HasSubstr("easured"))) << words;
  }
  EXPECT_GE(figures, 11U + 4U);
}

TEST(Page, EscapesHostileText) {
  sample::Options options;
  const std::string evil = "</title></script><script>alert(1)</script>\" onload='x' & \x1b \xFF";
  options.scenario = evil;
  options.scenario_text = evil;
  options.note = "<img src=x>";
  options.policies = {"grid-f32", "<b onclick=\"x\">", "fixed:int8"};
  const std::string page = to_html(summarise(sample::run(options)));
  EXPECT_EQ(fault_of(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<b onclick")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(Page, SurvivesShortEmptyAndInterruptedRuns) {
  const auto entries = sample::run();
  expect_sound(to_html(summarise({entries[0]})));
  expect_sound(to_html(summarise({entries[0], entries[1]})));
  expect_sound(to_html(summarise({entries[0], entries[1], entries[2]})));
  sample::Options options;
  options.slots = 1;
  expect_sound(to_html(summarise(sample::run(options))));
  options.slots = 576;
  options.interrupted = true;
  const std::string page = to_html(summarise(sample::run(options)));
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("class=\"warning\">This run was interrupted"));
  auto bare = sample::run();
  std::get<ledger::RunBegin>(bare[0]).facts_json.clear();
  expect_sound(to_html(summarise(bare)));
}

TEST(Page, StaysSmallForLongRuns) {
  sample::Options options;
  options.slots = 20'000;
  options.slot_s = 8.64;
  options.policies.push_back("fixed:f32-again");
  const RunResult result = summarise(sample::run(options));
  EXPECT_EQ(result.lanes.size(), 12U);
  const std::string page = to_html(result);
  EXPECT_LT(page.size(), 1'500'000U);
  EXPECT_GT(page.size(), 100'000U);
}

std::map<std::string, double> bar_widths(const std::string& figure) {
  std::map<std::string, double> widths;
  const std::regex bar(
      R"re(<rect class="f[^"]*" x="[-0-9.]+" y="[0-9.]+" width="([0-9.]+)"[^>]*><title>([^<]*): )re");
  for (std::sregex_iterator it(figure.begin(), figure.end(), bar), end; it != end; ++it) {
    widths[(*it)[2]] = std::stod((*it)[1]);
  }
  return widths;
}

TEST(Bars, AreAsLongAsTheirValues) {
  const RunResult result = summarise(sample::run());
  const Bars bars{"Cost", "EUR", 1, [](const LaneResult& l) { return l.cost.value().in(euro); },
                  result.bound.cost_eur};
  const std::string figure = bars_figure(result, bars);
  const auto widths = bar_widths(figure);
  ASSERT_EQ(widths.size(), result.lanes.size());
  double most = 0;
  for (const LaneResult& lane : result.lanes) most = std::max(most, lane.cost.value().in(euro));
  const double longest = 280;  // of the figure's 460
  for (const LaneResult& lane : result.lanes) {
    EXPECT_NEAR(widths.at(lane.policy), longest * lane.cost.value().in(euro) / most, 0.11)
        << lane.policy;
  }
  std::smatch bound;
  ASSERT_TRUE(std::regex_search(figure, bound, std::regex(R"re(class="bound" x1="([0-9.]+)")re")));
  EXPECT_NEAR(std::stod(bound[1]) - 112, longest * result.bound.cost_eur / most, 0.11);
}

/// Area under a path of M, H, V commands down to its base line.
double area_of(const std::string& commands) {
  double area = 0;
  const std::regex piece(R"re(([MHV])([-0-9.]+)(?: ([-0-9.]+))?|Z)re");
  double x = 0, y = 0, base = 0;
  for (std::sregex_iterator it(commands.begin(), commands.end(), piece), end; it != end; ++it) {
    const std::string kind = (*it)[1];
    if (kind == "M") {
      x = std::stod((*it)[2]);
      y = base = std::stod((*it)[3]);
    } else if (kind == "H") {
      const double to = std::stod((*it)[2]);
      area += (to - x) * (base - y);
      x = to;
    } else if (kind == "V") {
      y = std::stod((*it)[2]);
    }
  }
  return area;
}

TEST(TimeFigure, AreasAreTheEnergiesOfTheSlots) {
  for (const double slot_s : {300.0, 30.0}) {  // fits the buckets; has to be averaged
    sample::Options options;
    options.slot_s = slot_s;
    options.slots = static_cast<int>(172800 / slot_s);
    const RunResult result = summarise(sample::run(options));
    const Facts facts = read_facts(result.facts_json);
    const Stage stage = stage_of(result, facts);
    for (std::size_t i = 0; i < result.lanes.size(); ++i) {
      const LaneResult& lane = result.lanes[i];
      const std::string figure = time_figure(lane, result.series[i], facts, stage);
      std::map<std::string, double> area;  // each layer reaches down to the base
      const std::regex path(R"re(<path class="([a-z]+)" d="([^"]*)")re");
      for (std::sregex_iterator it(figure.begin(), figure.end(), path), end; it != end; ++it) {
        area.try_emplace((*it)[1], area_of((*it)[2]));
      }
      const double hall = lane.energy.value().in(joule);
      const double all = hall + lane.exported.in(joule) + lane.curtailed.in(joule);
      double charged = 0;
      for (std::size_t k = 0; k < result.series[i].start.size(); ++k) {
        charged += result.series[i].charged_w[k] * result.series[i].length_s[k];
      }
      ASSERT_TRUE(area.contains("curtailed")) << lane.policy;
      const double scale = area["curtailed"] / (all + charged);
      const double direct = (lane.own_energy - lane.battery_energy).in(joule);
      EXPECT_NEAR(area["own"], direct * scale, 0.01 * area["curtailed"]) << lane.policy;
      EXPECT_NEAR(area["exported"], (hall + charged + lane.exported.in(joule)) * scale,
                  0.005 * area["curtailed"])
          << lane.policy;
    }
  }
}

TEST(TimeFigure, HasAPanelForTheHallWhereTheSiteDwarfsIt) {
  const auto drawn = [](double farm_w) {
    sample::Options options;
    options.farm_w = farm_w;
    options.export_w = 0.6 * farm_w;
    const RunResult result = summarise(sample::run(options));
    const Facts facts = read_facts(result.facts_json);
    return time_figure(result.lanes[0], result.series[0], facts, stage_of(result, facts));
  };
  EXPECT_THAT(drawn(4e7), HasSubstr("of it, computing, kW"));
  EXPECT_THAT(drawn(1e6), Not(HasSubstr("of it, computing")));
}

TEST(Ladder, GoesDownFromFacilityToLandauer) {
  const RunResult result = summarise(sample::run());
  const LaneResult& lane = *result.lane("fixed:int8");
  const auto rungs = ladder(lane, read_facts(result.facts_json));
  ASSERT_EQ(rungs.size(), 6U);
  for (std::size_t i = 1; i < rungs.size(); ++i) {
    EXPECT_LT(rungs[i].joules, rungs[i - 1].joules) << rungs[i].name;
  }
  EXPECT_EQ(rungs.front().joules, lane.energy.value().in(joule));
  // IT power is the facility's over the sample's PUE of 1.12.
  EXPECT_NEAR(rungs[1].joules * 1.12, rungs[0].joules, 1e-9 * rungs[0].joules);
  // The last rung is k_B T ln 2 (CODATA 2018, exact) per bit learned.
  EXPECT_NEAR(rungs.back().joules, 1.380649e-23 * 293.15 * std::log(2.0) * lane.bits_learned,
              1e-9 * rungs.back().joules);
  EXPECT_TRUE(ladder(LaneResult{}, Facts{}).size() < 2);
}

TEST(Tabs, WorkWithoutScriptsAndPrintWhatMatters) {
  const RunResult result = summarise(sample::run());
  const std::string page = to_html(result);
  EXPECT_THAT(page, HasSubstr("#lane0:checked~.lane0{display:block}"));
  std::size_t printed = 0, checked = 0;
  for (std::size_t at = page.find(" print\">"); at != std::string::npos;
       at = page.find(" print\">", at + 1)) {
    ++printed;
  }
  for (std::size_t at = page.find(" checked>"); at != std::string::npos;
       at = page.find(" checked>", at + 1)) {
    ++checked;
  }
  EXPECT_EQ(checked, 1U);
  EXPECT_EQ(printed, std::set<std::string>({result.best, result.best_fixed, "grid-f32"}).size());
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

/// Writes sample reports where CARNOT_SAMPLE_OUT says, for looking at them; CARNOT_SAMPLE_JOURNAL
/// adds the report of a journal.
TEST(SamplePage, IsWrittenOnRequest) {
  const char* folder = std::getenv("CARNOT_SAMPLE_OUT");
  if (folder == nullptr) {
    GTEST_SKIP() << "set CARNOT_SAMPLE_OUT=/some/folder to have sample reports written there";
  }
  const std::string base = folder;
  if (const char* journal = std::getenv("CARNOT_SAMPLE_JOURNAL"); journal != nullptr) {
    const RunResult real = summarise(ledger::read_journal(journal).entries);
    write(base + "/journal.html", to_html(real));
    write(base + "/journal.txt", to_terminal(real, 80, false));
  }
  const RunResult result = summarise(sample::run());
  write(base + "/sample.html", to_html(result));
  write(base + "/sample.json", to_json(result));
  for (const int width : {60, 80, 120, 200}) {
    write(base + "/sample" + std::to_string(width) + ".txt", to_terminal(result, width, false));
  }
  sample::Options options;
  options.interrupted = true;
  write(base + "/interrupted.html", to_html(summarise(sample::run(options))));
  options = {};
  options.farm_w = 4e7;
  options.export_w = 3.2e7;
  write(base + "/large_farm.html", to_html(summarise(sample::run(options))));
}

}  // namespace
}  // namespace carnot::report
