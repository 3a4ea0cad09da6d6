// SPDX-License-Identifier: Apache-2.0
// carnot learn prequential, carnot learn two-part: labels as messages that unpack to the bit.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/base/text.hpp"
#include "carnot/learn/labels/label_message.hpp"
#include "carnot/learn/labels/prequential.hpp"
#include "carnot/learn/labels/two_part.hpp"
#include "carnot/report/learn/label_codes.hpp"

#include "learn_command.hpp"

namespace carnot::app {

namespace {

struct LabelCodesCommand {
  SharedLearn shared;
  std::string output, file;
  bool verify = false, shifts = false;
  int members = 2, pool = 0;
  std::size_t first = 64;
  double growth = 1.5, price = 7.0, step = 0.25;
};

/// "8" is int8, "32" f32; of trees the bits of their gradients.
learn::Precision precision_of(const LearnCommand& c) {
  const bool trees = experiment::learns_trees(c.options.learner);
  if (c.options.bits.empty()) return learn::Precision::parse("f32");
  if (c.options.bits.size() > 1) throw UsageError("--bits: one precision for a code of labels");
  const std::string& word = c.options.bits.front();
  if (trees && word != "32") {
    if (word.size() != 1 || word[0] < '2' || word[0] > '8')
      throw InputError(describe({}, "bits", "2 to 8 or 32 for gradients of trees"));
    return learn::gradient_precision(word[0] - '0');
  }
  return experiment::precision_of(word);
}

template <class T>
T only(const std::vector<T>& values, T otherwise, const char* flag) {
  if (values.size() > 1) throw UsageError(fmt::format("{}: one value for a code of labels", flag));
  return values.empty() ? otherwise : values.front();
}

/// All rows of the file, in its order, as the receiver of a message in a file will read them.
learn::Dataset every_row(const LearnCommand& c, const learn::SavedModel& shape) {
  std::filesystem::path path = c.options.data.path;
  if (!c.options.data.data_dir.empty() && path.is_relative() && !std::filesystem::exists(path))
    path = std::filesystem::path(c.options.data.data_dir) / path;
  learn::EncodedTable table = learn::read_for(shape, path.string(), c.labels);
  const auto labelled = std::count(table.has_label.begin(), table.has_label.end(), 1);
  if (table.data.rows == 0 || static_cast<std::size_t>(labelled) != table.data.rows)
    throw InputError("--message: rows that all have a label");
  return std::move(table.data);
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

int execute(const LabelCodesCommand& c, bool two_part, const Common& common) {
  const LearnCommand& shared = *c.shared;
  require_rows(shared);
  learn::Split split = load(shared);
  learn::Dataset& data = split.train;
  learn::SavedModel shape;
  if (!c.file.empty()) {
    shape = learn::shape_of(data);
    data = every_row(shared, shape);
    data.encoding = shape.encoding;
    data.source += ", all rows";
  }
  if (shared.options.shuffle_labels)
    shuffle(data.labels, RandomStream(shared.options.learner.seed, "label codes null"));
  const learn::EnergyTable energies =
      learn::EnergyTable::choose(shared.options.energy_table, shared.options.chip);
  report::LabelCodeReport report;
  report.command = common.command_line;
  report.data_source = data.source;
  report.two_part = two_part;
  report.rows = data.rows;
  report.columns = data.columns;
  report.classes = data.classes;
  report.shuffled = shared.options.shuffle_labels;
  report.table = &energies;
  report.learner = two_part ? "perceptron" : shared.options.learner.model;

  ProgressLine line(common);
  learn::Dataset inputs = data;  // what the receiver has
  if (!data.is_regression()) inputs.labels.assign(inputs.rows, 0);
  const int seeds = std::max(shared.options.seeds, 1);
  std::vector<std::uint8_t> message;
  learn::PrequentialOptions first;  // of the first message
  for (int i = 0; i < seeds; ++i) {
    report::LabelCodeRun run;
    run.seed = shared.options.learner.seed + static_cast<std::uint64_t>(i);
    std::vector<std::uint32_t> rebuilt;
    std::vector<std::uint8_t> sent;
    const auto began = std::chrono::steady_clock::now();
    if (two_part) {
      learn::TwoPartOptions o;
      o.hidden = only<std::size_t>(shared.options.hidden, 48, "--hidden");
      o.pool = c.pool;
      o.price = c.price;
      o.step = c.step;
      o.epochs = only(shared.options.epochs, o.epochs, "--epochs");
      o.batch = shared.batch.value_or(o.batch);
      o.learning_rate = shared.learning_rate.value_or(o.learning_rate);
      o.seed = run.seed;
      o.stop = stop_on_interrupt();
      o.progress = [&](double share) {
        line.draw([&](int) {
          return fmt::format("message {} of {}  {:.0f} %", i + 1, seeds, 100.0 * share);
        });
      };
      learn::TwoPartCode code = learn::two_part_encode(data, o);
      run.seconds = seconds_since(began);
      run.bits = code.total_bits;
      run.model_bits = code.model_bits;
      run.data_bits = code.data_bits;
      run.uniform = code.uniform;
      run.accuracy = code.accuracy;
      run.coefficients = code.coefficients;
      run.nonzero = code.nonzero;
      run.counters = code.counters;
      sent = std::move(code.message);
      rebuilt = learn::two_part_decode(inputs, sent);
      if (i == 0)
        report.knobs = {{"hidden", static_cast<double>(o.hidden)},
                        {"pool", code.pool},
                        {"price", o.price},
                        {"step", o.step},
                        {"learning_rate", o.learning_rate}};
    } else {
      learn::PrequentialOptions o;
      o.learner = shared.options.learner;
      o.learner.hidden = only<std::size_t>(shared.options.hidden, 256, "--hidden");
      o.learner.epochs = only(shared.options.epochs, 0.0, "--epochs");
      o.learner.batch = shared.batch.value_or(0);
      o.learner.learning_rate = shared.learning_rate.value_or(0.0);
      if (shared.threads > 0)
        o.learner.threads = shared.threads;
      else if (experiment::learns_trees(o.learner))
        o.learner.threads =
            static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
      o.tree = shared.options.tree;
      o.tree.learning_rate = shared.learning_rate.value_or(0.0);
      o.tree.trees = only<std::size_t>(shared.options.trees, 0, "--trees");
      o.tree.leaves = only<std::size_t>(shared.options.leaves, 0, "--leaves");
      o.tree.depth = only<std::size_t>(shared.options.depth, 0, "--depth");
      o.tree.bins = only<std::size_t>(shared.options.bins, o.tree.bins, "--bins");
      o.precision = precision_of(shared);
      o.first = c.first;
      o.growth = c.growth;
      o.members = c.members;
      o.shifts = c.shifts;
      o.seed = run.seed;
      o.stop = stop_on_interrupt();
      o.progress = [&](std::size_t told, std::size_t rows) {
        line.draw([&](int) {
          return fmt::format("order {} of {}  {} of {} labels", i + 1, seeds, told, rows);
        });
      };
      learn::PrequentialCode code = learn::prequential_encode(data, o);
      run.seconds = seconds_since(began);
      run.bits = 8.0 * static_cast<double>(code.message.size());
      run.data_bits = code.bits;
      run.uniform = code.uniform;
      run.blocks = std::move(code.blocks);
      run.counters = code.counters;
      sent = std::move(code.message);
      if (c.verify) rebuilt = learn::prequential_decode(inputs, sent, o);
      if (i == 0) first = o;
      if (i == 0)
        report.knobs = {{"hidden", static_cast<double>(o.learner.hidden)},
                        {"first", static_cast<double>(o.first)},
                        {"growth", o.growth},
                        {"members", o.members},
                        {"shifts", o.shifts ? 1.0 : 0.0}};
    }
    run.decoded = !rebuilt.empty();
    CARNOT_CHECK(!run.decoded || rebuilt == data.labels, "a message gives its labels back");
    if (i == 0) message = std::move(sent);
    report.runs.push_back(std::move(run));
  }
  line.clear();
  if (!c.file.empty()) {
    const std::vector<std::uint8_t> file =
        learn::pack_labels(learn::label_message(shape, data, message, two_part, first));
    write_file(c.file, {reinterpret_cast<const char*>(file.data()), file.size()});
    say(common, fmt::format("labels: {} ({} bytes of code, {} of columns, classes and options)",
                            c.file, message.size(), file.size() - message.size()));
  }
  if (!c.output.empty())
    write_file(c.output, {reinterpret_cast<const char*>(message.data()), message.size()});
  show(shared, common, report::to_json(report),
       report::to_terminal(report, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::to_html(report); });
  return kOk;
}

void add_one(CLI::App& learn, const Common& common, Action& action, const SharedLearn& shared,
             bool two_part) {
  auto c = std::make_shared<LabelCodesCommand>();
  c->shared = shared;
  CLI::App* command =
      two_part ? learn.add_subcommand("two-part",
                                      "Labels as a small perceptron and what it leaves to say; "
                                      "the message is written and read back")
               : learn.add_subcommand("prequential",
                                      "Labels told block by block under learners trained on those "
                                      "told before; flags of `learn` hold");
  command->add_option("data", shared->options.data.path, "As of `carnot learn`")->required();
  if (two_part) {
    command->add_option("--price", c->price,
                        "Bits that doubling a coefficient counts in training; more makes the model "
                        "smaller (default: 7)");
    command->add_option("--step", c->step, "Of the coefficients' grid (default: 0.25)");
    command->add_option("--pool", c->pool,
                        "Pixels a side that become one (default: 2 for pictures of 16 or more)");
  } else {
    command->add_option("--first", c->first, "Rows before the first training (default: 64)");
    command->add_option("--growth", c->growth,
                        "Of the rows from one training to the next (default: 1.5)");
    command->add_option("--members", c->members, "Learners whose mean tells (default: 2)");
    command->add_flag("--shifts", c->shifts,
                      "Of pictures: train on each also moved by a pixel, at random");
    command->add_flag("--verify", c->verify, "Also decode, which trains it all again");
  }
  command->add_option("--output,-o", c->output, "Write the (first) message here");
  command->add_option("--message", c->file,
                      "Code all rows of the file, and write a file from which `carnot decode "
                      "--inputs` has their labels back");
  command->fallthrough();
  command->callback([c, two_part, &common, &action] {
    action = [c, two_part, &common] { return execute(*c, two_part, common); };
  });
}

}  // namespace

void add_learn_label_codes(CLI::App& learn, const Common& common, Action& action,
                           const SharedLearn& shared) {
  add_one(learn, common, action, shared, false);
  add_one(learn, common, action, shared, true);
}

}  // namespace carnot::app
