// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/attributor.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/measure/attribution/live.hpp"
#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/measure/attribution/metrics.hpp"

#include "measure/testing/testing_measurement.hpp"

namespace carnot::measure {
namespace {

using Look = std::vector<meter::ProcessUse>;
using Joules = std::map<std::string, double>;

constexpr std::int64_t kMillisecond = 1'000'000;

std::int64_t any(std::int64_t low, std::int64_t high) {
  return *rc::gen::inRange<std::int64_t>(low, high);
}

/// Samples and looks in their order, as a meter sees them and as its journal has them. Power at
/// rest is known from the beginning.
struct Stream {
  ledger::MeasurementBegin begin;
  std::vector<ledger::MeasurementSample> samples;
  std::map<std::size_t, Look> looks;  ///< after the sample of that number
  std::vector<ledger::Entry> entries;
};

std::string name_of(const meter::ProcessUse& p) {
  return std::to_string(p.pid) + "-" + std::to_string(p.start_ticks);
}

void take_look(Stream& stream, Look& alive) {
  const std::int64_t now_ns = stream.samples.back().boottime_ns;
  for (meter::ProcessUse& p : alive) {
    if (any(0, 8) == 0) {  // it ended, its number was given out again
      p.start_ticks = static_cast<std::uint64_t>(now_ns / 10'000'000 - any(0, 2));
      p.cpu_ns = 0;
      p.name = name_of(p);
    }
    p.cpu_ns += any(0, 3) == 0 ? 0 : any(1, 700) * kMillisecond;
  }
  alive.front().cpu_ns += 1;  // never the same look twice: that would be none
  stream.looks[stream.samples.size() - 1] = alive;
  for (const meter::ProcessUse& p : alive) {
    stream.entries.emplace_back(
        ledger::MeasurementProcess{now_ns, p.pid, p.start_ticks, p.name, p.cpu_ns, p.alive});
  }
}

Stream any_stream() {
  Stream stream;
  stream.begin = std::get<ledger::MeasurementBegin>(sample::measurement().front());
  stream.begin.job_method = *rc::gen::element<std::string>("", "cgroup v2", "tree", "pid");
  stream.begin.static_policy = *rc::gen::element<std::string>("capacity", "busy", "whole", "none");
  stream.begin.facts_json = R"({"static_power_w":{"value":37,"low":30,"high":44}})";
  stream.entries.emplace_back(stream.begin);
  ledger::MeasurementSample s;
  s.monotonic_ns = s.boottime_ns = stream.begin.boottime_ns;
  s.channels.resize(stream.begin.channels.size());
  Look alive;
  for (int pid = 1; pid <= 4; ++pid) {
    const std::uint64_t start = static_cast<std::uint64_t>(any(90'000, 110'000));
    alive.push_back({pid, 1, start, "", any(0, 5) * kMillisecond, 0, 0, true});
    alive.back().name = name_of(alive.back());
  }
  const std::int64_t count = any(1, 40);
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) {
      // The last interval is a step by itself, so that none is open at the end.
      const std::int64_t length =
          (i + 1 == count || any(0, 2) == 0 ? any(100, 1500) : any(5, 100)) * kMillisecond;
      s.monotonic_ns += length;
      s.boottime_ns += length;
      s.machine_busy_ns += any(-1, 12) * length / 4;
      s.machine_idle_ns += any(0, 12) * length / 4;
      s.job_cpu_ns += any(0, 5) * length / 4;
      for (ledger::MeasurementSample::Channel& channel : s.channels) {
        channel.total += static_cast<std::uint64_t>(any(0, 4) == 0 ? 0 : any(0, 90'000'000));
        channel.share = static_cast<double>(any(-2, 13)) / 10;
      }
    }
    stream.samples.push_back(s);
    stream.entries.emplace_back(s);
    if (any(0, 3) == 0) take_look(stream, alive);
  }
  return stream;
}

/// Feeds a stream as a meter would: `sample(s)`, then `look(l)` where there was one.
template <class Sample, class LookAt>
void feed(const Stream& stream, Sample&& sample, LookAt&& look) {
  for (std::size_t i = 0; i < stream.samples.size(); ++i) {
    sample(stream.samples[i]);
    if (const auto at = stream.looks.find(i); at != stream.looks.end()) look(at->second);
  }
}

