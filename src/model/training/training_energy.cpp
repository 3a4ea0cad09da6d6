// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/training/training_energy.hpp"

#include <array>
#include <string_view>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

// From `tools/fit_training_model fit`, where sources and errors stand.
constexpr double kStill = 0.2047552933647047;  // of TDP
constexpr double kLeast = 0.1253810407428898, kMost = 0.9150244166622732;
constexpr double kPause = 0.0010981992287472314;  // s a layer
constexpr double kApart = 0.7523566679594956;     // beyond one node
constexpr double kHost = 78.43909987279976;       // W an accelerator
constexpr double kTpuHost = 28.607175336354658;   // W, four chips to a host
constexpr double kEfficiency = 0.3981838786597237;
constexpr double kNode = 8;  // chips
constexpr double kProduct = 0.7568413494335798, kAttention = 0.21282622792950157;
constexpr double kPass = 2.015192571372743,
                 kPassBack = 1.5303070966541545;  // of activations through memory
constexpr double kLink = 0.6644732498307221;
constexpr double kLayer = 6.537080373683421e-05;  // s
constexpr double kUpdate = 39.52257373703129;     // bytes a parameter moved
// 90 % intervals, as factors: of power from papers left out, of time from the spread of the ten
// efficiencies, of energy the root of the sum of their squares in log.
constexpr double kPowerFactor = 1.35, kTimeLow = 0.70, kTimeHigh = 2.6, kEnergyLow = 0.63,
                 kEnergyHigh = 2.7, kStepFactor = 1.08;

void above_zero(std::string_view field, double value) {
  if (!(value > 0 && value < 1e30)) throw InputError(describe({}, field, "a number above 0"));
}

double peak(const Chip& chip, const std::string& format) {
  const ChipValue* found = chip.find(format);
  // Chips before bfloat16 had half precision of the same rate, and the other way round.
  if (found == nullptr && format == "bf16") found = chip.find("fp16");
  if (found == nullptr && format == "fp16") found = chip.find("bf16");
  return (found != nullptr ? found->value : chip.at(format).value) * 1e12;
}

double watts(const TrainingRun& run, const Chip& chip) {
  above_zero("chips", run.chips);
  above_zero("layer_parameters", run.layer_parameters);
  above_zero("tokens", run.tokens);
  const double work = 2 * run.layer_parameters * run.tokens / peak(chip, run.format);
  double share = kLeast + (kMost - kLeast) * work / (work + kPause);
  if (run.chips > kNode) share *= kApart;
  const double host = !run.with_host ? 0 : chip.vendor == "Google" ? kTpuHost : kHost;
  return chip.at("tdp").value * (kStill + (1 - kStill) * share) + host;
}

std::vector<std::string> sources() { return {"arXiv:2104.10350", "Dodge-2022"}; }

}  // namespace

Estimate<Power> training_power(const TrainingRun& run, const Chip& chip) {
  const Power value = watts(run, chip) * watt;
  return {value,
          value / kPowerFactor,
          kPowerFactor * value,
          Origin::Modelled,
          run.with_host ? Boundary::Node : Boundary::Chip,
          "training:power",
          sources()};
}

TrainingPrediction predict_training(const TrainingRun& run, const Chip& chip) {
  above_zero("flop", run.flop);
  TrainingPrediction out;
  out.chip_power = training_power(run, chip);
  const Time time = run.flop / (run.chips * peak(chip, run.format) * kEfficiency) * second;
  out.time = {time,
              kTimeLow * time,
              kTimeHigh * time,
              Origin::Modelled,
              Boundary::None,
              "training:time",
              {"arXiv:2302.13971", "arXiv:2205.05198"}};
  const Energy energy = run.chips * (out.chip_power.value() * time);
  out.energy = {energy,           kEnergyLow * energy,       kEnergyHigh * energy,
                Origin::Modelled, out.chip_power.boundary(), "training:energy",
                sources()};
  return out;
}

Estimate<Time> training_step_time(const TrainingStep& step, const Chip& chip) {
  const std::array<std::pair<std::string_view, double>, 10> fields{{{"layers", step.layers},
                                                                    {"hidden", step.hidden},
                                                                    {"heads", step.heads},
                                                                    {"length", step.length},
                                                                    {"vocabulary", step.vocabulary},
                                                                    {"batch", step.batch},
                                                                    {"micro", step.micro},
                                                                    {"tensor", step.tensor},
                                                                    {"pipeline", step.pipeline},
                                                                    {"stages", step.stages}}};
  for (const auto& [field, value] : fields) above_zero(field, value);
  const double rate = peak(chip, "bf16"), band = chip.at("bandwidth").value * 1e9;
  const double t = step.tensor, h = step.hidden, tokens = step.length * step.micro;
  const double product = 24 * tokens * h * h / t / (rate * kProduct);
  const double attention = 4 * tokens * step.length * h / t / (rate * kAttention);
  // Bytes of activations (arXiv 2205.05198, table 2), each moved kPass times.
  const double stream = (step.selective ? 34 / t : 10 + 24 / t) * tokens * h * kPass / band;
  const double softmax = 5 * step.heads * step.length * tokens / t * kPass / band;
  const double exchange =
      t > 1 ? 2 * 2 * (t - 1) / t * 2 * tokens * h / (chip.at("link").value * 1e9 / 2 * kLink) : 0;
  const double forward = product + attention + stream + softmax + exchange + kLayer;
  const double backward =
      2 * (product + attention) + kPassBack * (stream + softmax) + exchange + kLayer;
  const double layer = forward + backward + (step.selective ? attention + softmax : forward);
  const double head = 6 * tokens * h * step.vocabulary / t / (rate * kProduct);
  const double held = (12 * step.layers * h * h + step.vocabulary * h) / t / step.pipeline;
  const double micros = step.batch / step.micro;
  const Time value =
      ((micros + (step.pipeline - 1) / step.stages) * layer * step.layers / step.pipeline +
       micros * head + held * kUpdate / band) *
      second;
  return {value,          value / kStepFactor, kStepFactor * value, Origin::Modelled,
          Boundary::None, "training:step",     {"arXiv:2205.05198"}};
}

}  // namespace carnot::model
