// SPDX-License-Identifier: Apache-2.0
#include "report/explain/figures.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

using Index = model::EnergyTree::Index;

constexpr double kWidth = 960, kRow = 42, kLetter = 6.7;

/// One colour a component everywhere; what has none is grey.
std::string colour_of(const std::string& name) {
  static const std::map<std::string, std::string> colours = {{"arithmetic", "f1"},
                                                             {"memory", "f2"},
                                                             {"links", "f3"},
                                                             {"awake multiprocessors", "f4"},
                                                             {"static", "f5"}};
  const auto found = colours.find(name);
  if (found != colours.end()) return found->second;
  if (name.starts_with("host")) return "f6";
  if (name.starts_with("cooling")) return "f7";
  return "shade";
}

/// Of a node: its own component's, or that of the component it is in.
std::string style_of(const model::EnergyTree& tree, Index at) {
  for (Index i = at; i != model::EnergyTree::kNone; i = tree.node(i).parent) {
    const auto& node = tree.node(i);
    if (i == at && node.level == model::TreeLevel::Circuit && node.floor_joules > 0) return "f8";
    if (node.level == model::TreeLevel::Component) return colour_of(node.name);
    if (i == at && node.leaf != model::EnergyTree::kNone &&
        node.level <= model::TreeLevel::Operator)
      return colour_of(node.name);
  }
  return "shade";
}

void icicle(svg::Drawing& d, const model::EnergyTree& tree, Index at, double x, double width,
            double y, std::size_t rows) {
  const auto& node = tree.node(at);
  const std::string style = style_of(tree, at);
  d.rect(
      x, y, std::max(width - 1, 0.5), kRow - 2, style,
      fmt::format("{}: {}", printable(node.name), spent_range(node.joules, node.low, node.high)));
  const auto room = static_cast<std::size_t>(std::max(0.0, (width - 8) / kLetter));
  if (room >= 5) {
    const std::string ink = style == "shade" ? "label" : "label onfill";
    d.text(x + 4, y + 16, cut(printable(node.name), room), ink);
    d.text(x + 4, y + 32, cut(spent_text(node.joules), room), ink);
  }
  if (rows == 0 || !(node.joules > 0)) return;
  std::vector<Index> children = tree.children(at);
  std::stable_sort(children.begin(), children.end(),
                   [&](Index a, Index b) { return tree.node(a).joules > tree.node(b).joules; });
  double from = x;
  std::size_t narrow = 0;
  for (const Index child : children) {
    const double part = width * tree.node(child).joules / node.joules;
    if (part < 2) {
      ++narrow;
      continue;
    }
    icicle(d, tree, child, from, part, y + kRow, rows - 1);
    from += part;
  }
  if (narrow > 0 && x + width - from > 1)
    d.rect(from, y + kRow, x + width - from - 0.5, kRow - 2, "fquiet",
           fmt::format("{} more", narrow));
}

struct Box {
  std::string name, style;
  double joules = 0, y = 0, height = 0, in = 0, out = 0;  // in, out: filled so far
};

struct Link {
  std::size_t from, to;
  double joules;
  std::string style;
};

/// Boxes from the top, with gaps. \return the foot
double place(std::vector<Box>& boxes, double scale) {
  double y = 34;
  for (Box& box : boxes) {
    box.y = y;
    box.height = std::max(1.0, box.joules * scale);
    y += box.height + 30;
  }
  return y;
}

std::string ribbon(double x1, double y1, double x2, double y2, double thick) {
  const double middle = (x1 + x2) / 2;
  const auto c = [](double v) { return svg::coordinate(v); };
  return fmt::format("M{} {}C{} {} {} {} {} {}L{} {}C{} {} {} {} {} {}Z", c(x1), c(y1), c(middle),
                     c(y1), c(middle), c(y2), c(x2), c(y2), c(x2), c(y2 + thick), c(middle),
                     c(y2 + thick), c(middle), c(y1 + thick), c(x1), c(y1 + thick));
}

}  // namespace

