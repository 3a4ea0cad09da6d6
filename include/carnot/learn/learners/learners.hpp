// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Every learner by the name of its model, and the data it wants: the door through which command
/// line, experiments and training under a power budget come. Trees, which have knobs of their own,
/// are made by tree_learner.hpp. Functions of values; safe from any thread.

#include <memory>
#include <string_view>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/defaults.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

/// Whether the model learns from a text (text.hpp) and not from rows of features.
bool learns_text(std::string_view model) noexcept;

/// load_text or load_split, as the model wants. \throws what they throw
Split load_for(std::string_view model, const DatasetOptions& options);

/// \param train  must outlive the learner
/// \throws InputError if options and data do not fit
std::unique_ptr<Learner> make_any_learner(const LearnerOptions& options, const Dataset& train);

/// Batch, passes and rate where nothing is said. A transformer takes minibatches of 16 windows, as
/// many passes as make about 1,000 steps (1 to 40), and a rate of 0.004 at width 64 that falls with
/// the root of the width. A cnn takes minibatches of at most 32 rows and as many passes
/// as make 1,500 steps (4 to 40).
TrainingDefaults defaults_for(const LearnerOptions& options, const Dataset& train);

/// The fewest rows that are still data of the kind: evenly spread ones of a table, a stretch of a
/// text. \param rows  at most
Dataset few_rows(const Dataset& data, std::size_t rows);

}  // namespace carnot::learn
