// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/network/defaults.hpp"
#include "carnot/report/learn/report.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct LearnCommand {
  experiment::ExperimentOptions options;
  std::string label, labels, budget, html;
  std::optional<double> target, learning_rate;
  std::optional<std::size_t> batch;
};

/// "run 2 of 6  int8  [######----]  61 %  1.93 mJ", cut where the terminal is narrower.
std::string progress_text(const experiment::ExperimentProgress& p, int width) {
  constexpr std::size_t kBar = 20;
  const double share =
      p.total_steps > 0 ? static_cast<double>(p.steps) / static_cast<double>(p.total_steps) : 0.0;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBar));
  return fmt::format("run {} of {}  {}  [{}{}] {:3.0f} %  {:.3g} J", p.run + 1, p.runs, p.precision,
                     std::string(full, '#'), std::string(kBar - full, '-'), 100.0 * share,
                     p.energy.in(joule))
      .substr(0, static_cast<std::size_t>(std::max(width, 1)));
}

int execute(const LearnCommand& c, const Common& common) {
  experiment::ExperimentOptions options = c.options;
  options.stop = stop_on_interrupt();
  options.command = common.command_line;
  options.data.labels = c.label.empty() ? c.labels : c.label;
  options.data.seed = options.learner.seed;
  if (!c.budget.empty()) options.budget = parse_as<Energy>(c.budget);
  if (c.target) options.target = *c.target;
  const auto line = std::make_shared<ProgressLine>(common);
  options.progress = [line](const experiment::ExperimentProgress& p) {
    line->draw([&](int width) { return progress_text(p, width); });
    return !interrupted();
  };

  const learn::Split split = learn::load_split(options.data);
  const learn::TrainingDefaults defaults = learn::training_defaults(split.train);
  options.learner.learning_rate = c.learning_rate.value_or(defaults.learning_rate);
  options.learner.batch = c.batch.value_or(defaults.batch);
  options.learner.epochs = defaults.epochs;
  const experiment::ExperimentResult result = experiment::run_experiment(options, split);
  line->clear();
  if (!c.html.empty()) write_file(c.html, report::to_html(result));
  if (common.json) {
    print(report::to_json(result));
  } else {
    print(report::to_terminal(result, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  }
  if (!c.html.empty())
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
  if (result.stopped) {
    say(common, "interrupted; the runs above are those that had begun");
    return kInterrupted;
  }
  for (const experiment::ExperimentPoint& p : result.points)
    if (p.diverged)
      say(common, fmt::format("bits {}, seed {}: the training {}", p.precision, p.seed, p.stopped));
  return result.target_met() && !result.diverged() ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_learn(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<LearnCommand>();
  experiment::ExperimentOptions& o = c->options;
  CLI::App* command = app.add_subcommand(
      "learn", "Train for real, count every operation; say what was learned in bits and joules");
  command->add_option(
      "data", o.data.path,
      "digits (embedded), mnist (fetched), or a CSV, TSV, ARFF, LibSVM or IDX file, "
      "gz or not; docs/data.md");
  CLI::Option* label =
      command->add_option("--label", c->label, "Label column of a table: its name, or its number");
  command->add_option("--labels", c->labels, "IDX file of the labels")->excludes(label);
  command->add_option("--test", o.data.test_path, "Held-out file (default: a quarter of the rows)");
  command->add_option("--test-labels", o.data.test_labels, "IDX file of the held-out labels");
  command->add_option("--task", o.data.task, "What the labels are (default: by their values)")
      ->check(CLI::IsMember({"auto", "classification", "regression"}));
  const std::map<std::string, learn::HeaderRow> header_rows{{"auto", learn::HeaderRow::Found},
                                                            {"yes", learn::HeaderRow::Present},
                                                            {"no", learn::HeaderRow::Absent}};
  command
      ->add_option("--header", o.data.header,
                   "Whether a table's first row names its columns (default: as its rows say)")
      ->transform(CLI::CheckedTransformer(header_rows))
      ->option_text("auto|yes|no");
  command
      ->add_option("--missing", o.data.missing,
                   "Words or sentinel numbers that stand for a missing cell, such as -999")
      ->allow_extra_args(false);
  command
      ->add_option("--categories", o.data.categories,
                   "Columns that are categories though they hold numbers")
      ->delimiter(',');
  command->add_flag("--drop-unlabelled", o.data.drop_unlabelled,
                    "Leave out rows without a label (default: refuse them)");
  command->add_option("--data-dir", o.data.data_dir, "Where relative paths are looked up first");

  command->add_option("--learner", o.learner.model, "What is trained (default: mlp)")
      ->check(CLI::IsMember({"mlp", "softmax", "logistic", "linear"}));
  command->add_option("--hidden", o.hidden, "Units of the hidden layer; several are swept")
      ->delimiter(',');
  command
      ->add_option(
          "--epochs", o.epochs,
          "Passes over the training rows; several are swept (default: 8, more for small tables)")
      ->delimiter(',');
  command->add_option("--batch", c->batch,
                      "Rows of a minibatch (default: 64, fewer for small tables)");
  command->add_option("--learning-rate", c->learning_rate,
                      "Greatest, of a cosine schedule (default: 0.3; 0.05 for numbers)");
  command->add_option("--momentum", o.learner.momentum, "Of the gradient steps (default: 0)");
  command
      ->add_option("--bits", o.bits,
                   "Precisions, swept: 4, 8, 16, 32, a name such as d2w4g4, or a schedule such as "
                   "4>8@0.75 (default: 32)")
      ->delimiter(',');
  command->add_option("--seeds", o.seeds, "Runs at each setting (default: 1)")
      ->check(CLI::Range(1, 10000));
  command->add_option("--seed", o.learner.seed, "Of everything random (default: 1)");
  command->add_flag("--shuffle-labels", o.shuffle_labels,
                    "The null: training labels in random order, so that nothing can be learned");

  command->add_option("--budget", c->budget, "Energy that no run may exceed, such as '20 mJ'");
  command->add_option("--target", c->target,
                      "Stop when this held-out quality is certified; exit 1 if it never is");
  command->add_option("--energy-table", o.energy_table,
                      "CSV in place of the embedded energies; data/energy_per_operation.md");
  command->add_option("--html", c->html, "Write the report page here");
  command->fallthrough();
  add_learn_figure8(*command, common, action);
  command->callback([c, command, &common, &action] {
    if (!command->get_subcommands().empty()) return;
    if (c->options.data.path.empty())
      throw CLI::RequiredError("data (digits, mnist or a file), or figure8,");
    action = [c, &common] { return execute(*c, common); };
  });
}

}  // namespace carnot::app