Joules of_summary(const Stream& stream) {
  Joules joules;
  for (const MeasuredProcess& p : summarise_measurement(stream.entries, {}).processes) {
    if (p.pid > 0) joules[p.name] = p.energy.in(joule);
  }
  return joules;
}

// The same joules for each process, to the last bit, however the samples come.
RC_GTEST_PROP(AttributionProperty, OneByOneAndWholeAgreeToTheLastBit, ()) {
  const Stream stream = any_stream();
  const Joules whole = of_summary(stream);

  LiveTracker tracker;
  tracker.begin(stream.begin);
  feed(
      stream, [&](const auto& s) { tracker.sample(s); },
      [&](const Look& l) { tracker.processes(l); });
  Joules live;
  for (const LiveTrack& track : tracker.state().processes) {
    live[track.name.substr(0, track.name.find(' '))] = track.energy_j;
  }
  RC_ASSERT(live == whole);

  RunningAttribution running(stream.begin);
  std::map<std::string, Sum<double>> sums;
  std::size_t looks = 0;
  const auto take = [&](std::span<const meter::ProcessUse> look,
                        std::span<const ProcessPart> parts) {
    RC_ASSERT(look.size() == parts.size());
    for (std::size_t i = 0; i < look.size(); ++i) {
      sums[look[i].name] += parts[i].energy.in(joule);
    }
    ++looks;
  };
  feed(
      stream,
      [&](const auto& s) {
        running.sample(s);
        running.settle(take);
      },
      [&](const Look& l) { running.look(l, take); });
  RC_ASSERT(looks == stream.looks.size());
  Joules one_by_one;
  for (const auto& [name, sum] : sums) one_by_one[name] = sum.value();
  RC_ASSERT(one_by_one == whole);
}

// Nothing is lost: what is divided sums to the channels' energy, counted plainly.
RC_GTEST_PROP(AttributionProperty, StepsSumToTheChannels, ()) {
  const Stream stream = any_stream();
  RunningAttribution running(stream.begin);
  for (const auto& s : stream.samples) running.sample(s);
  double counted = 0;
  for (std::size_t c = 0; c < stream.begin.channels.size(); ++c) {
    if (stream.begin.channels[c].role != "counted") continue;
    counted += stream.begin.channels[c].unit_j *
               static_cast<double>(stream.samples.back().channels[c].total -
                                   stream.samples.front().channels[c].total);
  }
  const Attributor& a = running.attributor();
  const double rows =
      stream.begin.job_method.empty()
          ? a.static_j() + a.dynamic_j() + a.accelerator_j()
          : a.job_j() + a.others_j() + a.idle_j() + a.accelerator_j() + a.unattributed_j();
  RC_ASSERT(std::abs(rows - counted) <= 1e-12 * counted);
  const double host = a.static_j() + a.dynamic_j() + running.accelerator_j();
  RC_ASSERT(std::abs(host - counted) <= 1e-12 * counted);
}

// What an exporter shows are the same parts: a row's joules are those since it has one.
RC_GTEST_PROP(AttributionProperty, ExporterShowsTheSameParts, ()) {
  Stream stream = any_stream();
  stream.begin.job_method.clear();
  MetricsCollector collector({100, "", 0});
  collector.begin(stream.begin);
  RunningAttribution running(stream.begin);
  std::map<std::string, double> rows;
  std::map<std::string, bool> shown;
  const auto take = [&](std::span<const meter::ProcessUse> look,
                        std::span<const ProcessPart> parts) {
    for (std::size_t i = 0; i < look.size(); ++i) {
      if (shown[look[i].name]) rows[look[i].name] += parts[i].energy.in(joule);
      if (parts[i].energy > Energy{}) shown[look[i].name] = true;  // from the next look on
    }
  };
  feed(
      stream,
      [&](const auto& s) {
        running.sample(s);
        running.settle(take);
        collector.sample(s);
      },
      [&](const Look& l) {
        running.look(l, take);
        collector.processes(l, Instant{});
      });
  for (const MetricsState::Process& p : collector.state().processes) {
    RC_ASSERT(p.energy_j == rows[p.name]);
  }
  const Attributor& a = running.attributor();
  RC_ASSERT(collector.state().static_j == a.static_j());
  RC_ASSERT(collector.state().dynamic_j == a.dynamic_j() + running.accelerator_j());
}

