// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/measure.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "measure/testing_measure.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_clock.hpp"
#include "meter/testing/testing_job.hpp"

namespace carnot::measure {
namespace {

namespace fs = std::filesystem;
using meter::testing::PacedClock;
using testing::command;
using ::testing::HasSubstr;
using testing::joules_between;
using testing::milliseconds;
using testing::steady_meter;
using Script = testing::SteadySource::Script;

MeasureResult run(meter::Meter& meter, const MeasureOptions& options,
                  const MeasureHooks& hooks = {}) {
  return detail::measure_with(meter, options, hooks);
}

TEST(Measure, TellsTheEnergyBetweenStartAndEndOfACommand) {
  auto meter = steady_meter(std::make_shared<Script>());
  const auto result = run(meter, command({"sleep", "0.15"}));
  EXPECT_EQ(result.outcome, meter::JobOutcome::Finished);
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  ASSERT_GE(view.samples.size(), 3u);
  const ledger::MeasurementSample &first = *view.samples.front(), &last = *view.samples.back();
  const double length_s = static_cast<double>(last.monotonic_ns - first.monotonic_ns) * 1e-9;
  EXPECT_GE(length_s, 0.15);
  // A reading and its time are of one moment, however long a sample took: to the microjoule.
  EXPECT_NEAR(joules_between(*view.begin, first, last), 100.0 * length_s, 3e-6);
  EXPECT_EQ(view.begin->job, "sleep (1 argument)");
  EXPECT_EQ(view.end->outcome, "finished");
  EXPECT_EQ(view.end->boottime_ns, last.boottime_ns);
  EXPECT_TRUE(view.gaps.empty());
  for (std::size_t i = 1; i < view.samples.size(); ++i) {
    EXPECT_GE(view.samples[i]->meter_cpu_ns, view.samples[i - 1]->meter_cpu_ns);
    EXPECT_GE(view.samples[i]->machine_busy_ns, view.samples[i - 1]->machine_busy_ns);
  }
  EXPECT_GT(first.meter_cpu_ns, 0);
}

TEST(Measure, LooksOnceBeforeTheCommandRuns) {
  const TemporaryFolder folder;
  const std::string trace = folder / "ran";
  auto meter = steady_meter(std::make_shared<Script>());
  MeasureHooks hooks;
  bool first = true, ran_before_look = true;
  hooks.on_sample = [&](const MeasureView& view) {
    if (!std::exchange(first, false)) return;
    EXPECT_GT(view.begin.pid, 0);
    EXPECT_TRUE(meter::eventually([&] { return meter::is_held(view.begin.pid); }));
    ran_before_look = fs::exists(trace);
  };
  run(meter, command({"touch", trace}), hooks);
  EXPECT_FALSE(ran_before_look);
  EXPECT_TRUE(fs::exists(trace));
}

TEST(Measure, CountsTheCommandsCpuTime) {
  auto meter = steady_meter(std::make_shared<Script>());
  const auto result =
      run(meter, command({"sh", "-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"}));
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  EXPECT_GT(view.samples.back()->job_cpu_ns, 10'000'000);
  EXPECT_LT(view.samples.front()->job_cpu_ns, 10'000'000);
  ASSERT_FALSE(view.processes.empty());
  const auto shell = std::find_if(view.processes.begin(), view.processes.end(),
                                  [&](const auto* p) { return p->pid == view.begin->pid; });
  ASSERT_NE(shell, view.processes.end());
  EXPECT_EQ((*shell)->start_ticks, view.begin->pid_start_ticks);
}

// CPU times stand still for up to a tick, but the end of a command is never missed.
TEST(Measure, SamplesFasterThanTicksAndEndsWithEverything) {
  auto meter = steady_meter(std::make_shared<Script>());
  MeasureOptions options =
      command({"sh", "-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"});
  options.interval = milliseconds(1);
  const auto result = run(meter, options);
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  const auto& samples = view.samples;
  std::size_t moves = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_GE(samples[i]->job_cpu_ns, samples[i - 1]->job_cpu_ns);
    EXPECT_GE(samples[i]->machine_busy_ns, samples[i - 1]->machine_busy_ns);
    moves += samples[i]->job_cpu_ns != samples[i - 1]->job_cpu_ns;
  }
  const std::int64_t length = samples.back()->monotonic_ns - samples.front()->monotonic_ns;
  EXPECT_GT(samples.size(), moves);
  // Each tick, each look (each 100 ms at most) and the end.
  EXPECT_LE(moves, static_cast<std::size_t>(length / 10'000'000 + length / 100'000'000 + 3));
  // The rows know all that the job used: the shell's own clock, read as it was reaped.
  std::int64_t shell = 0;
  for (const ledger::MeasurementProcess* row : view.processes) {
    if (row->pid == view.begin->pid) shell = std::max(shell, row->cpu_ns);
  }
  const std::int64_t job = samples.back()->job_cpu_ns;
  EXPECT_GT(job, 10'000'000);
  EXPECT_NEAR(static_cast<double>(shell), static_cast<double>(job), 3e6);
}

TEST(Measure, NamesACommandThatWasNeverLookedAt) {
  auto meter = steady_meter(std::make_shared<Script>());
  const auto result = run(meter, command({"true"}));
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  const auto row = std::find_if(view.processes.rbegin(), view.processes.rend(),
                                [](const auto* p) { return p->name == "true"; });
  ASSERT_NE(row, view.processes.rend());
  EXPECT_EQ((*row)->pid, view.begin->pid);
  EXPECT_FALSE((*row)->alive);
  EXPECT_GT((*row)->cpu_ns, 0);
}

TEST(Measure, EndsAsTheCommandEnds) {
  const auto outcome = [](std::vector<std::string> words) {
    auto meter = steady_meter(std::make_shared<Script>());
    const auto result = run(meter, command(std::move(words)));
    const ledger::MeasurementView view = ledger::view_measurement(result.entries);
    EXPECT_EQ(view.end->exit_code, result.exit_code);
    EXPECT_EQ(view.end->outcome, name(result.outcome));
    return std::pair(result.outcome, result.exit_code);
  };
  using meter::JobOutcome;
  EXPECT_EQ(outcome({"true"}), std::pair(JobOutcome::Finished, 0));
  EXPECT_EQ(outcome({"sh", "-c", "exit 3"}), std::pair(JobOutcome::Failed, 3));
  EXPECT_EQ(outcome({"sh", "-c", "kill -9 $$"}), std::pair(JobOutcome::Killed, 137));
  EXPECT_EQ(outcome({"sh", "-c", "kill -TERM $$"}), std::pair(JobOutcome::Killed, 143));
}

TEST(Measure, FailsBeforeTheCommandStartsOrNotAtAll) {
  const TemporaryFolder folder;
  auto meter = steady_meter(std::make_shared<Script>());
  MeasureOptions options = command({"/no/such/command"});
  options.journal = folder / "j";
  EXPECT_THROW(run(meter, options), InputError);
  EXPECT_FALSE(fs::exists(options.journal));

  const std::string trace = folder / "ran";
  options = command({"touch", trace});
  options.journal = folder / "no/such/folder/j";
  EXPECT_THROW(run(meter, options), IoError);
  options.journal.clear();
  options.interval = Duration{};
  EXPECT_THROW(run(meter, options), InputError);
  options.interval.reset();
  options.stop_after = Duration{};
  EXPECT_THROW(run(meter, options), InputError);
  options.stop_after.reset();
  options.facts_json = "[1]";
  EXPECT_THROW(run(meter, options), InputError);
  // Nobody is left who could run it.
  EXPECT_TRUE(meter::eventually([] { return ::waitpid(-1, nullptr, WNOHANG) < 0; }));
  EXPECT_FALSE(fs::exists(trace));
}

TEST(Measure, TheJournalHoldsWhatWasKept) {
  const TemporaryFolder folder;
  auto meter = steady_meter(std::make_shared<Script>(), {"steady/0", "steady/1"});
  MeasureOptions options = command({"sleep", "0.05"});
  options.journal = folder / "j";
  options.facts_json = R"({"accounting":{"location":"FR"}})";
  const auto result = run(meter, options);
  const ledger::JournalContents found = ledger::read_journal(options.journal);
  EXPECT_EQ(found.entries, result.entries);
  EXPECT_TRUE(found.message.empty());
  const ledger::MeasurementView view = ledger::view_measurement(found.entries);
  EXPECT_THAT(view.begin->facts_json, HasSubstr(R"("location":"FR")"));
  EXPECT_THAT(view.begin->facts_json, HasSubstr(R"("notes":[)"));
  EXPECT_EQ(view.begin->channels.size(), 2u);
  EXPECT_EQ(view.begin->channels[0].role, "counted");

  options.journal = folder / "k";
  options.keep_entries = false;
  EXPECT_TRUE(run(meter, options).entries.empty());
  EXPECT_TRUE(ledger::view_measurement(ledger::read_journal(options.journal).entries).end);
  EXPECT_THROW(run(meter, options), IoError);  // it exists
}

// A full disk, or a file that somebody else wrote to: the measurement goes on in memory.
TEST(Measure, GoesOnWhenTheJournalCannotBeWritten) {
  const TemporaryFolder folder;
  PacedClock clock;
  auto meter = steady_meter(std::make_shared<Script>(), {"steady/0"}, clock);
  MeasureOptions options;
  options.journal = folder / "j";
  options.keep_entries = false;
  options.interval = milliseconds(5);
  options.stop_after = milliseconds(100);
  MeasureHooks hooks;
  std::size_t samples = 0, written = 0;
  hooks.on_sample = [&](const MeasureView&) {
    if (++samples != 4) return;
    written = ledger::read_journal(options.journal).entries.size();
    std::ofstream(options.journal, std::ios::app) << "x";
  };
  const auto result = run(meter, options, hooks);
  EXPECT_EQ(result.exit_code, 0);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_EQ(result.notes.back().what, "journal");
  EXPECT_THAT(result.notes.back().why, HasSubstr("another program changed it"));
  std::vector<ledger::Entry> all = ledger::read_journal(options.journal).entries;
  EXPECT_EQ(all.size(), written);
  all.insert(all.end(), result.entries.begin(), result.entries.end());
  const ledger::MeasurementView view = ledger::view_measurement(all);
  EXPECT_EQ(view.samples.size(), samples);
  EXPECT_TRUE(view.end);
}

TEST(Measure, WholeMachineUntilItsTimeIsOver) {
  PacedClock clock;
  auto meter = steady_meter(std::make_shared<Script>(), {"steady/0"}, clock);
  MeasureOptions options;
  options.stop_after = milliseconds(120);
  const auto result = run(meter, options);
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  EXPECT_EQ(view.begin->job, "machine");
  EXPECT_EQ(view.begin->job_method, "");
  EXPECT_EQ(view.end->outcome, "finished");
  EXPECT_EQ(view.samples.back()->monotonic_ns - view.samples.front()->monotonic_ns, 120'000'000);
  EXPECT_NEAR(joules_between(*view.begin, *view.samples.front(), *view.samples.back()), 12, 3e-6);
  EXPECT_EQ(view.samples.back()->job_cpu_ns, 0);
  const auto me = std::find_if(view.processes.begin(), view.processes.end(),
                               [](const auto* p) { return p->pid == ::getpid(); });
  EXPECT_NE(me, view.processes.end());
}

TEST(Measure, AttachesToAProcessAndLeavesItAlone) {
  auto meter = steady_meter(std::make_shared<Script>());
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sleep", "sleep", "20", nullptr);
    ::_exit(127);
  }
  MeasureOptions options;
  options.job.pid = child;
  MeasureHooks hooks;
  int samples = 0;
  hooks.on_sample = [&](const MeasureView&) { ++samples; };
  hooks.stop = [&] { return samples >= 3; };
  auto result = run(meter, options, hooks);
  EXPECT_EQ(result.outcome, meter::JobOutcome::Detached);
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);  // lives

  hooks.stop = nullptr;
  hooks.on_sample = [&](const MeasureView&) { ::kill(child, SIGKILL); };
  result = run(meter, options, hooks);
  EXPECT_EQ(ledger::view_measurement(result.entries).end->outcome, "finished");
  ::waitpid(child, nullptr, 0);
  EXPECT_THROW(run(meter, options), InputError);  // no such process
}

