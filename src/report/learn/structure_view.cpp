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

using experiment::CodedPoint;
using experiment::StructureResult;

double length(const CodedPoint& p) { return p.model_bits + p.data_bits; }

std::string finding(const StructureResult& r) {
  const CodedPoint& star = r.points[r.k_star];
  const CodedPoint& shortest = r.points[r.shortest];
  const double share = r.all > Energy{} ? r.spent / r.all : 1.0;
  std::string out =
      r.net_bits > 0.0
          ? fmt::format("k* is {} ({}): {} of labels left where their counts take {}. ",
                        bits_text(star.model_bits), star.name, bits_text(star.data_bits),
                        bits_text(r.uniform_bits))
          : fmt::format("Nothing was learned: every model is longer than what it saves ({} net). ",
                        bits_text(r.net_bits));
  if (r.net_bits > 0.0)
    out += fmt::format("The shortest message is {} ({}). ", bits_text(length(shortest)),
                       shortest.name);
  out +=
      r.stopped_early
          ? fmt::format("The walk ended after {} of {} sizes, with {:.1f} % of the joules of all.",
                        r.rungs_done, r.rungs_all, 100.0 * share)
          : fmt::format("{} of {} sizes were walked before {} took {:.1f} % of all joules.",
                        r.rungs_done, r.rungs_all,
                        r.exhaustive ? "the rule would have ended it, which" : "its end, which",
                        100.0 * share);
  if (r.joule_price > 0.0)
    out += fmt::format(" With a joule worth {} bits the best is {}.", figure_text(r.joule_price),
                       r.points[r.energy_priced].name);
  return out;
}

ViewTable table_of(const StructureResult& r) {
  ViewTable table({{"model", "", 100, true},
                   {"model", "kbit", 95},
                   {"labels", "kbit", 94},
                   {"sum", "kbit", 93},
                   {"held out", "", 80},
                   {"a label", "bit", 60},
                   {"energy", "", 85},
                   {"bits a joule", "", 50},
                   {"", "", 90, true}});
  for (std::size_t i = 0; i < r.points.size(); ++i) {
    const CodedPoint& p = r.points[i];
    const bool special = p.on_hull || i == r.k_star || i == r.shortest || i == r.energy_priced;
    if (!special && r.points.size() > 30) continue;  // trees have hundreds
    std::string word;
    const auto add = [&](const char* text) {
      word += word.empty() ? text : fmt::format(", {}", text);
    };
    if (i == r.k_star) add("k*");
    if (i == r.shortest) add("shortest");
    if (r.joule_price > 0.0 && i == r.energy_priced) add("priced");
    if (word.empty() && p.on_hull) add("hull");
    if (p.beyond) add("beyond");
    table.row(
        {p.name, fmt::format("{:.3f}", p.model_bits / 1e3),
         fmt::format("{:.3f}", p.data_bits / 1e3), fmt::format("{:.3f}", length(p) / 1e3),
         quality_text(p.held_out_quality, r.metric),
         std::isfinite(p.held_out_bits) ? fmt::format("{:.4f}", p.held_out_bits) : "n/a",
         joules_text(p.energy.in(joule)),
         std::isfinite(p.marginal_bits_per_j) ? figure_text(p.marginal_bits_per_j) : "", word},
        i == r.k_star);
  }
  return table;
}

