// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/lifecycle/scores.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::model {

namespace {

void not_negative(std::initializer_list<std::pair<const char*, double>> values) {
  for (const auto& [field, value] : values)
    if (!(value >= 0) || !std::isfinite(value))
      throw InputError(std::string(field) + ": 0 or more and finite");
}

}  // namespace

Energy run_energy(double chips, Time length, Power mean_power, double pue) {
  not_negative({{"chips", chips}, {"hours", length.base()}, {"power", mean_power.base()}});
  if (!(pue >= 1) || !std::isfinite(pue)) throw InputError("PUE: 1 or more");
  return chips * pue * (mean_power * length);
}

double training_flops_rule(double active_parameters, double tokens) {
  not_negative({{"parameters", active_parameters}, {"tokens", tokens}});
  return 6 * active_parameters * tokens;
}

double development_ratio(double experiments, double data_share, double settings) {
  not_negative({{"experiments", experiments}, {"data", data_share}, {"settings", settings}});
  return experiments * data_share * settings;
}

Estimate<Carbon> carbon_intensity_score(const Estimate<Energy>& facility,
                                        const Estimate<CarbonIntensity>& intensity,
                                        const Estimate<Carbon>& embodied, double units) {
  if (!(units > 0) || !std::isfinite(units)) throw InputError("functional units: a number above 0");
  const Estimate<Carbon> operational = facility * intensity;
  return (1 / units) * (operational.at(embodied.boundary()) + embodied);
}

std::vector<double> shapley_savings(std::span<const double> ratios) {
  const std::size_t n = ratios.size();
  if (n > 16) throw InputError("ratios: at most 16");
  for (const double r : ratios)
    if (!(r > 0) || !std::isfinite(r)) throw InputError("ratios: before over after, above 0");
  // Products by size and by who is left out, in ascending order of the ratios, so that the result
  // does not depend on the order in which they were given.
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ratios[a] < ratios[b]; });
  std::vector<double> weight(n, 1);  // |S|! (n - |S| - 1)! / n!
  for (std::size_t s = 0; s < n; ++s) {
    double w = 1.0 / static_cast<double>(n);
    for (std::size_t k = 1; k <= s; ++k) w *= static_cast<double>(k) / static_cast<double>(n - k);
    weight[s] = w;
  }
  std::vector<double> left(std::size_t{1} << n, 1);  // of the footprint, once S is done
  for (std::uint32_t set = 1; set < left.size(); ++set) {
    const auto lowest = static_cast<std::size_t>(std::countr_zero(set));
    left[set] = left[set & (set - 1)] / ratios[order[lowest]];
  }
  std::vector<double> out(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    Sum<> saved;
    const std::uint32_t own = std::uint32_t{1} << i;
    for (std::uint32_t set = 0; set < left.size(); ++set) {
      if ((set & own) != 0) continue;
      saved += weight[static_cast<std::size_t>(std::popcount(set))] * (left[set] - left[set | own]);
    }
    out[order[i]] = saved.value();
  }
  return out;
}

}  // namespace carnot::model
