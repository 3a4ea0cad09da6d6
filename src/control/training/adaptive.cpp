// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/adaptive.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::control {

namespace {

/// Of the normal distribution.
double chance_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

}  // namespace

int cheapest_sufficient_mode(std::span<const site::Mode> modes, std::span<const ModeNoise> noise,
                             double remaining_learning, const GovernorOptions& options,
                             double steps_left, std::span<const int> widths) {
  const double survival = std::exp(-options.kappa * std::clamp(remaining_learning, 0.0, 1.0));
  const auto energy = [&](const site::Mode& mode) {
    const bool there = std::find(widths.begin(), widths.end(), mode.copy_bits()) != widths.end();
    return mode.step_energy() + (there ? Energy{} : mode.first_use / std::max(steps_left, 1.0));
  };
  int chosen = 0;
  for (std::size_t m = 1; m < modes.size(); ++m) {
    if (!noise.empty() && !(noise[m].gradient <= 1.0 && noise[m].update * survival <= options.rho))
      continue;
    if (energy(modes[m]) < energy(modes[static_cast<std::size_t>(chosen)]))
      chosen = static_cast<int>(m);
  }
  return chosen;
}

double value_of_look(double at, double chance_now, double chance_at_end,
                     double chance_after_failing, double look_energy_share) {
  constexpr double kMissed = 20.0;  // a floor missed is as dear as twenty whole schedules
  return chance_now * (1.0 - at) -
         (1.0 - chance_now) * kMissed * std::max(0.0, chance_at_end - chance_after_failing) -
         (1.0 - chance_now) * look_energy_share;
}

namespace {

class Governor final : public JobPolicy {
 public:
  Governor(std::span<const site::Mode> modes, const site::ObjectiveOptions& objective,
           const GovernorOptions& options)
      : objective_(objective), options_(options), mode_(static_cast<int>(modes.size()) - 1) {}

  std::string_view name() const noexcept override { return "adaptive"; }

  Decision decide(const Observation& o) override {
    Decision d;
    const double done = static_cast<double>(o.learning.steps_done);
    if (next_measure_ < 0.0) next_measure_ = first_measurement(o);
    learn_gap(o);
    choose_mode(o);
    d.mode = mode_;
    d.max_steps =
        std::max(1.0, std::ceil(kLookShare * static_cast<double>(o.learning.steps_total)));
    if (done >= next_look_) {
      next_look_ = done + d.max_steps;
      d.look = worth_a_look(o);
    } else {
      d.max_steps = next_look_ - done;
    }
    if (done >= next_measure_) {
      d.measure_noise = true;
      next_measure_ = done + until_next_measurement(o);
      d.max_steps = 1.0;  // decide again with what was measured
    } else {
      d.max_steps = std::min(d.max_steps, next_measure_ - done);
    }
    const PowerAction action = power(o);
    d.grid_allowance = action == PowerAction::OwnAndGrid ? o.site.grid_limit : Power{};
    return d;
  }

  std::vector<double> numbers() const override {
    std::vector<double> all{
        static_cast<double>(mode_), next_measure_, static_cast<double>(action_),
        chosen_ ? 1.0 : 0.0,
        // Whole seconds fit a double exactly.  NOLINTNEXTLINE(bugprone-integer-division)
        static_cast<double>(planned_at_.unix_nanoseconds() / 1'000'000'000), planned_ ? 1.0 : 0.0,
        next_look_, gap_, static_cast<double>(looks_)};
    all.insert(all.end(), widths_.begin(), widths_.end());
    return all;
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() >= 9, "governor state has nine numbers, then widths");
    mode_ = static_cast<int>(state[0]);
    next_measure_ = state[1];
    action_ = static_cast<PowerAction>(static_cast<int>(state[2]));
    chosen_ = state[3] != 0.0;
    planned_at_ = Instant::from_unix_seconds(static_cast<std::int64_t>(state[4]));
    planned_ = state[5] != 0.0;
    next_look_ = state[6];
    gap_ = state[7];
    looks_ = static_cast<std::uint64_t>(state[8]);
    widths_.clear();
    for (std::size_t i = 9; i < state.size(); ++i) widths_.push_back(static_cast<int>(state[i]));
  }

