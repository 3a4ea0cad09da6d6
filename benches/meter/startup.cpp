// SPDX-License-Identifier: Apache-2.0
// What measuring adds to the shortest command: `carnot measure -- true` against `true`, in pairs,
// so that what the machine does meanwhile falls on both.
//
//   meter_startup PROGRAM [PAIRS = 200]
//
// Prints a JSON object: least and median milliseconds of both, the median difference of a pair, and
// carnot's greatest resident memory. The state folder is a temporary one.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Finished {
  double milliseconds = 0;
  long peak_rss_kib = 0;
};

Finished run(std::vector<const char*> words) {
  words.push_back(nullptr);
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    ::execvp(words[0], const_cast<char* const*>(words.data()));
    ::_exit(127);
  }
  int status = 0;
  rusage use{};
  if (::wait4(pid, &status, 0, &use) != pid || status != 0)
    throw std::runtime_error(std::string(words[0]) + " failed");
  return {
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(),
      use.ru_maxrss};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: meter_startup PROGRAM [PAIRS]\n", stderr);
    return 2;
  }
  const int pairs = argc > 2 ? std::atoi(argv[2]) : 200;
  std::string state = std::filesystem::temp_directory_path() / "carnot-startup-XXXXXX";
  if (!::mkdtemp(state.data())) throw std::runtime_error("no temporary folder");
  ::setenv("XDG_STATE_HOME", state.c_str(), 1);
  std::vector<double> alone, measured, added;
  long rss = 0;
  for (int i = 0; i < pairs; ++i) {
    const Finished a = run({"true"}), b = run({argv[1], "measure", "--", "true"});
    alone.push_back(a.milliseconds);
    measured.push_back(b.milliseconds);
    added.push_back(b.milliseconds - a.milliseconds);
    rss = std::max(rss, b.peak_rss_kib);
  }
  std::printf(
      "{\"bench\": \"startup\", \"pairs\": %d, \"true_ms\": %.3f, \"measured_ms\": %.3f, "
      "\"added_ms\": %.3f, \"least_added_ms\": %.3f, \"peak_rss_mb\": %.1f}\n",
      pairs, median(alone), median(measured), median(added),
      *std::min_element(added.begin(), added.end()), static_cast<double>(rss) / 1024.0);
  std::filesystem::remove_all(state);
}
