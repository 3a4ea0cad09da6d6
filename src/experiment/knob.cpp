// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/knob.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/base/statistics.hpp"
#include "carnot/base/text.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/learners/reduced_inputs.hpp"
#include "carnot/learn/network/train_in_pieces.hpp"
#include "carnot/learn/saved/saved_model.hpp"

namespace carnot::experiment {

namespace {

constexpr double kPruneAt = 0.75;  // of the steps

/// What one setting and seed came to.
struct Outcome {
  learn::Quality quality;
  learn::Counters training;
  learn::Counters prediction;  ///< of one row
  std::size_t inputs = 0;
  double parameters = 0.0;
};

/// 90 %.
std::pair<double, double> interval(const learn::Quality& q) {
  constexpr double kAlpha = 0.05;  // each side
  if (q.metric == "accuracy" && q.trials > 0)
    return {clopper_pearson_lower(q.successes, q.trials, kAlpha),
            clopper_pearson_upper(q.successes, q.trials, kAlpha)};
  if (q.trials < 2 || !std::isfinite(q.value)) return {q.value, q.value};
  const learn::CertificateResult bound = learn::Certificate(1.0, kAlpha).look(q);
  return {bound.lower_bound, bound.upper_bound};
}

[[noreturn]] void refuse(const std::string& knob, const std::string& allowed,
                         const std::string& found) {
  throw InputError(describe({}, knob, fmt::format("{}, found `{}`", allowed, found)));
}

std::optional<double> number(const std::string& text) {
  try {
    return parse_number(text);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

std::size_t whole(const std::string& knob, const std::string& text) {
  const std::optional<double> v = number(text);
  if (!v || *v < 1.0 || *v > 1e9 || *v != std::floor(*v)) refuse(knob, "a whole number >= 1", text);
  return static_cast<std::size_t>(*v);
}

double share(const std::string& knob, const std::string& text, bool with_zero, bool with_one) {
  const std::optional<double> v = number(text);
  const bool good =
      v && (*v > 0.0 || (with_zero && *v == 0.0)) && (*v < 1.0 || (with_one && *v == 1.0));
  if (!good)
    refuse(knob, fmt::format("a share in {}0, 1{}", with_zero ? '[' : '(', with_one ? ']' : ')'),
           text);
  return *v;
}

class Curve {
 public:
  Curve(const ExperimentOptions& options, const learn::Split& split, std::string knob,
        const std::string& start)
      : options_(options), split_(split), knob_(std::move(knob)) {
    if (knob_ == "transfer") {
      if (start.empty()) throw InputError("transfer: --start FILE, a model that `--save` wrote");
      start_ = learn::load_model(start);
      if (start_->learner != options.learner.model || start_->is_trees() || start_->is_text() ||
          start_->shape.columns != split.train.columns ||
          start_->shape.classes != split.train.classes)
        throw InputError(
            "transfer: a saved network of the same learner, columns and classes as the data");
    }
    if (knob_ == "prune" && options.learner.model != "mlp")
      throw InputError("prune: units of an mlp; trees have --leaves and --trees");
    if (learn::learns_text(options.learner.model) && is_data_knob())
      throw InputError(knob_ + ": of tables and images, not of texts");
    if ((learns_trees(options.learner) || learn::learns_text(options.learner.model)) &&
        (knob_ == "prune" || knob_ == "transfer"))
      throw InputError(knob_ + ": of perceptrons and linear learners");
  }

  /// \param anew  of transfer: the same passes without the start
  Outcome run(const std::string& setting, std::uint64_t seed, bool anew) const {
    ExperimentOptions o = options_;
    o.seeds = 1;
    o.learner.seed = seed;
    if (knob_ == "rows")
      return train_on(o, learn::fewer_rows(split_, share(knob_, setting, false, true), seed));
    if (knob_ == "pool") return train_on(o, learn::pooled_inputs(split_, whole(knob_, setting)));
    if (knob_ == "pca")
      return train_on(o, learn::principal_inputs(split_, whole(knob_, setting), seed));
    if (knob_ == "projection")
      return train_on(o, learn::random_inputs(split_, whole(knob_, setting), seed));
    if (knob_ == "prune") return prune(o, share(knob_, setting, true, false));
    if (knob_ == "transfer") return transfer(o, share(knob_, setting, false, true), anew);
    if (knob_ == "precision") o.bits = {setting};
    if (knob_ == "hidden") o.hidden = {whole(knob_, setting)};
    if (knob_ == "trees") o.trees = {whole(knob_, setting)};
    if (knob_ == "leaves") o.leaves = {whole(knob_, setting)};
    if (knob_ == "depth") o.depth = {whole(knob_, setting)};
    if (knob_ == "bins") o.bins = {whole(knob_, setting)};
    if (knob_ == "epochs") {
      const std::optional<double> v = number(setting);
      if (!v || !(*v > 0.0)) refuse(knob_, "a number of passes above 0", setting);
      o.epochs = {*v};
    }
    return train(o, split_, {});
  }

 private:
  bool is_data_knob() const {
    return knob_ == "rows" || knob_ == "pool" || knob_ == "pca" || knob_ == "projection";
  }

  Outcome train_on(const ExperimentOptions& o, const learn::ReducedInputs& reduced) const {
    Outcome out = train(o, reduced.split, reduced.per_row);
    out.training += reduced.fitting;
    return out;
  }

  /// Of one row, of a model as it would be saved.
  learn::Counters prediction(const learn::SavedModel& model, const learn::Dataset& rows) const {
    const learn::Dataset few = learn::few_rows(rows, 64);
    if (model.is_text()) return {};
    learn::Counters c = learn::predict(model, few).counters, one;
    for (std::size_t i = 0; i < std::size(c.operations); ++i)
      one.operations[i] = c.operations[i] / few.rows;
    for (std::size_t i = 0; i < std::size(c.bytes); ++i) one.bytes[i] = c.bytes[i] / few.rows;
    return one;
  }

  Outcome train(const ExperimentOptions& given, const learn::Split& split,
                const learn::Counters& per_row) const {
    ExperimentOptions o = given;
    o.model_widths = {32};
    o.learner.batch = std::min(o.learner.batch, split.train.rows);
    Outcome out;
    o.trained = [&](const learn::Learner& learner) {
      const learn::SavedModel model = learn::saved_model(learner, o.learner, split.train, 32);
      out.prediction = prediction(model, split.test.rows > 0 ? split.test : split.train);
    };
    const ExperimentResult r = run_experiment(o, split);
    if (r.stopped || r.points.empty()) throw Stopped();
    const ExperimentPoint& p = r.points.front();
    out.quality = p.quality;
    out.training = p.counters;
    out.inputs = split.train.columns;
    out.parameters = static_cast<double>(p.parameters);
    out.prediction += per_row;
    return out;
  }

  void finish(learn::Learner& learner, const learn::LearnerOptions& o,
              const learn::Precision& precision, Outcome& out) const {
    learn::train_in_pieces(learner, learner.total_steps() - learner.steps_done(), precision,
                           options_.stop);
    out.training += learner.counters();
    out.quality = learner.evaluate(split_.test, precision);
    const learn::SavedModel model = learn::saved_model(learner, o, split_.train, 32);
    out.prediction = prediction(model, split_.test);
    out.inputs = split_.train.columns;
    for (const auto& entry : model.parameters) out.parameters += static_cast<double>(entry.size());
  }

  Outcome prune(const ExperimentOptions& given, double gone) const {
    learn::LearnerOptions o = given.learner;
    if (!given.hidden.empty()) o.hidden = given.hidden.front();
    if (!given.epochs.empty()) o.epochs = given.epochs.front();
    const learn::Precision precision =
        precision_of(given.bits.empty() ? "f32" : given.bits.front());
    Outcome out;
    const auto whole_one = learn::make_any_learner(o, split_.train);
    const auto first =
        static_cast<std::uint64_t>(kPruneAt * static_cast<double>(whole_one->total_steps()));
    const std::size_t before = o.hidden;
    const auto keep = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::lround((1.0 - gone) * static_cast<double>(before))));
    if (keep == before) {
      finish(*whole_one, o, precision, out);
      return out;
    }
    learn::train_in_pieces(*whole_one, first, precision, options_.stop);
    out.training += whole_one->counters();
    o.hidden = keep;
    const auto small = learn::make_any_learner(o, split_.train);
    small->adopt(kept(whole_one->parameters(), before, keep, out.training), first);
    finish(*small, o, precision, out);
    return out;
  }

  /// The coefficients of the `keep` units whose weights in times weights out are greatest.
  std::vector<std::vector<float>> kept(const std::vector<std::vector<float>>& p, std::size_t before,
                                       std::size_t keep, learn::Counters& count) const {
    const std::size_t inputs = p[0].size() / before, outputs = p[3].size();
    std::vector<double> worth(before);
    for (std::size_t u = 0; u < before; ++u) {
      double in = 0.0, to = 0.0;
      for (std::size_t k = 0; k < inputs; ++k) in += std::pow(p[0][u * inputs + k], 2);
      for (std::size_t j = 0; j < outputs; ++j) to += std::pow(p[2][j * before + u], 2);
      worth[u] = in * to;
    }
    std::vector<std::size_t> order(before);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
    order.resize(keep);
    std::sort(order.begin(), order.end());
    std::vector<std::vector<float>> out{{}, {}, {}, p[3]};
    for (const std::size_t u : order) {
      const auto row = p[0].begin() + static_cast<std::ptrdiff_t>(u * inputs);
      out[0].insert(out[0].end(), row, row + static_cast<std::ptrdiff_t>(inputs));
      out[1].push_back(p[1][u]);
    }
    for (std::size_t j = 0; j < outputs; ++j)
      for (const std::size_t u : order) out[2].push_back(p[2][j * before + u]);
    count.at(learn::OperationKind::F32Elementwise) += 2 * before * (inputs + outputs);
    count.at(learn::MemoryLevel::Cache) += 8 * before * (inputs + outputs);
    return out;
  }

  Outcome transfer(const ExperimentOptions& given, double part, bool anew) const {
    learn::LearnerOptions o = given.learner;
    if (!given.epochs.empty()) o.epochs = given.epochs.front();
    if (o.model == "mlp") o.hidden = start_->parameters[1].size();
    const learn::Precision precision =
        precision_of(given.bits.empty() ? "f32" : given.bits.front());
    o.epochs *= part;
    Outcome out;
    const auto learner = learn::make_any_learner(o, split_.train);
    if (!anew) learner->adopt(start_->parameters, 0);
    finish(*learner, o, precision, out);
    return out;
  }

  const ExperimentOptions& options_;
  const learn::Split& split_;
  std::string knob_;
  std::optional<learn::SavedModel> start_;
};

}  // namespace

const std::vector<std::string>& knob_names() {
  static const std::vector<std::string> names = {
      "precision", "hidden", "epochs", "trees",      "leaves", "depth",   "bins",
      "rows",      "pool",   "pca",    "projection", "prune",  "transfer"};
  return names;
}

std::vector<std::string> knob_settings(const std::string& knob, const learn::Dataset& train) {
  if (std::find(knob_names().begin(), knob_names().end(), knob) == knob_names().end())
    throw InputError(
        describe({}, "knob", fmt::format("{}, found `{}`", fmt::join(knob_names(), ", "), knob)));
  if (knob == "precision") return {"32", "16", "8", "4"};
  if (knob == "hidden") return {"128", "64", "32", "16", "8"};
  if (knob == "epochs") return {"8", "4", "2", "1"};
  if (knob == "trees") return {"200", "100", "50", "20", "10"};
  if (knob == "leaves") return {"63", "31", "15", "7", "4"};
  if (knob == "depth") return {"8", "6", "4", "2"};
  if (knob == "bins") return {"255", "63", "15", "7", "3"};
  if (knob == "rows" || knob == "transfer") return {"1", "0.5", "0.25", "0.1"};
  if (knob == "prune") return {"0", "0.5", "0.75", "0.9"};
  std::vector<std::string> out;
  if (knob == "pool") {
    const auto side =
        static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(train.columns))));
    for (const std::size_t n : {1u, 2u, 4u, 7u})
      if (side % n == 0 && n < side) out.push_back(fmt::format("{}", n));
    return out;
  }
  for (std::size_t n = train.columns; n >= 1 && out.size() < 5; n /= 2)
    out.push_back(fmt::format("{}", n));
  return out;
}

