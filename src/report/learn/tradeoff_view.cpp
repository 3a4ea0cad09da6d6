// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/report/learn/views.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/view_parts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

using experiment::BudgetPoint;
using experiment::BudgetResult;
using experiment::Mode;
using experiment::TradeoffResult;

std::string mode_name(const TradeoffResult& r, const Mode& m) {
  const bool trees = r.learner == "gbdt" || r.learner == "forest";
  std::string name = trees ? gradient_text(m.precision) : precision_text(m.precision);
  if (trees)
    name += fmt::format(", {} trees of {} leaves", m.tree.trees, m.tree.leaves);
  else if (m.hidden > 0)
    name += fmt::format(", {} hidden", m.hidden);
  return fmt::format("{}, {:g} epochs", name, m.epochs);
}

std::vector<const Mode*> front_of(const TradeoffResult& r) {
  std::vector<const Mode*> out;
  for (const Mode& m : r.modes)
    if (m.in_front) out.push_back(&m);
  return out;
}

std::string finding(const TradeoffResult& r) {
  const std::vector<const Mode*> front = front_of(r);
  const Mode& best = r.modes[r.best];
  const Mode& cheapest =
      **std::min_element(front.begin(), front.end(),
                         [](const Mode* a, const Mode* b) { return a->energy < b->energy; });
  return fmt::format(
      "{} of {} ways to do the job are not beaten in time, energy and quality at once. The best, "
      "{}, "
      "reaches {} for {}; the cheapest, {}, {} for {} in {:.0f} % of its time.",
      front.size(), r.modes.size(), mode_name(r, best), quality_text(best.quality, r.metric),
      joules_text(best.energy.in(joule)), mode_name(r, cheapest),
      quality_text(cheapest.quality, r.metric), joules_text(cheapest.energy.in(joule)),
      100.0 * cheapest.relative_time);
}

ViewTable table_of(const TradeoffResult& r) {
  ViewTable table({{"mode", "", 100, true},
                   {"quality", "", 99},
                   {"from", "", 60},
                   {"to", "", 59},
                   {"energy", "", 98},
                   {"time", "s", 70},
                   {"throughput", "rows/s", 95},
                   {"time", "of best", 80},
                   {"power", "of best", 79},
                   {"seeds", "", 40}});
  for (const Mode& m : r.modes)
    table.row({mode_name(r, m), quality_text(m.quality, r.metric),
               quality_text(m.quality_low, r.metric), quality_text(m.quality_high, r.metric),
               joules_text(m.energy.in(joule)), figure_text(m.time.in(second)),
               figure_text(m.rows_per_second), fmt::format("{:.3f}", m.relative_time),
               fmt::format("{:.3f}", m.relative_power), fmt::format("{}", m.seeds)},
              m.in_front);
  return table;
}

std::string figure(const TradeoffResult& r) {
  std::vector<double> energy, rate;
  double low = kInfinity, high = -kInfinity;
  for (const Mode& m : r.modes) {
    energy.push_back(m.energy.in(joule));
    rate.push_back(m.rows_per_second);
    low = std::min(low, m.quality);
    high = std::max(high, m.quality);
  }
  svg::Drawing drawing(
      kViewWidth, kViewHeight, "Throughput, energy and quality",
      "Each mode by its energy and throughput; larger circles are of better quality");
  svg::Axes axes;
  axes.x = wide_scale(energy, kViewLeft, kViewRight);
  axes.y = wide_scale(rate, kViewBottom, kViewTop);
  axes.x_title = "energy of the job, J (modelled, chip)";
  axes.y_title = "throughput, rows/s (modelled)";
  svg::axes(drawing, axes);
  constexpr std::size_t kMostNames = 8;
  const bool named = front_of(r).size() <= kMostNames;
  for (const Mode& m : r.modes) {
    const double share = high > low ? (m.quality - low) / (high - low) : 1.0;
    drawing.circle(
        axes.x.clipped(m.energy.in(joule)), axes.y.clipped(m.rows_per_second), 3.0 + 9.0 * share,
        m.in_front ? "s1" : "quiet",
        fmt::format("{}: {}, {}, {} rows/s", mode_name(r, m), quality_text(m.quality, r.metric),
                    joules_text(m.energy.in(joule)), figure_text(m.rows_per_second)));
    if (!named || !m.in_front) continue;
    const double x = axes.x.clipped(m.energy.in(joule));
    const bool at_right = x > 0.7 * kViewRight;
    const double away = 3.0 + 9.0 * share + 5.0;
    drawing.text(at_right ? x - away : x + away, axes.y.clipped(m.rows_per_second) + 4,
                 fmt::format("{}, {}", mode_name(r, m), quality_text(m.quality, r.metric)),
                 at_right ? "tick end" : "tick");
  }
  return html::figure(
      drawing.finish(),
      "Left is cheaper, up is faster, a larger circle is a better model. Pale modes "
      "are beaten by another in all three.",
      true);
}