/// The steps of whole samples, plainly.
std::vector<std::pair<std::size_t, std::size_t>> plain_steps(const Stream& stream) {
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  for (std::size_t first = 0; first + 1 < stream.samples.size();) {
    std::size_t last = first + 1;
    while (last + 1 < stream.samples.size() &&
           stream.samples[last].monotonic_ns - stream.samples[first].monotonic_ns <
               100 * kMillisecond)
      ++last;
    steps.emplace_back(first, last);
    first = last;
  }
  return steps;
}

RC_GTEST_PROP(SampleSplitterProperty, CutsAtTenTicks, ()) {
  const Stream stream = any_stream();
  SampleSplitter splitter(stream.begin);
  std::vector<Step> steps;
  for (const auto& s : stream.samples) {
    if (const Step* step = splitter.sample(s)) steps.push_back(*step);
  }
  RC_ASSERT(splitter.rest() == nullptr);
  const auto plain = plain_steps(stream);
  RC_ASSERT(steps.size() == plain.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    RC_ASSERT(steps[i].first == plain[i].first);
    RC_ASSERT(steps[i].first + steps[i].intervals.size() == plain[i].second);
    double counted = 0;
    for (const Step::Interval& interval : steps[i].intervals) counted += interval.counted_j;
    const double step_j = steps[i].host_j + steps[i].accelerator_j;
    RC_ASSERT(std::abs(counted - step_j) <= 1e-12 * step_j);
    RC_ASSERT(steps[i].use.job_s <= steps[i].use.busy_s);
    RC_ASSERT(steps[i].use.busy_s <= steps[i].use.capacity_s);
    RC_ASSERT(steps[i].job_accelerator_j <= steps[i].accelerator_j);
  }
}

TEST(SampleSplitter, KeepsWhatIsLeftAtTheEnd) {
  const auto entries = sample::measurement();
  const auto& begin = std::get<ledger::MeasurementBegin>(entries.front());
  SampleSplitter splitter(begin);
  ledger::MeasurementSample s;
  EXPECT_THROW(splitter.sample(s), InputError);
  s.channels.resize(begin.channels.size());
  EXPECT_EQ(splitter.rest(), nullptr);
  EXPECT_EQ(splitter.sample(s), nullptr);
  EXPECT_EQ(splitter.rest(), nullptr);
  s.monotonic_ns += 40 * kMillisecond;
  s.channels[0].total += 2'000'000;
  EXPECT_EQ(splitter.sample(s), nullptr);
  EXPECT_EQ(splitter.open(), 1U);
  const Step* rest = splitter.rest();
  ASSERT_NE(rest, nullptr);
  EXPECT_DOUBLE_EQ(rest->length_s, 0.04);
  EXPECT_DOUBLE_EQ(rest->host_j, 2.0);
  meter::StaticPower power;
  learn(power, *rest);  // four ticks say too little about load
  EXPECT_EQ(power.samples(), 0U);
}

// After a replay nobody knows who used what until the next look, which only sets clocks.
TEST(ProcessDivider, BeginsAgainWithClocksOnly) {
  ledger::MeasurementBegin begin;
  begin.job_method = "cgroup v2";
  ProcessDivider divider(begin);
  divider.begin_again();
  divider.see(1, 5, 3'000'000'000);
  EXPECT_EQ(divider.divide(7, 2)[0].energy, Energy{});
  EXPECT_DOUBLE_EQ(divider.unseen_j(), 7);
  divider.see(1, 5, 4'000'000'000);
  EXPECT_DOUBLE_EQ(divider.divide(8, 2)[0].energy.in(joule), 4);
  EXPECT_DOUBLE_EQ(divider.unseen_j(), 11);
  EXPECT_TRUE(divider.divide(5, 0).empty());
  EXPECT_DOUBLE_EQ(divider.waiting_j(), 5);
}

}  // namespace
}  // namespace carnot::measure