 private:
  static constexpr Duration kReplanEvery = Duration::seconds(3600);
  static constexpr double kLookShare = 1.0 / 32;  // of the schedule, between thoughts of looking
  static constexpr double kFirstLook = 1.0 / 8;   // of the schedule
  static constexpr double kImprovement = 0.3;     // delta
  static constexpr double kGap = 0.01, kGapSpread = 0.015, kGapSpreadR2 = 0.03;
  static constexpr double kKnownSpread = 0.006;   // of the gap, once a look has told it
  static constexpr double kMeasureBudget = 0.02;  // of the schedule's energy
  static constexpr double kSpells = 10.0;         // of weather in the past that is known
  static constexpr double kLastPart = 0.8;
  static constexpr double kLastsAnHour = 0.93;  // share of a surprise (trace/forecast.hpp's prior)
  static constexpr double kEnough = 0.9;        // chance that makes more bits needless

  /// The cheapest mode whose surviving noise is small enough; never back down, and not up where the
  /// floor does not ask for it.
  void choose_mode(const Observation& o) {
    const std::span<const site::Mode> modes = o.learning.modes;
    if (!o.learning.noise.empty()) {
      const int wanted =
          cheapest_sufficient_mode(modes, o.learning.noise, o.learning.remaining_learning, options_,
                                   static_cast<double>(o.learning.steps_left()), widths_);
      const auto at = [&](int m) -> const site::Mode& {
        return modes[static_cast<std::size_t>(m)];
      };
      if (!chosen_) {
        mode_ = wanted;
      } else if (at(wanted).step_energy() > at(mode_).step_energy() &&
                 (o.learning.noise[static_cast<std::size_t>(mode_)].gradient > 1.0 ||
                  chance_at(o, 1.0, o.learning.needed) < kEnough)) {
        mode_ = wanted;
      }
      chosen_ = true;
    }
    // Nothing measured, because measuring is dear beside this job: eight bits of coefficients in
    // the last fifth, in the mode that they cost least in.
    if (o.learning.noise.empty() && !chosen_ && share_done(o.learning) >= kLastPart &&
        chance_at(o, 1.0, o.learning.needed) < kEnough) {
      std::vector<ModeNoise> coarse(modes.size());
      for (std::size_t m = 0; m < modes.size(); ++m)
        coarse[m].gradient = modes[m].bits < 8 ? 2.0 : 0.0;
      mode_ = cheapest_sufficient_mode(modes, coarse, 1.0, options_,
                                       static_cast<double>(o.learning.steps_left()), widths_);
      chosen_ = true;
    }
    const int width = modes[static_cast<std::size_t>(mode_)].copy_bits();
    if (std::find(widths_.begin(), widths_.end(), width) == widths_.end()) widths_.push_back(width);
  }

  void learn_gap(const Observation& o) {
    if (o.learning.looks == looks_) return;
    looks_ = o.learning.looks;
    gap_ = o.learning.training_quality - o.learning.look_quality;
  }

  /// Chance that a look at share `at` finds the quality `needed`; without a guess at quality none.
  double chance_at(const Observation& o, double at, double needed) const {
    const LearningState& l = o.learning;
    const double q = l.training_quality;
    if (!std::isfinite(q) || needed > 1.0 || l.held_out_rows == 0) return 0.0;
    const double done = static_cast<double>(l.steps_done) / static_cast<double>(l.steps_total);
    const double rise = kImprovement * std::max(0.0, 1.0 - q) * std::max(0.0, at - done);
    const bool known = looks_ > 0;
    const double expected = q + rise - (known ? gap_ : kGap);
    const double e = std::clamp(expected, 0.0, 1.0);
    // Rows drawn: all that is not known before the first look, little of it after.
    const double drawn = (known ? 0.3 : 1.0) * e * (1.0 - e) / static_cast<double>(l.held_out_rows);
    const double gap = known ? kKnownSpread : l.regression ? kGapSpreadR2 : kGapSpread;
    const double guessed = 0.5 * rise;
    return chance_below((expected - needed) / std::sqrt(drawn + gap * gap + guessed * guessed));
  }

