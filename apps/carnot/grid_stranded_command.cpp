// SPDX-License-Identifier: Apache-2.0
// carnot grid stranded
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/report/grid/stranded.hpp"
#include "carnot/trace/readers/read.hpp"

#include "grid_command.hpp"

namespace carnot::app {

namespace {

struct StrandedCommand {
  std::string rts, prices, gb;
  std::vector<std::string> buses, zones{"AU-VIC", "DE-LU"};
  grid::StrandedOptions options;
};

/// Buses of a grid that nobody computes on.
grid::StrandedSet of_grid(const StrandedCommand& c) {
  const grid::GridHours hours = grid::hours_of(grid::RtsGmlc::read(c.rts), 0, 0);
  grid::ShiftOptions options;
  options.sites = computing_sites(hours.grid, c.buses);
  options.stop = c.options.stop;
  const grid::ShiftStudy study =
      grid::study_shift(hours, options, {grid::ShiftSignal::NoComputing}, {});
  options.stop.throw_if_requested();
  grid::StrandedSet set{hours.grid.name, 1.0, {}};
  for (std::size_t s = 0; s < options.sites.size(); ++s) {
    grid::StrandedSite site;
    site.name = fmt::format("bus {}", hours.grid.buses[options.sites[s].bus].id);
    for (const grid::ShiftHour& hour : study.variants.front().hours) {
      if (hour.sites.empty()) throw InputError("--rts: hours that all have a dispatch");
      site.price_per_mwh.push_back(hour.sites[s].price_per_mwh);
      site.available_mw.push_back(hour.sites[s].available_mw);
      site.curtailed_mw.push_back(hour.sites[s].curtailed_mw);
    }
    set.sites.push_back(std::move(site));
  }
  return set;
}

grid::StrandedSet of_prices(const StrandedCommand& c) {
  grid::StrandedSet set{"prices", 1.0, {}};
  for (const std::string& zone : c.zones) {
    constexpr double kInDollars = 1.0;  // the table's own money
    const Trace<EnergyPrice> trace = read_sites_price(c.prices, zone, kInDollars).trace;
    grid::StrandedSite site;
    site.name = zone;
    for (std::size_t t = 0; t < trace.size(); ++t)
      site.price_per_mwh.push_back(trace[t].in(euro_per_megawatt_hour));
    set.sites.push_back(std::move(site));
  }
  return set;
}

grid::StrandedSet of_great_britain(const StrandedCommand& c) {
  const Trace<Power> trace = read_gb_curtailment(c.gb, GbSeries::Curtailed).trace;
  grid::StrandedSite site;
  site.name = "GB wind";
  for (std::size_t t = 0; t < trace.size(); ++t) site.curtailed_mw.push_back(trace[t].in(megawatt));
  return {"GB", trace.core().step().time().in(hour), {site}};
}

int execute(StrandedCommand c, const Common& common) {
  if (c.rts.empty() && c.prices.empty() && c.gb.empty())
    throw UsageError("grid stranded: --rts, --prices or --gb");
  c.options.stop = stop_on_interrupt();
  report::GridStrandedReport r;
  r.command = common.command_line;
  r.started = Instant::now().iso8601();
  r.options = c.options;
  std::vector<grid::StrandedSet> sets;
  if (!c.rts.empty()) sets.push_back(of_grid(c));
  if (!c.prices.empty()) sets.push_back(of_prices(c));
  if (!c.gb.empty()) sets.push_back(of_great_britain(c));
  r.table = grid::study_stranded(sets, c.options);
  if (r.table.stopped && r.table.rows.empty()) throw Stopped();
  print(common.json ? report::grid_stranded_json(r) : report::grid_stranded_terminal(r));
  if (!r.table.stopped) return kOk;
  say(common, "interrupted: these are the rows that were done");
  return kInterrupted;
}

}  // namespace

void add_grid_stranded(CLI::App& grid, const Common& common, Action& action) {
  auto c = std::make_shared<StrandedCommand>();
  CLI::App* command = grid.add_subcommand(
      "stranded", "When power is stranded, for how long, and what batch jobs gain from it");
  command->add_option("--rts", c->rts, "Folder of RTS-GMLC: its price and curtailment at buses");
  command
      ->add_option("--buses", c->buses,
                   "Which, comma-separated; default: the four with most wind and sun")
      ->delimiter(',');
  command->add_option("--prices", c->prices,
                      "Hourly site table of prices in USD/MWh, column `utc` and one a zone");
  command->add_option("--zones", c->zones, "Which of them; default AU-VIC,DE-LU")->delimiter(',');
  command->add_option("--gb", c->gb, "Great Britain's wind, planned and curtailed, by 15 minutes");
  command
      ->add_option("--price", c->options.prices_per_mwh,
                   "Power is stranded at such a price per MWh or below; default 0,5")
      ->delimiter(',');
  command->add_option("--least", c->options.least_mw,
                      "MW of curtailed power that count; default 20");
  command->add_option("--nodes", c->options.nodes,
                      "Of the base machine, and as many on stranded power; default 128");
  command->add_option("--load", c->options.load,
                      "Jobs, as a share of what the base machine can do; default 0.9");
  command->add_option("--seed", c->options.seed, "Of the jobs; default 1");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
