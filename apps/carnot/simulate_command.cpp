// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/version.hpp"
#include "carnot/report/simulate/simulate.hpp"
#include "carnot/simulate/ensemble.hpp"
#include "carnot/simulate/event_log.hpp"
#include "carnot/simulate/fleet_bound.hpp"
#include "carnot/simulate/fleet_source.hpp"

#include "command.hpp"
#include "simulate_options.hpp"

namespace carnot::app {

namespace {

constexpr Duration kBetweenCheckpoints = Duration::seconds(30 * 86400);

/// What goes with one policy alone.
void check_together(const SimulateCommand& c) {
  const bool single = !c.events.empty() || !c.checkpoint.empty() || !c.resume.empty();
  if (single && (c.policies.size() != 1 || c.ensemble > 0))
    throw UsageError("--events, --checkpoint and --resume: with one policy, without --ensemble");
}

std::string progress_text(const std::string& policy, std::uint64_t done, std::uint64_t jobs,
                          Instant now, int width) {
  return fmt::format("{}: {} of {} jobs, {}", policy, done, jobs, now.iso8601())
      .substr(0, static_cast<std::size_t>(std::max(width, 1)));
}

/// A policy at work, or done.
struct PolicyRun {
  std::unique_ptr<control::Policy> scheduler;
  std::unique_ptr<simulate::FleetSimulation> simulation;
  double seconds = 0;

