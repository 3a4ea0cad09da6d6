// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A lane's world: it tells a policy (control/policy.hpp) what happens and carries out what it
/// commands, until nothing is left to decide. One policy, one world, one lane:
///
///     while (world.step(policy)) {}
///
/// Start here; training_world.hpp is the world of scenarios. A lane needs no more of a world than
/// this. Everything that happens is handed to the entry sink (the ledger). A world belongs to one
/// thread.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/ledger/entry/entry.hpp"

namespace carnot::train {

using EntrySink = std::function<void(const ledger::Entry&)>;

/// How a lane ended.
struct LaneOutcome {
  bool schedule_done = false;
  bool deadline_passed = false;  ///< before the job had ended
  bool certified = false;
  bool evaluated = false;
  learn::Counters instrument;  ///< of evaluations made for reports alone, part of no joule
  learn::Quality quality;
  learn::CertificateResult certificate;
  Energy owed;          ///< of the hall, dynamic: work done that was not paid for; none, but for
                        ///< rounding, as work waits until it is paid
  Energy unused;        ///< drawn towards work that did not come about: void
  Time duration;        ///< from the start to the end of the job, or to the deadline
  std::string stopped;  ///< in words
};

/// How far a lane has come.
struct LaneProgress {
  Instant now;
  std::uint64_t steps_done = 0;
  double share_done = 0.0;  ///< of the schedule
  Energy energy, own;       ///< facility energy so far, and the part from own power
  Power own_power;          ///< total of the last segment
  double throttle = 0.0;
  std::string mode;  ///< "" while paused
};

class LaneWorld {
 public:
  virtual ~LaneWorld() = default;
  /// Nothing is left to decide: the job ended or the deadline passed.
  virtual bool over() const = 0;
  virtual Instant now() const = 0;
  /// Tells the policy what happened, then carries out what it commands until the next event: the
  /// slot ends, the decision's steps are done or the job ends. False once it is over.
  virtual bool step(control::Policy& policy) = 0;
  virtual LaneProgress progress() const = 0;
  virtual LaneOutcome outcome() const = 0;

  /// Everything to go on exactly (policy state is the caller's).
  virtual std::vector<std::uint8_t> save() const = 0;
  /// \throws InputError if the bytes are no state of this world
  virtual void restore(const std::vector<std::uint8_t>& state) = 0;
};

}  // namespace carnot::train
