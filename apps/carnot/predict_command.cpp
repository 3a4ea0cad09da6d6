// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/report/learn/predictions.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct PredictCommand {
  std::string model, data, labels, energy_table, output;
  bool probabilities = false;
};

int execute(const PredictCommand& c, const Common& common) {
  const learn::SavedModel model = learn::load_model(c.model);
  const learn::EncodedTable table = learn::read_for(model, c.data, c.labels);
  const auto start = std::chrono::steady_clock::now();
  const learn::Predictions predictions = learn::predict(model, table.data);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const learn::EnergyTable energies = c.energy_table.empty()
                                          ? learn::EnergyTable::embedded()
                                          : learn::EnergyTable::read(c.energy_table);
  report::PredictionReport report;
  report.command = common.command_line;
  report.model_file = c.model;
  report.data_file = c.data;
  report.model = &model;
  report.table = &table;
  report.predictions = &predictions;
  report.quality = learn::quality_of(predictions, table);
  report.energy = energies.energy(predictions.counters);
  report.seconds = seconds.count();
  report.probabilities = c.probabilities;
  if (!c.output.empty()) write_file(c.output, report::to_csv(report));
  if (common.json)
    print(report::to_json(report));
  else
    print(report::to_terminal(report, terminal_width(STDOUT_FILENO)));
  if (!c.output.empty()) say(common, fmt::format("predictions: {}", c.output));
  return kOk;
}

}  // namespace

void add_predict(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<PredictCommand>();
  CLI::App* command =
      app.add_subcommand("predict", "Use a model that `carnot learn --save` wrote on new data");
  command->add_option("model", c->model, "The model's file")->required();
  command
      ->add_option("data", c->data,
                   "A table with the model's columns, in any order, with or without labels; for a "
                   "model of images an IDX file, or digits")
      ->required();
  command->add_option("--labels", c->labels, "IDX file of the images' labels");
  command->add_option("--output,-o", c->output, "Write the predictions here, as CSV");
  command->add_flag("--probabilities", c->probabilities,
                    "Of every class, not of the likeliest alone");
  command->add_option("--energy-table", c->energy_table,
                      "CSV in place of the embedded energies; data/energy_per_operation.md");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