  static double share_done(const LearningState& l) {
    return static_cast<double>(l.steps_done) / static_cast<double>(l.steps_total);
  }

  struct Look {
    double at = 1.0;      ///< share of the schedule
    double chance = 0.0;  ///< of certifying there
    double value = 0.0;
  };
  /// The look from now on that promises most; its value may be below zero.
  Look best_look(const Observation& o) const {
    const LearningState& l = o.learning;
    const Energy whole =
        static_cast<double>(l.steps_total) * l.modes[static_cast<std::size_t>(mode_)].step_energy();
    const double cost = l.look_energy / whole;
    const double at_end = chance_at(o, 1.0, l.needed), failed = chance_at(o, 1.0, l.needed_after);
    Look best{1.0, at_end, 0.0};
    for (double at = std::max(share_done(l), kFirstLook); at < 1.0; at += kLookShare) {
      const double chance = chance_at(o, at, l.needed);
      const double value = value_of_look(at, chance, at_end, failed, cost);
      if (value > best.value) best = {at, chance, value};
    }
    return best;
  }

  bool worth_a_look(const Observation& o) const {
    const LearningState& l = o.learning;
    if (share_done(l) < kFirstLook || l.steps_left() == 0) return false;
    const Look best = best_look(o);
    return best.value > 0.0 && best.at <= share_done(l);
  }

  /// Of the schedule, expected to be trained from now on.
  double expected_share_left(const Observation& o) const {
    // Before the first step nothing is known of how soon the floor will be met: half way, say.
    if (!std::isfinite(o.learning.training_quality)) return 0.5;
    const double done = share_done(o.learning);
    const Look best = best_look(o);
    return best.chance * std::max(0.0, best.at - done) + (1.0 - best.chance) * (1.0 - done);
  }

  /// How often noise may be measured: all of it for kMeasureBudget of the schedule's energy.
  double affordable_measurements(const Observation& o) const {
    const LearningState& l = o.learning;
    const Energy whole =
        static_cast<double>(l.steps_total) * l.modes[static_cast<std::size_t>(mode_)].step_energy();
    return l.measure_energy > Energy{} ? kMeasureBudget * (whole / l.measure_energy) : kInfinity;
  }

  /// Steps at which noise is measured first: at once; where that can be afforded a few times only,
  /// late, when the answer changes.
  double first_measurement(const Observation& o) const {
    const double n = affordable_measurements(o);
    const auto total = static_cast<double>(o.learning.steps_total);
    if (n >= 8.0) return 0.0;
    return n >= 1.0 ? std::ceil(0.75 * total) : total;
  }

  /// Steps until noise is worth measuring again; see the header.
  double until_next_measurement(const Observation& o) const {
    const auto total = static_cast<double>(o.learning.steps_total);
    const auto done = static_cast<double>(o.learning.steps_done);
    const double affordable = affordable_measurements(o);
    if (affordable < 2.0) return total;
    if (affordable < 8.0) return std::max(1.0, std::ceil(0.25 * total / affordable));
    const double interval =
        std::max(1.0, std::ceil(std::max(options_.measure_share, 0.5 / affordable) * total));
    // The first measurement's answer comes with the next decision; then two early ones, for modes
    // too coarse to learn with at all.
    for (const double share : {0.25, 0.7})
      if (done < share * total) return std::ceil(share * total) - done;
    if (o.learning.noise.empty()) return interval;
    const ModeNoise& now = o.learning.noise[static_cast<std::size_t>(mode_)];
    if (now.update <= options_.rho / 10.0) return total;  // enough bits to the end
    const double survival = std::exp(-options_.kappa * o.learning.remaining_learning);
    return now.update * survival < options_.rho / 10.0 ? 2.0 * interval : interval;
  }

