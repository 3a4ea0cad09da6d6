// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/learners/learners.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/learn/convolution/convolution.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/transformer/transformer.hpp"

namespace carnot::learn {

bool learns_text(std::string_view model) noexcept { return model == "transformer"; }

Split load_for(std::string_view model, const DatasetOptions& options) {
  return learns_text(model) ? load_text(options) : load_split(options);
}

std::unique_ptr<Learner> make_any_learner(const LearnerOptions& options, const Dataset& train) {
  if (options.model == "cnn") return make_convolution(options, train);
  return learns_text(options.model) ? make_transformer(options, train)
                                    : make_learner(options, train);
}

TrainingDefaults defaults_for(const LearnerOptions& options, const Dataset& train) {
  if (options.model == "cnn") {
    TrainingDefaults out = training_defaults(train, "adam");
    out.batch = std::min<std::size_t>(out.batch, 32);
    const double per_pass = static_cast<double>(train.rows) / static_cast<double>(out.batch);
    out.epochs = std::clamp(std::ceil(1500.0 / std::max(per_pass, 1.0)), 4.0, 40.0);
    out.learning_rate = 0.003;
    return out;
  }
  if (!learns_text(options.model)) return training_defaults(train, options.optimiser);
  TrainingDefaults out;
  out.batch = 16;
  const double per_pass =
      static_cast<double>(train.rows) /
      static_cast<double>(out.batch * std::max<std::size_t>(options.transformer.context, 1));
  out.epochs = std::clamp(std::ceil(1000.0 / std::max(per_pass, 1e-3)), 1.0, 40.0);
  out.learning_rate =
      0.004 *
      std::sqrt(64.0 / static_cast<double>(std::max<std::size_t>(options.transformer.width, 1)));
  return out;
}

Dataset few_rows(const Dataset& data, std::size_t rows) {
  if (data.rows <= rows) return data;
  if (is_text(data)) return part_of_text(data, (data.rows - rows) / 2, rows);
  Dataset few = data;
  few.rows = rows;
  few.features.clear();
  few.labels.clear();
  few.targets.clear();
  few.missing.clear();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t r = i * data.rows / rows;
    const auto from = data.features.begin() + static_cast<std::ptrdiff_t>(r * data.columns);
    few.features.insert(few.features.end(), from, from + static_cast<std::ptrdiff_t>(data.columns));
    for (auto at = std::lower_bound(data.missing.begin(), data.missing.end(), r * data.columns);
         at != data.missing.end() && *at < (r + 1) * data.columns; ++at)
      few.missing.push_back(*at - r * data.columns + i * data.columns);
    if (!data.labels.empty()) few.labels.push_back(data.labels[r]);
    if (!data.targets.empty()) few.targets.push_back(data.targets[r]);
  }
  return few;
}

}  // namespace carnot::learn
