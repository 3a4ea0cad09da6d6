// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/tradeoff.hpp"

#include <algorithm>

#include "carnot/base/error.hpp"

namespace carnot::experiment {

namespace {

bool same_setting(const Mode& m, const ExperimentPoint& p) {
  return m.precision == p.precision && m.hidden == p.hidden && m.epochs == p.epochs &&
         m.tree.trees == p.tree.trees && m.tree.leaves == p.tree.leaves &&
         m.tree.depth == p.tree.depth && m.tree.bins == p.tree.bins;
}

bool beats(const Mode& a, const Mode& b) {
  const bool no_worse = a.quality >= b.quality && a.energy <= b.energy && a.time <= b.time;
  return no_worse && (a.quality > b.quality || a.energy < b.energy || a.time < b.time);
}

double power_of(const Mode& m) { return m.energy.in(joule) / m.time.in(second); }

}  // namespace

TradeoffResult tradeoff(const ExperimentResult& result) {
  if (result.points.empty()) throw InputError(describe({}, "modes", "at least one run"));
  TradeoffResult out;
  out.command = result.command;
  out.learner = result.learner;
  out.data_source = result.data_source;
  out.rows = result.train_rows;
  out.metric = result.points.front().quality.metric;
  out.stopped = result.stopped;
  for (const ExperimentPoint& p : result.points) {
    if (p.diverged || !(p.modelled_time > Time{}) || !(p.energy.value() > Energy{})) continue;
    auto at = std::find_if(out.modes.begin(), out.modes.end(),
                           [&](const Mode& m) { return same_setting(m, p); });
    if (at == out.modes.end()) {
      Mode m;
      m.precision = p.precision;
      m.hidden = p.hidden;
      m.tree = p.tree;
      m.epochs = p.epochs;
      m.quality_low = p.quality_low;
      m.quality_high = p.quality_high;
      at = out.modes.insert(out.modes.end(), m);
    }
    at->quality += p.quality.value;
    at->energy += p.energy.value();
    at->time += p.modelled_time;
    ++at->seeds;
  }
  if (out.modes.empty())
    throw InputError(describe({}, "modes", "at least one run that does not diverge"));
  for (Mode& m : out.modes) {
    m.quality /= m.seeds;
    m.energy = m.energy / static_cast<double>(m.seeds);
    m.time = m.time / static_cast<double>(m.seeds);
    m.rows_per_second = m.epochs * static_cast<double>(out.rows) / m.time.in(second);
  }
  std::stable_sort(out.modes.begin(), out.modes.end(), [](const Mode& a, const Mode& b) {
    return a.quality != b.quality ? a.quality > b.quality : a.energy < b.energy;
  });
  const Mode best = out.modes.front();
  for (Mode& m : out.modes) {
    m.in_front = std::none_of(out.modes.begin(), out.modes.end(),
                              [&](const Mode& other) { return beats(other, m); });
    m.relative_time = m.time / best.time;
    m.relative_power = power_of(m) / power_of(best);
  }
  return out;
}

BudgetResult best_under(const ExperimentOptions& options, const learn::Split& split,
                        const std::vector<Energy>& budgets) {
  for (std::size_t i = 0; i < budgets.size(); ++i)
    if (!(budgets[i] > (i > 0 ? budgets[i - 1] : Energy{})))
      throw InputError(describe({}, "budgets", "rising energies above 0"));
  if (budgets.empty()) throw InputError(describe({}, "budgets", "at least one energy"));
  BudgetResult out;
  for (const Energy budget : budgets) {
    ExperimentOptions o = options;
    o.budget = budget;
    const ExperimentResult r = run_experiment(o, split);
    if (r.stopped || r.points.empty()) throw Stopped();
    out.command = r.command;
    out.learner = r.learner;
    out.data_source = r.data_source;
    const ExperimentPoint& p = r.points[r.best];
    out.metric = p.quality.metric;
    BudgetPoint point;
    point.budget = budget;
    point.spent = p.energy.value();
    point.precision = p.precision;
    point.hidden = p.hidden;
    point.model_trees = p.model_trees;
    point.quality = p.quality.value;
    point.quality_low = p.quality_low;
    point.quality_high = p.quality_high;
    point.epochs = p.epochs;
    point.stopped = p.stopped;
    out.points.push_back(point);
  }
  return out;
}

}  // namespace carnot::experiment
