// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/lifecycle/federated.hpp"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/model/explain/coefficients.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::model {

namespace {

void validate(const FederatedOptions& o) {
  const auto check = [](bool holds, const char* words) {
    if (!holds) throw InputError(words);
  };
  check(o.rounds >= 1 && o.rounds <= 1e9, "--federated: rounds from 1 to 1e9");
  check(o.devices >= 1 && o.devices <= 1e10, "--federated: devices a round from 1 to 1e10");
  check(o.passes > 0 && o.passes <= 1e6, "--federated-passes: above 0, at most 1e6");
  check(o.wait >= 1 && o.wait <= 1e6, "--federated-wait: from 1 to 1e6");
  double sum = 0;
  for (const FederatedPlace& p : o.places) {
    check(p.share >= 0 && p.share <= 1, "--federated-places: shares from 0 to 1");
    sum += p.share;
  }
  check(o.places.empty() || std::abs(sum - 1) < 1e-6, "--federated-places: shares that sum to 1");
}

double peak_of(const Chip& device) {
  for (const char* format : {"fp16", "bf16", "fp32"})
    if (const ChipValue* v = device.find(format)) return v->value * 1e12;
  throw InputError(fmt::format(
      "--federated-on: {} has no peak of fp16, bf16 or fp32 in the catalogue", device.id));
}

/// `of` with the range of a coefficient that it is inverse (power -1) or proportional (1) to.
Estimate<Energy> ranged(Energy of, const EnergyCoefficient& c, bool inverse) {
  const double low = inverse ? c.value / c.high : c.low / c.value;
  const double high = inverse ? c.value / c.low : c.high / c.value;
  return {of, low * of, high * of, Origin::Modelled, Boundary::Node, c.id, {c.id}};
}

}  // namespace

FederatedTraining federated_training(const Chip& device, double flops, double model_bytes,
                                     const FederatedOptions& o, const Estimate<Energy>& centre,
                                     const Estimate<Carbon>& centre_carbon) {
  validate(o);
  if (!(flops > 0 && model_bytes > 0))
    throw InputError("--federated: of a training (--train-tokens)");
  const CoefficientTable& table = CoefficientTable::embedded();
  const EnergyCoefficient& efficiency = table.at("roofline.compute_efficiency");
  const EnergyCoefficient& still = table.at("roofline.static_share");
  const EnergyCoefficient& wire = table.at("network.fixed");
  const double rate = peak_of(device) * efficiency.value;
  const Power power = device.at("tdp").value * watt;
  FederatedTraining out;
  out.device = device.id;
  const Time busy = flops * o.passes / rate * second;  // of all devices together
  out.round = o.wait / (o.rounds * o.devices) * busy;
  out.sent_bytes = 2 * o.rounds * o.devices * model_bytes;
  out.compute = ranged(power * busy, efficiency, true);
  out.wait = ranged((o.wait - 1) * still.value * (power * busy), still, false);
  out.network = ranged(out.sent_bytes / 1e9 * wire.value * kilowatt_hour, wire, false);
  out.total = out.compute + out.wait + out.network;
  std::optional<Estimate<Carbon>> carbon;
  const std::vector<FederatedPlace> world = {{"WORLD", 1.0}};
  for (const FederatedPlace& p : o.places.empty() ? world : o.places) {
    const Estimate<Carbon> here =
        (p.share * (out.total * grid_intensity(p.location).intensity)).at(Boundary::None);
    carbon = carbon ? *carbon + here : here;
  }
  out.carbon = *carbon;
  if (centre.value() > Energy{}) out.energy_over = out.total.value() / centre.value();
  if (centre_carbon.value() > Carbon{})
    out.carbon_over = out.carbon.value() / centre_carbon.value();
  const Energy most = max(out.compute.value(), max(out.wait.value(), out.network.value()));
  out.greatest = most == out.compute.value() ? "compute"
                 : most == out.wait.value()  ? "wait"
                                             : "network";
  return out;
}

}  // namespace carnot::model
