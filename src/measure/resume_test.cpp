// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "measure/testing_measure.hpp"
#include "meter/testing/testing_clock.hpp"

namespace carnot::measure {
namespace {

namespace fs = std::filesystem;
using meter::testing::PacedClock;
using ::testing::HasSubstr;
using testing::joules_between;
using testing::milliseconds;
using testing::steady_meter;
using testing::write_journal;
using Script = testing::SteadySource::Script;

/// A process that sleeps until it is told to go.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      ::execlp("sleep", "sleep", "60", nullptr);
      ::_exit(127);
    }
  }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  int pid() const { return pid_; }
  void end() {
    if (!alive_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    alive_ = false;
  }

 private:
  pid_t pid_;
  bool alive_ = true;
};

/// Entries of a measurement of `pid` (0: the machine) that was killed after some samples.
std::vector<ledger::Entry> cut_short(meter::Meter& meter, int pid) {
  MeasureOptions options;
  options.job.pid = pid;
  options.interval = milliseconds(5);
  int samples = 0;
  MeasureHooks hooks;
  hooks.on_sample = [&](const MeasureView&) { ++samples; };
  hooks.stop = [&] { return samples >= 4; };
  std::vector<ledger::Entry> entries = detail::measure_with(meter, options, hooks).entries;
  entries.pop_back();
  return entries;
}

MeasureResult go_on(meter::Meter& meter, const std::string& path, int samples_wanted = 3) {
  MeasureOptions options;
  options.interval = milliseconds(5);
  int samples = 0;
  MeasureHooks hooks;
  hooks.on_sample = [&](const MeasureView&) { ++samples; };
  hooks.stop = [&] { return samples >= samples_wanted; };
  return detail::resume_with(meter, path, options, hooks);
}

double awake_s(const ledger::MeasurementSample& a, const ledger::MeasurementSample& b) {
  return static_cast<double>(b.monotonic_ns - a.monotonic_ns) * 1e-9;
}

TEST(ResumeMeasurement, InTheSameBootTheEnergyInBetweenIsCounted) {
  const TemporaryFolder folder;
  const Sleeper sleeper;
  auto script = std::make_shared<Script>();
  PacedClock clock;
  auto meter = steady_meter(script, {"steady/0", "steady/1"}, clock);
  const auto before = cut_short(meter, sleeper.pid());
  write_journal(folder / "j", before);
  clock.pass(milliseconds(80));
  // Another process would have its own.
  auto other = steady_meter(script, {"steady/0", "steady/1"}, clock);
  const auto result = go_on(other, folder / "j");

  const auto found = ledger::read_journal(folder / "j");
  EXPECT_EQ(found.entries, result.entries);
  ASSERT_GT(found.entries.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end(), found.entries.begin()));
  const ledger::MeasurementView view = ledger::view_measurement(found.entries);
  const ledger::MeasurementSample &first = *view.samples.front(), &last = *view.samples.back();
  EXPECT_GE(awake_s(first, last), 0.08);
  EXPECT_NEAR(joules_between(*view.begin, first, last), 2 * 100.0 * awake_s(first, last), 6e-6);
  ASSERT_EQ(view.gaps.size(), 1u);
  EXPECT_EQ(view.gaps[0]->channel, "");
  EXPECT_THAT(view.gaps[0]->why, HasSubstr("energy is counted, but not who spent it"));
  EXPECT_GE(view.gaps[0]->to_boottime_ns - view.gaps[0]->from_boottime_ns, 80'000'000);
  EXPECT_EQ(last.channels[0].unobserved_ns, first.channels[0].unobserved_ns);
  EXPECT_EQ(view.end->outcome, "detached");
}

