// SPDX-License-Identifier: Apache-2.0
#include "report/run/facts.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

Facts read_facts(const std::string& json) {
  const std::string what = "facts of the run";
  const Json root = json.empty() ? Json::object() : parse_object(json, what);
  Facts facts;
  for (const Json& mode : part_at(root, "modes", what, true)) {
    facts.modes.push_back(
        {text_at(mode, "name", what), number_at(mode, "bits", what),
         number_at(mode, "steps_per_second", what), number_at(mode, "static_power_w", what),
         number_at(mode, "dynamic_power_w", what), number_at(mode, "step_energy_j", what)});
  }
  const Json scaling = part_at(root, "scaling", what, false);
  const double trainings = number_at(scaling, "trainings", what);
  if (std::isfinite(trainings)) facts.trainings = trainings;
  facts.scaling_text = text_at(scaling, "text", what);
  for (const Json& row : part_at(root, "energy_table", what, true)) {
    facts.energy_table.push_back({text_at(row, "key", what), number_at(row, "energy_pj", what),
                                  number_at(row, "low_pj", what), number_at(row, "high_pj", what),
                                  number_at(row, "per_second", what),
                                  text_at(row, "source", what)});
  }
  const Json site = part_at(root, "site", what, false);
  facts.site_name = text_at(site, "name", what);
  facts.export_limit_w = number_at(site, "export_limit_w", what);
  facts.import_limit_w = number_at(site, "import_limit_w", what);
  facts.rated_it_w = number_at(site, "rated_it_w", what);
  facts.battery_j = number_at(site, "battery_j", what);
  const Json work = part_at(root, "work", what, false);
  facts.learner = text_at(work, "learner", what);
  facts.data = text_at(work, "data", what);
  facts.metric = text_at(work, "metric", what);
  facts.minimum_quality = number_at(work, "minimum_quality", what);
  facts.epochs = number_at(work, "epochs", what);
  facts.steps = number_at(work, "steps", what);
  facts.labels = number_at(work, "labels", what);
  facts.uniform_bits = number_at(work, "uniform_bits", what);
  facts.start = text_at(root, "start", what);
  facts.deadline = text_at(root, "deadline", what);
  facts.temperature_k = number_at(root, "temperature_k", what);
  for (const Json& signal : part_at(root, "signals", what, true)) {
    facts.signals.emplace_back(text_at(signal, "name", what), text_at(signal, "source", what));
  }
  const Json objective = part_at(root, "objective", what, false);
  facts.carbon_price_eur_per_t = number_at(objective, "carbon_price_eur_per_t", what);
  facts.own_value_eur_per_mwh = number_at(objective, "own_value_eur_per_mwh", what);
  facts.delay_price_eur_per_h = number_at(objective, "delay_price_eur_per_h", what);
  facts.most_quality = text_at(objective, "maximise", what) == "quality";
  facts.purchases_j = number_at(objective, "purchases_j", what);
  facts.steps_per_pass = number_at(work, "steps_per_pass", what);
  for (const Json& note : part_at(root, "notes", what, true)) {
    if (!note.is_string()) throw InputError(what + ": notes: texts are needed");
    facts.notes.push_back(note.get<std::string>());
  }
  return facts;
}

}  // namespace carnot::report
