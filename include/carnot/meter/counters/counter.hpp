// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energy counters that wrap, reset, vanish and lie, turned into joules that only grow.
///
/// A counter shows raw = floor(E / unit) mod modulus. Between two readings d seconds apart,
///
///     delta = raw' - raw              if raw' >= raw
///           = raw' - raw + modulus    if raw' < raw and delta * unit <= most        (a turn)
///           = raw'                    a reset: raw' is at most half of raw and no more than the
///                                     counter has been seen to count in d
///           = 0                       otherwise: it stepped back
///     most  = power_cap * (d + update_period) + one step
///
/// with d the time since the value last moved: what a counter that was only slow, or not written
/// for a while, shows at once, it may have counted over all of that time.
///
/// After a small step back (at most what the device can draw in a second) nothing is added until
/// the counter has passed its high-water mark; that time is unobserved, and `excess` says how much
/// of the total may have been a spike. After a large one it is counted from the new level. A level
/// that was left by a jump or a reset is remembered: who comes back to it was never away, and what
/// lies between is its difference.
///
/// Raw values stay integers until differenced, so that nothing is rounded however long a counter
/// runs; the sum of deltas is exact (64 bit: 585 years of microjoules at 1 kW). A delta no hardware
/// could have spent (> most) is never added: that interval is unobserved instead. Where the turn
/// could have happened more than once unseen (power_cap * d > modulus * unit), or the range is not
/// known and two are possible, the delta is a lower bound and the interval is marked `Unsure`. Time
/// is CLOCK_MONOTONIC for power (asleep, nothing is spent) and CLOCK_BOOTTIME for position, so that
/// a suspend is seen as their difference.
///
/// Errors of an energy over an interval, 90 % (`Meter::energy`): the counter's gain (shared by all
/// readings of that counter, so it does not average out), what the ends may hide (one quantisation
/// step and one update period of power, because a reading is up to that much behind), and the
/// unobserved time at up to the highest power seen. Nothing is filled in.
///
/// Values; no allocation after construction; one thread at a time.
/// Sources: kernel intel_rapl_common.c (modulus = max_energy_range + one raw unit), Intel SDM vol.
/// 3 15.10 (update about every ms), JCGM 100:2008.

#include <cstdint>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::meter {

/// One moment on the two clocks of Linux.
struct Stamp {
  std::int64_t monotonic_ns = 0;  ///< CLOCK_MONOTONIC: stands still during suspend
  std::int64_t boottime_ns = 0;   ///< CLOCK_BOOTTIME: goes on during suspend

  static Stamp now() noexcept;
  bool operator==(const Stamp&) const = default;
};

/// What passed between two moments.
struct Elapsed {
  Duration awake;   ///< CLOCK_MONOTONIC; >= 0
  Duration asleep;  ///< suspended; what is below a millisecond is the clocks' own and counts as 0
};
Elapsed elapsed(const Stamp& from, const Stamp& to) noexcept;

/// Relative error of a figure at 90 %: true value within [low, high] times the shown one.
struct Gain {
  double low = 1.0;
  double high = 1.0;
};

/// What is known about a counter before it is read.
struct CounterSpec {
  Energy unit;                ///< of one raw count, > 0
  std::uint64_t modulus = 0;  ///< raw counts of one turn; 0: 2^64
  bool modulus_known = true;  ///< false: its file cannot be read; a turn is then told from a reset
                              ///< by trying the ranges RAPL hardware has
  std::uint64_t step = 1;     ///< raw counts between neighbouring values of the hardware
  Duration update_period = Duration::nanoseconds(1'000'000);  ///< between two changes of the value
  Power power_cap = 2000.0 * watt;                            ///< no such device can draw more
  Gain gain;                                                  ///< of the sensor, 90 %
};

enum class StepKind {
  First,        ///< nothing to difference with yet
  Advance,      ///< raw' >= raw
  Turn,         ///< wrapped once
  Reset,        ///< began again from zero: driver reload, device lost and found
  Unsure,       ///< may have wrapped more, or over a longer range: lower bound
  Implausible,  ///< more than power_cap allows: not added
  Back,         ///< below its high-water mark: nothing is added
  Silent,       ///< it says nothing and another domain counts for this time (stand_in.hpp)
};

struct Step {
  StepKind kind = StepKind::First;
  std::uint64_t raw = 0;  ///< counts added to the total
  Duration awake;         ///< since the last good reading, CLOCK_MONOTONIC
  Duration asleep;        ///< suspended in between
  Duration unobserved;    ///< part of `awake`, at most, whose energy is not in `raw`
};

