// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a Meter keeps: sources as it polls them, one track a channel, and what guards them.
///
/// The tracks exist twice. A sample copies the current ones, advances the copy and then makes it
/// current, so that a process forked in the middle of one inherits whole numbers.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include <sys/types.h>

#include "carnot/meter/meter.hpp"

namespace carnot::meter {

/// One channel's running sum and its state as snapshots show it.
struct Track {
  std::variant<Counter, Gauge> sum;
  ChannelState state;
  Duration before_first;  ///< from opening to the first good reading
  bool read = false;      ///< has had a good reading

  explicit Track(const Domain& domain);
  void take(const Reading& reading);
  void restore(const ChannelState& last);

 private:
  void settle(const Step& step, const Reading& reading);
};

/// All that a sample changes.
struct MeterState {
  std::vector<Track> tracks;
  std::vector<std::int64_t> polled_ns;  ///< one a source, CLOCK_MONOTONIC; of its last poll
  MachineUse machine;
  std::int64_t machine_ns = 0;  ///< of its last reading
  Stamp at;                     ///< of the last sample
  StaticPower static_power;
  double busy_share = -1;
  /// Where the interval that static power learns from began.
  struct {
    bool set = false;
    Stamp at;
    MachineUse machine;
    Energy counted;
    Duration unobserved;
  } learning;
};

/// What belongs to one process: made anew in a child after fork, whose copy of the parent's may be
/// locked by a thread that is not there.
struct ProcessKeeper {
  pid_t pid;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread keeper;

  explicit ProcessKeeper(pid_t p) : pid(p) {}
  void stop();
};

struct Meter::Implementation {
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<Domain> domains;  ///< of all sources, in order
  std::vector<Channel> channels;
  std::vector<Note> notes;
  Clock& clock;
  Boundary boundary = Boundary::Chip;
  Origin origin = Origin::Measured;
  Duration longest_interval;
  /// Readings are of another time than now: a recording or a simulation. Samples are then of the
  /// time of their latest reading.
  bool foreign_clock = false;
  std::optional<MachineMeter> machine;
  std::vector<Reading> readings;
  std::vector<DeviceUse> device_use;  ///< last answer
  std::int64_t device_use_ns;         ///< when, CLOCK_MONOTONIC
  std::array<MeterState, 2> states;
  std::atomic<unsigned> current{0};
  std::atomic<ProcessKeeper*> guard;
  std::atomic<bool> keep_alive{false};

  Implementation(std::vector<std::unique_ptr<Source>> found, const MeterOptions& options);
  ~Implementation();
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  /// This process's guard.
  ProcessKeeper& own_guard();
  void sample(Snapshot& into);
  /// \pre guard held
  void advance(MeterState& next, const Stamp& now);
  Stamp time_of_sample(const MeterState& next, const Stamp& began) const;
  void learn(MeterState& next) const;
  void resolve_roles();
  void start_keeper(ProcessKeeper& mine);
  Duration keeper_interval() const;
};

/// Energy of one channel between two of its states, at the channel's own boundary.
Estimate<Energy> channel_energy(const Domain& domain, const ChannelState& a, const Stamp& at_a,
                                const ChannelState& b, const Stamp& at_b);
/// Time of which a channel tells nothing up to `at`.
Duration unobserved_until(const ChannelState& state, const Stamp& at) noexcept;

}  // namespace carnot::meter
