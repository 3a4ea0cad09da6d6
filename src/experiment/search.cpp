// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/search.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/search/search_method.hpp"

#include "experiment/search_journal.hpp"
#include "experiment/search_trial.hpp"

namespace carnot::experiment {

namespace {

constexpr double kMoreJoules = 0.25;       // than up to the last gain, before a search ends in vain
constexpr std::size_t kMostRepeats = 200;  // proposals in a row that were tried already

/// Whether larger codes and more trials have stopped paying.
class StructureStop {
 public:
  StructureStop(double slack, std::size_t patience) : slack_(slack), patience_(patience) {}
  /// \param spent  with this trial
  bool over(const SearchTrial& t, Energy spent) {
    if (patience_ == 0 || t.share < 1.0 || !std::isfinite(t.loss)) return false;
    const double code = t.model_bits + t.data_bits;
    const bool gained = lowers(t.loss, loss_) | lowers(code, code_);
    if (gained) at_gain_ = spent;
    if (gained)
      without_ = 0;
    else if (t.why != "promoted")
      ++without_;
    return without_ >= patience_ && spent >= (1.0 + kMoreJoules) * at_gain_;
  }

 private:
  bool lowers(double value, double& least) const {
    // Held against the last gain, so that small steps add up to one.
    if (std::isfinite(least) && !(value < least - slack_ * std::abs(least))) return false;
    least = value;
    return true;
  }
  double slack_, loss_ = kInfinity, code_ = kInfinity;
  Energy at_gain_;
  std::size_t patience_, without_ = 0;
};

class Search {
 public:
  Search(const SearchOptions& options, const learn::Split& split, learn::SavedModel* model)
      : options_(options),
        table_(
            learn::EnergyTable::choose(options.experiment.energy_table, options.experiment.chip)),
        model_(model) {
    if (!(options.slack >= 0.0 && options.slack < 1.0))
      throw InputError(describe({}, "slack", "a share in [0, 1)"));
    const learn::LearnerOptions& learner = options.experiment.learner;
    result_.space = options.space.knobs.empty()
                        ? learn::default_search_space(learner.model, learner.learning_rate)
                        : options.space;
    runner_ = std::make_unique<TrialRunner>(options, result_.space, split, table_);
    result_.command = options.experiment.command;
    result_.learner = learner.model;
    result_.data_source = split.train.source;
    result_.metric = split.train.is_regression() ? "r2" : "accuracy";
    result_.seed = learner.seed;
    result_.train_rows = runner_->train().rows;
    result_.validation_rows = runner_->validation().rows;
    result_.test_rows = split.test.rows;
    result_.columns = split.train.columns;
    result_.table = table_.rows();
    methods_ = {options.method};
    for (const std::string& rival : options.rivals) {
      if (std::find(methods_.begin(), methods_.end(), rival) != methods_.end())
        throw InputError(describe({}, "rivals", "each method once"));
      methods_.push_back(rival);
    }
    for (const std::string& name : methods_) method(name);  // refuses unknown ones
    if (!options.journal.empty()) journal_.emplace(options, facts(), table_);
  }

  SearchResult run() {
    Energy limit = options_.experiment.budget;
    for (const std::string& name : methods_) {
      lane(name, limit);
      if (result_.stopped) break;
      // Rivals get the joules of the method itself.
      if (!(limit > Energy{})) limit = result_.lanes.front().spent;
    }
    if (journal_) {
      result_.resumed = journal_->recalled();
      if (!result_.stopped) journal_->end();
    }
    return std::move(result_);
  }

 private:
  std::unique_ptr<learn::SearchMethod> method(const std::string& name) const {
    learn::SearchMethodOptions o;
    o.start = result_.space.start();
    o.seed = result_.seed;
    o.iterations = options_.iterations;
    o.eta = options_.eta;
    o.least_share =
        std::clamp(static_cast<double>(kLeastRungRows) / static_cast<double>(result_.train_rows),
                   1.0 / 16, 1.0);
    return learn::make_search_method(name, o);
  }

  /// What makes this search this one.
  std::string facts() const {
    nlohmann::json knobs = nlohmann::json::array();
    for (const learn::SearchKnob& k : result_.space.knobs)
      knobs.push_back({k.name, static_cast<int>(k.scale), k.low, k.high, k.choices, k.start});
    const learn::LearnerOptions& l = options_.experiment.learner;
    double fingerprint = 0.0;
    for (const float x : runner_->validation().features) fingerprint += static_cast<double>(x);
    return nlohmann::json{
        {"kind", "search"},
        {"boundary", "chip"},
        {"origin", "modelled"},
        {"learner",
         {l.model, l.hidden, l.batch, l.epochs, l.learning_rate, l.momentum, l.optimiser,
          l.weight_decay, l.convolution.channels}},
        {"tree", {options_.experiment.tree.subsample, options_.experiment.tree.hold_out}},
        {"space", knobs},
        {"methods", methods_},
        {"seed", result_.seed},
        {"iterations", options_.iterations},
        {"eta", options_.eta},
        {"validation", options_.validation},
        {"slack", options_.slack},
        {"patience", options_.patience},
        {"budget_j", options_.experiment.budget.in(joule)},
        {"chip", table_.name()},
        {"data",
         {result_.data_source, result_.train_rows, result_.validation_rows, result_.columns,
          fingerprint}}}
        .dump();
  }