  /// The mode that the rest of training will mostly need at worst: eight bits where there are such.
  const site::Mode& guard_mode(const Observation& o) const {
    std::size_t guard = static_cast<std::size_t>(mode_);
    for (std::size_t m = 0; m < o.learning.modes.size(); ++m)
      if (o.learning.modes[m].bits == 8 && o.learning.modes[m].bits > o.learning.modes[guard].bits)
        guard = m;
    return o.learning.modes[guard];
  }

  PowerAction power(const Observation& o) {
    const site::Mode& guard = guard_mode(o);
    // At worst half of what is left needs the guard's mode.
    const double rate = o.learning.modes[static_cast<std::size_t>(mode_)].steps_per_second;
    const double steps = static_cast<double>(o.learning.steps_left()) *
                         (0.5 + 0.5 * std::min(1.0, guard.steps_per_second / rate));
    if (must_buy(o, guard, steps)) return action_ = PowerAction::OwnAndGrid;
    if (o.total_forecast.empty()) return PowerAction::Own;
    if (planned_ && o.now - planned_at_ < kReplanEvery) return action_;
    planned_ = true;
    planned_at_ = o.now;
    if (o.site.grid_limit <= Power{}) return action_ = PowerAction::Own;
    return action_ = plan(o, guard);
  }

  PowerAction plan(const Observation& o, const site::Mode& guard) {
    const site::Mode& mode = o.learning.modes[static_cast<std::size_t>(mode_)];
    const ForecastView& wind = o.total_forecast;
    const double forecast_h = wind.step.time().in(hour);
    // Work in dynamic joules, up to the look that promises most: four fifths in this mode, the rest
    // in the cheapest one whose coefficients have eight bits.
    Energy eight = guard.step_energy();
    for (const site::Mode& other : o.learning.modes)
      if (other.bits == guard.bits) eight = min(eight, other.step_energy());
    const double left = expected_share_left(o) * static_cast<double>(o.learning.steps_total);
    const Energy work = left * (kLastPart * mode.step_energy() +
                                (1.0 - kLastPart) * max(eight, mode.step_energy())) +
                        o.learning.overhead;
    // Forecast steps, then blocks of six hours up to the deadline.
    const double until_h = (o.deadline - o.now).time().in(hour);
    const auto n = static_cast<double>(wind.mean.size());
    lengths_.clear();
    from_.clear();
    for (double at = 0.0; at + forecast_h <= until_h && lengths_.size() < 1000;) {
      const double length =
          at < n * forecast_h ? forecast_h : std::max(forecast_h, std::min(6.0, until_h - at));
      from_.push_back(at);
      lengths_.push_back(length);
      at += length;
    }
    if (lengths_.empty()) return PowerAction::OwnAndGrid;
    // Eight scenarios: today's surprise lasts for half a day or so, then any wind may blow.
    scenarios_.resize(kNode.size());
    double calm_cost = 0.0;
    for (std::vector<PlanStep>& steps : scenarios_) steps.resize(lengths_.size());
    for (std::size_t k = 0; k < lengths_.size(); ++k) {
      PlanStep mean;
      for (std::size_t s = 0; s < kNode.size(); ++s) {
        scenarios_[s][k] = offer(o, mode, from_[k], lengths_[k], s);
        mix(mean, scenarios_[s][k], kWeight[s]);
      }
      // A month has some ten spells of weather: by the rule of succession one of twelve to come is
      // windy, however calm they were. Nights stay dark: there the forecast has no spread.
      if (wind.sd.empty() || wind.sd[std::min(k, wind.sd.size() - 1)] > 0.0) {
        const Energy most = mode.dynamic_power * (lengths_[k] * hour);
        const Energy own = (kSpells * mean.own + most) / (kSpells + 2.0);
        mean.room = max(Energy{}, mean.own + mean.room - own);
        if (mean.own <= Energy{})
          mean.own_cost =
              objective_.own_value.base() * o.site.pue * (mode.power(1.0) / mode.dynamic_power);
        mean.own = own;
      }
      const double lasting = std::pow(kLastsAnHour, from_[k] + 0.5 * lengths_[k]);
      for (std::size_t s = 0; s < kNode.size(); ++s) {
        // Own energy of days to come is about as spread as it is large.
        PlanStep later = mean;
        later.own = min(kDays[s] * mean.own, mean.own + mean.room);
        later.room = mean.own + mean.room - later.own;
        PlanStep mixed;
        mix(mixed, scenarios_[s][k], lasting);
        mix(mixed, later, 1.0 - lasting);
        mixed.length = scenarios_[s][k].length;
        scenarios_[s][k] = mixed;
      }
      const Energy full = mode.dynamic_power * (lengths_[k] * hour);
      calm_cost += (1.0 - std::min(1.0, mean.own / full)) * mean.unit_cost /
                   static_cast<double>(lengths_.size());
    }
    // Waiting costs the delay price and, in calm hours, the standby power of a paused hall.
    const double standby_share =
        o.site.standby.in(watt) / (o.site.pue * (mode.power(1.0) / mode.dynamic_power));
    const DelayPrice delay =
        objective_.delay_price + DelayPrice::from_base(std::max(0.0, calm_cost * standby_share));
    return best_action(scenarios_, kWeight, work, delay, lengths_.size(), false, scratch_);
  }

