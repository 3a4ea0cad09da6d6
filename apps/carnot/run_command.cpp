// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/report/draw/progress.hpp"
#include "carnot/report/run/result.hpp"
#include "carnot/train/run.hpp"

#include "command.hpp"
#include "follow_command.hpp"
#include "session.hpp"
#include "sites_command.hpp"

namespace carnot::app {

namespace {

struct RunCommand {
  std::string scenario, out, html, data_dir, resume;
  std::vector<std::string> policies, precisions, set;
  std::optional<std::uint64_t> seed;
  double speed = 0.0;
  int threads = 1;
  bool force = false;
  FollowCommand follow;
  SitesCommand sites;
};

/// Feeds the progress line from the loop.
class Progress {
 public:
  explicit Progress(const Common& common) : line_(common) {}
  void operator()(const train::RunProgress& p) {
    recent_.push_back(p.own_power.in(watt));
    if (recent_.size() > 48) recent_.erase(recent_.begin());
    line_.draw([&](int width) {
      report::ProgressState state;
      state.policy = p.policy;
      state.share_done = (static_cast<double>(p.lane) + p.share_done) /
                         static_cast<double>(std::max<std::size_t>(1, p.lanes));
      state.energy = p.energy;
      state.own_now = p.own_power;
      state.own_recent = recent_;
      state.throttle = p.throttle;
      state.mode = p.mode;
      state.eta = -1.0 * second;
      return report::progress_line(state, width);
    });
  }

 private:
  ProgressLine line_;
  std::vector<double> recent_;
};

int execute(const RunCommand& c, const Common& common) {
  if (c.follow.asked()) {
    if (!c.scenario.empty() || !c.policies.empty() || !c.resume.empty() || !c.out.empty())
      throw UsageError("--follow: a command or a process, not a scenario");
    return follow(c.follow, common, c.speed);
  }
  if (c.sites.asked()) {
    if (!c.scenario.empty() || !c.resume.empty() || !c.out.empty() || !c.html.empty() ||
        !c.set.empty() || c.speed != 0.0 || !common.job.empty())
      throw UsageError(
          "--sites FILE: only --policy, --starts, --every, --data-dir, --json go with it");
    return run_sites(c.sites, common, c.policies, c.data_dir);
  }
  if (c.sites.starts != 0) throw UsageError("--starts goes with --sites FILE");
  if (!common.job.empty())
    throw UsageError(
        "words after -- are a command to follow: carnot run --follow PROFILE -- COMMAND");
  watch_for_interrupt();
  train::RunOptions options;
  options.policies = c.policies;
  options.precisions = c.precisions;
  options.overrides = c.set;
  if (c.seed) options.overrides.push_back(fmt::format("seed={}", *c.seed));
  options.data_dir = c.data_dir;
  options.journal = c.out;
  options.command = common.command_line;
  options.speed = c.speed;
  options.threads = c.threads;
  options.interrupted = interrupt_question();
  const auto progress = std::make_shared<Progress>(common);
  options.progress = [progress](const train::RunProgress& p) { (*progress)(p); };

  train::RunSummary summary;
  if (!c.resume.empty()) {
    if (!c.scenario.empty() || !c.policies.empty() || !c.set.empty() || c.seed || !c.out.empty())
      throw UsageError(
          "--resume: the journal holds scenario, policies, seed and settings; only "
          "--data-dir, --html, --json, --quiet go with it");
    summary = train::resume_run(c.resume, options);
  } else {
    if (c.scenario.empty()) throw UsageError("SCENARIO.toml or --resume JOURNAL is needed");
    const site::Scenario scenario = site::read_scenario(c.scenario, options.overrides);
    if (!c.out.empty()) {
      const auto folder = std::filesystem::path(c.out).parent_path();
      std::error_code ignored;
      if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
      options.replace_journal = c.force;
    }
    summary = train::run_scenario(scenario, options);
  }
  progress->operator()({});  // nothing more to draw
  const std::string journal = c.resume.empty() ? c.out : c.resume;
  const report::RunResult result = report::summarise(summary.entries);
  // Figures first: a page that cannot be written must not take them along.
  if (common.json) {
    print(report::to_json(result));
  } else {
    print(report::to_terminal(result, terminal_width(STDOUT_FILENO), is_terminal(STDOUT_FILENO)));
  }
  offer_page(c.html, [&] { return report::to_html(result); });
  if (!summary.complete) {
    say(common, journal.empty()
                    ? "interrupted"
                    : fmt::format("interrupted; go on with: carnot run --resume {}", journal));
    return kInterrupted;
  }
  if (!journal.empty()) say(common, fmt::format("ledger: {}", journal));
  if (!c.html.empty())
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
  return summary.any_target_reached ? kOk : kOutcomeSaysNo;
}

}  // namespace

void add_run(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<RunCommand>();
  CLI::App* command = app.add_subcommand(
      "run",
      "Train on the power there is: run a scenario under policies, side by side; or keep a command "
      "within a power profile: run --follow PROFILE -- COMMAND");
  command->add_option("scenario", c->scenario, "Scenario file (TOML); docs/formats/scenario.md");
  command
      ->add_option(
          "--policy,-p", c->policies,
          "Policies: grid-f32, pause-resume, fixed:MODE, paper, cpt, pfq, adaptive, oracle "
          "(default: the scenario's)")
      ->delimiter(',');
  command
      ->add_option("--precisions", c->precisions, "Modes of the job (default: f32,bf16,int8,int4)")
      ->delimiter(',');
  command->add_option("--set", c->set, "Override a key of the scenario, such as work.epochs=2");
  command->add_option("--seed", c->seed, "Override the scenario's seed")
      ->check(CLI::Validator(whole_number, ""));
  command->add_option("--data-dir", c->data_dir, "Where relative data paths are looked up first");
  command->add_option("--out,-o", c->out, "Write the ledger's journal here");
  command->add_flag("--force", c->force, "Replace the journal if it exists");
  command->add_option("--html", c->html, "Write the report page here");
  command->add_option("--resume", c->resume, "Go on with an interrupted run's journal");
  command->add_option("--speed", c->speed, "Live on a wall clock: site seconds in a real second")
      ->check(CLI::Validator(positive_number, ""));
  command->add_option("--threads", c->threads, "Threads of the learner")->check(CLI::Range(1, 256));
  add_follow_flags(*command, c->follow);
  add_sites_flags(*command, c->sites);
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