TEST(Measure, SaysWhenAChannelWasNotSeen) {
  const auto gaps = [](const Script& script) {
    PacedClock clock;
    auto meter = steady_meter(std::make_shared<Script>(script), {"steady/0"}, clock);
    MeasureOptions options;
    options.interval = milliseconds(5);
    options.stop_after = milliseconds(100);
    const auto result = run(meter, options);
    const ledger::MeasurementView view = ledger::view_measurement(result.entries);
    std::vector<ledger::MeasurementGap> found;
    for (const ledger::MeasurementGap* gap : view.gaps) {
      EXPECT_EQ(gap->channel, "steady/0");
      EXPECT_LT(gap->from_boottime_ns, gap->to_boottime_ns);
      found.push_back(*gap);
    }
    const ledger::MeasurementSample &first = *view.samples.front(), &last = *view.samples.back();
    const double length_s = static_cast<double>(last.monotonic_ns - first.monotonic_ns) * 1e-9;
    EXPECT_NEAR(length_s, 0.1, 1e-9);
    EXPECT_LE(joules_between(*view.begin, first, last), 100.0 * length_s + 3e-6);
    if (!found.empty() && found[0].why != "its readings ended") {
      EXPECT_GT(last.channels[0].unobserved_ns + (last.channels[0].status == 3 ? 1 : 0), 0);
    }
    return found;
  };
  EXPECT_TRUE(gaps({}).empty());
  Script broken;
  broken.broken_from = 8;
  const auto ended = gaps(broken);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].why, "it cannot be read any more");
  Script reset;
  reset.start_raw = 0;
  reset.reset_at = 8;
  const auto began = gaps(reset);
  ASSERT_EQ(began.size(), 1u);
  EXPECT_EQ(began[0].why, "its counter began again from zero");
  Script leap;
  leap.leap_at = 8;
  leap.leap_j = 1e6;
  const auto absurd = gaps(leap);
  ASSERT_EQ(absurd.size(), 1u);
  EXPECT_EQ(absurd[0].why, "it showed more than any such device can draw");
}

