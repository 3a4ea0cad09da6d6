// SPDX-License-Identifier: Apache-2.0
// carnot grid place FOLDER
#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/grid/place.hpp"

#include "grid_command.hpp"

namespace carnot::app {

namespace {

struct PlaceCommand {
  std::string path, csv, time;
  std::vector<std::string> sites, signals;
  std::size_t hours = 0;
  std::optional<std::size_t> week;
  grid::ShiftOptions options;
};

int execute(const PlaceCommand& c, const Common& common) {
  const StopToken stop = stop_on_interrupt();
  report::GridPlaceReport r;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  r.week = c.week;
  const std::vector<grid::ShiftSignal> signals =
      shift_signals(c.signals, {grid::kShiftSignals.begin(), grid::kShiftSignals.end()});
  const grid::RtsGmlc rts = grid::RtsGmlc::read(c.path);
  const std::size_t first = c.time.empty() ? 0 : rts.hour_at(Instant::parse(c.time, true));
  const grid::GridHours hours = grid::hours_of(rts, first, c.hours);
  if (c.week && *c.week * 168 >= hours.states.size())
    throw UsageError("--week: one of the weeks that are computed, from 0");
  r.grid = hours.grid;
  r.begin = hours.begin;
  grid::ShiftOptions options = c.options;
  options.stop = stop;
  options.sites = computing_sites(hours.grid, c.sites);
  ProgressLine line(common);
  const auto from = std::chrono::steady_clock::now();
  r.study =
      grid::study_shift(hours, options, signals, [&](grid::ShiftSignal signal, std::size_t done) {
        line.draw([&](int) {
          return fmt::format("{}: hour {} of {}", grid::name(signal), done, hours.states.size());
        });
        return !interrupted();
      });
  line.clear();
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  // What was cut short is compared with nothing.
  std::erase_if(r.study.variants, [&](const grid::ShiftVariant& variant) {
    return variant.hours.size() < hours.states.size();
  });
  if (r.study.variants.empty()) throw Stopped();
  if (!c.csv.empty()) write_file(c.csv, report::grid_place_csv(r));
  print(common.json ? report::grid_place_json(r) : report::grid_place_terminal(r));
  if (interrupted()) {
    say(common, "interrupted: these are the variants that were done");
    return kInterrupted;
  }
  return std::all_of(r.study.variants.begin(), r.study.variants.end(),
                     [](const grid::ShiftVariant& v) { return v.totals().unsolved == 0; })
             ? kOk
             : kOutcomeSaysNo;
}

}  // namespace

std::vector<grid::ShiftSignal> shift_signals(const std::vector<std::string>& names,
                                             std::vector<grid::ShiftSignal> otherwise) {
  if (names.empty()) return otherwise;
  std::vector<grid::ShiftSignal> signals;
  for (const std::string& asked : names) {
    const auto there =
        std::find_if(grid::kShiftSignals.begin(), grid::kShiftSignals.end(),
                     [&](grid::ShiftSignal signal) { return grid::name(signal) == asked; });
    if (there == grid::kShiftSignals.end())
      throw UsageError(fmt::format("--signals: there is no `{}`; see --help", asked));
    signals.push_back(*there);
  }
  return signals;
}

std::size_t bus_of(const grid::Grid& grid, const std::string& id, const std::string& option) {
  const auto there =
      std::find_if(grid.buses.begin(), grid.buses.end(),
                   [&](const grid::GridBus& bus) { return std::to_string(bus.id) == id; });
  if (there == grid.buses.end())
    throw InputError(fmt::format("{}: a bus of the grid; there is no bus {}", option, id));
  return static_cast<std::size_t>(there - grid.buses.begin());
}

std::vector<grid::ComputingSite> computing_sites(const grid::Grid& grid,
                                                 const std::vector<std::string>& words) {
  constexpr std::size_t kSites = 4;
  constexpr double kCapacityMw = 250.0;
  std::vector<grid::ComputingSite> sites;
  for (const std::string& word : words) {
    const std::size_t colon = word.find(':');
    grid::ComputingSite site{bus_of(grid, word.substr(0, colon), "--sites"), kCapacityMw};
    if (colon != std::string::npos) {
      try {
        site.capacity_mw = parse_number(word.substr(colon + 1));
      } catch (const InputError&) {
        throw UsageError(fmt::format("--sites: BUS or BUS:MW, not `{}`", word));
      }
    }
    sites.push_back(site);
  }
  if (!words.empty()) return sites;
  const std::vector<double> weather = grid::weather_mw(grid);
  std::vector<std::size_t> order(weather.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weather[a] > weather[b]; });
  for (std::size_t k = 0; k < std::min(kSites, order.size()); ++k)
    sites.push_back({order[k], kCapacityMw});
  return sites;
}

void add_computing(CLI::App& command, std::vector<std::string>& sites, grid::ShiftOptions& o) {
  command
      .add_option("--sites", sites,
                  "Computing sites: BUS:MW, comma-separated; default: 250 MW at each of the four "
                  "buses with most wind and sun")
      ->delimiter(',');
  command.add_option("--utilisation", o.utilisation,
                     "Mean power of the work over capacity, 0 to 1; default 0.7");
  command.add_option("--deferrable", o.deferrable,
                     "Share of the work that may run at any hour of its window; default 0");
  command.add_option("--movable", o.movable,
                     "Share that may besides run at any site; default 0.7. The rest runs evenly");
  command.add_option("--window", o.window_h,
                     "Hours in which work that arises evenly must be done; default 24");
  command.add_option("--units-pay", o.units_pay_per_t,
                     "What units pay for a tonne of CO2, in every variant; default 0");
  command.add_option("--shed-price", o.shed_price_per_mwh,
                     "Price per MWh of demand that goes unserved; default 10000");
}

void add_grid_place(CLI::App& grid, const Common& common, Action& action) {
  auto c = std::make_shared<PlaceCommand>();
  CLI::App* command = grid.add_subcommand(
      "place",
      "Computing on the grid: its work placed by several signals, the grid dispatched "
      "again for each");
  command->add_option("folder", c->path, "Folder of RTS-GMLC")->required();
  add_computing(*command, c->sites, c->options);
  command->add_option("--carbon-price", c->options.carbon_price_per_t,
                      "What a tonne counts in the plan joint-carbon; default 100");
  command
      ->add_option("--signals", c->signals,
                   "Only these, and what they rest on: no-computing, no-shift, average-carbon, "
                   "price, marginal-carbon, joint-cost, joint-carbon")
      ->delimiter(',');
  command->add_option("--time", c->time, "First hour, such as 2020-07-10; default: the year's");
  command->add_option("--hours", c->hours, "Only so many; default: all to the end of the year");
  command->add_option("--week", c->week,
                      "Which week the document shows hour by hour, from 0; default: the one in "
                      "which average-carbon adds most CO2");
  command->add_option("--csv", c->csv, "Writes a row for each variant and hour");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
