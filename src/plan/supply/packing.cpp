// SPDX-License-Identifier: Apache-2.0
#include "plan/supply/packing.hpp"

#include <algorithm>
#include <cmath>

#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

constexpr double kLeastRest = 1e-3;  // of 1 - f: below it rounding is blown up
constexpr double kMostJobs = 1e6;    // a limit wider than so many divisors is a fluid
constexpr double kAbove = 1 + 1e-6;  // of divisors that a whole number of would just fit
constexpr int kWide = 16;            // jobs side by side that are looked for
constexpr int kParts = 6;            // a power in so many divisors
constexpr std::size_t kPairs = 24;   // powers that are looked at in pairs
constexpr double kHair = 1e-9;

}  // namespace

bool PackingRow::usable(PackingLimit limit, double limit_kw, double divisor_kw) {
  if (!(divisor_kw > 0) || !(limit_kw >= 0) || limit_kw > kMostJobs * divisor_kw) return false;
  const double jobs = limit_kw / divisor_kw, rest = jobs - std::floor(jobs);
  // Clear of what the certificate refuses, however either rounds.
  return limit == PackingLimit::Room || (rest >= kHair && 1 - rest >= 2 * kLeastRest);
}

PackingRow::PackingRow(PackingLimit limit, double limit_kw, double divisor_kw)
    : divisor_(divisor_kw), most_(std::floor(limit_kw / divisor_kw)) {
  rest_ = limit_kw / divisor_kw - most_;
  floor_ = 1 - rest_ < kLeastRest;
  if (limit == PackingLimit::Knee) per_kw_ = 1 / (divisor_ * (1 - rest_));
}

double PackingRow::share(double power_kw) const noexcept {
  const double parts = power_kw / divisor_, whole = std::floor(parts);
  return floor_ ? whole : whole + std::max(0.0, parts - whole - rest_) / (1 - rest_);
}

double limit_kw(const Problem& problem, const std::vector<Supply>& supply, PackingLimit limit,
                std::size_t cell) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  if (limit == PackingLimit::Room) return room_kw(problem, cell / slots, cell % slots);
  return supply[cell].first + kHair * (1 + supply[cell].first);
}

std::pair<double, double> broken_most(PackingLimit limit, double limit_kw, const RunningAt& running,
                                      double beyond) {
  std::pair<double, double> best{0, 0};
  const auto look = [&](double divisor) {
    if (!PackingRow::usable(limit, limit_kw, divisor)) return;
    const PackingRow row(limit, limit_kw, divisor);
    double left = -row.most() - row.per_kw() * beyond, norm = 0;
    for (const auto& [power, jobs] : running) {
      const double share = row.share(power);
      left += share * jobs;
      norm = std::max(norm, share);
    }
    if (norm > 0 && left / norm > best.second) best = {divisor, left / norm};
  };
  for (int wide = 1; wide <= kWide; ++wide) look(limit_kw / wide * kAbove);
  const auto parts_of = [&](double kw) {
    for (int parts = 1; kw > 0 && parts <= kParts; ++parts) {
      look(kw / parts);
      look(kw / parts * kAbove);
    }
  };
  for (std::size_t i = 0; i < running.size(); ++i) {
    const double power = running[i].first;
    parts_of(power);
    // What is left beside a job, and beside two.
    parts_of(limit_kw - power);
    for (std::size_t k = 0; k <= i && i < kPairs; ++k) {
      parts_of(limit_kw - power - running[k].first);
      parts_of(std::abs(power - running[k].first));
    }
  }
  return best;
}

}  // namespace carnot::plan
