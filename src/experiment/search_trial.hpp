// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "carnot/experiment/search.hpp"

namespace carnot::experiment {

/// Trains a learner at given knobs on a share of the rows and judges it.
class TrialRunner {
 public:
  TrialRunner(const SearchOptions& options, const learn::SearchSpace& space,
              const learn::Split& split, const learn::EnergyTable& table);

  const learn::Dataset& train() const noexcept { return train_; }
  const learn::Dataset& validation() const noexcept { return validation_; }

  /// \param left   joules that may be spent; infinite: any
  /// \param model  set on a trial of use on all rows
  /// \throws Stopped; InputError of a trial on all rows
  SearchTrial run(const std::vector<double>& values, double share, Energy left,
                  std::optional<learn::SavedModel>& model);

 private:
  struct Setting {
    learn::LearnerOptions learner;
    learn::TreeOptions tree;
    learn::Precision precision = learn::Precision::parse("f32");
  };
  Setting setting(const std::vector<double>& values, std::size_t rows) const;
  const learn::Dataset& rows_of(double share);
  void attempt(const Setting& s, const learn::Dataset& train, bool whole, Energy left,
               SearchTrial& trial, std::optional<learn::SavedModel>& model) const;
  void code(const learn::Learner& learner, const Setting& s, SearchTrial& trial) const;

  const SearchOptions& options_;
  const learn::SearchSpace& space_;
  const learn::Split& split_;
  const learn::EnergyTable& table_;
  learn::Dataset train_, validation_;
  std::map<double, learn::Dataset> shares_;
};

}  // namespace carnot::experiment
