// SPDX-License-Identifier: Apache-2.0
#include "carnot/site/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/text.hpp"

#include "site/scenario_tables.hpp"

namespace carnot::site {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const fs::path kSource = CARNOT_SOURCE_DIR;

// Says every key, none of them with its default.
const std::string kFull = R"(name = "full"
seed = 42
slot = "15 min"
policies = ["grid-f32", "fixed:int8"]
energy_table = "energies.csv"

[site]
name = "moor"
export_limit = "60 MW"
import_limit = "30 MW"
computing_uses = "all-own"

[site.hall]
nodes = 40000
node_idle = "90 W"
node_peak = "0.7 kW"
node_suspended = "5 W"
fixed_overhead = 0.04
cooling_slope_per_k = 0.007
free_cooling_below = "18 degC"

[site.battery]
capacity = "40 MWh"
charge_limit = "10 MW"
discharge_limit = "12 MW"
charge_efficiency = 0.9
discharge_efficiency = 0.92
initial_charge = 0.25
self_discharge_per_day = 0.002
wear_cost = "40 EUR/MWh"

[signals]
power = { kind = "generated", source = "solar", scale = 2.0, capacity = "148 MW", tilt = 30 }
price = { kind = "sites-2023", column = "DE-LU", scale = 0.92, align = "calendar" }
export_price = "-5 EUR/MWh"
carbon = { kind = "csv", file = "c.csv", column = "mix", unit = "kg/MWh" }
temperature = { kind = "csv", file = "t.csv", column = "air", unit = "degC" }

[work]
learner = "softmax"
data = "a.gz"
labels = "b.gz"
test_data = "c.gz"
test_labels = "d.gz"
hidden = 32
batch = 16
epochs = 3.5
learning_rate = 0.3
momentum = 0.5
minimum_quality = 0.9
stop_when_certified = true
start = 2024-03-04T06:00:00Z
deadline_after = "96 h"
full_speed_time = "10 h"

[objective]
carbon_price = "100 EUR/t"
own_value = "6 EUR/MWh"
delay_price = "30 EUR/h"
)";

const std::string kSmallest = R"([signals]
power = "20 MW"
[work]
start = "2024-03-04"
)";

std::vector<std::string> problems_of(const std::string& text,
                                     const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> lines;
  try {
    parse_scenario(text, "s.toml", overrides);
  } catch (const InputError& error) {
    std::istringstream all(error.what());
    for (std::string line; std::getline(all, line);) lines.push_back(line);
  }
  return lines;
}

