// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/scaling/scaling.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

namespace carnot::model {

namespace {

/// 5 and 95 % of values; infinite ones sort last.
FittedValue interval(double value, std::vector<double> refits) {
  std::sort(refits.begin(), refits.end());
  const auto at = [&](double share) {
    return refits.empty() ? value
                          : refits[static_cast<std::size_t>(
                                share * static_cast<double>(refits.size() - 1) + 0.5)];
  };
  return {value, std::min(value, at(0.05)), std::max(value, at(0.95))};
}

struct Line {
  double ln_scale = 0, exponent = 0, r2 = 0;
  bool sound = false;
};

Line fitted_line(const std::vector<std::pair<double, double>>& xy) {
  double mx = 0, my = 0;
  const double n = static_cast<double>(xy.size());
  for (const auto& [x, y] : xy) {
    mx += x / n;
    my += y / n;
  }
  double xx = 0, xy_sum = 0, yy = 0;
  for (const auto& [x, y] : xy) {
    xx += (x - mx) * (x - mx);
    xy_sum += (x - mx) * (y - my);
    yy += (y - my) * (y - my);
  }
  Line line;
  line.sound = xx > 1e-12;
  if (!line.sound) return line;
  line.exponent = -xy_sum / xx;
  line.ln_scale = my + line.exponent * mx;
  line.r2 = yy > 0 ? xy_sum * xy_sum / (xx * yy) : 1;
  return line;
}

double half_of(double exponent) { return exponent > 0 ? std::pow(2.0, 1 / exponent) : kInfinity; }

double effort_of(double ln_scale, double exponent, double error) {
  return exponent > 0 ? std::exp((ln_scale - std::log(error)) / exponent) : kInfinity;
}

// --- two terms ----------------------------------------------------------------------------------

constexpr double kHuber = 1e-3;
using Five = std::array<double, 5>;  // ln E, ln A', ln B', alpha, beta; A' at the mean of ln N

struct LogPoint {
  double n = 0, d = 0, loss = 0;  // ln N and ln D less their means, ln L
};

double huber_of(double r) {
  const double a = std::abs(r);
  return a <= kHuber ? 0.5 * r * r : kHuber * (a - 0.5 * kHuber);
}

/// ln of the law, and its slopes.
double law_at(const Five& t, const LogPoint& p, Five& slope) {
  const std::array<double, 3> terms = {t[0], t[1] - t[3] * p.n, t[2] - t[4] * p.d};
  const double most = std::max({terms[0], terms[1], terms[2]});
  std::array<double, 3> w{};
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) sum += w[i] = std::exp(terms[i] - most);
  for (double& x : w) x /= sum;
  slope = {w[0], w[1], w[2], -w[1] * p.n, -w[2] * p.d};
  return most + std::log(sum);
}

double cost_of(const Five& t, const std::vector<LogPoint>& points) {
  double cost = 0;
  Five slope;
  for (const LogPoint& p : points) cost += huber_of(law_at(t, p, slope) - p.loss);
  return cost;
}

/// Solves (H + lambda diag H) x = g; false where it is singular.
bool solved(std::array<std::array<double, 6>, 5> a, Five& x) {
  for (std::size_t c = 0; c < 5; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < 5; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    if (!(std::abs(a[pivot][c]) > 1e-300)) return false;
    std::swap(a[c], a[pivot]);
    for (std::size_t r = 0; r < 5; ++r) {
      if (r == c) continue;
      const double factor = a[r][c] / a[c][c];
      for (std::size_t k = c; k < 6; ++k) a[r][k] -= factor * a[c][k];
    }
  }
  for (std::size_t c = 0; c < 5; ++c) x[c] = a[c][5] / a[c][c];
  return true;
}

Five descend(Five t, const std::vector<LogPoint>& points, int most) {
  double cost = cost_of(t, points), lambda = 1e-3;
  for (int round = 0; round < most; ++round) {
    std::array<std::array<double, 6>, 5> normal{};
    for (const LogPoint& p : points) {
      Five slope;
      const double r = law_at(t, p, slope) - p.loss;
      const double weight = std::abs(r) <= kHuber ? 1 : kHuber / std::abs(r);
      for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t j = 0; j < 5; ++j) normal[i][j] += weight * slope[i] * slope[j];
        normal[i][5] -= weight * slope[i] * r;
      }
    }
    bool better = false;
    for (int attempt = 0; attempt < 12 && !better; ++attempt) {
      auto damped = normal;
      for (std::size_t i = 0; i < 5; ++i) damped[i][i] = damped[i][i] * (1 + lambda) + 1e-15;
      Five step;
      Five next = t;
      if (solved(damped, step)) {
        for (std::size_t i = 0; i < 5; ++i) next[i] += std::clamp(step[i], -2.0, 2.0);
        next[3] = std::clamp(next[3], 1e-3, 5.0);
        next[4] = std::clamp(next[4], 1e-3, 5.0);
        const double there = cost_of(next, points);
        if (there < cost) {
          better = cost - there > 1e-10 * cost;
          t = next;
          cost = there;
          lambda = std::max(1e-12, lambda * 0.2);
          if (!better) return t;
          break;
        }
      }
      lambda *= 5;
    }
    if (!better) break;
  }
  return t;
}

}  // namespace

