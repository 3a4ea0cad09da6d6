// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/experiment/structure.hpp"
#include "carnot/learn/labels/two_part.hpp"

namespace carnot::experiment {

namespace {

/// Labels in random order: nothing is left to learn.
void shuffle_labels(learn::Dataset& data, std::uint64_t seed) {
  const RandomStream random(seed, "structure null");
  data.is_regression() ? shuffle(data.targets, random) : shuffle(data.labels, random);
}

class Walk {
 public:
  Walk(const StructureOptions& options, const learn::Split& split, const learn::EnergyTable& table)
      : options_(options), split_(split), table_(table) {
    const learn::LearnerOptions& learner = options.experiment.learner;
    trees_ = learns_trees(learner);
    two_part_ = !trees_ && !split.train.is_regression();
    rungs_ = options.rungs;
    const bool one_layer = !trees_ && learner.model != "mlp" && learner.model != "cnn";
    if (rungs_.empty() && one_layer) rungs_ = {two_part_ ? 0u : 1u};
    if (rungs_.empty())
      rungs_ = trees_      ? std::vector<std::size_t>{2, 3, 5, 8, 15, 31, 63, 127, 255}
               : two_part_ ? std::vector<std::size_t>{0, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
                           : std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64, 128, 256};
    for (std::size_t i = 1; i < rungs_.size(); ++i)
      if (rungs_[i] <= rungs_[i - 1]) throw InputError(describe({}, "rungs", "rising sizes"));
    if (options.patience < 1) throw InputError(describe({}, "patience", "1 or more"));
    if (!(options.joule_price >= 0.0) || !std::isfinite(options.joule_price))
      throw InputError(describe({}, "joule price", "0 bits or more"));
  }

  StructureResult run() {
    const learn::Dataset& train = split_.train;
    result_.learner = options_.experiment.learner.model;
    result_.data_source = train.source;
    result_.metric = train.is_regression() ? "r2" : "accuracy";
    result_.rows = train.rows;
    result_.classes = train.classes;
    result_.shuffled = options_.experiment.shuffle_labels;
    result_.exhaustive = options_.exhaustive;
    result_.slack = options_.experiment.slack;
    result_.joule_price = options_.joule_price;
    result_.uniform_bits = learn::uniform_length(train);
    result_.rungs_all = rungs_.size();
    CodedPoint empty;
    empty.name = "empty model";
    empty.data_bits = result_.uniform_bits;
    result_.points.push_back(empty);
    least_ = result_.uniform_bits;
    climb();
    if (two_part_ && best_ > 0) try_prices();
    finish();
    return std::move(result_);
  }

 private:
  void climb() {
    int without = 0;
    for (std::size_t i = 0; i < rungs_.size(); ++i) {
      options_.experiment.stop.throw_if_requested();
      if (options_.progress)
        options_.progress(fmt::format("{} {}", rungs_[i], trees_ ? "leaves" : "units"), i,
                          rungs_.size());
      const bool beyond = without >= options_.patience;
      if (beyond && !options_.exhaustive) {
        result_.stopped_early = true;
        result_.all += rung_energy(rungs_[i]);
        continue;
      }
      const double before = least_;
      const Energy energy = train_rung(rungs_[i], options_.price, beyond);
      result_.all += energy;
      if (beyond) continue;
      result_.spent += energy;
      ++result_.rungs_done;
      last_energy_ = energy;
      last_rung_ = rungs_[i];
      without = least_ < before * (1.0 - options_.experiment.slack) ? 0 : without + 1;
    }
  }

  /// Smaller and larger models of the best size: to both sides until the code no longer shortens.
  void try_prices() {
    const std::size_t rung = result_.points[best_].rung;
    for (const double factor : {0.5, 2.0}) {
      double price = options_.price;
      for (int i = 0; i < 4; ++i) {
        price *= factor;
        const double before = least_;
        const Energy energy = train_rung(rung, price, false);
        result_.spent += energy;
        result_.all += energy;
        if (least_ >= before) break;
      }
    }
  }

  Energy train_rung(std::size_t rung, double price, bool beyond) {
    return two_part_ ? train_two_part(rung, price, beyond) : train_other(rung, beyond);
  }

  learn::TwoPartOptions two_part_options(std::size_t rung, double price) const {
    learn::TwoPartOptions o;
    o.hidden = rung;
    o.price = price;
    if (!options_.experiment.epochs.empty()) o.epochs = options_.experiment.epochs.front();
    o.seed = options_.experiment.learner.seed;
    o.stop = options_.experiment.stop;
    o.held_out = &split_.test;
    return o;
  }

  Energy train_two_part(std::size_t rung, double price, bool beyond) {
    const learn::TwoPartCode code =
        learn::two_part_encode(split_.train, two_part_options(rung, price));
    CodedPoint p;
    p.name = fmt::format("{} units, price {:g}", rung, price);
    p.rung = rung;
    p.price = price;
    p.model_bits = code.total_bits - code.data_bits;  // with checksum and padding
    p.data_bits = code.data_bits;
    p.energy = table_.energy(code.counters).value();
    p.held_out_quality = split_.test.rows > 0 ? code.held_out_accuracy : kNaN;
    p.held_out_bits = split_.test.rows > 0 ? code.held_out_bits : kNaN;
    p.beyond = beyond;
    take(p);
    return p.energy;
  }

