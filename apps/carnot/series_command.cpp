// SPDX-License-Identifier: Apache-2.0
// carnot measure --experiment NAME and --sweep NAME=VALUES -- COMMAND.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/measure/clock_rate.hpp"
#include "carnot/measure/series.hpp"
#include "carnot/report/measure/series.hpp"

#include "cli.hpp"
#include "command_output.hpp"
#include "measure_command.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

/// What is measured and against what.
struct Question {
  report::SeriesKind kind = report::SeriesKind::Other;
  std::string name;
  std::vector<std::string> values, command;
  bool clock_rate = false;
};

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) out.emplace_back(part);
  }
  return out;
}

std::string self() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

/// Whole megahertz: the precision that clock rates are set with.
std::vector<std::string> clock_rates(const MeasureCommand& c) {
  std::vector<std::string> out;
  for (const double hz : measure::FrequencyLimit(c.sources.sysfs_root).rates())
    out.push_back(fmt::format("{:.0f}", hz));
  return out;
}

Question experiment(const MeasureCommand& c) {
  if (session() != nullptr && c.job.empty())
    throw UsageError("--experiment: of the program carnot; elsewhere with the command after --");
  const std::string length = c.length.empty() ? "2 s" : c.length;
  Question q;
  if (c.experiment == "load") {
    q = {report::SeriesKind::Load,
         "load",
         {"0", "0.1", "0.25", "0.5", "0.75", "0.9", "1"},
         {self(), "burn", "--quiet", "--share", "{}", "--for", length},
         false};
  } else if (c.experiment == "batch") {
    q = {report::SeriesKind::Batch,
         "batch",
         {"4", "16", "64", "256", "1024"},
         {self(), "learn", "digits", "--quiet", "--hidden", "1024", "--epochs", "6", "--batch",
          "{}"},
         false};
  } else if (c.experiment == "frequency") {
    q = {report::SeriesKind::ClockRate,
         "clock rate, Hz",
         {},
         {self(), "burn", "--quiet", "--units", "2000"},
         true};
    if (c.values.empty()) q.values = clock_rates(c);
  } else {
    throw UsageError(fmt::format("--experiment: load, batch or frequency, not `{}`", c.experiment));
  }
  if (!c.values.empty()) q.values = split_list(c.values);
  if (!c.job.empty()) q.command = c.job;
  return q;
}

Question sweep(const MeasureCommand& c) {
  const std::size_t equals = c.sweep.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("--sweep: NAME=VALUE,VALUE,... such as batch=16,64,256");
  if (c.job.empty()) throw UsageError("--sweep: the command after --, with {NAME} in it");
  Question q;
  q.name = c.sweep.substr(0, equals);
  q.values = split_list(std::string_view(c.sweep).substr(equals + 1));
  q.command = c.job;
  if (q.name == "batch") q.kind = report::SeriesKind::Batch;
  return q;
}

/// The command under way gets the signal too; if it goes on all the same, it is killed.
/// \return its process, to be set to 0 before each
std::shared_ptr<int> end_commands(measure::MeasureHooks& hooks) {
  using Clock = std::chrono::steady_clock;
  const auto pid = std::make_shared<int>(0);
  const auto asked_at = std::make_shared<Clock::time_point>();
  hooks.on_sample = [pid](const measure::MeasureView& view) {
    *pid = view.begin.pid;
    pass_signals_to(*pid);
  };
  hooks.stop = [pid, asked_at] {
    constexpr std::chrono::seconds kPatience{2};
    if (signals_seen() == 0) return false;
    if (*asked_at == Clock::time_point{}) *asked_at = Clock::now();
    if (*pid > 0 && Clock::now() - *asked_at > kPatience) ::kill(*pid, SIGKILL);
    return false;
  };
  return pid;
}

}  // namespace

int measure_series_job(const MeasureCommand& c, const Common& common) {
  watch_while_measuring();
  if (!c.experiment.empty() && !c.sweep.empty())
    throw UsageError("one of --experiment and --sweep at a time");
  if (c.pid > 0 || c.live || !(c.cgroup + c.out + c.resume + c.csv + c.store).empty())
    throw UsageError(
        "a series is of commands and keeps no journal: --html and --json only, no --out, --csv, "
        "--store, --resume, --live, --pid, --cgroup");
  const Question q = c.sweep.empty() ? experiment(c) : sweep(c);
  MeasureCommand one = c;
  one.job = q.command;
  one.length.clear();
  measure::SeriesOptions options;
  options.base = measure_options(one, common.command_line);
  options.name = q.name;
  options.values = q.values;
  options.repeats = c.rounds;
  options.settle = Duration::from(0.2 * second);
  options.clock_rate = q.clock_rate;
  const std::shared_ptr<int> pid = end_commands(options.hooks);
  ProgressLine line(common);
  options.progress = [&](int done, int of, const std::string& value) {
    line.draw([&](int) { return fmt::format("{} of {}: {} {}", done + 1, of, q.name, value); });
    *pid = 0;
    pass_signals_to(0);
    return signals_seen() == 0;
  };
  options.stop = StopToken([] { return signals_seen() > 0; });
  // What the built-in experiments' commands print says nothing about energy.
  CommandOutput output(c.job.empty() ? Aside::Dropped : Aside::StandardError);
  const measure::SeriesResult result = measure::measure_series(options);
  output.restore();
  line.clear();
  if (result.stopped && result.points.empty()) {
    fail(kInterrupted, Stopped().what());
    return kInterrupted;
  }
  const report::SeriesSummary summary = report::summarise_series(result, q.kind, c.accounting);
  print(common.json ? report::series_json(summary)
                    : report::series_terminal(summary, terminal_width(STDOUT_FILENO)));
  offer_page(c.html, [&] { return report::series_html(summary); });
  if (!c.html.empty()) {
    say(common, fmt::format("report: file://{}", std::filesystem::absolute(c.html).string()));
  }
  if (result.stopped) {
    say(common, "interrupted: these are the measurements that were done");
    return kInterrupted;
  }
  const bool failed = std::any_of(summary.rows.begin(), summary.rows.end(),
                                  [](const report::SeriesRow& r) { return r.failed > 0; });
  return failed ? kOutcomeSaysNo : kOk;
}

}  // namespace carnot::app
