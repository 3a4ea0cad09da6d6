// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/page.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "report/draw/html.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/grid/document.hpp"
#include "report/plan/words.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr double kMwh = 3.6e9;  // J
constexpr std::size_t kLines = 20;

constexpr std::string_view kCss =
    "svg .load0,svg .load1,svg .load2,svg .load3{fill:none;stroke-linecap:round}"
    "svg .load0{stroke:var(--axis);stroke-width:1.3}svg .load1{stroke:var(--c6);stroke-width:2.4}"
    "svg .load2{stroke:var(--c4);stroke-width:3.4}svg .load3{stroke:var(--grid);stroke-width:5}"
    "svg .bus{fill:var(--ink)}svg .disc{fill:var(--paper)}\n";

std::string mwh(double value) {
  return std::isfinite(value) ? energy_text(value * kMwh) : std::string("n/a");
}

std::string day_of(const std::string& time) { return time.substr(0, 10); }

std::string title_of(const GridPageDocument& g) {
  return fmt::format("{}: {} buses, {} lines", g.name.empty() ? "grid" : g.name, g.buses.size(),
                     g.branches.size());
}

const GridPagePicture* picture_of(const GridPageDocument& g, const std::string& signal) {
  for (const GridPagePicture& p : g.pictures)
    if (p.name == signal) return &p;
  return nullptr;
}

/// "-13.2 GWh": the sign of `value` before the text of its size.
std::string signed_text(double value, const std::string& size) {
  return (value < 0 ? "-" : "+") + size;
}

std::vector<std::string> study_words(const GridPageDocument& g) {
  std::vector<std::string> out;
  const GridPagePicture* still = picture_of(g, "no-shift");
  if (still == nullptr) return out;
  for (const GridPagePicture& p : g.pictures) {
    if (&p == still || p.name == "no-computing") continue;
    const double cost = p.totals.cost - still->totals.cost;
    const double co2 = p.totals.co2_t - still->totals.co2_t;
    const double lost = p.totals.curtailed_mwh - still->totals.curtailed_mwh;
    out.push_back(fmt::format("{}: system cost {} ({}), CO2 {} ({}), curtailment {}", p.name,
                              signed_text(cost, figure_text(std::abs(cost), 3)),
                              percent(std::abs(cost) / still->totals.cost),
                              signed_text(co2, carbon_text(std::abs(co2) * 1e6)),
                              percent(std::abs(co2) / still->totals.co2_t),
                              signed_text(lost, mwh(std::abs(lost)))));
  }
  return out;
}

std::string lead(const GridPageDocument& g) {
  if (g.pictures.empty()) return fmt::format("There is no dispatch: {}.", g.outcome);
  if (!g.study) {
    std::size_t full = 0;
    for (const double share : g.pictures.front().mean) full += loading_class(share) == 3;
    std::string out =
        fmt::format("{:.0f} MW of demand are met by {:.0f} MW; {} of {} lines are at their limit.",
                    g.demand_mw, g.generation_mw, full, g.branches.size());
    if (g.available_mw > 0)
      out +=
          fmt::format(" Of {:.0f} MW of wind and sun, {:.0f} MW ({}) are curtailed.",
                      g.available_mw, g.curtailed_mw, share_text(g.curtailed_mw, g.available_mw));
    return out;
  }
  const GridPagePicture* best = nullptr;
  for (const GridPagePicture& p : g.pictures)
    if (p.name != "no-computing" && std::isfinite(p.totals.co2_t) &&
        (best == nullptr || p.totals.co2_t < best->totals.co2_t))
      best = &p;
  const GridPagePicture* still = picture_of(g, "no-shift");
  if (best == nullptr || still == nullptr)
    return fmt::format("Computing at {} sites over {:.0f} hours.", g.pictures.front().sites.size(),
                       g.hours);
  return fmt::format(
      "{} of computing at {} sites over {:.0f} hours. Placed by {}, the system emits {} CO2 less "
      "({}) than with the same work unshifted.",
      mwh(still->totals.computing_mwh), still->sites.size(), g.hours, best->name,
      carbon_text((still->totals.co2_t - best->totals.co2_t) * 1e6),
      share_text(still->totals.co2_t - best->totals.co2_t, still->totals.co2_t));
}

