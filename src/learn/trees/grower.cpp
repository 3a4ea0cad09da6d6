// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/grower.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

constexpr std::size_t kPartitionBlock = 16384;

std::array<std::uint8_t, 256> sides(const NodeSplit& split, const TreeFeature& feature) {
  std::array<std::uint8_t, 256> left{};
  for (std::size_t b = 0; b < feature.bins; ++b)
    left[b] = split.categorical ? (split.set[b / 64] >> (b % 64)) & 1u : b <= split.bin;
  left[feature.missing_bin()] = split.missing_left;
  return left;
}

void count_histogram(std::size_t rows, std::size_t features, bool integer, bool all,
                     Counters& count) {
  const std::uint64_t updates = rows * features;
  if (integer)
    count.at(Kind::Int32Add) += updates;
  else
    count.at(Kind::F32Elementwise) += 2 * updates;
  count.at(MemoryLevel::Cache) += updates * (integer ? 8 : 16);
  count.at(MemoryLevel::Dram) += updates + rows * ((integer ? 2u : 8u) + (all ? 0u : 4u));
}

/// Two prefix sums and the gain: 8 operations and a division a slot.
void count_search(std::size_t slots, bool integer, Counters& count) {
  if (integer) count.at(Kind::Int32Add) += 2 * slots;
  count.at(Kind::F32Elementwise) += (integer ? 8 : 10) * slots;
  count.at(Kind::Special) += slots;
  count.at(MemoryLevel::Cache) += slots * (integer ? 8 : 16);
}

void count_subtraction(std::size_t slots, bool integer, Counters& count) {
  count.at(integer ? Kind::Int32Add : Kind::F32Elementwise) += 2 * slots;
  count.at(MemoryLevel::Cache) += 3 * slots * (integer ? 8 : 16);
}

}  // namespace

TreeGrower::TreeGrower(const std::vector<TreeFeature>& features, const BinnedRows& data,
                       Workers& workers, const GrowthRule& rule)
    : features_(features), data_(data), workers_(workers), rule_(rule) {
  work_.resize(static_cast<std::size_t>(workers.threads()));
}

bool TreeGrower::may_split(const Open& node) const noexcept {
  return node.rows() >= 2 && node.rows() >= 2 * rule_.least_rows &&
         (rule_.depth == 0 || node.depth < rule_.depth) &&
         node.sums.h >= 2.0 * node.sums.least_hessian;
}

void TreeGrower::open(Open& node, double g, double h) const {
  node.sums.g = g;
  node.sums.h = h;
  node.sums.l2 = rule_.l2;
  // Rows are not counted a bin: a child's are estimated from its share of the Hessian.
  const double of_rows = h * static_cast<double>(rule_.least_rows) /
                         static_cast<double>(std::max<std::size_t>(node.rows(), 1));
  node.sums.least_hessian = std::max({rule_.least_hessian, of_rows * (1.0 - 1e-9), 1e-12});
}

std::size_t TreeGrower::take_histogram(bool integer) {
  if (free_.empty()) {
    free_.push_back(pool_.size());
    pool_.emplace_back();
  }
  const std::size_t taken = free_.back();
  free_.pop_back();
  if (integer)
    pool_[taken].integers.resize(data_.slots());
  else
    pool_[taken].floats.resize(data_.slots());
  return taken;
}

