// SPDX-License-Identifier: Apache-2.0
#include "follow_command.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/live/local/local.hpp"
#include "carnot/report/live/follow.hpp"

#include "command_output.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

constexpr double kGrace_s = 2.0;  // without limit, to answer a signal that ends

std::atomic<int> g_command{0};  // pid that signals sent to us alone are passed on to
std::atomic<int> g_endings{0};  // signals that ask for an end
std::atomic<bool> g_suspend{false};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int number, siginfo_t* info, void*) {
  const int error = errno;
  // From the terminal the whole foreground group has it already; else it was meant for us alone.
  const bool sent_to_us = info->si_code <= 0;
  const int pid = g_command.load();
  if (sent_to_us && pid > 0) ::kill(pid, number);
  if (number == SIGTSTP) g_suspend = true;
  if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
    g_endings.fetch_add(1);
  errno = error;
}

/// What is passed on to a command, or (`ours`) ends and suspends the following of a process.
void watch_signals(bool ours) {
  for (const int number :
       {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH}) {
    if (ours && (number == SIGUSR1 || number == SIGUSR2 || number == SIGALRM)) continue;
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;  // as nohup or a shell's & wants it
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
  }
}

double steady_s() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Ends this process as the command ended, by the same signal, so that whoever waits sees the same.
[[noreturn]] void end_by(int number) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::fflush(nullptr);
  std::signal(number, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  std::raise(number);
  _exit(128 + number);
}

live::LocalOptions options_of(const FollowCommand& c, const Common& common, double speed) {
  live::LocalOptions options;
  options.job.command = common.job;
  options.job.pid = c.pid;
  options.profile = c.profile;
  live::ProfileOptions& p = options.profile_options;
  p.csv.column = c.column;
  p.csv.unit = c.unit;
  p.csv.zone = c.zone;
  if (!c.gaps.empty()) p.csv.gaps = gap_policy(c.gaps);
  if (!c.peak.empty()) p.peak = parse_as<Power>(c.peak);
  if (!c.cap.empty()) p.cap = parse_as<Power>(c.cap);
  p.full_at = c.full_at;
  p.none_at = c.none_at;
  if (speed > 0) p.speed = speed;
  p.calendar = c.calendar;
  if (!c.begin_at.empty()) p.begin_at = Instant::parse(c.begin_at);
  if (!c.then.empty()) p.end = live::profile_end(c.then);
  options.actuators.wanted = c.actuators;
  options.actuators.nvml = options.meter.sources.nvml = c.nvml;
  if (!c.sysfs_root.empty())
    options.actuators.sysfs_root = options.meter.sources.sysfs_root = c.sysfs_root;
  options.follow.tick = Duration::from(1e-3 * c.tick_ms * second);
  options.follow.bucket.burst = c.burst_s * second;
  options.whole_machine = c.whole_machine;
  if (!c.watts_per_cpu.empty()) options.watts_per_cpu = parse_as<Power>(c.watts_per_cpu);
  options.until_last = c.until_last;
  return options;
}

void say_begin(const live::LocalBegin& begin, const Common& common) {
  if (common.quiet) return;
  say(common, fmt::format("carnot: follows {} by {}; {}", begin.profile_words,
                          fmt::join(begin.used, " and "), begin.energy_words));
  for (const live::ActuatorInfo& info : begin.actuators) {
    if (!info.available)
      say(common, fmt::format("carnot: cannot use {}: {}{}", info.name, info.why,
                              info.remedy.empty() ? "" : "; needs " + info.remedy));
  }
}

}  // namespace

