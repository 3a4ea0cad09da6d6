// SPDX-License-Identifier: Apache-2.0
// Reads a CSV of ten million rows; prints one JSON object a line: MB/s, ns a row and the ratio to
// memcpy of the same bytes in the same process. usage: read_csv [rows]
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "carnot/trace/readers/read.hpp"

namespace {

double seconds_of(auto&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 10'000'000;
  std::string text = "time,wind_mw\n";
  const carnot::Instant start = carnot::Instant::from_date(2000, 1, 1);
  for (std::int64_t i = 0; i < rows; ++i) {
    text += (start + carnot::Duration::seconds(60 * i)).iso8601();
    char number[32];
    const double value = static_cast<double>((i * 7919) % 1'000'003) * 1e-3;
    text += ',';
    text.append(number, std::to_chars(number, number + sizeof number, value).ptr);
    text += '\n';
  }
  const double megabytes = static_cast<double>(text.size()) * 1e-6;
  const std::string path = (std::filesystem::temp_directory_path() / "carnot_bench.csv").string();
  std::ofstream(path, std::ios::binary) << text;

  double check = 0.0;
  const double from_memory = seconds_of(
      [&] { check += carnot::parse_csv<carnot::Power>(text, "memory").trace[1].in(carnot::watt); });
  const double from_file =
      seconds_of([&] { check += carnot::read_csv<carnot::Power>(path).trace[1].in(carnot::watt); });
  std::vector<char> copy(text.size(), 'x');
  const double copying = seconds_of([&] { std::memcpy(copy.data(), text.data(), text.size()); });
  check += copy[text.size() / 2];
  std::filesystem::remove(path);

  const auto print = [&](const char* what, double seconds) {
    std::printf(
        "{\"bench\": \"trace_read_csv\", \"from\": \"%s\", \"rows\": %lld, \"mb\": %.1f, "
        "\"mb_per_s\": %.0f, \"ns_per_row\": %.1f, \"times_memcpy\": %.1f, \"check\": %g}\n",
        what, static_cast<long long>(rows), megabytes, megabytes / seconds,
        seconds / static_cast<double>(rows) * 1e9, seconds / copying, check);
  };
  print("memory", from_memory);
  print("file", from_file);
  print("memcpy", copying);
}