void TreeGrower::search(Open& smaller, Open* larger, const std::vector<std::uint32_t>& rows,
                        const Gradients& gradients, Counters& count) {
  const bool integer = gradients.is_integer();
  const bool all = larger == nullptr && smaller.rows() == data_.rows;
  smaller.histogram = take_histogram(integer);
  smaller.has_histogram = true;
  Histogram& small = pool_[smaller.histogram];
  const bool search_small = may_split(smaller), search_large = larger && may_split(*larger);
  found_.assign(2 * data_.groups.size(), {});
  workers_.run(data_.groups.size(), [&](std::size_t g, std::size_t thread) {
    const BinnedRows::Group& group = data_.groups[g];
    const std::size_t first = group.first, end = group.first + group.width;
    build_histogram(data_, g, std::span(rows).subspan(smaller.begin, smaller.rows()), all,
                    gradients, small, work_[thread]);
    if (larger != nullptr)
      subtract(pool_[larger->histogram], small, integer, data_.offset[first], data_.offset[end]);
    const auto best_of_group = [&](const Open& node, NodeSplit& best) {
      const SlotReader slots{&pool_[node.histogram], &gradients};
      for (std::size_t i = first; i < end; ++i) {
        const NodeSplit split = best_split(features_[data_.used[i]], static_cast<std::uint32_t>(i),
                                           data_.offset[i], slots, node.sums);
        if (split.gain > best.gain) best = split;
      }
    };
    if (search_small) best_of_group(smaller, found_[2 * g]);
    if (search_large) best_of_group(*larger, found_[2 * g + 1]);
  });
  for (std::size_t g = 0; g < data_.groups.size(); ++g) {
    if (found_[2 * g].gain > smaller.best.gain) smaller.best = found_[2 * g];
    if (larger != nullptr && found_[2 * g + 1].gain > larger->best.gain)
      larger->best = found_[2 * g + 1];
  }
  const std::size_t slots = data_.slots();
  count_histogram(smaller.rows(), data_.used.size(), integer, all, count);
  if (larger != nullptr) count_subtraction(slots, integer, count);
  if (search_small) count_search(slots, integer, count);
  if (search_large) count_search(slots, integer, count);
}

std::size_t TreeGrower::partition(const Open& node, std::vector<std::uint32_t>& rows,
                                  Counters& count) {
  const auto left_side = sides(node.best, features_[data_.used[node.best.feature]]);
  const std::uint8_t* bins = data_.column[node.best.feature].data();
  const std::size_t n = node.rows();
  std::uint32_t* own = rows.data() + node.begin;
  const auto blocks = (n + kPartitionBlock - 1) / kPartitionBlock;
  std::vector<std::size_t> lefts(blocks + 1, 0);
  // Each block by itself, then all of them together; order is kept.
  in_blocks(workers_, n, kPartitionBlock, [&](std::size_t begin, std::size_t end) {
    std::uint32_t* l = left_.data() + begin;
    std::uint32_t* r = right_.data() + begin;
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t row = own[i];
      const std::size_t side = left_side[bins[row]];
      *l = row;
      *r = row;
      l += side;
      r += 1 - side;
    }
    lefts[begin / kPartitionBlock + 1] = static_cast<std::size_t>(l - left_.data()) - begin;
  });
  std::partial_sum(lefts.begin(), lefts.end(), lefts.begin());
  const std::size_t total = lefts.back();
  in_blocks(workers_, n, kPartitionBlock, [&](std::size_t begin, std::size_t end) {
    const std::size_t b = begin / kPartitionBlock;
    const std::size_t l = lefts[b + 1] - lefts[b], r = end - begin - l;
    std::copy_n(left_.data() + begin, l, own + lefts[b]);
    std::copy_n(right_.data() + begin, r, own + total + (begin - lefts[b]));
  });
  count.at(Kind::F32Elementwise) += n;
  count.at(MemoryLevel::Dram) += 9 * n;  // row number read and written, bin read
  return total;
}

void TreeGrower::set_values(Tree& tree, const std::vector<Open>& leaves,
                            const std::vector<std::uint32_t>& rows, const Gradients& gradients,
                            Counters& count) {
  const bool refit = gradients.is_integer() && rule_.refit;
  tree.values.resize(leaves.size());
  workers_.run(leaves.size(), [&](std::size_t i, std::size_t) {
    double g = leaves[i].sums.g, h = leaves[i].sums.h;
    if (refit) {
      g = h = 0.0;
      for (std::size_t at = leaves[i].begin; at < leaves[i].end; ++at) {
        g += static_cast<double>(gradients.exact[rows[at]].g);
        h += static_cast<double>(gradients.exact[rows[at]].h);
      }
    }
    const double below = h + rule_.l2;
    tree.values[i] = below > 0.0 ? static_cast<float>(-rule_.rate * g / below) : 0.0f;
  });
  count.at(Kind::Special) += leaves.size();
  count.at(Kind::F32Elementwise) += 2 * leaves.size();
  if (!refit) return;
  count.at(Kind::F32Elementwise) += 2 * rows.size();
  count.at(MemoryLevel::Dram) += 12 * rows.size();
}