std::string assumed(const GridPageDocument& g) {
  return fmt::format(
      "Modelled: each hour is dispatched at least cost within the limits of all lines (DC optimal "
      "power flow), again for every signal. Assumed: sites in use at {} of their capacity, {} of "
      "the work deferrable within {:.0f} hours, {} movable as well; joint-carbon counts a tonne at "
      "{}. Money is the grid file's own.",
      percent(g.utilisation), percent(g.deferrable), g.window_h, percent(g.movable),
      figure_text(g.carbon_price_per_t, 3));
}

std::string study_table(const GridPageDocument& g) {
  std::vector<html::Row> rows;
  for (const GridPagePicture& p : g.pictures) {
    const GridPageTotals& t = p.totals;
    rows.push_back({{p.name, figure_text(t.cost / 1e6, 4), figure_text(t.co2_t / 1e3, 4),
                     mwh(t.curtailed_mwh), percent(t.absorbed_share), mwh(t.own_used_mwh),
                     mwh(t.moved_mwh), figure_text(t.congested_hours, 3), mwh(t.losses_mwh)},
                    p.name == "no-computing" ? "quiet" : ""});
  }
  return html::table("Every row dispatches the same grid over the same hours with the same work.",
                     {{"signal", false},
                      {"cost, millions"},
                      {"CO2, kt"},
                      {"curtailed"},
                      {"absorbed"},
                      {"own power used"},
                      {"work moved"},
                      {"congested hours"},
                      {"I²R losses"}},
                     rows);
}

std::string line_table(const GridPageDocument& g, const GridPagePicture& p) {
  std::vector<std::size_t> order;
  for (std::size_t l = 0; l < g.branches.size(); ++l)
    if (std::isfinite(p.greatest[l])) order.push_back(l);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(p.greatest[a], p.mean[a]) > std::pair(p.greatest[b], p.mean[b]);
  });
  order.resize(std::min(order.size(), kLines));
  std::vector<html::Row> rows;
  for (const std::size_t l : order)
    rows.push_back({{g.buses[g.branches[l].from].name + " – " + g.buses[g.branches[l].to].name,
                     fmt::format("{:.0f} MW", g.branches[l].limit_mw), percent(p.mean[l]),
                     percent(p.greatest[l])},
                    ""});
  return html::details(
      "The most loaded lines",
      html::table("Power over limit", {{"line", false}, {"limit"}, {"on average"}, {"at most"}},
                  rows));
}

std::string picture_section(const GridPageDocument& g, const GridPagePicture& p) {
  std::string out = html::figure(
      grid_map(g, p),
      g.study
          ? "Colour and width of a line: the greatest share of its limit that it carries in the "
            "week shown. Area of a disc: energy of the site's wind, sun and computing."
          : "Colour and width of a line: the share of its limit that it carries. Discs: wind and "
            "sun at a bus.",
      true);
  const std::string hours = grid_hours(p);
  if (!hours.empty())
    out += html::figure(hours, "All computing sites together, mean power of each hour.", true);
  return out + line_table(g, p);
}

}  // namespace

bool is_grid_document(const std::string& text) {
  const std::size_t at = text.find("\"schema\"");
  return at < 100 &&
         (text.find("\"carnot.grid/1\"") < 200 || text.find("\"carnot.grid-place/1\"") < 200);
}

