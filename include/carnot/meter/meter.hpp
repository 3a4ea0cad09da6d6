// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The meter: every source of this machine behind one call, each joule once. Start here.
///
///     Meter meter = Meter::open({});
///     Snapshot a = meter.sample();  ...  Snapshot b = meter.sample();
///     Estimate<Energy> e = meter.energy(a, b).total;
///
/// or, with what this process or thread did in between told apart from the rest of the machine:
///
///     Window window(meter, "epoch");  ...  WindowResult r = window.stop();
///
/// `sample` polls all sources (at most one read a domain), unwraps counters, and costs a few
/// microseconds; it allocates nothing after the first call with the same snapshot. Where there is
/// no sensor the power model stands in and every figure says so (`Origin::Modelled`); so it does
/// for the time in which the sensors that are there say nothing (a counter that stands still, an
/// error value, a battery on mains): a sensor counts from its first plausible reading on.
///
/// Windows nest and overlap freely, in any number of threads and processes: each reads the same
/// monotonic totals, nothing is shared between processes, no lock file, no signal handler. Windows
/// that overlap in time measure the same joules twice; each result carries `overlapped`, and
/// `exclusive` shares (by thread CPU time) are what may be summed.
///
/// Between samples counters may turn: someone must sample at least every `longest_interval`.
/// `keep_alive` starts a thread that does.
///
/// Thread-safe (one mutex around sampling). After fork the child's copy is usable: it samples for
/// itself; a keep-alive thread does not survive a fork and is started again by the next sample.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/attribution/attribution.hpp"
#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"
#include "carnot/meter/power_model/power_model.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::meter {

struct MeterOptions {
  SourceOptions sources;
  /// Facts for the power model beside those the machine tells; only used without a sensor.
  HostFacts host;
  bool model = true;  ///< let the power model stand in where there is no sensor
};

/// State of one domain at a moment: cumulative since the meter was opened.
struct ChannelState {
  std::uint64_t total_raw = 0;  ///< counters: exact
  std::uint64_t raw = 0;        ///< as the hardware shows it (gauges: microwatts), for going on
  Energy energy;                ///< total_raw x unit, or the gauge's integral
  Energy low, high;             ///< `energy` as the sensor's gain allows, 90 %
  Stamp at;                     ///< of the last good reading; before any, of opening
  Duration unobserved;          ///< cumulative
  Power highest;
  Energy excess;  ///< of `energy`, what a counter's spike may have added (Counter::excess)
  /// Of a stand-in: what it would count for the time since a sensor last spoke, with its bounds. It
  /// becomes `energy` if the sensors stay silent, and is dropped if they speak.
  Energy waiting, waiting_low, waiting_high;
  /// Of a stand-in's `energy`: what a counter that was only slow has shown since, cumulative. It is
  /// measured, and taken off the counter's.
  Energy confirmed;
  PollStatus status = PollStatus::Retry;
  StepKind last_step = StepKind::First;
  int error = 0;
};

struct Snapshot {
  Stamp at;
  MachineUse machine;      ///< at most 10 ms old: the kernel counts in ticks of that
  double busy_share = -1;  ///< of all CPUs over the last 100 ms or more; negative: not yet known
  std::vector<ChannelState> channels;  ///< one per `Meter::channels()`
};

/// One domain and what it counts for.
struct Channel {
  Domain domain;
  Role role = Role::Counted;
  std::string of, reason;
};

/// Energy between two snapshots. Errors are those of `with_errors` (errors.hpp), and of channels
/// asked less often than the rest the age of their readings at the highest power. No bound lies
/// below zero; where no reading moved the model's figure is taken, or without a model the interval
/// says how much may have passed.
struct EnergyBetween {
  Estimate<Energy> total;                    ///< sum of what counted; boundary the widest of theirs
  std::vector<Estimate<Energy>> by_channel;  ///< one per channel, whatever its role
  Duration length;                           ///< awake
  Duration asleep;
  Duration unobserved;  ///< greatest of the counted channels
};

class Meter {
 public:
  /// Finds sources, resolves overlaps, takes a first sample.
  /// \throws InputError for bad options; DeviceError if there is no source and `model` is false
  static Meter open(const MeterOptions& options);
  /// The same over sources of the caller's.
  static Meter over(std::vector<std::unique_ptr<Source>> sources, const MeterOptions& options);
  Meter(Meter&&) noexcept;
  Meter& operator=(Meter&&) noexcept;
  ~Meter();

  const std::vector<Channel>& channels() const noexcept;  ///< fixed once made
  const std::vector<Note>& notes() const noexcept;
  Boundary boundary() const noexcept;          ///< of the total, as things stood when opened
  Origin origin() const noexcept;              ///< Measured or Modelled, likewise
  Duration longest_interval() const noexcept;  ///< 0: any
  Clock& clock() const noexcept;               ///< by which it samples

  void sample(Snapshot& into);
  Snapshot sample();
  /// \param a, b  snapshots of this meter, a before b
  EnergyBetween energy(const Snapshot& a, const Snapshot& b) const;
  /// Static power learned from all samples so far.
  StaticPower static_power() const;
  /// Who used which accelerator lately; asks the sources at most twice a second, else gives their
  /// last answer. Empty without accelerators or where they do not tell.
  std::vector<DeviceUse> device_use();
  /// Goes on from a recorded state: the next sample is differenced with it.
  /// \throws InputError if the channels do not match by id
  void restore(const std::vector<std::string>& ids, const Snapshot& last);
  /// What is measured begins now. A counter that has stood still until now is taken to have spent
  /// what it shows next from now on, whatever the model counted for it before.
  void begin();
  /// Samples in the background so that no turn goes unseen; idempotent.
  void keep_alive();

 private:
  struct Implementation;
  explicit Meter(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Whose CPU time a window counts as its own. Process: this process and all it started, alive or
/// ended and waited for; who lost its parent before is not seen.
enum class Scope { Thread, Process };

struct WindowResult {
  std::string label;
  EnergyBetween machine;  ///< everything, this machine
  Estimate<Energy> own;   ///< of it, this window's scope: dynamic by CPU time, static by policy
  Estimate<Energy> exclusive;  ///< own, without what windows nested in this thread took: sums up
  Duration length;
  double cpu_s = 0;         ///< of the scope
  bool overlapped = false;  ///< another window of this process was open at some time
};

/// A span of time; stops at the end of its scope if `stop` was not called. The meter must outlive
/// it, and not be moved, while it is open.
///
/// Each start, stop and look of a window ends a slice of its thread's time. A slice's energy is
/// split by CPU time (accelerators: by the device's busy time), goes to every open window of the
/// thread as its `own`, and to the innermost as its `exclusive`; so `exclusive` over nested windows
/// sums to `own` of the outermost. A window may be stopped on another thread; it still counts the
/// CPU time of the one it was started on.
class Window {
 public:
  explicit Window(Meter& meter, std::string label = "", Scope scope = Scope::Process,
                  StaticPolicy policy = StaticPolicy::Capacity);
  Window(Window&&) noexcept;
  Window& operator=(Window&&) noexcept;  ///< the window assigned to is stopped
  ~Window();
  WindowResult stop();  ///< a second call gives the same result
  WindowResult so_far() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carnot::meter
