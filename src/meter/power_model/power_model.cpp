// SPDX-License-Identifier: Apache-2.0
// Facts about a host, checked and put to the fitted table.
#include "carnot/meter/power_model/power_model.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "carnot/base/text.hpp"

#include "meter/power_model/power_facts.hpp"
#include "meter/power_model/power_table.hpp"

namespace carnot::meter {

namespace {

// A guest's part of its host's power is not what its CPUs' part of the host is: others may be idle
// or busy, and CPUs may be shared. A factor of 1.5 either way, 90 % (assumed).
constexpr double kGuestFactor = 1.5;
constexpr double kNormal90 = 1.6448536269514722;  // the normal distribution's 95 % quantile

std::optional<double> logarithm(const std::optional<double>& value) {
  return value ? std::optional(std::log(*value)) : std::nullopt;
}

Facts facts_of(const HostFacts& host) {
  Facts facts{logarithm(host.tdp_w),
              logarithm(host.chips),
              logarithm(host.cores),
              logarithm(host.threads),
              logarithm(host.memory_gb),
              std::nullopt,
              std::nullopt};
  if (host.year) facts[5] = (*host.year - 2013) / 5;
  std::string vendor = host.vendor;
  std::transform(vendor.begin(), vendor.end(), vendor.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  // The table knows two makers; of others nothing is known, not that they are like one of these.
  if (vendor == "amd" || vendor == "intel") facts[6] = vendor == "amd" ? 1.0 : 0.0;
  return facts;
}

}  // namespace

const std::vector<FactRange>& fact_ranges() {
  static const std::vector<FactRange> ranges{
      {"tdp_w", &HostFacts::tdp_w, 1, 5000, "W a chip"},
      {"chips", &HostFacts::chips, 1, 64, ""},
      {"cores", &HostFacts::cores, 1, 16384, "of the whole server"},
      {"threads", &HostFacts::threads, 1, 32768, "of the whole server"},
      {"memory_gb", &HostFacts::memory_gb, 0.1, 65536, "GB"},
      {"year", &HostFacts::year, 1995, 2100, "the year it could be bought"},
      {"vcpus", &HostFacts::vcpus, 1, 32768, "CPUs of the guest"}};
  return ranges;
}

std::string describe(const FactRange& range) {
  return shortest(range.low) + " ... " + shortest(range.high) +
         (range.unit.empty() ? "" : " (" + range.unit + ")");
}

LogBand interpolate(const LogPowers& powers, std::optional<double> utilisation) {
  LogPower p = powers[kLoads];
  if (utilisation) {
    const double at = *utilisation * (kLoads - 1);
    const auto below = std::min(static_cast<std::size_t>(at), kLoads - 2);
    const double part = at - static_cast<double>(below);
    p = powers[below];
    p.mean += part * (powers[below + 1].mean - p.mean);
    p.deviation += part * (powers[below + 1].deviation - p.deviation);
  }
  return {p.mean, p.mean - p.below * p.deviation, p.mean + p.above * p.deviation};
}

LogPowers log_powers(const HostFacts& host) {
  for (const auto& range : fact_ranges()) {
    const auto& value = host.*range.field;
    if (value && !(*value >= range.low && *value <= range.high)) {
      throw InputError(range.name + ": " + describe(range) + ", found " + shortest(*value));
    }
  }
  const auto& table = PowerTable::embedded();
  if (!host.vcpus) return table.predict(facts_of(host));
  auto powers = table.predict(facts_of(host), std::log(*host.vcpus));
  const double spread = std::log(kGuestFactor) / kNormal90;
  for (auto& p : powers) p.deviation = std::hypot(p.deviation, spread);
  return powers;
}

Estimate<Power> estimate_wall_power(const HostFacts& facts, std::optional<double> utilisation) {
  if (utilisation && !(*utilisation >= 0 && *utilisation <= 1)) {
    throw InputError("utilisation: 0 ... 1, found " + shortest(*utilisation));
  }
  const auto band = interpolate(log_powers(facts), utilisation);
  auto sources = facts.sources;
  sources.emplace_back("SPECpower_ssj2008 results 2005-2022 (spec.org), fitted");
  return {std::exp(band.value) * watt,
          std::exp(band.low) * watt,
          std::exp(band.high) * watt,
          Origin::Modelled,
          Boundary::Node,
          "power-model",
          std::move(sources)};
}

}  // namespace carnot::meter
