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
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/saved/onnx_export.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/learn/transformer/transformer.hpp"
#include "carnot/report/learn/predictions.hpp"
#include "carnot/report/learn/text_score.hpp"

#include "command.hpp"
#include "energy_options.hpp"

namespace carnot::app {

namespace {

struct PredictCommand {
  std::string model, data, labels, energy_table, chip, output, fill, onnx;
  bool probabilities = false;
};

/// Scores a text, or fills its hidden places.
int execute_text(const PredictCommand& c, const Common& common, const learn::SavedModel& model) {
  std::string bytes = read_file(c.data);
  const learn::Dataset text = learn::text_like(model.shape, bytes, c.data);
  report::TextReport report;
  report.command = common.command_line;
  report.model_file = c.model;
  report.data_file = c.data;
  report.model = &model;
  report.bytes = bytes.size();
  for (const std::uint32_t symbol : text.labels)
    report.unknown_bytes += symbol + 1 == text.classes ? 1 : 0;
  const auto start = std::chrono::steady_clock::now();
  learn::Counters counters;
  if (c.fill.empty()) {
    const learn::TextScore score = learn::score_text(model.transformer, model.parameters, text);
    counters = score.counters;
    report.score = score;
  } else {
    if (c.fill.size() != 1) throw InputError("--fill: one byte that stands for a hidden one");
    std::vector<std::size_t> hidden;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (bytes[i] == c.fill[0]) hidden.push_back(i);
    const std::vector<std::uint32_t> symbols =
        learn::fill_text(model.transformer, model.parameters, text, hidden, &counters);
    for (std::size_t i = 0; i < hidden.size(); ++i)
      bytes[hidden[i]] = static_cast<char>(learn::byte_of_symbol(text, symbols[i]));
    report.filled = bytes;
    report.hidden = hidden.size();
    report.unknown_bytes -= std::min<std::uint64_t>(report.unknown_bytes, hidden.size());
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const learn::EnergyTable energies = learn::EnergyTable::choose(c.energy_table, c.chip);
  report.energy = energies.energy(counters);
  report.counters = counters;
  report.seconds = seconds.count();
  if (!c.output.empty()) {
    if (c.fill.empty()) throw InputError("--output: of a text only with --fill");
    write_file(c.output, bytes);
  }
  print(common.json ? report::to_json(report) : report::to_terminal(report));
  if (!c.output.empty()) say(common, fmt::format("text: {}", c.output));
  return kOk;
}

int execute(const PredictCommand& c, const Common& common) {
  const learn::SavedModel model = learn::load_model(c.model);
  if (!c.onnx.empty()) {
    const std::string bytes = learn::to_onnx(model);
    write_file(c.onnx, bytes);
    say(common, fmt::format("onnx: {} ({} bytes)", c.onnx, bytes.size()));
    if (c.data.empty()) return kOk;
  }
  if (model.is_text()) return execute_text(c, common, model);
  if (!c.fill.empty()) throw InputError("--fill: with a model of text");
  const learn::EncodedTable table = learn::read_for(model, c.data, c.labels);
  const auto start = std::chrono::steady_clock::now();
  const learn::Predictions predictions = learn::predict(model, table.data);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const learn::EnergyTable energies = learn::EnergyTable::choose(c.energy_table, c.chip);
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
  command->add_option(
      "data", c->data,
      "A table with the model's columns, in any order, with or without labels; for a "
      "model of images an IDX file, or digits; for a model of text any text");
  command->add_option("--labels", c->labels, "IDX file of the images' labels");
  command->add_option("--output,-o", c->output,
                      "Write the predictions here, as CSV; the filled text");
  command->add_option(
      "--fill", c->fill,
      "Of a masked transformer: replace this byte, such as _, by the likeliest one");
  command->add_flag("--probabilities", c->probabilities,
                    "Of every class, not of the likeliest alone");
  command->add_option("--export-onnx", c->onnx,
                      "Also write the model as ONNX, columns of a table and all; without data only "
                      "this; docs/formats/onnx.md");
  add_energy_options(*command, c->chip, c->energy_table);
  command->fallthrough();
  command->callback([c, &common, &action] {
    if (c->data.empty() && c->onnx.empty())
      throw CLI::RequiredError("data to predict, or --export-onnx,");
    action = [c, &common] { return execute(*c, common); };
  });
}

}  // namespace carnot::app
