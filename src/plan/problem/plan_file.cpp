// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/plan_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/version.hpp"

#include "plan/problem/extended_json.hpp"

namespace carnot::plan {

namespace {

using Json = nlohmann::json;
constexpr const char* kHeader = "id,site,mode,slots";
constexpr const char* kLongHeader = "id,site,mode,slots,sites,levels";  // where jobs have schedules

/// A path in a document: from the document's folder, or else from here.
std::string beside(const std::string& document, const std::string& path) {
  const auto near = std::filesystem::path(document).parent_path() / path;
  return std::filesystem::exists(near) ? near.string() : path;
}

/// Numbers separated by `;`; none if there is no text.
template <class Number>
bool read_list(std::string_view text, std::vector<Number>& out) {
  while (!text.empty())
    if (Number x = 0; read_whole(cut_cell(text, ';'), x)) {
      out.push_back(x);
    } else {
      return false;
    }
  return true;
}

/// A row without its id; false if it is not one. \param commas  there must be
bool read_row(std::string_view rest, std::ptrdiff_t commas, Assignment& out,
              JobSchedule& schedule) {
  if (std::count(rest.begin(), rest.end(), ',') != commas) return false;
  const std::string_view site = cut_cell(rest, ','), mode = cut_cell(rest, ',');
  const std::string_view slots = cut_cell(rest, ','), sites = cut_cell(rest, ',');
  if (site.empty()) return mode.empty() && slots.empty() && sites.empty() && rest.empty();
  return read_whole(site, out.site) && read_whole(mode, out.mode) && read_list(slots, out.slots) &&
         read_list(sites, schedule.sites) && read_list(rest, schedule.levels);
}

void read_assignments(const std::string& path, PlanFile& out) {
  const PlanJobs& jobs = out.problem.jobs;
  std::unordered_map<std::string_view, std::size_t> index;
  index.reserve(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) index.emplace(jobs.id(j), j);
  std::vector<bool> seen(jobs.size());
  out.plan.jobs.resize(jobs.size());
  const std::string text = read_input(path);
  std::string_view rest = text;
  std::string_view header;
  Problems problems;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = cut_cell(rest, '\n');
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (number == 1) {
      header = line;
      if (header != kHeader && header != kLongHeader)
        throw InputError(
            describe({path, 1}, "header", fmt::format("{} or {}", kHeader, kLongHeader)));
      continue;
    }
    if (line.empty()) continue;
    const std::string_view id = line.substr(0, std::min(line.find(','), line.size()));
    Assignment a;
    JobSchedule schedule;
    const auto commas = std::count(header.begin(), header.end(), ',') - 1;
    if (id.size() == line.size() || !read_row(line.substr(id.size() + 1), commas, a, schedule)) {
      problems.add({path, number}, "",
                   fmt::format("{}; whole numbers, those of slots separated by `;`", header));
      if (problems.lines().size() >= 50) break;
      continue;
    }
    const auto at = index.find(id);
    if (at == index.end()) {
      out.violations.push_back(fmt::format("line {} of assignments: no job `{}`", number, id));
    } else if (seen[at->second]) {
      out.violations.push_back(fmt::format("line {} of assignments: job `{}` again", number, id));
    } else {
      seen[at->second] = true;
      out.plan.jobs[at->second] = std::move(a);
      if (!schedule.sites.empty() || !schedule.levels.empty())
        out.plan.schedules[static_cast<std::uint32_t>(at->second)] = std::move(schedule);
    }
  }
  problems.throw_if_any();
  for (std::size_t j = 0; j < jobs.size(); ++j)
    if (!seen[j])
      out.violations.push_back(fmt::format("job {}: no line in assignments", jobs.id(j)));
}

/// lambda[s][t]; a wrong shape is left for the certificate to name.
std::vector<double> read_prices(const Json& in, const std::string& path) {
  std::vector<double> out;
  if (!in.is_array()) throw InputError(describe({path, 0}, "prices", "a list of lists of numbers"));
  for (const Json& row : in) {
    if (!row.is_array()) throw InputError(describe({path, 0}, "prices", "a list for each site"));
    for (const Json& x : row) {
      if (!x.is_number()) throw InputError(describe({path, 0}, "prices", "numbers"));
      out.push_back(x.get<double>());
    }
  }
  return out;
}

std::vector<PackingPrice> read_packing(const Json& in, const std::string& path) {
  std::vector<PackingPrice> out;
  const auto wrong = [&](std::size_t i) {
    return InputError(describe({path, 0}, fmt::format("packing[{}]", i),
                               "site, slot, limit (room or knee), divisor_kw and price_eur"));
  };
  if (in.is_null()) return out;
  if (!in.is_array()) throw wrong(0);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Json& row = in[i];
    const Json limit = row.is_object() ? row.value("limit", Json()) : Json();
    if ((limit != "room" && limit != "knee") || row.size() != 5) throw wrong(i);
    const auto whole = [&](const char* key) {
      const Json x = row.value(key, Json());
      if (!x.is_number_unsigned() || x.get<std::uint64_t>() >= kNone) throw wrong(i);
      return x.get<std::uint32_t>();
    };
    const auto number = [&](const char* key) {
      const Json x = row.value(key, Json());
      if (!x.is_number()) throw wrong(i);
      return x.get<double>();
    };
    out.push_back({whole("site"), whole("slot"),
                   limit == "room" ? PackingLimit::Room : PackingLimit::Knee, number("divisor_kw"),
                   number("price_eur")});
  }
  return out;
}

}  // namespace