Tree TreeGrower::grow(std::vector<std::uint32_t>& rows, const Gradients& gradients,
                      std::vector<LeafRange>& ranges, Counters& count) {
  left_.resize(rows.size());
  right_.resize(rows.size());
  pool_.resize(pool_.size());
  free_.clear();
  for (std::size_t i = pool_.size(); i-- > 0;) free_.push_back(i);

  Tree tree;
  tree.nodes.emplace_back();
  std::vector<Open> open_nodes, leaves;  // leaves: those that will not be split
  Open root;
  root.end = rows.size();
  double g = 0.0, h = 0.0;
  if (gradients.is_integer()) {
    std::int64_t whole_g = 0, whole_h = 0;
    for (const std::uint32_t r : rows) {
      whole_g += gradients.rounded[r] >> 8;
      whole_h += gradients.rounded[r] & 255;
    }
    g = gradients.g_scale * static_cast<double>(whole_g);
    h = gradients.h_scale * static_cast<double>(whole_h);
    count.at(Kind::Int32Add) += 2 * rows.size();
    count.at(MemoryLevel::Dram) += 2 * rows.size();
  } else {
    for (const std::uint32_t r : rows) {
      g += static_cast<double>(gradients.exact[r].g);
      h += static_cast<double>(gradients.exact[r].h);
    }
    count.at(Kind::F32Elementwise) += 2 * rows.size();
    count.at(MemoryLevel::Dram) += 8 * rows.size();
  }
  open(root, g, h);
  tree.nodes[0].rows = static_cast<std::uint32_t>(rows.size());
  if (may_split(root) && !data_.groups.empty() && rule_.leaves > 1)
    search(root, nullptr, rows, gradients, count);
  (root.best.gain > 0.0 ? open_nodes : leaves).push_back(root);

  while (!open_nodes.empty() && open_nodes.size() + leaves.size() < rule_.leaves) {
    const auto next =
        std::max_element(open_nodes.begin(), open_nodes.end(), [](const Open& a, const Open& b) {
          return a.best.gain != b.best.gain ? a.best.gain < b.best.gain : a.node > b.node;
        });
    Open parent = *next;
    open_nodes.erase(next);
    const std::size_t middle = parent.begin + partition(parent, rows, count);
    const NodeSplit& split = parent.best;

    TreeNode& node = tree.nodes[parent.node];
    node.feature = data_.used[split.feature];
    node.bin = split.bin;
    node.missing_left = split.missing_left;
    if (split.categorical) {
      node.set = static_cast<std::uint32_t>(tree.sets.size());
      tree.sets.push_back(split.set);
    }
    node.left = static_cast<std::uint32_t>(tree.nodes.size());
    node.right = node.left + 1;
    Open left, right;
    left.node = node.left;
    right.node = node.right;
    left.depth = right.depth = parent.depth + 1;
    left.begin = parent.begin;
    left.end = right.begin = middle;
    right.end = parent.end;
    open(left, split.left_g, split.left_h);
    open(right, parent.sums.g - split.left_g, parent.sums.h - split.left_h);
    tree.nodes.resize(tree.nodes.size() + 2);
    tree.nodes[left.node].rows = static_cast<std::uint32_t>(left.rows());
    tree.nodes[right.node].rows = static_cast<std::uint32_t>(right.rows());

    const bool last = open_nodes.size() + leaves.size() + 2 >= rule_.leaves;
    Open& smaller = left.rows() <= right.rows() ? left : right;
    Open& larger = left.rows() <= right.rows() ? right : left;
    if (!last && (may_split(left) || may_split(right))) {
      larger.histogram = parent.histogram;
      larger.has_histogram = true;
      search(smaller, &larger, rows, gradients, count);
    } else {
      free_.push_back(parent.histogram);
    }
    for (Open* child : {&left, &right}) {
      if (child->best.gain > 0.0) {
        open_nodes.push_back(*child);
        continue;
      }
      if (child->has_histogram) free_.push_back(child->histogram);
      child->has_histogram = false;
      leaves.push_back(*child);
    }
  }
  leaves.insert(leaves.end(), open_nodes.begin(), open_nodes.end());
  std::sort(leaves.begin(), leaves.end(),
            [](const Open& a, const Open& b) { return a.node < b.node; });
  ranges.clear();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.nodes[leaves[i].node].left = static_cast<std::uint32_t>(i);
    ranges.push_back({leaves[i].begin, leaves[i].end});
  }
  set_values(tree, leaves, rows, gradients, count);
  return tree;
}

}  // namespace carnot::learn
