// SPDX-License-Identifier: Apache-2.0
#include "experiment/point.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/statistics.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/codes/model_forward.hpp"
#include "carnot/learn/convolution/convolution.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/network/train_in_pieces.hpp"
#include "carnot/learn/transformer/transformer.hpp"
#include "carnot/learn/trees/tree_code.hpp"

#include "experiment/precision_schedule.hpp"
#include "experiment/tree_codes.hpp"

namespace carnot::experiment {

namespace {

using learn::Counters;

constexpr double kIntervalAlpha = 0.05;  // each side of the 90 % interval

class PointRun {
 public:
  explicit PointRun(const PointTask& task)
      : task_(task),
        stages_(parse_schedule(task.bits, learns_trees(task.learner))),
        learner_options_(task.learner) {}

  PointOutcome run() {
    make();
    fit_schedule_to_budget();
    start_curve();
    while (!done()) advance();
    finish();
    return std::move(outcome_);
  }

 private:
  ExperimentPoint& point() { return outcome_.point; }

  void make() {
    const auto& factory = task_.options.make_learner;
    if (learns_trees(learner_options_) && !factory) {
      auto trees = learn::make_tree_learner(task_.tree, learner_options_, task_.split.train);
      trees_ = trees.get();
      learner_ = std::move(trees);
      return;
    }
    learner_ = factory ? factory(learner_options_, task_.split.train)
                       : learn::make_any_learner(learner_options_, task_.split.train);
  }

  Energy joules(const Counters& counters) const { return task_.table.energy(counters).value(); }
  Energy step_energy() const { return joules(learner_->step_counters(stage().precision)); }
  Counters spent_counters() const { return learner_->counters() - instrument_; }
  /// With every row of integers outgrowing its grid. What a step does not need pays for the next.
  Energy dearest_step() const { return (1.0 + outgrowing(stage())) * step_energy(); }
  /// What that may cost beyond a step's stated price, in steps. Trees have no such rows.
  double outgrowing(const PrecisionStage& of) const {
    return trees_ != nullptr ? 0.0 : learn::dearest_step(of.precision) - 1.0;
  }
  Energy spent() const { return joules(spent_counters()) + rounding_energy(); }
  bool has_budget() const { return task_.options.budget > Energy{}; }
  bool has_target() const { return !std::isnan(task_.options.target); }

  Energy look_energy() const {
    return joules(learner_->look_counters(task_.split.test.rows, stage().precision));
  }

  Energy last_step_energy() const {
    return joules(learner_->step_counters(stages_.back().precision));
  }

  /// Rounding the final model is part of every run and is kept back from its budget.
  Energy rounding_energy() const {
    Counters one;
    one.at(learn::OperationKind::Rounding) = coefficients_;
    return joules(one);
  }

  const PrecisionStage& stage() const {
    const PrecisionStage* now = &stages_.front();
    for (const PrecisionStage& s : stages_)
      if (stage_start(s, learner_->total_steps()) <= learner_->steps_done()) now = &s;
    return *now;
  }

  /// The first step's price includes converting data and coefficients: found on a throw-away
  /// learner.
  void fit_schedule_to_budget() {
    if (trees_ != nullptr) {
      // Binning is done; fewer rounds need no other schedule.
      ingest_ = joules(learner_->counters());
      return;
    }
    for (const auto& layer : learner_->parameters()) coefficients_ += layer.size();
    const auto total = static_cast<double>(learner_->total_steps());
    learner_->train(1, stages_.front().precision);
    ingest_ = max(Energy{}, joules(learner_->counters()) - step_energy());
    if (has_budget()) {
      // Mean price of a step over the stages of the schedule.
      Energy mean;
      for (std::size_t i = 0; i < stages_.size(); ++i) {
        const double until = i + 1 < stages_.size() ? stages_[i + 1].from : 1.0;
        mean += (until - stages_[i].from) * joules(learner_->step_counters(stages_[i].precision));
      }
      // The look at the end is paid for too; earlier ones only by what the schedule leaves.
      const Energy looks = has_target() ? look_energy() : Energy{};
      const Energy spare = outgrowing(stages_.back()) * last_step_energy();
      const double affordable =
          std::floor((task_.options.budget - rounding_energy() - ingest_ - looks - spare) / mean);
      if (affordable < total) learner_options_.epochs *= std::max(affordable, 1.0) / total;
    }
    make();
    point().epochs = learner_options_.epochs;
  }

  void start_curve() {
    uniform_ = learn::uniform_length(task_.split.train);
    point().curve.push_back({0, Energy{}, uniform_, {}, {}});
    const auto n = std::max(task_.options.curve_points, 1);
    const auto total = static_cast<double>(learner_->total_steps());
    for (int i = 1; i <= n; ++i) {  // denser at the start, where most bits are learned
      const double share = static_cast<double>(i) / n;
      const auto at = static_cast<std::uint64_t>(std::ceil(total * share * share));
      if (marks_.empty() || at > marks_.back()) marks_.push_back(at);
    }
    if (has_target()) certificate_.emplace(task_.options.target, task_.options.alpha);
  }