TEST(Scenario, ReadsEveryKey) {
  const Scenario s = parse_scenario(kFull, "s.toml");
  EXPECT_EQ(s.name, "full");
  EXPECT_EQ(s.file, "s.toml");
  EXPECT_EQ(s.text, kFull);
  EXPECT_EQ(s.seed, 42u);
  EXPECT_EQ(s.slot, Duration::seconds(900));
  EXPECT_THAT(s.policies, ElementsAre("grid-f32", "fixed:int8"));
  EXPECT_EQ(s.energy_table, "energies.csv");

  EXPECT_EQ(s.site.name, "moor");
  EXPECT_EQ(s.site.export_limit, 60.0 * megawatt);
  EXPECT_EQ(s.site.import_limit, 30.0 * megawatt);
  EXPECT_EQ(s.site.computing_uses, ComputingUses::AllOwn);
  EXPECT_EQ(s.site.hall.nodes, 40000.0);
  EXPECT_EQ(s.site.hall.node_idle, 90.0 * watt);
  EXPECT_EQ(s.site.hall.node_peak, 700.0 * watt);
  EXPECT_EQ(s.site.hall.node_suspended, 5.0 * watt);
  EXPECT_EQ(s.site.hall.fixed_overhead, 0.04);
  EXPECT_EQ(s.site.hall.cooling_slope_per_k, 0.007);
  EXPECT_NEAR(to_celsius(s.site.hall.free_cooling_below), 18.0, 1e-9);
  EXPECT_EQ(s.site.battery.capacity, 40.0 * megawatt_hour);
  EXPECT_EQ(s.site.battery.charge_limit, 10.0 * megawatt);
  EXPECT_EQ(s.site.battery.discharge_limit, 12.0 * megawatt);
  EXPECT_EQ(s.site.battery.charge_efficiency, 0.9);
  EXPECT_EQ(s.site.battery.discharge_efficiency, 0.92);
  EXPECT_EQ(s.site.battery.initial_charge, 0.25);
  EXPECT_EQ(s.site.battery.self_discharge_per_day, 0.002);
  EXPECT_NEAR(s.site.battery.wear_cost.in(euro_per_megawatt_hour), 40.0, 1e-9);

  EXPECT_EQ(s.power.kind, SignalKind::Generated);
  EXPECT_EQ(s.power.source, PowerSource::Solar);
  EXPECT_EQ(s.power.scale, 2.0);
  EXPECT_THAT(s.power.parameters,
              ElementsAre(testing::Pair("capacity", 148e6), testing::Pair("tilt", 30.0)));
  EXPECT_EQ(s.power.parameter_notes.at("capacity").text, "148 MW");
  EXPECT_EQ(s.power.parameter_notes.at("capacity").place.line, 33u);
  EXPECT_EQ(s.power.place.line, 33u);
  EXPECT_EQ(s.price.kind, SignalKind::Sites2023);
  EXPECT_EQ(s.price.column, "DE-LU");
  EXPECT_EQ(s.price.align, SignalAlignment::Calendar);
  EXPECT_EQ(s.export_price.kind, SignalKind::Constant);
  EXPECT_NEAR(s.export_price.constant, -5.0 / 3.6e9, 1e-20);
  EXPECT_EQ(s.carbon.kind, SignalKind::Csv);
  EXPECT_EQ(s.carbon.file, "c.csv");
  EXPECT_EQ(s.carbon.align, SignalAlignment::Instant);
  EXPECT_EQ(s.carbon.unit, "kg/MWh");
  EXPECT_EQ(s.temperature.unit, "degC");

  EXPECT_EQ(s.work.learner, "softmax");
  EXPECT_EQ(s.work.data + s.work.labels + s.work.test_data + s.work.test_labels,
            "a.gzb.gzc.gzd.gz");
  EXPECT_EQ(s.work.hidden, 32);
  EXPECT_EQ(s.work.batch, 16);
  EXPECT_EQ(s.work.epochs, 3.5);
  EXPECT_EQ(s.work.learning_rate, 0.3);
  EXPECT_EQ(s.work.momentum, 0.5);
  EXPECT_EQ(s.work.minimum_quality, 0.9);
  EXPECT_TRUE(s.work.stop_when_certified);
  EXPECT_EQ(s.work.start.iso8601(), "2024-03-04T06:00:00Z");
  EXPECT_EQ(s.work.deadline_after, 96.0 * hour);
  EXPECT_EQ(s.work.full_speed_time, 10.0 * hour);
  EXPECT_NEAR(s.objective.carbon_price.in(euro_per_tonne), 100.0, 1e-9);
  EXPECT_NEAR(s.objective.own_value.in(euro_per_megawatt_hour), 6.0, 1e-9);
  EXPECT_NEAR(s.objective.delay_price.in(euro_per_hour), 30.0, 1e-9);

  EXPECT_EQ(s.place("work.batch").line, 46u);
  EXPECT_EQ(s.place("work.nothing").line, 39u);  // its section
  EXPECT_EQ(s.place("nothing").line, 0u);
}

TEST(Scenario, NeedsOnlyPowerAndAStart) {
  const Scenario s = parse_scenario(kSmallest, "dir/small.toml");
  EXPECT_EQ(s.name, "small");
  EXPECT_EQ(s.power.constant, 20e6);
  EXPECT_THAT(s.policies, IsEmpty());
  EXPECT_NEAR(s.temperature.constant, 285.15, 1e-9);
  EXPECT_NEAR(s.price.constant, 90.0 / 3.6e9, 1e-18);
  EXPECT_EQ(s.site.export_limit, SiteOptions{}.export_limit);
  EXPECT_THAT(problems_of(""), ElementsAre(StartsWith("s.toml: signals.power: required: "),
                                           StartsWith("s.toml: work.start: required: ")));
}

TEST(Scenario, ADeadlineMayBeAnInstant) {
  const Scenario s = parse_scenario(kSmallest + "deadline = 2024-03-05T12:00:00Z\n", "s.toml");
  EXPECT_EQ(s.work.deadline_after, 36.0 * hour);
  // Too short is an outcome of the run, not an error of the file.
  EXPECT_EQ(parse_scenario(kSmallest + "deadline_after = \"-1 h\"\n", "s").work.deadline_after,
            -1.0 * hour);
}

// ---- What is wrong -----------------------------------------------------------------------------

struct Bad {
  std::string from, to;  // one edit of kFull
  std::size_t offset;    // lines from the edit's first line to the problem
  std::string problem;   // after `s.toml:line: `
};

