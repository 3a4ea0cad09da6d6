// SPDX-License-Identifier: Apache-2.0
// What modes of other speed and quality are worth: the 1,280 training jobs of Pollux (eight traces
// of eight hours, one after the other, from each of twelve starts in 2023) over the fifteen zones,
// each to be done within twice its length. Without modes: the GPUs and batch the job came with.
// With modes: any GPUs and batch that were measured whose quality, at the end of training, is less
// by no more than a stated share. A GPU draws 300 W (assumed; shares do not depend on it), room for
// all, carbon alone counts. `home`: jobs stay where they were sent. Arguments: [DATA [LOSS ...]].
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

#include "pollux.hpp"

namespace {

using namespace carnot;

struct Jobs {
  Workload workload;
  std::vector<std::vector<double>> loss;  // [mode set][mode]
};

Jobs read_jobs(const std::string& data, double most_loss, std::size_t sites) {
  const std::string folder = data + "/pollux-goodput/simulator/";
  static const auto apps = benches::pollux_apps(folder + "traces");
  Jobs jobs;
  jobs.loss.push_back({0.0});
  std::map<std::string, std::uint32_t> sets;
  for (int trace = 1; trace <= 8; ++trace)
    for (const auto& row : benches::read_rows(folder + "workloads-realistic/workload-" +
                                              std::to_string(trace) + ".csv")) {
      const benches::PolluxApp& app = apps.at(row.at("application"));
      const int gpus = std::stoi(row.at("num_replicas")), batch = std::stoi(row.at("batch_size"));
      const double seconds = app.seconds(gpus, batch);
      if (!(seconds > 0)) continue;
      const std::string key =
          row.at("application") + row.at("num_replicas") + "/" + row.at("batch_size");
      const auto [set, added] =
          sets.try_emplace(key, static_cast<std::uint32_t>(jobs.workload.mode_sets.size()));
      if (added) {
        std::vector<JobMode> modes{{gpus, 1.0, 1.0}};
        std::vector<double> losses{0.0};
        if (most_loss >= 0)
          for (const auto& [other_gpus, times] : app.step_times())
            for (const auto& [other_batch, steps] : app.batches()) {
              const double other = app.seconds(other_gpus, other_batch);
              const double loss = app.loss(batch, other_batch);
              if (!(other > 0) || loss > most_loss || other_gpus > 16 ||
                  (other_gpus == gpus && other_batch == batch))
                continue;
              modes.push_back({other_gpus, seconds / other, 1.0});
              losses.push_back(loss);
            }
        jobs.workload.mode_sets.push_back(modes);
        jobs.loss.push_back(losses);
      }
      JobRequest job;
      job.arrival = Duration::seconds((trace - 1) * 8 * 3600 + std::stol(row.at("time")));
      job.estimate = Duration::from(seconds * second);
      job.allowed = job.estimate * 2;
      job.nodes = gpus;
      job.modes = set->second;
      job.origin = static_cast<std::uint32_t>(jobs.workload.size() % sites);
      jobs.workload.jobs.push_back(job);
      jobs.workload.length.push_back(job.estimate);
    }
  return jobs;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  std::vector<double> losses{-1.0, 0.0, 0.005, 0.01};  // below zero: no modes
  if (argc > 2) {
    losses = {-1.0};
    for (int i = 2; i < argc; ++i) losses.push_back(std::stod(argv[i]));
  }
  simulate::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  source.site.hall = {
      .nodes = 1e4, .node_idle = Power{}, .node_peak = 300.0 * watt, .fixed_overhead = 0.0};
  const simulate::FleetScenario fleet = simulate::load_fleet(source);

  for (const bool home : {true, false}) {
    double plain = 0, plain_ideal = 0;  // without modes
    for (const double most_loss : losses) {
      const Jobs jobs = read_jobs(data, most_loss, fleet.sites.size());
      double none = 0, online = 0, ideal = 0, lost = 0, work = 0;
      std::uint64_t late = 0;
      for (int start = 0; start < 12; ++start) {
        simulate::FleetOptions options;
        options.begin = fleet.series_start + Duration::seconds((5 + 30 * start) * 86400);
        const auto carbon = [&](const char* policy, bool weigh) {
          control::FleetPolicyOptions rules;
          rules.carbon_price_eur_per_t = 1e9;
          rules.max_wait = Duration::seconds(30 * 86400);
          if (home)
            rules.move_cost = [](const JobRequest& job, control::SiteIndex site) {
              return (site == job.origin ? 0.0 : 1e12) * euro;
            };
          const auto scheduler = control::make_policy(policy, rules);
          simulate::FleetSimulation simulation(fleet, jobs.workload, options, *scheduler);
          std::vector<std::uint8_t> mode(jobs.workload.size());
          simulation.watch([&](const simulate::FleetEvent& event) {
            if (event.kind == simulate::FleetEventKind::Started) mode[event.job] = event.mode;
          });
          while (simulation.step()) {
          }
          if (weigh) {
            late += simulation.result().late;
            for (std::size_t j = 0; j < mode.size(); ++j) {
              const JobRequest& job = jobs.workload.jobs[j];
              const double node_s = job.nodes * job.estimate.time().in(second);
              work += node_s;
              lost += node_s * jobs.loss[job.modes][mode[j]];
            }
          }
          return simulation.result().flows.carbon.in(kilogram);
        };
        none += carbon("no-wait", false);
        online += carbon("carnot", true);
        ideal += carbon("carnot:oracle", false);
      }
      if (most_loss < 0) {
        plain = online;
        plain_ideal = ideal;
      }
      fmt::print(
          "{{\"bench\":\"simulate_modes\",\"home\":{},\"most_quality_loss\":{},\"jobs\":{},"
          "\"late\":{},\"no_wait_kg\":{:.1f},\"online_kg\":{:.1f},\"ideal_kg\":{:.1f},"
          "\"saved\":{:.4f},\"of_ideal\":{:.4f},\"further_by_modes\":{:.4f},"
          "\"further_by_modes_ideal\":{:.4f},\"mean_quality_loss\":{:.5f}}}\n",
          home, most_loss, 12 * jobs.workload.size(), late, none, online, ideal,
          1.0 - online / none, (none - online) / (none - ideal), 1.0 - online / plain,
          1.0 - ideal / plain_ideal, lost / work);
    }
  }
}
