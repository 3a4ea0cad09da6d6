// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/boosting.hpp"

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/trees/objective.hpp"
#include "learn/trees/testing_tables.hpp"

namespace carnot::learn {
namespace {

LearnerOptions boosting(int threads = 1, std::uint64_t seed = 1) {
  LearnerOptions o;
  o.model = "gbdt";
  o.threads = threads;
  o.seed = seed;
  return o;
}

// ---- The plain tree: all splits of all leaves, on the values themselves
// --------------------------

struct PlainSplit {
  double gain = 0.0;
  std::size_t column = 0;
  float threshold = 0.0f;  ///< x <= threshold goes left
  bool missing_left = false;
};

struct PlainLeaf {
  std::vector<std::size_t> rows;
  PlainSplit best;
};

class PlainTree {
 public:
  PlainTree(const Dataset& data, std::vector<double> g, double l2, double least)
      : data_(data), g_(std::move(g)), l2_(l2), least_(least) {
    for (const std::uint64_t at : data.missing) missing_.insert(at);
  }

  /// The value each row ends at; Hessians are 1.
  std::vector<double> grow(std::size_t most_leaves) {
    std::vector<PlainLeaf> leaves(1);
    for (std::size_t r = 0; r < data_.rows; ++r) leaves[0].rows.push_back(r);
    leaves[0].best = best(leaves[0].rows);
    while (leaves.size() < most_leaves) {
      std::size_t next = 0;
      for (std::size_t i = 1; i < leaves.size(); ++i)
        if (leaves[i].best.gain > leaves[next].best.gain) next = i;
      if (leaves[next].best.gain <= 1e-9) break;
      PlainLeaf left, right;
      for (const std::size_t r : leaves[next].rows)
        (goes_left(r, leaves[next].best) ? left : right).rows.push_back(r);
      left.best = best(left.rows);
      right.best = best(right.rows);
      leaves[next] = left;
      leaves.push_back(right);
    }
    std::vector<double> values(data_.rows);
    for (const PlainLeaf& leaf : leaves) {
      double g = 0.0;
      for (const std::size_t r : leaf.rows) g += g_[r];
      for (const std::size_t r : leaf.rows)
        values[r] = -g / (static_cast<double>(leaf.rows.size()) + l2_);
    }
    return values;
  }

 private:
  bool is_missing(std::size_t r, std::size_t c) const {
    return missing_.contains(r * data_.columns + c);
  }
  bool goes_left(std::size_t r, const PlainSplit& s) const {
    if (is_missing(r, s.column)) return s.missing_left;
    return data_.features[r * data_.columns + s.column] <= s.threshold;
  }
  double score(double g, double h) const { return g * g / (h + l2_); }

  PlainSplit best(const std::vector<std::size_t>& rows) const {
    PlainSplit out;
    double all = 0.0;
    for (const std::size_t r : rows) all += g_[r];
    const auto n = static_cast<double>(rows.size());
    for (std::size_t c = 0; c < data_.columns; ++c) {
      std::set<float> values;
      for (std::size_t r = 0; r < data_.rows; ++r)
        if (!is_missing(r, c)) values.insert(data_.features[r * data_.columns + c]);
      for (const bool missing_left : {false, true})
        for (const float v : values) {
          const PlainSplit s{0.0, c, v, missing_left};
          double g = 0.0, h = 0.0;
          for (const std::size_t r : rows)
            if (goes_left(r, s)) {
              g += g_[r];
              h += 1.0;
            }
          if (h < least_ || n - h < least_) continue;
          const double gain = score(g, h) + score(all - g, n - h) - score(all, n);
          if (gain > out.gain + 1e-12) out = {gain, c, v, missing_left};
        }
    }
    return out;
  }

