// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/file.hpp"
#include "carnot/base/version.hpp"
#include "carnot/plan/problem/problem.hpp"

#include "plan/problem/extended_json.hpp"

namespace carnot::plan {

namespace {

using Json = nlohmann::ordered_json;

void add_shape(const NodeShape& shape, Json& to) {
  if (std::isfinite(shape.cores)) to["cores_per_node"] = shape.cores;
  if (std::isfinite(shape.memory_gb)) to["memory_gb_per_node"] = shape.memory_gb;
  if (std::isfinite(shape.gpus)) to["gpus_per_node"] = shape.gpus;
}

Json site_json(const Problem& problem, std::size_t s) {
  const PlanSite& site = problem.sites[s];
  Json limit = nullptr;
  for (const double x : site.grid_limit_kw)
    if (std::isfinite(x)) limit = Json::array();
  if (limit.is_array())
    for (const double x : site.grid_limit_kw) limit.push_back(std::isfinite(x) ? Json(x) : Json());
  Json out{{"name", site.name},
           {"capacity_kw", site.capacity_kw},
           {"pue", site.pue},
           {"free_kw", site.free_kw},
           {"price_eur_per_kwh", site.price_eur_per_kwh},
           {"carbon_g_per_kwh", site.carbon_g_per_kwh},
           {"grid_limit_kw", limit}};
  if (!problem.network.egress_eur_per_gb.empty())
    out["egress_eur_per_gb"] = problem.network.egress_eur_per_gb[s];
  if (std::isfinite(site.latitude)) {
    out["latitude"] = site.latitude;
    out["longitude"] = site.longitude;
  }
  if (!problem.site_terms.empty()) add_site_terms(problem.site_terms[s], out);
  if (!problem.workflow.nodes.empty() && !problem.workflow.nodes[s].open.empty()) {
    out["nodes"] = problem.workflow.nodes[s].open;
    add_shape(problem.workflow.nodes[s].node, out);
  }
  return out;
}

Json network_json(const PlanNetwork& network) {
  return {{"gb_per_s", network.gb_per_s}, {"kwh_per_gb", network.kwh_per_gb}};
}

Json levels_json(const JobTerms& terms, std::size_t mode) {
  Json out = Json::array();
  for (const PlanLevel& level : terms.levels[mode])
    out.push_back({{"power_kw", level.power_kw},
                   {"speed", static_cast<double>(level.parts) / terms.speed_parts}});
  return out;
}

/// Adds what differs from a job of the contract.
void add_terms(const JobTerms& terms, std::uint32_t origin, Json& job) {
  const JobTerms none;
  const auto add = [&job](const char* key, const auto& is, const auto& otherwise) {
    if (is != otherwise) job[key] = is;
  };
  add("preemptible", terms.preemptible, none.preemptible);
  add("min_run_slots", terms.min_run_slots, none.min_run_slots);
  add("restart_eur", terms.restart_eur, none.restart_eur);
  add("restart_slots", terms.restart_slots, none.restart_slots);
  add("movable", terms.movable, none.movable);
  add("each_move_eur", terms.each_move_eur, none.each_move_eur);
  add("data_gb", terms.data_gb, none.data_gb);
  add("origin", origin, kNone);
  add("stop_s", terms.stop_s, none.stop_s);
  if (terms.due != none.due) {
    job["due"] = terms.due;
    job["late_eur_per_slot"] = terms.late_eur_per_slot;
  }
  for (std::size_t m = 0; m < terms.levels.size(); ++m)
    if (!terms.levels[m].empty()) job["modes"][m]["levels"] = levels_json(terms, m);
}

/// Whom it waits for, its array, and what its modes take.
void add_links(const Problem& problem, std::uint32_t j, Json& job) {
  const PlanWorkflow& workflow = problem.workflow;
  auto at = std::lower_bound(workflow.dependencies.begin(), workflow.dependencies.end(), j,
                             [](const PlanDependency& d, std::uint32_t k) { return d.job < k; });
  for (; at != workflow.dependencies.end() && at->job == j; ++at)
    job["after"].push_back({{"job", problem.jobs.id(at->predecessor)},
                            {"kind", to_text(at->kind)},
                            {"delay_slots", at->delay_slots}});
  for (const PlanArray& array : workflow.arrays)
    if (std::binary_search(array.jobs.begin(), array.jobs.end(), j)) job["array"] = array.name;
  if (const auto needs = workflow.needs.find(j); needs != workflow.needs.end())
    for (std::size_t m = 0; m < needs->second.size(); ++m) {
      job["modes"][m]["nodes"] = needs->second[m].nodes;
      add_shape(needs->second[m].each, job["modes"][m]);
    }
}

Json job_json(const Problem& problem, std::size_t j) {
  const PlanJobs& jobs = problem.jobs;
  Json modes = Json::array();
  for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
    modes.push_back({{"slots", jobs.mode(i).slots},
                     {"power_kw", jobs.mode(i).power_kw},
                     {"quality_cost_eur", jobs.mode(i).quality_eur}});
  Json move = nullptr;
  if (jobs.move_row(j) != nullptr || jobs.move_flat(j) != 0) {
    move = Json::array();
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s) move.push_back(jobs.move_eur(j, s));
  }
  Json out{{"id", jobs.id(j)},
           {"release", jobs.release(j)},
           {"deadline", jobs.deadline(j)},
           {"value_eur", jobs.value(j)},
           {"sites", jobs.sites(j) == nullptr ? Json() : Json(*jobs.sites(j))},
           {"move_cost_eur", move},
           {"modes", modes}};
  if (const JobTerms* terms = problem.terms_of(j)) add_terms(*terms, jobs.origin(j), out);
  add_links(problem, static_cast<std::uint32_t>(j), out);
  return out;
}

std::string jobs_csv(const PlanJobs& jobs, const StopToken& token) {
  SparseStop stop(token);
  std::size_t most = 1;
  for (std::size_t j = 0; j < jobs.size(); ++j)
    most = std::max(most, jobs.mode_end(j) - jobs.mode_begin(j));
  std::string out = "id,release,deadline,value_eur,origin,move_cost_eur,sites";
  for (std::size_t m = 1; m <= most; ++m) out += fmt::format(",m{0}_slots,m{0}_kw,m{0}_eur", m);
  out += '\n';
  const auto append = std::back_inserter(out);
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    stop.throw_if_requested();
    fmt::format_to(append, "{},{},{},{},", jobs.id(j), jobs.release(j), jobs.deadline(j),
                   jobs.value(j));
    if (jobs.origin(j) != kNone) fmt::format_to(append, "{}", jobs.origin(j));
    fmt::format_to(append, ",{},", jobs.move_flat(j));
    if (jobs.sites(j) != nullptr) fmt::format_to(append, "{}", fmt::join(*jobs.sites(j), ";"));
    for (std::size_t m = 0; m < most; ++m) {
      const std::size_t i = jobs.mode_begin(j) + m;
      if (i < jobs.mode_end(j))
        fmt::format_to(append, ",{},{},{}", jobs.mode(i).slots, jobs.mode(i).power_kw,
                       jobs.mode(i).quality_eur);
      else
        out += ",,,";
    }
    out += '\n';
  }
  return out;
}

}  // namespace

