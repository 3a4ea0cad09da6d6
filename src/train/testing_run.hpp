// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a job of a second or less, folders that vanish, and a world on a stand.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/control/training/job_policy.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/run.hpp"
#include "carnot/train/training_world.hpp"

#include "base/testing_files.hpp"

namespace carnot::train::testing {

/// 42 steps of softmax on digits, one hour in f32 at full throttle, a windy day.
inline constexpr const char* kTiny = R"(name = "tiny"
seed = 5
slot = "5 min"
[site]
export_limit = "60 MW"
import_limit = "30 MW"
computing_uses = "curtailed"
[site.hall]
nodes = 40000
node_idle = "100 W"
node_peak = "600 W"
node_suspended = "2 W"
[signals]
power = { kind = "generated", source = "wind", capacity = "148 MW", weibull_scale = "9.5 m/s" }
price = { kind = "generated", mean = "78 EUR/MWh" }
export_price = "55 EUR/MWh"
carbon = { kind = "generated", mean = "220 g/kWh" }
temperature = { kind = "generated", mean = "8 degC" }
[work]
learner = "softmax"
data = "digits"
batch = 32
epochs = 1.0
learning_rate = 0.3
momentum = 0.0
minimum_quality = 0.60
start = 2024-03-04T06:00:00Z
deadline_after = "6 h"
full_speed_time = "1 h"
)";

inline site::Scenario tiny(const std::vector<std::string>& set = {}) {
  return site::parse_scenario(kTiny, "tiny.toml", set);
}

template <class Error, class Work>
std::string message(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

template <class T>
std::vector<T> all(const std::vector<ledger::Entry>& entries) {
  std::vector<T> found;
  for (const ledger::Entry& entry : entries)
    if (const auto* one = std::get_if<T>(&entry)) found.push_back(*one);
  return found;
}

/// The same decision always.
class Steady final : public control::JobPolicy {
 public:
  explicit Steady(control::Decision decision) : decision_(decision) {}
  std::string_view name() const noexcept override { return "steady"; }
  control::Decision decide(const control::Observation&) override { return decision_; }

 private:
  control::Decision decision_;
};

/// A world with everything it refers to.
struct Stand {
  explicit Stand(site::Scenario s, const std::optional<Environment>& e = {},
                 const std::vector<std::string>& precisions = default_precisions(),
                 const learn::Split& data = digits())
      : scenario(std::move(s)),
        split(data),
        environment(e ? *e : load_environment(scenario, "")),
        learner(learner_of(scenario, split.train)),
        job(make_job(*learner, table, scenario, precisions)),
        world(scenario, environment, job, *learner, split.test, table, clock,
              [this](const ledger::Entry& entry) { entries.push_back(entry); }) {}

  void finish(control::Policy& policy) {
    while (world.step(policy)) {
    }
  }
  /// Until the start of slot `slot`, or the end.
  void run_to(control::Policy& policy, std::size_t slot) {
    const Instant until = environment.start + environment.slot * static_cast<std::int64_t>(slot);
    while (!world.over() && world.now() < until) world.step(policy);
  }
  /// One decision carried out.
  void act(const control::Decision& decision) {
    Steady steady(decision);
    world.step(steady);
  }
  std::uint64_t steps_done() const { return world.progress().steps_done; }
  std::vector<ledger::SlotEntry> slots() const { return all<ledger::SlotEntry>(entries); }
  /// Dynamic energy of the hall so far, out of what the ledger was told.
  Energy drawn() const {
    Energy sum;
    for (const ledger::SlotEntry& slot : slots())
      for (const site::Mode& mode : job.modes)
        if (mode.name == slot.mode) sum += slot.throttle * mode.dynamic_power * slot.length.time();
    return sum;
  }
  /// Of all operations and bytes that the learner counted, but for reports alone.
  Energy used() const {
    return job.trainings * table.energy(learner->counters() - world.outcome().instrument).value();
  }

  static const learn::Split& digits() {
    static const learn::Split split = [] {
      learn::DatasetOptions o;
      o.path = "digits";
      return learn::load_split(o);
    }();
    return split;
  }
  static std::unique_ptr<learn::Learner> learner_of(const site::Scenario& s,
                                                    const learn::Dataset& train) {
    learn::LearnerOptions o;
    o.model = s.work.learner;
    o.hidden = static_cast<std::size_t>(s.work.hidden);
    o.batch = static_cast<std::size_t>(s.work.batch);
    o.epochs = s.work.epochs;
    o.learning_rate = s.work.learning_rate;
    o.momentum = s.work.momentum;
    o.seed = s.seed;
    return learn::make_learner(o, train);
  }

  site::Scenario scenario;
  const learn::Split& split;
  Environment environment;
  learn::EnergyTable table = learn::EnergyTable::embedded();
  std::unique_ptr<learn::Learner> learner;
  Job job;
  VirtualClock clock;
  std::vector<ledger::Entry> entries;
  TrainingWorld world;
};

/// Plenty of wind and nothing else, so that figures have closed forms.
inline Environment windy(const site::Scenario& scenario, Power total = 200.0 * megawatt) {
  Environment e = load_environment(scenario, "");
  for (site::Weather& w : e.weather) {
    w.total = total;
    w.outside = from_celsius(5.0);
  }
  return e;
}

/// Anything that a policy may ask for, drawn from a seed and the number of the decision.
class RandomPolicy final : public control::JobPolicy {
 public:
  explicit RandomPolicy(std::uint64_t seed) : random_(seed, "policy") {}
  std::string_view name() const noexcept override { return "random"; }
  control::Decision decide(const control::Observation& o) override {
    const auto draw = [&] { return random_.uniform(next_++); };
    control::Decision d;
    d.mode = static_cast<int>(draw() * static_cast<double>(o.learning.modes.size() + 1)) - 1;
    d.throttle = draw() < 0.5 ? 1.0 : draw();
    d.grid_allowance = draw() < 0.3 ? Power{} : draw() * o.site.grid_limit;
    d.use_battery = draw() < 0.7;
    if (draw() < 0.4) d.max_steps = std::ceil(8.0 * draw() + 1e-9);
    d.measure_noise = draw() < 0.05;
    d.look = draw() < 0.03;
    return d;
  }

 private:
  std::vector<double> numbers() const override { return {static_cast<double>(next_)}; }
  void set_numbers(const std::vector<double>& state) override {
    next_ = static_cast<std::uint64_t>(state[0]);
  }
  RandomStream random_;
  std::uint64_t next_ = 0;
};

/// Entries as text, without what the machine measured and without when checkpoints were taken.
inline std::vector<std::string> figures(const std::vector<ledger::Entry>& entries) {
  std::vector<std::string> told;
  for (ledger::Entry entry : entries) {
    if (std::holds_alternative<ledger::Checkpoint>(entry)) continue;
    if (auto* begin = std::get_if<ledger::RunBegin>(&entry)) begin->started = Instant{};
    if (auto* end = std::get_if<ledger::LaneEnd>(&entry)) {
      nlohmann::json row = nlohmann::json::parse(end->result_json);
      row.erase("measured");
      end->result_json = row.dump();
    }
    const auto bytes = ledger::encode(entry);
    told.emplace_back(bytes.begin(), bytes.end());
  }
  return told;
}

}  // namespace carnot::train::testing
