// SPDX-License-Identifier: Apache-2.0
#include "learn/text/mixer.hpp"

#include <algorithm>

#include "learn/text/logistic.hpp"

#if defined(__x86_64__) && defined(__has_attribute) && !defined(__SANITIZE_THREAD__)
#define CARNOT_WIDE [[gnu::target_clones("default", "avx2")]]
#else
#define CARNOT_WIDE
#endif

namespace carnot::learn {

namespace {
constexpr std::int32_t kMostWeight = (8 << 16) - 1;
constexpr std::int32_t kMapSpan = 2048;  // odds beyond +-2048 share the outermost step
constexpr std::size_t kMapSteps = 33;
}  // namespace

CARNOT_WIDE
std::int32_t dot(const std::int32_t* w, const std::int32_t* x, std::size_t n) noexcept {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += (w[i] * x[i]) >> 8;
  return sum >> 8;
}

CARNOT_WIDE
void descend(std::int32_t* w, const std::int32_t* x, std::size_t n, std::int32_t error) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t next = w[i] + ((x[i] * error + 0x2000) >> 14);
    w[i] = std::clamp(next, -kMostWeight, kMostWeight);
  }
}

CARNOT_WIDE
void descend_rounded(std::int32_t* w, const std::int32_t* x, std::size_t n, std::int32_t error,
                     std::uint32_t mask, std::uint32_t key) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t random = (key + static_cast<std::uint32_t>(i)) * 0x9E3779B1u;
    random = (random ^ (random >> 15)) * 0x85EBCA77u;
    const std::int32_t next = w[i] + ((x[i] * error + 0x2000) >> 14);
    const std::int32_t kept = std::clamp(next, -kMostWeight, kMostWeight - (1 << 16));
    w[i] = static_cast<std::int32_t>((static_cast<std::uint32_t>(kept) + ((random >> 12) & mask)) &
                                     ~mask);
  }
}

Mixer::Mixer(std::size_t inputs, std::size_t sets, std::int32_t first, int bits)
    : inputs_(inputs),
      mask_((std::uint32_t{1} << (20 - bits)) - 1),
      weights_(inputs * sets,
               static_cast<std::int32_t>(static_cast<std::uint32_t>(first) & ~mask_)) {}

std::int32_t Mixer::mix(const std::int32_t* x, std::size_t set) noexcept {
  set_ = set * inputs_;
  const std::int32_t odds =
      std::clamp(dot(weights_.data() + set_, x, inputs_), -kMostOdds, kMostOdds);
  chance_ = Logistic::tables().squash(odds);
  return odds;
}

void Mixer::learn(const std::int32_t* x, bool bit, std::int32_t rate) noexcept {
  // Error in 4096ths of a bit times the rate: |x error| < 2^31.
  const std::int32_t error = (((bit ? 65536 : 0) - chance_) * rate) >> 14;
  if (error == 0) return;
  if (mask_ == 0)
    descend(weights_.data() + set_, x, inputs_, error);
  else
    descend_rounded(weights_.data() + set_, x, inputs_, error, mask_,
                    (step_++ * 0x2545F491u) ^ static_cast<std::uint32_t>(set_));
}

AdaptiveMap::AdaptiveMap(std::size_t contexts) : chances_(contexts * kMapSteps) {
  const Logistic& tables = Logistic::tables();
  for (std::size_t i = 0; i < kMapSteps; ++i) {
    const auto step = static_cast<std::int32_t>(i);
    chances_[i] = static_cast<std::uint16_t>(tables.squash((step - 16) * (kMapSpan / 16)));
  }
  for (std::size_t c = 1; c < contexts; ++c)
    std::copy_n(chances_.begin(), kMapSteps,
                chances_.begin() + static_cast<std::ptrdiff_t>(c * kMapSteps));
}

std::int32_t AdaptiveMap::refine(std::int32_t odds, std::size_t context) noexcept {
  const std::int32_t at = std::clamp(odds, -kMapSpan + 1, kMapSpan - 1) + kMapSpan;
  const std::int32_t low = at >> 7;
  const std::int32_t share = at & 127;
  const std::size_t base = context * kMapSteps + static_cast<std::size_t>(low);
  at_ = base + (share >= 64 ? 1 : 0);
  return (std::int32_t{chances_[base]} * (128 - share) +
          std::int32_t{chances_[base + 1]} * share) >>
         7;
}

void AdaptiveMap::learn(bool bit) noexcept {
  const std::int32_t p = chances_[at_];
  chances_[at_] = static_cast<std::uint16_t>(p + ((bit ? 65535 - p : -p) / 64));
}

}  // namespace carnot::learn
