// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/network/rts_gmlc.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_table.hpp"

namespace carnot::grid {

namespace {

namespace fs = std::filesystem;

fs::path data_folder(const std::string& folder) {
  const fs::path inside = fs::path(folder) / "RTS_Data";
  return fs::is_directory(inside) ? inside : fs::path(folder);
}

using BusIndex = std::map<std::string, std::size_t>;

std::size_t bus_of(const CsvTable& table, std::size_t row, const std::string& column,
                   const BusIndex& index) {
  const auto there = index.find(table.text(row, column));
  if (there == index.end())
    table.refuse(row, column,
                 fmt::format("a bus of bus.csv; there is no bus {}", table.text(row, column)));
  return there->second;
}

BusIndex read_buses(const CsvTable& table, Grid& grid) {
  BusIndex index;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!index.emplace(table.text(row, "Bus ID"), row).second)
      table.refuse(row, "Bus ID", "each bus once");
    const double area = table.number(row, "Area");
    if (!(area >= 1.0) || area > 1000.0 || area != std::floor(area))
      table.refuse(row, "Area", "a whole number from 1");
    grid.buses.push_back({.id = static_cast<std::int64_t>(table.number(row, "Bus ID")),
                          .demand_mw = table.number(row, "MW Load"),
                          .shunt_mw = table.number(row, "MW Shunt G"),
                          .reference = table.text(row, "Bus Type") == "Ref",
                          .area = static_cast<int>(area),
                          .latitude_deg = table.number(row, "lat"),
                          .longitude_deg = table.number(row, "lng")});
  }
  return index;
}

void read_branches(const CsvTable& table, const BusIndex& index, Grid& grid) {
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double tap = table.number(row, "Tr Ratio");
    grid.branches.push_back({.from = bus_of(table, row, "From Bus", index),
                             .to = bus_of(table, row, "To Bus", index),
                             .resistance_pu = table.number(row, "R"),
                             .reactance_pu = table.number(row, "X"),
                             .tap = tap == 0.0 ? 1.0 : tap,
                             .limit_mw = table.number(row, "Cont Rating")});
  }
}

void read_dc_lines(const CsvTable& table, const BusIndex& index, Grid& grid) {
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double rated = table.number(row, "MW Load");
    grid.dc_lines.push_back({.from = bus_of(table, row, "From Bus", index),
                             .to = bus_of(table, row, "To Bus", index),
                             .minimum_mw = -rated,
                             .maximum_mw = rated});
  }
}

/// Off, or along the heat rate curve: MW times BTU/kWh is MMBTU/h by a factor of 1/1000.
GeneratorCost thermal_cost(const CsvTable& table, std::size_t row) {
  constexpr double kKgPerPound = 0.45359237;
  const double most = table.number(row, "PMax MW");
  const double price = table.number(row, "Fuel Price $/MMBTU");
  const double carbon = table.number(row, "Emissions CO2 Lbs/MMBTU") * kKgPerPound;
  const double variable = table.number(row, "VOM");
  GeneratorCost cost;
  cost.points.push_back({});
  for (int k = 0; k <= 4; ++k) {
    const std::string share = fmt::format("Output_pct_{}", k);
    const std::string rate = fmt::format("HR_{}_{}", k == 0 ? "avg" : "incr", k);
    if (table.text(row, share) == "NA" || table.text(row, rate) == "NA") break;
    const GeneratorCost::Point last = cost.points.back();
    const double output = most * table.number(row, share);
    if (output <= last.output_mw) continue;  // nothing below the first point
    const double more = output - last.output_mw;
    const double heat = more * table.number(row, rate) / 1000.0;
    cost.points.push_back({output, last.cost_per_h + heat * price + more * variable,
                           last.co2_kg_per_h + heat * carbon});
  }
  if (cost.points.size() < 2) {
    cost.points.clear();
    cost.c1_per_mwh = variable;
  }
  return cost;
}

/// Units that the hourly model has no place for.
bool is_left_out(const std::string& type) {
  return type == "CSP" || type == "STORAGE" || type == "SYNC_COND";
}

/// \returns the lines of those that are kept
std::vector<std::size_t> read_generators(const CsvTable& table, const BusIndex& index, Grid& grid) {
  std::vector<std::size_t> lines;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string& type = table.text(row, "Unit Type");
    if (is_left_out(type)) continue;
    const bool weather = type == "WIND" || type == "PV" || type == "RTPV";
    const bool water = type == "HYDRO" || type == "ROR";
    grid.generators.push_back(
        {.name = table.text(row, "GEN UID"),
         .bus = bus_of(table, row, "Bus ID", index),
         .minimum_mw = 0.0,
         .maximum_mw = table.number(row, "PMax MW"),
         .setpoint_mw = table.number(row, "MW Inj"),
         .cost = weather || water ? GeneratorCost{} : thermal_cost(table, row),
         .weather_driven = weather});
    lines.push_back(table.lines()[row]);
  }
  return lines;
}