  bool done() {
    if (!point().stopped.empty()) return true;
    if (learner_->steps_done() >= learner_->total_steps()) {
      point().stopped = "schedule ended";
      return true;
    }
    return false;
  }

  std::uint64_t affordable_steps() const {
    if (!has_budget()) return std::numeric_limits<std::uint64_t>::max();
    Energy left = task_.options.budget - spent();
    if (learner_->steps_done() == 0) {
      // A shorter schedule warms up faster: rows may outgrow that did not on the throw-away
      // learner.
      if ((trees_ != nullptr ? Energy{} : ingest_) + dearest_step() > left) return 0;
      return 1;  // then the true cost of starting is on the counters
    }
    const double steps = std::floor(left / dearest_step() * (1.0 - 1e-12));
    return steps <= 0.0 ? 0 : static_cast<std::uint64_t>(std::min(steps, 1e18));
  }

  void advance() {
    const std::uint64_t now = learner_->steps_done();
    const std::uint64_t mark = *std::upper_bound(marks_.begin(), marks_.end(), now);
    std::uint64_t until = std::min(mark, learner_->total_steps());
    for (const PrecisionStage& s : stages_) {
      const std::uint64_t start = stage_start(s, learner_->total_steps());
      if (start > now) until = std::min(until, start);
    }
    const bool switches = now > 0 && &stage() != last_stage_;
    std::uint64_t count = std::min(until - now, affordable_steps());
    if (switches && has_budget() && count > 0) {
      // A switch has its own price, which is known beforehand.
      const Energy price =
          joules(learner_->switch_counters(last_stage_->precision, stage().precision));
      if (spent() + price + dearest_step() > task_.options.budget) count = 0;
      count = std::min<std::uint64_t>(count, 1);
    }
    if (count == 0) {
      point().stopped = now == 0 ? "budget too small for one step" : "budget spent";
      return;
    }
    last_stage_ = &stage();
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t did = 0;
    try {
      did = learn::train_in_pieces(*learner_, count, stage().precision, task_.options.stop);
    } catch (const Stopped&) {
      stop();
    }
    point().seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (outcome_.stopped) return;
    CARNOT_CHECK(did > 0, "a learner before the end of its schedule makes steps");
    if (learner_->diverged()) {
      point().diverged = true;
      point().stopped = fmt::format("diverged at step {}: a lower learning rate, or more bits",
                                    learner_->steps_done());
    }
    if (learner_->steps_done() == mark || learner_->steps_done() == learner_->total_steps()) look();
    report_progress();
  }

  void report_progress() {
    if (!task_.options.progress) return;
    const ExperimentProgress state{
        task_.index, task_.count, task_.bits, learner_->steps_done(), learner_->total_steps(),
        spent()};
    if (!task_.options.progress(state)) stop();
  }

  void stop() {
    outcome_.stopped = true;
    point().stopped = "stopped by the caller";
  }

  /// Evaluation that is drawn but not paid for by the run.
  learn::Quality instrument(const learn::Dataset& data) {
    const Counters before = learner_->counters();
    learn::Quality quality = learner_->evaluate(data, stage().precision);
    instrument_ += learner_->counters() - before;
    return quality;
  }

  void look() {
    CurvePoint here;
    here.steps = learner_->steps_done();
    if (certificate_ && certificate_->reachable(task_.split.test.rows) && affordable_look()) {
      const learn::Quality held = learner_->evaluate(task_.split.test, stage().precision);
      const learn::CertificateResult result = certificate_->look(held);
      here.quality = held.value;
      here.certified_bound = result.lower_bound;
      if (result.certified) {
        point().certified = true;
        point().stopped = fmt::format("target certified at look {}", certificate_->state().looks);
      }
    } else {
      here.quality = instrument(task_.split.test).value;
    }
    here.energy = spent() - rounding_energy();
    const double scale =
        static_cast<double>(task_.split.train.rows) / static_cast<double>(task_.sample.rows);
    here.data_bits = learn::data_length(task_.sample, instrument(task_.sample)) * scale;
    point().curve.push_back(here);
  }

  bool affordable_look() {
    if (!has_budget()) return true;
    // An early look must leave enough for the rest of the schedule and the look at its end.
    Energy later;
    const std::uint64_t left = learner_->total_steps() - learner_->steps_done();
    if (left > 0)
      later = look_energy() + (static_cast<double>(left) + outgrowing(stages_.back())) *
                                  max(step_energy(), last_step_energy());
    return spent() + look_energy() + later <= task_.options.budget;
  }

