// SPDX-License-Identifier: Apache-2.0
// One tree of a forest: Gini impurity or variance, a random part of the features at each node.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "carnot/base/random.hpp"

#include "learn/trees/forest.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

constexpr std::size_t kMostBins = 256;

/// Sums over rows of a node: draws a class, or draws and their targets.
struct Sums {
  double weight = 0.0;
  std::vector<double> by;  ///< [classes], or one sum of targets
  double squares = 0.0;    ///< of `by`

  explicit Sums(std::size_t width) : by(width, 0.0) {}
  void add(std::size_t k, double amount, double w) noexcept {
    squares += amount * (amount + 2.0 * by[k]);
    by[k] += amount;
    weight += w;
  }
  void clear() noexcept {
    std::fill(by.begin(), by.end(), 0.0);
    weight = squares = 0.0;
  }
};

struct Cut {
  double score = -1.0;
  std::uint32_t used = 0;
  bool categorical = false;
  std::uint8_t bin = 0;
  std::array<std::uint64_t, 4> set{};
};

class ForestGrower {
 public:
  ForestGrower(const ForestTask& task, const std::vector<std::uint16_t>& draws, Counters& count)
      : task_(task),
        draws_(draws),
        count_(count),
        width_(task.data.is_regression() ? 1 : task.data.classes),
        random_(RandomStream(task.seed, "trees: features").child(task.tree)),
        order_(task.bins.used.size()),
        left_(width_),
        right_(width_),
        node_(width_) {
    std::iota(order_.begin(), order_.end(), 0u);
    for (std::uint32_t r = 0; r < draws.size(); ++r)
      if (draws[r] > 0) rows_.push_back(r);
  }

  Tree grow() {
    tree_.width = static_cast<std::uint32_t>(width_);
    tree_.nodes.emplace_back();
    struct Pending {
      std::uint32_t node;
      std::size_t begin, end, depth;
    };
    std::vector<Pending> pending{{0, 0, rows_.size(), 0}};
    std::size_t leaves = 1;
    // Depth first: the children that are left wait.
    while (!pending.empty()) {
      const Pending at = pending.back();
      pending.pop_back();
      sum_node(at.begin, at.end);
      tree_.nodes[at.node].rows = static_cast<std::uint32_t>(node_.weight);
      Cut cut;
      const bool deep = task_.options.depth > 0 && at.depth >= task_.options.depth;
      if (!deep && leaves < task_.options.leaves && worth_splitting(at.begin, at.end))
        cut = search(at.begin, at.end);
      if (cut.score < 0.0) {
        leaf(at.node);
        continue;
      }
      const std::size_t middle = partition(at.begin, at.end, cut);
      const auto child = static_cast<std::uint32_t>(tree_.nodes.size());
      TreeNode& node = tree_.nodes[at.node];
      node.feature = task_.bins.used[cut.used];
      node.bin = cut.bin;
      node.left = child;
      node.right = child + 1;
      const TreeFeature& feature = task_.features[node.feature];
      if (cut.categorical) {
        node.set = static_cast<std::uint32_t>(tree_.sets.size());
        tree_.sets.push_back(cut.set);
      }
      const std::size_t m = feature.missing_bin();
      node.missing_left = feature.met_missing
                              ? cut.categorical && ((cut.set[m / 64] >> (m % 64)) & 1u) != 0
                              : middle - at.begin >= at.end - middle;
      tree_.nodes.resize(tree_.nodes.size() + 2);
      pending.push_back({child + 1, middle, at.end, at.depth + 1});
      pending.push_back({child, at.begin, middle, at.depth + 1});
      ++leaves;
    }
    return std::move(tree_);
  }

 private:
  bool regression() const noexcept { return task_.data.is_regression(); }
  double amount_of(std::uint32_t r) const noexcept {
    const double w = static_cast<double>(draws_[r]);
    return regression() ? w * static_cast<double>(task_.data.targets[r]) : w;
  }
  std::size_t class_of(std::uint32_t r) const noexcept {
    return regression() ? 0 : task_.data.labels[r];
  }