std::string plan_json(const Plan& plan, const PlanTotals& totals, const Problem& problem,
                      const PlanNotes& notes) {
  const auto slots = static_cast<std::ptrdiff_t>(problem.slots);
  nlohmann::ordered_json prices = nlohmann::ordered_json::array();
  for (auto at = plan.price.begin(); at != plan.price.end(); at += slots)
    prices.push_back(std::vector<double>(at, at + slots));
  nlohmann::ordered_json document{{"schema", "carnot.plan/1"},
                                  {"carnot", std::string(kVersion)},
                                  {"seed", notes.seed},
                                  {"started", notes.started},
                                  {"command", notes.command},
                                  {"problem", notes.problem},
                                  {"solver", plan.solver},
                                  {"seconds", plan.seconds},
                                  {"objective_eur", totals.objective_eur},
                                  {"bound_eur", totals.bound_eur},
                                  {"gap", totals.gap},
                                  {"jobs", notes.jobs.value_or(problem.jobs.size())},
                                  {"dropped", totals.dropped},
                                  {"origin", "modelled"},
                                  {"boundary", "facility"},
                                  {"energy_j", totals.energy_j},
                                  {"free_energy_j", totals.free_energy_j},
                                  {"grid_energy_j", totals.grid_energy_j},
                                  {"carbon_g", totals.carbon_g},
                                  {"assignments", notes.assignments},
                                  {"prices", prices}};
  for (const PackingPrice& of : plan.packing)
    document["packing"].push_back({{"site", of.site},
                                   {"slot", of.slot},
                                   {"limit", of.limit == PackingLimit::Room ? "room" : "knee"},
                                   {"divisor_kw", of.divisor_kw},
                                   {"price_eur", of.price_eur}});
  if (!plan.status.empty()) document["status"] = plan.status;
  if (plan.solver == "exact" || plan.status == "optimal") {
    document["solver_bound_eur"] = plan.solver_bound_eur;
    document["solver_gap"] =
        plan.status == "optimal" ? 0.0 : relative_gap(totals.objective_eur, plan.solver_bound_eur);
  }
  for (const HeldBack& held : held_back(problem, plan))
    document["held_back"].push_back(
        {{"job", problem.jobs.id(held.job)}, {"predecessor", problem.jobs.id(held.predecessor)}});
  add_extended(plan, totals, document);
  return document.dump() + "\n";
}

std::string assignments_csv(const Plan& plan, const Problem& problem) {
  const bool schedules = std::any_of(
      plan.schedules.begin(), plan.schedules.end(),
      [](const auto& of) { return !of.second.sites.empty() || !of.second.levels.empty(); });
  std::string out = std::string(schedules ? kLongHeader : kHeader) + "\n";
  const auto append = std::back_inserter(out);
  for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
    const Assignment& a = plan.jobs[j];
    if (a.site == kNone)
      fmt::format_to(append, "{},,,", problem.jobs.id(j));
    else
      fmt::format_to(append, "{},{},{},{}", problem.jobs.id(j), a.site, a.mode,
                     fmt::join(a.slots, ";"));
    if (schedules) {
      const auto at = plan.schedules.find(static_cast<std::uint32_t>(j));
      const JobSchedule schedule = at == plan.schedules.end() ? JobSchedule() : at->second;
      fmt::format_to(append, ",{},{}", fmt::join(schedule.sites, ";"),
                     fmt::join(schedule.levels, ";"));
    }
    out += '\n';
  }
  return out;
}

