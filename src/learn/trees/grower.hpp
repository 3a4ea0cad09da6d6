// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Grows one tree of boosting, the leaf of the greatest gain first.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/trees/tree_model.hpp"

#include "learn/trees/histogram.hpp"
#include "learn/trees/split.hpp"

namespace carnot::learn {

struct GrowthRule {
  std::size_t leaves = 31, depth = 0;
  double l2 = 1.0, least_hessian = 1e-3;
  std::size_t least_rows = 20;
  double rate = 0.1;
  bool refit = true;
};

/// A leaf's rows are rows[begin, end).
struct LeafRange {
  std::size_t begin = 0, end = 0;
};

class TreeGrower {
 public:
  /// All must outlive the grower.
  TreeGrower(const std::vector<TreeFeature>& features, const BinnedRows& data, Workers& workers,
             const GrowthRule& rule);

  /// \param rows    to grow on, ascending; afterwards ordered by leaf
  /// \param ranges  [leaves] set
  Tree grow(std::vector<std::uint32_t>& rows, const Gradients& gradients,
            std::vector<LeafRange>& ranges, Counters& count);

 private:
  struct Open {
    std::uint32_t node = 0;
    std::size_t begin = 0, end = 0, depth = 0;
    NodeSums sums;
    NodeSplit best;
    std::size_t histogram = 0;
    bool has_histogram = false;
    std::size_t rows() const noexcept { return end - begin; }
  };

  bool may_split(const Open& node) const noexcept;
  void open(Open& node, double g, double h) const;
  std::size_t take_histogram(bool integer);
  /// Histograms and best splits of two siblings (or of the root) in one go.
  void search(Open& smaller, Open* larger, const std::vector<std::uint32_t>& rows,
              const Gradients& gradients, Counters& count);
  std::size_t partition(const Open& node, std::vector<std::uint32_t>& rows, Counters& count);
  void set_values(Tree& tree, const std::vector<Open>& leaves,
                  const std::vector<std::uint32_t>& rows, const Gradients& gradients,
                  Counters& count);

  const std::vector<TreeFeature>& features_;
  const BinnedRows& data_;
  Workers& workers_;
  GrowthRule rule_;
  std::vector<Histogram> pool_;
  std::vector<std::size_t> free_;
  std::vector<std::vector<std::uint64_t>> work_;  // a thread
  std::vector<NodeSplit> found_;                  // of two nodes, a group
  std::vector<std::uint32_t> left_, right_;
};

/// Does f(begin, end) over rows in blocks that do not depend on the number of threads.
template <class F>
void in_blocks(Workers& workers, std::size_t rows, std::size_t block, const F& f) {
  workers.run((rows + block - 1) / block,
              [&](std::size_t b, std::size_t) { f(b * block, std::min(rows, (b + 1) * block)); });
}

}  // namespace carnot::learn
