// SPDX-License-Identifier: Apache-2.0
// A simulated year of five-minute slots (105,120) under each policy with a job that never ends:
// site, forecasts and decisions as TrainingWorld has them, without learning. Best of three rounds.
// Promise: at most 50 ms a policy.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "carnot/control/registry.hpp"
#include "carnot/control/training/job_policy.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/site/site.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/train/environment.hpp"

namespace {

using namespace carnot;

constexpr std::size_t kSlots = 105'120;
constexpr double kPromiseMs = 50.0;

const char* const kScenario = R"(name = "year"
[site]
export_limit = "60 MW"
import_limit = "30 MW"
[site.hall]
nodes = 40000
[signals]
power = { kind = "generated", source = "wind", capacity = "148 MW" }
price = { kind = "generated" }
carbon = { kind = "generated" }
temperature = { kind = "generated" }
[work]
start = 2024-01-01T00:00:00Z
deadline_after = "8760 h"
)";

struct Forecasts {
  explicit Forecasts(const train::Environment& e)
      : power(options(0.0, e.capacity.in(watt), 0.0), e.power_history, {}),
        price(options(-1e300, 1e300, (30.0 * euro_per_megawatt_hour).base()), e.price_history, {}),
        carbon(options(0.0, 1e300, (60.0 * gram_per_kilowatt_hour).base()), e.carbon_history, {}) {}
  static Forecaster::Options options(double low, double high, double sd) {
    Forecaster::Options o;
    o.low = low;
    o.high = high;
    o.prior_sd = sd;
    return o;
  }
  Forecaster power, price, carbon;
};

struct Year {
  double steps = 0.0, worst = 0.0;
};

Year live(const site::Scenario& s, const train::Environment& e,
          const std::vector<site::Mode>& modes, control::JobPolicy& policy, Forecasts& forecasts) {
  Year year;
  site::SiteSimulator site(s.site);
  const std::vector<control::ModeNoise> noise{{0.0, 0.0}, {0.001, 0.01}, {0.01, 0.05}, {0.2, 0.8}};
  control::Observation o;
  o.slot = e.slot;
  o.start = e.start;
  // So far ahead that the deadline guard never forces anybody to buy.
  o.deadline = e.end() + Duration::seconds(std::int64_t{86400} * 365 * 10);
  o.site.grid_limit = s.site.import_limit;
  o.learning.modes = modes;
  o.learning.steps_total = 1'000'000'000;
  for (std::size_t i = 0; i < e.weather.size(); ++i) {
    const Instant at = e.start + e.slot * static_cast<std::int64_t>(i);
    const site::Weather& past = e.weather[i == 0 ? 0 : i - 1];
    const site::Weather& now = e.weather[i];
    o.now = at;
    o.site.total = past.total;
    o.site.export_first = s.site.export_limit;
    o.site.pue = s.site.hall.pue(past.outside, 1.0);
    o.site.standby = Power{};
    o.site.price = now.price;
    o.site.export_price = now.export_price;
    o.site.carbon = past.carbon;
    o.total_forecast = forecasts.power.forecast(at);
    o.price_forecast = forecasts.price.forecast(at);
    o.carbon_forecast = forecasts.carbon.forecast(at);
    o.learning.steps_done = static_cast<std::uint64_t>(year.steps);
    o.learning.smoothed_loss = 2.0 / (1.0 + year.steps * 1e-6);
    o.learning.remaining_learning = 1.0 - year.steps / 1e9;
    if (year.steps > 0.0) {
      o.learning.noise = noise;
      o.learning.noise_measured_at = o.learning.steps_done;
    }
    const control::Decision d = policy.decide(o);
    site::Demand demand;
    demand.mode = d.mode < 0 ? nullptr : &modes[static_cast<std::size_t>(d.mode)];
    demand.throttle = d.throttle;
    demand.grid_allowance = d.grid_allowance;
    demand.use_battery = d.use_battery;
    const site::Flows flows = site.advance(now, demand, e.slot.time());
    if (flows.running) o.learning.mode_now = d.mode;
    year.steps += flows.steps;
    year.worst = std::max(year.worst, flows.residual);
    forecasts.power.observe(at, e.slot, now.total.in(watt));
    forecasts.price.observe(at, e.slot, now.price.base());
    forecasts.carbon.observe(at, e.slot, now.carbon.base());
  }
  return year;
}

}  // namespace

int main() {
  const site::Scenario scenario = carnot::site::parse_scenario(kScenario, "year.toml");
  const train::Environment environment = train::load_environment(scenario, "");
  if (environment.weather.size() != kSlots) return 1;
  const Power idle = 4.0 * megawatt;
  const std::vector<site::Mode> modes{{"f32", 32, 5.0, idle, 20.0 * megawatt},
                                      {"bf16", 16, 8.0, idle, 19.0 * megawatt},
                                      {"int8", 8, 12.0, idle, 15.0 * megawatt},
                                      {"int4", 4, 16.0, idle, 13.0 * megawatt}};
  for (const std::string& name : control::policy_names(modes)) {
    if (name == "oracle") continue;  // no policy of the loop: it is solved beforehand
    double best = 1e300;
    Year year;
    for (int round = 0; round < 3; ++round) {
      const auto policy =
          control::make_policy(name, control::JobPolicyOptions{modes, scenario.objective});
      Forecasts forecasts(environment);  // reading 30 days of history is no part of the year
      const auto from = std::chrono::steady_clock::now();
      year =
          live(scenario, environment, modes, dynamic_cast<control::JobPolicy&>(*policy), forecasts);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
      best = std::min(best, 1e3 * took.count());
    }
    std::printf(
        "{\"bench\": \"run_year\", \"policy\": \"%s\", \"ms\": %.2f, \"us_per_slot\": %.3f, "
        "\"steps\": %.0f, \"worst_residual\": %.1e, \"promise_ms\": %.0f, \"verdict\": \"%s\"}\n",
        name.c_str(), best, 1e3 * best / static_cast<double>(kSlots), year.steps, year.worst,
        kPromiseMs, best <= kPromiseMs ? "pass" : "miss");
    std::fflush(stdout);
    if (year.worst > 1e-9) return 1;
  }
  return 0;
}
