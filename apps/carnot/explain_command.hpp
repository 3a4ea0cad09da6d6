// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Options of `carnot explain` as typed, and what they mean.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/model/explain/explain.hpp"
#include "carnot/model/footprint/accounting.hpp"
#include "carnot/model/lifecycle/lifecycle.hpp"

#include "facility_options.hpp"

namespace carnot::app {

struct ExplainCommand {
  std::string path;
  std::string chip, chips, tensor, pipeline, data, expert, micro_batches;
  std::string phase, batch, context, tokens;
  std::string format = "bf16", cache_format = "bf16", framework = "vllm", recompute = "selective";
  std::string power_limit, host_power, html, temperature = "300 K";
  std::vector<std::string> dimensions, trips, catalogues;
  std::vector<std::string> compare, what_if;
  std::string of, times = "1";      ///< of a record: what ran, and how often
  std::size_t rows = 0, depth = 2;  ///< rows 0: 6 of a tree, 20 of a sweep
  model::AccountOptions account;
  FacilityCommand hall;
  // Of a life cycle; empty: not asked for.
  std::string train_tokens, development, fine_tunes, fine_tune_tokens, queries;
  std::string train_chip, train_chips, train_batch, train_context, lifetime, water;
  std::string federated, federated_on = "jetson-tx2", federated_passes = "1", federated_wait = "1",
                         federated_places;
  bool life_cycle() const;  ///< whether one is asked for
};

/// \throws UsageError, InputError naming the option
model::ExplainOptions explain_options(const ExplainCommand& command);
model::LifeCycleOptions life_cycle_options(const ExplainCommand& command);
model::ModelSource explain_model(const ExplainCommand& command);
/// The one that ships, with the user's files on top.
model::ChipCatalogue explain_catalogue(const std::vector<std::string>& files);

}  // namespace carnot::app
