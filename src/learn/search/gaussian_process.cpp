// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/search/gaussian_process.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "carnot/base/error.hpp"
#include "carnot/base/statistics.hpp"

namespace carnot::learn {

namespace {

constexpr double kLengths[] = {0.1, 0.2, 0.4, 0.8, 1.6, 3.2};
constexpr double kNoises[] = {1e-6, 1e-4, 1e-2, 1e-1};
constexpr int kSweeps = 2;

}  // namespace

struct GaussianProcess::State {
  std::vector<std::vector<double>> points;
  std::vector<double> lengths;
  double noise = 0.0, centre = 0.0, spread = 1.0, likelihood = 0.0;
  Eigen::VectorXd standard, weights;  // y; K^-1 y
  Eigen::LLT<Eigen::MatrixXd> factor;

  void standardise(const std::vector<double>& targets) {
    const auto n = static_cast<Eigen::Index>(targets.size());
    centre = mean(targets);
    spread = targets.size() > 1 ? std::sqrt(sample_variance(targets)) : 0.0;
    if (!(spread > 0.0)) spread = 1.0;
    standard.resize(n);
    for (Eigen::Index i = 0; i < n; ++i)
      standard[i] = (targets[static_cast<std::size_t>(i)] - centre) / spread;
  }

  void solve() {
    const auto n = static_cast<Eigen::Index>(points.size());
    Eigen::MatrixXd kernel(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j <= i; ++j)
        kernel(i, j) = kernel(j, i) = matern52(points[static_cast<std::size_t>(i)],
                                               points[static_cast<std::size_t>(j)], lengths);
    kernel.diagonal().array() += noise;
    factor.compute(kernel);
    CARNOT_CHECK(factor.info() == Eigen::Success, "a kernel with noise is positive definite");
    weights = factor.solve(standard);
    const double log_root = factor.matrixLLT().diagonal().array().log().sum();
    likelihood = -0.5 * standard.dot(weights) - log_root -
                 0.5 * static_cast<double>(n) * std::log(2.0 * std::numbers::pi);
  }

  /// One coordinate through its grid; keeps the likeliest, the first of equals.
  template <std::size_t N>
  void turn(double& parameter, const double (&grid)[N]) {
    double best = parameter, greatest = likelihood;
    for (const double value : grid) {
      parameter = value;
      solve();
      if (likelihood > greatest) {
        greatest = likelihood;
        best = value;
      }
    }
    parameter = best;
    solve();
  }
};

GaussianProcess::GaussianProcess(std::vector<std::vector<double>> points,
                                 const std::vector<double>& targets, std::vector<double> lengths,
                                 double noise)
    : state_(std::make_unique<State>()) {
  const bool shaped = !points.empty() && points.size() == targets.size() &&
                      std::all_of(points.begin(), points.end(), [&](const std::vector<double>& p) {
                        return p.size() == lengths.size();
                      });
  if (!shaped ||
      !std::all_of(targets.begin(), targets.end(), [](double y) { return std::isfinite(y); }))
    throw InputError("Gaussian process: one finite target a point, all points of one dimension");
  state_->points = std::move(points);
  state_->lengths = std::move(lengths);
  state_->noise = noise;
  state_->standardise(targets);
  state_->solve();
}

GaussianProcess::GaussianProcess(std::vector<std::vector<double>> points,
                                 const std::vector<double>& targets)
    : GaussianProcess(points, targets,
                      std::vector<double>(points.empty() ? 0 : points.front().size(), 0.8), 1e-2) {
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (double& length : state_->lengths) state_->turn(length, kLengths);
    state_->turn(state_->noise, kNoises);
  }
}

GaussianProcess::~GaussianProcess() = default;
GaussianProcess::GaussianProcess(GaussianProcess&&) noexcept = default;
GaussianProcess& GaussianProcess::operator=(GaussianProcess&&) noexcept = default;

GaussianMoments GaussianProcess::at(const std::vector<double>& point) const {
  const auto n = static_cast<Eigen::Index>(state_->points.size());
  Eigen::VectorXd near(n);
  for (Eigen::Index i = 0; i < n; ++i)
    near[i] = matern52(point, state_->points[static_cast<std::size_t>(i)], state_->lengths);
  const double mean = near.dot(state_->weights);
  const double known = state_->factor.matrixL().solve(near).squaredNorm();
  return {state_->centre + state_->spread * mean,
          state_->spread * state_->spread * std::max(0.0, 1.0 - known)};
}

const std::vector<double>& GaussianProcess::lengths() const noexcept { return state_->lengths; }
double GaussianProcess::noise() const noexcept { return state_->noise; }
double GaussianProcess::log_likelihood() const noexcept { return state_->likelihood; }

double matern52(const std::vector<double>& a, const std::vector<double>& b,
                const std::vector<double>& lengths) noexcept {
  double square = 0.0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const double d = (a[i] - b[i]) / lengths[i];
    square += d * d;
  }
  const double s = std::sqrt(5.0 * square);
  return (1.0 + s + s * s / 3.0) * std::exp(-s);
}

double expected_improvement(const GaussianMoments& f, double best) noexcept {
  const double deviation = std::sqrt(f.variance);
  if (!(deviation > 0.0)) return std::max(0.0, best - f.mean);
  const double z = (best - f.mean) / deviation;
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
  return std::max(0.0, deviation * (z * normal_cdf(z) + density));
}

}  // namespace carnot::learn
