// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small exact rules of life-cycle accounting.
///
///     run by rating       E = chips x hours x mean power x PUE
///     training            6 N D FLOP (Kaplan et al., 2020), beside the exact count
///     development         R ~ E D H: experiments x share of the data x settings tried, over the
///                         final run (Schwartz et al., Green AI, 2020)
///     SCI                 (E I + M) / R                       ISO/IEC 21031:2024
///     SCI for AI          consumer: of running, a unit sold; provider: of making, per parameter,
///                         per training token or per FLOP (Green Software Foundation, 2025)
///     4 Ms                a footprint cut by independent ratios r_i of model, machine,
///                         mechanisation, map: E0 / (r_1 r_2 ...) (Patterson et al., 2022). What
///                         each one saved depends on the order in which they are taken, so the
///                         share is Shapley's, the mean over all orders:
///
///     saved_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S)),
///     v(S)    = E0 (1 - prod over S of 1 / r)
///
/// Pure functions, thread-safe.

#include <span>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::model {

/// \throws InputError for what is negative or a PUE below 1
Energy run_energy(double chips, Time length, Power mean_power, double pue);

/// 6 N D. \throws InputError for what is negative
double training_flops_rule(double active_parameters, double tokens);

/// Joules of development over those of the final run. \throws InputError for what is negative
double development_ratio(double experiments, double data_share, double settings);

/// (E I + M) / R. \throws InputError unless R > 0
Estimate<Carbon> carbon_intensity_score(const Estimate<Energy>& facility,
                                        const Estimate<CarbonIntensity>& intensity,
                                        const Estimate<Carbon>& embodied, double units);

/// Shares of what is saved, summing to 1 - 1 / product (negative where a ratio is below 1).
/// \param ratios  before over after, each > 0, at most 16
/// \throws InputError
std::vector<double> shapley_savings(std::span<const double> ratios);

}  // namespace carnot::model