  void sum_node(std::size_t begin, std::size_t end) {
    node_.clear();
    for (std::size_t i = begin; i < end; ++i)
      node_.add(class_of(rows_[i]), amount_of(rows_[i]), static_cast<double>(draws_[rows_[i]]));
    count_.at(regression() ? Kind::F32Elementwise : Kind::Int32Add) += 2 * (end - begin);
    count_.at(MemoryLevel::Dram) += 10 * (end - begin);
  }

  bool worth_splitting(std::size_t begin, std::size_t end) const {
    if (node_.weight < 2.0 * static_cast<double>(task_.options.least_rows) || end - begin < 2)
      return false;
    if (!regression()) return node_.squares < node_.weight * node_.weight;
    const float first = task_.data.targets[rows_[begin]];
    for (std::size_t i = begin; i < end; ++i)
      if (task_.data.targets[rows_[i]] != first) return true;
    return false;
  }

  void leaf(std::uint32_t node) {
    tree_.nodes[node].left = static_cast<std::uint32_t>(tree_.leaves());
    for (const double v : node_.by)
      tree_.values.push_back(static_cast<float>(v / std::max(node_.weight, 1.0)));
    count_.at(Kind::Special) += width_;
  }

  Cut search(std::size_t begin, std::size_t end) {
    Cut best;
    std::size_t tried = 0;
    // Features the node's rows agree on do not count as tried.
    for (std::size_t i = 0; i < order_.size() && tried < task_.tried; ++i) {
      std::swap(order_[i], order_[i + random_.below(draw_++, order_.size() - i)]);
      const std::uint32_t used = order_[i];
      const TreeFeature& feature = task_.features[task_.bins.used[used]];
      const std::size_t slots = feature.bins + (feature.met_missing ? 1 : 0);
      const bool few = 4 * (end - begin) < slots * width_ && !feature.categorical();
      if (few ? by_sorting(begin, end, used, best)
              : by_bins(begin, end, used, feature, slots, best))
        ++tried;
    }
    return best;
  }

  /// Remembers the cut if it is better. The larger the score, the purer the children.
  bool consider(std::uint32_t used, Cut& best) const {
    const double least = static_cast<double>(task_.options.least_rows);
    if (left_.weight < least || right_.weight < least) return false;
    const double score = left_.squares / left_.weight + right_.squares / right_.weight;
    if (!(score > best.score) || !(score > node_.squares / node_.weight * (1.0 + 1e-12)))
      return false;
    best = {};
    best.score = score;
    best.used = used;
    return true;
  }

  void begin_scan() {
    left_.clear();
    right_ = node_;
  }
  void move(std::size_t k, double amount, double w) noexcept {
    left_.add(k, amount, w);
    right_.add(k, -amount, -w);
  }

  static std::uint8_t between(std::size_t a, std::size_t b) noexcept {
    return static_cast<std::uint8_t>((a + b - 1) / 2 < a ? a : (a + b - 1) / 2);
  }

  bool by_sorting(std::size_t begin, std::size_t end, std::uint32_t used, Cut& best) {
    const std::uint8_t* bins = task_.bins.column[used].data();
    const std::size_t n = end - begin;
    keys_.clear();
    for (std::size_t i = begin; i < end; ++i)
      keys_.push_back((static_cast<std::uint64_t>(bins[rows_[i]]) << 32) | rows_[i]);
    std::sort(keys_.begin(), keys_.end());
    count_.at(Kind::Int32Add) += n * static_cast<std::size_t>(std::bit_width(n));
    count_.at(MemoryLevel::Dram) += 2 * n;
    if (keys_.front() >> 32 == keys_.back() >> 32) return false;
    begin_scan();
    for (std::size_t i = 0; i + 1 < n; ++i) {
      const auto r = static_cast<std::uint32_t>(keys_[i]);
      move(class_of(r), amount_of(r), static_cast<double>(draws_[r]));
      const std::size_t bin = keys_[i] >> 32, next = keys_[i + 1] >> 32;
      if (bin != next && consider(used, best)) best.bin = between(bin, next);
    }
    count_.at(Kind::F32Elementwise) += 12 * n;
    count_.at(Kind::Special) += 2 * n;
    count_.at(MemoryLevel::Cache) += 32 * n;
    return true;
  }

