// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/follow.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::live {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr Time kSoonest = 3e-3 * second;  // between ticks
constexpr Time kPast = 1e-3 * second;     // the moment at which the answer changes
constexpr double kSplit = 1.25;           // ticks that are not split in two
constexpr double kLonger = 2.5;           // ticks of stopped work
constexpr double kGain = 0.5;             // of what is owed or left, paid back in a second

class Loop {
 public:
  Loop(FollowedWork& work, const PowerProfile& profile, WorkEnergy& energy,
       std::span<const std::unique_ptr<Actuator>> actuators, meter::Clock& clock,
       const FollowOptions& options, const FollowHooks& hooks)
      : work_(work),
        profile_(profile),
        energy_(energy),
        actuators_(actuators),
        clock_(clock),
        options_(options),
        hooks_(hooks),
        bucket_(options.bucket),
        draw_(energy.per_cpu()) {
    for (const auto& actuator : actuators_) {
      rate_ = rate_ || actuator->info().kind == ActuatorKind::Rate;
      switch_ = switch_ || actuator->info().kind == ActuatorKind::Switch;
    }
  }

  FollowTotals run() {
    start_ = last_ = second_from_ = clock_.now();
    cpu_s_ = work_.cpu_s();
    energy_.advance(start_, 0);
    work_.crowded();
    decide(Energy{}, Energy{}, FollowWish::Follow);
    while (true) {
      if (clock_.wait(until_next(), work_.wait_fd()) || work_.ended()) break;
      if (step() == FollowWish::Leave) break;
    }
    account(clock_.now());
    if (!over_) settle(offered_, used_, profile_.at(since_start(last_)).value_or(Power{}));
    end_second(true);
    totals_.left = bucket_.level();
    const double n = static_cast<double>(std::max<std::size_t>(1, counted_));
    totals_.rms_error = std::sqrt(squares_ / n) * watt;
    totals_.mean_target = targets_ / n * watt;
    return std::move(totals_);
  }

 private:
  FollowWish step() {
    const FollowWish wish = hooks_.wish ? hooks_.wish() : FollowWish::Follow;
    if (wish == FollowWish::Suspend) {
      for (const auto& actuator : actuators_) {
        if (hooks_.lift_signals || actuator->info().name != "signals") actuator->apply(Order{});
      }
      if (hooks_.suspend) hooks_.suspend();
    }
    account(clock_.now());
    decide(offered_, used_, wish);
    if (last_.monotonic_ns - second_from_.monotonic_ns >= kSecond) end_second(false);
    return wish;
  }

  Duration since_start(const meter::Stamp& at) const {
    return Duration::nanoseconds(at.boottime_ns - start_.boottime_ns);
  }

  /// What was offered and used since the last time. While the machine sleeps nobody is offered
  /// anything.
  void account(const meter::Stamp& now) {
    const double length = static_cast<double>(now.monotonic_ns - last_.monotonic_ns) * 1e-9;
    const double cpu_s = work_.cpu_s();
    used_ = energy_.advance(now, std::max(0.0, cpu_s - cpu_s_));
    cpu_s_ = std::max(cpu_s_, cpu_s);
    ++totals_.ticks;
    totals_.longest_tick_s = std::max(totals_.longest_tick_s, length);
    if (run_ && length > 0) learn_draw(used_ / (length * second));
    const Duration awake = Duration::nanoseconds(now.monotonic_ns - last_.monotonic_ns);
    offered_ = profile_.between(since_start(now) - awake, since_start(now));
    if (over_) {
      totals_.free_used += used_;
      totals_.free_s += length;
      offered_ = used_ = Energy{};
    } else {
      totals_.offered += offered_;
      totals_.used += used_;
      totals_.followed_s += length;
      second_.offered += offered_;
      second_.used += used_;
      (run_ ? second_.running_s : totals_.stopped_s) += length;
    }
    last_ = now;
  }

  /// Power of the work while it runs, quick to rise and slow to fall.
  void learn_draw(Power seen) {
    if (seen <= Power{}) seen = Power{};
    draw_ += (seen > draw_ ? 0.5 : 0.05) * (seen - draw_);
    draw_ = max(draw_, 1e-3 * energy_.per_cpu());
  }

