// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A scenario: what runs where, as read from a TOML file. `read_scenario` reports every problem of
/// a file at once as `file:line: section.key: what is allowed` (unknown keys with the nearest known
/// one) and throws one InputError. Reference: docs/formats/scenario.md, generated from the option
/// records that also parse and check.
///
/// Quantities are strings with their unit ("8.5 MW"); plain numbers are for dimensionless keys.
/// Signals are a constant ("90 EUR/MWh") or an inline table: `{ kind = "generated", ... }` (weather
/// from a seed), `{ kind = "csv", file, column }`, `{ kind = "rts-gmlc", column }`,
/// `{ kind = "sites-2023", column }`, ... `fleet` only describes them (`SignalOptions`); `run`
/// opens files through `trace` and checks generator parameters there.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/site/site.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::site {

/// Where a signal's values come from.
enum class SignalKind {
  Constant,       ///< one value
  Generated,      ///< trace/weather/generate.hpp, from the scenario's seed
  Csv,            ///< a column of a CSV file, any unit
  RtsGmlc,        ///< RTS-GMLC time series; column: a generator such as 309_WIND_1
  Sites2023,      ///< hourly price, carbon and temperature of 2023; column: a zone such as DE-LU
  Eia,            ///< EIA hourly generation by fuel; column: a balancing authority
  GbCurtailment,  ///< Great Britain's wind; column: planned, curtailed or delivered
};
/// "constant", "generated", "csv", "rts-gmlc", "sites-2023", "eia", "gb-curtailment".
std::string_view to_text(SignalKind kind) noexcept;

/// What makes generated power.
enum class PowerSource { Wind, Solar };
std::string_view to_text(PowerSource source) noexcept;  ///< "wind", "solar"

/// How the time stamps of a file become the time of the scenario.
enum class SignalAlignment {
  Instant,   ///< as they are
  Calendar,  ///< same month, day and hour, whatever the year (29 February reads 28 February where
             ///< the file's year has none): lends a table of one year to a scenario in another
};
std::string_view to_text(SignalAlignment alignment) noexcept;  ///< "instant", "calendar"

/// One generator parameter as written, for whoever knows its dimension and must refuse it.
struct SignalParameter {
  std::string text;  ///< such as "9 m/s"
  Place place;
};

/// How one signal of the world comes to be.
struct SignalOptions {
  SignalKind kind = SignalKind::Constant;
  double constant = 0.0;      ///< base units of the signal
  std::string file;           ///< csv: path, relative to --data-dir, else to the scenario's folder
  std::string column;         ///< csv column, farm, zone or region
  std::string unit;           ///< csv: unit of the column, such as "MW"; empty: from its header
  CsvOptions csv;             ///< csv: how the file is written; column and unit as above
  std::string forecast_file;  ///< a forecast document issued beforehand, same column; may be empty
  PowerSource source = PowerSource::Wind;  ///< of power: generated, rts-gmlc, eia
  double scale = 1.0;                      ///< factor on the values, after conversion of units
  SignalAlignment align = SignalAlignment::Instant;
  std::map<std::string, double>
      parameters;  ///< of the generator, base units; trace/weather/generate.hpp
  std::map<std::string, SignalParameter> parameter_notes;  ///< same keys
  Place place;                                             ///< for messages
};

/// The job: one training run, its quality floor and its deadline.
struct WorkOptions {
  std::string learner = "mlp";         ///< mlp | softmax | logistic | linear | transformer
  std::string data = "digits";         ///< embedded name, or path: CSV, IDX images, gz of them
  std::string labels;                  ///< IDX labels path, or CSV label column
  std::string test_data, test_labels;  ///< held-out set; empty: a seeded split of `data`
  std::int64_t hidden = 64;            ///< units of the hidden layer (mlp)
  std::int64_t batch = 64;
  double epochs = 8.0;
  double learning_rate = 0.1;
  double momentum = 0.9;             ///< of sgd
  std::string optimiser = "sgd";     ///< sgd | adam; a transformer takes adam
  double weight_decay = 0.0;         ///< of adam, decoupled
  std::string objective = "causal";  ///< of a transformer, as are the four below: causal | masked
  std::int64_t layers = 2, heads = 4, width = 128, context = 128;
  double minimum_quality = 0.0;      ///< of the split's metric (accuracy, or R^2 for linear)
  bool stop_when_certified = false;  ///< end as soon as the floor is certified, else run all epochs
  Instant start;
  Time deadline_after = 72.0 * hour;  ///< from start; too short is an outcome, not an error
  Time full_speed_time =
      12.0 * hour;        ///< site time of the whole job in f32 at full throttle: fixes how
                          ///< many identical trainings the hall does in lockstep (printed)
  std::int64_t seed = 0;  ///< of the training alone; 0: the scenario's
  Place place;
};

/// What is asked. Least cost of the floor, or, with maximise = "quality", the most quality that
/// own power and `purchases` can teach by the deadline: `epochs` and `full_speed_time` then say how
/// fast the hall works, not how long.
///
/// What is minimised: cost = grid energy x (price + carbon price x intensity) + own energy x
/// own_value (+ forgone export price where computing displaces export) + duration x delay_price.
struct ObjectiveOptions {
  CarbonPrice carbon_price = 80.0 * euro_per_tonne;
  EnergyPrice own_value =
      5.0 * euro_per_megawatt_hour;  ///< operation of the farm, wear: never quite free
  DelayPrice delay_price = 20.0 * euro_per_hour;
  std::string maximise = "nothing";  ///< nothing | quality
  Energy purchases{};  ///< maximise = "quality": grid energy that may be bought in all
  Place place;

  bool most_quality() const noexcept { return maximise == "quality"; }
};

struct Scenario {
  std::string name;
  std::string file;
  std::uint64_t seed = 1;
  Duration slot = Duration::seconds(300);  ///< divides an hour
  SiteOptions site;
  SignalOptions power, price, export_price, carbon, temperature;
  WorkOptions work;
  ObjectiveOptions objective;
  std::vector<std::string> policies;  ///< as named in control/registry.hpp; empty: all
  std::string energy_table;           ///< path of a pJ table ...
  std::string chip;  ///< ... or the chip of the catalogue whose; neither: asic-45nm
  std::string text;  ///< the file's bytes, kept for the ledger
  std::map<std::string, Place, std::less<>> places;  ///< "work.batch" to where it was written

  /// Where `key` ("work.batch") was written, else its section, else the file: later rooms find
  /// problems too and must say where.
  Place place(std::string_view key) const;
};

/// \param overrides  "key.path=value" pairs from the command line, applied last; their problems
///                   read `--set key.path: what is allowed`
/// \throws IoError, InputError
Scenario read_scenario(const std::string& path, const std::vector<std::string>& overrides = {});
/// The same from memory; `name` stands for the file in messages.
Scenario parse_scenario(const std::string& text, const std::string& name,
                        const std::vector<std::string>& overrides = {});
/// Markdown reference of every key, generated from the option records.
std::string scenario_reference();

}  // namespace carnot::site
