// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `RunBegin::facts_json` as values: what the report needs beside the slots. Every part is
/// optional; a missing number is NaN. Values.

#include <string>
#include <utility>
#include <vector>

namespace carnot::report {

struct ModeFact {
  std::string name;
  double bits = 0, steps_per_second = 0, static_power_w = 0, dynamic_power_w = 0, step_energy_j = 0;
};

struct EnergyFact {
  std::string key;
  double energy_pj = 0, low_pj = 0, high_pj = 0, per_second = 0;
  std::string source;
};

struct Facts {
  std::vector<ModeFact> modes;
  double trainings = 1;  ///< identical trainings in lockstep: counted work times this is the hall's
  std::string scaling_text;
  std::vector<EnergyFact> energy_table;
  std::string site_name;
  double export_limit_w = 0, import_limit_w = 0, rated_it_w = 0, battery_j = 0;
  std::string learner, data, metric;
  double minimum_quality = 0, epochs = 0, steps = 0, labels = 0, uniform_bits = 0;
  std::string start, deadline;
  double temperature_k = 0;
  std::vector<std::pair<std::string, std::string>> signals;  ///< name, source
  double carbon_price_eur_per_t = 0, own_value_eur_per_mwh = 0, delay_price_eur_per_h = 0;
  bool most_quality = false;  ///< objective.maximise = "quality"
  double purchases_j = 0, steps_per_pass = 0;
  std::vector<std::string> notes;
};

/// Empty text gives empty facts. \throws InputError if it is not a JSON object, or a part has
/// another type than it should
Facts read_facts(const std::string& json);

}  // namespace carnot::report
