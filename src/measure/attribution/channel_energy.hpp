// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energies of a measurement's channels, between any two moments of it. Counts stay integers until
/// differenced, so a sum over samples loses nothing. Times are CLOCK_BOOTTIME nanoseconds; a moment
/// between two samples takes its share of the interval pro rata, and that is an error cause.
///
/// Causes of a channel's error (90 %): "gain:ID" (shared by every reading of the channel),
/// "begin TIME:ID" and "end TIME:ID" (one step and one update period of power at each end, and what
/// interpolation may have got wrong there), "unobserved:ID" (unobserved time at up to the highest
/// power seen). An energy's lower bound is never below zero.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

namespace carnot::measure {

class ChannelEnergy {
 public:
  /// Keeps references into `view`. \throws InputError for words, units or totals that cannot be
  ChannelEnergy(const ledger::MeasurementView& view, std::size_t channel);

  bool counted() const noexcept { return counted_; }
  bool stands_in() const noexcept { return stands_in_; }
  bool is_host() const noexcept;  ///< sees the processors: no accelerator, no memory
  /// Overrides what its role says: a stand-in counts where it spent, in place of what was silent.
  void count(bool counted) noexcept { counted_ = counted; }
  double highest_w() const noexcept { return spoke_ ? highest_w_ : 0.0; }
  /// A stand-in for counters that were only slow is measured by what they showed later.
  void confirm() noexcept;
  /// What never spoke may have drawn as much as those like it.
  void bound(double highest_w) noexcept { highest_w_ = highest_w; }
  bool accelerator() const noexcept { return accelerator_; }
  Boundary boundary() const noexcept { return boundary_; }
  Origin origin() const noexcept { return origin_; }

  /// Over the interval from sample `i` to sample `i + 1`.
  double joules(std::size_t i) const noexcept;
  double share(std::size_t i) const noexcept;  ///< the job's, of an accelerator; [0, 1]
  /// What may be the job's beyond `share`, where processes cannot be told.
  double unknown_share(std::size_t i) const noexcept;
  bool unobserved(std::size_t i) const noexcept;
  /// Everything between the first and the last sample.
  double joules() const noexcept;
  bool was_silent() const noexcept;  ///< at some time it said nothing

  /// \param from_ns <= to_ns  clipped to the samples' span
  Estimate<Energy> between(std::int64_t from_ns, std::int64_t to_ns, Boundary boundary) const;

 private:
  struct Moment {
    std::size_t sample = 0;  ///< at or before
    double share = 0;        ///< of the interval that follows
    std::int64_t at_ns = 0;
  };
  Moment moment(std::int64_t at_ns, bool earliest) const;
  double joules_until(const Moment& m, const std::vector<double>& cumulative) const;
  /// What a counter below its high-water mark may have added with a spike.
  double excess(std::size_t sample) const noexcept;
  double power_near(std::size_t interval) const;
  /// Of a stand-in, over an interval: what a counter has shown since.
  double confirmed_joules(std::size_t i) const noexcept;

  const ledger::MeasurementView& view_;
  const ledger::MeasurementChannel& channel_;
  std::size_t index_;
  bool counted_, stands_in_, accelerator_, spoke_ = false;
  Origin origin_;
  Boundary boundary_;
  double highest_w_ = 0, confirmed_ = 0;
  // At each sample, since the first: joules as shown, and as they would be at the gains' ends.
  std::vector<double> shown_, least_, most_;
};

/// All channels of a measurement, and their counted sum.
class MeasuredEnergy {
 public:
  explicit MeasuredEnergy(const ledger::MeasurementView& view);

  const std::vector<ChannelEnergy>& channels() const noexcept { return channels_; }
  std::size_t intervals() const noexcept;
  double start_s(std::size_t i) const noexcept;  ///< since the beginning, suspends included
  double awake_s(std::size_t i) const noexcept;
  Boundary boundary() const noexcept { return boundary_; }  ///< widest of the counted channels
  /// Sum of the counted channels.
  Estimate<Energy> between(std::int64_t from_ns, std::int64_t to_ns) const;
  double counted_joules(std::size_t i) const noexcept;  ///< over one interval

 private:
  void settle_stand_in();

  const ledger::MeasurementView& view_;
  std::vector<ChannelEnergy> channels_;
  Boundary boundary_ = Boundary::Chip;
};

/// `part` cut so that `value` minus the root-sum-square of `used` and it is not below zero.
double within(double value, double used, double part);

}  // namespace carnot::measure
