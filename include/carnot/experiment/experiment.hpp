// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot learn`: trains real learners on data while counting every operation, for each setting of
/// the knobs, and says what was learned in bits and what it cost in joules.
///
/// A run trains one learner in one precision or a schedule of them. It ends with the schedule, or
/// sooner: when a floor on held-out quality is certified (`target`), or one step before the energy
/// budget would be overdrawn (`budget`; holds for each run, and shortens its schedule beforehand so
/// that the learning rate has come down when the joules end).
///
/// Energy is modelled: exact counts times the published table, boundary chip. Counted are training,
/// conversions, rounding the final model and, where a target is set, the looks at held-out data;
/// the evaluations made only to draw curves and code lengths are kept apart (`instrument`).
///
/// Learners are networks (learner.hpp) and trees (tree_learner.hpp: `gbdt`, `forest`). A step of
/// trees is a round or a bootstrap; `bits` are those of their gradients. What is coded of trees are
/// the first ones, as many as there were at each point of the curve, with leaves at several widths:
/// one run gives the structure function over the number of trees.
///
/// A transformer learns from a text: rows are its symbols, bits a label are bits a character.
///
/// Each trained model is coded at several widths (code_length.hpp). The points (K, data bits) of
/// all runs and widths give the structure function: its lower convex hull and k*, the least K on
/// the hull whose two-part length is within `slack` of the least: beyond k* a model bit saves less
/// than a data bit (Vereshchagin & Vitanyi 2004; Rissanen 1978).
///
/// Same options, same bytes, times of the wall clock apart. Call from one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/learn/codes/code_length.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

