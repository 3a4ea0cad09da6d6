// SPDX-License-Identifier: Apache-2.0
#include "plan_pareto.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/file.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/version.hpp"
#include "carnot/plan/problem/plan_file.hpp"

namespace carnot::app {

namespace {

using Json = nlohmann::ordered_json;

/// A problem with the weights of the point, and its plan, so that `--check` can tell.
std::string write_point(const plan::Problem& problem, const plan::ParetoPoint& point,
                        const std::filesystem::path& folder, plan::PlanNotes notes) {
  const plan::Problem at =
      plan::weighted(problem, point.carbon_price_eur_per_t, point.quality_weight);
  plan::write_problem(at, folder.string());
  notes.problem = "problem.json";
  notes.assignments = "plan.csv";
  write_file(folder / "plan.csv", plan::assignments_csv(point.plan, at), Directories::Create);
  const std::string path = (folder / "plan.json").string();
  write_file(path, plan::plan_json(point.plan, point.totals, at, notes), Directories::Create);
  return path;
}

Json point_json(const plan::ParetoPoint& point, const std::string& path) {
  Json out{{"carbon_price_eur_per_t", point.carbon_price_eur_per_t},
           {"quality_weight", point.quality_weight},
           {"cost_eur", point.cost_eur},
           {"carbon_g", point.carbon_g},
           {"quality_eur", point.quality_eur},
           {"objective_eur", point.objective_eur},
           {"dropped", point.totals.dropped},
           {"energy_j", point.totals.energy_j},
           {"free_energy_j", point.totals.free_energy_j},
           {"weighted_eur", point.totals.objective_eur},
           {"weighted_bound_eur", point.totals.bound_eur},
           {"gap", point.totals.gap}};
  if (!path.empty()) out["plan"] = path;
  return out;
}

std::string table(const plan::ParetoFront& front) {
  std::string out = fmt::format("{:>10}  {:>8}  {:>12}  {:>12}  {:>12}  {:>7}  {:>8}\n", "EUR/t",
                                "quality", "cost EUR", "kg CO2e", "quality EUR", "dropped", "gap");
  for (const plan::ParetoPoint& p : front.points)
    out += fmt::format("{:>10.4g}  {:>8.3g}  {:>12.6g}  {:>12.6g}  {:>12.6g}  {:>7}  {:>8}\n",
                       p.carbon_price_eur_per_t, p.quality_weight, p.cost_eur, p.carbon_g / 1000,
                       p.quality_eur, p.totals.dropped,
                       std::isfinite(p.totals.gap) ? fmt::format("{:.2f} %", 100 * p.totals.gap)
                                                   : std::string("n/a"));
  return out;
}

}  // namespace

int pareto(const std::string& problem_path, plan::ParetoOptions options, const std::string& out,
           const Common& common) {
  const Instant started = Instant::now();
  // The limit is of all plans together.
  options.planner.stop = stop_on_interrupt().limited(options.planner.time_limit_s);
  options.planner.time_limit_s = 0;
  const plan::Problem problem = plan::read_problem(problem_path, options.planner.stop);
  ProgressLine line(common);
  options.planner.progress = [&](const plan::PlanProgress& progress) {
    line.draw([&](int width) {
      return fmt::format("{:3.0f} %", 100 * progress.share_done)
          .substr(0, static_cast<std::size_t>(std::max(width, 1)));
    });
    return !interrupted();
  };
  const plan::ParetoFront front = plan::pareto_front(problem, options);
  line.clear();
  if (front.stopped && front.points.empty() && front.broken.empty()) throw Stopped();

  plan::PlanNotes notes;
  notes.command = common.command_line;
  notes.started = started.iso8601();
  notes.seed = options.planner.seed;
  Json points = Json::array();
  for (const plan::ParetoPoint& point : front.points) {
    const std::filesystem::path folder = std::filesystem::path(out) / std::to_string(points.size());
    points.push_back(
        point_json(point, out.empty() ? "" : write_point(problem, point, folder, notes)));
  }
  const char* outcome = front.broken.empty() ? "front" : front.proven ? "infeasible" : "unknown";
  if (common.json) {
    Json document{{"schema", "carnot.plan-pareto/1"},
                  {"carnot", std::string(kVersion)},
                  {"seed", notes.seed},
                  {"started", notes.started},
                  {"command", notes.command},
                  {"problem", problem_path},
                  {"outcome", outcome},
                  {"origin", "modelled"},
                  {"boundary", "facility"},
                  {"plans", front.plans},
                  {"left_out", front.left_out},
                  {"points", points}};
    if (!front.broken.empty()) document["broken"] = front.broken;
    if (front.stopped) document["stopped"] = true;
    print(document.dump(2) + "\n");
  } else if (front.broken.empty()) {
    print(table(front) + fmt::format("{} plans; {} that others equal or beat are left out\n",
                                     front.plans, front.left_out));
  }
  if (front.stopped) say(common, "stopped before all weightings were tried");
  for (const std::string& words : front.broken)
    say(common,
        fmt::format("{}: {}\n", front.proven ? "no plan keeps" : "no plan found keeps", words));
  return interrupted() ? kInterrupted : front.broken.empty() ? kOk : kOutcomeSaysNo;
}

}  // namespace carnot::app