  Energy train_other(std::size_t rung, bool beyond) {
    ExperimentOptions o = options_.experiment;
    o.shuffle_labels = false;  // they are already
    o.hidden.clear();
    o.leaves.clear();
    if (trees_)
      o.leaves = {rung};
    else
      o.hidden = {rung};
    const ExperimentResult r = run_experiment(o, split_);
    if (r.stopped) throw Stopped();
    Energy energy;
    for (const ExperimentPoint& point : r.points) energy += point.energy.value();
    for (const StructurePoint& s : r.structure) {
      if (s.width == 0) continue;  // the empty model is there already
      CodedPoint p;
      p.name = trees_ ? fmt::format("{} leaves, {} trees, {} bits", rung, s.trees, s.width)
                      : fmt::format("{} units, {} bits", rung, s.width);
      p.rung = rung;
      p.model_bits = s.model_bits;
      p.data_bits = s.data_bits;
      p.energy = s.energy;
      p.held_out_quality = trees_ ? s.held_out_quality : r.points[s.point].quality.value;
      p.held_out_bits = s.held_out_bits;
      p.beyond = beyond;
      take(p);
    }
    return energy;
  }

  void take(const CodedPoint& p) {
    result_.points.push_back(p);
    const double length = p.model_bits + p.data_bits;
    if (p.beyond || length >= least_) return;
    least_ = length;
    best_ = result_.points.size() - 1;
  }

  /// Of a rung that was not trained.
  Energy rung_energy(std::size_t rung) const {
    if (two_part_)
      return table_
          .energy(learn::two_part_counters(split_.train, two_part_options(rung, options_.price)))
          .value();
    // Units scale the work of a perceptron; trees of more leaves take at least as much as the last.
    if (trees_) return last_energy_;
    return last_energy_ * (static_cast<double>(rung) / static_cast<double>(last_rung_));
  }

  static std::vector<StructurePoint> plain(const std::vector<CodedPoint>& points, bool all) {
    std::vector<StructurePoint> out;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!all && points[i].beyond) continue;
      StructurePoint s;
      s.point = i;
      s.model_bits = points[i].model_bits;
      s.data_bits = points[i].data_bits;
      out.push_back(s);
    }
    return out;
  }

  void finish() {
    std::vector<CodedPoint>& points = result_.points;
    std::vector<StructurePoint> walked = plain(points, false);
    result_.k_star = walked[structure_function(walked, result_.slack)].point;
    std::vector<std::size_t> hull;
    for (const StructurePoint& s : walked) {
      points[s.point].on_hull = s.on_hull;
      if (s.on_hull) hull.push_back(s.point);
    }
    std::sort(hull.begin(), hull.end(), [&](std::size_t a, std::size_t b) {
      return points[a].model_bits < points[b].model_bits;
    });
    const auto length = [&](std::size_t i) { return points[i].model_bits + points[i].data_bits; };
    for (std::size_t i = 1; i < hull.size(); ++i) {
      const double joules = (points[hull[i]].energy - points[hull[i - 1]].energy).in(joule);
      if (joules > 0.0)
        points[hull[i]].marginal_bits_per_j = (length(hull[i - 1]) - length(hull[i])) / joules;
    }
    double least = kInfinity, priced = kInfinity, of_a_model = kInfinity;
    for (const StructurePoint& s : walked) {
      const double l = length(s.point);
      if (l < least) {
        least = l;
        result_.shortest = s.point;
      }
      if (s.point > 0) of_a_model = std::min(of_a_model, l);
      const double p = l + result_.joule_price * points[s.point].energy.in(joule);
      if (p < priced) {
        priced = p;
        result_.energy_priced = s.point;
      }
    }
    result_.net_bits = result_.uniform_bits - of_a_model;
    if (options_.exhaustive) {
      std::vector<StructurePoint> every = plain(points, true);
      result_.exhaustive_k_star = every[structure_function(every, result_.slack)].model_bits;
    }
  }

  const StructureOptions& options_;
  const learn::Split& split_;
  const learn::EnergyTable& table_;
  bool trees_ = false, two_part_ = false;
  std::vector<std::size_t> rungs_;
  StructureResult result_;
  double least_ = 0.0;
  std::size_t best_ = 0;
  Energy last_energy_;
  std::size_t last_rung_ = 1;
};

}  // namespace

StructureResult walk_structure(const StructureOptions& options, const learn::Split& split,
                               const learn::EnergyTable& table) {
  if (!options.experiment.shuffle_labels) return Walk(options, split, table).run();
  learn::Split shuffled = split;
  shuffle_labels(shuffled.train, options.experiment.learner.seed);
  return Walk(options, shuffled, table).run();
}

}  // namespace carnot::experiment