  void lane(const std::string& name, Energy limit) {
    SearchLane lane;
    lane.method = name;
    const auto searching = method(name);
    const bool own = result_.lanes.empty();
    StructureStop structure(options_.slack, name == "frugal" ? options_.patience : 0);
    std::map<std::string, std::pair<double, double>> known;  // loss and joules of what was tried
    Sum<Energy> spent;
    std::size_t repeats = 0;
    while (lane.stopped.empty()) {
      const auto proposal = searching->next();
      if (!proposal) {
        lane.stopped = name == "frugal" ? "converged on all rows" : "all trials done";
        break;
      }
      const std::vector<double> values = result_.space.values(proposal->at);
      const std::string key = fmt::format("{} {}", proposal->share, result_.space.text(values));
      if (const auto at = known.find(key); at != known.end()) {  // its joules are spent already
        if (++repeats > kMostRepeats) {
          lane.stopped = "nothing new to try";
          break;
        }
        searching->tell(*proposal, at->second.first, at->second.second);
        continue;
      }
      repeats = 0;
      SearchTrial trial;
      std::optional<learn::SavedModel> model;
      try {
        trial = one(name, *proposal, values,
                    limit > Energy{} ? limit - spent.value() : kInfinity * joule, lane, own, model);
      } catch (const Stopped&) {
        result_.stopped = true;
        lane.stopped = "stopped by the caller";
        break;
      }
      spent += trial.energy.value();
      lane.spent = spent.value();
      const bool better = trial.share >= 1.0 && trial.loss < lane.best_loss();
      if (better) {
        lane.best = lane.trials.size();
        lane.to_best = lane.spent;
        if (own && model_ != nullptr && model) *model_ = std::move(*model);
      }
      const double joules = trial.energy.value().in(joule);
      known[key] = {trial.loss, joules};
      lane.trials.push_back(std::move(trial));
      const SearchTrial& last = lane.trials.back();
      if (last.stopped == "budget") lane.stopped = "joules spent";
      searching->tell(*proposal, last.loss, joules);
      if (lane.stopped.empty() && structure.over(last, lane.spent))
        lane.stopped =
            fmt::format("structure: {} trials lowered neither the loss nor the code by {:g} %",
                        options_.patience, 100.0 * options_.slack);
      if (options_.progress) options_.progress(name, lane.trials.size(), lane.spent);
    }
    if (journal_ && !result_.stopped) journal_->end_lane(lane);
    result_.lanes.push_back(std::move(lane));
  }

  SearchTrial one(const std::string& name, const learn::SearchProposal& proposal,
                  const std::vector<double>& values, Energy left, const SearchLane& lane, bool own,
                  std::optional<learn::SavedModel>& model) {
    SearchTrial trial;
    trial.values = values;
    trial.share = proposal.share;
    if (journal_ && journal_->recall(name, trial, model)) return trial;
    options_.experiment.stop.throw_if_requested();
    trial = runner_->run(values, proposal.share, left, model);
    trial.why = proposal.why;
    if (journal_) {
      const bool keep = own && model && trial.loss < lane.best_loss();
      journal_->record(name, trial, keep ? &*model : nullptr);
    }
    return trial;
  }

  const SearchOptions& options_;
  learn::EnergyTable table_;
  learn::SavedModel* model_;
  std::vector<std::string> methods_;
  SearchResult result_;
  std::unique_ptr<TrialRunner> runner_;
  std::optional<SearchJournal> journal_;
};

}  // namespace

double SearchLane::joules_to(double level) const noexcept {
  Sum<Energy> until;
  for (const SearchTrial& t : trials) {
    until += t.energy.value();
    if (t.share >= 1.0 && t.loss <= level) return until.value().in(joule);
  }
  return kNaN;
}

std::uint64_t SearchLane::examples() const noexcept {
  std::uint64_t all = 0;
  for (const SearchTrial& t : trials) all += t.examples;
  return all;
}

const SearchTrial* SearchResult::hindsight() const noexcept {
  const SearchTrial* best = nullptr;
  for (const SearchLane& lane : lanes)
    if (lane.best && (best == nullptr || lane.best_loss() < best->loss))
      best = &lane.trials[*lane.best];
  return best;
}

SearchResult run_search(const SearchOptions& options, const learn::Split& split,
                        learn::SavedModel* model) {
  return Search(options, split, model).run();
}

}  // namespace carnot::experiment
