// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/flow.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/grid/dispatch/emissions.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

namespace {

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::string_view name(grid::OpfStatus status) {
  switch (status) {
    case grid::OpfStatus::Optimal:
      return "optimal";
    case grid::OpfStatus::Infeasible:
      return "infeasible";
    case grid::OpfStatus::Unsolved:
      break;
  }
  return "unsolved";
}

/// "122_WIND_1", or "generator 3" of a file without names.
std::string generator_name(const grid::Grid& grid, std::size_t g) {
  const std::string& given = grid.generators[g].name;
  return given.empty() ? fmt::format("generator {}", g + 1) : given;
}

/// CO2 of an optimum whose units say what they emit; empty otherwise.
std::vector<double> co2_of(const GridReport& r) {
  if (r.marginal_co2_kg_per_mwh.empty()) return {};
  return grid::SupplyCurves(r.grid, 0.0).co2_kg_per_h(r.result.output_mw);
}

Json buses_json(const GridReport& r, const std::vector<double>& generation_mw,
                const std::vector<double>& co2_kg_per_h) {
  std::vector<double> average;
  if (!co2_kg_per_h.empty())
    average = grid::bus_average_co2(r.grid, r.state.demand_mw, r.result.output_mw, co2_kg_per_h,
                                    r.result.flow_mw);
  const auto at = [](const std::vector<double>& values, std::size_t b) {
    return values.empty() ? Json() : Json(values[b]);
  };
  Json buses = Json::array();
  for (std::size_t b = 0; b < r.grid.buses.size(); ++b) {
    const grid::GridBus& bus = r.grid.buses[b];
    buses.push_back({{"bus", bus.id},
                     {"area", bus.area},
                     {"latitude_deg", number_or_null(bus.latitude_deg)},
                     {"longitude_deg", number_or_null(bus.longitude_deg)},
                     {"demand_mw", r.state.demand_mw[b] + bus.shunt_mw},
                     {"generation_mw", generation_mw[b]},
                     {"shed_mw", r.result.shed_mw.empty() ? 0.0 : r.result.shed_mw[b]},
                     {"angle_rad", r.result.angle_rad[b]},
                     {"price_per_mwh", at(r.result.price_per_mwh, b)},
                     {"average_co2_kg_per_mwh", at(average, b)},
                     {"marginal_co2_kg_per_mwh", at(r.marginal_co2_kg_per_mwh, b)}});
  }
  return buses;
}

Json branches_json(const GridReport& r) {
  Json branches = Json::array();
  for (std::size_t l = 0; l < r.grid.branches.size(); ++l) {
    const grid::GridBranch& branch = r.grid.branches[l];
    branches.push_back(
        {{"from", r.grid.buses[branch.from].id},
         {"to", r.grid.buses[branch.to].id},
         {"flow_mw", r.result.flow_mw[l]},
         {"limit_mw", number_or_null(branch.limit_mw)},
         {"loss_mw", r.result.loss_mw[l]},
         {"congestion_price_per_mwh",
          r.result.congestion_price.empty() ? Json(nullptr) : Json(r.result.congestion_price[l])}});
  }
  return branches;
}

Json generators_json(const GridReport& r, const std::vector<double>& co2_kg_per_h) {
  Json generators = Json::array();
  for (std::size_t g = 0; g < r.grid.generators.size(); ++g) {
    const grid::GridGenerator& generator = r.grid.generators[g];
    generators.push_back(
        {{"name", generator_name(r.grid, g)},
         {"bus", r.grid.buses[generator.bus].id},
         {"output_mw", r.result.output_mw[g]},
         {"minimum_mw", number_or_null(r.state.minimum_mw[g])},
         {"maximum_mw", number_or_null(r.state.maximum_mw[g])},
         {"cost_per_h",
          r.grid.cost_fault.empty() ? Json(generator.cost.per_h(r.result.output_mw[g])) : Json()},
         {"co2_kg_per_h", co2_kg_per_h.empty() ? Json() : Json(co2_kg_per_h[g])},
         {"weather_driven", generator.weather_driven}});
  }
  return generators;
}

Json congested_json(const GridReport& r) {
  Json congested = Json::array();
  for (const std::size_t l : r.result.congested) {
    const grid::GridBranch& branch = r.grid.branches[l];
    congested.push_back({{"branch", l},
                         {"from", r.grid.buses[branch.from].id},
                         {"to", r.grid.buses[branch.to].id}});
  }
  return congested;
}

Json dc_lines_json(const GridReport& r) {
  Json lines = Json::array();
  for (std::size_t d = 0; d < r.grid.dc_lines.size(); ++d) {
    const grid::GridDcLine& line = r.grid.dc_lines[d];
    lines.push_back({{"from", r.grid.buses[line.from].id},
                     {"to", r.grid.buses[line.to].id},
                     {"flow_mw", r.result.dc_flow_mw[d]},
                     {"minimum_mw", line.minimum_mw},
                     {"maximum_mw", line.maximum_mw}});
  }
  return lines;
}

}  // namespace

