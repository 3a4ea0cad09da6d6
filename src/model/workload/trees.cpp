// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/workload/trees.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::model {

namespace {

// Expected comparisons and depth of one tree.
struct Walk {
  double comparisons = 0;
  std::uint64_t depth = 0, leaves = 0;
};

Walk measure(const DecisionTree& tree) {
  const std::size_t n = tree.left.size();
  const bool covered = !tree.cover.empty() && tree.cover[0] > 0;
  std::vector<std::uint64_t> depth(n, 0);
  std::vector<double> share(n, 0);
  std::vector<std::size_t> open{0};
  share[0] = 1;
  Walk made;
  Sum<double> comparisons;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    if (tree.left[at] < 0) {
      ++made.leaves;
      made.depth = std::max(made.depth, depth[at]);
      continue;
    }
    comparisons += share[at];
    for (const std::int32_t child : {tree.left[at], tree.right[at]}) {
      const auto next = static_cast<std::size_t>(child);
      depth[next] = depth[at] + 1;
      share[next] = covered ? tree.cover[next] / tree.cover[0] : share[at] / 2;
      open.push_back(next);
    }
  }
  made.comparisons = comparisons.value();
  return made;
}

}  // namespace

TreeCounts count_trees(const TreeEnsemble& ensemble) {
  TreeCounts counts;
  Sum<double> comparisons;
  counts.by_cover = !ensemble.trees.empty();
  for (const DecisionTree& tree : ensemble.trees) {
    const Walk walk = measure(tree);
    ++counts.trees;
    counts.nodes += tree.left.size();
    counts.leaves += walk.leaves;
    counts.deepest = std::max(counts.deepest, walk.depth);
    counts.most_comparisons += walk.depth;
    counts.by_cover = counts.by_cover && !tree.cover.empty();
    comparisons += walk.comparisons;
  }
  counts.comparisons = comparisons.value();
  return counts;
}

std::uint64_t walk_trees(const TreeEnsemble& ensemble, std::span<const double> row) {
  if (ensemble.categorical) {
    throw InputError(
        fmt::format("{}: splits by sets of categories cannot be walked", ensemble.name));
  }
  if (row.size() < ensemble.features) {
    throw InputError(fmt::format("{}: a row of {} values, {} are needed", ensemble.name, row.size(),
                                 ensemble.features));
  }
  std::uint64_t comparisons = 0;
  for (const DecisionTree& tree : ensemble.trees) {
    std::size_t at = 0;
    while (tree.left[at] >= 0) {
      ++comparisons;
      const double given = row[static_cast<std::size_t>(tree.feature[at])];
      const double value = ensemble.single ? static_cast<double>(static_cast<float>(given)) : given;
      const bool left = std::isnan(value) ? !tree.missing_left.empty() && tree.missing_left[at]
                        : ensemble.strict ? value < tree.threshold[at]
                                          : value <= tree.threshold[at];
      at = static_cast<std::size_t>(left ? tree.left[at] : tree.right[at]);
    }
  }
  return comparisons;
}

Workload trees_workload(const TreeEnsemble& ensemble, std::uint64_t rows,
                        std::uint64_t node_bytes) {
  const TreeCounts counts = count_trees(ensemble);
  Workload workload;
  workload.name = ensemble.name;
  workload.source = ensemble.format;
  workload.notes = ensemble.notes;
  workload.unit = "row";
  workload.units = rows;
  if (!counts.by_cover) {
    workload.notes.emplace_back("no cover in the file: each split is taken evenly");
  }
  Operator made;
  made.name = made.type = "trees";
  made.kind = KernelKind::Tree;
  made.shape = StreamShape{rows};
  made.weight_type = made.activation_type = DataType::Float32;
  const double n = static_cast<double>(rows);
  const double ops = n * (counts.comparisons + static_cast<double>(counts.trees));
  if (ops >= 0x1p63) throw InputError("rows: too many; count fewer and scale");
  made.counts.other_ops = static_cast<std::uint64_t>(std::llround(ops));
  made.parameters = counts.nodes;
  made.weight_bytes = checked_product("bytes", {counts.nodes, node_bytes});
  // Nodes met by all rows, of which none is read from memory more than once if all fit in a cache.
  made.weight_read_bytes =
      std::min(static_cast<double>(made.weight_bytes), ops * static_cast<double>(node_bytes));
  made.read_bytes = checked_product("bytes", {rows, ensemble.features, 4});
  made.written_bytes = checked_product("bytes", {rows, ensemble.outputs, 4});
  workload.parameters = workload.active_parameters = counts.nodes;
  workload.weight_bytes = made.weight_bytes;
  workload.input_bytes = made.read_bytes;
  workload.output_bytes = made.written_bytes;
  workload.operators.push_back(std::move(made));
  return workload;
}

}  // namespace carnot::model
