// SPDX-License-Identifier: Apache-2.0
// grid_opf CASE.m...: the DC optimal power flow of each case, best of three, beside HiGHS through
// SciPy (benches/grid/highs.py) on the same programme where that is installed.
// grid_opf RTS_FOLDER: the year.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/study/year.hpp"

namespace {

using namespace carnot;

template <class Work>
double seconds(Work work) {
  const auto from = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

double rival_ms(const std::string& path) {
  const std::string command =
      "python3 '" CARNOT_SOURCE_DIR "/benches/grid/highs.py' '" + path + "' 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  double ms = 0.0;
  if (pipe == nullptr) return 0.0;
  if (std::fscanf(pipe, "%lf", &ms) != 1) ms = 0.0;
  pclose(pipe);
  return ms;
}

void bench_case(const std::string& path) {
  const grid::Grid grid = carnot::grid::read_matpower(path);
  grid::OpfResult result;
  double best = 1e300;
  for (int round = 0; round < 3; ++round)
    best = std::min(best, seconds([&] { result = grid::dc_opf(grid); }));
  const double rival = rival_ms(path);
  std::printf("{\"bench\": \"grid_opf\", \"case\": \"%s\", \"cost_per_h\": %.4e, \"ms\": %.3f, ",
              grid.name.c_str(), result.cost_per_h, 1e3 * best);
  if (rival > 0.0)
    std::printf("\"highs_ms\": %.3f, \"ratio_to_highs\": %.3f}\n", rival, 1e3 * best / rival);
  else
    std::printf("\"highs_ms\": null}\n");
}

void bench_year(const std::string& folder) {
  const grid::RtsGmlc rts = grid::RtsGmlc::read(folder);
  grid::GridYear year;
  const double took = seconds([&] { year = grid::solve_hours(rts, {}, rts.hours(), {}); });
  std::printf(
      "{\"bench\": \"grid_opf\", \"case\": \"%s\", \"hours\": %zu, \"s\": %.3f, "
      "\"curtailed_share\": %.4f}\n",
      rts.grid().name.c_str(), year.hours.size(), took, year.curtailed_share());
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (carnot::grid::is_rts_gmlc(argv[i]))
      bench_year(argv[i]);
    else
      bench_case(argv[i]);
  }
}
