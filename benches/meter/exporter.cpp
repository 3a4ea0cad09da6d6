// SPDX-License-Identifier: Apache-2.0
// What a scrape of a machine with many processes costs: dividing the energy of one look among them
// and rendering the exposition, against rendering a row for every process, which is what an
// exporter without a cap does.
//
//   meter_exporter [PROCESSES = 10000] [TOP = 50]
//
// Prints a JSON object a line: milliseconds of CPU time (least of fifteen rounds) and bytes.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "carnot/report/measure/metrics.hpp"

namespace {

using namespace carnot;

constexpr int kRounds = 20, kWarm = 5;  // the first looks only fill the rows

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

/// Looks at `processes` processes, all of which used CPU time since the last.
void measure(const char* what, std::size_t processes, std::size_t most) {
  measure::MetricsCollector collector({most, "DE", 380});
  ledger::MeasurementBegin begin;
  ledger::MeasurementChannel channel;
  channel.id = "powercap/intel-rapl:0";
  channel.role = "counted";
  channel.unit_j = 1e-6;
  begin.channels.push_back(channel);
  collector.begin(begin);
  ledger::MeasurementSample sample;
  sample.channels.resize(1);
  std::vector<meter::ProcessUse> look(processes);
  double look_ms = std::numeric_limits<double>::max(), render_ms = look_ms;
  std::size_t bytes = 0;
  for (int round = 0; round < kRounds; ++round) {
    sample.monotonic_ns += 1'000'000'000;
    sample.boottime_ns = sample.monotonic_ns;
    sample.machine_busy_ns += 8'000'000'000;
    sample.machine_idle_ns += 8'000'000'000;
    sample.channels[0].total += 200'000'000;
    for (std::size_t i = 0; i < look.size(); ++i) {
      look[i].pid = static_cast<int>(i) + 1;
      look[i].name = "process";
      look[i].cpu_ns += static_cast<std::int64_t>(100 + 37 * i % 1'000'000);
    }
    const double began = cpu_ms();
    collector.sample(sample);
    collector.processes(look, Instant::from_unix_nanoseconds(sample.boottime_ns));
    const double looked = cpu_ms();
    if (round < kWarm) continue;
    bytes = report::openmetrics(collector.state()).size();
    look_ms = std::min(look_ms, looked - began);
    render_ms = std::min(render_ms, cpu_ms() - looked);
  }
  std::printf(
      "{\"what\": \"%s\", \"processes\": %zu, \"rows\": %zu, \"look_cpu_ms\": %.3f, "
      "\"scrape_cpu_ms\": %.3f, \"bytes\": %zu}\n",
      what, processes, std::min(most, processes), look_ms, render_ms, bytes);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t processes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000;
  const std::size_t top = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 50;
  measure("capped", processes, top);
  measure("a row for every process", processes, processes);
}
