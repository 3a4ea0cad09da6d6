// SPDX-License-Identifier: Apache-2.0
#include "learn/labels/experts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace carnot::learn {

namespace {

constexpr std::array<double, 9> kTemperatures = {0.6, 0.75, 0.9, 1.05, 1.25, 1.5, 1.9, 2.5, 4.0};
constexpr std::size_t kCounts = 0, kBefore = 1, kPresent = 2;
constexpr std::size_t kExperts = kPresent + kTemperatures.size();
constexpr double kBeforeTemperature = 1.25;
constexpr double kShare = 2e-3;  // of the weights handed round after each label
constexpr double kLeast = 1e-9;  // a probability that no expert goes below

/// p^(1/T), normed.
void tempered(std::span<const float> p, double temperature, double* out) {
  double sum = 0.0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    const double x =
        std::isfinite(p[c]) ? std::clamp(static_cast<double>(p[c]), kLeast, 1.0) : kLeast;
    out[c] = std::exp(std::log(x) / temperature);
    sum += out[c];
  }
  for (std::size_t c = 0; c < p.size(); ++c) out[c] /= sum;
}

}  // namespace

LabelExperts::LabelExperts(std::size_t classes)
    : classes_(classes),
      counts_(classes, 0.5),
      weights_(kExperts, 1.0 / static_cast<double>(kExperts)),
      said_(kExperts * classes),
      mixture_(classes) {}

std::span<const float> LabelExperts::mix(std::span<const float> present,
                                         std::span<const float> before) {
  double total = 0.0;
  for (const double c : counts_) total += c;
  for (std::size_t c = 0; c < classes_; ++c) said_[kCounts * classes_ + c] = counts_[c] / total;
  const auto copy_counts = [&](std::size_t expert) {
    std::copy_n(said_.begin(), classes_,
                said_.begin() + static_cast<std::ptrdiff_t>(expert * classes_));
  };
  if (before.empty())
    copy_counts(kBefore);
  else
    tempered(before, kBeforeTemperature, said_.data() + kBefore * classes_);
  for (std::size_t t = 0; t < kTemperatures.size(); ++t) {
    if (present.empty())
      copy_counts(kPresent + t);
    else
      tempered(present, kTemperatures[t], said_.data() + (kPresent + t) * classes_);
  }
  for (std::size_t c = 0; c < classes_; ++c) {
    double p = 0.0;
    for (std::size_t e = 0; e < kExperts; ++e) p += weights_[e] * said_[e * classes_ + c];
    mixture_[c] = static_cast<float>(p);
  }
  return mixture_;
}

void LabelExperts::learn(std::uint32_t label) {
  double sum = 0.0;
  for (std::size_t e = 0; e < kExperts; ++e) sum += weights_[e] *= said_[e * classes_ + label];
  for (double& w : weights_) w = (1.0 - kShare) * w / sum + kShare / static_cast<double>(kExperts);
  counts_[label] += 1.0;
}

double LabelExperts::temperature() const noexcept {
  const auto best = static_cast<std::size_t>(std::max_element(weights_.begin(), weights_.end()) -
                                             weights_.begin());
  return best == kCounts   ? 0.0
         : best == kBefore ? kBeforeTemperature
                           : kTemperatures[best - kPresent];
}

double LabelExperts::counts_bits(std::uint32_t label) const {
  double total = 0.0;
  for (const double c : counts_) total += c;
  return -std::log2(counts_[label] / total);
}

}  // namespace carnot::learn
