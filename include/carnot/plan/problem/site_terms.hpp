// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site may have beyond the contract problem (plan/problem/problem.hpp), what a plan decides
/// there, and the multipliers that prove how good it is. A site without terms is one of the
/// contract.
///
/// Powers are means over a slot, h = slot_s / 3600. In every slot, L being IT power:
///
///     L            = base + jobs                                     L <= capacity
///     facility     = idle + pue L + sum over knees of extra max(0, L - from)
///     facility + charge     = own + grid + discharge                 grid <= limit
///     own + export + curtailed = free                                export <= export limit
///     charge / charge limit + discharge / discharge limit <= 1
///     stored'      = stored + h (charge x efficiency - discharge / efficiency)
///
/// so own power (`free_kw`) is used, exported or curtailed, and a battery that both charges and
/// discharges in a slot does so one after the other. Only own power is exported. Values;
/// thread-safe to read.

#include <cstdint>
#include <vector>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

/// The battery of site/site.hpp (BatteryOptions) in kW and kWh at the facility's bus, without
/// self-discharge, charge and discharge being means of a slot. No capacity: none.
struct PlanBattery {
  double capacity_kwh = 0;
  double charge_kw = 0, discharge_kw = 0;  ///< limits at the terminals, above 0
  double charge_efficiency = 1;            ///< stored / taken, (0, 1]
  double discharge_efficiency = 1;         ///< given / drawn, (0, 1]
  double start_kwh = 0;                    ///< before the first slot
  double end_kwh = 0;                      ///< at least, after the last
  double wear_eur_per_kwh = 0;             ///< given back, at least 0
};

/// EUR for each kW of the greatest grid power in slots [from, to).
struct DemandCharge {
  double eur_per_kw = 0;
  std::int32_t from = 0, to = 0;
};

/// Above `from_kw` of IT power each further kW takes `extra` kW more at the facility (fans,
/// chillers out of their free range); at least 0, so that facility power is convex.
struct FacilityKnee {
  double from_kw = 0, extra = 0;
};

/// Series are of `Problem::slots` values, or empty: zero throughout.
struct SiteTerms {
  PlanBattery battery;
  std::vector<double> export_kw, export_eur_per_kwh;  ///< limit, at least 0; price, any sign
  std::vector<DemandCharge> demand_charges;
  std::vector<double> base_kw;      ///< IT power that is there anyway
  double idle_kw = 0;               ///< facility power whatever runs, at least 0
  std::vector<FacilityKnee> knees;  ///< ascending
  double it_eur_per_kwh = 0;        ///< of IT energy: hardware written off by use; at least 0
  double it_g_per_kwh = 0;          ///< embodied carbon likewise
  /// Reserve: stoppable running power (JobTerms::stop_s) that may be called upon. What is held in a
  /// slot must be there in the whole of a call that begins in it, PlanReserve::hold_slots.
  std::vector<double> committed_kw;                ///< owed
  std::vector<double> offer_kw, offer_eur_per_kw;  ///< may be sold beyond it, in each slot; price
};

/// What counts as reserve; the same for all sites.
struct PlanReserve {
  std::int32_t hold_slots = 1;  ///< length of a call
  double within_s = kInfinity;  ///< jobs that stop within
};

/// What a plan does at a site, [slot]; all at least 0.
struct SiteFlows {
  std::vector<double> grid_kw, own_kw, export_kw;
  std::vector<double> charge_kw, discharge_kw;  ///< empty: no battery
  std::vector<double> reserve_kw;               ///< held, committed included; empty: none
};

/// Multipliers of a site's rows. Any numbers of the right sign prove a bound
/// (plan/certificate/certificate.hpp).
struct SiteMultipliers {
  std::vector<double> facility;           ///< [slot] EUR per kWh at the facility, any sign
  std::vector<double> stored;             ///< [slot] EUR per kWh stored, any sign; empty: 0
  std::vector<std::vector<double>> peak;  ///< [charge][slot - from] EUR per kW, at least 0
  /// [slot x hold_slots + k] EUR per kW that must be there k slots into a call from `slot`, at
  /// least 0; empty: 0
  std::vector<double> reserve;
};

}  // namespace carnot::plan