  /// Adds `share` of what `step` offers.
  static void mix(PlanStep& to, const PlanStep& step, double share) {
    const Energy own = share * step.own, room = share * step.room;
    const auto mean = [](double a, Energy of_a, double b, Energy of_b) {
      const Energy both = of_a + of_b;
      return both > Energy{} ? (a * of_a.base() + b * of_b.base()) / both.base() : 0.0;
    };
    to.own_cost = mean(to.own_cost, to.own, step.own_cost, own);
    to.unit_cost = mean(to.unit_cost, to.room, step.unit_cost, room);
    to.own += own;
    to.room += room;
  }

  /// What [from, from + length) hours from now offers in scenario `s`: within the forecast by its
  /// mean and spread, beyond it as usual.
  PlanStep offer(const Observation& o, const site::Mode& mode, double from, double length,
                 std::size_t s) const {
    const ForecastView& wind = o.total_forecast;
    const double step_h = wind.step.time().in(hour);
    const auto last_day = std::max<std::size_t>(
        1, std::min(wind.mean.size(), static_cast<std::size_t>(std::lround(24.0 / step_h))));
    PlanStep out;
    int pieces = 0;
    for (double at = from; at < from + length - 1e-9; at += step_h) ++pieces;
    const Time piece = length * hour / std::max(1, pieces);
    for (int i = 0; i < pieces; ++i) {
      auto k = static_cast<std::size_t>(from / step_h + 1e-9) + static_cast<std::size_t>(i);
      const bool beyond = k >= wind.mean.size();
      if (beyond) k = wind.mean.size() - last_day + (k - wind.mean.size()) % last_day;
      const auto at_or = [k](std::span<const double> values, double other) {
        return values.empty() ? other : values[std::min(k, values.size() - 1)];
      };
      const double per_joule =
          at_or(o.price_forecast.mean, o.site.price.base()) +
          at_or(o.carbon_forecast.mean, o.site.carbon.base()) * objective_.carbon_price.base();
      if (beyond && !o.site.usual_total.empty()) {
        for (const double total : o.site.usual_total)
          mix(out, under(o, mode, total, per_joule, piece),
              1.0 / static_cast<double>(o.site.usual_total.size()));
      } else {
        const double sd = wind.sd.empty() ? 0.0 : wind.sd[k];
        mix(out, under(o, mode, std::max(0.0, wind.mean[k] + sd * kNode[s]), per_joule, piece),
            1.0);
      }
    }
    out.length = length * hour;
    return out;
  }