  void settle(Energy offered, Energy used, Power inflow) {
    const Energy before = bucket_.spilled();
    bucket_.advance(offered, used, inflow, draw_);
    second_.could_not_use += bucket_.spilled() - before;
  }

  void decide(Energy offered, Energy used, FollowWish wish) {
    const std::optional<Power> inflow = profile_.at(since_start(last_));
    if (!over_) settle(offered, used, inflow.value_or(Power{}));
    over_ = !inflow;
    Order order;
    if (over_) {
      totals_.profile_ended = true;
    } else {
      order = wish == FollowWish::Free ? Order{} : order_of(*inflow);
    }
    if (order.run != run_) {
      ++totals_.switches;
      run_ = order.run;
    }
    for (const auto& actuator : actuators_) actuator->apply(order);
  }

  Order order_of(Power inflow) {
    Order order;
    order.power = inflow;
    const Power full = max(draw_, full_draw_ = max(0.999 * full_draw_, draw_));
    order.clock = std::clamp(inflow / full, 0.0, 1.0);
    order.run = bucket_.run();
    if (!rate_) return order;
    // A rate keeps the mean; what is owed or left goes into it. A switch only helps out below the
    // least rate there is and where much is owed.
    const Power wanted = inflow + kGain * bucket_.level() / second;
    order.cpus = std::max(0.0, wanted / max(energy_.per_cpu(), 1e-9 * watt));
    if (!switch_) return order;
    constexpr double kLeastCpus = 0.05;
    if (order.cpus >= kLeastCpus)
      order.run = inflow > Power{} && bucket_.level() > -0.25 * second * profile_.peak();
    return order;
  }

  Duration until_next() const {
    // What stands still can wait longer: a pause that lasts too long is made good.
    Time next = (rate_ || over_ ? 1.0 : run_ ? kSplit : kLonger) * options_.tick.time();
    const Time change = bucket_.until_change();
    if (!rate_ && !over_ && change >= Time{}) next = std::clamp(change + kPast, kSoonest, next);
    return Duration::from(next);
  }

  void end_second(bool last) {
    FollowSecond s = second_;
    s.at_s = since_start(last_).time().in(second);
    s.length_s = static_cast<double>(last_.monotonic_ns - second_from_.monotonic_ns) * 1e-9;
    second_ = {};
    second_from_ = last_;
    if (s.length_s <= 0 || (over_ && s.offered <= Energy{} && s.used <= Energy{})) return;
    s.crowded = work_.crowded();
    totals_.could_not_use += s.could_not_use;
    if (s.crowded) totals_.crowded_out += s.could_not_use;
    const Energy over = s.used - s.offered;
    totals_.above += max(Energy{}, over);
    // The last one may be of any length: no second of its own.
    if (!last) {
      const Power error = over / (s.length_s * second);
      if (error > totals_.worst_over) {
        totals_.worst_over = error;
        totals_.worst_at_s = s.at_s;
      }
      squares_ += error.in(watt)*error.in(watt);
      targets_ += (s.offered / (s.length_s * second)).in(watt);
      ++counted_;
    }
    if (totals_.seconds.size() < options_.keep_seconds) totals_.seconds.push_back(s);
    if (hooks_.on_second) hooks_.on_second(s);
  }

  FollowedWork& work_;
  const PowerProfile& profile_;
  WorkEnergy& energy_;
  std::span<const std::unique_ptr<Actuator>> actuators_;
  meter::Clock& clock_;
  const FollowOptions& options_;
  const FollowHooks& hooks_;
  EnergyBucket bucket_;
  Power draw_, full_draw_;
  bool rate_ = false, switch_ = false, run_ = true, over_ = false;
  meter::Stamp start_, last_, second_from_;
  double cpu_s_ = 0;
  Energy offered_, used_;
  FollowSecond second_;
  double squares_ = 0, targets_ = 0;
  std::size_t counted_ = 0;
  FollowTotals totals_;
};

}  // namespace

FollowTotals follow(FollowedWork& work, const PowerProfile& profile, WorkEnergy& energy,
                    std::span<const std::unique_ptr<Actuator>> actuators, meter::Clock& clock,
                    const FollowOptions& options, const FollowHooks& hooks) {
  return Loop(work, profile, energy, actuators, clock, options, hooks).run();
}

}  // namespace carnot::live
