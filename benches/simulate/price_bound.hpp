// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no schedule undercuts in which each job keeps one site and its deadline, nodes being
/// limited: the price decomposition of docs/planning.md over hours, with jobs that may run in any
/// part of an hour. For any prices lambda of a kWh of computing, by site and hour,
///
///     sum_j min over s of move + (work at the cheapest lambda of its window)
///     + sum_st min over 0 <= E <= capacity of (c_st - lambda_st) E     <=  cost of every schedule.
///
/// c is price + carbon price x carbon, times PUE at full load (at least load where it is below
/// zero). Delays count for nothing. Prices follow the imbalance of demand and supply.

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/simulate/simulate.hpp"

#include "control/fleet/rule_base.hpp"

namespace carnot::benches {

class PriceBound {
 public:
  using MoveCost = std::function<double(const JobRequest&, control::SiteIndex)>;

  PriceBound(const simulate::FleetScenario& fleet, const Workload& jobs, Instant begin,
             double carbon_price_eur_per_t, MoveCost move_eur)
      : fleet_(fleet), jobs_(jobs), begin_(begin), move_eur_(std::move(move_eur)) {
    Duration last;
    for (const JobRequest& job : jobs.jobs) last = std::max(last, job.arrival + job.allowed);
    hours_ = static_cast<std::size_t>(last / fleet.step) + 1;
    const std::int64_t first = (begin - fleet.series_start) / fleet.step;
    for (const simulate::FleetSite& site : fleet.sites)
      for (std::size_t t = 0; t < hours_; ++t) {
        const std::size_t i = (static_cast<std::size_t>(first) + t) % site.price.size();
        const double c = site.price[i].in(euro_per_kilowatt_hour) +
                         1e-6 * carbon_price_eur_per_t * site.carbon[i].in(gram_per_kilowatt_hour);
        cost_.push_back(c * site.hall.pue(site.outside[i], c >= 0 ? 1.0 : 0.05));
        capacity_.push_back(site.hall.rated().in(kilowatt)*fleet.step.time().in(hour));
      }
  }

  /// The best of so many rounds, EUR.
  double best(int rounds) {
    std::vector<double> price = cost_, demand, size(price.size());
    double best = -kInfinity, typical = 0;
    for (const double c : cost_) typical += std::abs(c) / static_cast<double>(cost_.size());
    for (int round = 0; round < rounds; ++round) {
      best = std::max(best, value(price, demand));
      const double step = typical * 0.3 * std::pow(1e-3, static_cast<double>(round) / rounds);
      for (std::size_t i = 0; i < price.size(); ++i) {
        const double supply =
            price[i] > cost_[i] ? capacity_[i] : std::min(demand[i], capacity_[i]);
        const double gradient = demand[i] - supply;
        size[i] = 0.9 * size[i] + 0.1 * gradient * gradient;
        if (size[i] > 0) price[i] += step * gradient / std::sqrt(size[i]);
        price[i] = std::max(price[i], cost_[i]);
      }
    }
    return best;
  }

 private:
  double value(const std::vector<double>& price, std::vector<double>& demand) {
    demand.assign(price.size(), 0.0);
    double total = 0;
    for (std::size_t i = 0; i < price.size(); ++i)
      total += std::min(0.0, (cost_[i] - price[i]) * capacity_[i]);
    control::StepCost cost;
    cost.step = fleet_.step;
    for (std::size_t j = 0; j < jobs_.size(); ++j) {
      const JobRequest& job = jobs_.jobs[j];
      const auto first = static_cast<std::size_t>(job.arrival / fleet_.step);
      const auto end =
          std::min(hours_, static_cast<std::size_t>((job.arrival + job.allowed) / fleet_.step) + 1);
      const Instant from = begin_ + job.arrival;
      cost.start = begin_ + fleet_.step * static_cast<std::int64_t>(first);
      double least = kInfinity;
      control::Timing best;
      std::size_t where = 0;
      for (std::size_t s = 0; s < fleet_.sites.size(); ++s) {
        if (fleet_.sites[s].hall.nodes < job.nodes) continue;
        const auto row = price.begin() + static_cast<std::ptrdiff_t>(s * hours_);
        cost.value.assign(row + static_cast<std::ptrdiff_t>(first),
                          row + static_cast<std::ptrdiff_t>(end));
        control::Timing timing =
            control::cheapest_pieces(cost, from, from + job.allowed, jobs_.length[j]);
        const double sum = timing.cost / 3600 * kilowatts(job, s) +
                           move_eur_(job, static_cast<control::SiteIndex>(s));
        if (sum >= least) continue;
        least = sum;
        best = std::move(timing);
        where = s;
      }
      total += least;
      for (const control::Piece& piece : best.pieces)
        for (Instant at = piece.from; at < piece.to;) {
          const std::int64_t hour_index = (at - begin_) / fleet_.step;
          const Instant next = std::min(piece.to, begin_ + fleet_.step * (hour_index + 1));
          demand[where * hours_ + static_cast<std::size_t>(hour_index)] +=
              kilowatts(job, where) * (next - at).time().in(hour);
          at = next;
        }
    }
    return total;
  }
  double kilowatts(const JobRequest& job, std::size_t site) const {
    return job.nodes * (job.power_mw >= 0 ? 1e-6 * job.power_mw
                                          : fleet_.sites[site].hall.node_peak.in(kilowatt));
  }

  const simulate::FleetScenario& fleet_;
  const Workload& jobs_;
  Instant begin_;
  MoveCost move_eur_;
  std::size_t hours_ = 0;
  std::vector<double> cost_, capacity_;  // [site x hours], EUR per kWh and kWh of computing
};

}  // namespace carnot::benches
