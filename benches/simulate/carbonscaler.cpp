// SPDX-License-Identifier: Apache-2.0
// CarbonScaler's question: one elastic job of 24 hours (on one node), its speed on 1 to 8 nodes as
// measured for the n-body code (gaia-job-traces/jobs/profiles/nbody100k.csv), started each week of
// 2023 in each of the fifteen zones, to be done within a factor of its length. Carbon of the
// elastic schedule against not caring, suspend-resume, the best fixed number of nodes (at once, and
// with suspend-resume), its published algorithm of whole hours restated, and the optimum by linear
// programming duality. All know the carbon ahead. Argument: DATA.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/run/fleet_source.hpp"
#include "carnot/run/simulate.hpp"

namespace {

using namespace carnot;

constexpr int kMostNodes = 8;
constexpr int kHours = 24;

/// Speed on 1 ... kMostNodes nodes over that on one; a column of nodes, one of seconds a step.
std::vector<double> read_speeds(const std::string& path) {
  std::map<int, std::pair<double, int>> sums;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos) continue;
    auto& [sum, n] = sums[std::stoi(line.substr(0, comma))];
    sum += std::stod(line.substr(comma + 1));
    ++n;
  }
  std::vector<double> speeds;
  for (int k = 1; k <= kMostNodes; ++k)
    speeds.push_back((sums.at(1).first / sums.at(1).second) /
                     (sums.at(k).first / sums.at(k).second));
  return speeds;
}

/// One kilowatt a node, no overheads.
run::FleetScenario scenario(const run::FleetSite& zone, Instant start) {
  run::FleetScenario fleet;
  fleet.series_start = start;
  fleet.sites.push_back(zone);
  return fleet;
}

/// \param nodes  0: elastic; else that many, always
double carbon_g(const run::FleetScenario& fleet, const std::vector<double>& speed, Instant begin,
                double factor, const char* policy, int nodes) {
  Workload jobs;
  JobRequest job;
  const double fixed = nodes > 0 ? speed[static_cast<std::size_t>(nodes) - 1] : 1.0;
  const Duration length = Duration::from(kHours / fixed * hour);
  job.estimate = length;
  job.allowed = std::max(length, Duration::from(factor * kHours * hour));
  job.nodes = std::max(1, nodes);
  job.origin = 0;
  if (nodes == 0) {
    std::vector<JobMode> modes;
    for (int k = 1; k <= kMostNodes; ++k)
      modes.push_back({k, speed[static_cast<std::size_t>(k) - 1], 1.0});
    jobs.mode_sets.push_back(modes);
    job.modes = 1;
  }
  jobs.jobs.push_back(job);
  jobs.length.push_back(length);
  run::FleetOptions options;
  options.begin = begin;
  plan::SchedulerOptions rules;
  rules.max_wait = Duration::seconds(30 * 86400);
  const auto scheduler = plan::make_scheduler(policy, rules);
  const run::FleetResult result = run::simulate(fleet, jobs, options, *scheduler);
  return result.finished == 1 && result.late == 0 ? result.flows.carbon.in(gram) : NAN;
}

/// The published greedy: whole hours, pairs of an hour and one more node by marginal speed for a
/// gram, until the work is done; the job ends inside the last hour it was given.
double whole_hours_g(const std::vector<double>& carbon, const std::vector<double>& speed) {
  std::vector<int> nodes(carbon.size());
  double done = 0;
  while (done < kHours) {
    std::size_t best = carbon.size();
    double most = 0;
    for (std::size_t t = 0; t < carbon.size(); ++t) {
      if (nodes[t] == kMostNodes) continue;
      const auto k = static_cast<std::size_t>(nodes[t]);
      const double value = (speed[k] - (k > 0 ? speed[k - 1] : 0.0)) / carbon[t];
      if (value > most) {
        most = value;
        best = t;
      }
    }
    if (best == carbon.size()) return NAN;
    const auto k = static_cast<std::size_t>(nodes[best]++);
    done += speed[k] - (k > 0 ? speed[k - 1] : 0.0);
  }
  double left = kHours, grams = 0;
  for (std::size_t t = 0; t < carbon.size() && left > 1e-12; ++t) {
    if (nodes[t] == 0) continue;
    const double hours = std::min(1.0, left / speed[static_cast<std::size_t>(nodes[t]) - 1]);
    grams += hours * nodes[t] * carbon[t];
    left -= hours * speed[static_cast<std::size_t>(nodes[t]) - 1];
  }
  return grams;
}

