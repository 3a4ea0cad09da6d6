// SPDX-License-Identifier: Apache-2.0
#include "site/scenario_tables.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/limits.hpp"

namespace carnot::site {

std::string_view to_text(SignalKind kind) noexcept {
  switch (kind) {
    case SignalKind::Constant:
      return "constant";
    case SignalKind::Generated:
      return "generated";
    case SignalKind::Csv:
      return "csv";
    case SignalKind::RtsGmlc:
      return "rts-gmlc";
    case SignalKind::Sites2023:
      return "sites-2023";
    case SignalKind::Eia:
      return "eia";
    case SignalKind::GbCurtailment:
      return "gb-curtailment";
  }
  return "";
}

std::string_view to_text(PowerSource source) noexcept {
  return source == PowerSource::Wind ? "wind" : "solar";
}

std::string_view to_text(SignalAlignment alignment) noexcept {
  return alignment == SignalAlignment::Instant ? "instant" : "calendar";
}

namespace {

constexpr Time kCentury = 36525.0 * day;

}  // namespace

const std::array<SignalSpec, 5>& signal_specs() {
  using enum SignalKind;
  static const std::array<SignalSpec, 5> specs = {{
      {"power",
       &Scenario::power,
       Power::kDimension,
       "",
       0.0,
       {Constant, Generated, Csv, RtsGmlc, Eia, GbCurtailment},
       "what turbines and panels could deliver, P_total"},
      {"price",
       &Scenario::price,
       EnergyPrice::kDimension,
       "90 EUR/MWh",
       -kInfinity,
       {Constant, Generated, Csv, Sites2023},
       "paid for grid supply; negative prices are real"},
      {"export_price",
       &Scenario::export_price,
       EnergyPrice::kDimension,
       "0 EUR/MWh",
       -kInfinity,
       {Constant, Generated, Csv, Sites2023},
       "earned by exported power"},
      {"carbon",
       &Scenario::carbon,
       CarbonIntensity::kDimension,
       "300 g/kWh",
       0.0,
       {Constant, Generated, Csv, Sites2023, Eia},
       "carbon intensity of grid supply"},
      {"temperature",
       &Scenario::temperature,
       Temperature::kDimension,
       "12 degC",
       0.0,
       {Constant, Generated, Csv, Sites2023},
       "outside air, for the PUE"},
  }};
  return specs;
}

const std::vector<KindSpec>& kind_specs() {
  static const std::vector<KindSpec> specs = {
      {SignalKind::Constant, {"value"}, {}, "one value throughout"},
      {SignalKind::Generated,
       {},
       {"source", "scale"},
       "synthetic weather from the scenario's seed; every other key is a parameter of the "
       "generator (carnot/trace/weather/generate.hpp)"},
      {SignalKind::Csv,
       {"file"},
       {"column", "unit", "time_column", "time_format", "zone", "times", "decimal", "skip_rows",
        "gaps", "longest_gap", "negative", "repeats", "forecast_file", "scale", "align"},
       "a column of a CSV file (docs/formats/trace-csv.md); without `column` its only one, without "
       "`unit` the one in its header"},
      {SignalKind::RtsGmlc,
       {"column"},
       {"source", "file", "forecast_file", "scale", "align"},
       "RTS-GMLC time series of 2020; the column is a generator such as `309_WIND_1`"},
      {SignalKind::Sites2023,
       {"column"},
       {"file", "scale", "align"},
       "hourly tables of 2023; the column is a zone such as `DE-LU`; prices are converted from USD "
       "at the mean rate of the year"},
      {SignalKind::Eia,
       {"column"},
       {"source", "file", "scale", "align"},
       "EIA hourly generation by fuel of 2022; the column is a balancing authority such as `ERCO`"},
      {SignalKind::GbCurtailment,
       {"column"},
       {"file", "scale", "align"},
       "Great Britain's wind in 15 minutes; the column is `planned`, `curtailed` or `delivered`"},
  };
  return specs;
}

const KindSpec& spec_of(SignalKind kind) {
  return *std::find_if(kind_specs().begin(), kind_specs().end(),
                       [kind](const KindSpec& spec) { return spec.kind == kind; });
}

std::optional<SignalKind> kind_named(std::string_view text) {
  for (const KindSpec& spec : kind_specs())
    if (to_text(spec.kind) == text) return spec.kind;
  return std::nullopt;
}

ScenarioTables::ScenarioTables() {
  declare_top();
  declare_site();
  declare_signals();
  declare_work();
}

OptionTable& ScenarioTables::add(std::string name, std::string description) {
  auto table = std::make_unique<OptionTable>(name);
  OptionTable& reference = *table;
  sections_.push_back({std::move(name), std::move(description), std::move(table)});
  return reference;
}

OptionTable* ScenarioTables::find(std::string_view section) {
  for (Section& s : sections_)
    if (s.name == section) return s.table.get();
  return nullptr;
}

const OptionRecord* ScenarioTables::record(std::string_view section, std::string_view key) {
  const OptionTable* table = find(section);
  if (table == nullptr) return nullptr;
  for (const OptionRecord& r : table->records())
    if (r.key == key) return &r;
  return nullptr;
}

void ScenarioTables::declare_top() {
  add("", "Keys at the top of the file, before the first section.")
      .text("name", &scenario.name, "name in reports; empty: the file's")
      .integer("seed", &seed, 0, std::numeric_limits<std::int64_t>::max(),
               "seed of everything random: weather, weights, order of the data")
      .quantity<Time::kDimension>("slot", &slot, 1.0 * second, 1.0 * hour,
                                  "how often policies decide; whole seconds that divide an hour")
      .text("policies", &policies,
            "a TOML array of policy names, or text with commas between them; `all`: every one")
      .text("energy_table", &scenario.energy_table,
            "CSV of energies per operation, in place of a chip's")
      .text("chip", &scenario.chip,
            "the chip whose operations the hall's nodes run, of `carnot catalogue`; empty: "
            "asic-45nm");
}

void ScenarioTables::declare_site() {
  SiteOptions& site = scenario.site;
  HallOptions& hall = site.hall;
  BatteryOptions& battery = site.battery;
  constexpr Power zero;
  add("site", "The farm's connection to the grid, and who is served first.")
      .text("name", &site.name, "name in reports")
      .text("export_limit", &export_limit,
            "greatest power into the grid, such as 60 MW; `none`: no limit")
      .quantity<Power::kDimension>("import_limit", &site.import_limit, zero, {},
                                   "greatest power from the grid; 0: no grid supply")
      .choice("computing_uses", &computing_uses, {"curtailed", "all-own"},
              "`curtailed`: export first, computing gets what would be thrown away; `all-own`: "
              "computing first");
  add("site.hall", "The computing hall: nodes, and the overhead of powering and cooling them.")
      .real("nodes", &hall.nodes, 1.0, 1e9, "number of nodes")
      .quantity<Power::kDimension>("node_idle", &hall.node_idle, zero, {},
                                   "power of a node that a job holds, at throttle 0")
      .quantity<Power::kDimension>("node_peak", &hall.node_peak, 1e-3 * watt, 1.0 * megawatt,
                                   "power of a node with every unit busy in f32, idle included")
      .quantity<Power::kDimension>("node_suspended", &hall.node_suspended, zero, {},
                                   "power of a node while the job is paused")
      .real("fixed_overhead", &hall.fixed_overhead, 0.0, 2.0,
            "pumps and distribution losses, share of rated IT power", "docs/site-model.md, PUE")
      .real("cooling_slope_per_k", &hall.cooling_slope_per_k, 0.0, 1.0,
            "rise of PUE per kelvin above free cooling", "docs/site-model.md, PUE")
      .quantity<Temperature::kDimension>(
          "free_cooling_below", &hall.free_cooling_below, Temperature{}, {},
          "outside air that cools without chillers; the default is 16 degC",
          "docs/site-model.md, PUE");
  add("site.battery", "A battery behind the meter; it charges from what would be curtailed only.")
      .quantity<Energy::kDimension>("capacity", &battery.capacity, Energy{}, {},
                                    "usable energy; 0: no battery")
      .quantity<Power::kDimension>("charge_limit", &battery.charge_limit, zero, {},
                                   "greatest charging power at the terminals")
      .quantity<Power::kDimension>("discharge_limit", &battery.discharge_limit, zero, {},
                                   "greatest discharging power at the terminals")
      .real("charge_efficiency", &battery.charge_efficiency, 0.001, 1.0, "stored over taken",
            "docs/site-model.md, battery")
      .real("discharge_efficiency", &battery.discharge_efficiency, 0.001, 1.0, "given over drawn",
            "docs/site-model.md, battery")
      .real("initial_charge", &battery.initial_charge, 0.0, 1.0, "share of capacity at the start")
      .real("self_discharge_per_day", &battery.self_discharge_per_day, 0.0, 0.999,
            "share of the charge lost a day", "docs/site-model.md, battery")
      .quantity<EnergyPrice::kDimension>("wear_cost", &battery.wear_cost, EnergyPrice{}, {},
                                         "wear per energy given back");
}

void ScenarioTables::declare_signals() {
  {
    OptionTable& table = add("signals", "");
    for (std::size_t i = 0; i < signals.size(); ++i) {
      const SignalSpec& spec = signal_specs()[i];
      signals[i].constant = spec.default_text;
      table.text(std::string(spec.key), &signals[i].constant, std::string(spec.description));
      if (spec.default_text.empty()) table.required();
    }
  }
  for (std::size_t i = 0; i < signals.size(); ++i) {
    const SignalSpec& spec = signal_specs()[i];
    SignalOptions& options = scenario.*spec.member;
    SignalDraft& draft = signals[i];
    std::vector<std::string> kinds;
    for (const SignalKind kind : spec.kinds) kinds.emplace_back(to_text(kind));
    OptionTable& table = add("signals." + std::string(spec.key), "");
    table
        .choice("kind", &draft.kind, kinds,
                "where the values come from; the tables above say which kinds a signal has and "
                "which keys a kind has")
        .required()
        .text("value", &draft.value, "constant: the value, such as 20 MW or 90 EUR/MWh");
    // Only power is made by something, and forecast by a document.
    if (spec.member == &Scenario::power) {
      table
          .choice("source", &draft.source, {"wind", "solar"},
                  "generated, rts-gmlc, eia: what makes the power")
          .text("forecast_file", &options.forecast_file,
                "forecast issued beforehand, same column; empty: forecasts come from the past "
                "alone");
    }
    table
        .text("file", &options.file,
              "path, relative to --data-dir, else to the scenario's folder; empty for a named "
              "table: its customary place under --data-dir")
        .text("column", &options.column,
              "column of the file: its header, a generator, zone or region")
        .text("unit", &options.unit,
              "csv: unit of the column, such as MW; `148 MW` for a share of that")
        .text("time_column", &options.csv.time_column,
              "csv: column of the times; empty: recognised")
        .text("time_format", &options.csv.time_format,
              "csv: how times are written, such as `%d.%m.%Y %H:%M`; empty: recognised")
        .text("zone", &options.csv.zone,
              "csv: zone of times that state none: `Z`, `+01:00` or `Europe/Berlin`")
        .choice("times", &draft.times, {"auto", "starts", "ends"},
                "csv: what times mark of their intervals; `auto`: starts, unless the header says "
                "ends")
        .choice("decimal", &draft.decimal, {"auto", ".", ","}, "csv: the decimal sign")
        .integer("skip_rows", &draft.skip_rows, -1, 1'000'000,
                 "csv: lines above the header; -1: recognised")
        .choice("gaps", &draft.gaps, {"refuse", "hold", "linear"},
                "csv: missing rows and cells within the hours used: an error, the value before, or "
                "a line between the neighbours")
        .quantity<Time::kDimension>("longest_gap", &draft.longest_gap, Time{}, 1000.0 * hour,
                                    "csv: longer ones are an error all the same; 0: any")
        .choice("repeats", &draft.repeats, {"refuse", "first", "last", "mean"},
                "csv: rows of one time that differ: an error, or which of them counts")
        .choice("negative", &draft.negative, {"refuse", "zero", "allow"},
                "csv: negative power or carbon: an error, 0, or as it stands; prices may be "
                "negative")
        .real("scale", &options.scale, 0.0, 1e12, "factor on the values, after conversion of units")
        .choice("align", &draft.align, {"instant", "calendar"},
                "`calendar`: read the same month, day and hour of the file's own year");
  }
}

void ScenarioTables::declare_work() {
  WorkOptions& work = scenario.work;
  add("work", "The job: one training run, its quality floor and its deadline.")
      .choice("learner", &work.learner, {"mlp", "softmax", "logistic", "linear", "transformer"},
              "what is trained")
      .text("data", &work.data,
            "`digits` (embedded), or a CSV or IDX file (gz too), of a transformer a text, relative "
            "to --data-dir, else to the scenario's folder")
      .text("labels", &work.labels, "IDX label file, or the CSV's label column")
      .text("test_data", &work.test_data, "held-out file; empty: a seeded split of `data`")
      .text("test_labels", &work.test_labels, "labels of `test_data`")
      .integer("hidden", &work.hidden, 1, 1'000'000, "units of the hidden layer (mlp)")
      .integer("batch", &work.batch, 1, 1'000'000,
               "rows in a minibatch; windows of a text (transformer)")
      .real("epochs", &work.epochs, 1e-3, 1e6, "passes over the training rows")
      .real("learning_rate", &work.learning_rate, 1e-9, 1e3, "greatest, of a cosine schedule")
      .real("momentum", &work.momentum, 0.0, 0.9999, "of the gradient steps (sgd)")
      .choice("optimiser", &work.optimiser, {"sgd", "adam"},
              "what makes steps of gradients; a transformer takes adam whatever is said")
      .real("weight_decay", &work.weight_decay, 0.0, 1.0, "of adam, decoupled from the gradient")
      .choice("language_objective", &work.objective, {"causal", "masked"},
              "of a transformer: says what comes next, or what is hidden")
      .integer("layers", &work.layers, 1, 64, "of a transformer")
      .integer("heads", &work.heads, 1, 256, "of attention (transformer)")
      .integer("width", &work.width, 16, 4096,
               "of a symbol's vector, a multiple of 16 and of the heads (transformer)")
      .integer("context", &work.context, 2, 4096, "symbols seen at once (transformer)")
      .real("minimum_quality", &work.minimum_quality, 0.0, 1.0,
            "quality floor on held-out data: accuracy, or R^2 for `linear`")
      .boolean("stop_when_certified", &work.stop_when_certified,
               "end as soon as the floor is certified, else run all epochs")
      .text("start", &start, "instant with its zone, such as 2024-03-04T06:00:00Z")
      .required()
      .quantity<Time::kDimension>("deadline_after", &work.deadline_after, -kCentury, kCentury,
                                  "deadline, counted from the start; one too short is an outcome, "
                                  "not an error")
      .text("deadline", &deadline, "the deadline as an instant after the start, instead")
      .quantity<Time::kDimension>("full_speed_time", &work.full_speed_time, 1.0 * second, kCentury,
                                  "site time of the whole job in f32 at full throttle; fixes how "
                                  "many identical trainings the hall does in lockstep")
      .integer("seed", &work.seed, 0, 1'000'000'000'000,
               "of the training alone, its wind left as it is; 0: the scenario's");
  ObjectiveOptions& objective = scenario.objective;
  add("objective",
      "What is minimised: grid energy x (price + carbon price x intensity) + own energy x own "
      "value + duration x delay price.")
      .quantity<CarbonPrice::kDimension>("carbon_price", &objective.carbon_price, CarbonPrice{}, {},
                                         "price put on emissions")
      .quantity<EnergyPrice::kDimension>("own_value", &objective.own_value, EnergyPrice{}, {},
                                         "what own energy is worth to the farm")
      .quantity<DelayPrice::kDimension>("delay_price", &objective.delay_price, DelayPrice{}, {},
                                        "price of the job's duration")
      .choice("maximise", &objective.maximise, {"nothing", "quality"},
              "`quality`: the most that own power and `purchases` can teach by the deadline, in "
              "place of the least cost; see how-to/most-quality.md")
      .quantity<Energy::kDimension>("purchases", &objective.purchases, Energy{}, {},
                                    "maximise = \"quality\": grid energy that may be bought in "
                                    "all, standby included");
}

std::string scenario_reference() {
  ScenarioTables tables;
  std::string page =
      "# Scenario files\n"
      "\n"
      "<!-- Generated from the option records: change src/site/scenario_tables.cpp, then run the\n"
      "     fleet tests with CARNOT_UPDATE=1. -->\n"
      "\n"
      "A scenario says what runs where. It is a TOML 1.0 file in UTF-8. Quantities are text with "
      "their unit,\nsuch as `\"8.5 MW\"`; plain numbers are for keys without a unit. A bare `0` "
      "needs no unit. Every problem of a\nfile is reported at once, as `file:line: section.key: "
      "what is allowed`. On the command line\n`--set section.key=value` overrides a key; `--set "
      "work.epochs=2`, `--set \"signals.power=20 MW\"`. The files in\n`examples/` are scenarios to "
      "start from.\n";
  for (const auto& section : tables.sections()) {
    if (section.name.starts_with("signals")) continue;
    page += section.name.empty() ? "\n## Top of the file\n\n"
                                 : fmt::format("\n## `[{}]`\n\n", section.name);
    page += section.description + "\n\n" + section.table->reference();
  }

  page +=
      "\n## `[signals]`\n\n"
      "The world outside. Each signal is a constant, such as `price = \"90 EUR/MWh\"`, or an "
      "inline "
      "table that begins with its\n`kind`, such as `power = { kind = \"csv\", file = "
      "\"farm.csv\", column = \"power\", unit = \"MW\" }`.\n\n"
      "| signal | default | kinds | meaning |\n|---|---|---|---|\n";
  for (const SignalSpec& spec : signal_specs()) {
    std::vector<std::string_view> kinds;
    for (const SignalKind kind : spec.kinds) kinds.push_back(to_text(kind));
    page += fmt::format("| `{}` | {} | {} | {} |\n", spec.key,
                        spec.default_text.empty() ? "required" : spec.default_text,
                        fmt::join(kinds, ", "), spec.description);
  }
  page += "\n| kind | required keys | optional keys | meaning |\n|---|---|---|---|\n";
  for (const KindSpec& spec : kind_specs())
    page +=
        fmt::format("| `{}` | {} | {} | {} |\n", to_text(spec.kind), fmt::join(spec.required, ", "),
                    fmt::join(spec.optional, ", "), spec.description);
  page += "\n" + tables.find("signals.power")->reference();
  return page;
}

}  // namespace carnot::site
