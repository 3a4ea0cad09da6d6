// SPDX-License-Identifier: Apache-2.0
// What counting, deciding and keeping books add to training: a lane (adaptive policy, simulated
// site, journal on disk) against the same steps of a bare learner in the same precisions. Data of
// MNIST's size, made up. Interleaved rounds, median of seven. Promise: at most 2 %.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include <unistd.h>

#include "carnot/base/random.hpp"
#include "carnot/fleet/scenario.hpp"
#include "carnot/learn/learner.hpp"
#include "carnot/ledger/journal.hpp"
#include "carnot/plan/policy.hpp"
#include "carnot/run/environment.hpp"
#include "carnot/run/job.hpp"
#include "carnot/run/simulated_world.hpp"

namespace {

using namespace carnot;

constexpr int kRounds = 7;
constexpr double kPromise = 0.02;

/// Ten blurred prototypes of 28 x 28 with noise: as many numbers as MNIST, nothing of it.
learn::Dataset images(std::size_t rows, std::uint64_t first) {
  const RandomStream prototype(1, "prototypes"), noise(2, "noise");
  learn::Dataset d;
  d.name = "made up";
  d.rows = rows;
  d.columns = 784;
  d.classes = 10;
  d.unsigned_features = true;
  d.features.resize(rows * d.columns);
  d.labels.resize(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    d.labels[r] = static_cast<std::uint32_t>((r + first) % 10);
    for (std::size_t c = 0; c < d.columns; ++c) {
      const double v = 0.7 * prototype.uniform(d.labels[r] * 784 + c) +
                       0.3 * noise.uniform((first + r) * 784 + c);
      d.features[r * d.columns + c] = static_cast<float>(v);
    }
  }
  for (int k = 0; k < 10; ++k) d.class_names.push_back(std::to_string(k));
  return d;
}

const char* const kScenario = R"(name = "overhead"
seed = 1
[site]
import_limit = "30 MW"
computing_uses = "all-own"
[site.hall]
nodes = 40000
[signals]
power = { kind = "generated", source = "wind", capacity = "148 MW" }
price = { kind = "generated" }
carbon = { kind = "generated" }
temperature = { kind = "generated" }
[work]
learner = "mlp"
hidden = 128
batch = 64
epochs = 2.0
momentum = 0.0
minimum_quality = 0.5
start = 2024-03-04T06:00:00Z
deadline_after = "72 h"
full_speed_time = "12 h"
)";

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// What a lane trained: so many steps in this precision.
struct Stretch {
  learn::Precision precision;
  std::uint64_t steps = 0;
};

}  // namespace

int main() {
  const Scenario scenario = parse_scenario(kScenario, "overhead.toml");
  const learn::Dataset train = images(60'000, 0), held_out = images(10'000, 60'000);
  const learn::EnergyTable& table = learn::EnergyTable::embedded();
  const run::Environment environment = run::load_environment(scenario, "");
  const auto make = [&] {
    learn::LearnerOptions o;
    o.model = scenario.work.learner;
    o.hidden = 128;
    o.batch = 64;
    o.epochs = scenario.work.epochs;
    o.momentum = scenario.work.momentum;
    return learn::make_learner(o, train);
  };
  const run::Job job = run::make_job(*make(), table, scenario, run::default_precisions());
  const std::string path =
      (std::filesystem::temp_directory_path() / ("overhead-" + std::to_string(getpid()))).string();

  for (const char* name : {"fixed:int8", "adaptive"}) {
    std::vector<double> lanes, bares, extras;
    std::vector<Stretch> stretches;
    for (int round = 0; round < kRounds; ++round) {
      {
        const auto learner = make();
        std::filesystem::remove(path);
        JournalWriter journal = JournalWriter::create(path);
        run::VirtualClock clock;
        const double from = now();
        stretches.clear();
        run::SimulatedWorld world(
            scenario, environment, job, *learner, held_out, table, clock, [&](const Entry& entry) {
              journal.append(entry);
              const auto* slot = std::get_if<SlotEntry>(&entry);
              if (slot == nullptr || slot->mode.empty()) return;
              const auto precision = learn::Precision::parse(slot->mode);
              if (stretches.empty() || !(stretches.back().precision == precision))
                stretches.push_back({precision, 0});
              std::uint64_t before = 0;
              for (std::size_t i = 0; i + 1 < stretches.size(); ++i) before += stretches[i].steps;
              stretches.back().steps = slot->steps - before;
            });
        const auto policy = plan::make_policy(name, job.modes, scenario.objective);
        while (!world.over()) world.act(policy->decide(world.observe()));
        journal.sync();
        lanes.push_back(now() - from);
        // Part of the job, but no step: the certificate's look. Its time is taken off both.
        const double look = now();
        (void)learner->evaluate(held_out, stretches.back().precision);
        extras.push_back(now() - look);
      }
      {
        const auto learner = make();
        const double from = now();
        for (const Stretch& s : stretches) (void)learner->train(s.steps, s.precision);
        bares.push_back(now() - from);
      }
    }
    std::filesystem::remove(path);
    const double lane = median(lanes), bare = median(bares), look = median(extras);
    const double overhead = (lane - look) / bare - 1.0;
    std::uint64_t steps = 0;
    for (const Stretch& s : stretches) steps += s.steps;
    std::printf(
        "{\"bench\": \"run_overhead\", \"policy\": \"%s\", \"steps\": %llu, \"lane_s\": %.4f, "
        "\"look_s\": %.4f, \"bare_s\": %.4f, \"overhead\": %.4f, \"promise\": %.2f, "
        "\"verdict\": \"%s\"}\n",
        name, static_cast<unsigned long long>(steps), lane, look, bare, overhead, kPromise,
        overhead <= kPromise ? "pass" : "miss");
    std::fflush(stdout);
  }
  return 0;
}
