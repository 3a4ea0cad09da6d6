// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/pricing/job_use.hpp"

#include "plan/search/extended_planner.hpp"

namespace carnot::plan {

namespace {

// Where the last price is looked for, EUR per t: 100, 400, ..., 409600.
constexpr double kFirstPrice = 100, kRatio = 4;
constexpr int kSteps = 7;
constexpr double kStopsFalling = 0.01;  // of the carbon at price 0
constexpr double kMost = 1e6;           // of what may be asked for
constexpr double kDecades = 3;          // that the prices above 0 span
constexpr double kSame = 1e-9;          // relative: what rounding may do to a measure
constexpr double kPerGram = 1e-6;       // t
constexpr double kAtMargin = 0.999;     // of the grid's cost: the price of a cell that buys power

bool chooses_quality(const PlanJobs& jobs) {
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      if (jobs.mode(i).quality_eur != jobs.mode(jobs.mode_begin(j)).quality_eur) return true;
  return false;
}

/// A plan, and what it comes to whatever its weighting.
struct Found {
  double carbon_price = 0, quality_weight = 1;
  Plan plan;
  PlanTotals totals;
  double cost = 0, carbon = 0, quality = 0;
};

class Sweep {
 public:
  Sweep(const Problem& problem, const ParetoOptions& options)
      : problem_(problem), options_(options), planner_(options.planner) {
    planner_.start_price.clear();
    planner_.start_plan.clear();
  }

  ParetoFront run();

 private:
  double last_price();
  /// \return false: stop
  bool solve(double carbon_price, double quality_weight);
  ParetoPoint point(const Found& own) const;
  ParetoPoint point_of(const Found& of) const;
  void measure(const PlanTotals& totals, Found& of) const;
  bool stopped() const { return !more_ || !front_.broken.empty(); }

