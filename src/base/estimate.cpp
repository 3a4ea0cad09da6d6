// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

std::string_view name(Origin origin) noexcept {
  switch (origin) {
    case Origin::Measured:
      return "measured";
    case Origin::Published:
      return "published";
    case Origin::Modelled:
      return "modelled";
    case Origin::Assumed:
      return "assumed";
  }
  return "?";
}

std::string_view name(Boundary boundary) noexcept {
  switch (boundary) {
    case Boundary::Chip:
      return "chip";
    case Boundary::Node:
      return "node";
    case Boundary::Facility:
      return "facility";
    case Boundary::None:
      return "none";
  }
  return "?";
}

Origin worst(Origin a, Origin b) noexcept { return std::max(a, b); }

namespace {

using Cause = EstimateCore::Cause;

Boundary joined(Boundary a, Boundary b, std::string_view verb) {
  if (a == Boundary::None) return b;
  if (b == Boundary::None || a == b) return a;
  throw InputError(
      fmt::format("cannot {} figures of different boundaries: {} and {}", verb, name(a), name(b)));
}

/// factor_a * a + factor_b * b, cause by cause; both sorted by name, so is the result. A cause
/// that cancels leaves no trace.
std::vector<Cause> combined(const std::vector<Cause>& a, double factor_a,
                            const std::vector<Cause>& b, double factor_b) {
  std::vector<Cause> result;
  result.reserve(a.size() + b.size());
  const auto push = [&](const std::string& cause, double up, double down) {
    if (up != 0.0 || down != 0.0) result.push_back({cause, up, down});
  };
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->name < j->name)) {
      push(i->name, factor_a * i->up, factor_a * i->down);
      ++i;
    } else if (i == a.end() || j->name < i->name) {
      push(j->name, factor_b * j->up, factor_b * j->down);
      ++j;
    } else {
      push(i->name, factor_a * i->up + factor_b * j->up, factor_a * i->down + factor_b * j->down);
      ++i;
      ++j;
    }
  }
  return result;
}

std::vector<std::string> merged(const std::vector<std::string>& a,
                                const std::vector<std::string>& b) {
  std::vector<std::string> result;
  result.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

/// Root of the sum of squares of each cause's excursion in the direction of `sign`. Scaled by the
/// greatest, so that one cause alone comes back exactly and nothing overflows.
double half_width(const std::vector<Cause>& causes, double sign) noexcept {
  const auto excursion = [sign](const Cause& c) {
    return std::max({sign * c.up, sign * c.down, 0.0});
  };
  double greatest = 0.0;
  for (const Cause& c : causes) greatest = std::max(greatest, excursion(c));
  if (greatest == 0.0) return 0.0;
  double sum = 0.0;
  for (const Cause& c : causes) {
    const double r = excursion(c) / greatest;
    sum += r * r;
  }
  return greatest * std::sqrt(sum);
}

}  // namespace

EstimateCore::EstimateCore(double value, double low, double high, Origin origin, Boundary boundary,
                           std::string cause, std::vector<std::string> sources)
    : value_(value), origin_(origin), boundary_(boundary), sources_(std::move(sources)) {
  if (!std::isfinite(value)) throw InputError(fmt::format("value {} is not finite", value));
  if (!std::isfinite(low)) throw InputError(fmt::format("lower bound {} is not finite", low));
  if (!std::isfinite(high)) throw InputError(fmt::format("upper bound {} is not finite", high));
  if (low > value)
    throw InputError(fmt::format("lower bound {} lies above the value {}", low, value));
  if (high < value)
    throw InputError(fmt::format("upper bound {} lies below the value {}", high, value));
  if (low != high) {
    // Two unnamed errors would silently count as one and the same.
    if (cause.empty()) throw InputError("an uncertain figure needs a named cause of its error");
    causes_.push_back({std::move(cause), high - value, low - value});
  }
  std::sort(sources_.begin(), sources_.end());
  sources_.erase(std::unique(sources_.begin(), sources_.end()), sources_.end());
}

double EstimateCore::low() const noexcept { return value_ - half_width(causes_, -1.0); }
double EstimateCore::high() const noexcept { return value_ + half_width(causes_, 1.0); }

EstimateCore EstimateCore::sum(const EstimateCore& a, const EstimateCore& b) {
  EstimateCore result;
  result.boundary_ = joined(a.boundary_, b.boundary_, "add");
  result.value_ = a.value_ + b.value_;
  result.origin_ = worst(a.origin_, b.origin_);
  result.causes_ = combined(a.causes_, 1.0, b.causes_, 1.0);
  result.sources_ = merged(a.sources_, b.sources_);
  return result;
}

EstimateCore EstimateCore::scaled(const EstimateCore& a, double factor) {
  EstimateCore result = a;
  result.value_ *= factor;
  result.causes_ = combined(a.causes_, factor, {}, 0.0);
  return result;
}

EstimateCore EstimateCore::product(const EstimateCore& a, const EstimateCore& b) {
  EstimateCore result;
  result.boundary_ = joined(a.boundary_, b.boundary_, "multiply");
  result.value_ = a.value_ * b.value_;
  result.origin_ = worst(a.origin_, b.origin_);
  result.causes_ = combined(a.causes_, b.value_, b.causes_, a.value_);
  result.sources_ = merged(a.sources_, b.sources_);
  return result;
}

EstimateCore EstimateCore::quotient(const EstimateCore& a, const EstimateCore& b) {
  if (b.value_ == 0.0) throw InputError("cannot divide by an estimate of zero");
  EstimateCore result;
  result.boundary_ = joined(a.boundary_, b.boundary_, "divide");
  result.value_ = a.value_ / b.value_;
  result.origin_ = worst(a.origin_, b.origin_);
  // d(a/b) = (da - (a/b) db) / b: in this order a/a cancels exactly.
  result.causes_ = combined(a.causes_, 1.0, b.causes_, -result.value_);
  for (Cause& c : result.causes_) {
    c.up /= b.value_;
    c.down /= b.value_;
  }
  result.sources_ = merged(a.sources_, b.sources_);
  return result;
}

EstimateCore EstimateCore::at(Boundary boundary) const {
  EstimateCore result = *this;
  result.boundary_ = boundary;
  return result;
}

}  // namespace carnot::inline base