namespace {

/// What the reader and the options left out, and power that no generator gives.
std::vector<std::string> notes_of(const GridReport& r) {
  std::vector<std::string> notes = r.grid.notes;
  if (r.analysis == GridAnalysis::OptimalFlow) {
    const std::vector<std::string> more = grid::left_out(r.grid, r.options);
    notes.insert(notes.end(), more.begin(), more.end());
  } else if (!r.grid.cost_fault.empty()) {
    notes.push_back("costs are not known: " + r.grid.cost_fault);
  }
  if (r.analysis == GridAnalysis::Flow && r.result.residual_mw > 1e-6)
    notes.push_back(
        fmt::format("{:.4f} MW at reference buses come from no generator: there is none at them",
                    r.result.residual_mw));
  return notes;
}

std::string_view name(grid::BranchModel model) {
  return model == grid::BranchModel::TapAndShift ? "tap" : "resistance";
}

}  // namespace

grid::OpfResult result_of(const grid::Grid& grid, const grid::DcFlow& flow) {
  grid::OpfResult r;
  r.status = grid::OpfStatus::Optimal;
  r.flow_mw = flow.flow_mw;
  r.angle_rad = flow.angle_rad;
  r.loss_mw.assign(grid.branches.size(), 0.0);
  std::vector<double> adjustment = flow.reference_mw;
  for (const grid::GridGenerator& generator : grid.generators) {
    r.output_mw.push_back(generator.setpoint_mw + std::exchange(adjustment[generator.bus], 0.0));
    r.cost_per_h += generator.cost.per_h(r.output_mw.back());
  }
  for (const grid::GridBus& bus : grid.buses) r.demand_mw += bus.demand_mw + bus.shunt_mw;
  for (const grid::GridDcLine& line : grid.dc_lines) {
    r.dc_flow_mw.push_back(line.setpoint_mw);
    r.losses_mw += line.loss_mw + line.loss_share * line.setpoint_mw;
  }
  for (std::size_t l = 0; l < grid.branches.size(); ++l)
    if (std::abs(flow.flow_mw[l]) > grid.branches[l].limit_mw * (1.0 + 1e-9))
      r.congested.push_back(l);
  r.generation_mw = sum(r.output_mw);
  // A reference bus without a generator: nobody supplies what is missing.
  r.residual_mw = std::abs(r.generation_mw - r.demand_mw - r.losses_mw);
  r.bound_per_h = r.cost_per_h;
  return r;
}

