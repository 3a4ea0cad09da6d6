// SPDX-License-Identifier: Apache-2.0
// Reading a CSV of jobs of which one line is bad, against counting the lines of the same file.
// Arguments: LINES (default 10000000).
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/plan/problem/problem.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  const std::int64_t lines = argc > 1 ? carnot::parse_integer(argv[1]) : 10'000'000;
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "carnot-plan-read";
  plan::GenerateOptions generate;
  generate.jobs = 0;
  generate.sites = 20;
  plan::write_problem(plan::generate_problem(generate), folder);
  const std::int64_t bad = lines * 9 / 10;
  std::size_t bytes = 0;
  {
    std::ofstream out(folder / "jobs.csv", std::ios::binary);
    out << "id,release,deadline,value_eur,origin,move_cost_eur,sites,m1_slots,m1_kw,m1_eur,"
           "m2_slots,m2_kw,m2_eur\n";
    for (std::int64_t i = 0; i < lines; ++i)
      out << fmt::format("job-{},{},168,{}.25,{},0.125,,6,{}.5,0,9,{}.0625,0\n", i,
                         i == bad ? "x" : std::to_string(i % 100), i % 77, i % 20, i % 50, i % 30);
    bytes = static_cast<std::size_t>(out.tellp());
  }
  std::ifstream problem_in(folder / "problem.json");
  std::string problem((std::istreambuf_iterator<char>(problem_in)), {});
  if (const std::size_t jobs = problem.find("\"jobs\":"); jobs != std::string::npos) {
    problem.resize(jobs);
    std::ofstream(folder / "problem.json") << problem << "\"jobs\":\"jobs.csv\"}\n";
  }

  const auto cpu_s = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  double counting = 1e300;
  std::ptrdiff_t counted = 0;
  for (int n = 0; n < 3; ++n) {  // as `wc -l` does: read the file in pieces, count line ends
    const double from = cpu_s();
    std::ifstream in(folder / "jobs.csv", std::ios::binary);
    std::string piece(1 << 20, '\0');
    counted = 0;
    while (in) {
      in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      counted += std::count(piece.begin(), piece.begin() + in.gcount(), '\n');
    }
    counting = std::min(counting, cpu_s() - from);
  }
  const double from = cpu_s();
  std::string words = "none";
  try {
    plan::read_problem((folder / "problem.json").string());
  } catch (const InputError& error) {
    words = error.what();
  }
  const double reading = cpu_s() - from;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::filesystem::remove_all(folder);
  fmt::print(
      "{{\"bench\":\"plan_read\",\"lines\":{},\"bytes\":{},\"cpu_s\":{:.2f},\"mb_per_s\":{:.0f},"
      "\"counting_lines_cpu_s\":{:.2f},\"times_counting\":{:.1f},\"peak_rss_mb\":{},\"error\":\"{}"
      "\"}}\n",
      counted, bytes, reading, 1e-6 * static_cast<double>(bytes) / reading, counting,
      reading / counting, usage.ru_maxrss / 1024, words.substr(words.rfind('/') + 1));
}
