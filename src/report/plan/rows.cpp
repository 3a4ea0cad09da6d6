// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "report/draw/stacked_panel.hpp"
#include "report/draw/text_columns.hpp"
#include "report/plan/figures.hpp"
#include "report/plan/flows.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kAll = 200;      // jobs, up to which each has a row
constexpr std::size_t kGreatest = 40;  // rows where there are more
constexpr std::size_t kNamed = 60;     // rows that leave room for names
constexpr double kLeft = 150, kTop = 44;

/// The jobs that have rows, by site, then by when they begin.
std::vector<std::size_t> chosen(const PlanReport& report) {
  const plan::Problem& problem = report.file.problem;
  const std::vector<plan::Assignment>& jobs = report.file.plan.jobs;
  std::vector<std::size_t> rows(jobs.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (rows.size() > kAll) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::size_t a, std::size_t b) { return report.work[b] < report.work[a]; });
    rows.resize(kGreatest);
  }
  const auto key = [&](std::size_t j) {
    const plan::Assignment& a = jobs[j];
    return std::tuple(a.site, a.slots.empty() ? problem.jobs.release(j) : a.slots.front(), j);
  };
  std::sort(rows.begin(), rows.end(),
            [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return rows;
}

/// Rectangles over runs of consecutive slots.
std::string runs(const std::vector<std::int32_t>& slots, const svg::Scale& x, double top,
                 double height) {
  std::string out;
  for (std::size_t i = 0; i < slots.size();) {
    std::size_t end = i + 1;
    while (end < slots.size() && slots[end] == slots[end - 1] + 1) ++end;
    const double from = x.at(slots[i]), to = x.at(slots[end - 1] + 1);
    out += fmt::format("M{} {}H{}v{}H{}Z", svg::coordinate(from), svg::coordinate(top),
                       svg::coordinate(to), svg::coordinate(height), svg::coordinate(from));
    i = end;
  }
  return out;
}

std::string site_name(const PlanReport& report, std::uint32_t site) {
  return site < report.sites.size() ? report.sites[site].name : std::string("nowhere");
}

std::string tip_of(const PlanReport& report, std::size_t j) {
  const plan::Problem& problem = report.file.problem;
  const plan::Assignment& a = report.file.plan.jobs[j];
  const std::uint32_t origin = origin_of(problem.jobs, j, report.sites.size());
  if (a.site == plan::kNone)
    return fmt::format("{}: not done, worth {}", problem.jobs.id(j),
                       money_text(problem.jobs.value(j)));
  return fmt::format(
      "{}: {} in mode {}, {} slots of a window of {}, {} of IT work{}", problem.jobs.id(j),
      site_name(report, a.site), a.mode + 1, a.slots.size(),
      problem.jobs.deadline(j) - problem.jobs.release(j), energy_text(report.work[j].in(joule)),
      origin == plan::kNone || origin == a.site ? "" : ", from " + site_name(report, origin));
}

}  // namespace

std::size_t plan_rows_shown(const PlanReport& report) {
  const std::size_t jobs = report.file.plan.jobs.size();
  return jobs > kAll ? kGreatest : jobs;
}

std::string plan_rows(const PlanReport& report) {
  const std::vector<std::size_t> rows = chosen(report);
  if (rows.empty()) return {};
  const plan::Problem& problem = report.file.problem;
  const std::vector<plan::Assignment>& jobs = report.file.plan.jobs;
  const PlanAxis axis = plan_axis(problem.slots, problem.slot_s, kLeft);
  const bool named = rows.size() <= kNamed;
  const double row = named ? 17 : 8, gap = 12;
  std::size_t groups = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    groups += i == 0 || jobs[rows[i]].site != jobs[rows[i - 1]].site;
  const double foot =
      kTop + row * static_cast<double>(rows.size()) + gap * static_cast<double>(groups);
  svg::Drawing d(PlanAxis::kRight + 16, foot + 50, "When and where jobs run",
                 fmt::format("{} of {} jobs as rows, grouped by the site they run at. Pale: the "
                             "window of the job; filled: the slots it runs in, coloured by mode.",
                             rows.size(), jobs.size()));
  std::vector<std::pair<std::string, std::string>> key;
  for (std::size_t m = 0; m < std::min<std::size_t>(report.modes, 6); ++m)
    key.emplace_back(mode_class(m),
                     fmt::format("mode {}{}", m + 1, m == 5 && report.modes > 6 ? " and on" : ""));
  key.emplace_back("pause", "may run");
  key.emplace_back("moved", "from another site");
  svg::legend(d, kLeft, 16, key);
  for (const auto& [at, words] : axis.marks)
    d.line(axis.slot.at(at), kTop - 8, axis.slot.at(at), foot, "gridline");
  double y = kTop - gap;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t j = rows[i];
    const plan::Assignment& a = jobs[j];
    if (i == 0 || a.site != jobs[rows[i - 1]].site) {
      y += gap;
      d.line(0, y - gap / 2 + 1, PlanAxis::kRight, y - gap / 2 + 1, "gridline");
      d.text(0, y + std::max(row, 12.0) - 2, cut(printable(site_name(report, a.site)), 12), "bold");
    }
    const std::string tip = tip_of(report, j);
    const double from = axis.slot.at(problem.jobs.release(j));
    d.rect(from, y + 1, axis.slot.at(problem.jobs.deadline(j)) - from, row - 2, "pause", tip);
    if (a.site != plan::kNone)
      d.path(runs(a.slots, axis.slot, y + 2, row - 4), mode_class(a.mode), tip);
    const std::uint32_t origin = origin_of(problem.jobs, j, report.sites.size());
    const bool moved = a.site != plan::kNone && origin != plan::kNone && origin != a.site;
    if (moved) d.rect(kLeft - 6, y + 2, 4, row - 4, "moved", tip);
    if (named) d.text(kLeft - 10, y + row - 4, cut(printable(problem.jobs.id(j)), 7), "tick end");
    y += row;
  }
  d.line(kLeft, foot, PlanAxis::kRight, foot, "axis");
  axis.draw(d, foot);
  return d.finish();
}

}  // namespace carnot::report
