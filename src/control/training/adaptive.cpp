// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/adaptive.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::control {

int cheapest_sufficient_mode(std::span<const site::Mode> modes, std::span<const ModeNoise> noise,
                             double remaining_learning, const GovernorOptions& options) {
  const double survival = std::exp(-options.kappa * std::clamp(remaining_learning, 0.0, 1.0));
  int chosen = 0;
  for (std::size_t m = 1; m < modes.size(); ++m) {
    if (!noise.empty() && !(noise[m].gradient <= 1.0 && noise[m].update * survival <= options.rho))
      continue;
    if (modes[m].step_energy() < modes[static_cast<std::size_t>(chosen)].step_energy())
      chosen = static_cast<int>(m);
  }
  return chosen;
}

PurchasePlan plan_purchases(std::span<const PlanStep> steps, Energy work, DelayPrice delay,
                            std::size_t last, std::vector<std::size_t>& scratch) {
  // Grows the set of hours in order; `scratch` keeps them sorted by unit cost, so that the
  // purchases for "done by hour k" are its cheapest prefix.
  PurchasePlan best;
  best.finish = steps.size();
  best.expected_cost = kInfinity;
  scratch.clear();
  Energy own_sum;
  Time elapsed;
  last = std::min(last, steps.size());
  for (std::size_t k = 0; k < last; ++k) {
    own_sum += steps[k].own;
    elapsed += steps[k].length;
    const auto place = std::upper_bound(
        scratch.begin(), scratch.end(), k,
        [&](std::size_t a, std::size_t b) { return steps[a].unit_cost < steps[b].unit_cost; });
    scratch.insert(place, k);
    Energy missing = work - own_sum;
    double cost = (delay * elapsed).in(euro);
    bool now = false;
    for (const std::size_t h : scratch) {
      if (missing <= Energy{}) break;
      const Energy bought = min(missing, steps[h].room);
      if (bought <= Energy{}) continue;
      cost += bought.in(joule)*steps[h].unit_cost;
      missing -= bought;
      now = now || h == 0;
    }
    if (missing > 1e-9 * work) continue;  // not even with the grid
    if (cost < best.expected_cost) best = {now, k, cost};
    if (work <= own_sum) break;  // later ends only add delay
  }
  return best;
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
    choose_mode(o);
    if (done >= next_measure_) {
      d.measure_noise = true;
      next_measure_ = done + until_next_measurement(o);
      d.max_steps = 1.0;  // decide again with what was measured
    } else {
      d.max_steps = next_measure_ - done;
    }
    d.mode = mode_;
    d.grid_allowance = buys(o) ? o.site.grid_limit : Power{};
    return d;
  }

  std::vector<double> numbers() const override {
    return {static_cast<double>(mode_), next_measure_, buying_ ? 1.0 : 0.0, chosen_ ? 1.0 : 0.0,
            // Whole seconds fit a double exactly.  NOLINTNEXTLINE(bugprone-integer-division)
            static_cast<double>(planned_at_.unix_nanoseconds() / 1'000'000'000),
            planned_ ? 1.0 : 0.0};
  }
  void set_numbers(const std::vector<double>& state) override {
    CARNOT_CHECK(state.size() == 6, "governor state has six numbers");
    mode_ = static_cast<int>(state[0]);
    next_measure_ = state[1];
    buying_ = state[2] != 0.0;
    chosen_ = state[3] != 0.0;
    planned_at_ = Instant::from_unix_seconds(static_cast<std::int64_t>(state[4]));
    planned_ = state[5] != 0.0;
  }

 private:
  static constexpr Duration kReplanEvery = Duration::seconds(3600);

  /// The cheapest mode whose surviving noise is small enough; never back down.
  void choose_mode(const Observation& o) {
    if (o.learning.noise.empty()) return;
    const int wanted = cheapest_sufficient_mode(o.learning.modes, o.learning.noise,
                                                o.learning.remaining_learning, options_);
    const auto bits = [&](int m) { return o.learning.modes[static_cast<std::size_t>(m)].bits; };
    if (!chosen_ || bits(wanted) > bits(mode_)) mode_ = wanted;
    chosen_ = true;
  }

  /// Steps until noise is worth measuring again; see the header.
  double until_next_measurement(const Observation& o) const {
    const double total = static_cast<double>(o.learning.steps_total),
                 done = static_cast<double>(o.learning.steps_done);
    const double interval = std::max(1.0, std::ceil(options_.measure_share * total));
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

  bool buys(const Observation& o) {
    const site::Mode& guard = guard_mode(o);
    if (o.site.grid_limit <= Power{}) return false;
    if (must_buy(o, guard, static_cast<double>(o.learning.steps_left()))) return buying_ = true;
    if (o.total_forecast.empty()) return false;
    if (planned_ && o.now - planned_at_ < kReplanEvery) return buying_;
    planned_ = true;
    planned_at_ = o.now;
    buying_ = worth_buying(o, guard);
    return buying_;
  }

  bool worth_buying(const Observation& o, const site::Mode& guard) {
    const site::Mode& mode = o.learning.modes[static_cast<std::size_t>(mode_)];
    const ForecastView& wind = o.total_forecast;
    const std::size_t n = wind.mean.size();
    const Time step = wind.step.time();
    // Work in dynamic joules: what is left of this stage is priced in this mode, at worst half in
    // the guard mode (the switch comes in the last part of the schedule).
    const double left = static_cast<double>(o.learning.steps_left());
    const Energy work =
        left * (0.5 * mode.step_energy() + 0.5 * guard.step_energy()) + o.learning.overhead;
    // Quick way out, the usual case: delay saved by a joule bought is at most the whole horizon's.
    const Power full_facility = mode.power(1.0) * o.site.pue;
    steps_.resize(n);
    const Energy full = mode.dynamic_power * step;
    for (std::size_t k = 0; k < n; ++k) {
      const double price =
          k < o.price_forecast.mean.size() ? o.price_forecast.mean[k] : o.site.price.base();
      const double carbon =
          k < o.carbon_forecast.mean.size() ? o.carbon_forecast.mean[k] : o.site.carbon.base();
      const double per_joule = price + carbon * objective_.carbon_price.base();
      const double share = expected_share(o, mode, wind.mean[k], wind.sd[k]);
      const double from_grid =
          std::min(1.0, o.site.grid_limit / full_facility);  // the import limit may throttle
      PlanStep& s = steps_[k];
      s.length = step;
      s.own = share * full;
      s.room = std::max(0.0, std::max(share, from_grid) - share) * full;
      // Bought energy per dynamic joule: its share of static power and cooling comes along.
      s.unit_cost = per_joule * o.site.pue * (mode.power(1.0) / mode.dynamic_power);
    }
    const Time to_deadline = (o.deadline - o.now).time();
    const auto last = static_cast<std::size_t>(std::max(0.0, std::floor(to_deadline / step)));
    // Waiting costs the delay price and, in calm hours, the standby power of a paused hall.
    double calm_cost = 0.0, own_rate = 0.0;  // EUR per second, joules per second
    for (const PlanStep& s : steps_) {
      const double calm = 1.0 - std::min(1.0, s.own / full);
      calm_cost += calm * s.unit_cost / static_cast<double>(n);
      own_rate += s.own.in(joule) / (step.in(second) * static_cast<double>(n));
    }
    const double standby_share =
        o.site.standby.in(watt) / (o.site.pue * (mode.power(1.0) / mode.dynamic_power));
    const DelayPrice delay =
        objective_.delay_price + DelayPrice::from_base(std::max(0.0, calm_cost * standby_share));
    const PurchasePlan with = plan_purchases(steps_, work, delay, last, order_);
    if (with.finish >= n) return false;  // not within the horizon: wait and see
    if (!with.buy_now || last < n) return with.buy_now;
    // The other way: buy nothing and go on beyond the horizon at the same mean pace.
    const double wait_s = own_rate > 0.0 ? work.in(joule) / own_rate : kInfinity;
    return wait_s > to_deadline.in(second) || with.expected_cost < delay.base() * wait_s;
  }

  /// Expected share of full throttle that own power sustains: mean over a clipped normal, five
  /// points (Gauss-Hermite nodes and weights, Abramowitz & Stegun table 25.10).
  static double expected_share(const Observation& o, const site::Mode& mode, double mean,
                               double sd) {
    constexpr std::array<double, 5> kNode{-2.8569700138728, -1.3556261799743, 0.0, 1.3556261799743,
                                          2.8569700138728};
    constexpr std::array<double, 5> kWeight{0.0112574113277, 0.2220759220056, 0.5333333333333,
                                            0.2220759220056, 0.0112574113277};
    const double scale = 1.0 / (o.site.pue * mode.dynamic_power.in(watt));
    double share = 0.0;
    for (std::size_t i = 0; i < kNode.size(); ++i) {
      const double total = mean + sd * kNode[i];
      const double own = std::max(0.0, total - o.site.export_first.in(watt));
      share +=
          kWeight[i] * std::clamp(own * scale - mode.static_power / mode.dynamic_power, 0.0, 1.0);
    }
    return share;
  }

  site::ObjectiveOptions objective_;
  GovernorOptions options_;
  int mode_;
  bool chosen_ = false;
  double next_measure_ = 0.0;
  bool planned_ = false, buying_ = false;
  Instant planned_at_;
  std::vector<PlanStep> steps_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::unique_ptr<JobPolicy> make_governor(std::span<const site::Mode> modes,
                                         const site::ObjectiveOptions& objective,
                                         const GovernorOptions& options) {
  CARNOT_CHECK(!modes.empty(), "a job has at least one mode");
  return std::make_unique<Governor>(modes, objective, options);
}

}  // namespace carnot::control
