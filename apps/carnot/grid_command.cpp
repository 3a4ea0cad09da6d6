// SPDX-License-Identifier: Apache-2.0
// carnot grid flow|opf CASE and carnot grid year FOLDER.
#include "grid_command.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/grid/dispatch/emissions.hpp"
#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/network/rts_gmlc.hpp"
#include "carnot/grid/study/year.hpp"
#include "carnot/report/grid/flow.hpp"

namespace carnot::app {

namespace {

struct GridCommand {
  std::string path;
  std::string model, csv, time;
  std::size_t at = 0, hours = 0;  ///< hours 0: all
  grid::OpfOptions opf;
};

grid::BranchModel branch_model(const std::string& name) {
  if (name == "resistance") return grid::BranchModel::ResistanceKept;
  if (name == "tap") return grid::BranchModel::TapAndShift;
  throw UsageError(fmt::format("--branches: resistance or tap, not `{}`", name));
}

double seconds_since(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

grid::OpfOptions opf_options(const GridCommand& c) {
  grid::OpfOptions options = c.opf;
  options.branch_model = branch_model(c.model);
  options.stop = stop_on_interrupt();
  return options;
}

/// A case as it stands, or an hour of a grid with time series.
void load(const GridCommand& c, report::GridReport& r) {
  if (!grid::is_rts_gmlc(c.path)) {
    if (c.at > 0 || !c.time.empty())
      throw UsageError("--hour and --time are for a folder with time series, not for a case");
    r.grid = grid::read_matpower(c.path);
    r.state = grid::state_of(r.grid);
    return;
  }
  const grid::RtsGmlc rts = grid::RtsGmlc::read(c.path);
  const std::size_t at = c.time.empty() ? c.at : rts.hour_at(Instant::parse(c.time, true));
  if (at >= rts.hours()) throw InputError(fmt::format("--hour: from 0 to {}", rts.hours() - 1));
  r.grid = rts.grid();
  r.state = rts.state(at);
  r.time = rts.start(at).iso8601();
}

void solve(const GridCommand& c, report::GridReport& r) {
  grid::OptimalPowerFlow flow(r.grid, opf_options(c));
  r.result = flow.solve(r.state);
  const grid::SupplyCurves curves(r.grid, 0.0);
  if (r.result.status != grid::OpfStatus::Optimal) return;
  const std::vector<double> slopes = curves.co2_slope(r.result.output_mw);
  if (std::any_of(slopes.begin(), slopes.end(), [](double kg) { return kg > 0.0; }))
    r.marginal_co2_kg_per_mwh = flow.sensitivity(slopes);
}

int execute(const GridCommand& c, report::GridAnalysis analysis, const Common& common) {
  report::GridReport r;
  r.analysis = analysis;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  r.options = opf_options(c);
  load(c, r);
  const auto from = std::chrono::steady_clock::now();
  if (analysis == report::GridAnalysis::Flow)
    r.result = report::result_of(r.grid, grid::dc_flow(r.grid, branch_model(c.model)));
  else
    solve(c, r);
  r.seconds = seconds_since(from);
  print(common.json ? report::grid_json(r) : report::grid_terminal(r));
  return r.result.status == grid::OpfStatus::Optimal ? kOk : kOutcomeSaysNo;
}

int execute_year(const GridCommand& c, const Common& common) {
  const grid::OpfOptions options = opf_options(c);
  report::GridYearReport r;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  const grid::RtsGmlc rts = grid::RtsGmlc::read(c.path);
  const std::size_t hours = c.hours > 0 ? c.hours : rts.hours();
  ProgressLine line(common);
  const auto from = std::chrono::steady_clock::now();
  r.year = grid::solve_hours(rts, options, hours, [&](std::size_t done) {
    line.draw([&](int) { return fmt::format("hour {} of {}", done, hours); });
    return !interrupted();
  });
  r.seconds = seconds_since(from);
  r.begin = rts.start(0);
  r.notes = grid::left_out(rts.grid(), opf_options(c));
  line.clear();
  if (r.year.hours.empty() && hours > 0) throw Stopped();
  if (!c.csv.empty()) write_file(c.csv, report::grid_year_csv(r));
  print(common.json ? report::grid_year_json(r) : report::grid_year_terminal(r));
  if (r.year.hours.size() < hours) {
    say(common, fmt::format("interrupted: {} of {} hours", r.year.hours.size(), hours));
    return kInterrupted;
  }
  return r.year.unsolved == 0 ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_grid(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<GridCommand>();
  CLI::App* grid =
      app.add_subcommand("grid", "Power flow and its optimum over a transmission grid");
  grid->require_subcommand(1);
  grid->fallthrough();
  const auto add = [&](const char* name, const char* help, const char* model,
                       std::function<int()> execution) {
    CLI::App* command = grid->add_subcommand(name, help);
    command->add_option("case", c->path, "MATPOWER case (.m) or folder of RTS-GMLC")->required();
    command->add_option("--branches", c->model,
                        fmt::format("Susceptance of a branch: resistance, x/(r^2+x^2), or tap, "
                                    "1/(x tap) with phase shift; default {}",
                                    model));
    command->fallthrough();
    command->callback([c, &action, model, execution = std::move(execution)] {
      if (c->model.empty()) c->model = model;
      action = execution;
    });
    return command;
  };
  const auto add_hour = [&](CLI::App* command) {
    command->add_option("--hour", c->at, "Hour of the folder's year, from 0");
    command->add_option("--time", c->time, "The same as a time, such as 2020-07-10T12:00");
  };
  const auto add_limits = [&](CLI::App* command) {
    command->add_flag("--losses", c->opf.losses, "Count what the branches turn into heat");
    command->add_flag("--dc-links", c->opf.dc_links, "Dispatch direct-current lines too");
    command
        ->add_option("--shed-price", c->opf.shed_price_per_mwh,
                     "Price per MWh at which demand may go unserved; default: it may not")
        ->check(CLI::Validator(positive_number, ""));
  };
  add_hour(add("flow", "What the wires carry at the dispatch of the file", "tap",
               [c, &common] { return execute(*c, report::GridAnalysis::Flow, common); }));
  CLI::App* opf = add("opf", "The cheapest dispatch that the wires can carry", "tap", [c, &common] {
    return execute(*c, report::GridAnalysis::OptimalFlow, common);
  });
  add_hour(opf);
  add_limits(opf);
  CLI::App* year = add("year", "The cheapest dispatch of every hour of RTS-GMLC", "resistance",
                       [c, &common] { return execute_year(*c, common); });
  add_limits(year);
  year->add_option("--hours", c->hours, "Only so many, from the first; default: all");
  year->add_option("--csv", c->csv, "Writes a row for each hour");
  add_grid_place(*grid, common, action);
  add_grid_farm(*grid, common, action);
  add_grid_stranded(*grid, common, action);
}

}  // namespace carnot::app