TEST(Measure, ASampleAllocatesNothing) {
  const TemporaryFolder folder;
  PacedClock clock;
  auto meter =
      steady_meter(std::make_shared<Script>(), {"a", "b", "c", "d", "e", "f", "g", "h"}, clock);
  MeasureOptions options;
  options.journal = folder / "j";
  options.keep_entries = false;
  options.interval = milliseconds(1);
  MeasureHooks hooks;
  std::vector<std::uint64_t> counts;
  counts.reserve(100);
  std::int64_t first_ns = 0, last_ns = 0;
  hooks.on_sample = [&](const MeasureView& view) {
    counts.push_back(meter::testing::allocations());
    last_ns = view.sample.monotonic_ns;
    if (counts.size() == 1) first_ns = last_ns;
  };
  hooks.stop = [&] { return counts.size() >= 60; };
  run(meter, options, hooks);
  ASSERT_GE(counts.size(), 60u);
  // A look at processes allocates; there is one after the first sample, then at most one each
  // 100 ms, and one at the end.
  std::size_t moves = 0;
  for (std::size_t i = 4; i < counts.size(); ++i) moves += counts[i] != counts[i - 1];
  EXPECT_LE(moves, static_cast<std::size_t>(1 + (last_ns - first_ns) / 100'000'000));
}

}  // namespace
}  // namespace carnot::measure
