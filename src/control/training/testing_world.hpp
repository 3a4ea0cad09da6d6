// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: random sites and weather, and a world whose learner is deterministic (a step is a
/// step), so that costs of policies can be compared with the offline optimum exactly.

#include <cmath>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/control/training/foresight.hpp"
#include "carnot/control/training/job_policy.hpp"

namespace carnot::control::testing {

inline std::vector<site::Mode> modes() {
  const Power idle = 4.0 * megawatt;
  return {{"f32", 32, 0.05, idle, 20.0 * megawatt},
          {"bf16", 16, 0.10, idle, 19.0 * megawatt},
          {"int8", 8, 0.20, idle, 15.0 * megawatt},
          {"int4", 4, 0.35, idle, 13.0 * megawatt}};
}

/// A day or more of five-minute weather: wind as a clipped random walk, prices likewise.
inline std::vector<site::Weather> weather(std::uint64_t seed, std::size_t slots) {
  const RandomStream random(seed, "weather");
  std::vector<site::Weather> all(slots);
  double wind = 60.0 * random.uniform(0), price = 80.0;
  for (std::size_t t = 0; t < slots; ++t) {
    wind = std::clamp(wind + 6.0 * random.normal(2 * t + 1), 0.0, 140.0);
    price = std::clamp(price + 5.0 * random.normal(2 * t + 2), -20.0, 250.0);
    all[t].total = wind * megawatt;
    all[t].price = price * euro_per_megawatt_hour;
    all[t].export_price = 0.8 * price * euro_per_megawatt_hour;
    all[t].carbon = 250.0 * gram_per_kilowatt_hour;
  }
  return all;
}

inline OracleProblem problem(std::uint64_t seed, std::span<const site::Weather> w,
                             std::span<const site::Mode> m) {
  const RandomStream random(seed, "problem");
  OracleProblem p;
  p.site.export_limit = 60.0 * random.uniform(1) * megawatt;
  p.site.import_limit = (random.uniform(2) < 0.3 ? 0.0 : 30.0) * megawatt;
  p.site.hall.nodes = 40000;
  p.site.computing_uses =
      random.uniform(3) < 0.3 ? site::ComputingUses::AllOwn : site::ComputingUses::Curtailed;
  p.weather = w;
  p.slot = 300.0 * second;
  p.modes = m;
  p.stages = {{0.0, 4}};
  p.steps_total = 500.0 + 3000.0 * random.uniform(4);
  p.objective.delay_price = 40.0 * random.uniform(5) * euro_per_hour;
  return p;
}

struct Played {
  bool done = false;
  double cost_eur = 0.0;
  bool cap_violation = false;
  std::vector<int> mode;            // per decision
  std::vector<double> allowance_w;  // per decision
};

/// Plays `policy` through the weather; `seen` slots of it are enough to know its first decisions.
inline Played play(const OracleProblem& p, JobPolicy& policy, Instant start,
                   std::span<const ModeNoise> noise = {}) {
  Played out;
  site::SiteSimulator site(p.site);
  double done = 0.0;
  const Duration slot = Duration::from(p.slot);
  const Instant deadline = start + slot * static_cast<std::int64_t>(p.weather.size());
  for (std::size_t t = 0; t < p.weather.size(); ++t) {
    const Instant begin = start + slot * static_cast<std::int64_t>(t);
    Duration offset;
    while (offset < slot) {
      Observation o;
      o.now = begin + offset;
      o.slot = slot;
      o.start = start;
      o.deadline = deadline;
      o.site.total = t > 0 ? p.weather[t - 1].total : Power{};
      o.site.export_first =
          p.site.computing_uses == site::ComputingUses::Curtailed ? p.site.export_limit : Power{};
      o.site.grid_limit = p.site.import_limit;
      o.site.pue = p.site.hall.pue(p.weather[t].outside, 1.0);
      o.site.price = p.weather[t].price;
      o.site.carbon = p.weather[t].carbon;
      o.learning.modes = p.modes;
      o.learning.steps_done = static_cast<std::uint64_t>(done);
      o.learning.steps_total = static_cast<std::uint64_t>(p.steps_total);
      o.learning.smoothed_loss = 1.0 / (1.0 + done);
      o.learning.remaining_learning = 1.0 - done / p.steps_total;
      o.learning.noise = noise;
      const Decision d = policy.decide(o);
      out.mode.push_back(d.mode);
      out.allowance_w.push_back(d.grid_allowance.in(watt));
      site::Demand demand;
      demand.mode = d.mode < 0 ? nullptr : &p.modes[static_cast<std::size_t>(d.mode)];
      demand.throttle = d.throttle;
      demand.grid_allowance = d.grid_allowance;
      Duration length = slot - offset;
      site::SiteSimulator trial = site;
      const double rate =
          trial.advance(p.weather[t], demand, length.time()).steps / length.time().in(second);
      const double wanted = std::min(d.max_steps, p.steps_total - done);
      if (rate > 0.0 && wanted < rate * length.time().in(second))
        length = Duration::nanoseconds(std::min(
            length.nanoseconds(), static_cast<std::int64_t>(std::ceil(wanted / rate * 1e9)) + 1));
      const site::Flows f = site.advance(p.weather[t], demand, length.time());
      out.cap_violation = out.cap_violation || f.cap_violation;
      out.cost_eur += slot_cost(f, p.weather[t], p.site, p.objective, length.time()).in(euro);
      done += f.steps;
      offset = offset + length;
      if (done >= p.steps_total - 1e-6) {
        out.done = true;
        return out;
      }
    }
  }
  return out;
}

}  // namespace carnot::control::testing
