// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/hall_job.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

namespace carnot::train {

namespace {
int nominal_bits(const learn::Precision& p) { return std::max(p.data, p.weight); }
}  // namespace

const std::vector<std::string>& default_precisions() {
  static const std::vector<std::string> names{"f32", "bf16", "int8", "d4w8g4", "int4"};
  return names;
}

Job make_job(const learn::Learner& learner, const learn::EnergyTable& table,
             const site::Scenario& scenario, const std::vector<std::string>& precisions) {
  const site::HallOptions& hall = scenario.site.hall;
  const double steps = static_cast<double>(learner.total_steps());
  const learn::Counters exact = learner.step_counters(learn::Precision::parse("f32"));
  const Energy f32_energy = table.energy(exact).value();
  const Time f32_time = table.time(exact);
  const double f32_rate = steps / scenario.work.full_speed_time.in(second);
  const Power dynamic = hall.nodes * (hall.node_peak - hall.node_idle);

  // Policies rely on the order: from most to least bits.
  std::vector<learn::Precision> ordered;
  for (const std::string& name : precisions) {
    learn::Precision precision = learn::Precision::parse(name);
    if (std::count(ordered.begin(), ordered.end(), precision) > 0)
      throw InputError(fmt::format("precisions: each once, found `{}` twice", name));
    ordered.push_back(std::move(precision));
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const learn::Precision& a, const learn::Precision& b) {
                     return nominal_bits(a) > nominal_bits(b);
                   });

  Job job;
  job.trainings = (dynamic / (f32_energy * f32_rate / second));
  for (const learn::Precision& precision : ordered) {
    const learn::Counters counters = learner.step_counters(precision);
    const Energy energy = table.energy(counters).value();
    site::Mode mode;
    mode.name = precision.name;
    mode.bits = nominal_bits(precision);
    mode.steps_per_second = std::min(f32_rate * (f32_time / table.time(counters)),
                                     dynamic / (job.trainings * energy / second));
    mode.static_power = hall.nodes * hall.node_idle;
    mode.dynamic_power = job.trainings * energy * mode.steps_per_second / second;
    mode.data_bits = precision.data;
    mode.first_use =
        job.trainings *
        table.energy(learner.switch_counters(learn::Precision::parse("f32"), precision)).value();
    job.precisions.push_back(precision);
    job.modes.push_back(std::move(mode));
    job.step_energy.push_back(energy);
  }
  job.scaling_text = fmt::format(
      "The hall ({:.0f} nodes, {} idle to {} at full load) does {:.3g} identical trainings in "
      "lockstep, "
      "so that the schedule of {:.0f} steps takes {} in f32 at full throttle. One training's f32 "
      "step "
      "is {:.3g} J by the energy table; every counted joule is multiplied by the number of "
      "trainings. "
      "One training is really done here for each policy; site time is simulated.",
      hall.nodes, format(hall.nodes * hall.node_idle), format(hall.nodes * hall.node_peak),
      job.trainings, steps, format(scenario.work.full_speed_time), f32_energy.in(joule));
  return job;
}

}  // namespace carnot::train