std::string budget_finding(const BudgetResult& r) {
  const BudgetPoint& least = r.points.front();
  const BudgetPoint& most = r.points.back();
  return fmt::format("{} buys {}; {} buys {} with {}.", joules_text(least.budget.in(joule)),
                     quality_text(least.quality, r.metric), joules_text(most.budget.in(joule)),
                     quality_text(most.quality, r.metric), precision_text(most.precision));
}

ViewTable budget_table(const BudgetResult& r) {
  ViewTable table({{"budget", "", 100},
                   {"quality", "", 99},
                   {"from", "", 60},
                   {"to", "", 59},
                   {"spent", "", 90},
                   {"precision", "", 95, true},
                   {"hidden", "", 80},
                   {"trees", "", 79},
                   {"epochs", "", 70},
                   {"ended", "", 30, true}});
  for (const BudgetPoint& p : r.points)
    table.row({joules_text(p.budget.in(joule)), quality_text(p.quality, r.metric),
               quality_text(p.quality_low, r.metric), quality_text(p.quality_high, r.metric),
               joules_text(p.spent.in(joule)), precision_text(p.precision),
               fmt::format("{}", p.hidden), fmt::format("{}", p.model_trees),
               fmt::format("{:.3g}", p.epochs), p.stopped});
  return table;
}

}  // namespace

