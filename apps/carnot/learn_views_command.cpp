// SPDX-License-Identifier: Apache-2.0
// carnot learn structure, cycle, tradeoff, budget: one question of a data set each.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/report/learn/knob.hpp"
#include "carnot/report/learn/views.hpp"

#include "learn_command.hpp"

namespace carnot::app {

namespace {

struct ViewsCommand {
  SharedLearn shared;
  // structure
  std::vector<std::size_t> sizes;
  double price = 7.0, joule_price = 0.0;
  int patience = 2;
  bool exhaustive = false;
  // cycle
  bool bounds = false;
  // tradeoff
  std::string out, full_time = "12 h", full_power = "1 kW";
  double euro_per_point = 1.0;
  std::string knob, start;
  std::vector<std::string> values;
  // budget
  std::vector<std::string> budgets;
};

void draw_runs(experiment::ExperimentOptions& options, const std::shared_ptr<ProgressLine>& line) {
  options.progress = [line](const experiment::ExperimentProgress& p) {
    line->draw([&](int) {
      return fmt::format("run {} of {}  {}  step {} of {}  {:.3g} J", p.run + 1, p.runs,
                         p.precision, p.steps, p.total_steps, p.energy.in(joule));
    });
    return !interrupted();
  };
}

/// Where nothing was said, the formats there are to choose from.
void default_bits(experiment::ExperimentOptions& options) {
  if (!options.bits.empty()) return;
  options.bits = experiment::learns_trees(options.learner)
                     ? std::vector<std::string>{"32", "5", "3", "2"}
                     : std::vector<std::string>{"32", "16", "8", "4"};
}

int structure(const ViewsCommand& c, const Common& common) {
  require_rows(*c.shared);
  const learn::Split split = load(*c.shared);
  experiment::StructureOptions o;
  o.experiment = fitted_options(*c.shared, common, split);
  o.rungs = c.sizes;
  o.price = c.price;
  o.joule_price = c.joule_price;
  o.patience = c.patience;
  o.exhaustive = c.exhaustive;
  const auto line = std::make_shared<ProgressLine>(common);
  o.progress = [line](const std::string& rung, std::size_t at, std::size_t of) {
    line->draw([&](int) { return fmt::format("size {} of {}: {}", at + 1, of, rung); });
  };
  const learn::EnergyTable energies =
      learn::EnergyTable::choose(o.experiment.energy_table, o.experiment.chip);
  const experiment::StructureResult r = experiment::walk_structure(o, split, energies);
  line->clear();
  show(*c.shared, common, report::structure_json(r, common.command_line),
       report::structure_terminal(r, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::structure_html(r, common.command_line); });
  return kOk;
}

int cycle(const ViewsCommand& c, const Common& common) {
  const learn::Split split = load(*c.shared);
  experiment::ExperimentOptions o = fitted_options(*c.shared, common, split);
  default_bits(o);
  const auto line = std::make_shared<ProgressLine>(common);
  draw_runs(o, line);
  const experiment::ExperimentResult r = experiment::run_experiment(o, split);
  if (r.stopped) throw Stopped();
  experiment::ThermodynamicBounds bounds;
  if (c.bounds) bounds = experiment::check_bounds(o.learner.seed);
  line->clear();
  show(*c.shared, common, report::cycle_json(r, bounds),
       report::cycle_terminal(r, bounds, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::cycle_html(r, bounds); });
  return kOk;
}

int turn_knob(const ViewsCommand& c, const Common& common) {
  if (!c.out.empty()) throw UsageError("--out: modes are of tradeoff without --knob");
  const learn::Split split = load(*c.shared);
  const experiment::ExperimentOptions o = fitted_options(*c.shared, common, split);
  const experiment::KnobResult r = experiment::knob_curve(
      o, split, c.knob,
      c.values.empty() ? experiment::knob_settings(c.knob, split.train) : c.values, c.start);
  show(*c.shared, common, report::knob_json(r),
       report::knob_terminal(r, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::knob_html(r); });
  return kOk;
}

int tradeoff(const ViewsCommand& c, const Common& common) {
  if (!c.knob.empty()) return turn_knob(c, common);
  if (!c.values.empty() || !c.start.empty())
    throw UsageError("--values, --start: of tradeoff --knob");
  report::ModeFiles files;
  files.full_time = parse_as<Time>(c.full_time);
  files.full_power = parse_as<Power>(c.full_power);
  files.euro_per_point = c.euro_per_point;
  if (!(files.full_time > Time{}) || !(files.full_power > Power{}))
    throw InputError("--full-time and --full-power: above 0");
  const learn::Split split = load(*c.shared);
  experiment::ExperimentOptions o = fitted_options(*c.shared, common, split);
  default_bits(o);
  const auto line = std::make_shared<ProgressLine>(common);
  draw_runs(o, line);
  const experiment::ExperimentResult result = experiment::run_experiment(o, split);
  if (result.stopped) throw Stopped();
  experiment::TradeoffResult r = experiment::tradeoff(result);
  line->clear();
  const std::string& path = c.shared->options.data.path;
  r.data_path =
      path == "digits" || path == "mnist" ? path : std::filesystem::absolute(path).string();
  r.labels = c.shared->label.empty() ? c.shared->labels : c.shared->label;
  if (!c.out.empty()) {
    const std::filesystem::path folder = c.out;
    files.name = std::filesystem::path(path).stem().string();
    if (!experiment::learns_trees(o.learner))
      write_file(folder / "scenario.toml", report::modes_scenario(r, files), Directories::Create);
    write_file(folder / "problem.json", report::modes_problem(r, files), Directories::Create);
    write_file(folder / "jobs.csv", report::modes_jobs(r, files), Directories::Create);
    say(common, fmt::format("modes: {}/{}problem.json (plan), jobs.csv (simulate)", c.out,
                            experiment::learns_trees(o.learner) ? "" : "scenario.toml (run), "));
  }
  show(*c.shared, common, report::tradeoff_json(r),
       report::tradeoff_terminal(r, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::tradeoff_html(r); });
  return kOk;
}

int budget(const ViewsCommand& c, const Common& common) {
  std::vector<Energy> budgets;
  for (const std::string& text : c.budgets) budgets.push_back(parse_as<Energy>(text));
  const learn::Split split = load(*c.shared);
  experiment::ExperimentOptions o = fitted_options(*c.shared, common, split);
  default_bits(o);
  const auto line = std::make_shared<ProgressLine>(common);
  draw_runs(o, line);
  const experiment::BudgetResult r = experiment::best_under(o, split, budgets);
  line->clear();
  show(*c.shared, common, report::budget_json(r),
       report::budget_terminal(r, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)),
       [&] { return report::budget_html(r); });
  return kOk;
}

using View = int (*)(const ViewsCommand&, const Common&);

CLI::App* add_view(CLI::App& learn, const Common& common, Action& action,
                   const std::shared_ptr<ViewsCommand>& c, const char* name, const char* does,
                   View view) {
  CLI::App* command = learn.add_subcommand(name, does);
  command->add_option("data", c->shared->options.data.path, "As of `carnot learn`")->required();
  command->fallthrough();
  command->callback(
      [c, view, &common, &action] { action = [c, view, &common] { return view(*c, common); }; });
  return command;
}

}  // namespace

