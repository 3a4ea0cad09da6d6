// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/explain/json.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

double per_unit(const model::SweepPoint& p) {
  return p.point.units > 0 ? p.point.joules / p.point.units : kInfinity;
}

/// Of the axes, the values of a point.
std::vector<std::string> values_at(const std::vector<model::SweepAxis>& axes, std::size_t number) {
  std::vector<std::string> out(axes.size());
  for (std::size_t a = axes.size(); a-- > 0; number /= axes[a].values.size())
    out[a] = axes[a].values[number % axes[a].values.size()];
  return out;
}

}  // namespace

std::string explain_compare_terminal(const std::vector<ExplainReport>& reports,
                                     const std::vector<std::string>& names,
                                     const ExplainView& view) {
  Column name{"run", "", 9, {}, true}, each{"energy", "each", 9, {}},
      ratio{"over", "the first", 8, {}}, range{"90 %", "over value", 6, {}},
      time{"time", "", 7, {}}, power{"a chip", "W", 5, {}}, floor{"floor", "", 3, {}};
  std::vector<std::string> markers;
  std::size_t best = 0;
  const auto one = [](const ExplainReport& r) {
    return r.explanation.whole.value().in(joule) / r.explanation.units;
  };
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const model::Explanation& e = reports[i].explanation;
    const double whole = e.whole.value().in(joule);
    if (one(reports[i]) < one(reports[best])) best = i;
    name.cells.push_back(cut(printable(names[i]), 40));
    each.cells.push_back(spent_text(one(reports[i])));
    ratio.cells.push_back(fmt::format("{:.2f} x", one(reports[i]) / one(reports[0])));
    range.cells.push_back(fmt::format("{:.2f}–{:.2f} x", e.whole.low().in(joule) / whole,
                                      e.whole.high().in(joule) / whole));
    time.cells.push_back(lasting_text(e.time.value().in(second)));
    power.cells.push_back(fmt::format(
        "{:.0f}", e.accelerators.value() / e.time.value() / static_cast<double>(e.devices) / watt));
    floor.cells.push_back(fmt::format("{:.1f} %", 100 * e.tree.node(0).floor_joules / whole));
    markers.push_back("  ");
  }
  markers[best] = "> ";
  std::string out;
  for (const std::string& line : wrapped(
           fmt::format("{}: joules a {}, {} boundary, modelled. Runs on one machine share most of "
                       "their errors; ratios are better known than values.",
                       printable(reports[0].explanation.model), reports[0].explanation.unit,
                       carnot::name(reports[0].explanation.whole.boundary())),
           view.width))
    out += line + "\n";
  return out + "\n" +
         text_table({name, each, ratio, range, time, power, floor}, markers, view.width,
                    view.colour);
}

std::string explain_compare_json(const std::vector<ExplainReport>& reports,
                                 const std::vector<std::string>& names,
                                 const std::string& command) {
  Json runs = Json::array();
  for (std::size_t i = 0; i < reports.size(); ++i)
    runs.push_back({{"name", printable(names[i])}, {"document", explain_document(reports[i])}});
  return Json{{"schema", "carnot.explain-compare/1"},
              {"carnot", std::string(kVersion)},
              {"command", command},
              {"runs", std::move(runs)}}
             .dump(2) +
         "\n";
}

std::string explain_sweep_terminal(const SweepReport& r, const ExplainView& view) {
  std::vector<std::size_t> order(r.points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return per_unit(r.points[a]) < per_unit(r.points[b]);
  });
  std::size_t refused = 0;
  std::string why;
  for (const model::SweepPoint& p : r.points)
    if (!p.refused.empty()) {
      ++refused;
      if (why.empty()) why = p.refused;
    }
  order.resize(order.size() - refused);
  std::string out =
      fmt::format("{}: {} ways, accelerators alone, modelled\n\n", printable(r.subject),
                  count_text(static_cast<double>(r.points.size())));
  if (!order.empty()) {
    const double least = per_unit(r.points[order[0]]);
    std::vector<Column> table;
    for (std::size_t a = 0; a < r.axes.size(); ++a)
      table.push_back({r.axes[a].key, "", 9, {}, true});
    Column each{"energy", "a " + r.unit, 9, {}}, ratio{"over", "the least", 8, {}},
        time{"time", "", 7, {}};
    std::vector<std::string> markers;
    const std::size_t shown = std::min(order.size(), view.rows);
    for (std::size_t i = 0; i < shown; ++i) {
      const model::SweepPoint& p = r.points[order[i]];
      const std::vector<std::string> values = values_at(r.axes, order[i]);
      for (std::size_t a = 0; a < values.size(); ++a)
        table[a].cells.push_back(printable(values[a]));
      each.cells.push_back(spent_text(per_unit(p)));
      ratio.cells.push_back(fmt::format("{:.2f} x", per_unit(p) / least));
      time.cells.push_back(lasting_text(p.point.seconds));
      markers.push_back(i == 0 ? "> " : "  ");
    }
    table.push_back(each);
    table.push_back(ratio);
    table.push_back(time);
    out += text_table(table, markers, view.width, view.colour);
    if (order.size() > shown)
      out += fmt::format("  … {} more, up to {}\n",
                         count_text(static_cast<double>(order.size() - shown)),
                         spent_text(per_unit(r.points[order.back()])));
  }
  if (refused > 0)
    for (const std::string& line :
         wrapped(fmt::format("{} cannot be, such as: {}", count_text(static_cast<double>(refused)),
                             printable(why)),
                 view.width))
      out += line + "\n";
  return out;
}

std::string explain_sweep_json(const SweepReport& r) {
  Json axes = Json::array();
  for (const model::SweepAxis& axis : r.axes)
    axes.push_back({{"key", axis.key}, {"values", axis.values}});
  Json points = Json::array();
  for (std::size_t i = 0; i < r.points.size(); ++i) {
    const model::SweepPoint& p = r.points[i];
    Json point = {{"values", values_at(r.axes, i)}};
    const bool known = p.refused.empty();
    point["energy_j"] = known ? Json(p.point.joules) : Json();
    point["time_s"] = known ? Json(p.point.seconds) : Json();
    point["energy_j_per_unit"] = known ? number_or_null(per_unit(p)) : Json();
    point["refused"] = known ? Json() : Json(printable(p.refused));
    points.push_back(std::move(point));
  }
  return Json{{"schema", "carnot.explain-sweep/1"},
              {"carnot", std::string(kVersion)},
              {"command", r.command},
              {"subject", printable(r.subject)},
              {"unit", r.unit},
              {"origin", "modelled"},
              {"boundary", "chip"},
              {"axes", std::move(axes)},
              {"points", std::move(points)}}
             .dump(2) +
         "\n";
}

}  // namespace carnot::report
