// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What pays for a training's work, and does it. **A joule is drawn before it is used**: dynamic
/// energy that the site drew is taken in, then as much is done as it pays for, and at every instant
///
///     paid = dynamic energy drawn / trainings - energy of all that was counted >= 0
///
/// (but for kStepSlack). What is asked for waits in this order:
/// measuring rounding noise, a look at the held-out rows, entering a mode, its steps. Each has its
/// price from the counts the learner states beforehand, times the energy table; only an integer row
/// that outgrows its grid has none, so a step is paid as if every row did (learn::dearest_step) and
/// what it did not need pays for the next. Where most quality is asked for, one look is kept back
/// from the first step on: the deadline may come without power.
///
/// All energies here are one training's, of the chips, dynamic. A mode is an index into the job's;
/// -1 is that of a learner that has not begun, f32 without a copy of the data. Belongs to one
/// thread, as the learner does.

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/control/view.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/train/hall_job.hpp"

namespace carnot::train {

inline constexpr double kStepSlack = 1e-6;  ///< of a step: rounding of rates and nanoseconds

/// What a look at the held-out rows found.
struct Look {
  learn::Quality quality;
  learn::CertificateResult certificate;
};

/// What a checkpoint holds of it, the learner apart.
struct PaidWorkState {
  Energy paid;  ///< drawn and not yet used
  bool noise_due = false, look_due = false;
  std::vector<int> held_copies;  ///< widths of the held-out rows of which there are copies, in bits
  std::vector<control::ModeNoise> noise;
  std::uint64_t noise_measured_at = 0, looked_at = 0;  ///< steps that were done by then
  int mode_now = -1;
  std::uint64_t looks = 0;  ///< of the certificate
};

class PaidWork {
 public:
  /// Everything referred to must outlive it. \param most_quality  one look is kept back
  PaidWork(const Job& job, learn::Learner& learner, const learn::Dataset& held_out,
           const learn::EnergyTable& table, double minimum_quality, bool most_quality);

  // What is asked for, and waits until it is paid.
  void ask_noise();  ///< once for each state of the learner: again before its next step is nothing
  void ask_look() { look_due_ = true; }
  bool look_is_due() const { return look_due_; }
  bool something_due() const { return noise_due_ || look_due_; }

  // Prices.
  /// Asked for and not yet paid.
  Energy due() const;
  /// Of `mode` from the present one: the coefficients' conversion, a first copy of the data.
  Energy entry(int mode) const;
  /// What certifying at the end of the schedule will cost, while that is still ahead.
  Energy last_look(bool schedule_done) const;
  /// A look for which every copy is there.
  Energy repeated_look() const;
  Energy noise_measurement() const;
  /// What must still be drawn for what is due or, where nothing is, for entering `mode` and `steps`
  /// steps in it. Below zero: there is more.
  Energy lacking(int mode, double steps) const;
  Energy paid() const { return paid_; }

  /// Takes in `drawn`, then does what is due or, where nothing was, as many of `steps` steps in
  /// `mode` as are paid. \return the look, if it came to one
  /// \throws Stopped, in the middle of the work
  std::optional<Look> carry_out(Energy drawn, int mode, double steps, const StopToken& stop);
  /// The look that was kept back, at the end of a job of most quality.
  Look take_look();
  /// What the certificate says of a quality that was measured for reports alone, at no charge.
  learn::CertificateResult judge(const learn::Quality& quality) {
    return certificate_.look(quality);
  }

  // What came of it.
  const learn::Certificate& certificate() const { return certificate_; }
  int mode_now() const { return mode_now_; }
  /// Of the present mode; before the first step, of mode 0.
  const learn::Precision& precision() const;
  /// As measured last, parallel to the job's modes; empty before.
  std::span<const control::ModeNoise> noise() const { return noise_; }
  std::uint64_t noise_measured_at() const { return noise_measured_at_; }
  std::uint64_t looked_at() const { return looked_at_; }

  PaidWorkState state() const;
  void restore(const PaidWorkState& state);

 private:
  Energy cost(const learn::Counters& counters) const { return table_.energy(counters).value(); }
  learn::Precision precision_of(int mode) const;
  std::vector<learn::Precision> integers() const;
  Energy step(int mode) const { return job_.step_energy[static_cast<std::size_t>(mode)]; }
  Energy look(int mode) const;
  Energy look_in(int mode) const;
  Energy kept_back() const;
  Energy threshold(int mode) const;

  std::optional<Look> work_off();
  void train(int mode, double steps, const StopToken& stop);
  void measure_noise();
  void spend(const learn::Counters& before) { paid_ -= cost(learner_.counters() - before); }

  const Job& job_;
  learn::Learner& learner_;
  const learn::Dataset& held_out_;
  const learn::EnergyTable& table_;
  bool most_quality_;
  learn::Certificate certificate_;
  Energy paid_;  // never below zero
  bool noise_due_ = false, look_due_ = false;
  std::set<int> held_copies_;
  std::vector<control::ModeNoise> noise_;
  std::uint64_t noise_measured_at_ = 0, looked_at_ = 0;
  int mode_now_ = -1;
};

}  // namespace carnot::train