  /// What a stretch of time offers when turbines and panels deliver `total` and a joule of the grid
  /// costs `per_joule`.
  PlanStep under(const Observation& o, const site::Mode& mode, double total, double per_joule,
                 Time length) const {
    const double offered = std::max(0.0, total - o.site.export_first.in(watt)) / o.site.pue;
    const double fixed = mode.static_power.in(watt), dynamic = mode.dynamic_power.in(watt);
    const double share = std::clamp((offered - fixed) / dynamic, 0.0, 1.0);
    // The import limit adds to own power where there is some, else carries the hall alone.
    const double with_grid =
        std::clamp((offered + o.site.grid_limit.in(watt) / o.site.pue - fixed) / dynamic, 0.0, 1.0);
    const double extra = std::max(0.0, with_grid - share);
    // Bought energy pays for the static power that own power does not cover.
    const double uncovered = std::max(0.0, fixed - std::min(offered, fixed));
    const double bought = extra * dynamic + (share > 0.0 ? 0.0 : uncovered);
    const double used = share > 0.0 ? (share * dynamic + fixed) * o.site.pue : 0.0;
    const double sellable = o.site.sellable.in(watt);
    const double forgone =
        std::clamp(used - std::max(0.0, total - sellable), 0.0, std::min(used, sellable));
    PlanStep out;
    out.own = share * mode.dynamic_power * length;
    out.room = extra * mode.dynamic_power * length;
    if (share > 0.0)
      out.own_cost = (used * objective_.own_value.base() + forgone * o.site.export_price.base()) /
                     (share * dynamic);
    if (extra > 0.0) out.unit_cost = bought * o.site.pue * per_joule / (extra * dynamic);
    return out;
  }

  /// Middles of eight equally likely parts of the normal distribution.
  static constexpr std::array<double, 8> kNode{-1.5341, -0.8871, -0.4888, -0.1573,
                                               0.1573,  0.4888,  0.8871,  1.5341};
  static constexpr std::array<double, 8> kWeight{0.125, 0.125, 0.125, 0.125,
                                                 0.125, 0.125, 0.125, 0.125};

  /// Own energy of a stretch of days over its mean, eight equally likely values of mean 1 and
  /// spread 1, in an order that has nothing to do with the present surprise.
  static constexpr std::array<double, 8> kDays{0.5, 2.0, 0.0, 1.4, 0.2, 3.0, 0.0, 0.9};

  site::ObjectiveOptions objective_;
  GovernorOptions options_;
  int mode_;
  bool chosen_ = false;
  double next_measure_ = -1.0, next_look_ = 0.0;  // steps; below zero: not yet thought of
  double gap_ = kGap;        // training quality less held-out quality, at the last look
  std::uint64_t looks_ = 0;  // that gap_ knows of
  std::vector<int> widths_;  // of the data, of which there are copies
  bool planned_ = false;
  PowerAction action_ = PowerAction::Own;
  Instant planned_at_;
  std::vector<double> lengths_, from_;  // hours
  std::vector<std::vector<PlanStep>> scenarios_;
  std::vector<std::pair<double, double>> scratch_;
};

}  // namespace

std::unique_ptr<JobPolicy> make_governor(std::span<const site::Mode> modes,
                                         const site::ObjectiveOptions& objective,
                                         const GovernorOptions& options) {
  CARNOT_CHECK(!modes.empty(), "a job has at least one mode");
  return std::make_unique<Governor>(modes, objective, options);
}

}  // namespace carnot::control