  simulate::FleetResult result(const std::string& policy, Instant until) const {
    simulate::FleetResult r = simulation->result(until);
    r.policy = policy;
    r.seconds = seconds;
    return r;
  }
};

/// A simulation as it was between two events, to go on from if the next is cut short.
class Keeper {
 public:
  Keeper(const SimulateCommand& c, const simulate::FleetSimulation& simulation,
         const simulate::FleetLog& log)
      : path_(c.checkpoint), logged_(!c.events.empty()), simulation_(simulation), log_(log) {
    look();
  }
  /// Between two events: now and then, so that it costs little.
  void look() {
    if (path_.empty()) return;
    const auto now = Clock::now();
    if (now - looked_ < kOften || now - looked_ < kLittle * cost_) return;
    kept_.state = simulation_.save();
    log_size_ = log_.text().size();
    looked_ = Clock::now();
    cost_ = looked_ - now;
  }
  /// What was there at the last look, or is there now.
  void write(bool now) {
    if (path_.empty()) return;
    if (now) {
      kept_.state = simulation_.save();
      log_size_ = log_.text().size();
    }
    kept_.log = logged_ ? log_.text().substr(0, log_size_) : std::string();
    write_file(path_, simulate::to_bytes(kept_), Directories::Create);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kOften{500};
  static constexpr int kLittle = 50;  // times what a look costs goes by until the next

  std::string path_;
  bool logged_;
  const simulate::FleetSimulation& simulation_;
  const simulate::FleetLog& log_;
  simulate::FleetCheckpoint kept_;
  std::size_t log_size_ = 0;
  Clock::time_point looked_{};
  Clock::duration cost_{};
};

/// One policy to its end; nothing if it was interrupted.
std::optional<PolicyRun> run_policy(const SimulateCommand& c, const SimulateInput& in,
                                    const std::string& policy, const Common& common) {
  const auto began = std::chrono::steady_clock::now();
  PolicyRun out;
  out.scheduler = control::make_policy(policy, in.scheduler);
  out.simulation =
      std::make_unique<simulate::FleetSimulation>(in.fleet, in.jobs, in.options, *out.scheduler);
  simulate::FleetSimulation& simulation = *out.simulation;
  simulate::FleetLog log;
  if (!c.resume.empty()) {
    const simulate::FleetCheckpoint checkpoint =
        simulate::checkpoint_of(read_input(c.resume), c.resume);
    if (!c.events.empty() && checkpoint.log.empty())
      throw UsageError("--events: the checkpoint was made without it");
    simulation.restore(checkpoint.state);
    log = simulate::FleetLog(checkpoint.log);
  }
  if (!c.events.empty()) simulation.watch([&](const simulate::FleetEvent& e) { log.add(e); });
  Keeper keeper(c, simulation, log);
  ProgressLine line(common);
  Instant next = simulation.now() + kBetweenCheckpoints;
  try {
    for (std::uint64_t steps = 0; simulation.step(); ++steps) {
      if (interrupted()) {
        keeper.write(true);
        return std::nullopt;
      }
      keeper.look();
      if (steps % 64 != 0) continue;
      line.draw([&](int width) {
        return progress_text(policy, simulation.finished(), in.jobs.size(), simulation.now(),
                             width);
      });
      if (steps % 1024 == 0 && simulation.now() >= next) {
        keeper.write(true);
        next = simulation.now() + kBetweenCheckpoints;
      }
    }
  } catch (const Stopped&) {
    keeper.write(false);
    return std::nullopt;
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!c.events.empty()) {
    log.close(simulation.result());
    write_file(c.events, log.text(), Directories::Create);
  }
  return out;
}

std::vector<simulate::FleetResult> run_ensemble(const SimulateCommand& c, const SimulateInput& in,
                                                const std::string& policy, const Common& common) {
  ProgressLine line(common);
  simulate::EnsembleOptions ensemble;
  ensemble.members = c.ensemble;
  ensemble.threads = c.threads;
  ensemble.stop = in.scheduler.stop;
  ensemble.ranks = common.ranks;
  if (common.ranks != nullptr && c.threads == 0) ensemble.threads = 1;
  ensemble.progress = [&](std::size_t done) {
    line.draw([&](int) { return fmt::format("{}: {} of {} members", policy, done, c.ensemble); });
    return !interrupted();
  };
  std::vector<simulate::FleetResult> members = simulate::simulate_ensemble(
      in.fleet, in.jobs, in.options, [&] { return control::make_policy(policy, in.scheduler); },
      ensemble);
  for (simulate::FleetResult& member : members) member.policy = policy;
  return members;
}

int simulate(const SimulateCommand& c, const Common& common) {
  check_together(c);
  if (common.ranks != nullptr && common.ranks->size() > 1 && c.ensemble == 0)
    throw UsageError("over several ranks: with --ensemble");
  const StopToken stop = stop_on_interrupt();
  report::SimulateReport report;
  report.command = common.command_line;
  report.started = Instant::now().iso8601();
  report.seed = c.seed;
  const SimulateInput in = simulate_input(c, stop);
  for (const std::string& policy : c.policies) control::make_policy(policy, in.scheduler);
  report.jobs = in.jobs.provenance;
  report.sites = in.fleet.provenance;
  // All are counted to the end of the longest: free nodes draw power, too.
  std::vector<PolicyRun> done;
  Instant end = in.options.begin;
  bool ensembles_whole = true;
  for (const std::string& policy : c.policies) {
    if (c.ensemble > 0) {
      report::SimulateRun run;
      run.members = run_ensemble(c, in, policy, common);
      if (interrupted() && !run.members.empty() && run.members.size() < c.ensemble)
        say(common, fmt::format("{}: {} of {} members", policy, run.members.size(), c.ensemble));
      const bool has_them = common.ranks == nullptr || common.ranks->rank() == 0;
      ensembles_whole = !has_them || run.members.size() == c.ensemble;
      // All ranks go on, or none does.
      const bool all_whole =
          common.ranks == nullptr ? ensembles_whole : !common.ranks->any(!ensembles_whole);
      if (has_them && !run.members.empty()) {
        run.result = run.members.front();
        report.runs.push_back(std::move(run));
      }
      if (!all_whole) break;
    } else {
      std::optional<PolicyRun> run = run_policy(c, in, policy, common);
      if (!run) break;
      end = std::max(end, run->simulation->now());
      done.push_back(std::move(*run));
    }
  }
  if (common.ranks != nullptr && common.ranks->rank() > 0)
    return interrupted() ? kInterrupted : kOk;
  for (std::size_t i = 0; i < done.size(); ++i)
    report.runs.push_back({done[i].result(c.policies[i], end), std::nullopt, {}});
  for (report::SimulateRun& run : report.runs) try {
      run.bound = simulate::fleet_cost_bound(in.fleet, in.jobs, in.options, run.result.end, stop);
    } catch (const Stopped&) {  // the result stands without it
    }
  Instant last = end;
  for (const report::SimulateRun& run : report.runs) last = std::max(last, run.result.end);
  report.sites += simulate::rounds_words(in.fleet, last);
  const bool whole = ensembles_whole && report.runs.size() == c.policies.size();
  if (!whole) {
    say(common, c.checkpoint.empty()
                    ? std::string("interrupted")
                    : fmt::format("interrupted; go on with --resume {}", c.checkpoint));
    if (report.runs.empty()) return kInterrupted;
  }
  print(common.json ? report::simulate_json(report)
                    : report::simulate_terminal(report, terminal_width(STDOUT_FILENO),
                                                is_terminal(STDOUT_FILENO)));
  return whole ? kOk : kInterrupted;
}

int replay(const SimulateCommand& c, const Common& common) {
  const SimulateInput in = simulate_input(c, {});
  const simulate::FleetReplay replayed =
      simulate::replay(read_input(c.replay), c.replay, in.fleet, in.jobs, in.options);
  const simulate::FleetFlows& f = replayed.result.flows;
  const bool holds = replayed.violations.empty();
  if (common.json) {
    print(nlohmann::ordered_json{{"schema", "carnot.simulate-replay/1"},
                                 {"carnot", std::string(kVersion)},
                                 {"seed", c.seed},
                                 {"command", common.command_line},
                                 {"events", replayed.events},
                                 {"holds", holds},
                                 {"violations", replayed.violations},
                                 {"finished", replayed.result.finished},
                                 {"energy_j", f.facility.in(joule)},
                                 {"grid_energy_j", f.grid.in(joule)},
                                 {"carbon_g", f.carbon.in(gram)},
                                 {"cost_eur", f.cost.in(euro)}}
              .dump(2) +
          "\n");
  } else {
    for (const std::string& words : replayed.violations) print("violated: " + words + "\n");
    print(fmt::format("{}: {} events, {}\n", c.replay, replayed.events,
                      holds ? "the totals hold to the last bit" : "the totals do not hold"));
  }
  return holds ? kOk : kOutcomeSaysNo;
}

int list_policies() {
  std::vector<control::PolicyInfo> fleets;
  for (const control::PolicyInfo& info : control::policy_list())
    if (info.scope == control::Scope::Fleet) fleets.push_back(info);
  std::size_t width = 0;
  for (const control::PolicyInfo& info : fleets) width = std::max(width, info.name.size());
  for (const control::PolicyInfo& info : fleets)
    print(fmt::format("{:<{}}  {} ({})\n", info.name, width, info.what, info.source));
  return kOk;
}

}  // namespace

void add_simulate(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<SimulateCommand>();
  CLI::App* command =
      app.add_subcommand("simulate", "A fleet of sites works through a job trace under policies");
  add_simulate_flags(*command, *c);
  command->fallthrough();
  command->callback([c, &common, &action] {
    action = [c, &common] {
      return c->list              ? list_policies()
             : !c->replay.empty() ? replay(*c, common)
                                  : simulate(*c, common);
    };
  });
}

}  // namespace carnot::app
