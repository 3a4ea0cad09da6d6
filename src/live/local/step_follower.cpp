// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/step_follower.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "carnot/base/error.hpp"

namespace carnot::live {

StepFollower::StepFollower(PowerProfile profile, std::unique_ptr<WorkEnergy> energy,
                           const StepFollowerOptions& options)
    : profile_(std::move(profile)),
      energy_(std::move(energy)),
      options_(options),
      bucket_(options.bucket),
      draw_(energy_->per_cpu()) {
  if (options.modes < 1 || options.modes > 64) throw InputError("modes: from 1 to 64");
  if (!(options.longest_wait > Time{})) throw InputError("longest wait: above 0 s");
  totals_.steps.resize(static_cast<std::size_t>(options.modes));
}

void StepFollower::account(Duration now, double cpu_s) {
  const Time length = (now - last_).time();
  const Energy used =
      energy_->advance({now.nanoseconds(), now.nanoseconds()}, std::max(0.0, cpu_s - cpu_s_));
  cpu_s_ = std::max(cpu_s_, cpu_s);
  if (!waiting_ && length > Time{}) {
    const Power seen = max(Power{}, used / length);
    draw_ += 0.1 * (seen - draw_);
    draw_ = max(draw_, 1e-3 * energy_->per_cpu());
  }
  if (over_) {
    totals_.free_used += used;
  } else {
    const Energy offered = profile_.between(last_, now);
    totals_.offered += offered;
    totals_.used += used;
    totals_.followed_s += length.in(second);
    if (waiting_) totals_.waited_s += length.in(second);
    second_offered_ += offered;
    second_used_ += used;
    bucket_.advance(offered, used, profile_.at(now).value_or(Power{}), draw_);
  }
  last_ = now;
  if (const Time second_length = (now - second_from_).time(); second_length >= 1.0 * second) {
    const Energy over = second_used_ - second_offered_;
    totals_.above += max(Energy{}, over);
    totals_.worst_over = max(totals_.worst_over, over / second_length);
    second_from_ = now;
    second_offered_ = second_used_ = Energy{};
  }
}

void StepFollower::choose_mode(double share) {
  const double modes = options_.modes;
  const int wanted = std::clamp(static_cast<int>((1.0 - share) * modes), 0, options_.modes - 1);
  if (wanted == mode_) return;
  // The edge between the two, to be left behind by 0.05.
  const double edge = 1.0 - static_cast<double>(std::max(wanted, mode_)) / modes;
  if (std::abs(wanted - mode_) > 1 || std::abs(share - edge) >= 0.05) mode_ = wanted;
}

bool StepFollower::long_pause(Duration now) const {
  if (options_.checkpoint_after <= Time{}) return false;
  // Whether what comes until then is too little to start with.
  const Energy comes = profile_.between(now, now + Duration::from(options_.checkpoint_after));
  return profile_.at(now + Duration::from(options_.checkpoint_after)).has_value() &&
         bucket_.level() + comes < bucket_.starts_at();
}

StepDecision StepFollower::next(Duration now, double cpu_s, bool stepped) {
  if (!begun_) {
    begun_ = true;
    last_ = second_from_ = now;
    cpu_s_ = cpu_s;
    energy_->advance({now.nanoseconds(), now.nanoseconds()}, 0);
  }
  now = std::max(now, last_);
  account(now, cpu_s);
  if (stepped) ++totals_.steps[static_cast<std::size_t>(mode_)];
  StepDecision decision;
  const std::optional<Power> inflow = profile_.at(now);
  over_ = !inflow;
  decision.over = over_;
  decision.offered = inflow.value_or(Power{});
  if (over_) {
    mode_ = 0;
    waiting_ = false;
    return decision;
  }
  choose_mode(std::min(1.0, *inflow / draw_));
  decision.mode = mode_;
  // Nothing waits where the bucket is not empty, or where more is offered than drawn and nothing is
  // owed: a long step that ran on when the offer fell is paid for first, or each would add to it.
  const bool owes = bucket_.level() < -1e-9 * second * draw_;
  waiting_ = (*inflow < draw_ || owes) && !bucket_.run();
  if (*inflow <= Power{}) waiting_ = true;
  if (!waiting_) {
    told_checkpoint_ = false;
    return decision;
  }
  const Time change = bucket_.until_change();
  decision.wait = change < Time{} ? options_.longest_wait
                                  : std::clamp(change, 1e-3 * second, options_.longest_wait);
  if (!told_checkpoint_ && long_pause(now)) decision.checkpoint = told_checkpoint_ = true;
  return decision;
}

StepTotals StepFollower::totals() const {
  StepTotals totals = totals_;
  totals.could_not_use = bucket_.spilled();
  totals.left = bucket_.level();
  return totals;
}

}  // namespace carnot::live
