// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/dual_ascent.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::plan {

namespace {

/// Demand less supply where supply may be anything in [low, high].
double imbalance(double demand, const Supply& x, double price) {
  const auto [low, high] = x.range(price);
  return demand < low ? demand - low : demand > high ? demand - high : 0.0;
}

/// The new price, held at the first kink on the way.
double moved(double from, double by, double least, const Supply& x) {
  double to = from + by;
  x.each([&](double, double kink) {
    if ((from < kink && to > kink) || (from > kink && to < kink)) to = kink;
  });
  return std::max(to, least);
}

/// What imbalances are measured by, so that sites of all sizes move alike: what a cell can supply,
/// but not far more than all jobs would draw on average.
std::vector<double> scales(const JobsDraw& draw, const std::vector<Supply>& supply) {
  const double most =
      std::max(draw.greatest,
               3.0 * draw.work / static_cast<double>(std::max<std::size_t>(supply.size(), 1)));
  std::vector<double> out;
  for (const Supply& x : supply) out.push_back(std::clamp(x.most, 1e-3 * most, most));
  return out;
}

}  // namespace

JobsDraw draw_of(const PlanJobs& jobs) {
  JobsDraw out;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const PlanMode& mode = jobs.mode(jobs.mode_begin(j));
    out.work += mode.slots * mode.power_kw;
    out.greatest = std::max(out.greatest, mode.power_kw);
  }
  return out;
}

DualResult maximise_dual(const Problem& problem, const std::vector<Supply>& supply, Pricing& jobs,
                         std::vector<double> start, const DualOptions& options) {
  return maximise_dual(problem.slot_h(), draw_of(problem.jobs), supply, jobs, std::move(start),
                       options);
}

DualResult maximise_dual(double slot_h, const JobsDraw& draw, const std::vector<Supply>& supply,
                         Pricing& jobs, std::vector<double> start, const DualOptions& options) {
  const std::size_t cells = supply.size();
  const double h = slot_h;
  std::vector<double> price = std::move(start);
  double typical = 0;
  for (const Supply& x : supply) typical += std::max(x.second_price, 0.0);
  typical = std::max(typical / static_cast<double>(std::max<std::size_t>(cells, 1)), 1e-9);
  if (price.empty())
    for (const Supply& x : supply) price.push_back(std::max(x.second_price, options.least_price));
  const std::vector<double> scale = scales(draw, supply);

  std::vector<double> demand, mean(cells), square(cells);
  DualResult best;
  best.bound = -kInfinity;
  for (int n = 0; n < options.iterations; ++n) {
    Sum<double> bound;
    try {
      bound += jobs.respond(price, options.threads, demand);
    } catch (const Stopped&) {
      if (best.price.empty()) best.price = price;
      break;
    }
    for (std::size_t i = 0; i < cells; ++i) bound += supply[i].surplus(price[i]) * h;
    best.iterations = n + 1;
    if (bound.value() > best.bound) {
      best.bound = bound.value();
      best.price = price;
      best.best_iteration = n + 1;
    }
    if (options.progress && !options.progress(best)) break;

    const double done = static_cast<double>(n) / std::max(options.iterations - 1, 1);
    const double step =
        typical * options.first_step * std::pow(options.last_step / options.first_step, done);
    constexpr double kMean = 0.7, kSquare = 0.95;
    for (std::size_t i = 0; i < cells; ++i) {
      const double g = imbalance(demand[i], supply[i], price[i]) / scale[i];
      mean[i] = kMean * mean[i] + (1 - kMean) * g;
      square[i] = kSquare * square[i] + (1 - kSquare) * g * g;
      const double unbias = std::sqrt((1 - std::pow(kSquare, n + 1)));
      price[i] = moved(price[i], step * mean[i] / (std::sqrt(square[i]) / unbias + 0.02),
                       options.least_price, supply[i]);
    }
  }
  return best;
}

}  // namespace carnot::plan