void add_learn_views(CLI::App& learn, const Common& common, Action& action,
                     const SharedLearn& shared) {
  auto c = std::make_shared<ViewsCommand>();
  c->shared = shared;
  CLI::App* command = add_view(
      learn, common, action, c, "structure",
      "How much model the labels pay for: the structure function, k*, and an end to larger models "
      "once they stop paying; flags of `learn` hold",
      structure);
  command->add_option("--sizes", c->sizes, "Rising: hidden units, or leaves of trees")
      ->delimiter(',');
  command->add_option("--price", c->price, "As of two-part (default: 7)");
  command->add_option("--joule-price", c->joule_price,
                      "Bits that a joule is worth, for the energy-priced optimum (default: 0)");
  command->add_option("--patience", c->patience,
                      "Sizes without a shorter code that end the walk (default: 2)");
  command->add_flag("--exhaustive", c->exhaustive, "Train all sizes, to see what the end left out");

  command = add_view(learn, common, action, c, "cycle",
                     "The four legs of the learning cycle, their joules and temperatures, for each "
                     "precision; flags of `learn` hold",
                     cycle);
  command->add_flag("--bounds", c->bounds,
                    "Also the bounds of Goldt and Seifert, Still, and Kolchinsky and Wolpert, on "
                    "systems small enough to follow exactly");

  command = add_view(learn, common, action, c, "tradeoff",
                     "Throughput, energy and quality of every way to do the job, and its modes as "
                     "files for run, plan and simulate; flags of `learn` hold",
                     tradeoff);
  command->add_option("--out", c->out, "Folder for scenario.toml, problem.json and jobs.csv");
  command
      ->add_option("--knob", c->knob,
                   "Turn this knob alone and show the energy and quality of each setting")
      ->check(CLI::IsMember(experiment::knob_names()));
  command
      ->add_option("--values", c->values,
                   "Its settings: numbers; of rows, prune and transfer shares (default: a few)")
      ->delimiter(',');
  command->add_option("--start", c->start, "Of transfer: the saved model to start from");
  command->add_option("--full-time", c->full_time, "Of the best mode on the site (default: 12 h)");
  command->add_option("--full-power", c->full_power, "Its IT power there (default: 1 kW)");
  command->add_option("--euro-per-point", c->euro_per_point,
                      "What a hundredth of quality is worth in the plan (default: 1)");

  command = add_view(learn, common, action, c, "budget",
                     "The best quality that each energy buys; flags of `learn` hold", budget);
  command->add_option("--budgets", c->budgets, "Rising energies, such as '1 mJ,10 mJ'")
      ->delimiter(',')
      ->required();
}

}  // namespace carnot::app