  void finish() {
    ExperimentPoint& p = point();
    if (trees_ != nullptr) {
      for (const learn::Tree& tree : trees_->model().trees) coefficients_ += tree.values.size();
      p.tree = trees_->options();
      if (!trees_->ended_early().empty() && p.stopped == "schedule ended")
        p.stopped = trees_->ended_early();
    }
    if (task_.options.trained) task_.options.trained(*learner_);
    p.precision = task_.bits;
    p.hidden = learner_options_.model == "mlp" || learner_options_.model == "cnn"
                   ? learner_options_.hidden
                   : 0;
    p.seed = learner_options_.seed;
    p.parameters = coefficients_;
    p.steps = learner_->steps_done();
    p.total_steps = learner_->total_steps();
    if (p.curve.back().steps != p.steps) look();
    p.quality = instrument(task_.split.test);
    interval(p);
    p.counters = spent_counters();
    p.counters.at(learn::OperationKind::Rounding) += coefficients_;
    p.instrument = instrument_;
    p.energy = task_.table.energy(p.counters);
    p.instrument_energy = task_.table.energy(instrument_);
    p.modelled_time = task_.table.time(p.counters);
    if (trees_ != nullptr)
      code_trees();
    else
      code();
    cycle(p);
    p.bits_per_joule =
        p.energy.value() > Energy{} ? p.cycle.bits_learned / p.energy.value().in(joule) : 0.0;
  }

  static void interval(ExperimentPoint& p) {
    const learn::Quality& q = p.quality;
    if (q.metric == "accuracy" && q.trials > 0) {
      p.quality_low = clopper_pearson_lower(q.successes, q.trials, kIntervalAlpha);
      p.quality_high = clopper_pearson_upper(q.successes, q.trials, kIntervalAlpha);
      return;
    }
    p.quality_low = p.quality_high = q.value;
    if (q.trials < 2 || !std::isfinite(q.value)) return;
    // The first look spends 6 / pi^2 of alpha; a wider interval than asked, never a narrower one.
    const learn::CertificateResult bound = learn::Certificate(1.0, kIntervalAlpha).look(q);
    p.quality_low = bound.lower_bound;
    p.quality_high = bound.upper_bound;
  }

  /// Codes the model at every width; the shortest is measured on all rows.
  void code() {
    const learn::Dataset& train = task_.split.train;
    const std::vector<std::vector<float>> parameters = learner_->parameters();
    const std::size_t outputs = parameters.empty() ? 0 : parameters.back().size();
    const bool text = learn::is_text(train);
    const bool images = learner_options_.model == "cnn";
    const std::vector<std::size_t> rows =
        images ? learn::convolution_rows(parameters)
        : text ? learn::transformer_rows(learner_options_.transformer, train.classes)
               : learn::parameter_rows(parameters, train.columns, outputs);
    const auto label_bits = [&](const std::vector<std::vector<float>>& model,
                                const learn::Dataset& data) {
      if (images)
        return learn::convolution_label_bits(learner_options_.convolution, model, data, data.rows);
      return text ? static_cast<double>(data.rows) *
                        learn::score_text(learner_options_.transformer, model, data)
                            .bits_per_symbol()
                  : learn::label_bits(model, data, data.rows);
    };
    const double variance = train.is_regression() ? 32.0 : 0.0;
    const double scale = static_cast<double>(train.rows) / static_cast<double>(task_.sample.rows);
    const auto coded = [&](int width) { return learn::rounded(parameters, rows, width); };
    std::size_t best = 0;
    std::vector<StructurePoint>& out = outcome_.structure;
    for (const int width : task_.options.model_widths) {
      StructurePoint s;
      s.width = width;
      s.model_bits = learn::model_length(parameters, rows, width) + variance;
      s.data_bits = label_bits(coded(width), task_.sample) * scale;
      s.sampled = task_.sample.rows < train.rows;
      s.energy = point().energy.value();
      out.push_back(s);
      if (s.model_bits + s.data_bits < out[best].model_bits + out[best].data_bits)
        best = out.size() - 1;
    }
    CARNOT_CHECK(!out.empty(), "at least one model width");
    if (out[best].sampled && !task_.options.stop.requested()) {
      out[best].data_bits = label_bits(coded(out[best].width), train);
      out[best].sampled = false;
    }
    learn::CodeLengths& lengths = point().lengths;
    point().model_width = out[best].width;
    lengths.uniform = uniform_;
    lengths.model = out[best].model_bits;
    lengths.data = out[best].data_bits;
    lengths.model_raw = learn::model_length(parameters, rows, 32) + variance;
    lengths.two_part = lengths.model + lengths.data;
    lengths.learned_net = lengths.uniform - lengths.two_part;
    lengths.prequential = kNaN;
    if (!train.is_regression() && !(text && learner_options_.transformer.objective == "masked")) {
      // Labels the first pass did not come to are sent plainly.
      const auto unseen = static_cast<double>(
          train.rows - std::min<std::uint64_t>(train.rows, learner_->prequential_labels()));
      lengths.prequential =
          learner_->prequential_bits() + unseen * std::log2(static_cast<double>(train.classes));
    }
  }

