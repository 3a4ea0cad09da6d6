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
constexpr int kHeld = 4;               // of them a mode is held, once it is entered
constexpr double kLeastPasses = 0.25;  // from here down to none worth falls evenly
constexpr double kSpells = 10.0;       // of weather in the past that is known

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

namespace {

/// a ln(x / (x + h)), below kLeastPasses along its tangent: no wind is endlessly bad.
double of_passes(double x) {
  const double known = std::max(x, kLeastPasses);
  const double slope = kReturn / kLeastPasses;
  return kReturn * std::log(known / (known + kPasses)) - slope * (known - x);
}

/// What a plan is weighed with, each part worked out once.
class Scales {
 public:
  Scales(std::span<const site::Mode> modes, std::span<const StepOutlook> outlook,
         const QualityProgress& progress, std::span<const Energy> entry_costs)
      : modes_(modes), outlook_(outlook), progress_(progress), entry_costs_(entry_costs) {
    now_ = std::clamp(progress.phase, 0.0, 1.0);
    for (int i = 0; i <= kPhases; ++i) lasting_.push_back(lasting(at(i)));
    for (const site::Mode& mode : modes) gaps_.push_back(rounding_gap(mode));
    doubt_ = std::any_of(outlook.begin(), outlook.end(),
                         [](const StepOutlook& each) { return each.spread > 0.0; });
  }

  double at(int i) const { return now_ + (1.0 - now_) * i / kPhases; }

  /// In the wind of `node` sigmas from the mean: `first` up to phase at(i), then `second`.
  QualityPlan plan(std::size_t first, std::size_t second, int i, double node) const {
    const double share = static_cast<double>(i) / kPhases;
    double left = 1.0, each = 0.0;  // shares of all that power brings
    const auto stage = [&](std::size_t m, double part, Energy entry) {
      const double steps = std::max(0.0, outlook_[m].mean + node * outlook_[m].spread);
      if (steps <= 0.0) left = 0.0;
      left -= entry / modes_[m].step_energy() / std::max(steps, 1e-9);
      each += part / std::max(steps, 1e-9);
    };
    const bool one = first == second || i == kPhases;
    stage(first, one ? 1.0 : share, entry(first));
    if (!one) stage(second, 1.0 - share, entry_after(first, second));
    QualityPlan out;
    out.first = static_cast<int>(first);
    out.second = static_cast<int>(one ? first : second);
    out.switch_phase = one ? 1.0 : at(i);
    out.steps = std::max(0.0, left) / each;
    const double early = lasting_[static_cast<std::size_t>(i)] - lasting_.front();
    const double late = lasting_.back() - lasting_[static_cast<std::size_t>(i)];
    const double passes = (progress_.steps_done + out.steps) / progress_.steps_per_pass;
    out.worth = (doubt_ ? of_passes(passes) : kReturn * std::log(passes / (passes + kPasses))) -
                gaps_[first] * early - gaps_[one ? first : second] * late;
    return out;
  }

  /// The best to go on with from `first`, which is held at first.
  QualityPlan best_after(std::size_t first, double node) const {
    QualityPlan best = plan(first, first, kPhases, node);
    for (std::size_t b = 0; b < modes_.size(); ++b) {
      if (b == first) continue;
      for (int i = kHeld; i < kPhases; ++i) {
        const QualityPlan other = plan(first, b, i, node);
        if (other.worth > best.worth) best = other;
      }
    }
    return best;
  }

  /// Of `first` now and the best after it, whatever wind comes.
  double expected(std::size_t first) const {
    double sum = 0.0;
    for (const double node : kNode) sum += best_after(first, node).worth;
    return sum / static_cast<double>(kNode.size());
  }

  bool doubt() const { return doubt_; }

 private:
  Energy entry(std::size_t m) const { return entry_costs_.empty() ? Energy{} : entry_costs_[m]; }
  /// `first` has made the copy, if it reads data of the same width.
  Energy entry_after(std::size_t first, std::size_t second) const {
    return modes_[first].copy_bits() == modes_[second].copy_bits() ? Energy{} : entry(second);
  }

  std::span<const site::Mode> modes_;
  std::span<const StepOutlook> outlook_;
  const QualityProgress& progress_;
  std::span<const Energy> entry_costs_;
  double now_ = 0.0;
  std::vector<double> lasting_, gaps_;
  bool doubt_ = false;
};

}  // namespace

QualityPlan best_quality_plan(std::span<const site::Mode> modes,
                              std::span<const StepOutlook> outlook, const QualityProgress& progress,
                              std::span<const Energy> entry_costs) {
  CARNOT_CHECK(modes.size() == outlook.size() && !modes.empty(), "an outlook a mode");
  CARNOT_CHECK(entry_costs.empty() || entry_costs.size() == modes.size(), "an entry a mode");
  const Scales scales(modes, outlook, progress, entry_costs);
  QualityPlan best;
  double most = -kInfinity;
  for (std::size_t a = 0; a < modes.size(); ++a) {
    const QualityPlan mean = scales.best_after(a, 0.0);
    const double worth = scales.doubt() ? scales.expected(a) : mean.worth;
    if (worth <= most) continue;
    most = worth;
    best = mean;
  }
  best.worth = most;
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
