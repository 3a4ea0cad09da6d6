// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

std::string share_of(double part, double whole) {
  if (!(whole > 0)) return "n/a";
  const double percent = 100 * part / whole;
  if (percent > 0 && percent < 0.05) return "<0.1 %";
  return fmt::format("{:.1f} %", percent);
}

struct TreeTable {
  Column name{"", "", 9, {}, true}, joules{"energy", "", 9, {}}, share{"share", "", 8, {}},
      range{"90 %", "", 5, {}}, floor{"floor", "", 6, {}}, limit{"over limit", "", 3, {}};
  std::vector<std::string> markers;

  void row(const std::string& title, const std::string& mark, double j, double whole, double low,
           double high, double floor_j, double limit_j) {
    name.cells.push_back(title);
    joules.cells.push_back(spent_text(j));
    share.cells.push_back(share_of(j, whole));
    range.cells.push_back(
        j > 0 && std::isfinite(low) ? fmt::format("{:.2f}–{:.2f} x", low / j, high / j) : "");
    floor.cells.push_back(j > 0 ? share_of(floor_j, j) : "");
    limit.cells.push_back(limit_j > 0 ? fmt::format("{:.0e}", j / limit_j) : "");
    markers.push_back(mark);
  }
};

void branch(TreeTable& table, const model::EnergyTree& tree, model::EnergyTree::Index at,
            const std::string& stem, std::size_t depth, const ExplainView& view, double whole) {
  if (depth == 0) return;
  const std::vector<ShownChild> children = shown_children(tree, at, view.rows);
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size();
    const ShownChild& child = children[i];
    const std::string elbow = stem + (last ? "└ " : "├ ");
    if (child.node == model::EnergyTree::kNone) {
      table.row(elbow + fmt::format("… {} more", child.count), "  ", child.joules, whole, NAN, NAN,
                child.floor_joules, child.limit_joules);
      continue;
    }
    const auto& node = tree.node(child.node);
    table.row(elbow + cut(printable(node.name), 44), "  ", node.joules, whole, node.low, node.high,
              node.floor_joules, node.limit_joules);
    branch(table, tree, child.node, stem + (last ? "  " : "│ "), depth - 1, view, whole);
  }
}

std::string tree_text(const model::EnergyTree& tree, const ExplainView& view) {
  TreeTable table;
  const auto& root = tree.node(0);
  table.row(root.name, "> ", root.joules, root.joules, root.low, root.high, root.floor_joules,
            root.limit_joules);
  branch(table, tree, 0, "", view.depth, view, root.joules);
  return plain_table({table.name, table.joules, table.share, table.range, table.floor, table.limit},
                     table.markers, view.width, view.colour);
}

std::string component_text(const model::Explanation& e, const ExplainView& view) {
  Column name{"component", "", 9, {}, true}, joules{"energy", "", 9, {}}, share{"share", "", 8, {}},
      floor{"floor", "", 7, {}}, above{"above it", "", 6, {}}, limit{"limit", "", 5, {}};
  std::vector<std::string> markers;
  for (const model::ComponentShare& c : fold_components(e.tree, 0)) {
    name.cells.push_back(cut(c.name, 40));
    joules.cells.push_back(spent_text(c.joules));
    share.cells.push_back(share_of(c.joules, e.tree.node(0).joules));
    floor.cells.push_back(c.floor_joules > 0 ? spent_text(c.floor_joules) : "");
    above.cells.push_back(c.floor_joules > 0 ? fmt::format("{:.1f} x", c.joules / c.floor_joules)
                                             : "all");
    limit.cells.push_back(c.limit_joules > 0 ? spent_text(c.limit_joules) : "");
    markers.push_back("  ");
  }
  return plain_table({name, joules, share, floor, above, limit}, markers, view.width, view.colour);
}

std::string phase_text(const model::Explanation& e, const ExplainView& view) {
  Column name{"phase", "", 9, {}, true}, each{"energy", "", 9, {}}, time{"time", "", 8, {}},
      power{"a chip", "W", 7, {}}, macs{"MACs", "", 6, {}}, other{"other ops", "", 3, {}},
      held{"memory", "GB a chip", 4, {}};
  std::vector<std::string> markers;
  for (const model::PhaseResult& r : e.phases) {
    name.cells.push_back(r.executions > 1 ? fmt::format("{} x {:.0f}", r.name, r.executions)
                                          : r.name);
    each.cells.push_back(spent_text(r.energy.value().in(joule) / std::max(r.units, 1e-300)) +
                         " a " + r.unit);
    time.cells.push_back(lasting_text(r.time.value().in(second)));
    power.cells.push_back(fmt::format("{:.0f}", r.mean_power.in(watt)));
    macs.cells.push_back(count_text(static_cast<double>(r.totals.counts.macs) * r.executions));
    other.cells.push_back(
        count_text(static_cast<double>(r.totals.counts.other_ops) * r.executions));
    held.cells.push_back(fmt::format("{:.1f}", static_cast<double>(r.memory_bytes) / 1e9));
    markers.push_back("  ");
  }
  return plain_table({name, each, time, power, macs, other, held}, markers, view.width,
                     view.colour);
}

std::string format_text(const model::Explanation& e, const ExplainView& view) {
  Column name{"format", "", 9, {}, true}, phase{"phase", "", 9, {}, true},
      each{"energy", "", 8, {}}, ratio{"over bf16", "", 7, {}}, kernels{"kernels", "", 5, {}, true},
      measured{"products", "measured", 4, {}};
  std::vector<std::string> markers;
  for (const model::FormatRow& r : e.formats) {
    name.cells.push_back(r.format);
    phase.cells.push_back(r.phase);
    each.cells.push_back(spent_text(r.joules_per_unit));
    ratio.cells.push_back(fmt::format("{:.2f} x", r.over_bf16));
    kernels.cells.push_back(r.measured ? "of this card" : "of others");
    measured.cells.push_back(r.measured_ratio > 0 ? fmt::format("{:.2f} x", r.measured_ratio) : "");
    markers.push_back(r.format == e.format ? "> " : "  ");
  }
  return plain_table({name, phase, each, ratio, kernels, measured}, markers, view.width,
                     view.colour);
}

}  // namespace

std::string explain_terminal(const ExplainReport& report, const ExplainView& view) {
  const model::Explanation& e = report.explanation;
  std::string out;
  const auto words = [&](const std::vector<std::string>& lines) {
    for (const std::string& each : lines)
      for (const std::string& line : wrapped(each, view.width)) out += line + "\n";
  };
  words({explain_subject(e)});
  words({fmt::format(
      "{} parameters{}", count_text(static_cast<double>(e.parameters)),
      e.active_parameters != 0 && e.active_parameters != e.parameters
          ? fmt::format(", {} active", count_text(static_cast<double>(e.active_parameters)))
          : "")});
  out += "\n";
  words(explain_answer(report));
  out +=
      "\n" + phase_text(e, view) + "\n" + tree_text(e.tree, view) + "\n" + component_text(e, view);
  if (!e.formats.empty()) out += "\n" + format_text(e, view);
  if (report.lifecycle) {
    out += "\n" + tree_text(report.lifecycle->tree, view) + "\n";
    words(lifecycle_words(report));
  }
  const std::vector<std::string> footprint = explain_footprint(report);
  if (!footprint.empty()) out += "\n";
  words(footprint);
  out += "\n";
  words(explain_sources(report));
  return out;
}

}  // namespace carnot::report