PlanFile read_plan(const std::string& plan_path, const std::string& problem_path,
                   const StopToken& stop) {
  Json root;
  try {
    root = Json::parse(read_input(plan_path));
  } catch (const Json::exception& error) {
    throw InputError(describe({plan_path, 0}, "", fmt::format("JSON; {}", error.what())));
  }
  Problems problems;
  const auto wrong = [&](const char* key, const char* what) {
    problems.add({plan_path, 0}, key, what);
  };
  if (!root.is_object() || root.value("schema", Json()) != "carnot.plan/1")
    throw InputError(describe({plan_path, 0}, "schema", "\"carnot.plan/1\""));
  static const std::vector<std::string> kKeys = {
      "schema",     "carnot",        "seed",          "started",          "command",
      "problem",    "solver",        "seconds",       "objective_eur",    "bound_eur",
      "gap",        "jobs",          "dropped",       "origin",           "boundary",
      "energy_j",   "free_energy_j", "grid_energy_j", "carbon_g",         "assignments",
      "prices",     "packing",       "status",        "solver_bound_eur", "solver_gap",
      "exported_j", "curtailed_j",   "embodied_g",    "quality_eur",      "late_eur",
      "held",       "held_back",     "sites",         "site_multipliers", "goal_multipliers"};
  for (const auto& item : root.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), item.key()) != kKeys.end()) continue;
    const std::string near = nearest(item.key().substr(0, 64), kKeys);
    problems.add(
        {plan_path, 0}, item.key().substr(0, 64),
        near.empty() ? "unknown key" : fmt::format("unknown key; did you mean `{}`?", near));
  }
  const auto text = [&](const char* key) {
    if (root.contains(key) && root[key].is_string()) return root[key].get<std::string>();
    wrong(key, "the path of a file");
    return std::string();
  };
  const auto number = [&](const char* key) {
    if (root.contains(key) && root[key].is_number()) return root[key].get<double>();
    wrong(key, "a number");
    return 0.0;
  };
  const std::string problem =
      problem_path.empty() ? beside(plan_path, text("problem")) : problem_path;
  const std::string assignments = beside(plan_path, text("assignments"));
  PlanFile out;
  PlanTotals& claimed = out.claimed;
  claimed.objective_eur = number("objective_eur");
  claimed.bound_eur = number("bound_eur");
  claimed.gap = root.contains("gap") && root["gap"].is_null() ? kNaN : number("gap");
  claimed.energy_j = number("energy_j");
  claimed.free_energy_j = number("free_energy_j");
  claimed.grid_energy_j = number("grid_energy_j");
  claimed.carbon_g = number("carbon_g");
  if (root.contains("dropped") && root["dropped"].is_number_unsigned())
    claimed.dropped = root["dropped"].get<std::size_t>();
  else
    wrong("dropped", "a whole number");
  problems.throw_if_any();
  out.problem = read_problem(problem, stop);
  out.plan.price = read_prices(root.value("prices", Json()), plan_path);
  out.plan.packing = read_packing(root.value("packing", Json()), plan_path);
  if (root["prices"].size() != out.problem.sites.size())
    out.violations.push_back(
        fmt::format("prices of {} sites, not {}", root["prices"].size(), out.problem.sites.size()));
  if (root.contains("status") && root["status"].is_string() &&
      root.value("solver_bound_eur", Json()).is_number()) {
    out.plan.status = root["status"].get<std::string>();
    out.plan.solver_bound_eur = root["solver_bound_eur"].get<double>();
  }
  out.plan.objective_eur = claimed.objective_eur;
  out.plan.bound_eur = claimed.bound_eur;
  read_extended(root, plan_path, out.plan);
  read_assignments(assignments, out);
  return out;
}

}  // namespace carnot::plan
