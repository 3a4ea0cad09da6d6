// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/thermodynamics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::experiment {

namespace {

double plogp(double p) { return p > 0.0 ? p * std::log(p) : 0.0; }

double entropy_of(const std::vector<double>& p) {
  double s = 0.0;
  for (const double x : p) s -= plogp(x);
  return s;
}

double divergence(const std::vector<double>& p, const std::vector<double>& q) {
  double d = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0.0) d += p[i] * std::log(p[i] / q[i]);
  return d;
}

std::vector<double> through(const std::vector<std::vector<double>>& map,
                            const std::vector<double>& p) {
  std::vector<double> out(map.size(), 0.0);
  for (std::size_t x = 0; x < map.size(); ++x)
    for (std::size_t y = 0; y < map.size(); ++y) out[y] += p[x] * map[x][y];
  return out;
}

void check_distribution(const std::vector<double>& p, std::size_t states, const char* field) {
  double sum = 0.0;
  bool good = p.size() == states;
  for (const double x : p) {
    good = good && x >= 0.0 && std::isfinite(x);
    sum += x;
  }
  if (!good || std::abs(sum - 1.0) > 1e-9)
    throw InputError(describe({}, field, "chances of each state that sum to 1"));
}

double sign(double x) { return x < 0.0 ? -1.0 : 1.0; }

}  // namespace

NoisyLearning simulate_noisy_learning(std::size_t n, double alpha, double nu, std::uint64_t seed) {
  if (n < 2 || !(alpha > 0.0) || !(nu >= 0.0) || !std::isfinite(alpha) || !std::isfinite(nu))
    throw InputError(describe({}, "learning", "2 weights or more, alpha above 0, nu 0 or more"));
  const auto weights = static_cast<double>(n);
  const auto inputs = static_cast<std::size_t>(std::max(1.0, std::round(alpha * weights)));
  const RandomStream random(seed, "noisy learning");
  const RandomStream teachers = random.child(0), pictures = random.child(1);
  const RandomStream noise = random.child(2), fresh = random.child(3), given = random.child(4);
  const auto input = [n](const RandomStream& stream, std::size_t mu, std::size_t i) {
    return (stream.bits(mu * n + i) & 1u) != 0 ? 1.0 : -1.0;
  };
  // Labels that owe nothing to each other, and those of a teacher.
  std::vector<double> teacher(n), f(n, 0.0), of_teacher(n, 0.0), labels(inputs);
  for (std::size_t i = 0; i < n; ++i) teacher[i] = teachers.normal(i);
  for (std::size_t mu = 0; mu < inputs; ++mu) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += teacher[i] * input(pictures, mu, i);
    labels[mu] = (given.bits(mu) & 1u) != 0 ? 1.0 : -1.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double x = nu / std::sqrt(weights) * input(pictures, mu, i);
      f[i] += labels[mu] * x;
      of_teacher[i] += sign(sum) * x;
    }
  }
  NoisyLearning out;
  out.alpha = alpha;
  out.nu = nu;
  // A weight at rest in the old well lies on average f^2 / 2 higher in the new one, which goes as
  // heat.
  std::vector<double> w(n);
  double second = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    w[i] = f[i] + noise.normal(i);
    second += f[i] * f[i] / weights;
  }
  out.heat = 0.5 * second;
  out.entropy = 0.5 * std::log1p(second);
  std::size_t wrong = 0;
  for (std::size_t mu = 0; mu < inputs; ++mu) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += w[i] * input(pictures, mu, i);
    wrong += sign(sum) != labels[mu] ? 1u : 0u;
  }
  const double e = static_cast<double>(wrong) / static_cast<double>(inputs);
  out.information =
      static_cast<double>(inputs) / weights * (std::numbers::ln2 + plogp(e) + plogp(1.0 - e));
  out.efficiency = out.information / (out.entropy + out.heat);
  // What the mean weights make of inputs that nobody saw.
  double overlap = 0.0, norm_f = 0.0, norm_t = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    overlap += of_teacher[i] * teacher[i];
    norm_f += of_teacher[i] * of_teacher[i];
    norm_t += teacher[i] * teacher[i];
  }
  out.error_formula = norm_f > 0.0
                          ? std::acos(std::clamp(overlap / std::sqrt(norm_f * norm_t), -1.0, 1.0)) /
                                std::numbers::pi
                          : 0.5;
  constexpr std::size_t kFresh = 5000;
  std::size_t missed = 0;
  for (std::size_t mu = 0; mu < kFresh; ++mu) {
    double says = 0.0, is = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double x = fresh.normal(mu * n + i);
      says += of_teacher[i] * x;
      is += teacher[i] * x;
    }
    missed += sign(says) != sign(is) ? 1u : 0u;
  }
  out.error_measured = static_cast<double>(missed) / static_cast<double>(kFresh);
  return out;
}

