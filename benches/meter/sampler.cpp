// SPDX-License-Identifier: Apache-2.0
// What one sample of a measurement costs: eight powercap zones on a tmpfs tree, the machine's
// counters, and the record in a journal on the same tmpfs; against a program that opens, reads and
// closes the same eight files each time, as exporters do, and records nothing.
//
//   meter_sampler [SAMPLES = 20000] [FOLDER = /dev/shm]
//
// Prints a JSON object a line: CPU microseconds a sample of both and their ratio (best of five
// rounds), heap allocations of a steady sample, and the share of a core that measuring a command of
// two seconds at 1 kHz takes (least of three), with the share that waking a thousand times a second
// takes by itself, which is the machine's and in every sampler's.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "carnot/measure/measure.hpp"

#include "measure/begin.hpp"
#include "measure/loop.hpp"
#include "measure/measure_with.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace {

namespace fs = std::filesystem;
using carnot::meter::Meter;

constexpr int kZones = 8, kRounds = 5;

double own_cpu_s() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

fs::path make_tree(const fs::path& root) {
  for (int zone = 0; zone < kZones; ++zone) {
    const fs::path folder = root / "class/powercap" / ("intel-rapl:" + std::to_string(zone));
    fs::create_directories(folder);
    write(folder / "name", "package-" + std::to_string(zone) + "\n");
    write(folder / "max_energy_range_uj", "262143328850\n");
    // Apart, or zones that agree would be taken for mirrors of one.
    write(folder / "energy_uj", std::to_string(1'000'000 + 1000 * zone) + "\n");
  }
  return root;
}

/// Opens, reads, parses and closes each file.
unsigned long long exporter(const fs::path& root) {
  unsigned long long sum = 0;
  for (int zone = 0; zone < kZones; ++zone) {
    const fs::path path =
        root / "class/powercap" / ("intel-rapl:" + std::to_string(zone)) / "energy_uj";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 64> text{};
    if (fd < 0 || ::read(fd, text.data(), text.size() - 1) <= 0)
      throw std::runtime_error("a zone cannot be read");
    ::close(fd);
    sum += std::strtoull(text.data(), nullptr, 10);
  }
  return sum;
}

/// CPU microseconds of a wake-up by a timer, least of three times a second.
double wake_up_us() {
  double least = 1e9;
  for (int round = 0; round < 3; ++round) {
    const double began = own_cpu_s();
    for (int i = 0; i < 1000; ++i) {
      const timespec millisecond{0, 1'000'000};
      ::ppoll(nullptr, 0, &millisecond, nullptr);
    }
    least = std::min(least, 1e3 * (own_cpu_s() - began));
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) {
  const int samples = argc > 1 ? std::atoi(argv[1]) : 20000;
  const fs::path folder =
      fs::path(argc > 2 ? argv[2] : "/dev/shm") / ("carnot-sampler-" + std::to_string(::getpid()));
  carnot::measure::MeasureOptions options;
  options.meter.sources.sysfs_root = make_tree(folder / "sys");
  options.meter.sources.nvml = options.meter.sources.amd_smi = "none";
  options.keep_entries = false;

  double ours_s = 1e9, theirs_s = 1e9;
  unsigned long long allocated = 0, sum = 0;
  std::size_t zones = 0;
  for (int round = 0; round < kRounds; ++round) {
    Meter meter = Meter::open(options.meter);
    const auto begin = carnot::measure::detail::begin_of(meter, nullptr, options);
    zones = begin.channels.size();
    carnot::measure::detail::MeasureSink sink(
        carnot::ledger::JournalWriter::create(folder / ("journal-" + std::to_string(round)),
                                              carnot::ledger::JournalWriter::Durable::WhenSynced),
        false, options.sync_every);
    sink.append(begin);
    const auto& roots = options.meter.sources;
    carnot::measure::detail::MeasureLoop loop({meter, nullptr, roots.sysfs_root, roots.procfs_root},
                                              options, {}, begin,
                                              carnot::measure::detail::fresh_base(zones), sink);
    for (int i = 0; i < 10; ++i) loop.sample();
    const auto before = carnot::meter::testing::allocations();
    double began = own_cpu_s();
    for (int i = 0; i < samples; ++i) loop.sample();
    ours_s = std::min(ours_s, own_cpu_s() - began);
    allocated = carnot::meter::testing::allocations() - before;
    began = own_cpu_s();
    for (int i = 0; i < samples; ++i) sum += exporter(options.meter.sources.sysfs_root);
    theirs_s = std::min(theirs_s, own_cpu_s() - began);
  }
  const double each = 1e6 / samples;
  std::printf(
      "{\"bench\": \"sample\", \"zones\": %zu, \"samples\": %d, \"carnot_us\": %.2f, "
      "\"open_read_close_us\": %.2f, \"ratio\": %.2f, \"allocations\": %llu, \"check\": "
      "%llu}\n",
      zones, samples, ours_s * each, theirs_s * each, ours_s / theirs_s, allocated, sum % 10);

  Meter meter = Meter::open(options.meter);
  options.interval = carnot::Duration::nanoseconds(1'000'000);
  options.job.command = {"sleep", "2"};
  int taken = 0;
  double least_us = 1e9;
  for (int round = 0; round < 3; ++round) {
    std::int64_t first_ns = 0, last_ns = 0;
    taken = 0;
    carnot::measure::MeasureHooks hooks;
    hooks.on_sample = [&](const carnot::measure::MeasureView& view) {
      last_ns = view.sample.meter_cpu_ns;
      if (taken++ == 0) first_ns = last_ns;
    };
    options.journal = folder / ("kilohertz-" + std::to_string(round));
    carnot::measure::detail::measure_with(meter, options, hooks);
    least_us = std::min(least_us, 1e-3 * static_cast<double>(last_ns - first_ns) / taken);
  }
  const double wake_us = wake_up_us();
  std::printf(
      "{\"bench\": \"1 kHz\", \"samples\": %d, \"core_share\": %.4f, \"waking_alone\": %.4f, "
      "\"sampling\": %.4f}\n",
      taken, 1e-3 * least_us, 1e-3 * wake_us, 1e-3 * (least_us - wake_us));
  fs::remove_all(folder);
}
