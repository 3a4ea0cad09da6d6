// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a measurement says: the in-memory form of carnot.measure/1, built from ledger entries
/// alone, so that `carnot report FILE` rebuilds it and a file cut short gives a shorter measurement
/// that says so. Splits (static and dynamic, job and others, processes) are made step by step, as
/// attributor.hpp says; rows sum to the machine's energy. Texts are as recorded: who shows them
/// makes them harmless.
///
/// `MeasurementBegin::facts_json` may say, besides whatever else a writer notes:
///     {"accounting": {"location", "pue", "carbon_g_per_kwh", "carbon_trace", "price_eur_per_kwh",
///                     "machine", "machine_share", "functional_units", "functional_unit"},
///      "notes": [{"what", "why", "remedy"}, ...], "reasons": {DOMAIN: "why it is (not) counted"}}
/// Values; thread-safe to read.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace carnot::measure {

struct MeasuredDomain {
  std::string id, label, kind, role, source, reason;
  Estimate<Energy> energy;
};

struct MeasuredProcess {
  int pid = 0;  ///< 0: a row that is no process
  /// "idle machine", "other processes", "ended unseen" (no look at the processes showed who used
  /// that CPU time), "job, waiting" (none of its processes ran), "accelerators, not the job's" and
  /// "unattributed" (always there, the last) have pid 0.
  std::string name;
  double cpu_s = 0;
  Energy energy;
};

struct MeasuredGap {
  double from_s = 0, to_s = 0;
  std::string channel, why;
};

struct MeasuredWindow {
  std::string label;
  double from_s = 0, to_s = 0;
  Estimate<Energy> machine_energy;
  Energy job_energy;
};

/// Drawn against time, one point an interval.
struct MeasuredSeries {
  std::vector<double> at_s, length_s;  ///< start and length of each interval
  std::vector<double> machine_w, static_w, job_w, busy_share, job_cpus, frequency_hz;
  std::vector<std::vector<double>> by_domain_w;  ///< [domain][interval], counted domains first
};

struct Measurement {
  std::string carnot_version, command, job, job_method, static_policy, started;
  bool complete = false;  ///< has its end; else cut short
  std::string outcome;    ///< "finished" | "failed" | "killed" | "detached" | "unfinished"
  int exit_code = 0;
  double duration_s = 0;  ///< first to last sample, suspends included
  double cpu_s = 0, meter_cpu_s = 0;
  Estimate<Energy> energy;               ///< the job's; the machine's if there is no job
  Estimate<Power> power;                 ///< energy / duration; zero if nothing lasted
  Estimate<Power> facility_power;        ///< the same of the facility's energy
  Estimate<Energy> machine_energy;       ///< everything measured
  Energy static_energy, dynamic_energy;  ///< of the machine; sum to its value
  Estimate<Power> static_power;
  std::vector<MeasuredDomain> domains;
  std::vector<MeasuredProcess> processes;  ///< sum to machine_energy's value
  std::vector<MeasuredGap> gaps;
  std::vector<MeasuredWindow> windows;
  std::uint64_t peak_rss_b = 0, disk_read_b = 0, disk_write_b = 0, net_b = 0, samples = 0;
  model::Account account;  ///< carbon, cost, facility, embodied, SCI of the job's energy
  std::vector<std::pair<std::string, std::string>> notes;  ///< reason; remedy, empty: none
  MeasuredSeries series;
};

/// Accounting options as a measurement's facts carry them, and back. What was not given is left
/// out. \throws InputError for facts of another form
std::string account_facts(const model::AccountOptions& options);
model::AccountOptions recorded_account_options(const std::vector<ledger::Entry>& entries);

/// \throws InputError if the entries are no measurement, if they say what cannot be, or for the
///         options
Measurement summarise_measurement(const std::vector<ledger::Entry>& entries,
                                  const model::AccountOptions& options);

}  // namespace carnot::measure
