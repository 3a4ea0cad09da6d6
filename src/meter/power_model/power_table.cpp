// SPDX-License-Identifier: Apache-2.0
// Reads the fitted table and evaluates it. tools/fit_power_model is the same in Python.
#include "meter/power_model/power_table.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/text.hpp"

namespace carnot::meter {

namespace {

// Shared with tools/fit_power_model.
constexpr double kBandwidth = 0.3;  // of the resemblance, in standard deviations of a fact
constexpr double kNovelty = 0.5;    // growth of the residual's variance with squared distance
constexpr double kAgeing = 0.07;    // deviation of log power a year outside the years seen ...
constexpr double kOldest = 15;      // ... of which at most so many count
constexpr double kYear = 0.2;       // in units of the fact
constexpr std::size_t kSets = std::size_t{1} << kFacts;

enum : std::size_t { kTdp, kChips, kCores, kThreads, kMemory, kDate, kAmd };

using Vector = std::array<double, kFacts>;

/// Features are the facts, but cores and memory by chip and threads by core.
constexpr std::array<std::size_t, kFacts> kDividedBy{kFacts, kFacts, kChips, kCores,
                                                     kChips, kFacts, kFacts};

Vector features_of(const Vector& facts) {
  Vector x = facts;
  for (std::size_t f = 0; f < kFacts; ++f) {
    if (kDividedBy[f] < kFacts) x[f] -= facts[kDividedBy[f]];
  }
  return x;
}

Vector facts_of(Vector x) {
  for (std::size_t f = 0; f < kFacts; ++f) {  // a divisor stands before what it divides
    if (kDividedBy[f] < kFacts) x[f] += x[kDividedBy[f]];
  }
  return x;
}

/// The numbers of a line `kind,index,number...`; `kind` is cut off `line`.
std::vector<double> numbers_of(std::string_view line, std::string_view& kind) {
  std::vector<double> numbers;
  for (std::size_t column = 0;; ++column) {
    const auto comma = line.find(',');
    const auto cell = line.substr(0, comma);
    if (column == 0) kind = cell;
    if (column >= 2) numbers.push_back(parse_number(cell));
    if (comma == std::string_view::npos) return numbers;
    line.remove_prefix(comma + 1);
  }
}

/// Solves a x = b for a symmetric positive definite `a` of order n (row-major), in place of b.
void solve(std::vector<double>& a, std::size_t n, std::vector<double>& b) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) a[j * n + j] -= a[j * n + k] * a[j * n + k];
    a[j * n + j] = std::sqrt(a[j * n + j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i * n + j] -= a[i * n + k] * a[j * n + k];
      a[i * n + j] /= a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
}

}  // namespace

PowerTable::PowerTable(std::string_view text) {
  std::array<std::size_t, 7> seen{};
  const auto copy = [](const std::vector<double>& from, auto& to, std::size_t begin = 0) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(begin), to.size(), to.begin());
  };
  std::size_t line_number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++line_number;
    std::string_view kind;
    const auto v = numbers_of(line, kind);
    const auto next = [&](std::size_t slot, std::size_t columns, std::size_t most) {
      if (v.size() != columns || seen[slot] >= most) {
        throw InputError(describe({"power_model.csv", line_number}, kind, "rows as fitted"));
      }
      return seen[slot]++;
    };
    if (kind == "feature") {
      const auto i = next(0, 5, kFacts);
      mean_[i] = v[0], sd_[i] = v[1], low_[i] = v[2], high_[i] = v[3], length_[i] = v[4];
    } else if (kind == "covariance") {
      copy(v, covariance_[next(1, kFacts, kFacts)]);
    } else if (kind == "load") {
      load_[next(2, 3, kLoads)] = {v[0], v[1], v[2]};
    } else if (kind == "linear") {
      copy(v, linear_[next(3, kLoads, kFacts + 1)]);
    } else if (kind == "centre") {
      next(4, kFacts + 1, kSets);
      Centre centre{v[0], {}, {}, {}};
      copy(v, centre.at, 1);
      Vector x = centre.at;
      for (std::size_t f = 0; f < kFacts; ++f) x[f] = x[f] * sd_[f] + mean_[f];
      centre.facts = facts_of(x);
      centres_.push_back(centre);
    } else if (kind == "weight") {
      copy(v, centres_.at(next(5, kLoads, centres_.size())).weight);
    } else if (kind == "bounds") {
      next(6, 4, kSets);
      bounds_.push_back({v[0], v[1], v[2], v[3]});
    } else {
      throw InputError(describe({"power_model.csv", line_number}, "kind", "a kind of row"));
    }
  }
  if (seen != std::array<std::size_t, 7>{kFacts, kFacts, kLoads, kFacts + 1, centres_.size(),
                                         centres_.size(), kSets} ||
      centres_.empty()) {
    throw InputError("power_model.csv: some rows are missing");
  }
}

const PowerTable& PowerTable::embedded() {
  static const PowerTable table{kEmbeddedPowerModel};
  return table;
}

