// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/report/plan/report.hpp"

#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/plan/words.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kSites = 30;  // rows

/// The sites that do most, and all of them together last.
std::vector<const PlanSiteReport*> rows_of(const PlanReport& report) {
  std::vector<const PlanSiteReport*> rows;
  for (const PlanSiteReport& site : report.sites) rows.push_back(&site);
  if (rows.size() > kSites) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto* a, const auto* b) { return b->facility() < a->facility(); });
    rows.resize(kSites);
  }
  rows.push_back(&report.all);
  return rows;
}

std::string site_table(const PlanReport& report, std::size_t room, bool colour) {
  const std::vector<const PlanSiteReport*> rows = rows_of(report);
  const auto gather = [&](const std::function<double(const PlanSiteReport&)>& of) {
    std::vector<double> out;
    for (const PlanSiteReport* row : rows) out.push_back(of(*row));
    return out;
  };
  const auto energy = gather([](const auto& s) { return s.facility().in(joule); });
  const auto own = gather([](const auto& s) { return s.own.in(joule); });
  const auto curtailed = gather([](const auto& s) { return s.curtailed.in(joule); });
  const auto grid = gather([](const auto& s) { return s.grid.in(joule); });
  const auto carbon = gather([](const auto& s) { return s.carbon.in(gram); });
  const auto cost = gather([](const auto& s) { return s.money().in(euro); });
  const double none = kNaN;
  const auto price = gather([&](const auto& s) {
    return s.levelised ? s.levelised->total.value().in(euro_per_megawatt_hour) : none;
  });
  const auto intensity = gather([&](const auto& s) {
    return s.levelised ? s.levelised->carbon_total.value().in(gram_per_kilowatt_hour) : none;
  });
  std::vector<std::string> names, jobs, arrivals, use, markers;
  for (const PlanSiteReport* row : rows) {
    const bool all = row == &report.all;
    names.push_back(all ? "all" : cut(printable(row->name), 24));
    jobs.push_back(fmt::format("{}", row->jobs));
    arrivals.push_back(fmt::format("{}", row->arrivals));
    use.push_back(row->capacity > Energy{} ? fmt::format("{:.0f}", 100 * (row->it / row->capacity))
                                           : "n/a");
    markers.push_back(all ? "> " : "  ");
  }
  const Unit e = energy_unit(std::max(largest_of(energy), largest_of(curtailed)));
  const Unit c = carbon_unit(largest_of(carbon));
  return text_table({{"site", "", 100, names, true},
                     {"jobs", "", 80, jobs},
                     {"moved in", "", 40, arrivals},
                     {"energy", e.name, 90, aligned_numbers(energy, e.factor)},
                     {"own", e.name, 85, aligned_numbers(own, e.factor)},
                     {"curtailed", e.name, 75, aligned_numbers(curtailed, e.factor)},
                     {"grid", e.name, 70, aligned_numbers(grid, e.factor)},
                     {"in use", "%", 50, use},
                     {"carbon", c.name, 60, aligned_numbers(carbon, c.factor)},
                     {"cost", "EUR", 95, aligned_numbers(cost, 1, 4)},
                     {"levelised", "EUR/MWh", 45, aligned_numbers(price, 1)},
                     {"levelised", "g/kWh", 42, aligned_numbers(intensity, 1)}},
                    markers, room, colour);
}

std::string rule_table(const PlanReport& report, std::size_t room, bool colour) {
  std::vector<std::pair<std::string, const plan::PlanTotals*>> rows{
      {"this plan", &report.certificate.totals}};
  for (const PlanRival& rival : report.rivals)
    if (rival.computed()) rows.emplace_back(rival.name, &rival.totals);
  std::vector<std::string> names, dropped, above, markers;
  std::vector<double> cost, energy, own, grid, carbon;
  const double bound = report.certificate.totals.bound_eur;
  for (const auto& [name, totals] : rows) {
    names.push_back(name);
    dropped.push_back(fmt::format("{}", totals->dropped));
    above.push_back(above_text(totals->objective_eur, bound));
    markers.push_back(totals == &report.certificate.totals ? "> " : "  ");
    cost.push_back(totals->objective_eur);
    energy.push_back(totals->energy_j);
    own.push_back(totals->free_energy_j);
    grid.push_back(totals->grid_energy_j);
    carbon.push_back(totals->carbon_g);
  }
  names.emplace_back("bound");
  cost.push_back(bound);
  for (std::vector<double>* column : {&energy, &own, &grid, &carbon}) column->push_back(kNaN);
  dropped.emplace_back("");
  above.emplace_back("");
  markers.emplace_back("  ");
  const Unit e = energy_unit(largest_of(energy) / 5), c = carbon_unit(largest_of(carbon));
  const auto blank_last = [](std::vector<std::string> cells) {
    cells.back().clear();
    return cells;
  };
  return text_table({{"", "", 100, names, true},
                     {"cost", "EUR", 99, aligned_numbers(cost, 1, 4)},
                     {"above", "bound", 90, above},
                     {"energy", e.name, 60, blank_last(aligned_numbers(energy, e.factor))},
                     {"own", e.name, 70, blank_last(aligned_numbers(own, e.factor))},
                     {"grid", e.name, 75, blank_last(aligned_numbers(grid, e.factor))},
                     {"carbon", c.name, 80, blank_last(aligned_numbers(carbon, c.factor))},
                     {"dropped", "jobs", 50, dropped}},
                    markers, room, colour);
}

}  // namespace

std::string plan_terminal(const PlanReport& report, int width, bool colour) {
  const std::size_t room = static_cast<std::size_t>(std::max(width, 40));
  std::string out = strong(cut(plan_size(report), room), colour) + "\n\n";
  const auto say = [&](const std::string& text, bool quiet) {
    for (const std::string& line : wrapped(printable(text), room))
      out += (quiet ? soft(line, colour) : line) + "\n";
  };
  if (!report.certificate.holds()) {
    say(plan_check_words(report), false);
    out += "\n";
  }
  out += site_table(report, room, colour) + "\n";
  if (report.file.problem.jobs.size() > 0) out += rule_table(report, room, colour) + "\n";
  for (const std::string& sentence : plan_answer(report)) say(sentence, false);
  if (report.certificate.holds()) say(plan_check_words(report), false);
  out += "\n";
  for (const std::string& sentence : plan_sources(report)) say(sentence, true);
  return out;
}

}  // namespace carnot::report