  /// The trees there were at each point of the curve, at every width.
  void code_trees() {
    const learn::Dataset& train = task_.split.train;
    const learn::TreeModel& model = trees_->model();
    const std::size_t per_step = model.average ? 1 : model.outputs;
    std::vector<std::size_t> prefixes;
    std::vector<Energy> energies;
    for (const CurvePoint& c : point().curve) {
      const std::size_t trees = std::min<std::size_t>(c.steps * per_step, model.trees.size());
      if (trees == 0 || (!prefixes.empty() && trees <= prefixes.back())) continue;
      prefixes.push_back(trees);
      energies.push_back(c.energy);
    }
    const double variance = train.is_regression() ? 32.0 : 0.0;
    const double scale = static_cast<double>(train.rows) / static_cast<double>(task_.sample.rows);
    const bool sampled = task_.sample.rows < train.rows;
    std::vector<StructurePoint>& out = outcome_.structure;
    std::size_t best = 0;
    for (const int width : task_.options.model_widths) {
      if (prefixes.empty()) break;
      const std::vector<double> lengths = learn::tree_code_lengths(model, width, prefixes);
      const auto labels = coded_data(model, prefixes, width, task_.sample);
      const auto held = coded_data(model, prefixes, width, task_.split.test);
      for (std::size_t i = 0; i < prefixes.size(); ++i) {
        StructurePoint s;
        s.width = width;
        s.trees = prefixes[i];
        s.model_bits = lengths[i] + variance;
        s.data_bits = labels[i].label_bits * scale;
        s.sampled = sampled;
        s.energy = energies[i];
        s.held_out_bits = held[i].quality.bits_per_label;
        s.held_out_quality = held[i].quality.value;
        out.push_back(s);
        if (s.model_bits + s.data_bits < out[best].model_bits + out[best].data_bits) {
          best = out.size() - 1;
          point().coded_quality = held[i].quality;
        }
      }
    }
    learn::CodeLengths& lengths = point().lengths;
    lengths.uniform = uniform_;
    lengths.prequential = kNaN;
    if (out.empty()) {  // not one tree
      lengths.model = lengths.model_raw = 0.0;
      lengths.data = lengths.two_part = uniform_;
      lengths.learned_net = 0.0;
      return;
    }
    point().model_width = out[best].width;
    point().model_trees = out[best].trees;
    if (sampled && !task_.options.stop.requested()) {
      out[best].data_bits =
          coded_data(model, {out[best].trees}, out[best].width, train)[0].label_bits;
      out[best].sampled = false;
    }
    lengths.model = out[best].model_bits;
    lengths.data = out[best].data_bits;
    const std::size_t all[] = {model.trees.size()};
    lengths.model_raw = learn::tree_code_lengths(model, 32, all)[0] + variance;
    lengths.two_part = lengths.model + lengths.data;
    lengths.learned_net = lengths.uniform - lengths.two_part;
  }

  void cycle(ExperimentPoint& p) {
    std::vector<double> loss;
    std::vector<Energy> energy;
    for (const CurvePoint& c : p.curve) {
      loss.push_back(c.data_bits);
      energy.push_back(max(Energy{}, c.energy - ingest()));
    }
    if (loss.size() < 2) {
      loss.push_back(loss.back());
      energy.push_back(energy.back());
    }
    energy.back() = max(energy.back(), p.energy.value() - rounding_energy() - ingest());
    p.cycle = learn::learning_cycle(p.lengths, loss, energy, ingest(), task_.options.ambient,
                                    rounding_energy());
  }

  Energy ingest() const { return point_took_steps() || trees_ != nullptr ? ingest_ : Energy{}; }
  bool point_took_steps() const { return learner_->steps_done() > 0; }

  const PointTask& task_;
  std::vector<PrecisionStage> stages_;
  learn::LearnerOptions learner_options_;
  std::unique_ptr<learn::Learner> learner_;
  learn::TreeLearner* trees_ = nullptr;  ///< the same, where it learns trees
  PointOutcome outcome_;
  Counters instrument_;
  std::optional<learn::Certificate> certificate_;
  std::vector<std::uint64_t> marks_;
  const PrecisionStage* last_stage_ = nullptr;
  std::uint64_t coefficients_ = 0;
  double uniform_ = 0.0;
  Energy ingest_;
};

}  // namespace

PointOutcome run_point(const PointTask& task) { return PointRun(task).run(); }

}  // namespace carnot::experiment