FittedValue PowerLaw::error_at(double effort) const {
  std::vector<double> all;
  all.reserve(refits.size());
  for (const auto& [ln_a, b] : refits) all.push_back(std::exp(ln_a - b * std::log(effort)));
  return interval(scale.value * std::pow(effort, -exponent.value), std::move(all));
}

FittedValue PowerLaw::effort_for(double error) const {
  std::vector<double> all;
  all.reserve(refits.size());
  for (const auto& [ln_a, b] : refits) all.push_back(effort_of(ln_a, b, error));
  return interval(effort_of(std::log(scale.value), exponent.value, error), std::move(all));
}

PowerLaw fit_power_law(std::span<const EffortPoint> points, std::uint64_t seed,
                       std::size_t resamples) {
  if (points.size() < 4)
    throw InputError(fmt::format("scaling: 4 points or more, found {}", points.size()));
  std::vector<std::pair<double, double>> logs;
  for (const EffortPoint& p : points) {
    if (!(p.effort > 0 && p.error > 0 && std::isfinite(p.effort) && std::isfinite(p.error)))
      throw InputError("scaling: efforts and errors above 0");
    logs.emplace_back(std::log(p.effort), std::log(p.error));
  }
  const Line best = fitted_line(logs);
  if (!best.sound) throw InputError("scaling: points of different efforts");
  PowerLaw out;
  out.points = points.size();
  out.r2 = best.r2;
  std::vector<double> scales, exponents, halves;
  for (std::size_t i = 0; i < resamples; ++i) {
    const RandomStream draw = RandomStream(seed, "power law").child(i);
    std::vector<std::pair<double, double>> drawn;
    for (std::size_t k = 0; k < logs.size(); ++k) drawn.push_back(logs[draw.below(k, logs.size())]);
    const Line line = fitted_line(drawn);
    if (!line.sound) continue;
    out.refits.emplace_back(line.ln_scale, line.exponent);
    scales.push_back(std::exp(line.ln_scale));
    exponents.push_back(line.exponent);
    halves.push_back(half_of(line.exponent));
  }
  out.resamples = out.refits.size();
  out.scale = interval(std::exp(best.ln_scale), std::move(scales));
  out.exponent = interval(best.exponent, std::move(exponents));
  out.half = interval(half_of(best.exponent), std::move(halves));
  return out;
}

double TwoTermConstants::loss(double parameters, double tokens) const {
  return floor + a * std::pow(parameters, -alpha) + b * std::pow(tokens, -beta);
}

