// SPDX-License-Identifier: Apache-2.0
// What a simulated year of one site costs: 105,120 five-minute steps with weather read from arrays,
// against merely streaming the same arrays through memory. Best of several rounds.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include "carnot/site/site.hpp"

namespace {

using namespace carnot;

struct Arrays {
  std::vector<double> total_w, celsius, price, carbon;
};

constexpr std::size_t kSteps = 105'120;

Arrays weather_year() {
  Arrays a;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const double t = static_cast<double>(i);
    const double gusts = std::sin(t * 0.0031) + 0.6 * std::sin(t * 0.017) + 0.4 * std::sin(t * 0.4);
    a.total_w.push_back(std::clamp(60e6 + 60e6 * gusts, 0.0, 148e6));
    a.celsius.push_back(9.0 - 9.0 * std::cos(t * 5.977e-5) + 4.0 * std::sin(t * 0.0218));
    a.price.push_back(2.5e-8 + 1e-8 * std::sin(t * 0.0218));
    a.carbon.push_back(1e-4 + 5e-5 * std::sin(t * 0.011));
  }
  return a;
}

template <class Work>
double best_seconds(int rounds, Work work) {
  double best = 1e300;
  for (int i = 0; i < rounds; ++i) {
    const auto from = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
    best = std::min(best, took.count());
  }
  return best;
}

}  // namespace

int main() {
  const Arrays a = weather_year();
  site::SiteOptions options;
  options.export_limit = 60.0 * megawatt;
  options.import_limit = 30.0 * megawatt;
  options.hall.nodes = 40'000;
  options.battery.capacity = 40.0 * megawatt_hour;
  options.battery.charge_limit = 10.0 * megawatt;
  options.battery.discharge_limit = 10.0 * megawatt;
  const site::Mode mode{.name = "f32",
                        .bits = 32,
                        .steps_per_second = 100.0,
                        .static_power = 4.0 * megawatt,
                        .dynamic_power = 20.0 * megawatt};

  double steps_done = 0.0, worst = 0.0;
  const double site_s = best_seconds(15, [&] {
    site::SiteSimulator site(options);
    for (std::size_t i = 0; i < kSteps; ++i) {
      site::Weather weather;
      weather.total = a.total_w[i] * watt;
      weather.outside = carnot::from_celsius(a.celsius[i]);
      weather.price = EnergyPrice::from_base(a.price[i]);
      weather.carbon = CarbonIntensity::from_base(a.carbon[i]);
      site::Demand demand;
      demand.mode = &mode;
      demand.grid_allowance = (i & 64) != 0 ? 2.0 * megawatt : Power{};
      const site::Flows flows = site.advance(weather, demand, 300.0 * second);
      steps_done += flows.steps;
      worst = std::max(worst, flows.residual);
    }
  });
  volatile double sink = 0.0;
  const double stream_s = best_seconds(200, [&] {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    for (std::size_t i = 0; i < kSteps; ++i) {
      sums[0] += a.total_w[i];
      sums[1] += a.celsius[i];
      sums[2] += a.price[i];
      sums[3] += a.carbon[i];
    }
    sink = sums[0] + sums[1] + sums[2] + sums[3];
  });

  std::printf(
      "{\"bench\": \"site_year\", \"what\": \"simulate\", \"ms\": %.3f, \"ns_per_step\": %.2f, "
      "\"ratio_to_stream\": %.1f, \"worst_residual\": %.1e}\n",
      1e3 * site_s, 1e9 * site_s / kSteps, site_s / stream_s, worst);
  std::printf(
      "{\"bench\": \"site_year\", \"what\": \"stream\", \"ms\": %.3f, \"ns_per_step\": %.2f}\n",
      1e3 * stream_s, 1e9 * stream_s / kSteps);
  return steps_done > 0.0 ? 0 : 1;
}