std::string grid_json(const GridReport& r) {
  const grid::OpfResult& result = r.result;
  const bool is_flow = r.analysis == GridAnalysis::Flow;
  Json json{{"schema", "carnot.grid/1"},
            {"carnot", std::string(kVersion)},
            {"seed", 0},  // nothing is random
            {"started", r.started},
            {"command", r.command},
            {"case", r.grid.name},
            {"analysis", is_flow ? "flow" : "opf"},
            {"outcome", is_flow ? "solved" : name(result.status)},
            {"branch_model", name(r.options.branch_model)},
            {"notes", notes_of(r)}};
  if (!r.time.empty()) json["time"] = r.time;
  if (result.status != grid::OpfStatus::Optimal) {
    json["why"] = result.why;
    return json.dump(2) + "\n";
  }
  std::vector<double> generation(r.grid.buses.size(), 0.0);
  for (std::size_t g = 0; g < r.grid.generators.size(); ++g)
    generation[r.grid.generators[g].bus] += result.output_mw[g];
  const std::vector<double> co2 = co2_of(r);
  json["cost_per_h"] = r.grid.cost_fault.empty() ? Json(result.cost_per_h) : Json();
  json["bound_per_h"] = is_flow ? Json(nullptr) : Json(result.bound_per_h);
  json["co2_kg_per_h"] = co2.empty() ? Json() : Json(sum(co2));
  json["generation_mw"] = result.generation_mw;
  json["demand_mw"] = result.demand_mw;
  json["shed_mw"] = sum(result.shed_mw);
  json["losses_mw"] = result.losses_mw;
  json["excess_loss_mw"] = result.excess_loss_mw;
  json["available_mw"] = result.available_mw;
  json["curtailed_mw"] = result.curtailed_mw;
  json["residual_mw"] = result.residual_mw;
  json["hulls"] = result.hulls;
  json["congested"] = congested_json(r);
  json["buses"] = buses_json(r, generation, co2);
  json["branches"] = branches_json(r);
  json["dc_lines"] = dc_lines_json(r);
  json["generators"] = generators_json(r, co2);
  json["solve_s"] = r.seconds;
  return json.dump(2) + "\n";
}

std::string grid_terminal(const GridReport& r) {
  const grid::OpfResult& result = r.result;
  const std::string title = fmt::format(
      "{}: {} buses, {} branches, {} generators{}\n", r.grid.name, r.grid.buses.size(),
      r.grid.branches.size(), r.grid.generators.size(), r.time.empty() ? "" : ", " + r.time);
  std::string notes;
  for (const std::string& note : notes_of(r)) notes += "  note: " + note + '\n';
  if (result.status != grid::OpfStatus::Optimal)
    return title + fmt::format("{}: {}\n", name(result.status), result.why) + notes;
  std::string out = title;
  const auto line = [&out](std::string_view what, double value, std::string_view unit) {
    out += fmt::format("  {:<12}{:>16.4f} {}\n", what, value, unit);
  };
  if (r.grid.cost_fault.empty()) line("cost", result.cost_per_h, "per h");
  line("generation", result.generation_mw, "MW");
  line("demand", result.demand_mw, "MW");
  line("losses", result.losses_mw, "MW");
  if (sum(result.shed_mw) > 0.0) line("shed", sum(result.shed_mw), "MW");
  if (result.available_mw > 0.0) {
    line("wind and sun", result.available_mw, "MW available");
    line("curtailed", result.curtailed_mw, "MW");
  }
  if (!result.price_per_mwh.empty()) {
    const auto [low, high] =
        std::minmax_element(result.price_per_mwh.begin(), result.price_per_mwh.end());
    out += fmt::format("  {:<12}{:>16.4f} to {:.4f} per MWh\n", "price", *low, *high);
  }
  if (!r.marginal_co2_kg_per_mwh.empty()) {
    const auto [low, high] =
        std::minmax_element(r.marginal_co2_kg_per_mwh.begin(), r.marginal_co2_kg_per_mwh.end());
    line("CO2", sum(co2_of(r)) / 1e3, "t/h (modelled)");
    out += fmt::format("  {:<12}{:>16.1f} to {:.1f} kg/MWh of one more MWh\n", "", *low, *high);
  }
  for (const std::size_t l : result.congested) {
    const grid::GridBranch& branch = r.grid.branches[l];
    out += fmt::format("  {} {} to {}: {:.1f} of {:.1f} MW\n",
                       r.analysis == GridAnalysis::Flow ? "overloaded" : "congested",
                       r.grid.buses[branch.from].id, r.grid.buses[branch.to].id, result.flow_mw[l],
                       branch.limit_mw);
  }
  if (result.excess_loss_mw > 1e-3)
    line("excess loss", result.excess_loss_mw, "MW: below-zero prices make losses pay");
  if (result.hulls > 0)
    out += fmt::format("  {} generators' costs are not convex: their convex hulls were used\n",
                       result.hulls);
  return out + notes;
}

}  // namespace carnot::report