  const Dataset& data_;
  std::vector<double> g_;
  double l2_, least_;
  std::set<std::uint64_t> missing_;
};

TEST(Boosting, GrowsTheTreeOfBruteForce) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed)
    for (const bool missing : {false, true}) {
      const Dataset data = small_table(40 + 7 * seed, 3, 0, missing, seed);
      TreeOptions options;
      options.trees = 1;
      options.leaves = 2 + seed % 9;
      options.learning_rate = 1.0;
      options.l2 = seed % 3 == 0 ? 0.0 : 1.0;
      options.least_rows = 1 + seed % 4;
      options.hold_out = 0.0;
      const auto learner = make_tree_learner(options, boosting(), data);
      learner->train(1, gradient_precision(32));
      const double base = static_cast<double>(learner->model().base[0]);
      std::vector<double> g;
      for (const float t : data.targets) g.push_back(base - static_cast<double>(t));
      const std::vector<double> plain =
          PlainTree(data, g, options.l2, static_cast<double>(options.least_rows))
              .grow(options.leaves);
      const std::vector<float> fast = scores(learner->model(), data);
      for (std::size_t r = 0; r < data.rows; ++r)
        ASSERT_NEAR(static_cast<double>(fast[r]) - base, plain[r], 2e-5)
            << "seed " << seed << " missing " << missing << " row " << r;
    }
}

TEST(Boosting, DerivativesAreThoseOfTheLoss) {
  Workers workers(1);
  for (const std::size_t classes : {0u, 2u, 4u}) {
    Dataset data = small_table(12, 2, classes, false, 5);
    const std::size_t outputs = classes > 2 ? classes : 1;
    const RandomStream random(3, "scores");
    std::vector<float> s(data.rows * outputs);
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<float>(2.0 * random.normal(i));
    std::vector<float> softmax;
    if (outputs > 1) softmax_rows(s, outputs, workers, softmax);
    for (std::size_t k = 0; k < outputs; ++k) {
      Gradients found;
      differentiate(data, s, softmax, outputs, k, workers, found);
      for (std::uint32_t r = 0; r < data.rows; ++r) {
        // In binary64, from the definition.
        const auto loss = [&](double shift) {
          if (classes == 0) {
            const double e =
                static_cast<double>(s[r]) + shift - static_cast<double>(data.targets[r]);
            return 0.5 * e * e;
          }
          if (outputs == 1) {
            const double z = static_cast<double>(s[r]) + shift;
            return std::log(1.0 + std::exp(data.labels[r] == 1 ? -z : z));
          }
          double total = 0.0, own = 0.0;
          for (std::size_t j = 0; j < outputs; ++j) {
            const double z = static_cast<double>(s[r * outputs + j]) + (j == k ? shift : 0.0);
            total += std::exp(z);
            if (j == data.labels[r]) own = z;
          }
          return std::log(total) - own;
        };
        const double d = 1e-4;
        const double first = (loss(d) - loss(-d)) / (2 * d);
        double second = (loss(d) - 2 * loss(0.0) + loss(-d)) / (d * d);
        if (outputs > 1) second *= static_cast<double>(outputs) / static_cast<double>(outputs - 1);
        EXPECT_NEAR(static_cast<double>(found.exact[r].g), first, 1e-5);
        EXPECT_NEAR(static_cast<double>(found.exact[r].h), second, 1e-5);
      }
    }
    // The sum that early stopping looks at is the same loss.
    std::vector<std::uint32_t> rows{0, 3, 7};
    double sum = 0.0;
    for (const std::uint32_t r : rows) {
      if (classes == 0) {
        const double e = static_cast<double>(s[r]) - static_cast<double>(data.targets[r]);
        sum += 0.5 * e * e;
      } else if (outputs == 1) {
        const double z = static_cast<double>(s[r]);
        sum += std::log(1.0 + std::exp(data.labels[r] == 1 ? -z : z));
      } else {
        double total = 0.0;
        for (std::size_t j = 0; j < outputs; ++j)
          total += std::exp(static_cast<double>(s[r * outputs + j]));
        sum += std::log(total) - static_cast<double>(s[r * outputs + data.labels[r]]);
      }
    }
    EXPECT_NEAR(loss_sum(data, s, outputs, rows), sum, 1e-5);
  }
}

TEST(Boosting, SameBytesForAnyNumberOfThreads) {
  for (const std::size_t classes : {0u, 2u, 3u})
    for (const int bits : {32, 3}) {
      const Dataset data = small_table(40000, 20, classes, true, 11);
      std::vector<std::uint8_t> first;
      for (const int threads : {1, 2, 5}) {
        TreeOptions options;
        options.trees = 3;
        options.subsample = 0.8;
        const auto learner = make_tree_learner(options, boosting(threads), data);
        learner->train(3, gradient_precision(bits));
        const std::vector<std::uint8_t> state = learner->save();
        if (first.empty())
          first = state;
        else
          EXPECT_EQ(state, first) << threads << " threads, " << bits << " bits";
      }
    }
}

