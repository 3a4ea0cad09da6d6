// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The loop's other half: a world can be observed and acted on. One policy, one world, one lane:
///
///     while (!world.over()) world.act(policy.decide(world.observe()));
///
/// Start here; simulated_world.hpp is the world of scenarios. Everything that happens is handed to
/// the entry sink (the ledger). A world belongs to one thread.

#include <cstdint>
#include <functional>
#include <vector>

#include "carnot/control/training/policy.hpp"
#include "carnot/ledger/entry/entry.hpp"

namespace carnot::train {

using EntrySink = std::function<void(const ledger::Entry&)>;

class World {
 public:
  virtual ~World() = default;
  /// Nothing is left to decide: the job ended or the deadline passed.
  virtual bool over() const = 0;
  /// What a policy may know now. Valid until the next call of `act`.
  virtual control::Observation observe() = 0;
  /// Carries out a decision until the slot ends, `max_steps` are done or the job ends.
  virtual void act(const control::Decision& decision) = 0;
};

}  // namespace carnot::train
