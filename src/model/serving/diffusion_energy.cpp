// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/serving/diffusion_energy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

// From `tools/fit_diffusion_model fit`.
constexpr double kProduct = 0.4808172648602175, kAttention = 0.32069579576699925;
constexpr double kLayer = 0.0002689120292074752;  // s
constexpr double kStream = 15.442130188467017;    // times that activations move
constexpr double kPixel = 165257826.13927734;     // FLOP to decode one, over its efficiency
constexpr double kItem = 0.14719441474022626;     // s
constexpr double kFlop = 1.7396265066935912, kActive = 0.48942266249447214,
                 kIdle = 0.13001811877006234;
constexpr double kStatic = 0.1407, kMostStatic = 0.4;  // W/mm2; of TDP
constexpr double kLink = 0.7, kExchanges = 4;          // a layer
constexpr double kCap = 0.97, kSharpness = 6;
// 90 % intervals as factors, from models left out; where nothing was measured, an assumption.
constexpr double kEnergyLow = 0.75, kEnergyHigh = 1.6, kPowerFactor = 1.4, kUnmeasured = 2;

}  // namespace

DiffusionPrediction predict_diffusion(const DiffusionRun& run, const Chip& chip) {
  const std::array<std::pair<std::string_view, double>, 8> fields{{{"parameters", run.parameters},
                                                                   {"layers", run.layers},
                                                                   {"hidden", run.hidden},
                                                                   {"tokens", run.tokens},
                                                                   {"passes", run.passes},
                                                                   {"pixels", run.pixels},
                                                                   {"batch", run.batch},
                                                                   {"chips", run.chips}}};
  for (const auto& [field, value] : fields) {
    if (!(value > 0 && value < 1e15)) throw InputError(describe({}, field, "a number above 0"));
  }
  if (run.chips < 1) throw InputError(describe({}, "chips", "at least 1"));
  const double n = run.chips;
  const auto* bf16 = chip.find("bf16");
  const double peak = (bf16 != nullptr ? bf16->value : chip.at("fp16").value) * 1e12;
  const double band = chip.at("bandwidth").value * 1e9, tdp = chip.at("tdp").value;

  const double products = 2 * run.parameters * run.tokens * run.batch / n;
  const double attention =
      (run.linear_attention ? 0 : 4 * run.layers * run.tokens * run.tokens * run.hidden) *
      run.batch / n;
  const double activations = run.layers * run.tokens * run.hidden * 2 * run.batch / n;
  const double sent =
      n > 1 ? kExchanges * activations * (n - 1) / n / (chip.at("link").value * 1e9 / 2 * kLink)
            : 0;
  const double work =
      products / (peak * kProduct) + attention / (peak * kAttention) + activations * kStream / band;
  const double decode = run.pixels * run.batch * kPixel / peak;
  const double seconds = run.passes * (work + sent + run.layers * kLayer) + decode + kItem;

  const double still = std::min(kStatic * chip.at("die").value, kMostStatic * tdp);
  const double demand = (kFlop * run.passes * (products + attention) / peak +
                         kActive * (run.passes * work + decode)) /
                            seconds +
                        kIdle;
  const double watts =
      still + (tdp - still) * std::pow(std::pow(demand, -kSharpness) + std::pow(kCap, -kSharpness),
                                       -1 / kSharpness);

  const bool measured = chip.id == "h100-sxm" && n == 1 && run.batch == 1;
  const double low = measured ? kEnergyLow : 1 / kUnmeasured;
  const double high = measured ? kEnergyHigh : kUnmeasured;
  const std::vector<std::string> sources = {"ml-energy-v3"};
  DiffusionPrediction out;
  const Time time = seconds * second;
  out.batch_time = {time,           low * time,       high * time, Origin::Modelled,
                    Boundary::None, "diffusion:time", sources};
  const Power power = watts * watt;
  out.chip_power = {power,
                    power / kPowerFactor,
                    std::min(kPowerFactor * watts, tdp) * watt,
                    Origin::Modelled,
                    Boundary::Chip,
                    "diffusion:power",
                    sources};
  const Energy energy = watts * n * seconds / run.batch * joule;
  out.item_energy = {energy,         low * energy,       high * energy, Origin::Modelled,
                     Boundary::Chip, "diffusion:energy", sources};
  return out;
}

}  // namespace carnot::model
