// SPDX-License-Identifier: Apache-2.0
#include "report/draw/map.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/text_columns.hpp"
#include "report/plan/figures.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr double kWidth = 960, kHeight = 500;
constexpr Frame kFrame{0, 40, kWidth, 470};
constexpr double kGreatestDisc = 34, kLeastDisc = 5, kGreatestArrow = 13, kLeastArrow = 0.8;
constexpr double kAllArrows = 140;  // width of all arrows together
constexpr std::size_t kArrows = 60, kNames = 30;

Energy around(const PlanSiteReport& site) {
  return site.facility() + site.exported + site.curtailed;
}

/// Where the discs stand, and where they would without getting out of each other's way.
struct Places {
  bool known = true;
  std::vector<Point> anchor, centre;
  std::vector<double> radius;
  std::string land;
};

Places places(const PlanReport& report) {
  Places out;
  std::vector<Point> degrees;
  Energy most;
  for (const PlanSiteReport& site : report.sites) {
    most = std::max(most, around(site));
    out.known = out.known && std::isfinite(site.latitude);
    degrees.push_back({site.longitude, site.latitude});
  }
  const double crowd = std::min(1.0, std::sqrt(16.0 / static_cast<double>(report.sites.size())));
  std::vector<double> room;
  for (const PlanSiteReport& site : report.sites) {
    const double share = most > Energy{} ? around(site) / most : 0.0;
    out.radius.push_back(std::max(kLeastDisc, kGreatestDisc * crowd * std::sqrt(share)));
    room.push_back(out.radius.back() + (report.sites.size() <= kNames ? 14 : 2));
  }
  if (out.known) {
    const Projection projection(degrees, kFrame);
    for (const Point& place : degrees) out.anchor.push_back(projection.at(place));
    out.land = projection.land();
  } else {
    out.anchor =
        ring(report.sites.size(), {190, kFrame.top + 70, kWidth - 190, kFrame.bottom - 70});
  }
  out.centre = out.anchor;
  spread(out.centre, room, kFrame);
  return out;
}

std::string description(const PlanReport& report) {
  std::string words;
  for (const PlanSiteReport& site : report.sites)
    words += fmt::format("{}: {} own power used, {} curtailed, {} from the grid. ", site.name,
                         energy_text(site.own.in(joule)), energy_text(site.curtailed.in(joule)),
                         energy_text(site.grid.in(joule)));
  for (std::size_t i = 0; i < std::min<std::size_t>(report.moves.size(), 12); ++i) {
    const PlanMove& move = report.moves[i];
    words += fmt::format("{} of work moved from {} to {}. ", energy_text(move.it.in(joule)),
                         report.sites[move.from].name, report.sites[move.to].name);
  }
  return words;
}

void draw_moves(svg::Drawing& d, const PlanReport& report, const Places& at) {
  // As wide as leaves the map to be seen: many arrows are thinner than few.
  Energy all;
  for (const PlanMove& move : report.moves) all += move.it;
  if (!(all > Energy{})) return;
  const double share = std::min(kGreatestArrow / (report.moves.front().it / all), kAllArrows);
  for (std::size_t i = std::min(report.moves.size(), kArrows); i-- > 0;) {
    const PlanMove& move = report.moves[i];
    const double width = std::max(kLeastArrow, share * (move.it / all));
    d.path(arrow(at.centre[move.from], at.radius[move.from], at.centre[move.to], at.radius[move.to],
                 width),
           "flow",
           fmt::format("{} → {}: {} jobs, {} of IT work", report.sites[move.from].name,
                       report.sites[move.to].name, move.jobs, energy_text(move.it.in(joule))));
  }
}

void draw_site(svg::Drawing& d, const PlanSiteReport& site, Point at, double radius) {
  const std::string tip = fmt::format(
      "{}: own power {} used, {} curtailed; grid {}; {} jobs, {} of them from elsewhere", site.name,
      energy_text(site.own.in(joule)), energy_text(site.curtailed.in(joule)),
      energy_text(site.grid.in(joule)), site.jobs, site.arrivals);
  d.circle(at.x, at.y, radius + 1.5, "disc", tip);
  double from = 0;
  for (const auto& [style, part] : {std::pair{"own", site.own},
                                    {"grid", site.grid},
                                    {"exported", site.exported},
                                    {"curtailed", site.curtailed}}) {
    const double share = around(site) > Energy{} ? part / around(site) : 0.0;
    if (share > 1e-3) d.path(slice(at, radius, from, std::min(1.0, from + share)), style, tip);
    from += std::max(share, 0.0);
  }
}

}  // namespace

std::string plan_map(const PlanReport& report) {
  if (report.sites.empty()) return {};
  const Places at = places(report);
  svg::Drawing d(kWidth, kHeight, "Sites, their power and the jobs moved between them",
                 description(report));
  std::vector<std::pair<std::string, std::string>> key{{"own", "own power used"},
                                                       {"grid", "grid power"}};
  if (report.all.exported > Energy{}) key.emplace_back("exported", "own power exported");
  key.emplace_back("curtailed", "own power curtailed");
  key.emplace_back("flow", "work moved");
  svg::legend(d, 0, 16, key);
  if (at.known)
    d.rect(kFrame.left, kFrame.top, kFrame.right - kFrame.left, kFrame.bottom - kFrame.top, "sea");
  d.path(at.land, "land");
  for (std::size_t s = 0; s < at.centre.size(); ++s) {
    if (std::hypot(at.centre[s].x - at.anchor[s].x, at.centre[s].y - at.anchor[s].y) < 3) continue;
    d.line(at.anchor[s].x, at.anchor[s].y, at.centre[s].x, at.centre[s].y, "axis");
    d.circle(at.anchor[s].x, at.anchor[s].y, 2, "anchor");
  }
  draw_moves(d, report, at);
  for (std::size_t s = 0; s < at.centre.size(); ++s)
    draw_site(d, report.sites[s], at.centre[s], at.radius[s]);
  if (report.sites.size() > kNames) return d.finish();
  for (std::size_t s = 0; s < at.centre.size(); ++s) {
    const PlanSiteReport& site = report.sites[s];
    const double half = 38;  // of a long name
    d.text(std::clamp(at.centre[s].x, half, kWidth - half), at.centre[s].y + at.radius[s] + 14,
           cut(printable(site.name), 18), "middle bold");
  }
  return d.finish();
}

}  // namespace carnot::report
