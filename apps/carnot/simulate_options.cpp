// SPDX-License-Identifier: Apache-2.0
#include "simulate_options.hpp"

#include <algorithm>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/simulate/fleet_source.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

std::string not_negative(const std::string& text) {
  try {
    const double value = parse_number(text);
    if (std::isfinite(value) && value >= 0.0) return "";
  } catch (const InputError&) {
  }
  return "a number from 0 on, found `" + text + "`";
}

Duration seconds(double s) { return Duration::from(s * second); }

Duration time_unit(const std::string& text) {
  if (text.empty()) return Duration{};
  if (text == "s") return Duration::seconds(1);
  if (text == "min") return Duration::seconds(60);
  if (text == "h") return Duration::seconds(3600);
  throw UsageError(fmt::format("--time-unit: s, min or h, not `{}`", text));
}

/// `HOURS[,SHAPE[,REPAIR_HOURS]]`
simulate::FailureOptions failures(const std::string& text) {
  simulate::FailureOptions f;
  if (text.empty()) return f;
  const std::vector<std::string_view> parts = plain_cells(text);
  try {
    if (parts.size() > 3) throw InputError("too many");
    f.mean_up = parse_number(parts[0]) * hour;
    if (parts.size() > 1) f.shape = parse_number(parts[1]);
    if (parts.size() > 2) f.repair = parse_number(parts[2]) * hour;
    if (f.mean_up <= Time{}) throw InputError("zero");
  } catch (const InputError&) {
    throw UsageError(fmt::format(
        "--failures: mean hours between failures of a node, then shape and hours of repair, such "
        "as 2000,0.7,4; not `{}`",
        text));
  }
  return f;
}

simulate::FleetSite common_site(const SimulateCommand& c, const Workload& jobs, std::size_t sites) {
  simulate::FleetSite site;
  site.hall.nodes = c.nodes > 0 ? c.nodes : simulate::nodes_for(jobs, sites, c.load);
  site.hall.node_peak = c.node_power_w * watt;
  site.hall.node_idle = c.idle_power_w * watt;
  site.hall.node_suspended = Power{};
  site.battery.capacity = c.battery_kwh * kilowatt_hour;
  const double kw = c.battery_kw > 0 ? c.battery_kw : c.battery_kwh / 2.0;
  site.battery.charge_limit = site.battery.discharge_limit = kw * kilowatt;
  site.battery.self_discharge_per_day = 0.0;
  site.export_limit = c.export_limit_kw * kilowatt;
  if (c.uses != "all-own" && c.uses != "curtailed")
    throw UsageError(fmt::format("--uses: all-own or curtailed, not `{}`", c.uses));
  site.computing_uses =
      c.uses == "all-own" ? site::ComputingUses::AllOwn : site::ComputingUses::Curtailed;
  return site;
}

/// Rows of a small table whose first column names a site. What is wrong in it is said all together
/// after the last row, by next().
class SiteRows {
 public:
  /// \throws InputFileError; InputError for another header
  SiteRows(const std::string& path, std::string_view header, const simulate::FleetScenario& fleet)
      : text_(read_input(path)),
        rest_(text_),
        place_{path, 0},
        columns_(plain_cells(header)),
        fleet_(fleet) {
    if (line() != header)
      throw InputError(describe(place_, "", fmt::format("the header {}", header)));
  }

  /// To the next row that is as wide as the header and of a site that is there. False after the
  /// last. \throws InputError then, if a row was wrong
  bool next() {
    while (!rest_.empty()) {
      const std::string_view row = line();
      if (row.empty()) continue;
      cells_ = plain_cells(row);
      if (cells_.size() != columns_.size()) {
        problems_.add(place_, "", fmt::format("{} cells", columns_.size()));
        continue;
      }
      if (find_site()) return true;
    }
    problems_.throw_if_any();
    return false;
  }
  control::SiteIndex site() const noexcept { return site_; }
  std::string_view cell(std::size_t column) const { return cells_[column]; }
  /// `least` where it is none.
  double number(std::size_t column, double least, double most = 4e9) {
    try {
      const double value = parse_number(cells_[column]);
      if (value >= least && value <= most) return value;
    } catch (const InputError&) {
      // said below
    }
    refuse(column, fmt::format("a number from {} to {:g}", least, most));
    return least;
  }
  void refuse(std::size_t column, std::string_view allowed) {
    problems_.add(place_, columns_[column], allowed);
  }

