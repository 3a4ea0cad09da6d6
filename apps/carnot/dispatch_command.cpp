// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"
#include "carnot/live/slurm/dispatch.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

struct DispatchCommand {
  std::string config, why;
  bool dry_run = false, once = false, release = false, allow_root = false;
};

double percentile(std::vector<double> values, double q) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

int run_dispatch(const DispatchCommand& c, const Common& common) {
  if (c.config.empty()) throw UsageError("dispatch: CONFIG.toml");
  if (c.dry_run + c.once + c.release + !c.why.empty() > 1)
    throw UsageError("--dry-run, --once, --release, --why: one of them");
  const live::DispatchConfig config = live::read_dispatch_config(c.config);
  if (!c.why.empty()) {
    print(live::why_words(config, c.why));
    return kOk;
  }
  live::DispatchRun run;
  run.task = c.dry_run   ? live::DispatchTask::DryRun
             : c.once    ? live::DispatchTask::Once
             : c.release ? live::DispatchTask::Release
                         : live::DispatchTask::Run;
  run.allow_root = c.allow_root;
  run.say = [&common](const std::string& words) { say(common, words); };
  run.print = [](const std::string& words) { print(words); };
  const live::DispatchSummary s = live::dispatch(config, run, stop_on_interrupt());
  if (common.json) {
    print(nlohmann::ordered_json{{"schema", "carnot.dispatch/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"command", common.command_line},
                                 {"run", config.run},
                                 {"commands", s.commands},
                                 {"failed", s.failed},
                                 {"looks", s.looks},
                                 {"jobs", s.result.jobs},
                                 {"finished", s.result.finished},
                                 {"late", s.result.late},
                                 {"starts", s.result.starts},
                                 {"suspensions", s.result.suspensions},
                                 {"moves", s.result.moves},
                                 {"origin", "modelled"},
                                 {"boundary", "facility"},
                                 {"energy_j", s.result.flows.facility.in(joule)},
                                 {"grid_energy_j", s.result.flows.grid.in(joule)},
                                 {"carbon_g", s.result.flows.carbon.in(gram)},
                                 {"cost_eur", s.result.flows.cost.in(euro)},
                                 {"start_s_median", percentile(s.latency_s, 0.5)},
                                 {"start_s_95", percentile(s.latency_s, 0.95)}}
              .dump(2) +
          "\n");
  } else if (!c.dry_run) {
    print(fmt::format(
        "{} commands, {} failed, {} looks; {} jobs, {} finished, {} starts, {} stops, {} moves\n"
        "{} at the facilities (modelled), {} and {} of grid power\n",
        s.commands, s.failed, s.looks, s.result.jobs, s.result.finished, s.result.starts,
        s.result.suspensions, s.result.moves, format(s.result.flows.facility),
        format(s.result.flows.carbon), format(s.result.flows.cost)));
  }
  return kOk;
}

}  // namespace

void add_dispatch(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<DispatchCommand>();
  CLI::App* command = app.add_subcommand(
      "dispatch", "Slurm clusters under a policy or a plan: when and where their jobs run");
  command->add_option("config", c->config, "CONFIG.toml: sites, power and prices, policy, jobs");
  command->add_flag("--dry-run", c->dry_run, "Prints every command with its reason and gives none");
  command->add_flag("--once", c->once, "Looks, orders and ends, as for a timer");
  command->add_flag("--release", c->release,
                    "Takes back begin times, suspensions and reservations, and ends");
  command->add_option("--why", c->why, "What was ordered for a job, and why");
  command->add_flag("--allow-root", c->allow_root, "Works as root, which is else refused");
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return run_dispatch(*c, common); }; });
}

}  // namespace carnot::app