PowerTable::Value PowerTable::at(const Vector& facts,
                                 const std::array<bool, kFacts>& made_up) const {
  Vector z = features_of(facts);
  for (std::size_t f = 0; f < kFacts; ++f) {
    const auto by = kDividedBy[f];
    if (made_up[f] || (by < kFacts && made_up[by])) z[f] = std::clamp(z[f], low_[f], high_[f]);
  }
  Value value{linear_[0], kInfinity, facts_of(z)[kThreads]};
  for (std::size_t f = 0; f < kFacts; ++f) z[f] = (z[f] - mean_[f]) / sd_[f];
  for (std::size_t f = 0; f < kFacts; ++f) {
    for (std::size_t l = 0; l < kLoads; ++l) value.log_power[l] += z[f] * linear_[f + 1][l];
  }
  for (const auto& centre : centres_) {
    double squared = 0;
    for (std::size_t f = 0; f < kFacts; ++f) {
      const double apart = (z[f] - centre.at[f]) / length_[f];
      squared += apart * apart;
    }
    value.novelty = std::min(value.novelty, squared);
    const double r = std::sqrt(3 * squared);
    const double kernel = (1 + r) * std::exp(-r);
    for (std::size_t l = 0; l < kLoads; ++l) value.log_power[l] += kernel * centre.weight[l];
  }
  for (std::size_t l = 0; l < kLoads; ++l) {
    value.log_power[l] = value.log_power[l] * load_[l].scale + load_[l].mean;
  }
  return value;
}

std::vector<PowerTable::Candidate> PowerTable::candidates(const Facts& facts) const {
  std::vector<std::size_t> given, missing;
  for (std::size_t f = 0; f < kFacts; ++f) (facts[f] ? given : missing).push_back(f);
  Vector whole{};
  for (const auto f : given) whole[f] = *facts[f];
  if (missing.empty()) return {{1.0, whole}};

  std::vector<Candidate> all;
  double greatest = -kInfinity;
  const std::size_t n = given.size();
  for (const auto& centre : centres_) {
    double log_weight = std::log(centre.share);
    std::vector<double> apart(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto f = given[i];
      apart[i] = whole[f] - centre.facts[f];
      log_weight -= 0.5 * apart[i] * apart[i] / covariance_[f][f] / (kBandwidth * kBandwidth);
    }
    greatest = std::max(greatest, log_weight);
    // The rest moves with what is known, by linear regression: C_mg C_gg^-1 apart.
    std::vector<double> gg(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) gg[i * n + j] = covariance_[given[i]][given[j]];
    }
    solve(gg, n, apart);
    Candidate one{log_weight, whole};
    for (const auto m : missing) {
      one.facts[m] = centre.facts[m];
      for (std::size_t i = 0; i < n; ++i) one.facts[m] += covariance_[m][given[i]] * apart[i];
    }
    all.push_back(one);
  }
  double sum = 0;
  for (auto& one : all) sum += one.weight = std::exp(one.weight - greatest);
  for (auto& one : all) one.weight /= sum;
  return all;
}

LogPowers PowerTable::predict(Facts facts, std::optional<double> share) const {
  // Trends of years do not go on: servers not yet seen resemble the last ones.
  double ageing = 0;
  if (facts[kDate]) {
    const double seen = std::clamp(*facts[kDate], low_[kDate], high_[kDate]);
    ageing = kAgeing * std::min(std::abs(*facts[kDate] - seen) / kYear, kOldest);
    facts[kDate] = seen;
  }
  std::array<bool, kFacts> made_up{};
  std::size_t set = 0;
  for (std::size_t f = 0; f < kFacts; ++f) {
    made_up[f] = !facts[f];
    set |= static_cast<std::size_t>(made_up[f]) << f;
  }
  struct Weighted {
    double weight;
    std::array<double, kLoads> log_power;
  };
  std::vector<Weighted> values;
  std::array<double, kLoads> mean{}, variance{};
  double growth = 1;
  for (const auto& one : candidates(facts)) {
    auto value = at(one.facts, made_up);
    growth += one.weight * kNovelty * value.novelty;
    for (std::size_t l = 0; l < kLoads; ++l) {
      if (share) value.log_power[l] += std::min(0.0, *share - value.threads);
      mean[l] += one.weight * value.log_power[l];
    }
    values.push_back({one.weight, value.log_power});
  }
  // Facts that never met each other may bend the fit; more load is never less power.
  std::array<double, kLoads> rising = mean;
  for (std::size_t l = 1; l < kLoads; ++l) rising[l] = std::max(rising[l], rising[l - 1]);
  for (std::size_t l = 0; l < kLoads; ++l) {
    variance[l] = load_[l].residual * load_[l].residual * growth + ageing * ageing;
    for (const auto& value : values) {
      const double apart = value.log_power[l] - mean[l];
      variance[l] += value.weight * apart * apart;
    }
  }
  mean = rising;

  LogPowers powers;
  const auto& bounds = bounds_[set];
  double any = 0, any_variance = 0;
  for (std::size_t l = 0; l < kLoads; ++l) {
    powers[l] = {mean[l], std::sqrt(variance[l]), bounds[0], bounds[1]};
    any += mean[l] / kLoads;
  }
  for (std::size_t l = 0; l < kLoads; ++l) {
    any_variance += (variance[l] + (mean[l] - any) * (mean[l] - any)) / kLoads;
  }
  powers[kLoads] = {any, std::sqrt(any_variance), bounds[2], bounds[3]};
  return powers;
}

}  // namespace carnot::meter
