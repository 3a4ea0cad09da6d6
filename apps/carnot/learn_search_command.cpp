// SPDX-License-Identifier: Apache-2.0
// carnot learn search: hyperparameters for few joules.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/experiment/search.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/learn/search/search_method.hpp"
#include "carnot/report/learn/search.hpp"

#include "learn_command.hpp"

namespace carnot::app {

namespace {

struct SearchCommand {
  SharedLearn shared;
  experiment::SearchOptions options;
  std::string space, save;
};

int execute(const SearchCommand& c, const Common& common) {
  require_rows(*c.shared);
  const learn::Split split = load(*c.shared);
  experiment::SearchOptions o = c.options;
  o.experiment = fitted_options(*c.shared, common, split);
  if (!o.experiment.bits.empty() || !o.experiment.hidden.empty() || !o.experiment.trees.empty() ||
      !o.experiment.leaves.empty() || !o.experiment.bins.empty() ||
      !c.shared->options.epochs.empty())
    throw UsageError("search: knobs have ranges, of a --space file; docs/formats/search.md");
  o.space =
      learn::default_search_space(o.experiment.learner.model, o.experiment.learner.learning_rate);
  if (!c.space.empty()) o.space = learn::read_search_space(read_file(c.space), c.space, o.space);
  if (c.shared->save_bits != 32) throw UsageError("--save-bits: a search saves as trained");
  if (o.resume && o.journal.empty()) throw UsageError("--resume: with the --journal to go on with");
  const auto line = std::make_shared<ProgressLine>(common);
  o.progress = [line](const std::string& method, std::size_t trials, Energy spent) {
    line->draw([&](int) {
      return fmt::format("{}  {} trials  {:.3g} J", method, trials, spent.in(joule));
    });
  };
  learn::SavedModel model;
  const experiment::SearchResult r = experiment::run_search(o, split, &model);
  line->clear();
  const std::string save = c.save.empty() ? c.shared->save : c.save;
  if (!save.empty() && r.lanes.front().best) {
    learn::save_model(model, save);
    say(common, fmt::format("model: {}", save));
  }
  show(*c.shared, common, report::search_json(r),
       report::search_terminal(r, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::search_html(r); });
  if (r.stopped) {
    say(common, "interrupted; what was found until then is above");
    return kInterrupted;
  }
  return r.lanes.front().best ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_learn_search(CLI::App& learn, const Common& common, Action& action,
                      const SharedLearn& shared) {
  auto c = std::make_shared<SearchCommand>();
  c->shared = shared;
  experiment::SearchOptions& o = c->options;
  CLI::App* command = learn.add_subcommand(
      "search",
      "Hyperparameters found for few joules, beside rivals under the same joules; flags "
      "of `learn` hold, --budget for each method");
  command->add_option("data", shared->options.data.path, "As of `carnot learn`")->required();
  command->add_option("--method", o.method, "frugal, bayes, random or grid (default: frugal)")
      ->check(CLI::IsMember(learn::search_method_names()));
  command->add_option("--rivals", o.rivals, "Other methods, run under the same joules")
      ->check(CLI::IsMember(learn::search_method_names()))
      ->delimiter(',');
  command->add_option("--iterations", o.iterations,
                      "Trials of bayes, random and grid, at most (default: 50)");
  command->add_option("--space", c->space, "TOML of the knobs' ranges; docs/formats/search.md");
  command->add_option("--validation", o.validation,
                      "Share of the training rows that judge trials (default: 0.2)");
  command->add_option("--eta", o.eta, "Of successive halving (default: 4)");
  command->add_option("--slack", o.slack,
                      "Share of loss and code that counts as gain (default: 0.01)");
  command->add_option("--patience", o.patience,
                      "Trials on all rows without gain that end frugal (default: 4; 0: never)");
  command->add_option("--journal", o.journal, "Book every trial here; docs/formats/journal.md");
  command->add_flag("--resume", o.resume, "Go on with that journal where it is there");
  command->add_option("--save-model", c->save, "Write the best model here, for `carnot predict`");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
