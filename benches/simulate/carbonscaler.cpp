// SPDX-License-Identifier: Apache-2.0
// CarbonScaler's question: one elastic job of 24 hours (on one node), started every second week of
// 2023 in each of the fifteen zones, to be done within a factor of its length; its speed by nodes
// as measured for CarbonScaler's n-body code (umassos/CarbonScaler, src/profiles/nbody100k.csv) and
// for the six training jobs of Pollux. Carbon of the
// elastic schedule against not caring, suspend-resume, the best fixed number of nodes (at once, and
// with suspend-resume), its published algorithm of whole hours restated, and the optimum by linear
// programming duality. All know the carbon ahead. Argument: DATA.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

#include "pollux.hpp"

namespace {

using namespace carnot;

constexpr int kHours = 24;

struct Profile {
  std::string name;
  std::vector<double> speed, power;  // on 1, 2, ... nodes, over those on one
};

/// CarbonScaler's own example, measured: particles a second and watts on 1 to 7 nodes.
Profile nbody() {
  const double rate[] = {1757.89, 3496.40, 5104.39, 6661.95, 8073.21, 9447.75, 10747.78};
  const double watts[] = {54.7796, 109.805, 161.224, 217.607, 273.155, 331.225, 390.732};
  Profile profile{"nbody", {}, {}};
  for (std::size_t k = 0; k < std::size(rate); ++k) {
    profile.speed.push_back(rate[k] / rate[0]);
    profile.power.push_back(watts[k] / watts[0]);
  }
  return profile;
}

/// Training with the largest batch a GPU was measured with, on 1 to 4 GPUs of a node; each GPU
/// draws the same.
std::vector<Profile> pollux(const std::string& traces) {
  std::vector<Profile> profiles;
  for (const auto& [name, app] : benches::pollux_apps(traces)) {
    Profile profile{name, {}, {}};
    const auto& times = app.step_times();
    double batch = 1e300;  // that was measured for all
    for (int k = 1; k <= 4; ++k) batch = std::min(batch, std::prev(times.at(k).end())->first);
    const auto step = [&](int k) { return times.at(k).lower_bound(batch - 1)->second; };
    for (int k = 1; k <= 4; ++k) {
      profile.speed.push_back(k * step(1) / step(k));
      profile.power.push_back(k);
    }
    profiles.push_back(profile);
  }
  return profiles;
}

/// One kilowatt a node, no overheads.
simulate::FleetScenario scenario(const simulate::FleetSite& zone, Instant start) {
  simulate::FleetScenario fleet;
  fleet.series_start = start;
  fleet.sites.push_back(zone);
  return fleet;
}

/// \param nodes  0: elastic; else that many, always
double carbon_g(const simulate::FleetScenario& fleet, const Profile& profile, Instant begin,
                double factor, const char* policy, int nodes) {
  Workload jobs;
  JobRequest job;
  const auto at = [](int k) { return static_cast<std::size_t>(k) - 1; };
  const auto share = [&](int k) { return profile.power[at(k)] / k; };
  const double fixed = nodes > 0 ? profile.speed[at(nodes)] : 1.0;
  const Duration length = Duration::from(kHours / fixed * hour);
  job.estimate = length;
  // A millisecond more, for what is rounded to nanoseconds.
  job.allowed =
      std::max(length, Duration::from(factor * kHours * hour)) + Duration::from(1e-3 * second);
  job.nodes = std::max(1, nodes);
  job.origin = 0;
  std::vector<JobMode> modes;
  if (nodes > 0) modes.push_back({nodes, 1.0, share(nodes)});
  for (int k = 1; nodes == 0 && k <= static_cast<int>(profile.speed.size()); ++k)
    modes.push_back({k, profile.speed[at(k)], share(k)});
  jobs.mode_sets.push_back(modes);
  job.modes = 1;
  jobs.jobs.push_back(job);
  jobs.length.push_back(length);
  simulate::FleetOptions options;
  options.begin = begin;
  control::FleetPolicyOptions rules;
  rules.max_wait = Duration::seconds(30 * 86400);
  const auto scheduler = control::make_policy(policy, rules);
  const simulate::FleetResult result = simulate::simulate(fleet, jobs, options, *scheduler);
  return result.finished == 1 && result.late == 0 ? result.flows.carbon.in(gram) : NAN;
}

/// The published greedy: whole hours, pairs of an hour and one more node by marginal speed for a
/// gram, until the work is done; the job ends inside the last hour it was given.
double whole_hours_g(const std::vector<double>& carbon, const Profile& profile) {
  const auto& [name, speed, power] = profile;
  const auto more = [](const std::vector<double>& of, std::size_t k) {
    return of[k] - (k > 0 ? of[k - 1] : 0.0);
  };
  std::vector<std::size_t> nodes(carbon.size());
  double done = 0;
  while (done < kHours - 1e-9) {
    std::size_t best = carbon.size();
    double most = 0;
    for (std::size_t t = 0; t < carbon.size(); ++t) {
      if (nodes[t] == speed.size()) continue;
      const double value = more(speed, nodes[t]) / (more(power, nodes[t]) * carbon[t]);
      if (value > most) {
        most = value;
        best = t;
      }
    }
    if (best == carbon.size()) return NAN;
    done += more(speed, nodes[best]++);
  }
  double left = kHours, grams = 0;
  for (std::size_t t = 0; t < carbon.size() && left > 1e-12; ++t) {
    if (nodes[t] == 0) continue;
    const double hours = std::min(1.0, left / speed[nodes[t] - 1]);
    grams += hours * power[nodes[t] - 1] * carbon[t];
    left -= hours * speed[nodes[t] - 1];
  }
  return grams;
}

/// Max over a price on work of: price x work + sum over hours of min over nodes of carbon x power -
/// price x speed.
double optimum_g(const std::vector<double>& carbon, const Profile& profile) {
  const auto dual = [&](double price) {
    double value = price * kHours;
    for (const double c : carbon) {
      double least = 0;
      for (std::size_t k = 0; k < profile.speed.size(); ++k)
        least = std::min(least, c * profile.power[k] - price * profile.speed[k]);
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
  std::vector<Profile> profiles = pollux(data + "/pollux-goodput/simulator/traces");
  profiles.insert(profiles.begin(), nbody());
  simulate::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  source.site.hall = {.nodes = 16,
                      .node_idle = Power{},
                      .node_peak = 1.0 * kilowatt,
                      .fixed_overhead = 0.0,
                      .cooling_slope_per_k = 0.0};
  const simulate::FleetScenario all = simulate::load_fleet(source);

  for (const double factor : {1.0, 1.5, 2.0, 3.0}) {
    std::map<std::string, std::vector<double>> saved;    // against each, one a start
    std::map<std::string, std::vector<double>> by_zone;  // against agnostic
    double worst_over_optimum = 0, over_published = 0;
    int starts = 0, carbon_free = 0;
    for (const simulate::FleetSite& zone : all.sites)
      for (int week = 0; week < 51; week += 2)
        for (const Profile& profile : profiles) {
          const simulate::FleetScenario fleet = scenario(zone, all.series_start);
          const Instant begin = all.series_start + Duration::seconds(week * 7 * 86400);
          const auto grams = [&](const char* policy, int nodes) {
            return carbon_g(fleet, profile, begin, factor, policy, nodes);
          };
          std::vector<double> carbon;
          for (int t = 0; t < static_cast<int>(factor * kHours); ++t)
            carbon.push_back(
                zone.carbon[static_cast<std::size_t>(week * 168 + t)].in(gram_per_kilowatt_hour));
          const double optimum = optimum_g(carbon, profile);
          if (optimum <= 1.0) {  // hours of no carbon: nothing to compare
            ++carbon_free;
            continue;
          }
          ++starts;
          const double elastic = grams("carbonscaler:oracle", 0);
          double at_once = 1e300, resumed = 1e300;
          for (int k = 1; k <= static_cast<int>(profile.speed.size()); ++k) {
            at_once = std::min(at_once, grams("no-wait", k));
            resumed = std::min(resumed, grams("wait-awhile:oracle", k));
          }
          worst_over_optimum = std::max(worst_over_optimum, elastic / optimum - 1.0);
          over_published += elastic / whole_hours_g(carbon, profile);
          saved["agnostic"].push_back(1.0 - elastic / grams("no-wait", 1));
          by_zone[zone.name].push_back(saved["agnostic"].back());
          saved["suspend_resume"].push_back(1.0 - elastic / grams("wait-awhile:oracle", 1));
          saved["best_static_at_once"].push_back(1.0 - elastic / at_once);
          saved["best_static_resumed"].push_back(1.0 - elastic / resumed);
          saved["agnostic_on_forecasts"].push_back(1.0 -
                                                   grams("carbonscaler", 0) / grams("no-wait", 1));
        }
    fmt::print(
        "{{\"bench\":\"simulate_carbonscaler\",\"deadline_over_length\":{},\"starts\":{},"
        "\"carbon_free\":{},\"worst_over_optimum\":{:.2e},"
        "\"mean_over_published_greedy\":{:.5f}",
        factor, starts, carbon_free, worst_over_optimum, over_published / starts);
    for (const auto& [rival, values] : saved)
      fmt::print(",\"median_saved_over_{}\":{:.4f}", rival, median(values));
    std::string best_zone;
    double best = 0;
    for (const auto& [zone, values] : by_zone)
      if (median(values) > best) {
        best = median(values);
        best_zone = zone;
      }
    fmt::print(",\"best_zone\":\"{}\",\"median_saved_there\":{:.4f}}}\n", best_zone, best);
  }
}
