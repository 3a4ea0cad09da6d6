// SPDX-License-Identifier: Apache-2.0
#include "report/run/testing_run.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "carnot/base/limits.hpp"

namespace carnot::report::sample {

namespace {

using Json = nlohmann::ordered_json;

struct Mode {
  const char* name;
  int bits;
  double speed, static_w, dynamic_w, penalty;
};
constexpr Mode kModes[] = {{"f32", 32, 1.0, 1.0e5, 5.0e5, 0.0},
                           {"bf16", 16, 1.9, 1.0e5, 4.7e5, 0.0},
                           {"int8", 8, 2.7, 1.0e5, 4.3e5, 0.004},
                           {"int4", 4, 3.1, 1.0e5, 4.0e5, 0.030}};
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // names may be hostile
}

constexpr double kPue = 1.12, kTemperature = 293.15, kTrainings = 4200, kBattery = 1.8e9;

double wind_w(const Options& o, int slot) {
  const double h = slot * o.slot_s / 3600;
  const double shape = 0.36 + 0.33 * std::sin(h / 5.1 + 0.7) + 0.2 * std::sin(h / 1.7) +
                       0.07 * std::sin(h * 2.9 + 1.1) + 0.04 * std::sin(h * 11.3);
  return o.farm_w * std::clamp(shape, 0.0, 1.0);
}

struct Lane {
  double steps = 0, joules = 0, own = 0, discharged = 0, grid = 0, curtailed = 0, exported = 0,
         carbon = 0, cost = 0, battery = 0.3 * kBattery, low_share = 0;
  double mode_s[4] = {0, 0, 0, 0}, paused_s = 0, operations[4] = {0, 0, 0, 0};
  double loss = kNaN, quality = 0.1;
};

struct Choice {
  int mode = -1;
  double throttle = 1;
  double grid_w = 0;
};

Choice choose(const std::string& policy, const Options& o, int slot, double own_w, double share) {
  const auto demand = [](int m) { return kPue * (kModes[m].static_w + kModes[m].dynamic_w); };
  Choice c;
  const double left_s = (o.slots - slot) * o.slot_s;
  const auto must = [&](int m) {
    return (1 - share) * 26 * 3600 / kModes[m].speed > 0.93 * left_s;
  };
  const auto follow = [&](int m) {
    const double u = (own_w / kPue - kModes[m].static_w) / kModes[m].dynamic_w;
    c.mode = u > 0.1 ? m : -1;
    c.throttle = std::clamp(u, 0.0, 1.0);
    if (must(m)) c = {m, 1.0, demand(m)};
  };
  if (policy == "grid-f32") return {0, 1.0, demand(0)};
  if (policy == "pause-resume") {
    if (own_w >= demand(0)) c = {0, 1.0, 0};
    if (must(0)) c = {0, 1.0, demand(0)};
    return c;
  }
  for (int m = 0; m < 4; ++m) {
    if (policy == std::string("fixed:") + kModes[m].name) {
      follow(m);
      return c;
    }
  }
  if (policy == "paper") {
    follow(own_w > 6.5e5 ? 0 : own_w > 4e5 ? 1 : 2);
  } else if (policy == "cpt") {
    follow((slot / 12) % 3);
  } else if (policy == "pfq") {
    follow(share < 0.3 ? 3 : share < 0.6 ? 2 : share < 0.85 ? 1 : 0);
  } else {
    follow(share < (policy == "oracle" ? 0.26 : 0.2) ? 3 : share < 0.97 ? 2 : 1);
  }
  return c;
}

Json figure(double value, double spread, const char* boundary) {
  return {{"value", value},       {"low", value * (1 - spread)}, {"high", value * (1 + spread)},
          {"origin", "modelled"}, {"boundary", boundary},        {"sources", {"pj-table", "pue"}}};
}

Json result_row(const std::string& policy, const Lane& l, const Options& o, double duration,
                const std::string& outcome, const std::string& stopped) {
  const double bits = 4.1e3 * (l.quality - 0.1) / 0.88;
  const double landauer = 1.380649e-23 * kTemperature * std::log(2.0) * bits;
  Json modes = Json::object();
  for (int m = 0; m < 4; ++m) {
    if (l.mode_s[m] > 0) modes[kModes[m].name] = l.mode_s[m];
  }
  if (l.paused_s > 0) modes["paused"] = l.paused_s;
  Json operations = Json::object();
  const char* keys[] = {"f32_mac", "bf16_mac", "int8_mac", "int4_mac"};
  for (int m = 0; m < 4; ++m) {
    if (l.operations[m] > 0) operations[keys[m]] = l.operations[m];
  }
  const double uniform = 4774;
  const auto heat = [](double joules, double b) { return joules / (1.380649e-23 * 0.6931 * b); };
  Json curve = Json::array();
  for (int i = 0; i <= 40; ++i) {
    const double x = i / 40.0;
    curve.push_back({uniform - bits * (1 - std::exp(-4 * x)) / (1 - std::exp(-4.0)),
                     heat(l.joules, bits) * 0.3 * std::exp(3 * x)});
  }
  return {{"policy", policy},
          {"outcome", outcome},
          {"stopped", stopped},
          {"quality",
           {{"metric", "accuracy"},
            {"value", l.quality},
            {"low", l.quality - 0.006},
            {"high", l.quality + 0.006},
            {"certified", l.quality - 0.006 > o.minimum_quality},
            {"split", "test"}}},
          {"duration_s", duration},
          {"energy_j", figure(l.joules, 0.21, "facility")},
          {"own_energy_j", l.own + l.discharged},
          {"grid_energy_j", l.grid},
          {"curtailed_j", l.curtailed},
          {"exported_j", l.exported},
          {"carbon_g", figure(l.carbon, 0.25, "facility")},
          {"cost_eur", figure(l.cost, 0.15, "none")},
          {"bits_learned", bits},
          {"bits_per_j", l.joules > 0 ? bits / l.joules : 0},
          {"times_above_landauer", l.joules / landauer},
          {"mode_seconds", modes},
          {"cap_violations", 0},
          {"balance_residual", 0.0},
          {"bits", {{"uniform", uniform}, {"data", uniform - bits}, {"model", 900.0}}},
          {"cycle",
           {{"legs",
             {{{"leg", "learn"},
               {"entropy_bits_from", uniform},
               {"entropy_bits_to", uniform - bits},
               {"energy_j", l.joules},
               {"temperature_k", heat(l.joules, bits)}},
              {{"leg", "erase"},
               {"entropy_bits_from", uniform - bits},
               {"entropy_bits_to", uniform - bits * 0.2},
               {"energy_j", 2.1e-3},
               {"temperature_k", 5.1e12}},
              {{"leg", "write"},
               {"entropy_bits_from", uniform - bits * 0.2},
               {"entropy_bits_to", uniform},
               {"energy_j", 4.0e2},
               {"temperature_k", 3.0e18}}}},
            {"efficiency", landauer / std::max(1.0, l.joules)},
            {"curve", curve}}},
          {"operations", operations},
          {"measured", {{"training_cpu_s", 12.5}, {"note", "on the test machine"}}}};
}

Json facts(const Options& o, Instant start) {
  Json modes = Json::array(), table = Json::array();
  for (const Mode& m : kModes) {
    modes.push_back({{"name", m.name},
                     {"bits", m.bits},
                     {"steps_per_second", m.speed * 0.4},
                     {"static_power_w", m.static_w},
                     {"dynamic_power_w", m.dynamic_w},
                     {"step_energy_j", m.dynamic_w / (m.speed * 0.4)}});
  }
  const std::pair<const char*, double> energies[] = {
      {"f32_mac", 4.6}, {"bf16_mac", 1.6}, {"int8_mac", 0.23}, {"int4_mac", 0.1}};
  for (const auto& [key, pj] : energies) {
    table.push_back({{"key", key},
                     {"energy_pj", pj},
                     {"low_pj", pj * 0.5},
                     {"high_pj", pj * 2},
                     {"per_second", 1e12 / pj},
                     {"source", "Horowitz, ISSCC 2014, scaled to 7 nm for this test"}});
  }
  return {{"modes", modes},
          {"scaling",
           {{"trainings", kTrainings},
            {"text",
             "The hall runs 4,200 identical trainings in lockstep, so that one of them in f32 "
             "at full throttle takes 26 h; every figure is the hall's."}}},
          {"energy_table", table},
          {"site",
           {{"name", "Farm"},
            {"export_limit_w", o.export_w},
            {"import_limit_w", 1e6},
            {"rated_it_w", 6e5},
            {"battery_j", kBattery}}},
          {"work",
           {{"learner", "mlp"},
            {"data", "digits"},
            {"metric", "accuracy"},
            {"minimum_quality", o.minimum_quality},
            {"epochs", 8},
            {"steps", 18000},
            {"labels", 1437},
            {"uniform_bits", 4774}}},
          {"start", start.iso8601()},
          {"deadline", (start + Duration::from(o.slots * o.slot_s * second)).iso8601()},
          {"temperature_k", kTemperature},
          {"signals",
           {{{"name", "wind"}, {"source", "generated for a test"}},
            {{"name", "price"}, {"source", "constant 92 EUR/MWh"}}}},
          {"objective",
           {{"carbon_price_eur_per_t", 80},
            {"own_value_eur_per_mwh", 5},
            {"delay_price_eur_per_h", 2}}},
          {"notes", {o.note}}};
}

void simulate(const std::string& policy, const Options& o, Instant start, bool cut_short,
              std::vector<ledger::Entry>& out) {
  out.emplace_back(ledger::LaneBegin{policy});
  Lane l;
  bool done = false;
  double duration = 0;
  const double dt = o.slot_s, full = 18000;
  const int stop = cut_short ? o.slots / 3 : o.slots;
  for (int i = 0; i < stop && !done; ++i) {
    const double total = wind_w(o, i), share = l.steps / full;
    // Computing gets what the export limit would throw away.
    const double offered = std::max(0.0, total - o.export_w);
    const Choice c = choose(policy, o, i, offered, share);
    double facility = 0, u = 0;
    if (c.mode >= 0) {
      u = c.throttle;
      facility = kPue * (kModes[c.mode].static_w + u * kModes[c.mode].dynamic_w);
    }
    const double own = std::min(facility, offered);
    const double discharged = std::min({facility - own, 2e5, l.battery / dt});
    const double grid = facility - own - discharged;
    const double exported = std::min(o.export_w, total - own);
    const double spare = total - own - exported;
    const double charged = std::min({spare, 3e5, (kBattery - l.battery) / dt / 0.95});
    l.battery += (charged * 0.95 - discharged) * dt;
    ledger::SlotEntry s;
    s.start = start + Duration::from(i * dt * second);
    s.length = Duration::from(dt * second);
    const auto e = [&](double w) { return w * dt * joule; };
    s.total = e(total);
    s.exported = e(exported);
    s.own_used = e(own);
    s.charged = e(charged);
    s.discharged = e(discharged);
    s.grid = e(grid);
    s.curtailed = e(spare - charged);
    s.facility = e(facility);
    s.battery_charge = l.battery * joule;
    s.battery_loss = e(charged * 0.05);
    const double carbon = grid * dt / 3.6e6 * 310, delay = 2.0 * dt / 3600;
    const double cost = grid * dt / 3.6e9 * 92 + carbon * 80e-6 + own * dt / 3.6e9 * 5 + delay;
    s.carbon = carbon * gram;
    s.cost = cost * euro;
    s.mode = c.mode >= 0 ? kModes[c.mode].name : "";
    s.throttle = u;
    if (c.mode >= 0) {
      const double made = std::min(full - l.steps, kModes[c.mode].speed * u * dt * full / 93600);
      l.steps += made;
      l.low_share += kModes[c.mode].penalty * made / full;
      l.mode_s[c.mode] += dt;
      l.operations[c.mode] += made * 5.2e12 * 3;
      s.operations = made * 5.2e12 * 6 * operation;
      l.loss = 0.06 + 3.2 * std::exp(-6 * l.steps / full) + 0.02 * std::sin(i * 1.7);
      l.quality = 0.1 + 0.882 * (1 - std::exp(-7 * l.steps / full)) - l.low_share;
    } else {
      l.paused_s += dt;
    }
    s.steps = static_cast<std::uint64_t>(l.steps);
    s.loss = l.loss;
    s.noise_share = kNaN;
    l.joules += facility * dt;
    l.own += own * dt;
    l.discharged += discharged * dt;
    l.grid += grid * dt;
    l.curtailed += (spare - charged) * dt;
    l.exported += exported * dt;
    l.carbon += carbon;
    l.cost += cost;
    out.emplace_back(s);
    duration = (i + 1) * dt;
    done = l.steps >= full - 1e-6;
    if (i % 12 == 11 || done) {
      out.emplace_back(ledger::Evaluation{s.start + s.length, s.steps, "accuracy", l.quality,
                                          l.quality - 0.006, l.quality + 0.006, done});
      out.emplace_back(ledger::Checkpoint{s.steps, {1, 2, 3}});
    }
  }
  if (cut_short) return;
  const std::string outcome =
      done && l.quality >= o.minimum_quality ? "target-reached" : "deadline-missed";
  const std::string stopped = done ? "all epochs done" : "deadline";
  const Json row = result_row(policy, l, o, duration, outcome, stopped);
  out.emplace_back(ledger::LaneEnd{policy, outcome, stopped, dumped(row)});
}

}  // namespace

std::vector<ledger::Entry> run(const Options& o) {
  const Instant start = Instant::from_unix_seconds(1'578'225'600);
  std::vector<ledger::Entry> out;
  out.emplace_back(ledger::RunBegin{"0.1.0", "carnot run north_sea.toml --seed 7", o.scenario,
                                    o.scenario_text, 7, Instant::from_unix_seconds(1'700'000'000),
                                    dumped(facts(o, start))});
  for (std::size_t i = 0; i < o.policies.size(); ++i) {
    simulate(o.policies[i], o, start, o.interrupted && i + 1 == o.policies.size(), out);
  }
  if (!o.interrupted) out.emplace_back(ledger::RunEnd{"{}"});
  return out;
}

}  // namespace carnot::report::sample
