// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A model's whole life in one tree: development, training, fine-tuning, answering.
///
///     E = (1 + development) E_training + tunings E_tuning + answers E_answer
///     break-even answers = (1 + development) E_training / E_answer
///
/// Each stage is grafted from explain()'s tree of a step or of a batch, so that what holds there
/// holds here: children sum to parents, each joule one owner. Beside it: carbon of operation and of
/// making, water on site, SCI and SCI for AI, and what physics asks of learning at least,
/// 2 N D k_B T (Tkachenko, arXiv 2503.09980, for quasi-static analogue networks).
///
/// Thread-safe: pure functions.

#include <optional>
#include <string>
#include <vector>

#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/explain/explain.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::model {

struct LifeCycleOptions {
  double training_tokens = 0;  ///< D; images for models of images; 0: no training
  double development = 0;      ///< joules over those of the final run: BLOOM 1.7, OPT 2, OLMo 0.5
  double tunings = 0, tuning_tokens = 0;
  double answers = 0;       ///< sequences answered in its life
  ExplainOptions training;  ///< chips, batch and context of a step
  ExplainOptions answering;
  AccountOptions account;                 ///< location, PUE
  double lifetime_years = 4;              ///< of accelerators and hosts
  std::optional<double> water_l_per_kwh;  ///< on site; empty: the table's range
};

struct LifeStage {
  std::string name;         ///< "development", "training", "fine-tuning", "answering"
  double times = 0;         ///< steps or batches
  Estimate<Energy> energy;  ///< facility if its PUE is known, else node
  double chip_hours = 0;
  Estimate<Carbon> operational, embodied;
};

/// Making an accelerator with its share of the host: the table's row for the chip, else a range
/// over all that was published.
Embodied accelerator_embodied(const Chip& chip);

struct LifeCycle {
  EnergyTree tree;
  std::vector<LifeStage> stages;
  Estimate<Energy> energy;
  Estimate<Carbon> operational, embodied;
  Estimate<double> water_l;
  GridIntensity grid;
  double six_nd = 0, exact_flops = 0;        ///< of the final training
  double break_even_answers = 0;             ///< 0: nothing is trained
  Estimate<Energy> answer;                   ///< one
  Energy learning_bound;                     ///< 2 N D k_B T
  Estimate<Carbon> consumer, provider;       ///< SCI for AI: per token answered; per training FLOP
  std::string consumer_unit, provider_unit;  ///< empty: not to be had, with reason in `remarks`
  std::vector<std::string> remarks;
};

/// \throws InputError naming the option
LifeCycle life_cycle(const ModelSource& model, const ChipCatalogue& catalogue,
                     const LifeCycleOptions& options);

/// Fields that the EU's rules for general-purpose models ask for (Regulation (EU) 2024/1689, Annex
/// XI section 1, point 2 d and e), filled in where they are known; else the reason.
struct GpaiField {
  std::string field;
  std::optional<double> value;
  std::string unit, reason;
};
std::vector<GpaiField> gpai_fields(const Explanation& explanation,
                                   const std::optional<LifeCycle>& life);

}  // namespace carnot::model
