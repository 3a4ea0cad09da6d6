// SPDX-License-Identifier: Apache-2.0
// SustainCluster's setting and rules (HewlettPackard/sustain-cluster): its five zones with halls in
// proportion to its GPUs, deadlines of 1.5 times the length, transfers at its prices (USD a GB by
// destination: 0.02 US, 0.05 EU, 0.08 Singapore, 0.10 Australia, 0.14 South America) and 0.06 kWh a
// GB of the origin's carbon. Its job trace is not at hand: the Azure trace takes its place, with
// 10 GB a job. carnot plans with several prices of carbon; a rule is beaten where one of them has
// less cost and less carbon. Arguments: [DATA [FIRST_DAY [DAYS [LOAD]]]].
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

#include "price_bound.hpp"

namespace {

using namespace carnot;

struct Zone {
  const char* name;
  int gpus;
  double usd_per_gb;  // into it
};
constexpr Zone kZones[] = {{"US-CAL-CISO", 600, 0.02},
                           {"DE-LU", 600, 0.05},
                           {"CL-SIC", 600, 0.14},
                           {"SG", 700, 0.08},
                           {"AU-NSW", 300, 0.10}};
constexpr double kGbPerJob = 10.0;
constexpr int kBoundRounds = 300;
constexpr Energy kTransfer = kGbPerJob * 0.06 * kilowatt_hour;

struct Total {
  double cost_eur, carbon_kg;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  const std::int64_t first_day = argc > 2 ? carnot::parse_integer(argv[2]) : 100;
  const std::int64_t days = argc > 3 ? carnot::parse_integer(argv[3]) : 30;
  const double load = argc > 4 ? std::stod(argv[4]) : 0.5;

  Workload jobs =
      carnot::read_workload(data + "/gaia-job-traces/src/cluster_traces/azure-100k.csv");
  const auto late = std::find_if(jobs.jobs.begin(), jobs.jobs.end(), [&](const JobRequest& job) {
    return job.arrival > Duration::seconds(days * 86400);
  });
  const auto kept = static_cast<std::size_t>(late - jobs.jobs.begin());
  jobs.jobs.resize(kept);
  jobs.length.resize(kept);
  simulate::set_deadlines(jobs, 1.5);

  simulate::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  for (const Zone& zone : kZones) source.zones.emplace_back(zone.name);
  source.site.hall.node_idle = Power{};
  source.site.hall.node_peak = 500.0 * watt;
  source.site.hall.fixed_overhead = 0.0;  // a bound cannot count what is drawn in any case
  simulate::FleetScenario fleet = simulate::load_fleet(source);
  double gpus = 0;
  for (const Zone& zone : kZones) gpus += zone.gpus;
  const double nodes = 5.0 * simulate::nodes_for(jobs, 5, load);
  for (std::size_t s = 0; s < fleet.sites.size(); ++s)
    fleet.sites[s].hall.nodes = std::max(30.0, std::ceil(nodes * kZones[s].gpus / gpus));
  simulate::spread_origins(jobs, fleet);
  simulate::FleetOptions options;
  options.begin = fleet.series_start + Duration::seconds(first_day * 86400);
  options.move_delay = Duration::seconds(80);  // 10 GB at 1 Gbit/s