DrivenMemory driven_memory(double flip, double bias, double relax) {
  if (!(flip >= 0.0 && flip <= 1.0) || !(bias >= 0.0) || !(relax > 0.0 && relax <= 1.0) ||
      !std::isfinite(bias))
    throw InputError(
        describe({}, "driven memory", "flip 0 to 1, bias 0 or more, relax above 0 to 1"));
  DrivenMemory out;
  out.flip = flip;
  out.bias = bias;
  out.relax = relax;
  // Energy -bias where s is x. By symmetry all is said by a = chance that s is x after relaxing.
  const double heat_bath = 1.0 / (1.0 + std::exp(-bias));
  const auto after_jump = [&](double a) { return a * (1.0 - flip) + (1.0 - a) * flip; };
  double a = 0.5;
  for (int i = 0; i < 100000; ++i) {
    const double next = relax * heat_bath + (1.0 - relax) * after_jump(a);
    if (std::abs(next - a) < 1e-16) break;
    a = next;
  }
  const double b = after_jump(a);
  const auto bits_of = [](double p) { return std::numbers::ln2 + plogp(p) + plogp(1.0 - p); };
  out.memory = bits_of(a);      // I(s_t; x_t)
  out.prediction = bits_of(b);  // I(s_t; x_t+1)
  // Free energy out of balance: mean energy less entropy of s given x.
  const auto free_energy = [&](double p) { return -bias * p + plogp(p) + plogp(1.0 - p); };
  const double work = -bias * b + bias * a;  // s stays, its energy changes
  out.dissipated_by_jumps = work - (free_energy(b) - free_energy(a));
  // Over a whole turn free energy is where it was: what was put in as work is lost.
  out.dissipated = work;
  return out;
}

Mismatch mismatch(const std::string& name, const std::vector<std::vector<double>>& map,
                  const std::vector<double>& actual, const std::vector<double>& designed) {
  for (const std::vector<double>& row : map) check_distribution(row, map.size(), "map");
  check_distribution(actual, map.size(), "actual");
  check_distribution(designed, map.size(), "designed");
  for (std::size_t x = 0; x < map.size(); ++x)
    if (actual[x] > 0.0 && !(designed[x] > 0.0))
      throw InputError(describe({}, "designed", "a chance above 0 wherever the actual one is"));
  Mismatch out;
  out.map = name;
  out.actual = actual;
  out.designed = designed;
  const std::vector<double> ends = through(map, actual), planned = through(map, designed);
  // Lossless for q means: energies are set to -ln q before and -ln Pq after, so that the bath takes
  // the difference along each way from x to y, whatever the inputs are.
  for (std::size_t x = 0; x < map.size(); ++x)
    for (std::size_t y = 0; y < map.size(); ++y)
      if (actual[x] * map[x][y] > 0.0)
        out.heat += actual[x] * map[x][y] * (std::log(planned[y]) - std::log(designed[x]));
  out.least = entropy_of(actual) - entropy_of(ends);
  out.formula = divergence(actual, designed) - divergence(ends, planned);
  return out;
}

ThermodynamicBounds check_bounds(std::uint64_t seed) {
  ThermodynamicBounds out;
  for (const double alpha : {0.5, 2.0, 8.0})
    for (const double nu : {0.1, 0.5, 2.0})
      out.learning.push_back(simulate_noisy_learning(400, alpha, nu, seed));
  for (const double flip : {0.05, 0.2, 0.5})
    for (const double relax : {0.3, 1.0}) out.memory.push_back(driven_memory(flip, 2.0, relax));
  const std::vector<std::vector<double>> erase = {{1, 0}, {1, 0}};
  const std::vector<std::vector<double>> land = {// (a, b) -> (a and b, 0)
                                                 {1, 0, 0, 0},
                                                 {1, 0, 0, 0},
                                                 {1, 0, 0, 0},
                                                 {0, 1, 0, 0}};
  const std::vector<std::vector<double>> copy = {// (a, b) -> (a, a)
                                                 {1, 0, 0, 0},
                                                 {1, 0, 0, 0},
                                                 {0, 0, 0, 1},
                                                 {0, 0, 0, 1}};
  out.mismatches.push_back(mismatch("erase", erase, {0.9, 0.1}, {0.5, 0.5}));
  out.mismatches.push_back(mismatch("erase", erase, {0.5, 0.5}, {0.5, 0.5}));
  out.mismatches.push_back(mismatch("and", land, {0.25, 0.25, 0.25, 0.25}, {0.4, 0.3, 0.2, 0.1}));
  out.mismatches.push_back(mismatch("copy", copy, {0.4, 0.1, 0.1, 0.4}, {0.25, 0.25, 0.25, 0.25}));
  return out;
}

}  // namespace carnot::experiment
