// SPDX-License-Identifier: Apache-2.0
#include "model/kernel/kernel_corrections.hpp"

#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::array<std::string_view, 3> kCodes = {"format", "framework", "card"};

/// Words of a line, one blank apart.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  bool empty() const { return rest_.empty(); }
  std::string_view next() {
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), word.size() + 1));
    return word;
  }

 private:
  std::string_view rest_;
};

/// Appends a tree in preorder; says what is wrong, or nothing.
std::string append(std::vector<KernelTrees::Node>& nodes, Words& words, std::size_t depth) {
  if (depth > kDeepest) return "a tree of at most " + std::to_string(kDeepest) + " levels";
  if (words.empty()) return "two branches after each `feature:threshold`";
  const std::string_view word = words.next();
  KernelTrees::Node node;
  if (word.starts_with('=')) {
    if (!read_whole(word.substr(1), node.value) || !(std::abs(node.value) <= 100))
      return "`=value` from -100 to 100, found `" + std::string(word.substr(0, 40)) + "`";
    nodes.push_back(node);
    return {};
  }
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos || !read_whole(word.substr(0, colon), node.feature) ||
      node.feature < 0 || node.feature >= static_cast<int>(KernelTrees::kFeatures) ||
      !read_whole(word.substr(colon + 1), node.value) || !std::isfinite(node.value))
    return "`feature:threshold` with a feature below " + std::to_string(KernelTrees::kFeatures) +
           ", or `=value`; found `" + std::string(word.substr(0, 40)) + "`";
  const std::size_t at = nodes.size();
  nodes.push_back(node);
  if (auto wrong = append(nodes, words, depth + 1); !wrong.empty()) return wrong;
  nodes[at].right = static_cast<int>(nodes.size());
  return append(nodes, words, depth + 1);
}

}  // namespace

double KernelTrees::sum(const std::vector<std::size_t>& trees, const Features& at) const {
  double total = 0;
  for (std::size_t i : trees) {
    while (nodes[i].feature >= 0) {
      const Node& node = nodes[i];
      i = at[static_cast<std::size_t>(node.feature)] <= node.value
              ? i + 1
              : static_cast<std::size_t>(node.right);
    }
    total += nodes[i].value;
  }
  return total;
}

std::map<std::string, KernelTrees, std::less<>> parse_kernel_trees(std::string_view csv,
                                                                   const std::string& file) {
  std::map<std::string, KernelTrees, std::less<>> out;
  TableReader table(file, "class,kind,value", false);
  table.read(csv, [&](const std::vector<std::string_view>& cells) {
    if (cells.size() != 3) {
      table.add("row", "3 cells; found " + std::to_string(cells.size()));
      return;
    }
    KernelTrees& trees = out[std::string(cells[0])];
    Words words(cells[2]);
    for (std::size_t i = 0; i < kCodes.size(); ++i) {
      if (cells[1] != kCodes[i]) continue;
      for (double code = 0; !words.empty(); ++code)
        if (!trees.codes[i].emplace(words.next(), code).second)
          table.add(cells[1], "each name once");
      return;
    }
    if (cells[1] != "time" && cells[1] != "power") {
      table.add("kind", "format, framework, card, time or power");
      return;
    }
    const std::size_t first = trees.nodes.size();
    std::string wrong = append(trees.nodes, words, 0);
    if (wrong.empty() && !words.empty()) wrong = "one tree a line";
    if (!wrong.empty()) {
      table.add(cells[1], wrong);
      trees.nodes.resize(first);
      return;
    }
    (cells[1] == "time" ? trees.time : trees.power).push_back(first);
  });
  return out;
}

}  // namespace carnot::model