std::string tradeoff_json(const TradeoffResult& r) {
  Json modes = Json::array();
  for (const Mode& m : r.modes)
    modes.push_back({{"precision", m.precision},
                     {"hidden", m.hidden},
                     {"trees", m.tree.trees},
                     {"leaves", m.tree.leaves},
                     {"epochs", m.epochs},
                     {"quality", number_or_null(m.quality)},
                     {"quality_low", number_or_null(m.quality_low)},
                     {"quality_high", number_or_null(m.quality_high)},
                     {"energy_j", m.energy.in(joule)},
                     {"modelled_seconds", m.time.in(second)},
                     {"rows_per_second", m.rows_per_second},
                     {"relative_time", m.relative_time},
                     {"relative_power", m.relative_power},
                     {"seeds", m.seeds},
                     {"in_front", m.in_front}});
  const Json out{{"schema", "carnot.tradeoff/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"learner", r.learner},
                 {"metric", r.metric},
                 {"data", {{"source", r.data_source}, {"rows", r.rows}}},
                 {"best", r.best},
                 {"modes", std::move(modes)}};
  return out.dump(2) + "\n";
}

std::string tradeoff_terminal(const TradeoffResult& r, int width, bool colour) {
  return lines_of(fmt::format("{} on {}", r.learner, printable(r.data_source)), width) + "\n" +
         table_of(r).terminal(static_cast<std::size_t>(std::max(width, 40)), colour) + "\n" +
         lines_of(finding(r), width);
}

std::string tradeoff_html(const TradeoffResult& r) {
  return html::page(
      "carnot learn tradeoff",
      html::heading(1, "Throughput, energy and quality of a job") +
          html::paragraph(finding(r), "answer") + figure(r) +
          table_of(r).html("Modes; those not beaten stand out") +
          html::data_link("These figures as carnot.tradeoff/1", "tradeoff.json", tradeoff_json(r)) +
          made_how(r.data_source, r.command));
}

std::string modes_scenario(const TradeoffResult& r, const ModeFiles& files) {
  const Mode& best = r.modes[r.best];
  // A scenario counts the site's time in f32.
  double f32_over_best = 1.0;
  for (const Mode& m : r.modes)
    if ((m.precision == "f32" || m.precision == "32") && m.hidden == best.hidden &&
        m.epochs == best.epochs)
      f32_over_best = m.relative_time;
  std::string toml = fmt::format(
      "# The job that `{}` found best, with the power of {:.6g} kW in that mode.\n"
      "# Site and signals are examples: put your own in their place. `carnot run` finds the modes "
      "of\n"
      "# the job, its precisions, by itself.\n"
      "name = \"{}\"\n\n"
      "[site]\nexport_limit = \"60 MW\"\nimport_limit = \"30 MW\"\n\n"
      "[signals]\n"
      "power = {{ kind = \"generated\", source = \"wind\", capacity = \"148 MW\" }}\n"
      "price = {{ kind = \"generated\", mean = \"78 EUR/MWh\" }}\n"
      "carbon = {{ kind = \"generated\", mean = \"220 g/kWh\" }}\n\n"
      "[work]\nlearner = \"{}\"\n",
      r.command.empty() ? "carnot learn tradeoff" : r.command, files.full_power.in(watt) / 1e3,
      files.name, r.learner);
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
      out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "\"";
  };
  toml += fmt::format("data = {}\n", quoted(r.data_path));
  if (!r.labels.empty()) toml += fmt::format("labels = {}\n", quoted(r.labels));
  if (best.hidden > 0) toml += fmt::format("hidden = {}\n", best.hidden);
  toml += fmt::format(
      "epochs = {:g}\nminimum_quality = {:.4f}\nstart = 2024-03-04T06:00:00Z\n"
      "deadline_after = \"{:.0f} s\"\nfull_speed_time = \"{:.0f} s\"\n",
      best.epochs, std::clamp(std::floor(1e3 * best.quality_low) / 1e3, 0.0, 1.0),
      4.0 * f32_over_best * files.full_time.in(second) + 86400.0,
      std::max(1.0, f32_over_best * files.full_time.in(second)));
  return toml;
}

std::string modes_problem(const TradeoffResult& r, const ModeFiles& files) {
  constexpr int kBestSlots = 24;
  const double slot = std::max(0.001, files.full_time.in(second) / kBestSlots);
  Json modes = Json::array();
  int longest = 1;
  double dearest = 0.0;
  for (const Mode* m : front_of(r)) {
    const int slots =
        std::max(1, static_cast<int>(std::ceil(kBestSlots * m->relative_time - 1e-9)));
    const double cost =
        100.0 * std::max(0.0, r.modes[r.best].quality - m->quality) * files.euro_per_point;
    longest = std::max(longest, slots);
    dearest = std::max(dearest, cost);
    modes.push_back({{"slots", slots},
                     {"power_kw", files.full_power.in(watt) / 1e3 * m->relative_power},
                     {"quality_cost_eur", cost}});
  }
  const int total = std::min(100000, 4 * longest);
  const auto all = [&](double value) {
    return Json(std::vector<double>(static_cast<std::size_t>(total), value));
  };
  const Json out{
      {"schema", "carnot.problem/1"},
      {"carnot", std::string(kVersion)},
      {"command", r.command},
      {"slot_s", slot},
      {"slots", total},
      {"carbon_price_eur_per_t", 80.0},
      {"sites", Json::array({{{"name", "site"},
                              {"capacity_kw", all(4.0 * files.full_power.in(watt) / 1e3)},
                              {"pue", all(1.2)},
                              {"free_kw", all(0.0)},
                              {"price_eur_per_kwh", all(0.08)},
                              {"carbon_g_per_kwh", all(220.0)},
                              {"grid_limit_kw", nullptr}}})},
      {"jobs", Json::array({{{"id", files.name},
                             {"release", 0},
                             {"deadline", total},
                             {"value_eur", 1000.0 + 10.0 * dearest},
                             {"sites", nullptr},
                             {"move_cost_eur", nullptr},
                             {"modes", std::move(modes)}}})}};
  return out.dump(1) + "\n";
}