/// Max over a price on work of: price x work + sum over hours of min over nodes of carbon - price x
/// speed.
double optimum_g(const std::vector<double>& carbon, const std::vector<double>& speed) {
  const auto dual = [&](double price) {
    double value = price * kHours;
    for (const double c : carbon) {
      double least = 0;
      for (int k = 1; k <= kMostNodes; ++k)
        least = std::min(least, c * k - price * speed[static_cast<std::size_t>(k) - 1]);
      value += least;
    }
    return value;
  };
  double low = 0, high = 1e5;
  for (int i = 0; i < 200; ++i) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (dual(a) < dual(b) ? low : high) = dual(a) < dual(b) ? a : b;
  }
  return dual(low);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  const std::vector<double> speed =
      read_speeds(data + "/gaia-job-traces/jobs/profiles/nbody100k.csv");
  run::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  source.site.hall = {.nodes = kMostNodes,
                      .node_idle = Power{},
                      .node_peak = 1.0 * kilowatt,
                      .fixed_overhead = 0.0,
                      .cooling_slope_per_k = 0.0};
  const run::FleetScenario all = run::load_fleet(source);

  for (const double factor : {1.0, 1.5, 2.0, 3.0}) {
    std::map<std::string, std::vector<double>> saved;  // against each, one a start
    double worst_over_optimum = 0, over_published = 0;
    int starts = 0, best_nodes = 0;
    for (const run::FleetSite& zone : all.sites) {
      const run::FleetScenario fleet = scenario(zone, all.series_start);
      for (int week = 0; week < 51; ++week, ++starts) {
        const Instant begin = all.series_start + Duration::seconds(week * 7 * 86400);
        const auto grams = [&](const char* policy, int nodes) {
          return carbon_g(fleet, speed, begin, factor, policy, nodes);
        };
        const double elastic = grams("carbonscaler:oracle", 0);
        double at_once = 1e300, resumed = 1e300;
        for (int k = 1; k <= kMostNodes; ++k) {
          at_once = std::min(at_once, grams("no-wait", k));
          const double g = grams("wait-awhile:oracle", k);
          if (g < resumed) best_nodes = k;
          resumed = std::min(resumed, g);
        }
        std::vector<double> carbon;
        for (int t = 0; t < static_cast<int>(factor * kHours); ++t)
          carbon.push_back(
              zone.carbon[static_cast<std::size_t>(week * 168 + t)].in(gram_per_kilowatt_hour));
        worst_over_optimum = std::max(worst_over_optimum, elastic / optimum_g(carbon, speed) - 1.0);
        over_published += elastic / whole_hours_g(carbon, speed);
        saved["agnostic"].push_back(1.0 - elastic / grams("no-wait", 1));
        saved["suspend_resume"].push_back(1.0 - elastic / grams("wait-awhile:oracle", 1));
        saved["best_static_at_once"].push_back(1.0 - elastic / at_once);
        saved["best_static_resumed"].push_back(1.0 - elastic / resumed);
        saved["with_forecast"].push_back(1.0 - grams("carbonscaler", 0) / grams("no-wait", 1));
      }
    }
    fmt::print(
        "{{\"bench\":\"simulate_carbonscaler\",\"deadline_over_length\":{},\"starts\":{},"
        "\"last_best_static_nodes\":{},\"worst_over_optimum\":{:.2e},"
        "\"mean_over_published_greedy\":{:.5f}",
        factor, starts, best_nodes, worst_over_optimum, over_published / starts);
    for (const auto& [rival, values] : saved)
      fmt::print(",\"median_saved_over_{}\":{:.4f}", rival, median(values));
    fmt::print("}}\n");
  }
}
