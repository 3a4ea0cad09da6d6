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

  /// What the last reading was good for.
  enum class Word { Plausible, Still, Zero, Beyond, Unreadable };
  Word word = Word::Unreadable;
  bool spoke = false;    ///< has ever been plausible
  bool covered = false;  ///< another domain counts for the time now
  Stamp spoke_at;        ///< when it was plausible last
  Energy reset_doubt;    ///< counted after resets, which may have been steps back

  explicit Track(const Domain& domain);
  void take(const Reading& reading);
  void restore(const ChannelState& last);
  /// Another domain has counted the time until `at`: nothing of it is missing here.
  void cover(const Stamp& at);
  /// Takes back up to `energy` of the last step: another domain has counted it. -> what was taken
  Energy deduct(Energy energy);

 private:
  void settle(const Step& step, const Reading& reading);
  void show(const Counter& counter);

  bool zero_is_silence_ = false;
};

/// Why a track that is not plausible is not; for people.
std::string silence_in_words(const Domain& domain, const Track& track);

/// The model in place of sensors that say nothing.
struct StandInState {
  ChannelState shown;                ///< its channel as snapshots have it
  Energy seen, seen_low, seen_high;  ///< of its track, up to the last sample
  Energy spell;                      ///< counted since the sensors fell silent, not confirmed
  Stamp since;                       ///< when they did
  bool active = false;               ///< it counts now
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
  /// What the stand-in has counted, and for how much of the silence that goes on.
  StandInState stand_in;
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
  std::vector<Note> resolution_notes;  ///< of the resolution in force
  Clock& clock;
  Boundary boundary = Boundary::Chip;
  Origin origin = Origin::Measured;
  Duration longest_interval;
  /// Readings are of another time than now: a recording or a simulation. Samples are then of the
  /// time of their latest reading.
  bool foreign_clock = false;
  std::optional<MachineMeter> machine;
  std::vector<Reading> readings;
  std::vector<DeviceUse> device_use;    ///< last answer
  std::int64_t device_use_ns;           ///< when, CLOCK_MONOTONIC
  std::vector<std::size_t> watched;     ///< counted channels that see the processors
  std::optional<std::size_t> stand_in;  ///< the channel that counts where they are silent
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
  void settle_roles();
  void find_total();
  void watch();
  bool any_spoke() const;
  void stand(MeterState& next, const Stamp& before) const;
  void widen_silent(MeterState& next, Duration passed) const;
  void start_keeper(ProcessKeeper& mine);
  Duration keeper_interval() const;
};

/// Whether a channel is that of the processors: boards and memory alone do not see them.
bool sees_processors(const Domain& domain) noexcept;
/// The stand-in's part of an interval: what it counted, or, where no sensor of the processors moved
/// at all, what it would have.
struct Standing {
  std::size_t channel = 0;
  Energy value, low, high;
  bool confirmed = false;  ///< all of it: a counter showed it later
};
std::optional<Standing> standing(const std::vector<Channel>& channels, const Snapshot& a,
                                 const Snapshot& b);
/// Rails of unknown scope may contain one another: what their sum may be too much, or too little.
struct RailDoubt {
  Energy down;  ///< of those counted, all but the largest
  Energy up;    ///< of those beside one that may contain them
};
RailDoubt rail_doubt(const std::vector<Channel>& channels,
                     const std::vector<Estimate<Energy>>& energies);
/// Energy of one channel between two of its states, at the channel's own boundary.
Estimate<Energy> channel_energy(const Domain& domain, const ChannelState& a, const Stamp& at_a,
                                const ChannelState& b, const Stamp& at_b);
/// Time of which a channel tells nothing up to `at`.
Duration unobserved_until(const ChannelState& state, const Stamp& at) noexcept;

}  // namespace carnot::meter