 private:
  std::string_view line() {
    ++place_.line;
    std::string_view line = cut_cell(rest_, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    return place_.line == 1 ? without_byte_order_mark(line) : line;
  }
  bool find_site() {
    std::vector<std::string> names;
    for (const simulate::FleetSite& site : fleet_.sites) {
      if (site.name == cells_[0]) {
        site_ = static_cast<control::SiteIndex>(names.size());
        return true;
      }
      names.push_back(site.name);
    }
    const std::string near = nearest(cells_[0], names);
    refuse(0, near.empty() ? "the name of a site"
                           : fmt::format("the name of a site; did you mean `{}`?", near));
    return false;
  }

  std::string text_;
  std::string_view rest_;
  Place place_;
  std::vector<std::string_view> columns_, cells_;
  const simulate::FleetScenario& fleet_;
  control::SiteIndex site_ = control::SiteIndex{};
  Problems problems_;
};

}  // namespace

std::vector<control::ReserveCall> read_reserve(const std::string& path,
                                               const simulate::FleetScenario& fleet,
                                               Instant begin) {
  std::vector<control::ReserveCall> calls;
  SiteRows rows(path, "site,start_s,length_s,power_kw,direction", fleet);
  while (rows.next()) {
    control::ReserveCall call;
    call.site = rows.site();
    call.at = begin + seconds(rows.number(1, 0.0));
    call.length = seconds(rows.number(2, 1e-3));
    call.power = rows.number(3, 1e-9) * kilowatt;
    call.down = rows.cell(4) == "down";
    if (!call.down && rows.cell(4) != "up") rows.refuse(4, "down or up");
    calls.push_back(call);
  }
  std::stable_sort(calls.begin(), calls.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return calls;
}

std::vector<simulate::Closure> read_closures(const std::string& path,
                                             const simulate::FleetScenario& fleet, Instant begin) {
  std::vector<simulate::Closure> closures;
  SiteRows rows(path, "site,start_s,length_s,nodes", fleet);
  while (rows.next()) {
    simulate::Closure closure;
    closure.site = rows.site();
    closure.from = begin + seconds(rows.number(1, 0.0));
    closure.to = closure.from + seconds(rows.number(2, 1e-3));
    const double all = fleet.sites[closure.site].hall.nodes;
    const double nodes = rows.cell(3).empty() ? all : rows.number(3, 1.0, all);
    if (nodes != std::floor(nodes)) rows.refuse(3, "a whole number, or nothing: all");
    closure.nodes = static_cast<std::int32_t>(nodes);
    closures.push_back(closure);
  }
  std::stable_sort(closures.begin(), closures.end(),
                   [](const auto& a, const auto& b) { return a.from < b.from; });
  return closures;
}

SimulateInput simulate_input(const SimulateCommand& c, const StopToken& stop) {
  if (c.jobs.empty() || c.sites.empty()) throw UsageError("simulate: --jobs TRACE --sites DIR");
  SimulateInput in;
  WorkloadOptions reading;
  reading.format = workload_format(c.format);
  reading.time_unit = time_unit(c.time_unit);
  reading.most = c.most_jobs;
  reading.stop = stop;
  reading.cores_per_node = c.cores_per_node;
  reading.zone = c.trace_zone;
  reading.kill_at_estimate = c.kill_at_estimate;
  in.jobs = read_workload(c.jobs, reading);
  if (c.sla > 0) simulate::set_deadlines(in.jobs, c.sla);
  if (const std::size_t nearer = pass_deadlines_on(in.jobs); nearer > 0)
    in.jobs.provenance +=
        fmt::format("; deadlines of {} jobs made as near as those who wait for them ask", nearer);

  simulate::FleetSourceOptions source;
  source.folder = c.sites;
  source.zones = c.zones;
  source.own = c.own;
  source.own_capacity = c.own_capacity_kw * kilowatt;
  in.fleet = simulate::load_fleet(source);
  const simulate::FleetSite common = common_site(c, in.jobs, in.fleet.sites.size());
  for (simulate::FleetSite& site : in.fleet.sites) {
    site.hall = common.hall;
    site.battery = common.battery;
    site.export_limit = common.export_limit;
    site.computing_uses = common.computing_uses;
  }
  simulate::spread_origins(in.jobs, in.fleet);

  simulate::FleetOptions& o = in.options;
  o.begin = simulate::begin_of(in.jobs, in.fleet);
  if (!c.start.empty()) o.begin = Instant::parse(c.start, true);
  o.until = seconds(86400.0 * c.days);
  o.start_delay = seconds(c.start_delay_s);
  o.stop_delay = seconds(c.stop_delay_s);
  o.move_delay = seconds(c.move_delay_s);
  o.save_every = seconds(60.0 * c.save_every_min);
  o.save_time = seconds(c.save_time_s);
  o.failures = failures(c.failures);
  o.seed = c.seed;
  if (!c.reserve.empty()) o.calls = read_reserve(c.reserve, in.fleet, o.begin);
  if (!c.closures.empty()) o.closures = read_closures(c.closures, in.fleet, o.begin);
  in.scheduler.max_wait = seconds(3600.0 * c.max_wait_h);
  in.scheduler.carbon_price_eur_per_t = c.carbon_price;
  in.scheduler.stop = stop;
  return in;
}

void add_simulate_flags(CLI::App& command, SimulateCommand& c) {
  const CLI::Validator amount(not_negative, "");
  const CLI::Validator positive(positive_number, "");
  command.add_option("--jobs", c.jobs,
                     "Job trace: SWF, CSV, sacct, Batsim and others, plain, .gz or .zip");
  command.add_option("--sites", c.sites, "Folder of hourly site tables");
  command.add_option("--policy,-p", c.policies, "Policies, side by side (default: no-wait)")
      ->delimiter(',');
  command.add_flag("--list", c.list, "Which policies there are");
  command.add_option(
      "--format", c.format,
      "auto (default), swf, csv, gaia, philly, sacct, helios, alibaba, batsim or philly-json");
  command.add_option(
      "--trace-zone", c.trace_zone,
      "Of the trace's dates that state none: +01:00 or Europe/Berlin (default: UTC)");
  command.add_flag("--kill-at-estimate", c.kill_at_estimate,
                   "Jobs end at their time limit, as clusters enforce it");
  command.add_option("--time-unit", c.time_unit, "Of arrival_time and length: s, min or h");
  command.add_option("--max-jobs", c.most_jobs, "Only the first so many");
  command
      .add_option("--cores-per-node", c.cores_per_node,
                  "Of an SWF trace (default: its MaxProcs over its MaxNodes, else 1)")
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--zones", c.zones, "Sites (default: all with price, carbon, temperature)")
      ->delimiter(',');
  command.add_option("--nodes-per-site", c.nodes, "Default: as --load says")
      ->check(CLI::Range(1, 10'000'000));
  command.add_option("--load", c.load, "Share of all nodes that the trace needs (default: 0.3)")
      ->check(CLI::Range(0.001, 1.0));
  command.add_option("--node-power-w", c.node_power_w, "Of a node at work (default: 400)")
      ->check(positive);
  command.add_option("--idle-power-w", c.idle_power_w, "Of a free node (default: 100)")
      ->check(amount);
  command.add_option("--start", c.start, "Date at which the trace begins (default: the tables')");
  command.add_option("--days", c.days, "Ends then (default: when all jobs are done)")
      ->check(positive);
  command.add_option("--own", c.own,
                     "Own power: a table of kW, or a folder with windspeed_10m_kmh.csv");
  command.add_option("--own-capacity-kw", c.own_capacity_kw, "Of the turbines (default: 1000)")
      ->check(amount);
  command.add_option("--export-limit-kw", c.export_limit_kw, "Of own power (default: 0)")
      ->check(amount);
  command.add_option("--uses", c.uses, "all-own (default) or curtailed: what export leaves");
  command.add_option("--battery-kwh", c.battery_kwh, "A site's battery (default: none)")
      ->check(amount);
  command.add_option("--battery-kw", c.battery_kw, "Its power (default: full in two hours)")
      ->check(amount);
  command.add_option("--sla", c.sla, "Deadline: so many times a job's length after its arrival")
      ->check(positive);
  command.add_option("--max-wait", c.max_wait_h, "Hours that a start may be put off (default: 24)")
      ->check(amount);
  command.add_option("--carbon-price", c.carbon_price, "EUR/t, for policies that weigh it")
      ->check(amount);
  command.add_option("--start-delay", c.start_delay_s, "Seconds to load a job's state")
      ->check(amount);
  command.add_option("--stop-delay", c.stop_delay_s, "Seconds to save it")->check(amount);
  command.add_option("--move-delay", c.move_delay_s, "Seconds to carry it to another site")
      ->check(amount);
  command.add_option("--save-every", c.save_every_min, "Minutes between saves while running")
      ->check(amount);
  command.add_option("--save-time", c.save_time_s, "Seconds that each takes")->check(amount);
  command.add_option("--failures", c.failures, "HOURS[,SHAPE[,REPAIR_HOURS]]: nodes break");
  command.add_option("--reserve", c.reserve, "Calls: site,start_s,length_s,power_kw,direction");
  command.add_option("--closures", c.closures, "Maintenance: site,start_s,length_s,nodes");
  command.add_option("--ensemble", c.ensemble, "So many starts spread over the year")
      ->check(CLI::Range(1, 10'000));
  command.add_option("--threads", c.threads, "Of the ensemble (default: all CPUs)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--events", c.events, "Writes the event log");
  CLI::Option* replay =
      command.add_option("--replay", c.replay, "Recomputes a log's totals and compares them");
  command.add_option("--checkpoint", c.checkpoint, "Written every 30 days, and when interrupted");
  command.add_option("--resume", c.resume, "Goes on from a checkpoint")->excludes(replay);
  command.add_option("--seed", c.seed, "Of failures (default: 1)");
}

}  // namespace carnot::app
