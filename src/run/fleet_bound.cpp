// SPDX-License-Identifier: Apache-2.0
#include "carnot/run/fleet_bound.hpp"

#include <algorithm>
#include <limits>

#include "carnot/base/sum.hpp"

namespace carnot::run {

namespace {

constexpr double kLeastLoad = 0.05;  // of a hall, where its overhead is greatest (fleet/site.hpp)
constexpr double kRounding = 1e-6;   // of powers to whole milliwatts

/// Cost of a joule of computing at one site and step, at most as high as it can be there.
double cheapest_joule(const FleetSite& site, std::size_t i, double fullest) {
  const double price = site.price[i].base();
  return price * site.hall.pue(site.outside[i], price < 0.0 ? kLeastLoad : fullest);
}

/// Pieces of time with a cost, cheapest first.
struct Piece {
  double cost, seconds;
  bool operator<(const Piece& o) const { return cost < o.cost; }
};

/// Cost of doing `work` seconds of work at `speed`, where a second of it costs `lean` x the piece's
/// cost (`rich` x, where that is below zero: the dearest mode earns most).
double cheapest_cost(const std::vector<Piece>& sorted, double work, double speed, double lean,
                     double rich) {
  double cost = 0.0;
  for (const Piece& piece : sorted) {
    const double done = std::min(work, speed * piece.seconds);
    cost += done * piece.cost * (piece.cost < 0.0 ? rich : lean);
    work -= done;
    if (work <= 0.0) break;
  }
  return cost;
}

class Steps {
 public:
  Steps(const FleetScenario& scenario, Instant begin, Instant end)
      : step_(scenario.step), start_(scenario.series_start), begin_(begin), end_(end) {}
  /// Calls `each(index into the series, seconds)` for every step that [from, to) meets.
  template <class Each>
  void over(Instant from, Instant to, std::size_t round, Each each) const {
    from = std::max(from, begin_);
    to = std::min(to, end_);
    for (std::int64_t k = (from - start_) / step_; from < to; ++k) {
      const Instant edge = std::min(to, start_ + step_ * (k + 1));
      each(static_cast<std::size_t>(k) % round, (edge - from).time().in(second));
      from = edge;
    }
  }

