// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/fleet_bound.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::simulate {

namespace {

constexpr double kLeastLoad = 0.05;  // of a hall, where its overhead is greatest (site/site.hpp)
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

/// Least power that a node draws whatever it does, over all nodes and jobs.
Power floor_of(const FleetScenario& scenario, const Workload& workload,
               const FleetOptions& options) {
  Power least = scenario.sites.front().hall.node_idle;
  double share = 1.0;
  for (const std::vector<JobMode>& modes : workload.mode_sets)
    for (const JobMode& m : modes) share = std::min(share, m.power_share);
  for (const FleetSite& site : scenario.sites) {
    least = min(least, min(site.hall.node_idle, share * site.hall.node_peak));
    if (options.failures.mean_up > Time{} || !options.closures.empty())
      least = min(least, site.hall.node_suspended);
  }
  for (const JobRequest& job : workload.jobs)
    if (job.power_mw >= 0) least = min(least, share * (1e-3 * job.power_mw * watt));
  return least;
}

bool has_overheads(const FleetOptions& o) {
  return o.start_delay > Duration{} || o.stop_delay > Duration{} ||
         (o.save_every > Duration{} && o.save_time > Duration{}) || o.failures.mean_up > Time{} ||
         !o.closures.empty();
}

/// Least cost of the energy of all jobs if every hall may be filled, whenever and by whomever; none
/// where jobs may choose how much energy they take.
std::optional<double> cost_within_halls(const FleetScenario& scenario, const Workload& workload,
                                        const Steps& steps, Instant begin, Instant end,
                                        double fullest, double floor) {
  const Power peak = scenario.sites.front().hall.node_peak;
  for (const FleetSite& site : scenario.sites)
    if (site.hall.node_peak != peak) return std::nullopt;
  for (const std::vector<JobMode>& modes : workload.mode_sets)
    if (modes.size() > 1) return std::nullopt;
  Sum<double> energy;
  double hottest = 0.0;  // watt of a node above the floor
  const std::vector<bool> never = never_run(workload);
  for (std::size_t j = 0; j < workload.size(); ++j) {
    if (never[j]) continue;
    const JobRequest& job = workload.jobs[j];
    const JobMode& mode = workload.mode_sets[job.modes].front();
    const double node =
        mode.power_share * (job.power_mw >= 0 ? 1e-3 * job.power_mw : peak.in(watt)) - floor;
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
                                      const FleetOptions& options, Instant end,
                                      const StopToken& token) {
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

  // [step]: the cheapest joule; one of a node at `node_peak` costs as much for a watt of its own.
  std::vector<double> joule_cost(n, kInfinity);
  double least_peak = kInfinity, greatest_peak = 0.0;
  for (const FleetSite& site : scenario.sites) {
    least_peak = std::min(least_peak, site.hall.node_peak.in(watt));
    greatest_peak = std::max(greatest_peak, site.hall.node_peak.in(watt));
    for (std::size_t i = 0; i < n; ++i)
      joule_cost[i] = std::min(joule_cost[i], cheapest_joule(site, i, fullest));
  }
  const double floor = floor_of(scenario, workload, options).in(watt);

  const Steps steps(scenario, options.begin, end);
  std::vector<Piece> whole;  // of jobs without deadlines: the whole run
  const auto add_to = [&](std::vector<Piece>& to, Instant from, Instant until) {
    to.clear();
    steps.over(from, until, n, [&](std::size_t i, double seconds) {
      to.push_back({joule_cost[i], seconds});
    });
    std::sort(to.begin(), to.end());
  };
  add_to(whole, options.begin, end);

  const std::vector<bool> never = never_run(workload);
  const std::vector<Duration> begins = earliest_begins(workload);
  Sum<double> total;
  std::vector<Piece> pieces;
  SparseStop stop(token, 64);
  for (std::size_t j = 0; j < workload.size(); ++j) {
    stop.throw_if_requested();
    if (never[j]) continue;  // no schedule runs it
    const JobRequest& job = workload.jobs[j];
    const bool own = job.power_mw >= 0;
    double speed = 0.0, lean = kInfinity, rich = 0.0;
    for (const JobMode& mode : workload.mode_sets[job.modes]) {
      const auto per_work = [&](double watts) {
        return (mode.nodes > 0 ? mode.nodes : job.nodes) * (mode.power_share * watts - floor) /
               mode.speed;
      };
      speed = std::max(speed, mode.speed);
      lean = std::min(lean, per_work(own ? 1e-3 * job.power_mw : least_peak));
      rich = std::max(rich, per_work(own ? 1e-3 * job.power_mw : greatest_peak));
    }
    const double work = workload.length[j].time().in(second);
    if (job.allowed == kNoDeadline) {
      total += cheapest_cost(whole, work, speed, lean, rich);
      continue;
    }
    const Instant arrival = options.begin + job.arrival;
    add_to(pieces, options.begin + begins[j], arrival + job.allowed);
    total += cheapest_cost(pieces, work, speed, lean, rich);
  }

  double least = total.value();
  if (const auto in_halls =
          cost_within_halls(scenario, workload, steps, options.begin, end, fullest, floor))
    least = std::max(least, *in_halls);

  // What all nodes draw at least; where prices are below zero, at most while no job holds them.
  for (const FleetSite& site : scenario.sites) {
    const double free = std::max(site.hall.node_idle, site.hall.node_suspended).in(watt);
    steps.over(options.begin, end, n, [&](std::size_t i, double seconds) {
      const double watts = site.price[i] < EnergyPrice{} ? std::max(free, floor) : floor;
      least += cheapest_joule(site, i, fullest) * site.hall.nodes * watts * seconds;
    });
  }
  return least * euro;
}

}  // namespace carnot::simulate
