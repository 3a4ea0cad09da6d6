// SPDX-License-Identifier: Apache-2.0
// What a window costs, warm, against plain reads of the same counter files in the same process: the
// least that anything which measures must do. CPU time of the thread; the best of many rounds.
//
//   meter_window [ROUNDS = 2000] [FOLDER = the temporary folder]
//
// Prints a JSON object a line: microseconds of a sample, of a window's start and stop, and the
// ratio of each to one pread of every counter.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "carnot/base/limits.hpp"
#include "carnot/meter/meter.hpp"

#include "meter/testing/testing_tree.hpp"

namespace {

using namespace carnot::meter;

double cpu_us() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_nsec);
}

template <class Work>
double best_us(int rounds, Work&& work) {
  double best = carnot::kInfinity;
  for (int i = 0; i < rounds; ++i) {
    const double start = cpu_us();
    work();
    best = std::min(best, cpu_us() - start);
  }
  return best;
}

std::vector<int> counter_files(const std::string& sysfs_root) {
  std::vector<int> files;
  std::filesystem::path powercap = sysfs_root + "/class/powercap";
  for (const auto& zone : std::filesystem::directory_iterator(powercap)) {
    const int fd = ::open((zone.path() / "energy_uj").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) files.push_back(fd);
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
  const std::filesystem::path folder =
      (argc > 2 ? std::filesystem::path(argv[2]) : std::filesystem::temp_directory_path()) /
      ("carnot-window-bench-" + std::to_string(::getpid()));
  {
    const carnot::meter::testing::SensorTree tree(folder, carnot::meter::testing::Topology::Dram);
    carnot::meter::MeterOptions options;
    options.sources.sysfs_root = tree.sysfs_root();
    options.sources.procfs_root = tree.procfs_root();
    options.sources.dev_root = tree.dev_root();
    options.sources.nvml = options.sources.amd_smi = "none";
    carnot::meter::Meter meter = carnot::meter::Meter::open(options);
    const std::vector<int> files = counter_files(tree.sysfs_root());

    char buffer[64];
    const double floor = best_us(rounds, [&] {
      for (const int fd : files)
        if (::pread(fd, buffer, sizeof buffer, 0) <= 0) std::abort();
    });
    carnot::meter::Snapshot snapshot;
    const double sample = best_us(rounds, [&] { meter.sample(snapshot); });
    const double window = best_us(rounds, [&] {
      carnot::meter::Window one(meter, "bench", carnot::meter::Scope::Process);
      one.stop();
    });
    for (const int fd : files) ::close(fd);
    std::printf(
        "{\"counters\": %zu, \"pread_us\": %.3f, \"sample_us\": %.3f, \"sample_ratio\": %.2f, "
        "\"window_us\": %.3f, \"window_ratio\": %.2f}\n",
        files.size(), floor, sample, sample / floor, window, window / floor);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