void write_problem(const Problem& problem, const std::string& folder, const StopToken& stop) {
  // The CSV has no place for terms, nor for a cost of its own at each site.
  bool inline_jobs = !problem.terms.empty() || problem.workflow.any();
  for (std::size_t j = 0; j < problem.jobs.size(); ++j)
    inline_jobs = inline_jobs || problem.jobs.move_row(j) != nullptr;
  // One site a line: a message can name it, and a person can find it.
  std::string sites;
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    sites += (s == 0 ? "\n  " : ",\n  ") + site_json(problem, s).dump();
  std::string text = fmt::format(
      "{{\n\"schema\": \"carnot.problem/1\",\n\"carnot\": \"{}\",\n\"slot_s\": {},\n\"slots\": "
      "{},\n"
      "\"carbon_price_eur_per_t\": {},\n\"sites\": [{}\n],\n",
      kVersion, problem.slot_s, problem.slots, problem.carbon_price_eur_per_t, sites);
  if (std::isfinite(problem.network.gb_per_s))
    text += fmt::format("\"network\": {},\n", network_json(problem.network).dump());
  if (const Json reserve = reserve_json(problem.reserve); !reserve.is_null())
    text += fmt::format("\"reserve\": {},\n", reserve.dump());
  if (const Json goals = goals_json(problem.goals); !goals.is_null())
    text += fmt::format("\"goals\": {},\n", goals.dump());
  if (!problem.workflow.arrays.empty()) {
    Json arrays = Json::array();
    for (const PlanArray& array : problem.workflow.arrays)
      arrays.push_back({{"name", array.name}, {"at_once", array.at_once}});
    text += fmt::format("\"arrays\": {},\n", arrays.dump());
  }
  text += "\"jobs\": ";
  if (inline_jobs) {
    text += "[";
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
      stop.throw_if_requested();
      text += (j == 0 ? "\n  " : ",\n  ") + job_json(problem, j).dump();
    }
    text += "\n]";
  } else {
    text += "\"jobs.csv\"";
  }
  text += "\n}\n";
  const std::filesystem::path dir(folder);
  if (!inline_jobs) write_file(dir / "jobs.csv", jobs_csv(problem.jobs, stop), Directories::Create);
  write_file(dir / "problem.json", text, Directories::Create);
}

}  // namespace carnot::plan