TEST(ResumeMeasurement, AfterARestartNothingInBetweenIsCounted) {
  const TemporaryFolder folder;
  auto script = std::make_shared<Script>();
  PacedClock clock;
  auto meter = steady_meter(script, {"steady/0"}, clock);
  auto before = cut_short(meter, 0);
  auto& begin = std::get<ledger::MeasurementBegin>(before.front());
  begin.boot_id = "another boot";
  begin.started = begin.started - Duration::seconds(1000);  // it began a thousand seconds ago
  write_journal(folder / "j", before);
  clock.pass(milliseconds(60));
  const auto result = go_on(meter, folder / "j");
  const ledger::MeasurementView view =
      ledger::view_measurement(result.entries);  // clocks never go back
  const ledger::MeasurementSample& cut = *ledger::view_measurement(before).samples.back();
  const std::size_t at = ledger::view_measurement(before).samples.size();
  const ledger::MeasurementSample &next = *view.samples.at(at), &last = *view.samples.back();
  EXPECT_EQ(view.begin->boot_id, "another boot");
  EXPECT_EQ(joules_between(*view.begin, cut, next), 0);  // not the 60 ms
  EXPECT_NEAR(joules_between(*view.begin, next, last), 100.0 * awake_s(next, last), 3e-6);
  EXPECT_NEAR(static_cast<double>(next.boottime_ns - cut.boottime_ns) * 1e-9, 1000.0, 1.0);
  EXPECT_EQ(next.monotonic_ns, cut.monotonic_ns);  // off is like asleep
  EXPECT_GE(next.machine_busy_ns, cut.machine_busy_ns);
  EXPECT_LT(next.machine_busy_ns - cut.machine_busy_ns, 1'000'000'000);
  ASSERT_EQ(view.gaps.size(), 1u);
  EXPECT_THAT(view.gaps[0]->why, HasSubstr("nothing is counted"));
  EXPECT_EQ(view.end->outcome, "finished");
}

TEST(ResumeMeasurement, AChannelThatIsGoneStaysAsItWas) {
  const TemporaryFolder folder;
  auto script = std::make_shared<Script>();
  PacedClock clock;
  auto meter = steady_meter(script, {"steady/0", "steady/1"}, clock);
  const auto before = cut_short(meter, 0);
  write_journal(folder / "j", before);
  clock.pass(milliseconds(30));
  auto poorer = steady_meter(script, {"steady/1"}, clock);
  const auto result = go_on(poorer, folder / "j");
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  const ledger::MeasurementSample& cut = *ledger::view_measurement(before).samples.back();
  const ledger::MeasurementSample& last = *view.samples.back();
  ASSERT_EQ(last.channels.size(), 2u);
  EXPECT_EQ(last.channels[0].total, cut.channels[0].total);
  EXPECT_EQ(last.channels[0].unobserved_ns - cut.channels[0].unobserved_ns,
            last.monotonic_ns - cut.monotonic_ns);
  EXPECT_EQ(last.channels[0].status, 2);
  EXPECT_GT(last.channels[1].total, cut.channels[1].total);
  EXPECT_GE(last.channels[1].unobserved_ns - cut.channels[1].unobserved_ns, 30'000'000);
}

TEST(ResumeMeasurement, EndsWhereItWasCutIfTheJobIsGone) {
  const TemporaryFolder folder;
  Sleeper sleeper;
  auto meter = steady_meter(std::make_shared<Script>());
  const auto before = cut_short(meter, sleeper.pid());
  sleeper.end();
  write_journal(folder / "j", before);
  const auto result = go_on(meter, folder / "j");
  const ledger::MeasurementView view = ledger::view_measurement(result.entries);
  EXPECT_EQ(view.samples.size(), ledger::view_measurement(before).samples.size());
  EXPECT_EQ(view.end->outcome, "detached");
  EXPECT_EQ(view.end->boottime_ns, view.samples.back()->boottime_ns);
  EXPECT_THAT(view.gaps.back()->why, HasSubstr("the job ended unseen"));
}

// A process of the same number is not the job.
TEST(ResumeMeasurement, KnowsAProcessByItsStart) {
  const TemporaryFolder folder;
  const Sleeper sleeper;
  auto meter = steady_meter(std::make_shared<Script>());
  auto entries = cut_short(meter, sleeper.pid());
  EXPECT_GT(std::get<ledger::MeasurementBegin>(entries.front()).pid_start_ticks, 0u);
  std::get<ledger::MeasurementBegin>(entries.front()).pid_start_ticks -= 1;
  write_journal(folder / "j", entries);
  EXPECT_EQ(ledger::view_measurement(go_on(meter, folder / "j").entries).samples.size(),
            ledger::view_measurement(entries).samples.size());
}

TEST(ResumeMeasurement, RefusesWhatCannotGoOn) {
  const TemporaryFolder folder;
  auto meter = steady_meter(std::make_shared<Script>());
  auto entries = cut_short(meter, 0);
  const auto refusal = [&](const std::vector<ledger::Entry>& journal) {
    fs::remove(folder / "j");
    write_journal(folder / "j", journal);
    try {
      go_on(meter, folder / "j");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("(nothing was thrown)");
  };
  EXPECT_THAT(refusal({}), HasSubstr("it holds no measurement"));
  EXPECT_THAT(refusal({ledger::RunBegin{}}), HasSubstr("it holds no measurement"));
  EXPECT_THAT(refusal({entries.front()}), HasSubstr("before its first sample"));
  entries.push_back(ledger::MeasurementEnd{});
  EXPECT_THAT(refusal(entries), HasSubstr("the measurement has ended"));
  EXPECT_THROW(go_on(meter, folder / "absent"), IoError);
}

// The machine crashed and left any prefix of the file: each either goes on or says why not.
void cut_at_every(std::size_t step) {
  const TemporaryFolder folder;
  Sleeper sleeper;
  auto meter = steady_meter(std::make_shared<Script>());
  const auto entries = cut_short(meter, sleeper.pid());
  sleeper.end();
  write_journal(folder / "whole", entries);
  std::ifstream in(folder / "whole", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::size_t resumed = 0;
  for (std::size_t cut = 0; cut <= bytes.size(); cut += step) {
    const std::string path = folder / "cut";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.substr(0, cut);
    const auto there =
        ledger::parse_journal({reinterpret_cast<const std::uint8_t*>(bytes.data()), cut}, "cut")
            .entries;
    const bool has_sample =
        ledger::is_measurement(there) && !ledger::view_measurement(there).samples.empty();
    if (!has_sample) {
      EXPECT_THROW(go_on(meter, path), InputError) << cut;
      continue;
    }
    const auto result = go_on(meter, path);
    ++resumed;
    ASSERT_EQ(result.entries.size(), there.size() + 2) << cut;  // a gap and the end
    ASSERT_TRUE(std::equal(there.begin(), there.end(), result.entries.begin())) << cut;
  }
  EXPECT_GT(resumed, 500u / step);
}

TEST(ResumeMeasurement, GoesOnFromAFileCutAtManyBytes) { cut_at_every(23); }
TEST(ResumeMeasurementSlow, GoesOnFromAFileCutAtAnyByte) { cut_at_every(1); }

}  // namespace
}  // namespace carnot::measure