void add_follow_flags(CLI::App& command, FollowCommand& c) {
  const std::string group = "Follow a power profile with a process: run --follow PROFILE -- CMD";
  const auto option = [&](const char* flag, auto& value, const char* words) {
    return command.add_option(flag, value, words)->group(group);
  };
  const auto flag = [&](const char* name, bool& value, const char* words) {
    command.add_flag(name, value, words)->group(group);
  };
  option("--follow", c.profile,
         "File of power over time, a power such as '35 W', or steps such as '2 W for 5 s, 6 W for "
         "5 s'; docs/how-to/follow.md");
  option("--pid", c.pid, "A process that runs already, with its descendants, instead of a command")
      ->check(CLI::Range(1, 1 << 30));
  option("--actuator", c.actuators,
         "What keeps it down: freezer, signals, quota; of the whole machine cpufreq, rapl, gpu "
         "(default: freezer, else signals)")
      ->delimiter(',');
  flag("--list-actuators", c.list, "What can be used here, and what the rest would take");
  option("--peak", c.peak, "Scale a file of power so that its greatest is this, such as '35 W'");
  option("--cap", c.cap,
         "For a file of shares, prices or carbon intensities: power at a share of 1");
  option("--full-at", c.full_at, "With --cap: all of it up to here, such as '20 EUR/MWh'");
  option("--none-at", c.none_at, "With --cap: none of it from here on");
  option("--begin-at", c.begin_at,
         "Moment of the file that is offered first, such as "
         "2020-03-01T12:00Z (default: its first)");
  flag("--calendar", c.calendar, "The file's times are meant as they stand");
  option(
      "--then", c.then,
      "After its last value: release (default of files), repeat (of steps), hold (of a power) or "
      "stop");
  option("--column", c.column, "Column of the file, by name or as #3");
  option("--unit", c.unit, "Unit of the column where the file states none, such as MW");
  option("--zone", c.zone, "Zone of the file's times where it states none, such as Z");
  option("--gaps", c.gaps, "Holes in the file: refuse (default), hold or linear");
  flag("--whole-machine", c.whole_machine,
       "The profile is for all that the machine draws, at rest included; else for the job alone");
  option("--watts-per-cpu", c.watts_per_cpu,
         "Power of a busy CPU, such as '10 W', instead of sensors and the power model");
  flag("--until-last", c.until_last, "Go on until the last process the command left has ended");
  option("--tick", c.tick_ms, "Milliseconds between decisions (default 20)")
      ->check(CLI::Range(5.0, 1000.0));
  option("--burst", c.burst_s, "Seconds of the profile that may be saved up (default 0.05)")
      ->check(CLI::Range(0.0, 3600.0));
  option("--csv", c.csv, "Write one row a second here");
  option("--nvml", c.nvml, "NVML library to load; none: do not look");
  option("--sysfs-root", c.sysfs_root, "Folder that stands for /sys");
}

int follow(const FollowCommand& c, const Common& common, double speed) {
  live::LocalOptions options = options_of(c, common, speed);
  if (c.list) {
    const auto all = live::list_actuators(options.actuators);
    print(common.json ? report::actuators_json(all) : report::actuators_terminal(all));
    return kOk;
  }
  if (session() != nullptr)
    throw UsageError("--follow: of a program of its own; from Python: carnot.follow");
  const bool starts = !common.job.empty();
  if (starts == (c.pid > 0))
    throw UsageError("--follow PROFILE -- COMMAND, or --follow PROFILE --pid N");
  CommandOutput output(common.json && starts ? Aside::StandardError : Aside::Nowhere);
  watch_signals(!starts);

  live::LocalHooks hooks;
  hooks.begin = [&](const live::LocalBegin& begin) {
    if (starts) g_command = begin.pid;
    // To wake in time beside busy work; where it is not permitted ticks come later.
    ::setpriority(PRIO_PROCESS, 0, -10);
    errno = 0;
    say_begin(begin, common);
  };
  int endings = 0;
  double free_until = 0;
  hooks.follow.wish = [&] {
    if (g_suspend.exchange(false)) return live::FollowWish::Suspend;
    if (const int seen = g_endings; seen != endings) {
      endings = seen;
      if (!starts) return live::FollowWish::Leave;
      free_until = steady_s() + kGrace_s;
    }
    return free_until > 0 && steady_s() < free_until ? live::FollowWish::Free
                                                     : live::FollowWish::Follow;
  };
  hooks.follow.suspend = [] { std::raise(SIGSTOP); };
  hooks.follow.lift_signals = !starts;
  const live::LocalResult result = live::follow_local(options, hooks);
  g_command = 0;
  output.restore();

  // Once a command has run, the exit code is its own, whatever becomes of our files.
  const auto deliver = [&](auto&& write) {
    try {
      write();
    } catch (const Error& e) {
      if (!starts) throw;
      say(common, fmt::format("carnot: {}", e.what()));
    }
  };
  if (!c.csv.empty()) deliver([&] { write_file(c.csv, report::follow_csv(result)); });
  if (common.json) {
    deliver([&] { print(report::follow_json(result, common.command_line)); });
  } else if (!common.quiet || !result.not_restored.empty()) {
    const std::string text = report::follow_terminal(result);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  if (!starts) return result.not_restored.empty() ? kOk : kDevice;
  if (result.outcome == meter::JobOutcome::Killed) end_by(result.exit_code - 128);
  return result.exit_code;
}

}  // namespace carnot::app
