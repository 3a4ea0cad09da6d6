// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/meter/attribution/attribution.hpp"

namespace carnot::meter {

namespace {

constexpr std::array<std::string_view, 4> kPolicies = {"capacity", "busy", "whole", "none"};

/// The last place of `whole`: sums of whole grains up to it are exact in doubles, in any order.
double grain_of(Energy whole) noexcept {
  int exponent = 0;
  std::frexp(whole.in(joule), &exponent);
  return std::max(std::ldexp(1.0, exponent - std::numeric_limits<double>::digits),
                  std::numeric_limits<double>::denorm_min());
}

Energy whole_grains(Energy energy, double grain) noexcept {
  return std::floor(energy.in(joule) / grain) * grain * joule;
}

double positive(double x) noexcept { return x > 0 ? x : 0.0; }

/// `energy` is in whole grains, and so are the rows.
void divide_grains(Energy energy, double grain, std::span<const double> weights,
                   std::span<Energy> rows) noexcept {
  double greatest = 0;
  std::size_t heaviest = rows.size() - 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = Energy{};
    if (weights[i] > greatest) {
      greatest = weights[i];
      heaviest = i;
    }
  }
  if (greatest == 0) {
    rows.back() = energy;
    return;
  }
  // Shares of the heaviest: no sum of weights overflows or vanishes.
  Sum<double> whole;
  for (const double weight : weights) whole += positive(weight) / greatest;
  Energy others;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == heaviest) continue;
    const double share = positive(weights[i]) / greatest / whole.value();
    rows[i] = min(whole_grains(energy * share, grain), energy - others);
    others += rows[i];
  }
  rows[heaviest] = energy - others;
}

}  // namespace

std::string_view name(StaticPolicy policy) noexcept {
  return kPolicies[static_cast<std::size_t>(policy)];
}

StaticPolicy parse_static_policy(std::string_view text) {
  const auto found = std::find(kPolicies.begin(), kPolicies.end(), text);
  if (found == kPolicies.end()) {
    throw InputError(
        "expected a policy for static energy (capacity, busy, whole or none), found `" +
        std::string(text) + "`");
  }
  return static_cast<StaticPolicy>(found - kPolicies.begin());
}

void divide(Energy energy, std::span<const double> weights, std::span<Energy> rows) noexcept {
  if (!rows.empty()) divide_grains(energy, grain_of(energy), weights, rows);
}

Split split(Energy total, Power static_power, Duration length, const CpuUse& use,
            StaticPolicy policy) noexcept {
  total = max(Energy{}, total);
  const double grain = grain_of(total);
  const Energy static_energy =
      whole_grains(min(total, max(Energy{}, static_power * max(Time{}, length.time()))), grain);
  const Energy dynamic_energy = total - static_energy;

  const double job_s = std::min(positive(use.job_s), positive(use.capacity_s));
  const double busy_s = std::clamp(positive(use.busy_s), job_s, std::max(job_s, use.capacity_s));
  const double others_s = busy_s - job_s;
  enum { kJob, kOthers, kNobody };
  std::array<double, 3> payers = {job_s, others_s, 0.0};
  std::array<Energy, 3> dynamic_rows, static_rows;
  divide_grains(dynamic_energy, grain, payers, dynamic_rows);
  switch (policy) {
    case StaticPolicy::Capacity:
      payers[kNobody] = positive(use.capacity_s - busy_s);
      break;
    case StaticPolicy::Busy:
      break;
    case StaticPolicy::Whole:
      payers = {1.0, 0.0, 0.0};
      break;
    case StaticPolicy::None:
      payers = {0.0, 0.0, 1.0};
      break;
  }
  divide_grains(static_energy, grain, payers, static_rows);

  return {.total = total,
          .static_energy = static_energy,
          .dynamic_energy = dynamic_energy,
          .job_static = static_rows[kJob],
          .job_dynamic = dynamic_rows[kJob],
          .others = dynamic_rows[kOthers] + static_rows[kOthers],
          .idle = static_rows[kNobody],
          .unattributed = dynamic_rows[kNobody]};
}

}  // namespace carnot::meter
