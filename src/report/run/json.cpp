// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/run/result.hpp"

#include "report/draw/json_figure.hpp"

namespace carnot::report {

namespace {

Json row(const LaneResult& lane) {
  Json json{
      {"policy", lane.policy},
      {"outcome", lane.outcome},
      {"stopped", lane.stopped},
      {"quality",
       {{"metric", lane.quality_metric},
        {"value", number_or_null(lane.quality)},
        {"low", number_or_null(lane.quality_low)},
        {"high", number_or_null(lane.quality_high)},
        {"certified", lane.certified},
        {"split", lane.quality_split}}},
      {"duration_s", number_or_null(lane.duration.in(second))},
      {"energy_j", json_figure(lane.energy)},
      {"own_energy_j", number_or_null(lane.own_energy.in(joule))},
      {"battery_energy_j", number_or_null(lane.battery_energy.in(joule))},
      {"grid_energy_j", number_or_null(lane.grid_energy.in(joule))},
      {"curtailed_j", number_or_null(lane.curtailed.in(joule))},
      {"exported_j", number_or_null(lane.exported.in(joule))},
      {"carbon_g", json_figure(lane.carbon)},
      {"cost_eur", json_figure(lane.cost)},
      {"bits_learned", number_or_null(lane.bits_learned)},
      {"bits_per_j", number_or_null(lane.bits_per_joule)},
      {"times_above_landauer", number_or_null(lane.times_above_landauer)},
  };
  Json modes = Json::object();
  for (const auto& [mode, time] : lane.mode_time) modes[mode] = time.in(second);
  json["mode_seconds"] = modes;
  json["cap_violations"] = lane.cap_violations;
  json["balance_residual"] = number_or_null(lane.balance_residual);
  // The rest of the row (bits, cycle, operations, measured and what later versions add) is not
  // the slots' to say, so it goes through as written.
  if (!lane.row_json.empty()) {
    const Json written = parse_object(lane.row_json, "lane " + lane.policy);
    for (const auto& [key, value] : written.items()) {
      if (!json.contains(key)) json[key] = value;
    }
  }
  return json;
}

}  // namespace

std::string to_json(const RunResult& result) {
  Json json{{"schema", "carnot.run/1"},   {"carnot", result.carnot_version},
            {"seed", result.seed},        {"started", result.started},
            {"command", result.command},  {"scenario", result.scenario},
            {"complete", result.complete}};
  json["runs"] = Json::array();
  for (const LaneResult& lane : result.lanes) json["runs"].push_back(row(lane));
  const auto named = [](const std::string& policy) {
    return policy.empty() ? Json() : Json(policy);
  };
  json["best"] = named(result.best);
  json["best_fixed"] = named(result.best_fixed);
  json["bound"] = nullptr;
  if (!result.bound.policy.empty()) {
    json["bound"] = {{"policy", result.bound.policy},
                     {"cost_eur", number_or_null(result.bound.cost_eur)},
                     {"grid_energy_j", number_or_null(result.bound.grid_energy_j)},
                     {"energy_j", number_or_null(result.bound.energy_j)},
                     {"duration_s", number_or_null(result.bound.duration_s)},
                     {"proven_cost_eur", number_or_null(result.bound.proven_cost_eur)}};
  }
  json["facts"] = result.facts_json.empty() ? Json::object()
                                            : parse_object(result.facts_json, "facts of the run");
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace carnot::report