std::string figure(const StructureResult& r) {
  std::vector<double> model{1.0}, data;
  for (const CodedPoint& p : r.points) {
    if (p.model_bits > 0) model.push_back(p.model_bits);
    data.push_back(std::max(p.data_bits, 1.0));
  }
  model.front() = model.size() > 1 ? 0.5 * *std::min_element(model.begin() + 1, model.end()) : 1.0;
  svg::Drawing drawing(
      kViewWidth, kViewHeight, "Learning structure function",
      "Bits of labels left against bits of model, hull and k*; held-out quality of "
      "each point in its tip");
  svg::Axes axes;
  axes.x = wide_scale(model, kViewLeft, kViewRight);
  axes.y = wide_scale(data, kViewBottom, kViewTop);
  axes.x_title = "model K, bit (the empty model at the left edge)";
  axes.y_title = "labels given the model, bit";
  svg::axes(drawing, axes);
  const auto x_of = [&](const CodedPoint& p) {
    return axes.x.clipped(std::max(p.model_bits, model.front()));
  };
  const auto y_of = [&](const CodedPoint& p) { return axes.y.clipped(std::max(p.data_bits, 1.0)); };
  std::vector<const CodedPoint*> hull;
  for (const CodedPoint& p : r.points)
    if (p.on_hull) hull.push_back(&p);
  std::sort(hull.begin(), hull.end(),
            [](const CodedPoint* a, const CodedPoint* b) { return a->model_bits < b->model_bits; });
  std::vector<double> x, y;
  for (const CodedPoint* p : hull) {
    x.push_back(x_of(*p));
    y.push_back(y_of(*p));
  }
  drawing.path(svg::polyline(x, y), "bound", "lower convex hull");
  for (const CodedPoint& p : r.points)
    drawing.circle(x_of(p), y_of(p), p.on_hull ? 4.5 : 3, p.beyond ? "quiet" : "s1",
                   fmt::format("{}: {} + {}, {}, held out {}", p.name, bits_text(p.model_bits),
                               bits_text(p.data_bits), joules_text(p.energy.in(joule)),
                               quality_text(p.held_out_quality, r.metric)));
  const double at = x_of(r.points[r.k_star]);
  drawing.line(at, kViewTop, at, kViewBottom, "rule dash");
  drawing.text(at + 5, kViewTop + 12, "k*", "value");
  return html::figure(drawing.finish(),
                      "Each dot is a model that was written as a message. No model came below the "
                      "dotted hull. Right of k* a further bit of model saves less than a bit of "
                      "labels.",
                      true);
}

}  // namespace

std::string structure_json(const StructureResult& r, const std::string& command) {
  Json points = Json::array();
  for (const CodedPoint& p : r.points)
    points.push_back({{"name", p.name},
                      {"size", p.rung},
                      {"price", number_or_null(p.price)},
                      {"model_bits", p.model_bits},
                      {"data_bits", p.data_bits},
                      {"energy_j", p.energy.in(joule)},
                      {"held_out_quality", number_or_null(p.held_out_quality)},
                      {"held_out_bits_per_label", number_or_null(p.held_out_bits)},
                      {"on_hull", p.on_hull},
                      {"beyond", p.beyond},
                      {"marginal_bits_per_j", number_or_null(p.marginal_bits_per_j)}});
  const Json out{{"schema", "carnot.structure/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", command},
                 {"learner", r.learner},
                 {"data",
                  {{"source", r.data_source},
                   {"rows", r.rows},
                   {"classes", r.classes},
                   {"labels_shuffled", r.shuffled}}},
                 {"metric", r.metric},
                 {"uniform_bits", r.uniform_bits},
                 {"learned_net_bits", number_or_null(r.net_bits)},
                 {"k_star", r.points[r.k_star].model_bits},
                 {"k_star_point", r.k_star},
                 {"shortest_point", r.shortest},
                 {"joule_price_bits", r.joule_price},
                 {"energy_priced_point", r.energy_priced},
                 {"slack", r.slack},
                 {"stopped_early", r.stopped_early},
                 {"sizes_done", r.rungs_done},
                 {"sizes_all", r.rungs_all},
                 {"spent_j", r.spent.in(joule)},
                 {"all_j", r.all.in(joule)},
                 {"exhaustive_k_star", number_or_null(r.exhaustive_k_star)},
                 {"points", std::move(points)}};
  return out.dump(2) + "\n";
}

std::string structure_terminal(const StructureResult& r, int width, bool colour) {
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  return lines_of(fmt::format("{} on {}", r.learner, printable(r.data_source)), width) + "\n" +
         table_of(r).terminal(room, colour) + "\n" + lines_of(finding(r), width);
}

std::string structure_html(const StructureResult& r, const std::string& command) {
  return html::page("carnot learn structure",
                    html::heading(1, "How much model do these labels pay for?") +
                        html::paragraph(finding(r), "answer") + figure(r) +
                        table_of(r).html("Models as messages") +
                        html::data_link("These figures as carnot.structure/1", "structure.json",
                                        structure_json(r, command)) +
                        made_how(r.data_source, command));
}

}  // namespace carnot::report
