// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/stranded.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

namespace {

double wait_alone(const grid::StrandedTable& table, const std::string& set) {
  const auto there =
      std::find_if(table.references.begin(), table.references.end(),
                   [&](const grid::StrandedReference& one) { return one.set == set; });
  return there->alone.mean_wait_h;
}

double change(double now, double before) { return before > 0.0 ? now / before - 1.0 : kNaN; }

Json queue_json(const grid::QueueOutcome& queue, double alone_h) {
  return {{"jobs", queue.jobs},
          {"killed", queue.killed},
          {"mean_wait_h", queue.mean_wait_h},
          {"wait_change", number_or_null(change(queue.mean_wait_h, alone_h))},
          {"lost_node_h", queue.lost_node_h},
          {"stranded_node_h", queue.stranded_node_h}};
}

}  // namespace

std::string grid_stranded_json(const GridStrandedReport& r) {
  Json rows = Json::array(), unions = Json::array(), references = Json::array();
  for (const grid::StrandedRow& row : r.table.rows)
    rows.push_back({{"set", row.set},
                    {"site", row.site},
                    {"rule", row.rule},
                    {"duty", row.figures.duty},
                    {"intervals", row.figures.intervals},
                    {"mean_h", row.figures.mean_h},
                    {"median_h", row.figures.median_h},
                    {"longest_h", row.figures.longest_h},
                    {"mean_mw", number_or_null(row.mean_mw)},
                    {"queue", queue_json(row.queue, wait_alone(r.table, row.set))}});
  for (const grid::StrandedUnion& one : r.table.unions)
    unions.push_back(
        {{"set", one.set}, {"rule", one.rule}, {"sites", one.sites}, {"duty", one.duty}});
  for (const grid::StrandedReference& one : r.table.references)
    references.push_back({{"set", one.set},
                          {"alone", queue_json(one.alone, one.alone.mean_wait_h)},
                          {"always", queue_json(one.always, one.alone.mean_wait_h)}});
  return Json{{"schema", "carnot.grid-stranded/1"},
              {"carnot", std::string(kVersion)},
              {"seed", r.options.seed},
              {"started", r.started},
              {"command", r.command},
              {"origin", "modelled"},
              {"assumptions",
               {{"nodes", r.options.nodes}, {"load", r.options.load}, {"origin", "assumed"}}},
              {"rows", std::move(rows)},
              {"unions", std::move(unions)},
              {"references", std::move(references)}}
             .dump(2) +
         "\n";
}

std::string grid_stranded_terminal(const GridStrandedReport& r) {
  std::string out = fmt::format("  {:<9}{:<16}{:<20}{:>7}{:>7}{:>8}{:>8}{:>9}{:>9}{:>8}{:>8}\n", "",
                                "site", "stranded while", "duty %", "times", "mean h", "median",
                                "longest", "mean MW", "wait h", "change");
  const auto percent = [](double share) {
    return std::isfinite(share) ? fmt::format("{:+.0f} %", 100 * share) : std::string("-");
  };
  std::string set;
  for (const grid::StrandedRow& row : r.table.rows) {
    const grid::PresenceFigures& f = row.figures;
    out +=
        fmt::format("  {:<9}{:<16}{:<20}{:>7.1f}{:>7}{:>8.1f}{:>8.1f}{:>9.1f}{:>9}{:>8.2f}{:>8}\n",
                    row.set == set ? "" : row.set, row.site, row.rule, 100 * f.duty, f.intervals,
                    f.mean_h, f.median_h, f.longest_h,
                    std::isfinite(row.mean_mw) ? fmt::format("{:.1f}", row.mean_mw) : "-",
                    row.queue.mean_wait_h,
                    percent(change(row.queue.mean_wait_h, wait_alone(r.table, row.set))));
    set = row.set;
  }
  out += "\n";
  for (const grid::StrandedUnion& one : r.table.unions) {
    out += fmt::format("  {}, {}, duty % of", one.set, one.rule);
    for (std::size_t k = 0; k < one.sites.size(); ++k)
      out += fmt::format(" {}{} {:.1f}", k == 0 ? "" : "+ ", one.sites[k], 100 * one.duty[k]);
    out += "\n";
  }
  for (const grid::StrandedReference& one : r.table.references)
    out += fmt::format(
        "  {}: mean wait of {} jobs {:.2f} h on {} nodes alone, {:.2f} h ({}) with as many always "
        "on\n",
        one.set, one.alone.jobs, one.alone.mean_wait_h, r.options.nodes, one.always.mean_wait_h,
        percent(change(one.always.mean_wait_h, one.alone.mean_wait_h)));
  return out + fmt::format(
                   "  jobs made up (seed {}) for {:.0f} % of the base machine; a run that its "
                   "power leaves is lost\n",
                   r.options.seed, 100 * r.options.load);
}

}  // namespace carnot::report
