// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "carnot/meter/attribution/attribution.hpp"

namespace carnot::meter {

namespace {

/// Median idle share of full load, SPECpower_ssj2008 results of 2019 and later.
constexpr double kIdleShare = 0.22;
/// Samples near zero load tell more about the intercept where power is not quite linear: weight
/// 1 / (kNear + busy).
constexpr double kNear = 0.25;
/// Half-width of the bend expected, of the slope: SPECpower curves lie within.
constexpr double kBend = 0.33;
/// 90 % of Student's t at the blocks of the jackknife, which are 8 to 16 and not all alike.
constexpr double kNinety = 2.1;
/// Busy time moves in ticks of 10 ms: standard deviation of a difference of one CPU, s, rounded up.
/// Of more CPUs the mean is surer; the one CPU's is taken, which only asks for a little more
/// spread.
constexpr double kTick = 0.006;
constexpr std::uint64_t kFewest = 8;       // samples before anything is said
constexpr double kKnownHalfWidth = 0.25;   // of the value
constexpr double kWindowS = 2.0 * 3600.0;  // what happened before is forgotten

}  // namespace

void StaticPower::Block::add(const Block& other) noexcept {
  length += other.length;
  pp += other.pp;
  blur += other.blur;
  for (std::size_t i = 0; i < products.size(); ++i) products[i] += other.products[i];
  for (std::size_t i = 0; i < p.size(); ++i) p[i] += other.p[i];
  samples += other.samples;
}

StaticPower StaticPower::given(Power value, Power low, Power high) noexcept {
  StaticPower power;
  power.given_ = true;
  power.value_ = value;
  power.low_ = low;
  power.high_ = high;
  return power;
}

void StaticPower::add(double busy, Power power, Duration length) noexcept {
  if (given_) return;
  const double u = std::clamp(busy, 0.0, 1.0);
  const double p = power.in(watt), d = length.time().in(second);
  if (!(p > 0) || !(d > 0) || !std::isfinite(p)) return;
  if (blocks_[filled_ - 1].samples >= block_samples_) next_block();
  // Relative noise: a sample counts by 1 / power^2.
  const double w = d / (p * p * (kNear + u));
  const double v = u * u - u;
  blocks_[filled_ - 1].add({.length = d,
                            .pp = w * p * p,
                            .blur = w * std::pow(std::min(kTick / d, 0.29), 2),
                            .products = {w, w * u, w * v, w * u * u, w * u * v, w * v * v},
                            .p = {w * p, w * u * p, w * v * p},
                            .samples = 1});
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
  const auto [w, wu, wv, wuu, wuv, wvv] = all.products;
  const double mean_u = wu / w, mean_p = all.p[0] / w;
  // The spread of load that is not the clock's, of all that is seen. Where there is little, a
  // steady load would look like one that costs nothing: so much less is believed.
  const double spread = std::max(wuu - wu * mean_u, 1e-300);
  const double doubt = 1 / std::clamp(1 - all.blur / spread, 1e-6, 1.0);
  const double n = static_cast<double>(all.samples);
  // What the published shape of servers expects, each give or take: the slope itself, a third of
  // it for the bend.
  const double slope = (1 - kIdleShare) * mean_p / (kIdleShare + (1 - kIdleShare) * mean_u);
  const double slope_precision = 1 / (slope * slope);
  const double bend_precision = 1 / (kBend * kBend * slope * slope);
  Line line;
  const double least_noise = 1e-8 * mean_p * mean_p * w / n;
  double noise = 1e-4 * mean_p * mean_p * w / n * doubt;  // per unit weight, to begin with
  for (int pass = 0; pass < 3; ++pass) {
    const double uu = wuu + noise * slope_precision, vv = wvv + noise * bend_precision;
    const double pu = all.p[1] + noise * slope_precision * slope;
    // The cofactors of the symmetric matrix of the three.
    const double c00 = uu * vv - wuv * wuv, c01 = wv * wuv - wu * vv, c02 = wu * wuv - wv * uu;
    const double c11 = w * vv - wv * wv, c12 = wu * wv - w * wuv, c22 = w * uu - wu * wu;
    const double determinant = w * c00 + wu * c01 + wv * c02;
    const double a = (c00 * all.p[0] + c01 * pu + c02 * all.p[2]) / determinant;
    const double b = (c01 * all.p[0] + c11 * pu + c12 * all.p[2]) / determinant;
    const double c = (c02 * all.p[0] + c12 * pu + c22 * all.p[2]) / determinant;
    line = {a, noise * c00 / determinant};
    const double explained =
        2 * (a * all.p[0] + b * all.p[1] + c * all.p[2]) -
        (a * a * w + b * b * wuu + c * c * wvv + 2 * (a * b * wu + a * c * wv + b * c * wuv));
    noise = std::max((all.pp - explained) / std::max(1.0, n - 3), least_noise) * doubt;
  }
  // Power does not fall with load, and nothing idles below zero.
  line.intercept = std::clamp(line.intercept, 0.0, mean_p);
  return line;
}

StaticPower::Block StaticPower::all() const noexcept {
  Block sum;
  for (std::size_t i = 0; i < filled_; ++i) sum.add(blocks_[i]);
  return sum;
}

StaticPower::Line StaticPower::learned() const noexcept {
  Line line = fit(all());
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
  if (given_) return true;
  if (samples_ < kFewest) return false;
  const Line line = learned();
  return kNinety * std::sqrt(line.variance) <= kKnownHalfWidth * line.intercept;
}

Power StaticPower::watts() const noexcept {
  if (given_) return value_;
  if (samples_ == 0) return Power{};
  return fit(all()).intercept * watt;
}

Estimate<Power> StaticPower::value(Boundary boundary) const {
  const std::string cause = "static power";
  if (given_) {
    return {value_, low_, high_, Origin::Modelled, boundary, cause, {"power model at no load"}};
  }
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