const std::vector<Bad>& bad_edits() {
  static const std::vector<Bad> all = {
      // Wrong types.
      {R"(name = "full")", "name = 3", 0, "name: text in quotes, not a whole number"},
      {"seed = 42", "seed = 4.5", 0, "seed: a whole number, without quotes, not a decimal number"},
      {"nodes = 40000", R"(nodes = "40000")", 0,
       "site.hall.nodes: a plain number, without quotes, not text in quotes"},
      {R"(import_limit = "30 MW")", "import_limit = true", 0,
       "site.import_limit: power such as 5 MW, in quotes, not a boolean"},
      {"epochs = 3.5", "epochs = [3]", 0,
       "work.epochs: a plain number, without quotes, not an array"},
      {"epochs = 3.5", "epochs = { n = 3 }", 0, "work.epochs: a value, not a table"},
      {"stop_when_certified = true", "stop_when_certified = 1", 0,
       "work.stop_when_certified: true or false, not a whole number"},
      {R"(export_price = "-5 EUR/MWh")", "export_price = 5.0", 0,
       "signals.export_price: a quantity in quotes, or an inline table with its kind, not a "
       "decimal number"},
      {R"(policies = ["grid-f32", "fixed:int8"])", "policies = [\n\"a\",\n1]", 2,
       R"(policies: an array of policy names in quotes, such as ["grid-f32", "adaptive"])"},
      {"[objective]", "objective = 1\n[objective_]", 0, "work.objective: unknown key; known are "},
      {R"(data = "a.gz")", "data = 2024-01-01", 0, "work.data: text in quotes, not a date or time"},
      // Unknown names.
      {"energy_table =", "energy_tabel =", 0,
       "energy_tabel: unknown key; did you mean `energy_table`?"},
      {"node_peak =", "node_paek =", 0,
       "site.hall.node_paek: unknown key; did you mean `node_peak`?"},
      {"[objective]", "[objectives]", 0, "objectives: unknown section; did you mean [objective]?"},
      {"[site.battery]", "[site.batery]", 0,
       "site.batery: unknown section; did you mean [site.battery]?"},
      {R"(learner = "softmax")", R"(learner = "sofmax")", 0,
       "work.learner: must be one of mlp, softmax, logistic, linear, transformer, found `sofmax`; "
       "did you mean "
       "`softmax`?"},
      {R"("all-own")", R"("everything")", 0,
       "site.computing_uses: must be one of curtailed, all-own, found `everything`"},
      {R"(kind = "sites-2023")", R"(kind = "sites-2024")", 0,
       "signals.price.kind: must be one of constant, generated, csv, sites-2023, found "
       "`sites-2024`; did you mean `sites-2023`?"},
      {R"(kind = "sites-2023")", R"(kind = "rts-gmlc")", 0,
       "signals.price.kind: must be one of constant, generated, csv, sites-2023, found `rts-gmlc`"},
      {R"(source = "solar")", R"(source = "tide")", 0,
       "signals.power.source: must be one of wind, solar, found `tide`"},
      {R"(align = "calendar")", R"(align = "year")", 0,
       "signals.price.align: must be one of instant, calendar, found `year`"},
      {"export_price =", "exprot_price =", 0,
       "signals.exprot_price: unknown key; did you mean `export_price`?"},
      // Units and ranges.
      {R"(export_limit = "60 MW")", R"(export_limit = "60 MWh")", 0,
       "site.export_limit: `60 MWh` is an energy; a power is needed, such as `60 MW`"},
      {R"(export_limit = "60 MW")", R"(export_limit = "-60 MW")", 0,
       "site.export_limit: a power >= 0 W, or none"},
      {R"(import_limit = "30 MW")", "import_limit = 30", 0,
       "site.import_limit: expected a power such as `5 MW`, found `30`: the unit is missing"},
      {R"(import_limit = "30 MW")", R"(import_limit = "-30 MW")", 0,
       "site.import_limit: must satisfy x >= 0 W, found `-30 MW`"},
      {"fixed_overhead = 0.04", "fixed_overhead = nan", 0,
       "site.hall.fixed_overhead: expected a finite number such as 5 or 2.5e3, found `nan`"},
      {"momentum = 0.5", "momentum = inf", 0,
       "work.momentum: expected a finite number such as 5 or 2.5e3, found `inf`"},
      {"charge_efficiency = 0.9\n", "charge_efficiency = 0.0\n", 0,
       "site.battery.charge_efficiency: must satisfy 0.001 <= x <= 1, found `0`"},
      {R"(node_idle = "90 W")", R"(node_idle = "701 W")", 0,
       "site.hall.node_idle: at most node_peak, 700 W"},
      {R"(discharge_limit = "12 MW")", "discharge_limit = 0", 0,
       "site.battery.discharge_limit: a power > 0 W where there is a capacity"},
      {"batch = 16", "batch = 0", 0, "work.batch: must satisfy 1 <= x <= 1000000, found `0`"},
      {R"("100 EUR/t")", R"("100 USD/t")", 0,
       "objective.carbon_price: expected a carbon price such as `5 EUR/t`, found `100 USD/t`: "
       "`USD` is not EUR: convert to EUR"},
      {R"(slot = "15 min")", R"(slot = "7 min")", 0,
       "slot: whole seconds that divide an hour, such as 5 min, found `7 min`"},
      {R"(slot = "15 min")", R"(slot = "1.5 s")", 0,
       "slot: whole seconds that divide an hour, such as 5 min, found `1.5 s`"},
      {"seed = 42", "seed = -1", 0, "seed: must satisfy x >= 0, found `-1`"},
      // Signals.
      {R"(column = "DE-LU", )", "", 0,
       R"(signals.price.column: required by kind = "sites-2023": text in quotes)"},
      {R"(column = "DE-LU", )", R"(column = "DE-LU", unit = "EUR/MWh", )", 0,
       R"(signals.price.unit: has no meaning for kind = "sites-2023")"},
      {R"(unit = "degC")", R"(unit = "W")", 0,
       "signals.temperature.unit: `1 W` is a power; a temperature is needed, such as `1 K`"},
      {R"(capacity = "148 MW", )", R"(capacity = "148 furlong", )", 0,
       "signals.power.capacity: a number, or a quantity such as \"9 m/s\" or \"20 MW\", found `148 "
       "furlong`"},
      {R"(capacity = "148 MW", )", "capacity = [1], ", 0,
       "signals.power.capacity: a number, or a quantity in quotes such as \"9 m/s\", not an array"},
      {R"({ kind = "csv", file = "t.csv", column = "air", unit = "degC" })", "{}", 0,
       "signals.temperature: an inline table with its kind, such as { kind = \"generated\" }"},
      {R"("-5 EUR/MWh")", R"({ kind = "constant", value = "5 MW" })", 0,
       "signals.export_price.value: `5 MW` is a power; an energy price is needed, such as `5 "
       "EUR/MWh`"},
      {R"({ kind = "csv", file = "t.csv", column = "air", unit = "degC" })", R"("-300 degC")", 0,
       "signals.temperature: must be >= 0"},
      {R"({ kind = "generated", source = "solar", scale = 2.0, capacity = "148 MW", tilt = 30 })",
       R"({ kind = "gb-curtailment", column = "lost" })", 0,
       "signals.power.column: one of planned, curtailed, delivered"},
      {R"(column = "DE-LU", )", R"(column = "DE-LU", forecast_file = "f", )", 0,
       "signals.price.forecast_file: unknown key; known are "},
      // Time.
      {"start = 2024-03-04T06:00:00Z", "start = 2024-03-04T06:00:00", 0,
       "work.start: expected an instant such as "},
      {"start = 2024-03-04T06:00:00Z",
       "start = 2024-03-04T06:00:00Z\ndeadline = "
       "2024-03-09T06:00:00Z",
       1, "work.deadline: either deadline or deadline_after"},
      {R"(deadline_after = "96 h")", "deadline = 2024-03-04T05:00:00Z", 0,
       "work.deadline: an instant after the start, 2024-03-04T06:00:00Z"},
      {"start = 2024-03-04T06:00:00Z", "start = 1800-01-01T00:00:00Z", 0,
       "work.start: a year from 1900 to 2099"},
      {R"(test_data = "c.gz")", "", 1, "work.test_labels: only together with test_data"},
      // Not TOML.
      {"[objective]", "[site]", 0, "not TOML: "},
      {"seed = 42", "seed = 42\nseed = 43", 1, "not TOML: "},
      {"[site.battery]", "[.site]", 0, "not TOML: malformed key"},
      {"seed = 42", "seed = \u00b5", 0, "not TOML: "},
      {"seed = 42", "seed = ", 0, "not TOML: "},
      {R"(name = "full")", "name = \"full\xff\"", 0, "not TOML: "},
      {"[site.battery]", "[[site.battery]]", 0, "site.battery: allowed once, as [site.battery]"},
      {"[site.hall]", "[site_]\n[site.hall]", 0, "site_: unknown section; did you mean [site]?"},
  };
  return all;
}