std::string explain_icicle(const model::EnergyTree& tree, Index at, std::size_t rows,
                           const std::string& title) {
  const double foot = kRow * static_cast<double>(rows + 1) + 4;
  svg::Drawing d(kWidth, foot + 30, title,
                 "Each box is a part of the one above it; its width is its joules.");
  icicle(d, tree, at, 0, kWidth, 2, rows);
  std::vector<std::pair<std::string, std::string>> key;
  for (const model::ComponentShare& c : fold_components(tree, at))
    if (const std::string colour = colour_of(c.name);
        colour != "shade" && colour != "f6" && colour != "f7")
      key.emplace_back(colour, c.name);
  key.emplace_back("f8", "published circuits");
  svg::legend(d, 2, foot + 18, key);
  return d.finish();
}

std::string explain_sankey(const model::EnergyTree& tree) {
  const double whole = tree.node(0).joules;
  std::vector<Box> left, middle,
      right = {{"published circuits", "f8", 0, 0, 0, 0, 0},
               {"what lies above them", "fquiet", 0, 0, 0, 0, 0}};
  std::vector<Link> first, second;
  const auto box = [](std::vector<Box>& boxes, const std::string& name, const std::string& style) {
    for (std::size_t i = 0; i < boxes.size(); ++i)
      if (boxes[i].name == name) return i;
    boxes.push_back({name, style, 0, 0, 0, 0, 0});
    return boxes.size() - 1;
  };
  // Components in the order of their joules, so that the greatest stand on top.
  for (const model::ComponentShare& c : fold_components(tree, 0)) {
    const std::size_t b = box(middle, c.name, colour_of(c.name));
    middle[b].joules = c.joules;
    second.push_back({b, 0, c.floor_joules, "f8"});
    second.push_back({b, 1, c.joules - c.floor_joules, "fquiet"});
    right[0].joules += c.floor_joules;
    right[1].joules += c.joules - c.floor_joules;
  }
  for (const Index child : tree.children(0)) {
    const auto& node = tree.node(child);
    const std::size_t b = box(left, node.name, "shade");
    left[b].joules = node.joules;
    for (const model::ComponentShare& c : fold_components(tree, child))
      first.push_back({b, box(middle, c.name, colour_of(c.name)), c.joules, colour_of(c.name)});
  }
  const double scale = 300 / std::max(whole, 1e-300);
  const double foot =
      12 + std::max({place(left, scale), place(middle, scale), place(right, scale)});
  svg::Drawing d(kWidth, foot, "Joules from phases through components to circuits",
                 "Three columns of boxes with ribbons between them; heights are joules.");
  constexpr double kLeft = 10, kMiddle = 420, kRight = 930, kBox = 14;
  const auto ribbons = [&](std::vector<Link>& links, std::vector<Box>& a, std::vector<Box>& b,
                           double from, double to) {
    for (const Link& link : links) {
      const double thick = link.joules * scale;
      if (thick < 0.2) continue;
      d.path(ribbon(from + kBox, a[link.from].y + a[link.from].out, to,
                    b[link.to].y + b[link.to].in, thick),
             link.style + " ribbon",
             fmt::format("{} to {}: {}", printable(a[link.from].name), printable(b[link.to].name),
                         spent_text(link.joules)));
      a[link.from].out += thick;
      b[link.to].in += thick;
    }
  };
  ribbons(first, left, middle, kLeft, kMiddle);
  ribbons(second, middle, right, kMiddle, kRight);
  const auto boxes = [&](const std::vector<Box>& all, double x) {
    const bool last = x == kRight;
    for (const Box& b : all) {
      if (!(b.joules > 0)) continue;
      d.rect(x, b.y, kBox, b.height, b.style);
      d.text(last ? x + kBox : x, b.y - 6,
             fmt::format("{} {}", cut(printable(b.name), 34), spent_text(b.joules)),
             last ? "label end" : "label");
    }
  };
  boxes(left, kLeft);
  boxes(middle, kMiddle);
  boxes({right[0], right[1]}, kRight);
  return d.finish();
}

}  // namespace carnot::report
