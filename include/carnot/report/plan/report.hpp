// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a plan says to people: where jobs go, what each site does with its own power, what the
/// bound proves, what simple rules would have cost on the same problem, and what a kWh of IT work
/// costs at each site. Built from the problem and the plan alone; the figures are recomputed here
/// and agree with `plan::certify`. Energies and carbon are modelled, at the facility; IT energies
/// are inside the halls. Pure functions; thread-safe.
///
/// Levelised cost of information work, the sibling of the levelised cost of energy: all that a
/// site pays for in the horizon over the IT energy of the work done there,
///
///     (energy + carbon price + moves, quality and delay + own power x its cost + servers x share)
///     / kWh share = horizon / year x r / (1 - (1 + r)^-n)          r: rate, n: lifetime in years
///
/// and its carbon likewise: (grid energy x intensity + embodied x horizon / lifetime) / kWh.
/// Servers are counted by the site's greatest IT capacity. What is not given is left out, and said
/// so.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/problem/plan_file.hpp"
#include "carnot/plan/study/dispatch_rules.hpp"

namespace carnot::report {

/// A number with its ends at 90 %, low <= value <= high.
struct AssumedRange {
  double value = 0, low = 0, high = 0;
};

/// What the problem does not say, assumed by whoever asks. Empty: left out.
struct WorkAssumptions {
  std::optional<AssumedRange> server_eur_per_kw;  ///< of IT power: to buy and install
  std::optional<AssumedRange> server_kg_per_kw;   ///< CO2e of making them
  std::optional<AssumedRange> own_eur_per_kwh;    ///< what own power is worth; without: nothing
  std::optional<AssumedRange> work_per_kwh;       ///< `work_unit`s done with a kWh of IT energy
  std::string work_unit = "unit";                 ///< such as "EFLOP"
  double lifetime_years = 5;                      ///< of servers, above 0
  double rate = 0.05;                             ///< real, a year, at least 0
};

/// Levelised figures of one site or of all.
struct LevelisedWork {
  Estimate<EnergyPrice> energy;    ///< grid at its price, own at its cost
  Estimate<EnergyPrice> carbon;    ///< the carbon price
  Estimate<EnergyPrice> handling;  ///< moves, losses of quality, restarts, lateness
  Estimate<EnergyPrice> servers;
  Estimate<EnergyPrice> total;
  Estimate<CarbonIntensity> operational, embodied, carbon_total;
  Estimate<double> eur_per_job, g_per_job;
  std::optional<Estimate<double>> eur_per_work, g_per_work;  ///< of a `work_unit`
};

/// One site's power over time, kW by slot.
struct PlanSeries {
  std::vector<double> it_kw, own_kw, grid_kw, exported_kw,
      curtailed_kw;                          ///< curtailed: own power left
  std::vector<std::vector<double>> mode_kw;  ///< [mode][slot] of IT power
};

struct PlanSiteReport {
  std::string name;
  double latitude = 0, longitude = 0;  ///< degrees; NaN: not stated
  std::size_t jobs = 0;                ///< that begin here
  std::size_t arrivals = 0;            ///< of them from another site
  Energy it;                           ///< inside the hall
  Energy capacity;                     ///< what the hall could do, IT
  Energy own, grid;                    ///< used, facility; with a battery, to charge it, too
  Energy available;                    ///< own power there is
  Energy exported, curtailed;          ///< what is not used of it: sold; taken by nobody
  Money grid_money, carbon_money;      ///< grid energy at its price; at the carbon price
  Money move_money, quality_money;     ///< of the jobs that begin here
  Money delay_money;                   ///< of their restarts and lateness
  Money site_money;  ///< batteries, export, demand charges, reserve: of all sites together alone
  Carbon carbon;
  Power greatest_capacity;  ///< IT
  std::optional<LevelisedWork> levelised;
  PlanSeries series;
  Energy facility() const noexcept { return own + grid; }
  Money handling() const noexcept { return move_money + quality_money + delay_money + site_money; }
  Money money() const noexcept { return grid_money + carbon_money + handling(); }
};

/// Jobs that run elsewhere than where they come from.
struct PlanMove {
  std::size_t from = 0, to = 0, jobs = 0;
  Energy it;
};

/// A rule's plan of the same problem.
struct PlanRival {
  std::string name;
  std::string left_out;     ///< why there are no figures; empty: there are
  plan::PlanTotals totals;  ///< its bound is the plan's
  bool computed() const noexcept { return left_out.empty(); }
};

struct PlanReport {
  std::string path;                                      ///< of the plan, as given
  std::string carnot_version, command, started, solver;  ///< as the plan says
  double seconds = 0;                                    ///< of planning
  plan::PlanFile file;
  plan::Certificate certificate;
  std::vector<PlanSiteReport> sites;
  PlanSiteReport all;  ///< sums; no series; levelised over all
  Money dropped_money;
  std::vector<PlanMove> moves;  ///< greatest first
  std::vector<Energy> work;     ///< [job] IT energy
  std::size_t origins = 0;      ///< jobs whose origin is known
  std::vector<PlanRival> rivals;
  WorkAssumptions assumptions;
  std::size_t modes = 0;  ///< greatest number of modes that a job has

  /// Cheapest rule that was computed; nullptr: none.
  const PlanRival* best_rival() const;
};

/// True if the text of a JSON document begins like a carnot.plan/1.
bool is_plan(const std::string& text);

/// Reads the plan and its problem, checks them and makes the report.
/// \param problem_path  empty: the one the plan names
/// \param most_steps    rules that need more (plan::rule_steps) are left out
/// \throws InputError, InputFileError; InputError for assumptions out of range
PlanReport report_plan(const std::string& plan_path, const std::string& problem_path = {},
                       const WorkAssumptions& assumptions = {}, double most_steps = 2e9);

/// Of files that have been read.
PlanReport report_plan(plan::PlanFile file, const WorkAssumptions& assumptions,
                       double most_steps = 2e9);

std::string plan_terminal(const PlanReport& report, int width, bool color);
std::string plan_html(const PlanReport& report);
/// The document carnot.plan-report/1 of docs/formats/plan-report.md.
std::string plan_report_json(const PlanReport& report, const std::string& command,
                             const std::string& started);

}  // namespace carnot::report
