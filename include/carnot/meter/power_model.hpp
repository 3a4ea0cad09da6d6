// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Wall power of a server without sensors: a model with an interval that widens honestly as facts
/// about the host go missing.
///
/// log power at eleven loads (idle, 10 ... 100 %) and log features of a server (TDP, chips, cores,
/// threads, memory, year, vendor) are fitted as one multivariate normal distribution to published
/// SPECpower_ssj2008 results (tools/fit_power_model, coefficients in data/power_model.csv). The
/// estimate is its conditional mean given the features known and, between loads, interpolated in
/// log power; missing features are integrated out, so the band grows by what they would have told.
/// Bands are scaled to cover 90 % of servers of CPU models never seen (grouped cross-validation),
/// separately by what is known. Published results are tuned machines: real idle power lies rather
/// above (stated, not corrected).
///
/// A guest sees part of a host: its share is vcpus / host threads of the host's power, of static
/// and dynamic alike; where the host is unknown its size is integrated out.
///
/// Pure, thread-safe. Source: SPEC, SPECpower_ssj2008 published results, 2004-2022.

#include <optional>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/estimate.hpp"
#include "carnot/meter/source.hpp"

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

/// What this machine says about itself: cpuid, DMI, /proc/meminfo, sysfs topology; in a guest
/// (hypervisor bit) what the guest can know of its host, which is little.
HostFacts read_host_facts(const std::string& sysfs_root = "/sys",
                          const std::string& procfs_root = "/proc");

/// A source with one gauge, `Model`: wall power of this machine (or guest) at the utilisation seen
/// in /proc/stat since its last poll. Its facts are fixed when made.
std::unique_ptr<Source> open_model(const HostFacts& facts, const std::string& procfs_root);

/// The table form of `carnot measure --estimate`: input columns of docs/formats/measure.md in any
/// order, any cell may be empty; output repeats them and adds power_w, low_w, high_w.
/// \throws InputError listing every bad cell as file:line: column: what is allowed
std::string estimate_csv(const std::string& text, const std::string& file_name);

/// Ranges for what no sensor sees, 90 %, modelled:
Estimate<Power> memory_power(double gigabytes);  ///< 0.05 ... 0.39 W/GB, sources differ 8x
Estimate<Energy> disk_energy(double bytes);      ///< moved to or from storage
Estimate<Energy> network_energy(double bytes);   ///< moved over the network

}  // namespace carnot::meter
