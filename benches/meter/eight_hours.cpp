// SPDX-License-Identifier: Apache-2.0
// A meter over a simulated counter, sampled a thousand times a second for eight hours of the
// simulation's time: 28.8 million samples, in which a 32-bit register turns some eleven times. Do
// the joules drift, does memory grow, and what does a sample cost beside polling the source alone?
//
//   meter_eight_hours [SAMPLES = 28800000]
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include <unistd.h>

#include "carnot/meter/meter.hpp"

#include "meter/testing/testing.hpp"

namespace {

using namespace carnot::meter;
using carnot::Duration;
using carnot::joule;
using carnot::watt;

constexpr double kWatts = 97.3;
const Duration kMillisecond = Duration::nanoseconds(1'000'000);

double cpu_s() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

long resident_kb() {
  long size = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file != nullptr) {
    if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

std::unique_ptr<carnot::meter::testing::FakeSource> simulated() {
  auto source = std::make_unique<carnot::meter::testing::FakeSource>();
  source->add(carnot::meter::testing::package_domain("fake/package-0"), kWatts * watt);
  return source;
}

}  // namespace

int main(int argc, char** argv) {
  const long samples = argc > 1 ? std::atol(argv[1]) : 28'800'000;
  auto owned = simulated();
  carnot::meter::testing::FakeSource& source = *owned;
  std::vector<std::unique_ptr<carnot::meter::Source>> sources;
  sources.push_back(std::move(owned));
  carnot::meter::Meter meter = carnot::meter::Meter::over(std::move(sources), {});
  carnot::meter::Snapshot first, now;
  meter.sample(first);
  for (int i = 0; i < 100'000; ++i) meter.sample(now);
  const long before_kb = resident_kb();
  double began = cpu_s();
  for (long i = 0; i < samples; ++i) {
    source.pass(kMillisecond);
    meter.sample(now);
  }
  const double meter_s = cpu_s() - began;
  const long after_kb = resident_kb();

  auto alone = simulated();
  std::vector<carnot::meter::Reading> readings(1);
  began = cpu_s();
  for (long i = 0; i < samples; ++i) {
    alone->pass(kMillisecond);
    alone->poll(readings);
  }
  const double source_s = cpu_s() - began;

  const double true_j = kWatts * 1e-3 * static_cast<double>(samples);
  const double found_j = (now.channels[0].energy - first.channels[0].energy).in(joule);
  std::printf(
      "{\"bench\": \"eight_hours\", \"samples\": %ld, \"joules\": %.6f, \"error_j\": %.6f, "
      "\"unobserved_s\": %.3f, \"rss_before_kb\": %ld, \"rss_after_kb\": %ld, \"seconds\": %.2f, "
      "\"source_alone_seconds\": %.2f, \"ratio\": %.1f}\n",
      samples, found_j, found_j - true_j,
      1e-9 * static_cast<double>(now.channels[0].unobserved.nanoseconds()), before_kb, after_kb,
      meter_s, source_s, meter_s / source_s);
}