  const auto carbon_at = [&](std::uint32_t site, Instant when) {
    const auto hour_index = static_cast<std::size_t>((when - fleet.series_start) / fleet.step);
    return fleet.sites[site].carbon[hour_index % fleet.sites[site].carbon.size()];
  };
  const auto transfer_eur = [&](const JobRequest& job, control::SiteIndex to) {
    return to == job.origin ? 0.0 : kGbPerJob * kZones[to].usd_per_gb * kEuroPerDollar2023;
  };
  const auto play = [&](const char* policy, double carbon_price) {
    control::FleetPolicyOptions rules;
    rules.carbon_price_eur_per_t = carbon_price;
    rules.move_cost = [&](const JobRequest& job, control::SiteIndex to) {
      const Carbon carbon = kTransfer * carbon_at(job.origin, options.begin + job.arrival);
      return (transfer_eur(job, to) + (to == job.origin ? 0.0 : carbon_price * carbon.in(tonne))) *
             euro;
    };
    const auto scheduler = control::make_policy(policy, rules);
    simulate::FleetSimulation simulation(fleet, jobs, options, *scheduler);
    double transfers_eur = 0, transfers_g = 0;
    simulation.watch([&](const simulate::FleetEvent& event) {
      if (event.kind != simulate::FleetEventKind::Moving) return;
      const JobRequest& job = jobs.jobs[event.job];
      transfers_eur += transfer_eur(job, event.site);
      if (event.site != job.origin)
        transfers_g += (kTransfer * carbon_at(job.origin, event.at)).in(gram);
    });
    while (simulation.step()) {
    }
    const simulate::FleetResult r = simulation.result();
    const Total total{r.flows.cost.in(euro) + transfers_eur,
                      1e-3 * (r.flows.carbon.in(gram) + transfers_g)};
    const double weighed = total.cost_eur + 1e-3 * carbon_price * total.carbon_kg;
    fmt::print(
        "{{\"bench\":\"simulate_sustaincluster\",\"policy\":\"{}\",\"carbon_price\":{},\"jobs\":{},"
        "\"late\":{},\"cost_eur\":{:.2f},\"carbon_kg\":{:.2f},\"transfers_eur\":{:.2f},"
        "\"moves\":{}",
        r.policy, carbon_price, r.jobs, r.late, total.cost_eur, total.carbon_kg, transfers_eur,
        r.moves);
    if (r.late == 0) {  // the bound keeps deadlines
      benches::PriceBound bound(fleet, jobs, options.begin, carbon_price,
                                [&](const JobRequest& job, control::SiteIndex to) {
                                  return rules.move_cost(job, to).in(euro);
                                });
      const double least = bound.best(kBoundRounds);
      fmt::print(",\"weighed_eur\":{:.2f},\"bound_eur\":{:.2f},\"gap\":{:.4f}", weighed, least,
                 (weighed - least) / weighed);
    }
    fmt::print("}}\n");
    return std::pair{total, r.late};
  };

  std::vector<std::pair<std::string, Total>> rivals;
  for (const char* rule :
       {"no-wait", "lowest-carbon", "lowest-price", "most-available", "round-robin"})
    rivals.emplace_back(rule, play(rule, 0.0).first);
  play("carnot:oracle", 100.0);  // what of the gap is due to the future
  std::vector<std::pair<double, Total>> ours;
  std::uint64_t late_jobs = 0;
  for (const double price : {0.0, 25.0, 50.0, 100.0, 200.0, 400.0, 1600.0}) {
    const auto [total, late_here] = play("carnot", price);
    ours.emplace_back(price, total);
    late_jobs += late_here;
  }
  bool all = late_jobs == 0;
  for (const auto& [rule, total] : rivals) {
    double best = -1.0;
    double cost_share = 1.0, carbon_share = 1.0;
    for (const auto& [price, own] : ours)
      if (own.cost_eur < total.cost_eur && own.carbon_kg < total.carbon_kg &&
          own.cost_eur / total.cost_eur + own.carbon_kg / total.carbon_kg <
              cost_share + carbon_share) {
        best = price;
        cost_share = own.cost_eur / total.cost_eur;
        carbon_share = own.carbon_kg / total.carbon_kg;
      }
    all = all && best >= 0;
    fmt::print(
        "{{\"bench\":\"simulate_sustaincluster\",\"rule\":\"{}\",\"beaten\":{},"
        "\"at_carbon_price\":{},\"cost_share\":{:.4f},\"carbon_share\":{:.4f}}}\n",
        rule, best >= 0, best, cost_share, carbon_share);
  }
  return all ? 0 : 1;
}