std::string modes_jobs(const TradeoffResult& r, const ModeFiles& files) {
  std::string out = "arrival_s,runtime_s,nodes,power_w\n";
  double arrival = 0.0;
  for (const Mode* m : front_of(r)) {
    const double runtime = std::max(1.0, files.full_time.in(second)*m->relative_time);
    out += fmt::format("{:.0f},{:.0f},1,{:.6g}\n", arrival, runtime,
                       files.full_power.in(watt)*m->relative_power);
    arrival += std::ceil(runtime);
  }
  return out;
}

std::string budget_json(const BudgetResult& r) {
  Json points = Json::array();
  for (const BudgetPoint& p : r.points)
    points.push_back({{"budget_j", p.budget.in(joule)},
                      {"spent_j", p.spent.in(joule)},
                      {"quality", number_or_null(p.quality)},
                      {"quality_low", number_or_null(p.quality_low)},
                      {"quality_high", number_or_null(p.quality_high)},
                      {"precision", p.precision},
                      {"hidden", p.hidden},
                      {"model_trees", p.model_trees},
                      {"epochs", number_or_null(p.epochs)},
                      {"stopped", p.stopped}});
  const Json out{{"schema", "carnot.budget/1"}, {"carnot", std::string(kVersion)},
                 {"command", r.command},        {"learner", r.learner},
                 {"metric", r.metric},          {"data", {{"source", r.data_source}}},
                 {"points", std::move(points)}};
  return out.dump(2) + "\n";
}

std::string budget_terminal(const BudgetResult& r, int width, bool colour) {
  return lines_of(fmt::format("{} on {}", r.learner, printable(r.data_source)), width) + "\n" +
         budget_table(r).terminal(static_cast<std::size_t>(std::max(width, 40)), colour) + "\n" +
         lines_of(budget_finding(r), width);
}

std::string budget_html(const BudgetResult& r) {
  std::vector<double> budgets;
  double low = kInfinity, high = -kInfinity;
  for (const BudgetPoint& p : r.points) {
    budgets.push_back(p.budget.in(joule));
    low = std::min(low, p.quality_low);
    high = std::max(high, p.quality_high);
  }
  svg::Drawing drawing(kViewWidth, kViewHeight, "What a budget buys",
                       "Best quality against the energy that no run may exceed");
  svg::Axes axes;
  axes.x = wide_scale(budgets, kViewLeft, kViewRight);
  axes.y = svg::linear(std::max(low, -0.2), high, kViewBottom, kViewTop);
  axes.x_title = "budget, J (modelled, chip)";
  axes.y_title = r.metric == "accuracy" ? "accuracy" : "R2";
  svg::axes(drawing, axes);
  std::vector<double> x, y;
  for (const BudgetPoint& p : r.points) {
    x.push_back(axes.x.clipped(p.budget.in(joule)));
    y.push_back(axes.y.clipped(p.quality));
    drawing.line(x.back(), axes.y.clipped(p.quality_low), x.back(), axes.y.clipped(p.quality_high),
                 "s1");
    drawing.circle(
        x.back(), y.back(), 4, "s1",
        fmt::format("{}: {}", joules_text(p.budget.in(joule)), quality_text(p.quality, r.metric)));
  }
  drawing.path(svg::polyline(x, y), "s1");
  return html::page(
      "carnot learn budget",
      html::heading(1, "What a budget buys") + html::paragraph(budget_finding(r), "answer") +
          html::figure(drawing.finish(), "Best run of each budget; bars hold 90 %.", true) +
          budget_table(r).html("Budgets") +
          html::data_link("These figures as carnot.budget/1", "budget.json", budget_json(r)) +
          made_how(r.data_source, r.command));
}

}  // namespace carnot::report
