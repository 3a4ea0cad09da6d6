// SPDX-License-Identifier: Apache-2.0
// carnot scaling
#include <algorithm>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_table.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/scaling/scaling.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct ScalingCommand {
  std::string file, effort, error;
  std::vector<std::string> targets, flops;
  std::size_t resamples = 0;
  std::uint64_t seed = 1;
};

std::vector<double> positive_numbers(const std::vector<std::string>& words, const char* option) {
  std::vector<double> out;
  for (const std::string& word : words) {
    try {
      out.push_back(parse_number(word));
    } catch (const InputError& error) {
      throw UsageError(fmt::format("{}: {}", option, error.what()));
    }
    if (!(out.back() > 0)) throw UsageError(fmt::format("{}: above 0", option));
  }
  return out;
}

int execute(const ScalingCommand& c, const Common& common) {
  const CsvTable table = CsvTable::read(c.file);
  const auto has = [&](const char* name) {
    return std::find(table.header().begin(), table.header().end(), name) != table.header().end();
  };
  report::ScalingReport r;
  r.command = common.command_line;
  r.source = c.file;
  r.targets = positive_numbers(c.targets, "--target");
  r.flops = positive_numbers(c.flops, "--flop");
  if (c.effort.empty() && has("parameters") && has("tokens") && has("loss")) {
    if (!r.targets.empty()) throw UsageError("--target: of a power law, with --effort");
    std::vector<model::LossPoint> points;
    for (std::size_t i = 0; i < table.rows(); ++i)
      points.push_back(
          {table.number(i, "parameters"), table.number(i, "tokens"), table.number(i, "loss")});
    r.two_terms = model::fit_two_terms(points, c.seed, c.resamples == 0 ? 500 : c.resamples);
  } else {
    if (!r.flops.empty())
      throw UsageError("--flop: of columns parameters, tokens and loss, without --effort");
    if (c.effort.empty() && table.header().size() != 2)
      throw UsageError(
          "--effort and --error: columns; else two columns, effort and error, or the columns "
          "parameters, tokens and loss");
    r.effort = c.effort.empty() ? table.header().at(0) : c.effort;
    r.error = !c.error.empty() ? c.error : c.effort.empty() ? table.header().at(1) : "error";
    std::vector<model::EffortPoint> points;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      points.push_back({table.number(i, r.effort), table.number(i, r.error)});
      r.greatest_effort = std::max(r.greatest_effort, points.back().effort);
    }
    r.power = model::fit_power_law(points, c.seed, c.resamples == 0 ? 1000 : c.resamples);
  }
  print(common.json
            ? report::scaling_json(r)
            : report::scaling_terminal(r, static_cast<std::size_t>(std::max(60, terminal_width(1))),
                                       is_terminal(1)));
  return kOk;
}

}  // namespace

void add_scaling(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ScalingCommand>();
  CLI::App* command = app.add_subcommand(
      "scaling", "What half the error takes: a law fitted to your points, with its interval");
  command
      ->add_option("file", c->file,
                   "CSV: two columns, effort and error; or columns parameters, tokens, loss")
      ->required();
  command->add_option("--effort", c->effort, "Column of FLOP, joules, hours ...");
  command->add_option("--error", c->error, "Column of the error; default `error`");
  command->add_option("--target", c->targets, "An error to be reached; again for more");
  command->add_option("--flop", c->flops,
                      "Compute whose best tokens a parameter are asked; again for more");
  command->add_option("--resamples", c->resamples, "Refits behind the intervals; 1000, or 500")
      ->check(CLI::Validator(whole_number, ""));
  command->add_option("--seed", c->seed, "Of the resamples; default 1")
      ->check(CLI::Validator(whole_number, ""));
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