std::string grid_page_html(const std::string& text, const std::string& path) {
  const GridPageDocument g = read_grid_document(text, path);
  std::string body = "<header>\n" + html::heading(1, title_of(g));
  body +=
      html::paragraph(fmt::format("{}{} · carnot {}", g.study ? "Computing on the grid, from " : "",
                                  g.time.empty() ? "one dispatch" : g.time, g.version),
                      "kicker");
  body += html::paragraph(lead(g), "answer") + "</header>\n";
  if (g.study) {
    body += html::heading(2, "Signals side by side") + study_table(g);
    std::string items;
    for (const std::string& words : study_words(g))
      items += fmt::format("<li>{}</li>\n", escape(words));
    double over = 0;
    for (const GridPagePicture& p : g.pictures) over = std::max(over, p.totals.overload_mw);
    body += html::paragraph(
        over < 1e-3
            ? std::string("No line carries more than its limit in any hour, by a power "
                          "flow of its own.")
            : fmt::format("Lines carry up to {} MW above their limits.", figure_text(over, 3)));
    if (!items.empty()) body += html::paragraph("Against the same work unshifted:");
    if (!items.empty()) body += "<ul class=\"plain\">\n" + items + "</ul>\n";
    std::vector<html::Tab> tabs;
    for (const GridPagePicture& p : g.pictures)
      if (!p.greatest.empty())
        tabs.push_back({p.name, html::heading(3, p.name) + picture_section(g, p),
                        p.name.starts_with("no-shift") || p.name.starts_with("joint")});
    if (!tabs.empty())
      body +=
          html::heading(2, "The wires and the sites") +
          html::paragraph(fmt::format("{:.0f} hours from {}.", g.week_hours, day_of(g.week_begin)),
                          "note") +
          html::tabs("signal", "Signal", tabs, tabs.size() - 1);
    body += html::heading(2, "What the figures stand on") + html::paragraph(assumed(g));
  } else if (!g.pictures.empty()) {
    body += html::heading(2, "The wires") + picture_section(g, g.pictures.front());
    body += html::paragraph("Modelled: a DC power flow of the grid as its file describes it.");
  }
  if (!g.command.empty())
    body += html::heading(2, "Do it again") + "<pre>" + escape(g.command) + "</pre>\n";
  return html::page(title_of(g) + " · carnot", body, kCss);
}

std::string grid_page_terminal(const std::string& text, const std::string& path, int width,
                               bool colour) {
  const GridPageDocument g = read_grid_document(text, path);
  const std::size_t room = static_cast<std::size_t>(std::max(width, 40));
  std::string out = strong(cut(printable(title_of(g)), room), colour) + "\n\n";
  if (g.study) {
    std::vector<std::string> names, absorbed, markers;
    const auto gather = [&](const std::function<double(const GridPageTotals&)>& of) {
      std::vector<double> values;
      for (const GridPagePicture& p : g.pictures) values.push_back(of(p.totals));
      return values;
    };
    for (const GridPagePicture& p : g.pictures) {
      names.push_back(printable(p.name));
      absorbed.push_back(std::isfinite(p.totals.absorbed_share)
                             ? fmt::format("{:.1f}", 100 * p.totals.absorbed_share)
                             : "n/a");
      markers.emplace_back("  ");
    }
    const auto numbers = [&](auto&& of, double factor, int digits) {
      return aligned_numbers(gather(of), factor, digits);
    };
    out +=
        text_table(
            {{"signal", "", 100, names, true},
             {"cost", "million", 90, numbers([](const auto& t) { return t.cost; }, 1e-6, 5)},
             {"CO2", "kt", 95, numbers([](const auto& t) { return t.co2_t; }, 1e-3, 5)},
             {"curtailed", "GWh", 80,
              numbers([](const auto& t) { return t.curtailed_mwh; }, 1e-3, 4)},
             {"absorbed", "%", 70, absorbed},
             {"own used", "GWh", 60,
              numbers([](const auto& t) { return t.own_used_mwh; }, 1e-3, 4)},
             {"moved", "GWh", 50, numbers([](const auto& t) { return t.moved_mwh; }, 1e-3, 4)},
             {"congested", "h", 40, numbers([](const auto& t) { return t.congested_hours; }, 1, 1)},
             {"losses", "GWh", 30, numbers([](const auto& t) { return t.losses_mwh; }, 1e-3, 4)}},
            markers, room, colour) +
        "\n";
  }
  std::vector<std::string> sentences{lead(g)};
  if (g.study) sentences.push_back(assumed(g));
  for (const std::string& sentence : sentences)
    for (const std::string& line : wrapped(printable(sentence), room)) out += line + "\n";
  return out;
}

}  // namespace carnot::report
