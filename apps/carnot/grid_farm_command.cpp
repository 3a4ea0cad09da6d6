// SPDX-License-Identifier: Apache-2.0
// carnot grid farm FOLDER
#include <algorithm>
#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/report/grid/farm.hpp"

#include "grid_command.hpp"

namespace carnot::app {

namespace {

struct FarmCommand {
  std::string path, time, bus, shape;
  std::vector<std::string> sites, signals;
  std::vector<double> sizes{250.0, 500.0, 1000.0, 2000.0};
  std::size_t hours = 0;
  grid::ShiftOptions options;
  grid::FarmCosts costs;
};

/// The greatest generator of wind or sun, at a bus or anywhere; by name where one is asked for.
std::size_t shape_of(const grid::Grid& grid, const std::string& name, const std::size_t* bus) {
  const std::vector<grid::GridGenerator>& all = grid.generators;
  std::size_t best = all.size();
  for (std::size_t g = 0; g < all.size(); ++g) {
    if (!name.empty() && all[g].name == name) return g;
    if (!name.empty() || !all[g].weather_driven || (bus != nullptr && all[g].bus != *bus)) continue;
    if (best == all.size() || all[g].maximum_mw > all[best].maximum_mw) best = g;
  }
  if (!name.empty())
    throw InputError(fmt::format("--shape: a generator of the grid; there is no {}", name));
  if (best == all.size() && bus != nullptr) return shape_of(grid, name, nullptr);
  if (best == all.size()) throw InputError("--shape: the grid has no wind or sun");
  return best;
}

int execute(const FarmCommand& c, const Common& common) {
  const StopToken stop = stop_on_interrupt();
  report::GridFarmReport r;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  const std::vector<grid::ShiftSignal> signals = shift_signals(
      c.signals,
      {grid::ShiftSignal::NoComputing, grid::ShiftSignal::NoShift, grid::ShiftSignal::JointCost});
  const grid::RtsGmlc rts = grid::RtsGmlc::read(c.path);
  const std::size_t first = c.time.empty() ? 0 : rts.hour_at(Instant::parse(c.time, true));
  const grid::GridHours hours = grid::hours_of(rts, first, c.hours);
  r.grid = hours.grid;
  r.begin = hours.begin;
  r.costs = c.costs;
  r.costs.per_mw_year();  // refuses before hours are spent
  r.options = c.options;
  r.options.stop = stop;
  r.options.sites = computing_sites(hours.grid, c.sites);
  grid::FarmPlan plan;
  if (!c.bus.empty()) plan.bus = bus_of(hours.grid, c.bus, "--bus");
  plan.shape = shape_of(hours.grid, c.shape, c.bus.empty() ? nullptr : &plan.bus);
  if (c.bus.empty()) plan.bus = hours.grid.generators[plan.shape].bus;
  plan.sizes_mw = c.sizes;
  ProgressLine line(common);
  const auto from = std::chrono::steady_clock::now();
  r.study = grid::study_farm(hours, r.options, plan, signals, [&](std::size_t done) {
    line.draw([&](int) { return fmt::format("grid {} of {}", done, c.sizes.size() + 1); });
    return !interrupted();
  });
  line.clear();
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  if (r.study.cases.empty() && interrupted()) throw Stopped();
  print(common.json ? report::grid_farm_json(r) : report::grid_farm_terminal(r));
  if (interrupted()) {
    say(common, "interrupted: these are the sizes that were done");
    return kInterrupted;
  }
  return std::all_of(r.study.cases.begin(), r.study.cases.end(),
                     [](const grid::FarmCase& one) { return one.unsolved == 0; })
             ? kOk
             : kOutcomeSaysNo;
}

}  // namespace

void add_grid_farm(CLI::App& grid, const Common& common, Action& action) {
  auto c = std::make_shared<FarmCommand>();
  CLI::App* command = grid.add_subcommand(
      "farm",
      "What a new wind farm is worth behind the lines there are, with computing and without");
  command->add_option("folder", c->path, "Folder of RTS-GMLC")->required();
  command->add_option("--bus", c->bus, "Where the farm is; default: at the greatest one there is");
  command->add_option("--shape", c->shape,
                      "Generator whose hours it has, scaled by installed power; default: the "
                      "greatest of wind and sun at the bus");
  command->add_option("--sizes", c->sizes, "MW, comma-separated; default 250,500,1000,2000")
      ->delimiter(',');
  add_computing(*command, c->sites, c->options);
  command->add_option("--carbon-price", c->options.carbon_price_per_t,
                      "What a tonne counts in the plan joint-carbon; default 100");
  command
      ->add_option("--signals", c->signals,
                   "How computing runs; default no-computing, no-shift, joint-cost")
      ->delimiter(',');
  command->add_option("--capital", c->costs.capital_per_kw,
                      "Cost of the farm per kW; default 1500");
  command->add_option("--upkeep", c->costs.upkeep_per_kw_year, "Per kW and year; default 40");
  command->add_option("--lifetime", c->costs.lifetime_years, "Years; default 25");
  command->add_option("--interest", c->costs.interest, "Real, a year; default 0.07");
  command->add_option("--time", c->time, "First hour, such as 2020-07-10; default: the year's");
  command->add_option("--hours", c->hours, "Only so many; default: all to the end of the year");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
