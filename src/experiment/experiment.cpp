// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/version.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/transformer/transformer.hpp"

#include "experiment/point.hpp"
#include "experiment/precision_schedule.hpp"

namespace carnot::experiment {

namespace {

constexpr std::size_t kSampleRows = 4096;

/// Training rows in seeded random order of labels: nothing is left to learn.
void shuffle_labels(learn::Dataset& data, std::uint64_t seed) {
  const RandomStream stream(seed, "shuffled labels");
  for (std::size_t i = data.rows; i-- > 1;) {
    const auto j = static_cast<std::size_t>(stream.below(i, i + 1));
    if (data.is_regression())
      std::swap(data.targets[i], data.targets[j]);
    else
      std::swap(data.labels[i], data.labels[j]);
  }
}

void check(const ExperimentOptions& options) {
  if (options.seeds < 1) throw InputError(describe({}, "seeds", "1 or more"));
  if (options.model_widths.empty())
    throw InputError(describe({}, "model widths", "at least one of 2 to 12, 16, 32"));
  if (!std::isnan(options.target) && !(options.target <= 1.0))
    throw InputError(describe({}, "target", "a quality up to 1, such as 0.95"));
  if (options.budget < Energy{} || !is_finite(options.budget))
    throw InputError(describe({}, "budget", "an energy of 0 J or more, such as 5 J"));
  if (!(options.ambient > Temperature{}))
    throw InputError(describe({}, "ambient", "a temperature above 0 K"));
  for (const std::string& bits : options.bits) parse_schedule(bits, learns_trees(options.learner));
}

/// Certified before not, better before worse, cheaper before dearer.
bool better(const ExperimentPoint& a, const ExperimentPoint& b) {
  if (a.diverged != b.diverged) return b.diverged;
  if (a.certified != b.certified) return a.certified;
  if (a.certified) return a.energy.value() < b.energy.value();
  if (a.quality.value != b.quality.value) return a.quality.value > b.quality.value;
  return a.energy.value() < b.energy.value();
}

std::vector<PointTask> tasks(const ExperimentOptions& options, const learn::Split& split,
                             const learn::Dataset& sample, const learn::EnergyTable& table) {
  const std::vector<std::string> bits =
      options.bits.empty() ? std::vector<std::string>{"f32"} : options.bits;
  const std::vector<std::size_t> hidden =
      options.hidden.empty() ? std::vector<std::size_t>{options.learner.hidden} : options.hidden;
  const std::vector<double> epochs =
      options.epochs.empty() ? std::vector<double>{options.learner.epochs} : options.epochs;
  std::vector<PointTask> out;
  const auto add = [&](const std::string& b, learn::LearnerOptions learner,
                       const learn::TreeOptions& tree) {
    for (int s = 0; s < options.seeds; ++s) {
      out.push_back({options, split, sample, table, b, learner, tree, out.size(), 0});
      ++learner.seed;
    }
  };
  const auto swept = [](const std::vector<std::size_t>& list, std::size_t otherwise) {
    return list.empty() ? std::vector<std::size_t>{otherwise} : list;
  };
  for (const std::string& b : bits) {
    learn::LearnerOptions learner = options.learner;
    learn::TreeOptions tree = options.tree;
    if (learns_trees(learner)) {
      for (const std::size_t trees : swept(options.trees, tree.trees))
        for (const std::size_t leaves : swept(options.leaves, tree.leaves))
          for (const std::size_t depth : swept(options.depth, tree.depth))
            for (const std::size_t most : swept(options.bins, tree.bins)) {
              tree.trees = trees;
              tree.leaves = leaves;
              tree.depth = depth;
              tree.bins = most;
              add(b, learner, tree);
            }
      continue;
    }
    for (const std::size_t h : hidden)
      for (const double e : epochs) {
        learner.hidden = h;
        learner.epochs = e;
        add(b, learner, tree);
      }
  }
  for (PointTask& task : out) task.count = out.size();
  return out;
}

void say_constant(const learn::Split& split, ExperimentResult& result) {
  if (split.train.is_regression() || split.test.rows == 0) return;
  std::vector<std::size_t> counts(split.train.classes, 0);
  for (const std::uint32_t label : split.train.labels) ++counts[label];
  const auto most =
      static_cast<std::uint32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  result.constant_class = split.train.class_names[most];
  result.constant_accuracy =
      static_cast<double>(std::count(split.test.labels.begin(), split.test.labels.end(), most)) /
      static_cast<double>(split.test.rows);
}

}  // namespace

ExperimentResult run_experiment(const ExperimentOptions& options) {
  check(options);
  return run_experiment(options, learn::load_for(options.learner.model, options.data));
}

ExperimentResult run_experiment(const ExperimentOptions& options, const learn::Split& given) {
  check(options);
  std::optional<learn::Split> shuffled;
  if (options.shuffle_labels) {
    shuffled = given;
    shuffle_labels(shuffled->train, options.learner.seed);
  }
  const learn::Split& split = shuffled ? *shuffled : given;
  const learn::Dataset sample = learn::few_rows(split.train, kSampleRows);
  const learn::EnergyTable table = learn::EnergyTable::choose(options.energy_table, options.chip);

  ExperimentResult result;
  result.carnot_version = kVersion;
  result.command = options.command;
  result.started =
      Instant::from_unix_seconds(Instant::now().unix_nanoseconds() / 1'000'000'000).iso8601();
  result.seed = options.learner.seed;
  result.task = split.train.is_regression() ? "regression" : "classification";
  result.learner = options.learner.model;
  if (learn::learns_text(options.learner.model)) {
    result.shape = learn::shape_text(options.learner.transformer);
    result.masked = options.learner.transformer.objective == "masked";
  }
  result.data_source = split.train.source;
  result.train_rows = split.train.rows;
  result.test_rows = split.test.rows;
  result.columns = split.train.columns;
  result.classes = split.train.classes;
  say_constant(split, result);
  result.budget_j = options.budget.in(joule);
  result.target = options.target;
  result.shuffled = options.shuffle_labels;
  result.slack = options.slack;
  result.table = table.rows();
  result.measured_note = "no measured joules: energies are exact counts times the published table";

  options.stop.throw_if_requested();
  for (const PointTask& task : tasks(options, split, sample, table)) {
    PointOutcome outcome = run_point(task);
    for (StructurePoint& s : outcome.structure) {
      s.point = result.points.size();
      result.structure.push_back(s);
    }
    result.points.push_back(std::move(outcome.point));
    if (better(result.points.back(), result.points[result.best]))
      result.best = result.points.size() - 1;
    if (outcome.stopped) {
      result.stopped = true;
      break;
    }
  }
  // The empty model: no bit of it, the labels as they are. It is on every hull.
  if (!result.points.empty()) {
    StructurePoint empty;
    empty.data_bits = learn::uniform_length(split.train);
    result.structure.push_back(empty);
  }
  result.k_star_structure = structure_function(result.structure, options.slack);
  result.k_star = result.structure[result.k_star_structure].model_bits;
  return result;
}

}  // namespace carnot::experiment
