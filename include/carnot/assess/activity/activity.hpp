// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One graph of activities out of many files: each machine's each moment is counted once, by the
/// best evidence there is.
///
/// For a machine, time is cut where any claim begins or ends. In each piece, in order of trust,
/// a claim gets what of the machine no better claim has taken:
///
///     taken_k = min(share_k, 1 - taken by better kinds)          share: accelerators, else
///     processors joules += taken_k / share_k x joules_k                      kinds that state
///     joules joules += (machines there are - taken) x model              bills and server lists
///
/// A meter of the whole machine takes all of it. Claims of one kind by two files do not add where
/// they are of one thing (an accelerator, an hour paid for). A row all of whose time is taken by
/// better evidence is a duplicate. Money never enters.
///
/// Runs whose file does not name a machine are laid on the machine that fits in time, place and
/// accelerators, if there is one. What might be one thing or two is listed with its size.
///
/// Pure but for the evidence, whose row outcomes are filled in.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "carnot/assess/evidence/evidence.hpp"
#include "carnot/base/estimate.hpp"

namespace carnot::assess {

enum class ActivityGroup : std::uint8_t {
  Accelerators,
  Machines,
  Serverless,
  Storage,
  Network,
  Models
};
std::string_view name(ActivityGroup group) noexcept;  ///< "accelerated machines", "machines" ...

/// What of one kind was done at one place.
struct Activity {
  std::string what;  ///< "p4d.24xlarge", "solid state storage", "output tokens of gpt-4o" ...
  ActivityGroup group = ActivityGroup::Machines;
  std::string provider;       ///< "own" or a cloud's
  std::string region, place;  ///< as stated; code of the grid, empty: not known
  bool cloud = false;
  double pue = 0;       ///< stated; 0: not
  double machines = 0;  ///< different ones met
  double machine_hours = 0, accelerator_hours = 0;
  double vcpus = 0, accelerators = 0, accelerator_w = 0;  ///< of one machine
  double amount = 0;                                      ///< of services
  std::string unit;
  std::array<double, kEvidenceKinds> joules{};  ///< by best evidence, values
  Estimate<Energy> energy;                      ///< boundary node
  std::map<std::string, double> money;          ///< by currency, of rows counted here
  std::vector<std::string> files;
  std::uint32_t first = 0xffffffffu, last = 0;
  /// Machine-hours that a model alone stands for: what a meter would replace.
  double modelled_hours = 0;
};

/// Two pieces of evidence that may speak of one thing.
struct Overlap {
  std::string one, other, why;
  double joules = 0;  ///< that would be counted twice, or that are missing, if the choice is wrong
  bool counted_twice = false;  ///< the figure holds both; else one
};

struct ActivityGraph {
  std::vector<Activity> activities;  ///< most joules first
  std::vector<Overlap> overlaps;
  double unknown_hours = 0;  ///< of machines that are not in the catalogue
  Estimate<Energy> unknown;  ///< their range; in no total
  std::uint32_t first = 0xffffffffu, last = 0;
  std::vector<std::string> remarks;
};

/// \param location  for what has no place of its own; empty: the world
ActivityGraph merge(Evidence& evidence, const std::string& location);

}  // namespace carnot::assess
