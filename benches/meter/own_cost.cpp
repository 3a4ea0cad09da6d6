// SPDX-License-Identifier: Apache-2.0
// What carnot itself costs while it measures: a command that sleeps, once a second, everything of
// this machine that can be read. CPU time as measurements record it (meter_cpu_ns), beginning and
// end left out, and with them.
//
//   meter_own_cost [SECONDS = 20]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "carnot/measure/measure.hpp"

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::max(3, std::atoi(argv[1])) : 20;
  carnot::measure::MeasureOptions options;
  options.job.command = {"sleep", std::to_string(seconds)};
  options.interval = carnot::Duration::seconds(1);
  options.keep_entries = false;
  const std::string journal = "/tmp/carnot-own-cost-" + std::to_string(std::rand());
  options.journal = journal;
  std::remove(journal.c_str());
  carnot::measure::MeasureHooks hooks;
  int samples = 0;
  std::int64_t began_cpu = 0, began = 0, steady_cpu = 0, steady = 0, last_cpu = 0;
  hooks.on_sample = [&](const carnot::measure::MeasureView& view) {
    last_cpu = view.sample.meter_cpu_ns;
    if (++samples == 2) {
      began_cpu = last_cpu;
      began = view.sample.monotonic_ns;
    } else if (view.sample.monotonic_ns - began < (seconds - 1) * 1'000'000'000LL) {
      steady_cpu = last_cpu;
      steady = view.sample.monotonic_ns;
    }
  };
  carnot::measure::measure(options, hooks);
  std::remove(journal.c_str());
  std::printf(
      "{\"bench\": \"own_cost\", \"samples\": %d, \"core_share\": %.6f, "
      "\"core_share_with_start_and_end\": %.6f}\n",
      samples, static_cast<double>(steady_cpu - began_cpu) / static_cast<double>(steady - began),
      1e-9 * static_cast<double>(last_cpu) / seconds);
}
