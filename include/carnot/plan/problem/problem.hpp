// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The contract problem carnot.problem/1: jobs in modes over sites with own power, a grid and a
/// price, in slots of equal length. Start here; then planner.hpp (solves), certificate.hpp
/// (checks), job_terms.hpp, site_terms.hpp, goals.hpp and workflow.hpp (what may be asked for
/// beyond it).
///
/// A job is dropped (cost `value`) or picks one allowed site and one of its modes and runs in
/// exactly k slots of [release, deadline), not necessarily consecutive, drawing p in each.
/// In slot t at site s with IT power L: L <= capacity; facility power pue x L is met by own power
/// (0 ... free, costs nothing) and grid power (0 ... limit) at
///
///     c = price + carbon_price x carbon          EUR per kWh at the facility, may be negative
///
/// whichever is cheaper. Minimised: grid cost + quality + moves + dropped values.
///
/// Jobs are columns, not records: a million jobs with three modes take about 120 MB. Values;
/// thread-safe to read.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/goals.hpp"
#include "carnot/plan/problem/job_terms.hpp"
#include "carnot/plan/problem/site_terms.hpp"
#include "carnot/plan/problem/workflow.hpp"

namespace carnot::plan {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// A site (site/site.hpp) as columns: its series, each of `Problem::slots` values, in kW at the
/// facility's bus where nothing else is said. `free_kw` is what computing may take of own power.
struct PlanSite {
  std::string name;
  std::vector<double> capacity_kw, pue, free_kw, price_eur_per_kwh, carbon_g_per_kwh;
  std::vector<double> grid_limit_kw;  ///< infinite: no limit
  /// Degrees north and east, both or neither: for maps alone.
  double latitude = kNaN;
  double longitude = kNaN;
};

/// Way to do one job: a mode (site/mode.hpp) at full throttle, by how long it takes and draws.
struct PlanMode {
  std::int32_t slots = 0;  ///< k >= 1
  double power_kw = 0;     ///< p >= 0, IT
  double quality_eur = 0;  ///< any sign
};

/// Jobs 0 ... size() - 1.
class PlanJobs {
 public:
  std::size_t size() const noexcept { return release_.size(); }
  std::string_view id(std::size_t j) const noexcept {
    return std::string_view(ids_).substr(id_start_[j], id_start_[j + 1] - id_start_[j]);
  }
  std::int32_t release(std::size_t j) const noexcept { return release_[j]; }
  std::int32_t deadline(std::size_t j) const noexcept { return deadline_[j]; }
  double value(std::size_t j) const noexcept { return value_[j]; }
  std::size_t mode_begin(std::size_t j) const noexcept { return mode_start_[j]; }
  std::size_t mode_end(std::size_t j) const noexcept { return mode_start_[j + 1]; }
  const PlanMode& mode(std::size_t i) const noexcept { return modes_[i]; }
  /// Allowed sites, ascending; nullptr: all.
  const std::vector<std::uint32_t>* sites(std::size_t j) const noexcept {
    return site_set_[j] == kNone ? nullptr : &site_sets_[site_set_[j]];
  }
  /// Cost of running at `site`: a job's own row of costs, or `move_flat` everywhere but `origin`.
  double move_eur(std::size_t j, std::uint32_t site) const noexcept {
    if (move_row_[j] != kNone) return move_rows_[move_row_[j]][site];
    return site == origin_[j] ? 0.0 : move_flat_[j];
  }
  std::uint32_t origin(std::size_t j) const noexcept { return origin_[j]; }  ///< kNone: none
  double move_flat(std::size_t j) const noexcept { return move_flat_[j]; }
  /// Costs per site; nullptr: flat.
  const std::vector<double>* move_row(std::size_t j) const noexcept {
    return move_row_[j] == kNone ? nullptr : &move_rows_[move_row_[j]];
  }

  /// Appends a job. Sets of sites and rows of costs seen before are stored once.
  void add(std::string_view id, std::int32_t release, std::int32_t deadline, double value,
           const std::vector<PlanMode>& modes, std::uint32_t origin, double move_flat,
           const std::vector<std::uint32_t>& sites, const std::vector<double>& move_row = {});
  void reserve(std::size_t jobs, std::size_t modes);
  /// Makes a job's window begin later.
  void narrow(std::size_t j, std::int32_t release) noexcept { release_[j] = release; }

 private:
  std::string ids_;
  std::vector<std::uint64_t> id_start_{0};
  std::vector<std::int32_t> release_, deadline_;
  std::vector<double> value_, move_flat_;
  std::vector<std::uint32_t> origin_, site_set_, move_row_;
  std::vector<std::uint64_t> mode_start_{0};
  std::vector<PlanMode> modes_;
  std::vector<std::vector<std::uint32_t>> site_sets_;
  std::vector<std::vector<double>> move_rows_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> known_sets_;
  std::map<std::vector<double>, std::uint32_t> known_rows_;
};

struct Problem {
  double slot_s = 3600;
  std::int32_t slots = 0;
  double carbon_price_eur_per_t = 0;
  std::vector<PlanSite> sites;
  PlanJobs jobs;
  std::map<std::uint32_t, JobTerms> terms;  ///< by job: beyond the contract, few or none
  PlanNetwork network;                      ///< for jobs with data
  std::vector<SiteTerms> site_terms;        ///< [site], or empty: none has any
  PlanReserve reserve;
  PlanGoals goals;
  PlanWorkflow workflow;  ///< jobs that wait for others, arrays, nodes

  /// Asks for anything beyond the contract.
  bool extended() const noexcept {
    return !terms.empty() || !site_terms.empty() || goals.any() || workflow.any();
  }
  /// nullptr: a job of the contract.
  const JobTerms* terms_of(std::size_t j) const {
    const auto at = terms.find(static_cast<std::uint32_t>(j));
    return at == terms.end() ? nullptr : &at->second;
  }
  double slot_h() const noexcept { return slot_s / 3600.0; }
  /// c of the header, EUR per kWh at the facility.
  double grid_cost(std::size_t s, std::size_t t) const noexcept {
    return sites[s].price_eur_per_kwh[t] +
           1e-6 * carbon_price_eur_per_t * sites[s].carbon_g_per_kwh[t];
  }
};

/// Reads problem.json; a `jobs` that is text names a CSV beside it (docs/formats/plan.md).
/// Everything wrong is collected (the first 50) as `file:line: field: what is allowed`: NaN and
/// infinite numbers, a window shorter than the work, zero capacity, an unknown site, a duplicate
/// id, ragged arrays. \throws InputError, InputFileError; Stopped
Problem read_problem(const std::string& path, const StopToken& stop = {});

/// Writes problem.json and jobs.csv into `folder` (made if missing). \throws IoError; Stopped
/// before anything is written
void write_problem(const Problem& problem, const std::string& folder, const StopToken& stop = {});

/// A random problem over synthetic weather, the same for the same numbers.
struct GenerateOptions {
  std::int64_t jobs = 1000, sites = 10, slots = 168, modes = 3;
  std::uint64_t seed = 1;
  double load = 0.6;  ///< energy of all jobs in their first modes over what all sites could give;
                      ///< less where jobs are few: none draws over a tenth of the smallest hall
  std::string data_dir;  ///< real hourly series (price_usd_per_mwh.csv, ...); empty: synthetic
};
/// \throws InputError naming the number out of range; InputFileError; Stopped
Problem generate_problem(const GenerateOptions& options, const StopToken& stop = {});

}  // namespace carnot::plan