KnobResult knob_curve(const ExperimentOptions& options, const learn::Split& split,
                      const std::string& knob, const std::vector<std::string>& settings,
                      const std::string& start) {
  knob_settings(knob, split.train);  // refuses an unknown one
  if (settings.empty()) throw InputError(describe({}, "values", "at least one setting"));
  const Curve curve(options, split, knob, start);
  const learn::EnergyTable table = learn::EnergyTable::choose(options.energy_table, options.chip);
  KnobResult out;
  out.command = options.command;
  out.knob = knob;
  out.learner = options.learner.model;
  out.data_source = split.train.source;
  out.rows = split.train.rows;
  out.seeds = std::max(options.seeds, 1);
  const int kinds = knob == "transfer" ? 2 : 1;
  for (const std::string& setting : settings)
    for (int kind = 0; kind < kinds; ++kind) {
      KnobPoint p;
      p.setting = kinds == 1 ? setting : setting + (kind == 0 ? " from the start" : " anew");
      for (int s = 0; s < out.seeds; ++s) {
        options.stop.throw_if_requested();
        const Outcome o =
            curve.run(setting, options.learner.seed + static_cast<std::uint64_t>(s), kind == 1);
        const double n = out.seeds;
        p.quality += o.quality.value / n;
        p.training += table.energy(o.training).value() / n;
        p.prediction += table.energy(o.prediction).value() / n;
        p.time += table.time(o.training) / n;
        p.parameters += o.parameters / n;
        p.inputs = o.inputs;
        if (s > 0) continue;
        out.metric = o.quality.metric;
        std::tie(p.quality_low, p.quality_high) = interval(o.quality);
      }
      out.points.push_back(p);
    }
  for (KnobPoint& p : out.points)
    p.in_front = std::none_of(out.points.begin(), out.points.end(), [&](const KnobPoint& q) {
      return q.quality >= p.quality && q.training <= p.training &&
             (q.quality > p.quality || q.training < p.training);
    });
  return out;
}

}  // namespace carnot::experiment
