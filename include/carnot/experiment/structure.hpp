// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The learning structure function of a data set, walked from small models to large ones, and left
/// once larger ones stop paying (Vereshchagin & Vitanyi 2004; Rissanen 1978).
///
/// A *rung* is a capacity: hidden units of a perceptron, leaves of boosted trees. Each rung is
/// trained and coded; its models are points (K model bits, D bits of the labels that are left, E
/// joules). Classes under `mlp` are coded by two_part.hpp, whose message is written and whose
/// labels come back; then prices around the best are tried at its size. Trees and numbers are coded
/// as `carnot learn` does.
///
/// *Stop rule*: with lambda = least K + D so far (the empty model, K = 0, is there from the start),
/// a rung that does not lower lambda by more than `slack` is beyond k*: what it adds to the model
/// it does not save in the labels. After `patience` such rungs in a row no larger one is trained.
/// Joules of the rungs left out are known beforehand (closed form) or, of trees, bounded by the
/// last.
///
/// *Energy-priced optimum*: with a joule worth m bits, the point that minimises K + D + m E.
/// *Marginal bits a joule* from one hull point to the next: (fall of K + D) / (rise of E).
///
/// A function of its arguments; safe from any thread.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/data/dataset.hpp"

namespace carnot::experiment {

struct StructureOptions {
  ExperimentOptions experiment;    ///< learner, seed, tree, table, stop, shuffle_labels, slack
  std::vector<std::size_t> rungs;  ///< rising; empty: fit to the learner
  double price = 7.0;              ///< of two_part.hpp
  double joule_price = 0.0;        ///< bits that a joule is worth; 0: energy is free
  int patience = 2;                ///< rungs without gain that end the walk, >= 1
  bool exhaustive = false;         ///< train all rungs, to see what the rule would have missed
  std::function<void(const std::string& rung, std::size_t at, std::size_t of)> progress;
};

/// One coded model.
struct CodedPoint {
  std::string name;      ///< such as "32 units, price 7"
  std::size_t rung = 0;  ///< capacity; 0 with no model: the empty one
  double price = kNaN;
  double model_bits = 0.0, data_bits = 0.0;
  Energy energy;  ///< of the run that gave it
  double held_out_quality = kNaN, held_out_bits = kNaN;
  bool on_hull = false;
  bool beyond = false;                ///< trained only because all were asked for
  double marginal_bits_per_j = kNaN;  ///< from the hull point before to this one
};

struct StructureResult {
  std::string learner, data_source, metric;
  std::size_t rows = 0, classes = 0;
  bool shuffled = false, exhaustive = false, stopped_early = false;
  std::vector<CodedPoint> points;                           ///< the empty model first
  std::size_t k_star = 0, shortest = 0, energy_priced = 0;  ///< entries of `points`
  double slack = 0.0, joule_price = 0.0;
  double uniform_bits = 0.0;
  double net_bits = 0.0;  ///< uniform - least K + D of a model; 0 or less: nothing was learned
  Energy spent;           ///< by the walk up to where it stopped
  Energy all;             ///< of all rungs, closed form or bound
  double exhaustive_k_star = kNaN;  ///< model bits, where all were trained
  std::size_t rungs_done = 0, rungs_all = 0;
};

/// \throws InputError as the learners do; Stopped
StructureResult walk_structure(const StructureOptions& options, const learn::Split& split,
                               const learn::EnergyTable& table);

}  // namespace carnot::experiment
