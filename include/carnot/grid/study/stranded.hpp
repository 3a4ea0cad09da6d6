// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Stranded power: when it is there, for how long, at one site and at any of several, and what
/// batch jobs gain from machines that run on nothing else. After F. Yang and A. Chien, IPDPS 2016,
/// who ask the same of the price at wind farms. Pure functions; thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"

namespace carnot::grid {

/// One flag a step: 1 while power is stranded.
using Presence = std::vector<std::uint8_t>;

/// Steps at which a value is at most a threshold.
Presence at_most(std::span<const double> values, double threshold);
Presence at_least(std::span<const double> values, double threshold);
/// Intervals that are cheap as a whole: each begins at a step of at most the threshold and lasts as
/// long as the mean since its beginning is at most that.
Presence mean_at_most(std::span<const double> values, double threshold);

struct PresenceFigures {
  double duty = 0.0;  ///< share of the steps
  std::size_t intervals = 0;
  double mean_h = 0.0, median_h = 0.0, longest_h = 0.0;  ///< of intervals; 0 without one
};
/// \throws InputError for no steps or a step that is not above 0
PresenceFigures figures_of(const Presence& presence, double step_h);

/// Sites in the order in which each adds most to the time that at least one of them has power.
struct PresenceUnion {
  std::vector<std::size_t> sites;
  std::vector<double> duty;  ///< of the first, of the first two, ...
};
/// \throws InputError for sites with different numbers of steps
PresenceUnion union_of(const std::vector<Presence>& sites);

struct BatchJob {
  double arrival_h = 0.0, runtime_h = 0.0;
  std::size_t nodes = 1;
};

/// Jobs of a batch machine, in order of arrival: arrivals at random (Poisson), run times lognormal
/// with a mean of 4 h and a coefficient of variation of 2, at most 48 h, nodes powers of two up to
/// an eighth of the machine, each as likely. In all about `load` times what the machine can do.
/// \throws InputError unless load and hours are above 0 and nodes at least 8
std::vector<BatchJob> random_jobs(std::size_t nodes, double hours, double load, std::uint64_t seed);

struct QueueOutcome {
  std::size_t jobs = 0, killed = 0;  ///< runs that ended with their power
  double mean_wait_h = 0.0;          ///< from arrival to the start of the run that ends well
  double lost_node_h = 0.0;          ///< of killed runs
  double stranded_node_h = 0.0;      ///< of runs that ended well on stranded power
};

/// A base machine that is always on, and another of `stranded_nodes` that is on while `presence`
/// is. Jobs start in order of arrival, later ones where earlier do not fit; on the base machine if
/// there is room. A run that its power leaves is lost; its job waits again, before those that came
/// later, and for the base machine only. After the last step the other machine is off. \throws
/// InputError for a job that the base machine cannot hold; Stopped
QueueOutcome simulate_queue(const std::vector<BatchJob>& jobs, std::size_t base_nodes,
                            std::size_t stranded_nodes, const Presence& presence, double step_h,
                            const StopToken& stop = {});

/// What is known of a site, one number a step; empty: not known.
struct StrandedSite {
  std::string name;
  std::vector<double> price_per_mwh, available_mw, curtailed_mw;
};

/// Sites with the same steps.
struct StrandedSet {
  std::string name;
  double step_h = 1.0;
  std::vector<StrandedSite> sites;
};

struct StrandedOptions {
  std::vector<double> prices_per_mwh{0.0, 5.0};  ///< at most which power is stranded
  double least_mw = 20.0;                        ///< of curtailed power that counts
  std::size_t nodes = 128;                       ///< of the base machine, and as many stranded
  double load = 0.9;                             ///< jobs for the base machine, as in `random_jobs`
  std::uint64_t seed = 1;
  StopToken stop{};
};

struct StrandedRow {
  std::string set, site;
  std::string rule;  ///< "price <= 0", "mean price <= 0" or "curtailed >= 20 MW"
  PresenceFigures figures;
  double mean_mw = 0.0;  ///< available or curtailed while it is stranded; NaN: not known
  QueueOutcome queue;
};

struct StrandedUnion {
  std::string set, rule;
  std::vector<std::string> sites;
  std::vector<double> duty;
};

/// The base machine alone, and with as many nodes that are always on.
struct StrandedReference {
  std::string set;
  QueueOutcome alone, always;
};

struct StrandedTable {
  std::vector<StrandedRow> rows;
  std::vector<StrandedUnion> unions;  ///< of sets of several sites
  std::vector<StrandedReference> references;
  bool stopped = false;  ///< before all rows were there
};

/// Each rule for which a site has the numbers. Jobs are the same for all sites of a set. Ends
/// early, with the rows that are done, where the options' token says so. \throws InputError for a
/// site without numbers, or numbers that do not match in length
StrandedTable study_stranded(const std::vector<StrandedSet>& sets, const StrandedOptions& options);

}  // namespace carnot::grid