  const Problem& problem_;
  const ParetoOptions& options_;
  PlannerOptions planner_;
  ParetoFront front_;
  std::vector<Found> found_;
  std::vector<std::vector<JobRun>> known_;  // of jobs of extended problems, at this quality weight
  double expected_ = 0;                     // plans to make in all
  bool more_ = true;
};

/// Objective without its weighted parts, which are the same for every weighting.
void Sweep::measure(const PlanTotals& totals, Found& of) const {
  Sum<double> quality;
  for (std::size_t j = 0; j < problem_.jobs.size(); ++j)
    quality += use_of(problem_, of.plan, j).quality_eur;
  of.quality = quality.value();
  of.carbon = totals.carbon_g + totals.embodied_g;
  of.cost = totals.objective_eur - kPerGram * of.carbon_price * of.carbon -
            of.quality_weight * of.quality;
}

bool Sweep::solve(double carbon_price, double quality_weight) {
  const Problem at = weighted(problem_, carbon_price, quality_weight);
  Found found{carbon_price, quality_weight, {}, {}, 0, 0, 0};
  PlannerOptions planner = planner_;
  planner.progress = [&](const PlanProgress& progress) {
    PlanProgress of_all = progress;
    of_all.share_done =
        std::min(1.0, (static_cast<double>(front_.plans) + progress.share_done) / expected_);
    more_ = !options_.planner.progress || options_.planner.progress(of_all);
    return more_;
  };
  std::vector<std::string> broken;
  bool proven = false;
  if (problem_.extended()) {
    if (!found_.empty() && found_.back().quality_weight != quality_weight) known_.clear();
    ExtendedPlan extended;
    try {
      extended = plan_columns(at, planner, known_);
    } catch (const Stopped&) {
      more_ = false;
      return false;
    }
    broken = std::move(extended.broken);
    proven = extended.proven;
    found.plan = std::move(extended.plan);
  } else {
    // Prices of other weightings prove little at this one.
    found.plan = plan_large(at, planner);
  }
  more_ = more_ && !options_.planner.stop.requested();
  if (!more_ && !found_.empty()) return false;  // cut short, unlike the others
  ++front_.plans;
  front_.broken = std::move(broken);
  front_.proven = proven;
  if (!front_.broken.empty()) return false;
  found.totals = found.plan.totals;
  measure(found.totals, found);
  found_.push_back(std::move(found));
  return more_;
}

/// By halving twice: between the first and the last price, what drops no more jobs than price 0;
/// below that, what has hardly more carbon. Leaves no plans of greater prices.
double Sweep::last_price() {
  const auto dropped = [](const Found& of) {
    return std::count_if(of.plan.jobs.begin(), of.plan.jobs.end(),
                         [](const Assignment& a) { return a.site == kNone; });
  };
  const Found base = found_.front();
  std::map<int, Found> tried;  // by step
  const auto price = [](int step) { return kFirstPrice * std::pow(kRatio, step); };
  const auto least = [&](int low, int high, const std::function<bool(const Found&)>& enough) {
    while (high - low > 1) {
      const int step = (low + high) / 2;
      if (tried.count(step) == 0) {
        if (!solve(price(step), base.quality_weight)) break;
        tried[step] = found_.back();
      }
      (enough(tried.at(step)) ? high : low) = step;
    }
    return high;
  };
  const int drops = least(-1, kSteps, [&](const Found& of) { return dropped(of) > dropped(base); });
  double last = kFirstPrice;
  if (drops > 0 && !stopped()) {
    const double clean = tried.at(drops - 1).carbon + kStopsFalling * std::abs(base.carbon);
    last = price(least(-1, drops - 1, [&](const Found& of) { return of.carbon <= clean; }));
  }
  std::erase_if(found_, [&](const Found& of) { return of.carbon_price > last; });
  return last;
}

ParetoPoint Sweep::point_of(const Found& of) const {
  return {of.carbon_price,
          of.quality_weight,
          of.plan,
          of.totals,
          of.cost,
          of.carbon,
          of.quality,
          of.cost + kPerGram * problem_.carbon_price_eur_per_t * of.carbon + of.quality};
}

/// The best of all plans at the weighting of `own`, with the prices found there.
/// \throws Stopped
ParetoPoint Sweep::point(const Found& own) const {
  const Problem at = weighted(problem_, own.carbon_price, own.quality_weight);
  const Found* best = &own;
  if (problem_.goals.order.empty()) {
    const auto value = [&](const Found& of) {
      if (problem_.extended())
        return of.cost + kPerGram * own.carbon_price * of.carbon + own.quality_weight * of.quality;
      Plan jobs;  // what they cost follows from them alone; how well is not asked
      jobs.jobs = of.plan.jobs;
      return certify(at, jobs, options_.planner.stop).totals.objective_eur;
    };
    double least = value(own);
    for (const Found& of : found_)
      if (const double x = value(of); x < least) {
        least = x;
        best = &of;
      }
  }
  Found joined{own.carbon_price, own.quality_weight, own.plan, {}, 0, 0, 0};
  joined.plan.jobs = best->plan.jobs;
  joined.plan.schedules = best->plan.schedules;
  joined.plan.flows = best->plan.flows;
  const Certificate certificate = certify(at, joined.plan, options_.planner.stop);
  CARNOT_CHECK(certificate.holds(), certificate.violations.front());
  joined.totals = certificate.totals;
  measure(joined.totals, joined);
  joined.plan.totals = joined.totals;
  joined.plan.objective_eur = joined.totals.objective_eur;
  joined.plan.bound_eur = joined.totals.bound_eur;
  return point_of(joined);
}

bool no_worse(const ParetoPoint& a, const ParetoPoint& b) {
  const auto at_most = [](double x, double y) {
    return x <= y + kSame * std::max(std::abs(x), std::abs(y));
  };
  return at_most(a.cost_eur, b.cost_eur) && at_most(a.carbon_g, b.carbon_g) &&
         at_most(a.quality_eur, b.quality_eur);
}

ParetoFront Sweep::run() {
  std::vector<double> qualities = options_.qualities;
  if (qualities.empty()) {
    qualities = {1.0};
    if (chooses_quality(problem_.jobs)) qualities = {0.25, 1.0, 4.0};
  }
  std::sort(qualities.begin(), qualities.end());
  const int prices = options_.carbon_prices;
  expected_ = static_cast<double>(qualities.size()) * prices;
  double last = options_.last_eur_per_t;
  for (const double quality : qualities) {
    if (stopped() || !solve(0, quality)) break;
    if (last == 0) last = last_price();
    for (int k = 1; k < prices && !stopped(); ++k) {
      const double up = prices == 2 ? 1.0 : static_cast<double>(k - 1) / (prices - 2);
      solve(last * std::pow(10.0, kDecades * (up - 1)), quality);
    }
  }
  front_.stopped = !more_;
  if (!front_.broken.empty()) return std::move(front_);
  std::vector<ParetoPoint> all;
  for (const Found& own : found_) {
    if (more_) try {
        all.push_back(point(own));
        continue;
      } catch (const Stopped&) {
        more_ = false;
      }
    all.push_back(point_of(own));
  }
  std::stable_sort(all.begin(), all.end(), [](const ParetoPoint& a, const ParetoPoint& b) {
    return std::pair(a.quality_weight, a.carbon_price_eur_per_t) <
           std::pair(b.quality_weight, b.carbon_price_eur_per_t);
  });
  front_.stopped = !more_;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool beaten = false;
    for (std::size_t k = 0; k < all.size() && !beaten; ++k)
      beaten = k != i && no_worse(all[k], all[i]) && (k < i || !no_worse(all[i], all[k]));
    if (beaten)
      ++front_.left_out;
    else
      front_.points.push_back(all[i]);
  }
  return std::move(front_);
}

}  // namespace

Problem weighted(const Problem& problem, double carbon_price_eur_per_t, double quality_weight) {
  Problem out = problem;
  out.carbon_price_eur_per_t = carbon_price_eur_per_t;
  if (quality_weight == 1) return out;
  out.goals.quality_cap_eur *= quality_weight;
  const PlanJobs& jobs = problem.jobs;
  out.jobs = PlanJobs();
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    std::vector<PlanMode> modes;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
      modes.push_back(jobs.mode(i));
      modes.back().quality_eur *= quality_weight;
    }
    const std::vector<std::uint32_t>* sites = jobs.sites(j);
    const std::vector<double>* row = jobs.move_row(j);
    out.jobs.add(jobs.id(j), jobs.release(j), jobs.deadline(j), jobs.value(j), modes,
                 jobs.origin(j), jobs.move_flat(j),
                 sites == nullptr ? std::vector<std::uint32_t>{} : *sites,
                 row == nullptr ? std::vector<double>{} : *row);
  }
  return out;
}

ParetoFront pareto_front(const Problem& problem, const ParetoOptions& options) {
  if (options.carbon_prices < 2) throw InputError("carbon prices of a front: at least 2");
  if (!(options.last_eur_per_t >= 0 && options.last_eur_per_t <= kMost))
    throw InputError("last carbon price of a front: EUR per t, 0 to 1e6");
  for (const double weight : options.qualities)
    if (!(weight > 0 && weight <= kMost))
      throw InputError("weights of quality: above 0, at most 1e6");
  return Sweep(problem, options).run();
}

}  // namespace carnot::plan
