// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A scenario: what runs where, as read from a TOML file. `read_scenario` reports every problem of
/// a file at once as `file:line: field: what is allowed` (unknown keys with the nearest known one)
/// and throws one InputError. Reference: docs/formats/scenario.md, generated from the option
/// records.
///
/// Signals are given as `{ kind = "generated", ... }` (embedded weather), `{ kind = "csv", file,
/// column, unit }`, `{ kind = "rts-gmlc", farm }`, `{ kind = "sites-2023", zone }` or a constant
/// such as "90 EUR/MWh". `fleet` only describes them (`SignalOptions`); `run` opens files through
/// `trace`.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/fleet/site.hpp"

namespace carnot {

/// How one signal of the world comes to be.
struct SignalOptions {
  std::string kind =
      "constant";  ///< constant | generated | csv | rts-gmlc | sites-2023 | eia | gb-curtailment
  double constant = 0.0;      ///< base units of the signal
  std::string file;           ///< csv: path, relative to --data-dir, else to the scenario's folder
  std::string column;         ///< csv column, farm, zone or region
  std::string forecast_file;  ///< a forecast document issued beforehand, same column; may be empty
  std::string source = "wind";  ///< generated power: wind | solar
  double scale = 1.0;           ///< factor on the values read
  std::map<std::string, double>
      parameters;  ///< of the generator, base units; see trace/generate.hpp
  Place place;     ///< for messages
};

/// The job: one training run, its quality floor and its deadline.
struct WorkOptions {
  std::string learner = "mlp";         ///< mlp | softmax | logistic | linear
  std::string data = "digits";         ///< embedded name, or path: CSV, IDX images, gz of them
  std::string labels;                  ///< IDX labels path, or CSV label column
  std::string test_data, test_labels;  ///< held-out set; empty: a seeded split of `data`
  std::int64_t hidden = 64;            ///< units of the hidden layer (mlp)
  std::int64_t batch = 64;
  double epochs = 8.0;
  double learning_rate = 0.1;
  double momentum = 0.9;
  double minimum_quality = 0.0;      ///< of the split's metric (accuracy, or R^2 for linear)
  bool stop_when_certified = false;  ///< end as soon as the floor is certified, else run all epochs
  Instant start;
  Time deadline_after = 72.0 * hour;  ///< from start
  Time full_speed_time =
      12.0 * hour;  ///< site time of the whole job in f32 at full throttle: fixes how
                    ///< many identical trainings the hall does in lockstep (printed)
};

/// What is minimised: cost = grid energy x (price + carbon price x intensity) + own energy x
/// own_value
/// (+ forgone export price where computing displaces export) + duration x delay_price.
struct ObjectiveOptions {
  CarbonPrice carbon_price = 80.0 * euro_per_tonne;
  EnergyPrice own_value =
      5.0 * euro_per_megawatt_hour;  ///< operation of the farm, wear: never quite free
  DelayPrice delay_price = 20.0 * euro_per_hour;
};

struct Scenario {
  std::string name;
  std::string file;
  std::uint64_t seed = 1;
  Duration slot = Duration::seconds(300);
  SiteOptions site;
  SignalOptions power, price, export_price, carbon, temperature;
  WorkOptions work;
  ObjectiveOptions objective;
  std::vector<std::string> policies;  ///< as named in plan/policy.hpp; empty: all
  std::string energy_table;  ///< path of a pJ table that overrides the embedded one; or empty
  std::string text;          ///< the file's bytes, kept for the ledger
};

/// \param overrides  "key.path=value" pairs from the command line, applied last
/// \throws IoError, InputError
Scenario read_scenario(const std::string& path, const std::vector<std::string>& overrides = {});
/// The same from memory; `name` stands for the file in messages.
Scenario parse_scenario(const std::string& text, const std::string& name,
                        const std::vector<std::string>& overrides = {});
/// Markdown reference of every key, generated from the option records.
std::string scenario_reference();

}  // namespace carnot
