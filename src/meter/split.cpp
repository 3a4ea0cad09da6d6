// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/meter/attribution.hpp"

namespace carnot::meter {

namespace {

constexpr std::array<std::string_view, 4> kPolicies = {"capacity", "busy", "whole", "none"};

/// Moves `row`, one of `rows`, by what is missing from `total`, until the rows sum to it.
void settle(Energy total, std::span<Energy> rows, Energy& row) noexcept {
  // A correction is a few units in the last place of the total; each pass leaves at most one.
  for (int pass = 0; pass < 4; ++pass) {
    const Energy missing = total - sum(std::span<const Energy>(rows));
    if (missing == Energy{}) return;
    row = max(Energy{}, row + missing);
  }
}

Energy& largest(std::span<Energy> rows) noexcept {
  return *std::max_element(rows.begin(), rows.end());
}

double positive(double x) noexcept { return x > 0 ? x : 0.0; }

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
  if (rows.empty()) return;
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
  Sum<Energy> others;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == heaviest) continue;
    rows[i] = energy * (positive(weights[i]) / greatest / whole.value());
    others += rows[i];
  }
  rows[heaviest] = max(Energy{}, energy - others.value());
  settle(energy, rows, rows[heaviest]);
}

Split split(Energy total, Power static_power, Duration length, const CpuUse& use,
            StaticPolicy policy) noexcept {
  total = max(Energy{}, total);
  const Energy static_energy = min(total, max(Energy{}, static_power * max(Time{}, length.time())));
  std::array<Energy, 2> halves = {static_energy, total - static_energy};
  settle(total, halves, largest(halves));

  const double job_s = std::min(positive(use.job_s), positive(use.capacity_s));
  const double busy_s = std::clamp(positive(use.busy_s), job_s, std::max(job_s, use.capacity_s));
  const double others_s = busy_s - job_s;
  enum { kJob, kOthers, kNobody };
  std::array<double, 3> payers = {job_s, others_s, 0.0};
  std::array<Energy, 3> dynamic_rows, static_rows;
  divide(halves[1], payers, dynamic_rows);
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
  divide(halves[0], payers, static_rows);

  std::array<Energy, 5> rows = {static_rows[kJob], dynamic_rows[kJob],
                                dynamic_rows[kOthers] + static_rows[kOthers], static_rows[kNobody],
                                dynamic_rows[kNobody]};
  settle(total, rows, largest(rows));
  return {.total = total,
          .static_energy = halves[0],
          .dynamic_energy = halves[1],
          .job_static = rows[0],
          .job_dynamic = rows[1],
          .others = rows[2],
          .idle = rows[3],
          .unattributed = rows[4]};
}

}  // namespace carnot::meter
