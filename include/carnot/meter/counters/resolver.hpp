// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which domains add up to the machine: each joule once, over any topology.
///
/// Domains overlap: psys contains packages, packages contain cores, the mmio interface repeats the
/// MSR one, a kernel shows one package as several dies' mirrors, perf and powercap read the same
/// registers, a GH200 module contains CPU and GPU. The resolver gives every domain one role:
///
///     Counted    in the sum
///     Part       inside a counted domain; shown beneath it
///     Beside     contains counted domains or overlaps them in a way nobody documents (psys, node
///                meters, batteries); shown beside, never added
///     Duplicate  the same register seen again
///     StandIn    the power model: counted for the time in which no counted domain that sees the
///                processors says anything, and only then
///
/// by rules of name and topology first, then by behaviour: two counters of the same kind whose
/// deltas are equal in every one of several readings (`observe`) are one. The sum is at the chip
/// boundary (packages + DRAM + accelerators) where a package counter exists, else at the node's,
/// else what rails there are, else the model. Accelerators alone do not see the processors: the
/// model is added to them. Silent domains are passed over. Of several interfaces to one register
/// the order is perf, powercap, MSR, hwmon (perf needs no unwrapping; MSR costs privileges).
///
/// Pure functions of their arguments; one thread at a time.

#include <span>
#include <string>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

enum class Role { Counted, Part, Beside, Duplicate, StandIn };
std::string_view name(Role role) noexcept;

struct Resolution {
  struct Entry {
    Role role = Role::Counted;
    std::string of;      ///< id of the domain it is part or duplicate of; empty: none
    std::string reason;  ///< in words: "dram is not inside package (Intel SDM 15.10.1)"
  };
  std::vector<Entry> entries;          ///< one per domain, same order
  Boundary boundary = Boundary::Chip;  ///< of the counted sum
  Origin origin = Origin::Measured;    ///< worst of the counted domains
  std::vector<Note> notes;             ///< what had to be guessed
};

/// By names and topology alone.
Resolution resolve(std::span<const Domain> domains);

/// Refines a resolution by behaviour.
/// \param deltas  [reading][domain] joules between consecutive readings, NaN where not read; two
///                counted domains of one kind that agree in all of >= 3 readings with at least 2
///                different nonzero deltas are mirrors: the later becomes a Duplicate
Resolution observe(std::span<const Domain> domains, const Resolution& resolution,
                   std::span<const std::vector<double>> deltas);

}  // namespace carnot::meter