TEST(Boosting, GoesOnFromAStateAsIfNothingHadHappened) {
  const Dataset data = small_table(3000, 6, 2, true, 4);
  TreeOptions options;
  options.trees = 12;
  options.subsample = 0.7;
  const auto straight = make_tree_learner(options, boosting(2), data);
  straight->train(12, gradient_precision(4));
  const auto first = make_tree_learner(options, boosting(1), data);
  first->train(5, gradient_precision(4));
  const auto second = make_tree_learner(options, boosting(2), data);
  second->restore(first->save());
  second->train(7, gradient_precision(4));
  EXPECT_EQ(second->save(), straight->save());
  EXPECT_EQ(second->model(), straight->model());
  std::vector<std::uint8_t> broken = first->save();
  broken.resize(broken.size() / 2);
  EXPECT_THROW(second->restore(broken), InputError);
  const auto other = make_tree_learner(options, boosting(1, 2), data);
  EXPECT_THROW(other->restore(first->save()), InputError);
}

TEST(Boosting, RoundingIsUnbiasedAndInRange) {
  Workers workers(1);
  const std::size_t n = 200000;
  for (const int bits : {2, 3, 5, 8}) {
    Gradients gradients;
    const RandomStream random(9, "gradients");
    double sum_g = 0.0, sum_h = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      gradients.exact.push_back({static_cast<float>(random.uniform(2 * i) - 0.7),
                                 static_cast<float>(0.25 * random.uniform(2 * i + 1))});
      sum_g += static_cast<double>(gradients.exact.back().g);
      sum_h += static_cast<double>(gradients.exact.back().h);
    }
    round_gradients(bits, true, 1, 1, workers, gradients);
    const int levels = (1 << bits) - 2;
    ASSERT_EQ(gradients.levels, levels);
    double found_g = 0.0, found_h = 0.0;
    for (const std::int16_t v : gradients.rounded) {
      const int g = v >> 8, h = v & 255;
      ASSERT_LE(std::abs(g), levels / 2);
      ASSERT_LE(h, levels);
      found_g += gradients.g_scale * g;
      found_h += gradients.h_scale * h;
    }
    const double root = std::sqrt(static_cast<double>(n));  // variance of a rounding <= step^2 / 4
    EXPECT_NEAR(found_g, sum_g, 4.0 * 0.5 * gradients.g_scale * root) << bits;
    EXPECT_NEAR(found_h, sum_h, 4.0 * 0.5 * gradients.h_scale * root) << bits;
  }
}

TEST(Boosting, IntegerHistogramsAreExact) {
  Workers workers(1);
  // More rows than 16 bits a half can sum.
  const Dataset data = small_table(150000, 5, 2, true, 8);
  const std::vector<TreeFeature> features = fit_bins(data, 255, workers);
  const BinnedRows bins = bin_rows(features, data, workers);
  Gradients gradients;
  gradients.bits = 5;
  gradients.levels = 30;
  for (std::size_t r = 0; r < data.rows; ++r) {
    gradients.exact.push_back({0.0f, 0.0f});
    const int g = r % 3 == 0 ? 15 : -15, h = r % 5 == 0 ? 0 : 30;
    gradients.rounded.push_back(static_cast<std::int16_t>(256 * g + h));
  }
  std::vector<std::uint32_t> some;
  for (std::uint32_t r = 0; r < data.rows; ++r)
    if (r % 7 != 0) some.push_back(r);
  for (const std::size_t count : {std::size_t{0}, std::size_t{50}, some.size()}) {
    const bool all = count == 0;
    Histogram histogram;
    histogram.integers.resize(bins.slots());
    std::vector<std::uint64_t> work;
    const std::span<const std::uint32_t> rows(some.data(), count);
    for (std::size_t g = 0; g < bins.groups.size(); ++g)
      build_histogram(bins, g, rows, all, gradients, histogram, work);
    for (std::size_t i = 0; i < bins.used.size(); ++i) {
      std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> plain;
      for (std::size_t at = 0; at < (all ? data.rows : count); ++at) {
        const std::size_t r = all ? at : some[at];
        auto& sum = plain[bins.column[i][r]];
        sum.first += gradients.rounded[r] >> 8;
        sum.second += gradients.rounded[r] & 255;
      }
      for (std::size_t slot = bins.offset[i]; slot < bins.offset[i + 1]; ++slot) {
        const auto& sum = plain[slot - bins.offset[i]];
        ASSERT_EQ(gradient_of(histogram.integers[slot]), sum.first);
        ASSERT_EQ(hessian_of(histogram.integers[slot]), sum.second);
      }
    }
    for (const std::uint64_t w : work) ASSERT_EQ(w, 0u);
  }
}

