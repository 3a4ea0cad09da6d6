// SPDX-License-Identifier: Apache-2.0
// The elastic rule: how many nodes hour by hour; after CarbonScaler (Hanafy et al., SIGMETRICS
// 2024).
#include <algorithm>
#include <limits>

#include "control/fleet/rule_base.hpp"

namespace carnot::control {

namespace {

constexpr double kRounding = 1e-6;  // seconds of work that changes of modes may round away

/// A mode that is worth having: no mix of its neighbours does as much with less power.
struct Rung {
  std::uint8_t mode;
  double speed, power;
};

/// From standing still up, with ever less speed for a watt: the lower hull of power over speed.
std::vector<Rung> rungs(const World& world, JobIndex job, SiteIndex site) {
  std::vector<Rung> all;
  const std::span<const JobMode> modes = world.view.modes(job);
  for (std::size_t m = 0; m < modes.size(); ++m) {
    const auto mode = static_cast<std::uint8_t>(m);
    if (world.view.nodes(job, mode) > world.view.sites()[site].nodes) continue;
    all.push_back({mode, modes[m].speed,
                   world.view.nodes(job, mode) * world.view.node_power(job, site, mode).in(watt)});
  }
  std::sort(all.begin(), all.end(), [](const Rung& a, const Rung& b) {
    return a.speed != b.speed ? a.speed < b.speed : a.power > b.power;
  });
  std::vector<Rung> hull;
  const auto steeper = [&](const Rung& a, const Rung& b, const Rung& c) {  // b above the line a-c
    return (b.power - a.power) * (c.speed - a.speed) >= (c.power - a.power) * (b.speed - a.speed);
  };
  const Rung still{0, 0.0, 0.0};
  for (const Rung& rung : all) {
    while (!hull.empty() &&
           steeper(hull.size() > 1 ? hull[hull.size() - 2] : still, hull.back(), rung))
      hull.pop_back();
    hull.push_back(rung);
  }
  return hull;
}

/// Buys work where a gram buys most: pairs of an hour and one more rung, by marginal speed over
/// marginal power and carbon, until the job is done. As marginal speed falls, the greedy choice is
/// the optimum; its last pair is used for part of the hour.
class CarbonScaler final : public Rule {
 public:
  using Rule::Rule;

  void arrived(const World& world, JobIndex job) override {
    const SiteIndex site = world.view.request(job).origin;
    const Instant from = world.view.now(), to = from + wait(world, job) + length(world, job);
    const std::vector<Rung> ladder = rungs(world, job, site);
    const StepCost carbon = steps(ahead(world, site, Signal::Carbon), from, to);

    struct Buy {
      std::size_t step, rung;
      double price;  // carbon for a second of the first mode's work
      std::uint32_t rank = 0;
    };
    std::vector<Buy> buys;
    for (std::size_t i = 0; i < carbon.value.size(); ++i)
      for (std::size_t r = 0; r < ladder.size(); ++r) {
        const double speed = ladder[r].speed - (r > 0 ? ladder[r - 1].speed : 0.0);
        const double power = ladder[r].power - (r > 0 ? ladder[r - 1].power : 0.0);
        buys.push_back({i, r, carbon.value[i] * power / speed, 0});
      }
    std::vector<double> prices;
    for (const Buy& buy : buys) prices.push_back(buy.price);
    const std::vector<std::uint32_t> rank = ranks(prices);
    for (std::size_t k = 0; k < buys.size(); ++k) buys[k].rank = rank[k];
    std::stable_sort(buys.begin(), buys.end(),
                     [](const Buy& a, const Buy& b) { return a.rank < b.rank; });

    const auto begin = [&](std::size_t i) {
      return std::max(from, carbon.start + carbon.step * static_cast<std::int64_t>(i));
    };
    const auto end = [&](std::size_t i) {
      return std::min(to, carbon.start + carbon.step * (static_cast<std::int64_t>(i) + 1));
    };
    std::vector<std::size_t> bought(carbon.value.size());  // rungs
    double left = length(world, job).time().in(second) + kRounding;
    std::size_t last = carbon.value.size();  // the step used in part
    Duration part;                           // of it on the last rung
    for (const Buy& buy : buys) {
      if (left <= 0) break;
      const double speed = ladder[buy.rung].speed - (buy.rung > 0 ? ladder[buy.rung - 1].speed : 0);
      const Duration span = end(buy.step) - begin(buy.step);
      bought[buy.step] = buy.rung + 1;
      last = buy.step;
      part = std::min(span, Duration::from(left / speed * second) + Duration::nanoseconds(1));
      left -= speed * span.time().in(second);
    }
    if (last == carbon.value.size()) return world.commands.submit(job, site);

    std::vector<PlannedRun> runs;
    const auto run = [&](Instant a, Instant b, std::size_t rungs_used) {
      if (rungs_used == 0 || a >= b) return;
      const std::uint8_t mode = ladder[rungs_used - 1].mode;
      if (!runs.empty() && runs.back().to == a && runs.back().mode == mode)
        runs.back().to = b;
      else
        runs.push_back({a, b, site, mode});
    };
    for (std::size_t i = 0; i < bought.size(); ++i) {
      const Instant cut = i == last ? begin(i) + part : end(i);
      run(begin(i), cut, bought[i]);
      if (i == last) run(cut, end(i), bought[i] - 1);
    }
    world.commands.plan(job, runs);
  }
};

}  // namespace

std::unique_ptr<Policy> make_carbonscaler(std::string name, Knowledge knowledge,
                                          const FleetPolicyOptions& options) {
  return make_rule<CarbonScaler>(std::move(name), knowledge, options);
}

}  // namespace carnot::control
