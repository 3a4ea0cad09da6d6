// SPDX-License-Identifier: Apache-2.0
// Whether the intervals around accelerators' energies hold what they say, over simulated sensors
// whose gain is off, that count in steps and look 25 of every 100 ms.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "carnot/base/random.hpp"
#include "carnot/meter/counters/counter.hpp"
#include "carnot/meter/counters/errors.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/testing/testing_stub.hpp"

namespace carnot::meter {
namespace {

// The half-widths bound 90 % of a normal error; 1.96 / 1.645 times as wide they bound 95 %.
constexpr double kTo95 = 1.959964 / 1.644854;

struct Coverage {
  int windows = 0, in_90 = 0, in_95 = 0;
  double width = 0;  // relative, of the 90 % interval

  double share_90() const { return static_cast<double>(in_90) / windows; }
  double share_95() const { return static_cast<double>(in_95) / windows; }
};

CounterSpec unused_counter() {
  CounterSpec spec;
  spec.unit = joule;
  return spec;
}

// One sensor over some windows of a load that switches between two powers.
class Sensor {
 public:
  Sensor(const testing::StubGpu& stub, const std::string& scenario) : stub_(stub) {
    stub_.scenario(scenario);
    pass(Duration::seconds(1));
    SourceOptions options;
    options.nvml = stub.path();
    std::vector<Note> notes;
    source_ = open_nvml(options, notes);
    readings_.resize(source_->domains().size());
  }

  bool is_counter() const { return source_->domains()[0].is_counter; }

  void measure(Duration length, Duration poll_every, Coverage& into) {
    const Domain& domain = source_->domains()[0];
    Counter counter(domain.is_counter ? domain.counter : unused_counter());
    Gauge gauge(domain.gauge);
    // What came before has shown how high the power goes.
    step(counter, gauge);
    for (int i = 0; i < 40; ++i) {
      pass(poll_every);
      step(counter, gauge);
    }
    const Stamp from = now_;
    const double truth_from = stub_.energy_j(0);
    const Energy shown_from = shown(counter, gauge);
    while (now_.monotonic_ns < from.monotonic_ns + length.nanoseconds()) {
      pass(poll_every);
      step(counter, gauge);
    }
    const double truth = stub_.energy_j(0) - truth_from;
    Interval interval;
    interval.energy = shown(counter, gauge) - shown_from;
    interval.from = from;
    interval.to = now_;
    interval.highest = domain.is_counter ? counter.highest() : gauge.highest();
    const Estimate<Energy> figure =
        domain.is_counter ? with_errors(domain.counter, interval, "gpu", Boundary::Chip)
                          : with_errors(domain.gauge, domain.gauge.gain, interval, "gpu",
                                        Origin::Measured, Boundary::Chip);
    const double value = figure.value().in(joule);
    const double low = figure.low().in(joule), high = figure.high().in(joule);
    ++into.windows;
    into.in_90 += low <= truth && truth <= high;
    into.in_95 += value - kTo95 * (value - low) <= truth && truth <= value + kTo95 * (high - value);
    into.width += (high - low) / value;
  }

 private:
  void pass(Duration time) {
    stub_.pass(time);
    now_.monotonic_ns += time.nanoseconds();
    now_.boottime_ns += time.nanoseconds();
  }
  void step(Counter& counter, Gauge& gauge) {
    source_->poll(readings_);
    ASSERT_EQ(readings_[0].status, PollStatus::Ok);
    if (is_counter()) {
      counter.advance(readings_[0].raw, now_);
    } else {
      gauge.advance(readings_[0].power, now_);
    }
  }
  Energy shown(const Counter& counter, const Gauge& gauge) const {
    return is_counter() ? counter.total() : gauge.total();
  }

  const testing::StubGpu& stub_;
  std::unique_ptr<Source> source_;
  std::vector<Reading> readings_;
  Stamp now_{1'000'000'000, 1'000'000'000};
};

// Many sensors of a kind, each with a gain, a load and a pace of its own.
Coverage cover(const std::string& kind, int sensors, std::uint64_t seed,
               double least_period_ms = 20, double greatest_period_ms = 10'000) {
  const testing::StubGpu stub(CARNOT_STUB_NVML);
  const RandomStream random(seed, "gpu-interval");
  std::uint64_t draw = 0;
  Coverage coverage;
  for (int i = 0; i < sensors; ++i) {
    const auto between = [&](double low, double high) {
      return low + (high - low) * random.uniform(draw++);
    };
    const double gain = 1.0 / (1.0 + 0.05 / 1.644854 * random.normal(draw++));
    const double period_ms =
        least_period_ms * std::pow(greatest_period_ms / least_period_ms, between(0, 1));
    Sensor sensor(stub, fmt::format("{} gain={} power_w={} swing_w={} period_ms={} duty={} "
                                    "phase_ms={}",
                                    kind, gain, between(40, 150), between(0, 500), period_ms,
                                    between(0.1, 0.9), between(0, period_ms)));
    for (int window = 0; window < 2; ++window)
      sensor.measure(Duration::from(between(1, 20) * second),
                     Duration::from(between(0.02, 0.2) * second), coverage);
  }
  coverage.width /= coverage.windows;
  return coverage;
}

void expect_honest(const Coverage& coverage, double least_90 = 0.88, double least_95 = 0.93) {
  EXPECT_GE(coverage.share_90(), least_90);
  EXPECT_GE(coverage.share_95(), least_95);
  fmt::print("90 %: {:.2f} %, 95 %: {:.2f} % of {} windows; mean width {:.1f} %\n",
             100 * coverage.share_90(), 100 * coverage.share_95(), coverage.windows,
             100 * coverage.width);
}

TEST(GpuInterval, OfCountersHolds) { expect_honest(cover("counter=1", 1000, 1)); }

TEST(GpuInterval, OfSensorsThatLookAQuarterOfTheTimeHolds) {
  expect_honest(cover("counter=0 name=NVIDIA_A100-SXM4-80GB sample_ms=25", 600, 2));
}

TEST(GpuInterval, OfSensorsThatAlwaysLookHolds) {
  expect_honest(cover("counter=0 name=NVIDIA_L40S sample_ms=100", 600, 3));
}

// A load whose period is nearly that of the sensor shows it nearly the same part each time: little
// averages out, and exactly in step it could not be told from a steady load. The intervals take
// periods as independent, so here they hold a little less.
TEST(GpuInterval, OfLoadsNearlyInStepWithTheSensorHoldsNearly) {
  expect_honest(cover("counter=0 name=NVIDIA_H100 sample_ms=25", 600, 4, 80, 125), 0.86, 0.90);
}

}  // namespace
}  // namespace carnot::meter