/// One counter's running total.
class Counter {
 public:
  /// \throws InputError for a unit, step or cap that is not positive, a modulus below two steps
  explicit Counter(const CounterSpec& spec);

  /// Takes a reading. Readings must not go back in time.
  Step advance(std::uint64_t raw, const Stamp& at) noexcept;
  /// Goes on from a recorded total (journal): the next `advance` is differenced with `raw` at `at`.
  void restore(std::uint64_t raw, const Stamp& at, std::uint64_t total_raw,
               Duration unobserved) noexcept;

  /// Exact sum of counts since the first reading; never decreases.
  std::uint64_t total_raw() const noexcept { return total_raw_; }
  Energy total() const noexcept { return static_cast<double>(total_raw_) * spec_.unit; }
  std::uint64_t last_raw() const noexcept { return last_raw_; }
  const Stamp& last_at() const noexcept { return last_at_; }
  Duration unobserved() const noexcept { return unobserved_; }  ///< sum
  Power highest() const noexcept { return highest_; }           ///< of any step of >= 10 periods
  /// Of the total, what a spike up may have added; 0 unless below the high-water mark.
  Energy excess() const noexcept {
    return below_mark_ ? static_cast<double>(mark_ - last_raw_) * spec_.unit : Energy{};
  }
  /// Longest interval between readings within which one turn is certain to be seen: half a turn at
  /// power_cap; 0 if the counter has 64 bits.
  Duration longest_interval() const noexcept;
  const CounterSpec& spec() const noexcept { return spec_; }

 private:
  /// Counts over the turn that may lie between the last and a smaller raw value.
  struct Turned {
    std::uint64_t counts = 0;  ///< 0: none
    bool sure = true;          ///< false: with another range they would be more
  };
  Turned turned(std::uint64_t raw, Energy most) const noexcept;
  bool returns(std::uint64_t raw, const Stamp& at, Energy most, Duration still) const noexcept;
  void fall(std::uint64_t raw, Energy most, Duration still, Step& step) noexcept;
  void leave() noexcept;
  Energy energy(std::uint64_t counts) const noexcept {
    return static_cast<double>(counts) * spec_.unit;
  }

  CounterSpec spec_;
  Energy range_;  // of one turn; the smallest there is if it is not known
  bool started_ = false;
  std::uint64_t last_raw_ = 0, total_raw_ = 0;
  Stamp last_at_;
  Stamp moved_at_;  // when last_raw_ was first read
  Duration unobserved_;
  Power highest_;
  bool below_mark_ = false;
  std::uint64_t mark_ = 0;  // greatest raw value before it stepped back
  struct {                  // the level before the last jump or reset
    bool set = false;
    std::uint64_t raw = 0, total = 0;
    Stamp at;
  } left_;
};

/// Integrates a power gauge; same contract: never negative, gaps unobserved. Instantaneous readings
/// are joined by trapezoids. A reading that is a mean over `window` stands for the window before
/// it, and trapezoids join what lies between two windows. A reading that cannot be (not finite,
/// negative, above the cap) is Implausible and not taken: the next is joined to the last good one.
struct GaugeSpec {
  Duration window;         ///< reading = mean over this long before; 0: instantaneous
  Duration update_period;  ///< between two changes of the reading
  double duty = 1.0;       ///< share of time the sensor looks: 0.25 on A100/H100 (arXiv 2312.02741)
  Duration longest_hold = Duration::seconds(10);  ///< beyond: unobserved instead of interpolated
  Power power_cap = 2000.0 * watt;
  Gain gain;
};

class Gauge {
 public:
  explicit Gauge(const GaugeSpec& spec) : spec_(spec) {}
  /// `Step::raw` counts whole microjoules of the total.
  Step advance(Power power, const Stamp& at) noexcept;
  void restore(Power power, const Stamp& at, Energy total, Duration unobserved) noexcept;
  Energy total() const noexcept { return total_.value(); }
  Power last() const noexcept { return last_; }
  Power highest() const noexcept { return highest_; }
  const Stamp& last_at() const noexcept { return last_at_; }
  Duration unobserved() const noexcept { return unobserved_; }
  const GaugeSpec& spec() const noexcept { return spec_; }

 private:
  GaugeSpec spec_;
  bool started_ = false;
  Power last_, highest_;
  Stamp last_at_;
  Sum<Energy> total_;
  Duration unobserved_;
};

}  // namespace carnot::meter