TEST(Boosting, CountsAreThoseOfTheTreesThatGrew) {
  for (const int bits : {32, 3}) {
    const Dataset data = small_table(5000, 6, 2, false, 21);
    TreeOptions options;
    options.trees = 1;
    options.leaves = 9;
    options.hold_out = 0.0;
    options.least_rows = 10;
    const auto learner = make_tree_learner(options, boosting(), data);
    const Counters before = learner->counters();
    learner->train(1, gradient_precision(bits));
    const Counters found = learner->counters() - before;

    // From the tree alone.
    const Tree& tree = learner->model().trees[0];
    ASSERT_EQ(tree.leaves(), 9u);
    const bool integer = bits < 32;
    const std::uint64_t n = data.rows, f = 6;
    std::uint64_t slots = 0;
    for (const TreeFeature& feature : learner->model().features) slots += feature.bins;
    std::uint64_t summed = n, subtracted = 0, searched = 1, moved = 0;
    for (const TreeNode& node : tree.nodes)
      if (!node.is_leaf()) moved += node.rows;
    // The last split's children are not looked at.
    // Which it was: the one whose children end the list.
    std::uint64_t last = 0;
    for (const TreeNode& node : tree.nodes)
      if (!node.is_leaf() && node.right + 1u == tree.nodes.size())
        last = static_cast<std::uint64_t>(&node - tree.nodes.data());
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      const TreeNode& node = tree.nodes[i];
      if (node.is_leaf() || i == last) continue;
      const std::uint64_t a = tree.nodes[node.left].rows, b = tree.nodes[node.right].rows;
      const int open = (a >= 20) + (b >= 20);
      if (open == 0) continue;
      summed += std::min(a, b);
      subtracted += slots;
      searched += static_cast<std::uint64_t>(open);
    }
    using Kind = OperationKind;
    Counters closed;
    closed.at(Kind::Special) = 2 * n + searched * slots + 9;
    closed.at(Kind::F32Elementwise) = 4 * n + moved + n + 18;  // derivatives, sides, scores, leaves
    closed.at(MemoryLevel::Dram) = 16 * n + 9 * moved + 12 * n + summed * f + 4 * (summed - n);
    if (integer) {
      closed.at(Kind::Rounding) = 2 * n;
      closed.at(Kind::F32Elementwise) += 2 * n + 2 * n + 8 * searched * slots;  // greatest, refit
      closed.at(Kind::Int32Add) = 2 * n + summed * f + 2 * subtracted + 2 * searched * slots;
      closed.at(MemoryLevel::Dram) += 18 * n + 2 * n + 12 * n + 2 * summed;
      closed.at(MemoryLevel::Cache) = 8 * (summed * f + searched * slots + 3 * subtracted);
    } else {
      closed.at(Kind::F32Elementwise) +=
          2 * n + 2 * summed * f + 2 * subtracted + 10 * searched * slots;
      closed.at(MemoryLevel::Dram) += 8 * n + 8 * summed;
      closed.at(MemoryLevel::Cache) = 16 * (summed * f + searched * slots + 3 * subtracted);
    }
    for (int k = 0; k < static_cast<int>(Kind::kCount); ++k)
      EXPECT_EQ(found.operations[k], closed.operations[k])
          << bits << " bits, " << key(static_cast<Kind>(k));
    for (int l = 0; l < static_cast<int>(MemoryLevel::kCount); ++l)
      EXPECT_EQ(found.bytes[l], closed.bytes[l]) << bits << " bits, level " << l;
    // What a step is said to cost beforehand is a bound.
    const Counters bound = learner->step_counters(gradient_precision(bits));
    for (int k = 0; k < static_cast<int>(Kind::kCount); ++k)
      EXPECT_LE(found.operations[k], bound.operations[k]) << key(static_cast<Kind>(k));
    for (int l = 0; l < static_cast<int>(MemoryLevel::kCount); ++l)
      EXPECT_LE(found.bytes[l], bound.bytes[l]);
  }
}