TEST(Scenario, SaysWhatIsWrongAndWhere) {
  for (const Bad& bad : bad_edits()) {
    std::string text = kFull;
    const std::size_t at = text.find(bad.from);
    ASSERT_NE(at, std::string::npos) << bad.from;
    text.replace(at, bad.from.size(), bad.to);
    const auto line =
        1 + static_cast<std::size_t>(std::count(kFull.begin(), kFull.begin() + at, '\n')) +
        bad.offset;
    const std::vector<std::string> problems = problems_of(text);
    ASSERT_THAT(problems, testing::Contains(
                              StartsWith("s.toml:" + std::to_string(line) + ": " + bad.problem)))
        << bad.to;
  }
}

TEST(Scenario, ReportsEveryProblemAtOnceInTheOrderOfTheFile) {
  std::string text = kFull;
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"seed = 42", "seed = -1"},
                                                        {"nodes = 40000", "nodes = \"x\""},
                                                        {"[objective]", "[objektive]"},
                                                        {"import_limit", "improt_limit"},
                                                        {"\"96 h\"", "96"}}) {
    text.replace(text.find(from), from.size(), to);
  }
  EXPECT_THAT(
      problems_of(text, {"work.batch=none", "work.bacth=3", "=", "plain"}),
      ElementsAre(StartsWith("s.toml:2: seed: "), StartsWith("s.toml:10: site.improt_limit: "),
                  StartsWith("s.toml:14: site.hall.nodes: "),
                  StartsWith("s.toml:53: work.deadline_after: "),
                  StartsWith("s.toml:56: objektive: "),
                  StartsWith("--set work.bacth: unknown key; did you mean `work.batch`?"),
                  StartsWith("--set =: write section.key=value"),
                  StartsWith("--set plain: write section.key=value"),
                  StartsWith("--set work.batch: expected a whole number")));
}

