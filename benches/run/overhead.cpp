// SPDX-License-Identifier: Apache-2.0
// What counting, deciding and keeping books add to training: a lane (adaptive policy, simulated
// site, journal on disk) against the same steps of a bare learner in the same precisions. Data of
// MNIST's size, made up. Interleaved rounds, median of seven. Promise: at most 2 %.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <time.h>
#include <unistd.h>

#include "carnot/base/random.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/training_world.hpp"

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
epochs = 8.0
momentum = 0.0
minimum_quality = 0.5
start = 2024-03-04T06:00:00Z
deadline_after = "72 h"
full_speed_time = "12 h"
)";

/// Seconds of the wall and of this thread's processor time.
class Stopwatch {
 public:
  std::pair<double, double> read() const {
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count(),
            cpu() - cpu_};
  }

 private:
  static double cpu() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  double cpu_ = cpu();
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// What a lane trained: so many steps in this precision.
struct Stretch {
  learn::Precision precision;
  std::uint64_t steps = 0;
};

void note(const ledger::Entry& entry, std::vector<Stretch>& stretches) {
  const auto* slot = std::get_if<ledger::SlotEntry>(&entry);
  if (slot == nullptr || slot->mode.empty()) return;
  const auto precision = learn::Precision::parse(slot->mode);
  if (stretches.empty() || !(stretches.back().precision == precision))
    stretches.push_back({precision, 0});
  std::uint64_t before = 0;
  for (std::size_t i = 0; i + 1 < stretches.size(); ++i) before += stretches[i].steps;
  stretches.back().steps = slot->steps - before;
}

}  // namespace

int main() {
  const site::Scenario scenario = carnot::site::parse_scenario(kScenario, "overhead.toml");
  const learn::Dataset train = images(60'000, 0), held_out = images(10'000, 60'000);
  const learn::EnergyTable& table = learn::EnergyTable::embedded();
  const train::Environment environment = train::load_environment(scenario, "");
  const auto make = [&] {
    learn::LearnerOptions o;
    o.model = scenario.work.learner;
    o.hidden = 128;
    o.batch = 64;
    o.epochs = scenario.work.epochs;
    o.momentum = scenario.work.momentum;
    return learn::make_learner(o, train);
  };
  // Learners of one data set share its packed copies while one of them lives: this one does, so
  // that neither side pays for making them.
  const auto warm = make();
  for (const char* precision : {"bf16", "int8", "int4"}) {
    warm->train(1, learn::Precision::parse(precision));
    (void)warm->evaluate(held_out, learn::Precision::parse(precision));
  }
  const train::Job job = train::make_job(*make(), table, scenario, train::default_precisions());
  const std::string path =
      (std::filesystem::temp_directory_path() / ("overhead-" + std::to_string(getpid()))).string();

  for (const char* name : {"fixed:int8", "adaptive"}) {
    std::vector<double> ratios, cpu_ratios, lanes, bares;
    std::vector<Stretch> stretches;
    for (int round = 0; round < kRounds; ++round) {
      const auto lane_learner = make();
      std::filesystem::remove(path);
      stretches.clear();
      const Stopwatch lane;
      {
        ledger::JournalWriter journal = ledger::JournalWriter::create(path);
        train::VirtualClock clock;
        train::TrainingWorld world(scenario, environment, job, *lane_learner, held_out, table,
                                   clock, [&](const ledger::Entry& entry) {
                                     journal.append(entry);
                                     note(entry, stretches);
                                   });
        world.omit_quality_curve();  // drawn for reports, not part of the loop
        const auto policy =
            control::make_policy(name, control::JobPolicyOptions{job.modes, scenario.objective});
        while (world.step(*policy)) {
        }
        journal.sync();
      }
      const auto [lane_s, lane_cpu] = lane.read();

      const auto bare_learner = make();
      const Stopwatch bare;
      for (const Stretch& s : stretches) (void)bare_learner->train(s.steps, s.precision);
      // The certificate's look is part of the job, whoever does it.
      (void)bare_learner->evaluate(held_out, stretches.back().precision);
      const auto [bare_s, bare_cpu] = bare.read();
      if (bare_learner->steps_done() != lane_learner->steps_done()) return 1;
      ratios.push_back(lane_s / bare_s);
      cpu_ratios.push_back(lane_cpu / bare_cpu);
      lanes.push_back(lane_s);
      bares.push_back(bare_s);
    }
    std::filesystem::remove(path);
    const double overhead = median(ratios) - 1.0;
    std::uint64_t steps = 0;
    for (const Stretch& s : stretches) steps += s.steps;
    std::printf(
        "{\"bench\": \"run_overhead\", \"policy\": \"%s\", \"steps\": %llu, \"lane_s\": %.4f, "
        "\"bare_s\": %.4f, \"overhead\": %.4f, \"cpu_overhead\": %.4f, \"promise\": %.2f, "
        "\"verdict\": \"%s\"}\n",
        name, static_cast<unsigned long long>(steps), median(lanes), median(bares), overhead,
        median(cpu_ratios) - 1.0, kPromise, overhead <= kPromise ? "pass" : "miss");
    std::fflush(stdout);
  }
  return 0;
}
