// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/extended_dual_ascent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "carnot/base/sum.hpp"

namespace carnot::plan {

double cheapest_runs(const Problem& problem, const JobPrices& prices, int threads,
                     std::vector<JobRun>& out) {
  std::vector<double> cost(problem.jobs.size());
  out.resize(cost.size());
  const auto some = [&](std::size_t from, std::size_t step) {
    for (std::size_t j = from; j < cost.size(); j += step) {
      out[j] = cheapest(problem, j, prices);
      cost[j] = priced(problem, out[j], prices);
    }
  };
  const auto workers = static_cast<std::size_t>(std::max(1, threads));
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < workers; ++k) others.emplace_back(some, k, workers);
  some(0, workers);
  for (std::thread& other : others) other.join();
  Sum<double> sum;
  for (const double x : cost) sum += x;
  return sum.value();
}

namespace {

/// One cell's supply: kinks in EUR per kWh, and what it wants to give at a price.
class Cell {
 public:
  Cell(const std::vector<SupplyStep>& steps, double h) : h_(h) {
    for (const SupplyStep& step : steps) {
      steps_.push_back({step.width, step.price / h});
      most_ += step.width;
    }
  }
  double most() const noexcept { return most_; }
  double dearest() const noexcept { return steps_.empty() ? 0.0 : steps_.back().price; }

  /// Demand less supply where supply may be anything between two values.
  double imbalance(double demand, double price) const {
    double low = 0, high = 0;
    for (const SupplyStep& step : steps_) {
      if (step.price < price) low += step.width;
      if (step.price <= price) high += step.width;
    }
    return demand < low ? demand - low : demand > high ? demand - high : 0.0;
  }
  /// The new price, held at the first kink on the way.
  double moved(double from, double by) const {
    double to = from + by;
    for (const SupplyStep& step : steps_)
      if ((from < step.price && to > step.price) || (from > step.price && to < step.price))
        to = step.price;
    return to;
  }
  /// min over power of its cost less what the price brings.
  double surplus(double price) const {
    double sum = 0;
    for (const SupplyStep& step : steps_)
      sum += std::min(0.0, (step.price - price) * step.width) * h_;
    return sum;
  }

 private:
  double h_, most_ = 0;
  std::vector<SupplyStep> steps_;
};

}  // namespace

std::vector<double> ascend(const Problem& problem, const OwnWeights& weights,
                           const std::vector<std::vector<SupplyStep>>& supply,
                           const AscentOptions& options,
                           const std::function<void(const std::vector<JobRun>&)>& keep) {
  constexpr double kFirstStep = 0.3, kLastStep = 5e-4;  // of the typical price
  constexpr double kMean = 0.7, kSquare = 0.95;
  const PlanJobs& jobs = problem.jobs;
  std::vector<Cell> cells;
  std::vector<double> price;
  double typical = 0, work = 0, greatest = 1e-9;
  for (const std::vector<SupplyStep>& steps : supply) {
    cells.emplace_back(steps, problem.slot_h());
    price.push_back(cells.back().dearest());
    typical += std::max(0.0, price.back());
  }
  typical = std::max(typical / static_cast<double>(cells.size()), 1e-9);
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const PlanMode& mode = jobs.mode(jobs.mode_begin(j));
    work += mode.slots * mode.power_kw;
    greatest = std::max(greatest, mode.power_kw);
  }
  const double most = std::max(greatest, 3.0 * work / static_cast<double>(cells.size()));

  std::vector<double> demand(cells.size()), mean(cells.size()), square(cells.size()), best = price;
  std::vector<JobRun> runs, best_runs;
  double bound = -std::numeric_limits<double>::infinity();
  JobPrices prices;
  prices.weights = weights;
  for (int n = 0; n < options.iterations; ++n) {
    prices.energy = price;
    double sum = cheapest_runs(problem, prices, options.threads, runs);
    for (std::size_t i = 0; i < cells.size(); ++i) sum += cells[i].surplus(price[i]);
    if (sum > bound) {
      bound = sum;
      best = price;
      best_runs = runs;
    }
    const double done = static_cast<double>(n) / std::max(options.iterations - 1, 1);
    if (options.progress && !options.progress(done)) break;
    if (n >= options.iterations - options.kept) keep(runs);
    std::fill(demand.begin(), demand.end(), 0.0);
    for (const JobRun& run : runs)
      for (const Piece& piece : run.pieces)
        demand[piece.site * static_cast<std::size_t>(problem.slots) +
               static_cast<std::size_t>(piece.slot)] += piece.power_kw;
    const double step = typical * kFirstStep * std::pow(kLastStep / kFirstStep, done);
    const double unbias = std::sqrt(1 - std::pow(kSquare, n + 1));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const double g =
          cells[i].imbalance(demand[i], price[i]) / std::clamp(cells[i].most(), 1e-3 * most, most);
      mean[i] = kMean * mean[i] + (1 - kMean) * g;
      square[i] = kSquare * square[i] + (1 - kSquare) * g * g;
      price[i] = cells[i].moved(price[i], step * mean[i] / (std::sqrt(square[i]) / unbias + 0.02));
    }
  }
  keep(best_runs);
  return best;
}

}  // namespace carnot::plan