double TwoTermConstants::optimal_parameters(double flops) const {
  const double g = std::pow(alpha * a / (beta * b), 1 / (alpha + beta));
  return g * std::pow(flops / 6, beta / (alpha + beta));
}

double TwoTermConstants::optimal_tokens_per_parameter(double flops) const {
  const double n = optimal_parameters(flops);
  return flops / (6 * n) / n;
}

FittedValue TwoTermLaw::tokens_per_parameter(double flops) const {
  std::vector<double> all;
  all.reserve(refits.size());
  for (const TwoTermConstants& c : refits) all.push_back(c.optimal_tokens_per_parameter(flops));
  return interval(best.optimal_tokens_per_parameter(flops), std::move(all));
}

TwoTermLaw fit_two_terms(std::span<const LossPoint> points, std::uint64_t seed,
                         std::size_t resamples) {
  if (points.size() < 8)
    throw InputError(fmt::format("scaling: 8 points or more, found {}", points.size()));
  std::vector<LogPoint> logs;
  double mean_n = 0, mean_d = 0;
  for (const LossPoint& p : points) {
    if (!(p.parameters > 0 && p.tokens > 0 && p.loss > 0 && std::isfinite(p.parameters) &&
          std::isfinite(p.tokens) && std::isfinite(p.loss)))
      throw InputError("scaling: parameters, tokens and losses above 0");
    logs.push_back({std::log(p.parameters), std::log(p.tokens), std::log(p.loss)});
    mean_n += logs.back().n / static_cast<double>(points.size());
    mean_d += logs.back().d / static_cast<double>(points.size());
  }
  double nn = 0, dd = 0, nd = 0, least = kInfinity;
  for (LogPoint& p : logs) {
    p.n -= mean_n;
    p.d -= mean_d;
    nn += p.n * p.n;
    dd += p.d * p.d;
    nd += p.n * p.d;
    least = std::min(least, p.loss);
  }
  if (!(nn * dd - nd * nd > 1e-6 * nn * dd))
    throw InputError("scaling: parameters and tokens that do not go together throughout");
  Five best{};
  double cost = kInfinity;
  for (const double share : {0.4, 0.7, 0.9})
    for (const double alpha : {0.2, 0.35, 0.6})
      for (const double beta : {0.2, 0.35, 0.6}) {
        const double rest = std::log((1 - share) / 2) + least;
        const Five t = descend({std::log(share) + least, rest, rest, alpha, beta}, logs, 200);
        if (const double there = cost_of(t, logs); there < cost) {
          cost = there;
          best = t;
        }
      }
  const auto constants = [&](const Five& t) {
    return TwoTermConstants{std::exp(t[0]), std::exp(t[1] + t[3] * mean_n),
                            std::exp(t[2] + t[4] * mean_d), t[3], t[4]};
  };
  TwoTermLaw out;
  out.points = points.size();
  out.huber = cost / static_cast<double>(points.size());
  out.best = constants(best);
  for (std::size_t i = 0; i < resamples; ++i) {
    const RandomStream draw = RandomStream(seed, "two terms").child(i);
    std::vector<LogPoint> drawn;
    drawn.reserve(logs.size());
    for (std::size_t k = 0; k < logs.size(); ++k) drawn.push_back(logs[draw.below(k, logs.size())]);
    out.refits.push_back(constants(descend(best, drawn, 60)));
  }
  out.resamples = resamples;
  const auto of = [&](double TwoTermConstants::*field) {
    std::vector<double> all;
    all.reserve(out.refits.size());
    for (const TwoTermConstants& c : out.refits) all.push_back(c.*field);
    return interval(out.best.*field, std::move(all));
  };
  out.floor = of(&TwoTermConstants::floor);
  out.a = of(&TwoTermConstants::a);
  out.b = of(&TwoTermConstants::b);
  out.alpha = of(&TwoTermConstants::alpha);
  out.beta = of(&TwoTermConstants::beta);
  return out;
}

}  // namespace carnot::model