TEST(Boosting, IntegerGradientsCostLessAndLearnAsMuch) {
  const Dataset train = small_table(20000, 28, 2, false, 31);
  const Dataset test = small_table(10000, 28, 2, false, 32);
  std::map<int, double> bits_per_label;
  std::map<int, Energy> energy;
  for (const int bits : {32, 3}) {
    TreeOptions options;
    options.trees = 40;
    const auto learner = make_tree_learner(options, boosting(), train);
    learner->train(40, gradient_precision(bits));
    energy[bits] = EnergyTable::embedded().energy(learner->counters()).value();
    bits_per_label[bits] = learner->evaluate(test, gradient_precision(bits)).bits_per_label;
  }
  EXPECT_LT(energy[3], 0.9 * energy[32]) << energy[3] / energy[32];
  EXPECT_NEAR(bits_per_label[3], bits_per_label[32], 0.01);
}

TEST(Boosting, StopsEarlyWhereNothingIsLeftToLearn) {
  Dataset noise = small_table(4000, 5, 2, false, 41);
  const RandomStream coin(1, "noise");
  for (std::size_t r = 0; r < noise.rows; ++r) noise.labels[r] = coin.uniform(r) < 0.5;
  TreeOptions options;
  options.trees = 300;
  options.patience = 10;
  const auto learner = make_tree_learner(options, boosting(), noise);
  learner->train(300, gradient_precision(32));
  EXPECT_LT(learner->steps_done(), 60u);
  EXPECT_EQ(learner->total_steps(), learner->steps_done());
  EXPECT_LE(learner->model().trees.size() + options.patience, learner->steps_done());
  EXPECT_NE(learner->ended_early(), "");
}

TEST(Boosting, ACategoryIsOneFeatureAndSplitsBySets) {
  const Dataset data = category_table(2000, 12, 0.0, 6);
  TreeOptions options;
  options.trees = 1;
  options.leaves = 2;  // one split: odd levels against even ones
  options.learning_rate = 1.0;
  options.hold_out = 0.0;
  const auto learner = make_tree_learner(options, boosting(), data);
  learner->train(1, gradient_precision(32));
  ASSERT_EQ(learner->model().features.size(), 2u);
  EXPECT_EQ(learner->evaluate(data, gradient_precision(32)).value, 1.0);

  // A level that training never met goes with the larger child.
  Dataset unmet = data;
  std::fill(unmet.features.begin(), unmet.features.end(), 0.0f);
  const std::vector<float> s = scores(learner->model(), unmet);
  const Tree& tree = learner->model().trees[0];
  const TreeNode& root = tree.nodes[0];
  const std::uint32_t to = root.missing_left ? root.left : root.right;
  EXPECT_EQ(s[0], learner->model().base[0] + tree.values[tree.nodes[to].left]);
}

TEST(Boosting, OptionsAndDataThatDoNotFitAreNamed) {
  const Dataset data = small_table(50, 3, 2, false, 1);
  const auto fails = [&](const TreeOptions& options, const char* word) {
    try {
      make_tree_learner(options, boosting(), data);
      ADD_FAILURE() << word;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
  };
  TreeOptions o;
  o.bins = 256;
  fails(o, "bins: 2 to 255");
  o = {};
  o.leaves = 1;
  fails(o, "leaves: 2 or more");
  o = {};
  o.subsample = 0.0;
  fails(o, "subsample");
  EXPECT_THROW(gradient_precision(9), InputError);
  EXPECT_THROW(gradient_precision(1), InputError);
  const auto learner = make_tree_learner({}, boosting(), data);
  EXPECT_THROW(learner->train(1, Precision::parse("int8")), InputError);
}

TEST(Boosting, AConstantTableGivesTheBaseScore) {
  Dataset data = small_table(60, 2, 2, false, 3);
  std::fill(data.features.begin(), data.features.end(), 1.0f);
  const auto learner = make_tree_learner({}, boosting(), data);
  learner->train(5, gradient_precision(3));
  const std::vector<float> s = scores(learner->model(), data);
  for (const float v : s) EXPECT_EQ(v, s[0]);
  EXPECT_NEAR(learner->evaluate(data, gradient_precision(32)).bits_per_label, 1.0, 0.01);
}

}  // namespace
}  // namespace carnot::learn