/// Columns of a time series file by name, after the four of the date.
std::map<std::string, std::vector<double>> read_series(const fs::path& path, Instant& begin) {
  const CsvTable table = CsvTable::read(path);
  std::map<std::string, std::vector<double>> series;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto part = [&](const char* name) { return static_cast<int>(table.number(row, name)); };
    const Instant start = Instant::from_date(part("Year"), part("Month"), part("Day")) +
                          Duration::seconds(3600) * (part("Period") - 1);
    if (row == 0) begin = start;
    if (start != begin + Duration::seconds(3600) * static_cast<std::int64_t>(row))
      table.refuse(row, "Period", "an hour later than the row before");
    for (std::size_t k = 4; k < table.header().size(); ++k)
      series[table.header()[k]].push_back(table.number(row, k));
  }
  return series;
}

}  // namespace

RtsGmlc RtsGmlc::read(const std::string& folder) {
  const fs::path source = data_folder(folder) / "SourceData";
  const fs::path series = data_folder(folder) / "timeseries_data_files";
  RtsGmlc rts;
  rts.grid_.name = "RTS-GMLC";
  const auto table = [&source](const char* name) { return CsvTable::read(source / name); };
  const CsvTable buses = table("bus.csv"), branches = table("branch.csv"),
                 dc_lines = table("dc_branch.csv"), generators = table("gen.csv");
  const BusIndex index = read_buses(buses, rts.grid_);
  read_branches(branches, index, rts.grid_);
  read_dc_lines(dc_lines, index, rts.grid_);
  const std::vector<std::size_t> kept = read_generators(generators, index, rts.grid_);
  validate(rts.grid_, {.buses = {buses.name(), buses.lines()},
                       .branches = {branches.name(), branches.lines()},
                       .dc_lines = {dc_lines.name(), dc_lines.lines()},
                       .generators = {generators.name(), kept}});

  const fs::path load_file = series / "Load" / "DAY_AHEAD_regional_Load.csv";
  const auto load = read_series(load_file, rts.begin_);
  std::map<int, double> area_mw;
  for (const GridBus& bus : rts.grid_.buses) area_mw[bus.area] += bus.demand_mw;
  for (const GridBus& bus : rts.grid_.buses) {
    const auto there = load.find(std::to_string(bus.area));
    if (there == load.end() || !(area_mw[bus.area] > 0.0))
      throw InputError(describe({load_file.string(), 0}, std::to_string(bus.area),
                                "a column with rows for each area, whose buses have load"));
    rts.load_share_.push_back(bus.demand_mw / area_mw[bus.area]);
    const auto area = static_cast<std::size_t>(bus.area);
    if (rts.area_load_mw_.size() < area) rts.area_load_mw_.resize(area);
    rts.area_load_mw_[area - 1] = there->second;
    rts.hours_ = there->second.size();
  }
  for (const auto& [part, file] :
       {std::pair{"WIND", "DAY_AHEAD_wind.csv"}, std::pair{"PV", "DAY_AHEAD_pv.csv"},
        std::pair{"RTPV", "DAY_AHEAD_rtpv.csv"}, std::pair{"Hydro", "DAY_AHEAD_hydro.csv"}}) {
    Instant begin;
    auto columns = read_series(series / part / file, begin);
    for (std::size_t g = 0; g < rts.grid_.generators.size(); ++g) {
      const auto there = columns.find(rts.grid_.generators[g].name);
      if (there == columns.end()) continue;
      if (begin != rts.begin_ || there->second.size() != rts.hours_)
        throw InputError(
            describe({(series / part / file).string(), 0}, "", "the same hours as the load's"));
      rts.schedules_.push_back(
          {g, !rts.grid_.generators[g].weather_driven, std::move(there->second)});
    }
  }
  return rts;
}

Instant RtsGmlc::start(std::size_t at) const noexcept {
  return begin_ + Duration::seconds(3600) * static_cast<std::int64_t>(at);
}

std::size_t RtsGmlc::hour_at(Instant time) const {
  if (time < begin_ || time >= start(hours_))
    throw InputError(
        fmt::format("time: from {} until before {}", begin_.iso8601(), start(hours_).iso8601()));
  return static_cast<std::size_t>((time - begin_) / Duration::seconds(3600));
}

GridState RtsGmlc::state(std::size_t at) const {
  CARNOT_CHECK(at < hours_, "an hour of the year");
  GridState state = state_of(grid_);
  for (std::size_t b = 0; b < grid_.buses.size(); ++b)
    state.demand_mw[b] =
        load_share_[b] * area_load_mw_[static_cast<std::size_t>(grid_.buses[b].area) - 1][at];
  for (const Schedule& schedule : schedules_) {
    state.maximum_mw[schedule.generator] = std::max(0.0, schedule.mw[at]);
    if (schedule.fixed) state.minimum_mw[schedule.generator] = state.maximum_mw[schedule.generator];
  }
  return state;
}

bool is_rts_gmlc(const std::string& path) { return fs::is_directory(path); }

}  // namespace carnot::grid
