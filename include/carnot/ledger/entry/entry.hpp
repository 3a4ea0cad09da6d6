// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the ledger holds: typed, append-only entries of joules, grams, money, operations and bits.
/// Every report is a function of the entries alone.
///
/// One run file holds one scenario and one or more policies ("lanes"), each a sequence
///     RunBegin  (LaneBegin  (Slot | Checkpoint | Evaluation)*  LaneEnd)*  RunEnd
/// A checkpoint carries opaque bytes from which its lane goes on exactly; entries of a lane after
/// its last checkpoint are superseded when the run is resumed (the journal is cut there). A file
/// holds a run or a measurement (ledger/entry/measurement_entry.hpp), never both.
///
/// Invariant per slot (checked when appended and when loaded): the two identities of `SlotEntry`
/// hold to `kBalanceTolerance`. Everything here is a value; functions are pure and thread-safe.

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/ledger/entry/measurement_entry.hpp"

namespace carnot::ledger {

struct RunBegin {
  std::string carnot_version;
  std::string command;
  std::string scenario_name;
  std::string scenario_text;  ///< the file's bytes
  std::uint64_t seed = 0;
  Instant started;         ///< wall clock
  std::string facts_json;  ///< what the report needs beside the slots: modes, scaling, sources
  bool operator==(const RunBegin&) const = default;
};

struct LaneBegin {
  std::string policy;
  bool operator==(const LaneBegin&) const = default;
};

/// One time step of one lane: energies over the step at the facility's bus.
///   total = exported + own_used + charged + curtailed
///   own_used + discharged + grid = facility
struct SlotEntry {
  Instant start;
  Duration length;
  Energy total, exported, own_used, charged, discharged, grid, curtailed, facility;
  Energy battery_charge;  ///< after the step
  Energy battery_loss;
  Carbon carbon;     ///< of the grid energy
  Money cost;        ///< objective's share of this slot
  std::string mode;  ///< "" while paused
  double throttle = 0.0;
  std::uint64_t steps = 0;  ///< training steps done, cumulative
  Operations operations;    ///< counted in this slot, all kinds, unscaled
  Information bytes_moved;  ///< counted in this slot, unscaled
  double loss = 0.0;        ///< smoothed training loss, bits per label; NaN before the first step
  double noise_share =
      0.0;  ///< quantisation over gradient noise variance, last measured; NaN: none
  bool cap_violation = false;
  bool operator==(const SlotEntry&) const = default;
};

struct Evaluation {
  Instant at;
  std::uint64_t steps = 0;
  std::string metric;  ///< "accuracy" or "r2"
  double value = 0.0, low = 0.0, high = 0.0;
  bool certified = false;
  bool operator==(const Evaluation&) const = default;
};

struct Checkpoint {
  std::uint64_t steps = 0;
  std::vector<std::uint8_t> state;
  bool operator==(const Checkpoint&) const = default;
};

struct LaneEnd {
  std::string policy;
  std::string outcome;      ///< "target-reached" | "deadline-missed" | "infeasible" | "diverged"
  std::string stopped;      ///< why, in words
  std::string result_json;  ///< the lane's row of carnot.run/1
  bool operator==(const LaneEnd&) const = default;
};

struct RunEnd {
  std::string result_json;  ///< what carnot.run/1 says beside the lanes: best, bound
  bool operator==(const RunEnd&) const = default;
};

/// The order of the kinds is part of the journal's format: new ones go to the end.
using Entry = std::variant<RunBegin, LaneBegin, SlotEntry, Evaluation, Checkpoint, LaneEnd, RunEnd,
                           MeasurementBegin, MeasurementSample, MeasurementProcess, MeasurementGap,
                           MeasurementWindow, MeasurementEnd>;

/// How far a slot's identities may be off, relative to the slot's largest energy: room for the
/// rounding of a few dozen additions, none for a lost joule in a gigajoule.
inline constexpr double kBalanceTolerance = 1e-9;

/// The worse of the two identities' residuals, relative to the largest energy that enters either;
/// 0 for a slot of zeros, infinite where an energy is not finite.
double balance_residual(const SlotEntry& slot) noexcept;

inline constexpr std::size_t kMaxText = std::size_t{16} << 20;  ///< bytes of any one text
inline constexpr std::size_t kMaxState = std::size_t{1} << 30;  ///< bytes of a checkpoint's state
inline constexpr std::size_t kMaxChannels = 4096;               ///< of one measurement
inline constexpr std::size_t kMaxChannelText = 4096;  ///< bytes of any one text of a channel

/// Binary form, little-endian, versioned by a leading tag byte. One entry has one encoding (every
/// NaN becomes the same quiet NaN), so decode(encode(e)) is e and encode(decode(b)) is b.
/// Format: docs/formats/journal.md. \throws InputError naming a text, state or list over its limit
std::vector<std::uint8_t> encode(const Entry& entry);
/// \throws InputError on any byte string that is no entry (fuzzed)
Entry decode(const std::uint8_t* data, std::size_t size);

}  // namespace carnot::ledger
