// SPDX-License-Identifier: Apache-2.0
// What is possible from now to the deadline, and the plan of greatest worth.

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/control/training/most_quality.hpp"

namespace carnot::control {

namespace {

constexpr double kReturn = 0.5;      // a: the error falls with this power of the passes
constexpr double kPasses = 40.0;     // h: above so many it falls slower and slower
constexpr double kContraction = 30;  // kappa
constexpr double kCoefficientGap = 0.15, kDataGap = 0.02;  // of four bits
constexpr int kPhases = 32;                                // at which a plan may switch
constexpr double kSpells = 10.0;                           // of weather in the past that is known

/// Middles of eight equally likely parts of the normal distribution.
constexpr std::array<double, 8> kNode{-1.5341, -0.8871, -0.4888, -0.1573,
                                      0.1573,  0.4888,  0.8871,  1.5341};

/// exp(-kappa R(phase)): what is left at the end of noise added up to `phase`, evenly.
double lasting(double phase) {
  const double f = std::clamp(phase, 0.0, 1.0);
  const double rest = std::max(0.0, 1.0 - f - std::sin(std::numbers::pi * f) / std::numbers::pi);
  return std::exp(-kContraction * rest);
}

}  // namespace

double rounding_gap(const site::Mode& mode) {
  const auto of = [](double four, int bits) {
    return bits >= 16 ? 0.0 : four * std::pow(8.0, -0.5 * (bits - 4));
  };
  return of(kCoefficientGap, mode.bits) + of(kDataGap, mode.copy_bits());
}

double schedule_worth(double passes, std::span<const double> from, std::span<const double> gaps) {
  CARNOT_CHECK(!from.empty() && from.size() == gaps.size(), "a gap a stage");
  if (passes <= 0.0) return -kInfinity;
  double worth = kReturn * std::log(passes / (passes + kPasses));
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double until = i + 1 < from.size() ? from[i + 1] : 1.0;
    worth -= gaps[i] * (lasting(until) - lasting(from[i]));
  }
  return worth;
}

QualityPlan best_quality_plan(std::span<const site::Mode> modes, std::span<const double> steps,
                              double done, double phase, double steps_per_pass,
                              std::span<const int> widths) {
  CARNOT_CHECK(modes.size() == steps.size() && !modes.empty(), "an outlook a mode");
  const double now = std::clamp(phase, 0.0, 1.0);
  const auto possible = [&](std::size_t m) {
    const bool there =
        std::find(widths.begin(), widths.end(), modes[m].copy_bits()) != widths.end();
    return steps[m] - (there ? 0.0 : modes[m].first_use / modes[m].step_energy());
  };
  QualityPlan best;
  best.first = best.second = static_cast<int>(modes.size()) - 1;
  best.worth = -kInfinity;
  for (std::size_t b = 0; b < modes.size(); ++b) {
    if (possible(b) <= 0.0) continue;
    for (std::size_t a = 0; a < modes.size(); ++a) {
      if (possible(a) <= 0.0) continue;
      for (int i = 0; i <= kPhases; ++i) {
        const double at = a == b ? now : now + (1.0 - now) * i / kPhases;
        const double share = now < 1.0 ? (at - now) / (1.0 - now) : 0.0;
        const double rest = 1.0 / (share / possible(a) + (1.0 - share) / possible(b));
        const std::array<double, 2> from{now, at};
        const std::array<double, 2> gaps{rounding_gap(modes[a]), rounding_gap(modes[b])};
        const double worth = schedule_worth((done + rest) / steps_per_pass, from, gaps);
        if (worth > best.worth) best = {static_cast<int>(a), static_cast<int>(b), at, rest, worth};
        if (a == b) break;
      }
    }
  }
  return best;
}

std::vector<StepOutlook> step_outlook(const Observation& o) {
  const std::span<const site::Mode> modes = o.learning.modes;
  std::vector<StepOutlook> all(modes.size());
  const ForecastView& wind = o.total_forecast;
  const Duration ahead = o.deadline - o.now;
  const Duration piece = wind.empty() ? Duration::seconds(3600) : wind.step;
  for (std::size_t m = 0; m < modes.size(); ++m) {
    const site::Mode& mode = modes[m];
    const auto rate = [&](double total) {  // steps a second
      const Power it = o.site.available(std::max(0.0, total) * watt) / o.site.pue;
      return std::clamp((it - mode.static_power) / mode.dynamic_power, 0.0, 1.0) *
             mode.steps_per_second;
    };
    double mean = 0.0, low = 0.0, high = 0.0, beyond = 0.0, beyond_s = 0.0;
    for (Duration at; at < ahead; at = at + piece) {
      const double length = std::min(piece, ahead - at).time().in(second);
      const Instant when = o.now + at;
      const bool known = !wind.empty() && when < wind.end();
      if (known) {
        const auto k = static_cast<std::size_t>(std::clamp<std::int64_t>(
            (when - wind.start) / wind.step, 0, static_cast<std::int64_t>(wind.mean.size()) - 1));
        const double sd = wind.sd.empty() ? 0.0 : wind.sd[k];
        for (std::size_t s = 0; s < kNode.size(); ++s) {
          const double steps = 0.125 * length * rate(wind.mean[k] + sd * kNode[s]);
          mean += steps;
          (s < 4 ? low : high) += 2.0 * steps;
        }
      } else {
        double here = 0.0;
        if (o.site.usual_total.empty()) {
          here = rate(wind.empty() ? o.site.total.in(watt) : wind.mean.back());
        } else {
          for (const double total : o.site.usual_total)
            here += rate(total) / static_cast<double>(o.site.usual_total.size());
        }
        // By the rule of succession one spell of weather of those to come is windy, and one calm,
        // whatever the past was.
        here = (kSpells * here + mode.steps_per_second) / (kSpells + 2.0);
        beyond += length * here;
        beyond_s += length;
      }
    }
    // Halves of a normal distribution have means 0.798 sigma either side.
    const double near = (high - low) / (2.0 * 0.798);
    const double days = std::max(1.0, beyond_s / 86400.0);
    const double far = beyond / std::sqrt(days);
    // Stored and bought joules do steps wherever own power carries the hall.
    const Energy more =
        (o.site.stored +
         (std::isfinite(o.site.purchases_left.base()) ? o.site.purchases_left : Energy{})) /
        o.site.pue;
    const double room = mode.steps_per_second * ahead.time().in(second);
    const double owed = o.learning.overhead / mode.step_energy();
    all[m].mean = std::clamp(mean + beyond + more / mode.step_energy(), 0.0, room) - owed;
    all[m].mean = std::max(0.0, all[m].mean);
    all[m].spread = std::sqrt(near * near + far * far);
  }
  return all;
}

}  // namespace carnot::control
