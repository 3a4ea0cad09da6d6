// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/stacked_panel.hpp"
#include "report/grid/document.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr double kWidth = 960, kHeight = 620;
constexpr Frame kFrame{0, 52, kWidth, 600};
constexpr double kDot = 4, kGreatestDisc = 30, kLeastDisc = 7;
constexpr double kMwh = 3.6e9;

std::string percent_of(double share) {
  return std::isfinite(share) ? fmt::format("{:.0f} %", 100 * share) : std::string("no limit");
}

std::vector<Point> positions(const GridPageDocument& document, const std::vector<double>& room) {
  std::vector<Point> degrees, out;
  bool known = true;
  for (const GridPageBus& bus : document.buses) {
    known = known && std::isfinite(bus.place.x) && std::isfinite(bus.place.y);
    degrees.push_back(bus.place);
  }
  if (known) {
    const Projection projection(degrees, kFrame);
    for (const Point& place : degrees) out.push_back(projection.at(place));
  } else {
    out = ring(degrees.size(), {40, kFrame.top + 40, kWidth - 40, kFrame.bottom - 40});
  }
  spread(out, room, kFrame);
  return out;
}

void draw_site(svg::Drawing& d, const GridPageSite& site, const std::string& bus, Point at,
               double radius) {
  const std::string tip = fmt::format(
      "bus {}: wind and sun {} used by computing there, {} taken by the grid, {} curtailed; "
      "computing takes {} from the grid",
      bus, energy_text(site.own_mwh * kMwh), energy_text(site.exported_mwh * kMwh),
      energy_text(site.curtailed_mwh * kMwh), energy_text(site.grid_mwh * kMwh));
  d.circle(at.x, at.y, radius + 1.5, "disc", tip);
  double from = 0;
  for (const auto& [style, part] : {std::pair{"own", site.own_mwh},
                                    {"grid", site.grid_mwh},
                                    {"exported", site.exported_mwh},
                                    {"curtailed", site.curtailed_mwh}}) {
    const double share = site.all() > 0 ? part / site.all() : 0.0;
    if (share > 1e-3) d.path(slice(at, radius, from, std::min(1.0, from + share)), style, tip);
    from += share;
  }
}

}  // namespace

std::string grid_map(const GridPageDocument& document, const GridPagePicture& picture) {
  if (document.buses.empty()) return {};
  std::vector<double> radius(document.buses.size(), kDot);
  double most = 0;
  for (const GridPageSite& site : picture.sites) most = std::max(most, site.all());
  for (const GridPageSite& site : picture.sites)
    radius[site.bus] =
        std::max(kLeastDisc, most > 0 ? kGreatestDisc * std::sqrt(site.all() / most) : 0.0);
  std::vector<double> room = radius;
  for (double& r : room) r += r > kDot ? 9 : 0;  // for the name under it
  const std::vector<Point> at = positions(document, room);
  std::size_t full = 0;
  for (const double share : picture.greatest) full += loading_class(share) == 3;
  svg::Drawing d(
      kWidth, kHeight, "The grid: how loaded its wires are, and its sites",
      fmt::format("{} buses, {} lines, {} of them at their limit at some time; {} sites "
                  "of wind, sun or computing.",
                  document.buses.size(), document.branches.size(), full, picture.sites.size()));
  std::vector<std::pair<std::string, std::string>> key;
  if (document.study)
    key = {{"own", "own power used by computing"}, {"grid", "computing from the grid"}};
  key.emplace_back("exported", "own power taken by the grid");
  key.emplace_back("curtailed", "own power curtailed");
  svg::legend(d, 0, 16, key);
  double x = 0;
  constexpr const char* kWords[] = {"below 50 % of the limit", "50 to 80 %", "80 to 99 %",
                                    "at the limit"};
  for (int level = 0; level < 4; ++level) {
    d.line(x, 36, x + 22, 36, fmt::format("load{}", level));
    d.text(x + 28, 40, kWords[level], "tick");
    x += 60 + 7.3 * static_cast<double>(std::string(kWords[level]).size());
  }
  // The most loaded on top.
  for (int level = 0; level < 4; ++level)
    for (std::size_t l = 0; l < document.branches.size(); ++l) {
      if (loading_class(picture.greatest[l]) != level) continue;
      const Point &a = at[document.branches[l].from], &b = at[document.branches[l].to];
      const std::string tip = fmt::format(
          "{} to {}: {} of its limit{}", document.buses[document.branches[l].from].name,
          document.buses[document.branches[l].to].name, percent_of(picture.greatest[l]),
          document.study ? " at most, " + percent_of(picture.mean[l]) + " on average" : "");
      d.path(svg::polyline({a.x, b.x}, {a.y, b.y}), fmt::format("load{}", level), tip);
    }
  for (std::size_t b = 0; b < at.size(); ++b)
    d.circle(at[b].x, at[b].y, kDot - 1, "bus", "bus " + document.buses[b].name);
  for (const GridPageSite& site : picture.sites)
    draw_site(d, site, document.buses[site.bus].name, at[site.bus], radius[site.bus]);
  for (const GridPageSite& site : picture.sites)
    if (radius[site.bus] > 10)
      d.text(at[site.bus].x, at[site.bus].y + radius[site.bus] + 13, document.buses[site.bus].name,
             "middle bold");
  return d.finish();
}

std::string grid_hours(const GridPagePicture& picture) {
  if (picture.own_mw.empty()) return {};
  const std::size_t hours = picture.own_mw.size();
  const Stretches stretches(hours);
  const PlanAxis axis = plan_axis(static_cast<double>(hours), 3600);
  svg::Drawing d(PlanAxis::kRight + 16, 380, "Computing sites over time: " + picture.name,
                 fmt::format("Computing and wind and sun of {} sites over {} hours.",
                             picture.sites.size(), hours));
  const auto kilowatts = [&](std::vector<double> mw) {
    for (double& x : mw) x *= 1e3;
    return stretches.means(mw);
  };
  StackedPanels panels(d, stretches.edges(axis.slot));
  double foot = panels.areas(40, 120, "computing",
                             {{"own", "own power", kilowatts(picture.own_mw)},
                              {"grid", "grid", kilowatts(picture.grid_mw)}},
                             {});
  foot = panels.areas(foot + 46, 120, "wind and sun at the sites' buses",
                      {{"own", "used there", kilowatts(picture.own_mw)},
                       {"exported", "taken by the grid", kilowatts(picture.exported_mw)},
                       {"curtailed", "curtailed", kilowatts(picture.curtailed_mw)}},
                      {});
  axis.draw(d, foot);
  return d.finish();
}

}  // namespace carnot::report
