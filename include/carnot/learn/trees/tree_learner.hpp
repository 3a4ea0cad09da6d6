// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Learners whose model is a TreeModel: gradient boosting ("gbdt") and bagging ("forest").
///
/// **Gradient boosting** (Friedman 2001) with second-order gains (Chen & Guestrin, KDD 2016). A
/// step is one round: one tree, or one a class for more than two. With g_i, h_i the first and
/// second derivative of row i's loss, G and H their sums over a node, lambda = `l2`:
///   value of a leaf  w = -rate * G / (H + lambda)
///   gain of a split    = GL^2 / (HL + lambda) + GR^2 / (HR + lambda) - G^2 / (H + lambda)
/// Losses: logistic (two classes), softmax with the diagonal of the Hessian times C / (C - 1)
/// (Friedman 2001), half the squared error. Trees grow leaf by leaf, the greatest gain first. A
/// node's histogram is summed for the smaller child and subtracted from the parent's for the
/// larger. Missing values go where the gain is greater. Categories are ordered by G / (H + smooth)
/// and cut as numbers are (Fisher 1958), against a greater lambda.
///
/// **Integer gradients** (Shi et al., "Quantized training of gradient boosting decision trees",
/// NeurIPS 2022): with b bits there are B = 2^b - 2 levels; a round's g become integers of up to
/// +-B/2 times max|g| / (B/2) and its h of 0 ... B times max h / B, rounded at random so that sums
/// stay unbiased. One 32-bit addition adds both sums to a bin (16 bits each, moved to 32 bits each
/// before they can overflow). Leaves are then refitted with the unrounded g and h, unless told
/// otherwise.
///
/// **Bagging** (Breiman 1996, 2001): a step is one tree on a bootstrap sample, a random part of the
/// features tried at each node. Rows a tree never saw give its out-of-bag error: Brier score or
/// squared error. Bagging ends before `trees` when the standard error of the ensemble's loss over
/// the draw of bootstraps, found by leaving out a tree at a time (jackknife), is below `settled`
/// times the loss.
///
/// Same options and data: same bytes for any number of threads. A learner belongs to one thread.

#include <cstdint>
#include <memory>

#include "carnot/learn/network/learner.hpp"
#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::learn {

struct TreeOptions {
  std::size_t trees = 0;        ///< rounds or bootstraps at most; 0: fit to the data
  std::size_t leaves = 0;       ///< of a tree at most; 0: fit to the data (forest: no limit)
  std::size_t depth = 0;        ///< of a tree at most; 0: no limit
  std::size_t bins = 255;       ///< of a feature at most, 2 to 255
  double learning_rate = 0;     ///< of boosting; 0: fit to the data
  double l2 = 1.0;              ///< lambda, >= 0; boosting
  double least_hessian = 1e-3;  ///< of a child's sum H
  std::size_t least_rows = 0;   ///< of a child (boosting: estimated from its share of H); 0: fit
  double subsample = 1.0;       ///< share of the rows drawn anew each round, (0, 1]; boosting
  double feature_share = 0.0;   ///< of features tried at a node of a forest; 0: the square root of
                                ///< their number (classes), all (regression)
  double hold_out = 0.1;        ///< share of rows kept back for early stopping; boosting, from
                                ///< kEarlyStoppingRows rows on; 0: never
  std::size_t patience = 15;    ///< rounds without a better loss there that end boosting
  bool refit_leaves = true;     ///< of integer gradients
  bool random_rounding = true;  ///< of integer gradients; false: to the nearest, which is worse
  double settled = 0.005;       ///< of a forest; 0: always `trees` trees
};

/// Fewer rows are all learned from.
inline constexpr std::size_t kEarlyStoppingRows = 2000;

/// What `trees`, `leaves`, `least_rows` and `learning_rate` of 0 become on this data.
TreeOptions fitted(const TreeOptions& options, const LearnerOptions& learner, const Dataset& data);

/// The precision "gN" of integer gradients of N = 2 to 8 bits, all else binary32.
/// \throws InputError
Precision gradient_precision(int bits);

class TreeLearner : public Learner {
 public:
  virtual const TreeModel& model() const noexcept = 0;
  virtual const TreeOptions& options() const noexcept = 0;
  /// Why it ended before its schedule; empty if it did not.
  virtual std::string ended_early() const = 0;
  /// Loss where it is judged by training: held-out part (boosting, bits a label or squared error),
  /// out of bag (forest); NaN: not known.
  virtual double judged_loss() const noexcept = 0;
};

/// \param learner  its model ("gbdt", "forest"), seed and threads count; the rest is for networks
/// \param train    must outlive the learner
/// \throws InputError if options and data do not fit
std::unique_ptr<TreeLearner> make_tree_learner(const TreeOptions& options,
                                               const LearnerOptions& learner, const Dataset& train);

}  // namespace carnot::learn
