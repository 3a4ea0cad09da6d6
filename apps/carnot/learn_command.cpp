// SPDX-License-Identifier: Apache-2.0
#include "learn_command.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/report/learn/report.hpp"

#include "energy_options.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

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

/// "28x20": height and width.
void read_image_size(const std::string& text, learn::ConvolutionOptions& o) {
  const std::size_t at = text.find('x');
  const auto side = [&](const std::string& digits) -> std::size_t {
    const bool good =
        !digits.empty() && digits.size() <= 5 &&
        std::all_of(digits.begin(), digits.end(), [](char d) { return d >= '0' && d <= '9'; });
    const std::size_t n = good ? std::stoul(digits) : 0;
    if (n == 0)
      throw CLI::ValidationError("--image",
                                 fmt::format("height and width such as 28x20, found `{}`", text));
    return n;
  };
  o.height = side(text.substr(0, at));
  o.width = side(at == std::string::npos ? "" : text.substr(at + 1));
}

int execute(const LearnCommand& c, const Common& common) {
  if (streams(c)) return execute_stream(c, common);
  const learn::Split split = load(c);
  experiment::ExperimentOptions options = fitted_options(c, common, split);
  const auto line = std::make_shared<ProgressLine>(common);
  options.progress = [line](const experiment::ExperimentProgress& p) {
    line->draw([&](int width) { return progress_text(p, width); });
    return !interrupted();
  };
  std::vector<learn::SavedModel> models;  // of every run, where one is to be saved
  if (!c.save.empty())
    options.trained = [&](const learn::Learner& learner) {
      models.push_back(learn::saved_model(learner, options.learner, split.train, c.save_bits));
    };
  const experiment::ExperimentResult result = experiment::run_experiment(options, split);
  line->clear();
  if (result.best < models.size()) {
    learn::SavedModel& model = models[result.best];
    model.precision = result.points[result.best].precision;
    model.quality = result.points[result.best].quality;
    learn::save_model(model, c.save);
    say(common, fmt::format("model: {} ({} bytes, {} bits a {})", c.save,
                            std::filesystem::file_size(c.save), c.save_bits,
                            model.is_trees() ? "leaf" : "coefficient"));
  }
  show(c, common, report::to_json(result),
       report::to_terminal(result, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::to_html(result); });
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

learn::Split load(const LearnCommand& c) {
  learn::DatasetOptions data = c.options.data;
  data.labels = c.label.empty() ? c.labels : c.label;
  data.seed = c.options.learner.seed;
  return learn::load_for(c.options.learner.model, data);
}

void require_rows(const LearnCommand& c) {
  if (learn::learns_text(c.options.learner.model))
    throw InputError(
        "--learner: one of tables and images, whose labels are coded; a text is coded "
        "by `carnot encode`");
}

experiment::ExperimentOptions fitted_options(const LearnCommand& c, const Common& common,
                                             const learn::Split& split) {
  experiment::ExperimentOptions options = c.options;
  options.stop = stop_on_interrupt();
  options.command = common.command_line;
  if (!c.budget.empty()) options.budget = parse_as<Energy>(c.budget);
  if (c.target) options.target = *c.target;
  const bool text = learn::learns_text(options.learner.model);
  if (experiment::learns_trees(options.learner) && (c.optimiser || c.weight_decay))
    throw InputError("--optimiser, --weight-decay: of learners that take steps, not of trees");
  const bool adam = text || options.learner.model == "cnn";
  if (adam && c.optimiser && *c.optimiser != "adam")
    throw InputError("--optimiser: a transformer and a cnn take adam");
  options.learner.optimiser = c.optimiser.value_or(adam ? "adam" : "sgd");
  options.learner.weight_decay = c.weight_decay.value_or(text ? 0.1 : 0.0);
  const learn::TrainingDefaults defaults = learn::defaults_for(options.learner, split.train);
  options.learner.learning_rate = c.learning_rate.value_or(defaults.learning_rate);
  options.learner.batch = c.batch.value_or(defaults.batch);
  options.learner.epochs = defaults.epochs;
  if (experiment::learns_trees(options.learner)) {
    // Trees find a rate of their own, and use all processors.
    options.tree.learning_rate = c.learning_rate.value_or(0.0);
    options.learner.threads =
        c.threads > 0 ? c.threads
                      : static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
  }
  return options;
}

void show(const LearnCommand& c, const Common& common, const std::string& json,
          const std::string& terminal, const std::function<std::string()>& page) {
  offer_page(c.html, page);
  print(common.json ? json : terminal);
  if (!c.html.empty())
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
}

void add_learn(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<LearnCommand>();
  experiment::ExperimentOptions& o = c->options;
  CLI::App* command = app.add_subcommand(
      "learn", "Train for real, count every operation; say what was learned in bits and joules");
  command->add_option(
      "data", o.data.path,
      "digits (embedded), mnist (fetched), or a CSV, TSV, ARFF, LibSVM or IDX file, "
      "gz or not; docs/data.md; of a transformer any text");
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
      ->check(CLI::IsMember(
          {"mlp", "softmax", "logistic", "linear", "cnn", "gbdt", "forest", "transformer"}));
  command->add_option("--hidden", o.hidden, "Units of the hidden layer; several are swept")
      ->delimiter(',');
  command
      ->add_option(
          "--epochs", o.epochs,
          "Passes over the training rows; several are swept (default: 8, more for small tables)")
      ->delimiter(',');
  command->add_option("--batch", c->batch,
                      "Rows of a minibatch (default: 64, fewer for small tables)");
  command->add_option(
      "--learning-rate", c->learning_rate,
      "Greatest, of a cosine schedule (default: 0.3, 0.05 for numbers; adam: 0.01, 0.02); of each "
      "tree of gbdt (default: 0.1)");
  command->add_option("--momentum", o.learner.momentum, "Of the gradient steps (default: 0)");
  command->add_option("--optimiser", c->optimiser, "sgd or adam (default: sgd; transformer: adam)")
      ->check(CLI::IsMember({"sgd", "adam"}));
  command->add_option("--weight-decay", c->weight_decay,
                      "Of adam, decoupled from the gradient (default: 0; transformer: 0.1)");
  command
      ->add_option("--channels", o.learner.convolution.channels,
                   "Of a cnn's convolutions, 3 x 3 each, pixels halved after each (default: 16,32)")
      ->delimiter(',');
  command->add_option_function<std::string>(
      "--image", [&o](const std::string& text) { read_image_size(text, o.learner.convolution); },
      "Height and width of a cnn's images, such as 28x20 (default: square)");
  command
      ->add_option("--objective", o.learner.transformer.objective,
                   "Of a transformer: causal says what comes next, masked what is hidden")
      ->check(CLI::IsMember({"causal", "masked"}));
  command->add_option("--layers", o.learner.transformer.layers, "Of a transformer (default: 2)");
  command->add_option("--heads", o.learner.transformer.heads,
                      "Of a transformer's attention (default: 4)");
  command->add_option(
      "--width", o.learner.transformer.width,
      "Of a transformer's vectors, a multiple of 16 and of the heads (default: 128)");
  command->add_option("--context", o.learner.transformer.context,
                      "Symbols that a transformer sees at once (default: 128)");
  command
      ->add_option("--bits", o.bits,
                   "Precisions, swept: 4, 8, 16, 32, a name such as d2w4g4, or a schedule such as "
                   "4>8@0.75; of the gradients of gbdt 2 to 8 or 32 (default: 32)")
      ->delimiter(',');
  command
      ->add_option("--trees", o.trees,
                   "Rounds of boosting or bootstraps of a forest, at most; several are swept "
                   "(default: fit to the data)")
      ->delimiter(',');
  command
      ->add_option("--leaves", o.leaves,
                   "Of a tree, at most; several are swept (default: 31; forest: no limit)")
      ->delimiter(',');
  command
      ->add_option("--depth", o.depth, "Of a tree, at most; several are swept (default: no limit)")
      ->delimiter(',');
  command
      ->add_option("--bins", o.bins,
                   "Steps that trees see of a column, 2 to 255; several are swept (default: 255)")
      ->delimiter(',');
  command->add_option("--subsample", o.tree.subsample,
                      "Share of the rows a round of boosting learns from (default: 1)");
  command->add_option("--hold-out", o.tree.hold_out,
                      "Share of the training rows on which boosting decides when to end; 0: it "
                      "does all rounds (default: 0.1 from 2000 rows on)");
  command->add_option("--threads", c->threads,
                      "That grow trees; the result is the same (default: one a processor)");
  command->add_option("--seeds", o.seeds, "Runs at each setting (default: 1)")
      ->check(CLI::Range(1, 10000));
  command->add_option("--seed", o.learner.seed, "Of everything random (default: 1)");
  command->add_flag("--shuffle-labels", o.shuffle_labels,
                    "The null: training labels in random order, so that nothing can be learned");

  command->add_option("--budget", c->budget, "Energy that no run may exceed, such as '20 mJ'");
  command->add_option("--target", c->target,
                      "Stop when this held-out quality is certified; exit 1 if it never is");
  add_energy_options(*command, o.chip, o.energy_table);
  command->add_option("--html", c->html, "Write the report page here");
  command->add_option(
      "--save", c->save,
      "Write the best run's model here, for `carnot predict`; docs/formats/model.md");
  command->add_option("--save-bits", c->save_bits,
                      "Of a coefficient or leaf in that file: 2 to 12, 16, or 32 as trained "
                      "(default: 32)");
  command->add_flag(
      "--stream", c->stream,
      "Learn from the table as it streams from disk, in little memory (default: where "
      "the file is larger than an eighth of the memory)");
  command->add_option("--checkpoint", c->checkpoint,
                      "Of a stream: keep its state here, and go on from it where it is there");
  command->fallthrough();
  add_learn_figure8(*command, common, action);
  add_learn_label_codes(*command, common, action, c);
  add_learn_search(*command, common, action, c);
  add_learn_views(*command, common, action, c);
  command->callback([c, command, &common, &action] {
    if (!command->get_subcommands().empty()) return;
    if (c->options.data.path.empty())
      throw CLI::RequiredError("data (digits, mnist or a file), or figure8,");
    action = [c, &common] { return execute(*c, common); };
  });
}

}  // namespace carnot::app