namespace carnot::experiment {

struct ExperimentProgress {
  std::size_t run = 0, runs = 0;  ///< 0-based, of how many
  std::string precision;
  std::uint64_t steps = 0, total_steps = 0;
  Energy energy;
};

/// Learners whose model is trees.
inline bool learns_trees(const learn::LearnerOptions& o) {
  return o.model == "gbdt" || o.model == "forest";
}

struct ExperimentOptions {
  learn::DatasetOptions data;
  learn::LearnerOptions learner;  ///< hidden, epochs and seed are the defaults of the lists below
  /// Precisions: a name of precision.hpp, a width (`4` = int4, `16` = bf16, `32` = f32), or a
  /// schedule `4>8@0.75`: int4, then int8 from 75 % of the steps on. Empty: f32.
  std::vector<std::string> bits;
  std::vector<std::size_t> hidden;                      ///< sizes to sweep; empty: learner.hidden
  std::vector<double> epochs;                           ///< to sweep; empty: learner.epochs
  learn::TreeOptions tree;                              ///< defaults of the lists below
  std::vector<std::size_t> trees, leaves, depth, bins;  ///< to sweep; empty: tree's
  int seeds = 1;  ///< runs at each setting, seeds learner.seed, + 1, ...
  std::vector<int> model_widths = {2, 3, 4, 6, 8, 32};  ///< coded at each, the shortest is reported
  Energy budget;                                        ///< of each run; zero: none
  double target = kNaN;                                 ///< floor on quality; NaN: none
  double alpha = 0.05;                                  ///< chance of a false certificate
  int curve_points = 16;                                ///< of each run; looks happen there too
  double slack = 0.01;       ///< of k*, relative to the least two-part length
  std::string energy_table;  ///< CSV of joules per operation ...
  std::string chip;          ///< ... or the chip of the catalogue whose; neither: asic-45nm
  Temperature ambient = 300.0 * kelvin;
  bool shuffle_labels = false;  ///< the null: training labels in random order
  std::string command;          ///< for the report
  std::function<bool(const ExperimentProgress&)> progress;  ///< false: stop; may be empty
  StopToken stop;  ///< likewise; the point at hand is then coded on a sample alone
  /// Makes the learner; empty: learn::make_learner. For tests.
  std::function<std::unique_ptr<learn::Learner>(const learn::LearnerOptions&,
                                                const learn::Dataset&)>
      make_learner;
  /// Called with every trained learner, in order; may be empty. To keep a model.
  std::function<void(const learn::Learner&)> trained;
};

/// Where a run stood at one moment.
struct CurvePoint {
  std::uint64_t steps = 0;
  Energy energy;
  double data_bits = 0.0;  ///< training labels under the model then
  double quality = kNaN;   ///< held-out
  double certified_bound = kNaN;
};

/// One run.
struct ExperimentPoint {
  std::string precision;  ///< as asked
  std::size_t hidden = 0;
  learn::TreeOptions tree;      ///< as fitted to the data; all 0 for networks
  std::size_t model_trees = 0;  ///< in the shortest code
  double epochs = 0.0;          ///< of its schedule (a budget may have shortened it)
  std::uint64_t seed = 0;
  std::uint64_t parameters = 0;
  std::uint64_t steps = 0, total_steps = 0;
  learn::Quality quality;                        ///< on held-out rows
  double quality_low = 0.0, quality_high = 0.0;  ///< 90 %
  bool certified = false;
  bool diverged = false;  ///< Learner::diverged: named in `stopped` too
  std::string stopped;    ///< why, in words
  learn::Counters counters, instrument;
  Estimate<Energy> energy, instrument_energy;
  Time modelled_time;
  double seconds = 0.0;          ///< of the wall clock, measured; training alone
  int model_width = 0;           ///< bits of a coefficient at the shortest two-part code
  learn::Quality coded_quality;  ///< of that coded model on held-out rows; trees only
  learn::CodeLengths lengths;
  learn::LearningCycle cycle;
  std::vector<CurvePoint> curve;
  double bits_per_joule = 0.0;  ///< gross bits learned over energy
};

/// One model at one width.
struct StructurePoint {
  std::size_t point = 0;           ///< which run
  int width = 0;                   ///< 0: the empty model, of no run
  std::size_t trees = 0;           ///< how many of them; 0 for networks
  double held_out_bits = kNaN;     ///< bits a held-out label; trees only
  double held_out_quality = kNaN;  ///< likewise
  double model_bits = 0.0, data_bits = 0.0;
  Energy energy;         ///< of the run it came from
  bool sampled = false;  ///< data_bits scaled up from a sample of the rows
  bool on_hull = false;
};

struct ExperimentResult {
  std::string carnot_version, command, started;
  std::uint64_t seed = 0;
  std::string task;     ///< "classification" | "regression"
  std::string learner;  ///< model
  std::string shape;    ///< of a transformer, in words; else empty
  bool masked = false;  ///< its objective: bits are then of hidden symbols and no code of the text
  std::string data_source;
  std::size_t train_rows = 0, test_rows = 0, columns = 0, classes = 0;
  /// Accuracy of saying of every held-out row the class that is most frequent in training; NaN for
  /// numbers, whose mean has R2 of 0.
  double constant_accuracy = kNaN;
  std::string constant_class;
  double budget_j = 0.0, target = kNaN;
  bool shuffled = false;
  std::vector<ExperimentPoint> points;
  std::size_t best = 0;  ///< highest held-out quality (certified first, then the cheapest)
  std::vector<StructurePoint> structure;
  double k_star = 0.0;               ///< model bits
  std::size_t k_star_structure = 0;  ///< its entry in `structure`
  double slack = 0.0;
  std::vector<learn::CostRow> table;
  std::string measured_note;  ///< why no measured joules stand beside the modelled ones
  bool stopped = false;       ///< by the callback or the token
  /// The best run there is came to nothing.
  bool diverged() const noexcept { return !points.empty() && points[best].diverged; }
  bool target_met() const noexcept {
    return !points.empty() && (target != target || points[best].certified);
  }
};

/// \throws InputError, IoError as the data, the table and the learner do; Stopped before the first
/// point
ExperimentResult run_experiment(const ExperimentOptions& options);

/// The same on data that is there already.
ExperimentResult run_experiment(const ExperimentOptions& options, const learn::Split& split);

/// Of an entry of `bits` without stages: "32", "16", "8", "4", "2", or a name of
/// Precision::parse(). \throws InputError listing what is allowed
learn::Precision precision_of(const std::string& word);

/// Marks the lower convex hull of (model_bits, data_bits) over falling data_bits and returns the
/// index of k*: least model_bits on the hull with model + data <= (1 + slack) * the least sum.
/// \throws InputError if there are no points or some are not finite
std::size_t structure_function(std::vector<StructurePoint>& points, double slack);

}  // namespace carnot::experiment
