// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "carnot/meter/attribution.hpp"

namespace carnot::meter {

namespace {

/// Median idle share of full load, SPECpower_ssj2008 results of 2019 and later.
constexpr double kIdleShare = 0.22;
/// Samples near zero load tell more about the intercept where power is not quite linear: weight
/// 1 / (kNear + busy).
constexpr double kNear = 0.25;
/// 90 % of Student's t at the 8 to 16 blocks the jackknife runs over.
constexpr double kNinety = 1.9;
constexpr std::uint64_t kFewest = 8;       // samples before anything is said
constexpr double kKnownHalfWidth = 0.25;   // of the value
constexpr double kWindowS = 2.0 * 3600.0;  // what happened before is forgotten

}  // namespace

void StaticPower::Block::add(const Block& other) noexcept {
  length += other.length;
  weight += other.weight;
  u += other.u;
  uu += other.uu;
  p += other.p;
  up += other.up;
  pp += other.pp;
  samples += other.samples;
}

void StaticPower::add(double busy, Power power, Duration length) noexcept {
  const double u = std::clamp(busy, 0.0, 1.0);
  const double p = power.in(watt), d = length.time().in(second);
  if (!(p > 0) || !(d > 0) || !std::isfinite(p)) return;
  if (blocks_[filled_ - 1].samples >= block_samples_) next_block();
  // Relative noise: a sample counts by 1 / power^2.
  const double w = d / (p * p * (kNear + u));
  blocks_[filled_ - 1].add({d, w, w * u, w * u * u, w * p, w * u * p, w * p * p, 1});
  least_ = samples_ == 0 ? p : std::min(least_, p);
  ++samples_;
}

void StaticPower::next_block() noexcept {
  if (filled_ < kBlocks) {
    ++filled_;
    return;
  }
  double length = 0;
  for (const Block& block : blocks_) length += block.length;
  if (length < kWindowS) {
    for (std::size_t i = 0; i < kBlocks / 2; ++i) {
      blocks_[i] = blocks_[2 * i];
      blocks_[i].add(blocks_[2 * i + 1]);
    }
    std::fill(blocks_.begin() + kBlocks / 2, blocks_.end(), Block{});
    filled_ = kBlocks / 2 + 1;
    block_samples_ *= 2;
  } else {
    std::move(blocks_.begin() + 1, blocks_.end(), blocks_.begin());
    blocks_.back() = Block{};
  }
}

StaticPower::Line StaticPower::fit(const Block& all) noexcept {
  const double mean_u = all.u / all.weight, mean_p = all.p / all.weight;
  const double full = mean_p / (kIdleShare + (1 - kIdleShare) * mean_u);
  const double expected_slope = (1 - kIdleShare) * full;
  const double suu = std::max(0.0, all.uu - all.u * mean_u);
  const double sup = all.up - all.u * mean_p;
  const double spp = std::max(0.0, all.pp - all.p * mean_p);
  // The published slope, give or take itself, stands in as far as the load does not vary.
  const double n = static_cast<double>(all.samples);
  const double plain = suu > 0 ? std::max(0.0, spp - sup * sup / suu) : spp;
  const double noise = plain / std::max(1.0, n - 2) + 1e-6 * all.weight / n * mean_p * mean_p;
  const double prior = noise / (expected_slope * expected_slope);
  const double slope = std::clamp((sup + prior * expected_slope) / (suu + prior), 0.0,
                                  mean_p / std::max(mean_u, 1e-9));
  Line line;
  line.intercept = mean_p - slope * mean_u;
  line.variance = noise / all.weight + mean_u * mean_u * noise / (suu + prior);
  return line;
}

StaticPower::Line StaticPower::learned() const noexcept {
  Block all;
  for (std::size_t i = 0; i < filled_; ++i) all.add(blocks_[i]);
  Line line = fit(all);
  // Delete-a-block jackknife: samples of one block of time resemble each other.
  double sum = 0, squares = 0, count = 0;
  for (std::size_t skip = 0; skip < filled_; ++skip) {
    if (blocks_[skip].samples < block_samples_) continue;  // the last, being filled
    Block rest;
    for (std::size_t i = 0; i < filled_; ++i) {
      if (i != skip) rest.add(blocks_[i]);
    }
    if (rest.samples == 0) continue;
    const double without = fit(rest).intercept;
    sum += without;
    squares += without * without;
    ++count;
  }
  if (count > 1) {
    const double spread = std::max(0.0, squares - sum * sum / count);
    line.variance = std::max(line.variance, spread * (count - 1) / count);
  }
  return line;
}

bool StaticPower::known() const noexcept {
  if (samples_ < kFewest) return false;
  const Line line = learned();
  return kNinety * std::sqrt(line.variance) <= kKnownHalfWidth * line.intercept;
}

Power StaticPower::watts() const noexcept {
  if (samples_ == 0) return Power{};
  return learned().intercept * watt;
}

Estimate<Power> StaticPower::value(Boundary boundary) const {
  const std::string cause = "static power";
  if (samples_ == 0) {
    return Estimate<Power>::exact(Power{}, Origin::Assumed, boundary, {"no samples"});
  }
  if (!known()) {
    const Power value = min(watts(), least_ * watt);
    return {value,
            Power{},
            least_ * watt,
            Origin::Assumed,
            boundary,
            cause,
            {"SPECpower_ssj2008 idle share, 2019 and later"}};
  }
  const Power value = watts();
  const Power half = kNinety * std::sqrt(learned().variance) * watt;
  return {value,
          max(Power{}, value - half),
          value + half,
          Origin::Modelled,
          boundary,
          cause,
          {"intercept of power over busy share"}};
}

}  // namespace carnot::meter
