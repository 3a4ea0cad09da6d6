// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Wall power of a server without sensors: a model with an interval that widens honestly as facts
/// about the host go missing.
///
/// Log power at eleven loads (idle, 10 ... 100 %) is a Gaussian process of a server's facts (TDP,
/// chips, cores, threads, memory, year, vendor), fitted to published SPECpower_ssj2008 results by
/// tools/fit_power_model and compiled in from data/power_model.csv; docs/power-model.md has the
/// formulas. Between loads log power is interpolated; at unknown utilisation all loads are equally
/// likely. Facts that are missing are taken from the servers that are alike in the facts that are
/// known, each by its likelihood, so the band grows by what they would have told. Bands cover 90 %
/// of servers of CPU models never seen (grouped cross-validation), calibrated for every set of
/// known facts, and widen with the distance from all servers seen. Published results are tuned
/// machines: real idle power lies rather above (stated, not corrected).
///
/// A guest sees part of a host: its share is vcpus / host threads of the host's power, of static
/// and dynamic alike, within a factor of 1.5 (assumed); where the host is unknown its size is
/// integrated out.
///
/// Pure, thread-safe. Source: SPEC, SPECpower_ssj2008 published results, 2005-2022.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/estimate.hpp"
#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// What is known about a server; empty: not known.
struct HostFacts {
  std::optional<double> tdp_w;                  ///< per chip
  std::optional<double> chips, cores, threads;  ///< whole server
  std::optional<double> memory_gb;
  std::optional<double> year;        ///< hardware available
  std::string vendor;                ///< "Intel", "AMD", other, or empty
  std::optional<double> vcpus;       ///< set in a guest: CPUs we see, of a host described above
  std::vector<std::string> sources;  ///< where each fact is from, in words
};

/// Wall power of the whole server (of the guest's share if `vcpus`) at `utilisation` in [0, 1]
/// (empty: unknown, integrated over). Origin Modelled, boundary Node, cause "power-model".
/// \throws InputError naming a fact out of its range
Estimate<Power> estimate_wall_power(const HostFacts& facts, std::optional<double> utilisation);

/// What this machine says about itself: /proc/cpuinfo (maker, family and model, hence the year they
/// came out), /proc/meminfo, /sys topology, RAPL's thermal power (TDP); in a guest (hypervisor bit)
/// what it can know of its host, which is maker, year and how many CPUs it sees. Never throws for
/// what cannot be read: that is not known.
HostFacts read_host_facts(const std::string& sysfs_root = "/sys",
                          const std::string& procfs_root = "/proc");

/// A source with one gauge, `Model`: wall power of this machine (or guest) at the utilisation seen
/// in /proc/stat since its last poll. Its facts are fixed when made.
std::unique_ptr<Source> open_model(const HostFacts& facts, const std::string& procfs_root,
                                   Clock& clock = Clock::machine());

/// The table form of `carnot measure --estimate`. Columns in any order, each at most once, any cell
/// may be empty: tdp_w, chips, cores, threads, memory_gb, year, vendor, utilisation, and host, name
/// or id, which are only repeated. Output: the same columns and power_w, low_w, high_w.
/// \throws InputError listing every bad cell as file:line: column: what is allowed
std::string estimate_csv(const std::string& text, const std::string& file_name);

/// Ranges for what no sensor sees, 90 %. Wall power of a node contains its memory and disks: never
/// add these to it. \throws InputError for amounts that are negative or not finite
Estimate<Power> memory_power(double gigabytes);  ///< 0.05 ... 0.39 W/GB, sources differ 8x
Estimate<Energy> disk_energy(double bytes);      ///< moved to or from storage
Estimate<Energy> network_energy(double bytes);   ///< moved over the network

}  // namespace carnot::meter
