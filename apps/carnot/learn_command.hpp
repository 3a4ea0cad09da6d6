// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn` and its subcommands share: the flags of data and learners, which all fall
/// through to `learn`.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/data/dataset.hpp"

#include "command.hpp"

namespace carnot::app {

struct LearnCommand {
  experiment::ExperimentOptions options;
  std::string label, labels, budget, html;
  std::optional<double> target, learning_rate, weight_decay;
  std::optional<std::size_t> batch;
  std::optional<std::string> optimiser;
  std::string save, checkpoint;
  bool stream = false;
  int threads = 0, save_bits = 32;
};

/// The data asked for. \throws as learn::load_split
learn::Split load(const LearnCommand& command);
/// \throws InputError where a learner of text is asked for: what follows codes labels of rows
void require_rows(const LearnCommand& command);
/// The options as asked, with those that fit the data where nothing was said, a stop token and the
/// command line.
experiment::ExperimentOptions fitted_options(const LearnCommand& command, const Common& common,
                                             const learn::Split& split);
/// Makes the page where one is wanted, prints the document or the table, names the page.
void show(const LearnCommand& command, const Common& common, const std::string& json,
          const std::string& terminal, const std::function<std::string()>& page);

/// Whether the data are to be streamed from disk: asked for, or too large for the memory.
bool streams(const LearnCommand& command);
int execute_stream(const LearnCommand& command, const Common& common);

using SharedLearn = std::shared_ptr<LearnCommand>;
void add_learn_label_codes(CLI::App& learn, const Common& common, Action& action,
                           const SharedLearn& shared);
void add_learn_search(CLI::App& learn, const Common& common, Action& action,
                      const SharedLearn& shared);
void add_learn_views(CLI::App& learn, const Common& common, Action& action,
                     const SharedLearn& shared);

}  // namespace carnot::app