TEST(Scenario, TheCommandLineHasTheLastWord) {
  const Scenario s = parse_scenario(
      kFull, "s.toml",
      {"work.epochs=2", "work.epochs=4", "seed=7", "policies=adaptive, oracle",
       "signals.power=20 MW", "signals.export_price.kind=constant",
       "signals.export_price.value=1 EUR/MWh", "site.export_limit=none",
       "work.deadline=2024-03-04T07:00Z", "name=\"quoted\"", "signals.price.scale=0.5"});
  EXPECT_EQ(s.work.epochs, 4.0);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_THAT(s.policies, ElementsAre("adaptive", "oracle"));
  EXPECT_EQ(s.power.kind, SignalKind::Constant);
  EXPECT_EQ(s.power.constant, 20e6);
  EXPECT_THAT(s.power.parameters, IsEmpty());
  EXPECT_NEAR(s.export_price.constant, 1.0 / 3.6e9, 1e-20);
  EXPECT_EQ(s.site.export_limit, SiteOptions{}.export_limit);
  EXPECT_EQ(s.work.deadline_after, 1.0 * hour);
  EXPECT_EQ(s.name, "quoted");
  EXPECT_EQ(s.price.scale, 0.5);
  EXPECT_EQ(s.price.column, "DE-LU");
  EXPECT_EQ(s.place("work.epochs").file, "--set");
}

TEST(Scenario, AnOverrideTakesTheProblemsOfWhatItReplacesAlong) {
  std::string text = kFull;
  const std::string price = R"(export_price = "-5 EUR/MWh")";
  text.replace(text.find(price), price.size(), "export_price = 5.0");
  EXPECT_THAT(problems_of(text), testing::SizeIs(1));
  EXPECT_THAT(problems_of(text, {"signals.export_price.kind=generated"}), IsEmpty());
  EXPECT_THAT(problems_of(text, {"signals.export_price=5 EUR/MWh"}), IsEmpty());
  EXPECT_THAT(problems_of(text, {"signals.export_price=5"}),
              ElementsAre(StartsWith("--set signals.export_price: expected an energy price")));
}

TEST(Scenario, AFileThatCannotBeReadIsNamed) {
  EXPECT_THROW(read_scenario("/nonexistent/s.toml"), IoError);
  EXPECT_THROW(read_scenario("/"), IoError);
}

// ---- Properties --------------------------------------------------------------------------------