  bool by_bins(std::size_t begin, std::size_t end, std::uint32_t used, const TreeFeature& feature,
               std::size_t slots, Cut& best) {
    const std::uint8_t* bins = task_.bins.column[used].data();
    amounts_.assign(slots * width_, 0.0);
    weights_.assign(slots, 0.0);
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t r = rows_[i];
      amounts_[bins[r] * width_ + class_of(r)] += amount_of(r);
      weights_[bins[r]] += static_cast<double>(draws_[r]);
    }
    const std::size_t n = end - begin;
    count_.at(regression() ? Kind::F32Elementwise : Kind::Int32Add) += 2 * n;
    count_.at(MemoryLevel::Dram) += 2 * n;
    count_.at(MemoryLevel::Cache) += 32 * n + 16 * slots * width_;
    count_.at(Kind::F32Elementwise) += (8 * width_ + 4) * slots;
    count_.at(Kind::Special) += 2 * slots;
    std::size_t order[kMostBins];
    std::size_t present = 0;
    for (std::size_t b = 0; b < slots; ++b)
      if (weights_[b] > 0.0) order[present++] = b;
    if (present < 2) return false;
    if (feature.categorical()) sort_categories(order, present);
    begin_scan();
    std::array<std::uint64_t, 4> set{};
    for (std::size_t i = 0; i + 1 < present; ++i) {
      const std::size_t b = order[i];
      for (std::size_t k = 0; k < width_; ++k)
        if (amounts_[b * width_ + k] != 0.0) {
          left_.add(k, amounts_[b * width_ + k], 0.0);
          right_.add(k, -amounts_[b * width_ + k], 0.0);
        }
      left_.weight += weights_[b];
      right_.weight -= weights_[b];
      set[b / 64] |= std::uint64_t{1} << (b % 64);
      if (!consider(used, best)) continue;
      best.categorical = feature.categorical();
      if (feature.categorical())
        best.set = set;
      else
        best.bin = between(b, order[i + 1]);
    }
    return true;
  }

  /// By mean target, or by the share of the node's most frequent class.
  void sort_categories(std::size_t* order, std::size_t present) {
    const auto most = static_cast<std::size_t>(std::max_element(node_.by.begin(), node_.by.end()) -
                                               node_.by.begin());
    double key[kMostBins];
    for (std::size_t i = 0; i < present; ++i)
      key[order[i]] = amounts_[order[i] * width_ + (regression() ? 0 : most)] / weights_[order[i]];
    std::stable_sort(order, order + present,
                     [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
  }

  std::size_t partition(std::size_t begin, std::size_t end, const Cut& cut) {
    const std::uint8_t* bins = task_.bins.column[cut.used].data();
    const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto middle = std::stable_partition(
        first, rows_.begin() + static_cast<std::ptrdiff_t>(end), [&](std::uint32_t r) {
          const std::size_t b = bins[r];
          return cut.categorical ? ((cut.set[b / 64] >> (b % 64)) & 1u) != 0 : b <= cut.bin;
        });
    count_.at(Kind::F32Elementwise) += end - begin;
    count_.at(MemoryLevel::Dram) += 9 * (end - begin);
    return begin + static_cast<std::size_t>(middle - first);
  }

  const ForestTask& task_;
  const std::vector<std::uint16_t>& draws_;
  Counters& count_;
  std::size_t width_;
  RandomStream random_;
  std::uint64_t draw_ = 0;
  std::vector<std::uint32_t> order_, rows_;
  Sums left_, right_, node_;
  std::vector<std::uint64_t> keys_;
  std::vector<double> amounts_, weights_;
  Tree tree_;
};

}  // namespace

Tree grow_forest_tree(const ForestTask& task, const std::vector<std::uint16_t>& draws,
                      Counters& count) {
  return ForestGrower(task, draws, count).grow();
}

}  // namespace carnot::learn
