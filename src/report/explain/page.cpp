// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/html.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/figures.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

using Index = model::EnergyTree::Index;

constexpr std::size_t kDepth = 4, kRows = 40;

constexpr std::string_view kCss =
    "svg text.onfill{fill:#fff;stroke:none}svg .ribbon{opacity:.45}svg .ribbon:hover{opacity:.8}\n";

std::string percent_of(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : std::string("n/a");
}

void rows_of(std::vector<html::Row>& rows, const model::EnergyTree& tree, Index at,
             std::size_t depth, double whole) {
  for (const ShownChild& child : shown_children(tree, at, kRows)) {
    std::string indent;
    for (std::size_t i = 0; i < depth; ++i) indent += "\u2003";
    if (child.node == model::EnergyTree::kNone) {
      rows.push_back(
          {{indent + fmt::format("… {} more", child.count), spent_text(child.joules),
            percent_of(child.joules, whole), "", percent_of(child.floor_joules, child.joules), ""},
           "quiet"});
      continue;
    }
    const auto& node = tree.node(child.node);
    rows.push_back(
        {{indent + printable(node.name), spent_text(node.joules), percent_of(node.joules, whole),
          node.joules > 0
              ? fmt::format("{:.2f}–{:.2f} x", node.low / node.joules, node.high / node.joules)
              : "",
          percent_of(node.floor_joules, node.joules),
          node.limit_joules > 0 ? fmt::format("{:.0e}", node.joules / node.limit_joules) : ""},
         ""});
    if (depth < 1) rows_of(rows, tree, child.node, depth + 1, whole);
  }
}

std::string tree_table(const model::EnergyTree& tree, const std::string& caption) {
  std::vector<html::Row> rows;
  rows_of(rows, tree, 0, 0, tree.node(0).joules);
  return html::table(
      caption, {{"part", false}, {"energy"}, {"share"}, {"90 %"}, {"floor"}, {"over limit"}}, rows);
}

/// The whole, then each child that has parts of its own: a tab each, which is the zoom.
std::string icicles(const model::EnergyTree& tree, const std::string& group) {
  std::vector<html::Tab> tabs;
  const auto add = [&](Index at, std::size_t depth, const std::string& of) {
    const std::string name = of + printable(tree.node(at).name);
    tabs.push_back({cut(name, 34),
                    html::figure(explain_icicle(tree, at, depth, name),
                                 "Width is joules; each row cuts the one above. Point at a box for "
                                 "its name and interval.",
                                 true),
                    true});
  };
  add(0, kDepth, "");
  for (const Index child : tree.children(0)) {
    if (tree.node(child).leaf != model::EnergyTree::kNone) continue;
    add(child, kDepth - 1, "");
    std::vector<ShownChild> below = shown_children(tree, child, 2);
    for (const ShownChild& each : below)
      if (each.node != model::EnergyTree::kNone &&
          tree.node(each.node).leaf == model::EnergyTree::kNone && tabs.size() < 8)
        add(each.node, 3, printable(tree.node(child).name) + ": ");
  }
  for (std::size_t i = 1; i < tabs.size(); ++i) tabs[i].print = i < 3;
  return html::tabs(group, "zoom to", tabs, 0);
}

std::string phase_table(const model::Explanation& e) {
  std::vector<html::Row> rows;
  for (const model::PhaseResult& r : e.phases)
    rows.push_back(
        {{r.name,
          spent_range(r.energy.value().in(joule), r.energy.low().in(joule),
                      r.energy.high().in(joule)),
          spent_text(r.energy.value().in(joule) / std::max(r.units, 1e-300)) + " a " + r.unit,
          lasting_text(r.time.value().in(second)), fmt::format("{:.0f} W", r.mean_power.in(watt)),
          count_text(static_cast<double>(r.totals.counts.macs) * r.executions),
          count_text(static_cast<double>(r.totals.counts.other_ops) * r.executions),
          fmt::format("{:.1f} GB", static_cast<double>(r.memory_bytes) / 1e9)},
         ""});
  return html::table("Phases: accelerators alone, modelled",
                     {{"phase", false},
                      {"energy"},
                      {"each"},
                      {"time"},
                      {"a chip"},
                      {"MACs"},
                      {"other operations"},
                      {"memory a chip"}},
                     rows);
}

std::string format_table(const model::Explanation& e) {
  std::vector<html::Row> rows;
  for (const model::FormatRow& r : e.formats)
    rows.push_back(
        {{r.format, r.phase, spent_text(r.joules_per_unit), fmt::format("{:.2f} x", r.over_bf16),
          r.measured ? "of this card" : "of others",
          r.measured_ratio > 0 ? fmt::format("{:.2f} x", r.measured_ratio) : ""},
         r.format == e.format ? "best" : ""});
  return html::table("The same work in other formats",
                     {{"format", false},
                      {"phase", false},
                      {"energy each"},
                      {"over bf16"},
                      {"kernels measured", false},
                      {"products measured"}},
                     rows);
}

std::string list(const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string out = "<ul class=\"plain\">\n";
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", escape(line));
  return out + "</ul>\n";
}

}  // namespace

std::string explain_html(const ExplainReport& report) {
  const model::Explanation& e = report.explanation;
  std::string body = "<header>\n" + html::heading(1, explain_subject(e));
  body += html::paragraph(fmt::format("{} parameters · carnot {}",
                                      count_text(static_cast<double>(e.parameters)), kVersion),
                          "kicker");
  const std::vector<std::string> answer = explain_answer(report);
  body += html::paragraph(answer.front(), "answer");
  for (std::size_t i = 1; i < answer.size(); ++i) body += html::paragraph(answer[i]);
  body += "</header>\n";
  body += html::heading(2, "Who owns each joule") + icicles(e.tree, "zoom");
  body += html::heading(2, "From phases to circuits") +
          html::figure(explain_sankey(e.tree),
                       "Left: phases. Middle: components. Right: what published circuits would "
                       "take alone, and the rest: instructions, wires, clocks, leakage, waiting.",
                       true);
  body += html::heading(2, "Figures") + phase_table(e) + tree_table(e.tree, "The tree, two levels");
  if (!e.formats.empty()) body += format_table(e);
  if (report.lifecycle) {
    body += html::heading(2, "Life cycle") + icicles(report.lifecycle->tree, "life");
    body += tree_table(report.lifecycle->tree, "Stages");
    body += list(lifecycle_words(report));
  }
  const std::vector<std::string> footprint = explain_footprint(report);
  if (!footprint.empty()) body += html::heading(2, "Footprint of the whole") + list(footprint);
  body += html::heading(2, "What the figures are") + list(explain_sources(report));
  return html::page(explain_subject(e), body, kCss);
}

}  // namespace carnot::report