 private:
  Duration step_;
  Instant start_, begin_, end_;
};

bool has_overheads(const FleetOptions& o) {
  return o.start_delay > Duration{} || o.stop_delay > Duration{} ||
         (o.save_every > Duration{} && o.save_time > Duration{}) || o.failures.mean_up > Time{};
}

/// Least cost of the energy of all jobs if every hall may be filled, whenever and by whomever; none
/// where jobs may choose how much energy they take.
std::optional<double> cost_within_halls(const FleetScenario& scenario, const Workload& workload,
                                        const Steps& steps, Instant begin, Instant end,
                                        double fullest) {
  const Power peak = scenario.sites.front().hall.node_peak;
  for (const FleetSite& site : scenario.sites)
    if (site.hall.node_peak != peak) return std::nullopt;
  for (const std::vector<JobMode>& modes : workload.mode_sets)
    if (modes.size() > 1) return std::nullopt;
  Sum<double> energy;
  double hottest = 0.0;  // watt of a node
  for (std::size_t j = 0; j < workload.size(); ++j) {
    const JobRequest& job = workload.jobs[j];
    const JobMode& mode = workload.mode_sets[job.modes].front();
    const double node =
        mode.power_share * (job.power_mw >= 0 ? 1e-3 * job.power_mw : peak.in(watt));
    hottest = std::max(hottest, node);
    energy += node * (mode.nodes > 0 ? mode.nodes : job.nodes) *
              workload.length[j].time().in(second) / mode.speed;
  }
  std::vector<Piece> pieces;
  for (const FleetSite& site : scenario.sites)
    steps.over(begin, end, site.price.size(), [&](std::size_t i, double seconds) {
      pieces.push_back({cheapest_joule(site, i, fullest),
                        (1.0 + kRounding) * site.hall.nodes * hottest * seconds});
    });
  std::sort(pieces.begin(), pieces.end());
  return cheapest_cost(pieces, energy.value(), 1.0, 1.0, 1.0);
}

}  // namespace

std::optional<Money> fleet_cost_bound(const FleetScenario& scenario, const Workload& workload,
                                      const FleetOptions& options, Instant end) {
  const std::size_t n = scenario.sites.front().price.size();
  bool below_zero = false;
  for (const FleetSite& site : scenario.sites) {
    if (!site.own.empty() || site.battery.capacity > Energy{}) return std::nullopt;
    for (const EnergyPrice price : site.price) below_zero = below_zero || price < EnergyPrice{};
  }
  if (below_zero && has_overheads(options)) return std::nullopt;

  // A hall is fuller than rated where jobs draw more than `node_peak`: then only cooling is sure.
  double greatest_share = 1.0;
  for (const std::vector<JobMode>& modes : workload.mode_sets)
    for (const JobMode& m : modes) greatest_share = std::max(greatest_share, m.power_share);
  double fullest = greatest_share > 1.0 ? 1e9 : 1.0;
  for (const FleetSite& site : scenario.sites)
    for (const JobRequest& job : workload.jobs)
      if (greatest_share * job.power_mw > site.hall.node_peak.in(1e-3 * watt)) fullest = 1e9;

  // [step]: the cheapest joule, and the cheapest second of a node at `node_peak`.
  std::vector<double> joule_cost(n), node_cost(n);
  for (std::size_t i = 0; i < n; ++i) {
    joule_cost[i] = node_cost[i] = std::numeric_limits<double>::infinity();
    for (const FleetSite& site : scenario.sites) {
      const double cost = cheapest_joule(site, i, fullest);
      joule_cost[i] = std::min(joule_cost[i], cost);
      node_cost[i] = std::min(node_cost[i], cost * site.hall.node_peak.in(watt));
    }
  }

  const Steps steps(scenario, options.begin, end);
  std::vector<Piece> whole[2];  // of jobs without deadlines: the whole run
  for (const bool own : {false, true}) {
    std::vector<Piece>& pieces = whole[own];
    steps.over(options.begin, end, n, [&](std::size_t i, double seconds) {
      pieces.push_back({own ? joule_cost[i] : node_cost[i], seconds});
    });
    std::sort(pieces.begin(), pieces.end());
  }

  Sum<double> total;
  std::vector<Piece> pieces;
  for (std::size_t j = 0; j < workload.size(); ++j) {
    const JobRequest& job = workload.jobs[j];
    const bool own = job.power_mw >= 0;
    double speed = 0.0, lean = std::numeric_limits<double>::infinity(), rich = 0.0;
    for (const JobMode& mode : workload.mode_sets[job.modes]) {
      const double per_work = (mode.nodes > 0 ? mode.nodes : job.nodes) * mode.power_share *
                              (own ? 1e-3 * job.power_mw : 1.0) / mode.speed;
      speed = std::max(speed, mode.speed);
      lean = std::min(lean, per_work);
      rich = std::max(rich, per_work);
    }
    const double work = workload.length[j].time().in(second);
    if (job.allowed == kNoDeadline) {
      total += cheapest_cost(whole[own], work, speed, lean, rich);
      continue;
    }
    pieces.clear();
    const Instant arrival = options.begin + job.arrival;
    steps.over(arrival, arrival + job.allowed, n, [&](std::size_t i, double seconds) {
      pieces.push_back({own ? joule_cost[i] : node_cost[i], seconds});
    });
    std::sort(pieces.begin(), pieces.end());
    total += cheapest_cost(pieces, work, speed, lean, rich);
  }

  double least = total.value();
  if (const auto in_halls =
          cost_within_halls(scenario, workload, steps, options.begin, end, fullest))
    least = std::max(least, *in_halls);

  // Free nodes earn where prices are below zero.
  if (below_zero)
    for (const FleetSite& site : scenario.sites) {
      const double idle =
          site.hall.nodes * std::max(site.hall.node_idle, site.hall.node_suspended).in(watt);
      steps.over(options.begin, end, n, [&](std::size_t i, double seconds) {
        if (site.price[i] < EnergyPrice{})
          least += cheapest_joule(site, i, fullest) * idle * seconds;
      });
    }
  return least * euro;
}

}  // namespace carnot::run
