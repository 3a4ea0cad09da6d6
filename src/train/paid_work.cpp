// SPDX-License-Identifier: Apache-2.0
#include "train/paid_work.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/learn/network/train_in_pieces.hpp"

namespace carnot::train {

PaidWork::PaidWork(const Job& job, learn::Learner& learner, const learn::Dataset& held_out,
                   const learn::EnergyTable& table, double minimum_quality, bool most_quality)
    : job_(job),
      learner_(learner),
      held_out_(held_out),
      table_(table),
      most_quality_(most_quality),
      certificate_(minimum_quality) {}

void PaidWork::ask_noise() {
  const bool measured = !noise_.empty() && noise_measured_at_ == learner_.steps_done();
  noise_due_ = noise_due_ || !measured;
}

learn::Precision PaidWork::precision_of(int mode) const {
  return mode < 0 ? learn::Precision::parse("f32")
                  : job_.precisions[static_cast<std::size_t>(mode)];
}

const learn::Precision& PaidWork::precision() const {
  return job_.precisions[static_cast<std::size_t>(std::max(mode_now_, 0))];
}

/// Next to the integers' rounding a float's is no noise (2^-8 at worst, no coarse grid).
std::vector<learn::Precision> PaidWork::integers() const {
  std::vector<learn::Precision> all;
  for (const learn::Precision& p : job_.precisions)
    if (p.is_integer()) all.push_back(p);
  return all;
}

Energy PaidWork::entry(int mode) const {
  if (mode == mode_now_) return {};
  return cost(learner_.switch_counters(precision_of(mode_now_), precision_of(mode)));
}

Energy PaidWork::repeated_look() const {
  return cost(learner_.evaluation_counters(held_out_.rows, precision()));
}

Energy PaidWork::noise_measurement() const { return cost(learner_.noise_counters(integers())); }

/// A look at all held-out rows, as the learner is now.
Energy PaidWork::look(int mode) const {
  const learn::Precision p = job_.precisions[static_cast<std::size_t>(std::max(mode, 0))];
  Energy sum = cost(learner_.evaluation_counters(held_out_.rows, p));
  if (!held_copies_.contains(p.delivered().data))
    sum += cost(learner_.copy_counters(held_out_.rows, p.delivered()));
  return sum;
}

/// The same once `mode` has been entered. Copies of the training data cancel.
Energy PaidWork::look_in(int mode) const {
  const learn::Precision to = precision_of(mode), delivered = to.delivered();
  return max(Energy{}, look(mode) + cost(learner_.switch_counters(to, delivered)) -
                           cost(learner_.switch_counters(precision_of(mode_now_), delivered)));
}

/// Of most quality: for the look that ends the job, from the first step on.
Energy PaidWork::kept_back() const {
  return most_quality_ && learner_.steps_done() > 0 ? look(mode_now_) : Energy{};
}

Energy PaidWork::last_look(bool schedule_done) const {
  if (look_due_ && schedule_done) return {};  // already among what is due
  const int cheapest = static_cast<int>(job_.modes.size()) - 1;
  return most_quality_ && mode_now_ < 0 ? look_in(cheapest) : look(std::max(mode_now_, 0));
}

Energy PaidWork::due() const {
  Energy sum;
  if (noise_due_) sum += noise_measurement();
  if (look_due_) sum += look(mode_now_);
  return sum;
}

/// What must be paid before the first step in `mode`, besides that step.
Energy PaidWork::threshold(int mode) const {
  return entry(mode) + (most_quality_ ? look_in(mode) : Energy{});
}

Energy PaidWork::lacking(int mode, double steps) const {
  if (something_due()) return due() + kept_back() - paid_;
  return threshold(mode) + (steps - 1.0 + learn::dearest_step(precision_of(mode))) * step(mode) -
         paid_;
}

std::optional<Look> PaidWork::carry_out(Energy drawn, int mode, double steps,
                                        const StopToken& stop) {
  paid_ += drawn;
  if (something_due()) return work_off();
  train(mode, steps, stop);
  return {};
}

/// Does what is due as far as it is paid.
std::optional<Look> PaidWork::work_off() {
  const Energy slack = kStepSlack * job_.step_energy.back();
  if (noise_due_ && paid_ + slack >= kept_back() + noise_measurement()) {
    noise_due_ = false;
    measure_noise();
  }
  if (look_due_ && !noise_due_ && paid_ + slack >= kept_back() + look(mode_now_)) {
    look_due_ = false;
    return take_look();
  }
  return {};
}

/// As many of `steps` steps as are paid, each as if every row outgrew its grid; what they did not
/// need pays for the next.
void PaidWork::train(int mode, double steps, const StopToken& stop) {
  const Energy dearest = learn::dearest_step(precision_of(mode)) * step(mode);
  while (steps >= 1.0 - kStepSlack) {
    const double affordable = std::floor((paid_ - threshold(mode)) / dearest + kStepSlack);
    const double whole = std::min(affordable, std::ceil(steps - kStepSlack));
    if (whole < 1.0) return;
    const learn::Counters before = learner_.counters();
    mode_now_ = mode;
    const std::uint64_t done =
        learn::train_in_pieces(learner_, static_cast<std::uint64_t>(whole), precision(), stop);
    spend(before);
    if (done == 0) return;
    steps -= static_cast<double>(done);
  }
}

void PaidWork::measure_noise() {
  const learn::Counters before = learner_.counters();
  const std::vector<learn::NoiseShare> shares = learner_.noise_shares(integers());
  noise_.assign(job_.precisions.size(), {});
  for (std::size_t m = 0, i = 0; m < job_.precisions.size(); ++m) {
    if (!job_.precisions[m].is_integer()) continue;
    noise_[m] = {shares[i].gradient, shares[i].update, shares[i].signal};
    ++i;
  }
  noise_measured_at_ = learner_.steps_done();
  spend(before);
}

Look PaidWork::take_look() {
  const learn::Counters before = learner_.counters();
  Look found;
  found.quality = learner_.evaluate(held_out_, precision());
  looked_at_ = learner_.steps_done();
  found.certificate = certificate_.look(found.quality);
  held_copies_.insert(precision().delivered().data);
  spend(before);
  return found;
}

PaidWorkState PaidWork::state() const {
  PaidWorkState s;
  s.paid = paid_;
  s.noise_due = noise_due_;
  s.look_due = look_due_;
  s.held_copies.assign(held_copies_.begin(), held_copies_.end());
  s.noise = noise_;
  s.noise_measured_at = noise_measured_at_;
  s.looked_at = looked_at_;
  s.mode_now = mode_now_;
  s.looks = certificate_.state().looks;
  return s;
}

void PaidWork::restore(const PaidWorkState& s) {
  paid_ = s.paid;
  noise_due_ = s.noise_due;
  look_due_ = s.look_due;
  held_copies_ = {s.held_copies.begin(), s.held_copies.end()};
  noise_ = s.noise;
  noise_measured_at_ = s.noise_measured_at;
  looked_at_ = s.looked_at;
  mode_now_ = s.mode_now;
  certificate_.restore({s.looks});
}

}  // namespace carnot::train
