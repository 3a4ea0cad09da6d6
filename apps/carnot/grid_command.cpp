// SPDX-License-Identifier: Apache-2.0
// carnot grid flow|opf CASE.
#include <chrono>
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/plan/opf.hpp"
#include "carnot/report/grid.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct GridCommand {
  std::string path;
  std::string model;
  plan::OpfOptions opf;
};

BranchModel branch_model(const std::string& name) {
  if (name == "resistance") return BranchModel::ResistanceKept;
  if (name == "tap") return BranchModel::TapAndShift;
  throw UsageError(fmt::format("--branches: resistance or tap, not `{}`", name));
}

int execute(const GridCommand& c, report::GridAnalysis analysis, const Common& common) {
  report::GridReport r;
  r.analysis = analysis;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  r.grid = read_matpower(c.path);
  r.state = state_of(r.grid);
  const auto from = std::chrono::steady_clock::now();
  if (analysis == report::GridAnalysis::Flow) {
    r.result = report::result_of(r.grid, dc_flow(r.grid, branch_model(c.model)));
  } else {
    plan::OpfOptions options = c.opf;
    options.branch_model = branch_model(c.model);
    r.result = plan::OptimalPowerFlow(r.grid, options).solve(r.state);
  }
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  print(common.json ? report::grid_json(r) : report::grid_terminal(r));
  return r.result.status == plan::OpfStatus::Optimal ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_grid(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<GridCommand>();
  CLI::App* grid =
      app.add_subcommand("grid", "Power flow and its optimum over a transmission grid");
  grid->require_subcommand(1);
  grid->fallthrough();
  const auto add = [&](const char* name, const char* help, const char* model,
                       report::GridAnalysis analysis) {
    CLI::App* command = grid->add_subcommand(name, help);
    command->add_option("case", c->path, "MATPOWER case (.m)")->required();
    command->add_option("--branches", c->model,
                        fmt::format("Susceptance of a branch: resistance, x/(r^2+x^2), or tap, "
                                    "1/(x tap) with phase shift; default {}",
                                    model));
    command->fallthrough();
    command->callback([c, &common, &action, analysis, model] {
      if (c->model.empty()) c->model = model;
      action = [c, &common, analysis] { return execute(*c, analysis, common); };
    });
    return command;
  };
  add("flow", "What the wires carry at the dispatch of the file", "tap",
      report::GridAnalysis::Flow);
  CLI::App* opf = add("opf", "The cheapest dispatch that the wires can carry", "resistance",
                      report::GridAnalysis::OptimalFlow);
  opf->add_flag("--losses", c->opf.losses, "Count what the branches turn into heat");
  opf->add_option("--shed-price", c->opf.shed_price_per_mwh,
                  "Price per MWh at which demand may go unserved; default: it may not")
      ->check(CLI::Validator(positive_number, ""));
}

}  // namespace carnot::app
