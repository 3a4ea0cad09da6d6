// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot learn search`: hyperparameters found for few joules. Methods of search
/// (learn/search/search_method.hpp) say what to try; here each trial is a training of a real
/// learner, judged on rows kept back from training, and every joule of it is booked.
///
/// *Loss* of a trial: bits a label (classes) or 1 - R2 (numbers) on the rows kept back,
/// `validation` of the training rows and at most kMostValidation. The held-out rows of the data set
/// are looked at only to report quality; that look is not part of a trial's joules.
///
/// *Energy* of a trial: exact counts of conversion, training and validation times the chip's table;
/// modelled, boundary chip. A search costs E x D x H (Schwartz et al., "Green AI", CACM 2020):
/// joules an example, examples a trial, trials. With a budget a trial is cut before the step that
/// would overdraw it, and is then of no use but is paid for.
///
/// *Structure-function stop*, of the frugal method: each trial on all rows has a model code K and
/// the labels' code D at the loss of validation (code_length.hpp, tree_code.hpp). Once `patience`
/// such trials in a row lowered neither the loss nor K + D by more than `slack` below where it was
/// at the last gain, and took a quarter of the joules up to that gain, what further trials could
/// add is neither in the rows nor in the code, and the search ends.
///
/// *Rivals* run after the method under the same joules: what the method spent, or the budget.
///
/// With a journal every trial is an entry (docs/formats/search.md); `resume` takes the trials there
/// are as they were booked and goes on: same options, same result. Same bytes for any number of
/// threads. Call from one thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/learn/search/search_space.hpp"

namespace carnot::experiment {

struct SearchOptions {
  ExperimentOptions experiment;     ///< learner, tree, budget, table, chip, seed, stop, command
  learn::SearchSpace space;         ///< no knobs: default_search_space
  std::string method = "frugal";    ///< of search_method_names()
  std::vector<std::string> rivals;  ///< likewise; run under the same joules
  std::size_t iterations = 50;      ///< trials of bayes, random and grid, at most
  double eta = 4.0;                 ///< of successive halving
  double validation = 0.2;          ///< share of the training rows, (0, 0.5]
  double slack = 0.01;              ///< of loss and of K + D
  std::size_t patience = 4;         ///< trials on all rows; 0: never stops so
  std::string journal;              ///< path; empty: none
  bool resume = false;              ///< go on with the journal that is there
  std::function<void(const std::string& method, std::size_t trials, Energy spent)> progress;
};

inline constexpr std::size_t kMostValidation = 4000;
inline constexpr std::size_t kLeastRungRows = 500;  ///< of the first rung of halving

struct SearchTrial {
  std::vector<double> values;  ///< of the knobs
  double share = 1.0;          ///< of the training rows
  std::string why;             ///< as SearchProposal's
  double loss = kNaN;          ///< NaN: diverged, or cut
  learn::Quality validation;   ///< on the rows kept back
  double held_out = kNaN;      ///< quality on the held-out rows; trials on all rows only
  learn::Counters counters;
  Estimate<Energy> energy;
  std::uint64_t examples = 0;                  ///< rows that training went through
  double model_bits = kNaN, data_bits = kNaN;  ///< K and D; trials on all rows only
  std::string stopped;                         ///< "" | "diverged" | "budget" | what was refused
};

/// What one method did.
struct SearchLane {
  std::string method;
  std::vector<SearchTrial> trials;
  std::optional<std::size_t> best;  ///< least loss among trials on all rows; nothing: there is none
  Energy spent;                     ///< sum over the trials
  Energy to_best;                   ///< up to and with the best
  std::string stopped;              ///< why, in words

  double best_loss() const noexcept { return best ? trials[*best].loss : kInfinity; }
  /// Joules until a trial on all rows had a loss of `level` or less; NaN: none had.
  double joules_to(double level) const noexcept;
  std::uint64_t examples() const noexcept;
};

struct SearchResult {
  std::string command, learner, data_source, metric;
  std::uint64_t seed = 0;
  std::size_t train_rows = 0, validation_rows = 0, test_rows = 0, columns = 0;
  learn::SearchSpace space;
  std::vector<learn::CostRow> table;
  std::vector<SearchLane> lanes;  ///< the method, then its rivals
  bool stopped = false;           ///< by the stop token
  std::size_t resumed = 0;        ///< trials taken from the journal

  /// Hindsight: training the best configuration of all lanes alone. Nothing: no trial was of use.
  const SearchTrial* hindsight() const noexcept;
};

/// \param model  set to the model of the method's best trial where there is one; may be null
/// \throws InputError for options or data that do not fit, a journal of another search; IoError
SearchResult run_search(const SearchOptions& options, const learn::Split& split,
                        learn::SavedModel* model = nullptr);

}  // namespace carnot::experiment