TEST(Scenario, NoMutationOfAValidFileDoesMoreThanThrowInputError) {
  const RandomStream stream(5, "scenario mutations");
  const std::vector<std::string> pieces = {"\"",
                                           "\n",
                                           "=",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           "[[",
                                           "nan",
                                           "-1",
                                           "1e999",
                                           ".",
                                           ",",
                                           "\xff",
                                           "\\u0000",
                                           "#",
                                           "9999-12-31T23:59:59Z",
                                           "\" W\"",
                                           "kind = \"generated\"",
                                           "true",
                                           "=\"\"",
                                           "signals."};
  int accepted = 0, refused = 0;
  std::uint64_t index = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = kFull;
    const std::uint64_t edits = 1 + stream.below(index++, 4);
    for (std::uint64_t e = 0; e < edits; ++e) {
      const std::size_t at = stream.below(index++, text.size());
      switch (stream.below(index++, 6)) {
        case 0:
          text.erase(at, 1 + stream.below(index++, 20));
          break;
        case 1:
          text.insert(at, pieces[stream.below(index++, pieces.size())]);
          break;
        case 2:
          text[at] = static_cast<char>(stream.below(index++, 256));
          break;
        case 3:
          text.insert(at, text.substr(stream.below(index++, text.size()), 30));
          break;
        default: {  // a number becomes another
          const std::size_t digit = text.find_first_of("0123456789", at);
          if (digit != std::string::npos)
            text[digit] = static_cast<char>('0' + stream.below(index++, 10));
        }
      }
    }
    try {
      const Scenario s = parse_scenario(text, "s.toml");
      // What was accepted is fit for use.
      ASSERT_NO_THROW(SiteSimulator{s.site}) << text;
      ASSERT_GT(s.slot, Duration{});
      ++accepted;
    } catch (const InputError& error) {
      std::istringstream lines(error.what());
      for (std::string line; std::getline(lines, line);)
        ASSERT_THAT(line, StartsWith("s.toml:")) << text;
      ++refused;
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 1000);
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

TEST(ScenarioReference, IsThePageInTheDocumentation) {
  const fs::path page = kSource / "docs" / "formats" / "scenario.md";
  if (const char* update = std::getenv("CARNOT_UPDATE"); update != nullptr && *update == '1') {
    fs::create_directories(page.parent_path());
    std::ofstream(page, std::ios::binary) << scenario_reference();
  }
  EXPECT_EQ(read_file(page), scenario_reference())
      << "run this test with CARNOT_UPDATE=1 to rewrite " << page;
}

TEST(ScenarioReference, NamesEveryKeyAndATrueDefault) {
  const std::string page = scenario_reference();
  ScenarioTables fresh;
  for (const auto& section : fresh.sections()) {
    for (const OptionRecord& record : section.table->records()) {
      EXPECT_THAT(page, HasSubstr("| `" + record.key + "` |"));
      EXPECT_FALSE(record.description.empty()) << record.key;
      if (record.required || record.default_text.empty()) continue;
      // Declared again after its default was assigned, the record shows the same default.
      EXPECT_NO_THROW(record.assign(record.default_text)) << section.name << '.' << record.key;
    }
  }
  const SiteOptions defaults;
  const SiteOptions& assigned = fresh.scenario.site;
  EXPECT_NEAR(assigned.hall.free_cooling_below / defaults.hall.free_cooling_below, 1.0, 1e-12);
  EXPECT_EQ(assigned.hall.node_peak, defaults.hall.node_peak);
  EXPECT_EQ(assigned.hall.fixed_overhead, defaults.hall.fixed_overhead);
  EXPECT_EQ(assigned.battery.charge_efficiency, defaults.battery.charge_efficiency);
  const WorkOptions work;
  EXPECT_EQ(fresh.scenario.work.deadline_after, work.deadline_after);
  EXPECT_EQ(fresh.scenario.work.epochs, work.epochs);
  EXPECT_EQ(fresh.scenario.work.momentum, work.momentum);
  EXPECT_NEAR(fresh.scenario.objective.carbon_price / ObjectiveOptions{}.carbon_price, 1.0, 1e-12);
}

TEST(Examples, AreScenarios) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "examples")) {
    if (entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const Scenario s = read_scenario(entry.path().string());
    EXPECT_THAT(s.text, StartsWith("# expect: exit "));
    EXPECT_EQ(s.name, entry.path().stem().string());
    EXPECT_NO_THROW(SiteSimulator{s.site});
    ++count;
  }
  EXPECT_GE(count, 6);
}

}  // namespace
}  // namespace carnot::site
