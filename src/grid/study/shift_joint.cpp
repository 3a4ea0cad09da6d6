// SPDX-License-Identifier: Apache-2.0
#include "grid/study/shift_joint.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

constexpr double kBroken = 1e-7;  ///< of a limit, MW
constexpr int kMostRounds = 100;

bool same_steps(const std::vector<SupplyCurves::Step>& a,
                const std::vector<SupplyCurves::Step>& b) {
  const auto same = [](const SupplyCurves::Step& x, const SupplyCurves::Step& y) {
    return x.from_mw == y.from_mw && x.to_mw == y.to_mw && x.cost_per_mwh == y.cost_per_mwh &&
           x.co2_kg_per_mwh == y.co2_kg_per_mwh;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

/// The part of a step that lies below `output_mw`.
double within(const std::vector<SupplyCurves::Step>& steps, std::size_t k, double output_mw) {
  const double above = output_mw - steps[k].from_mw;
  if (k > 0 && above < 0.0) return 0.0;
  return k + 1 == steps.size() ? above : std::min(above, steps[k].to_mw - steps[k].from_mw);
}

}  // namespace

JointDispatch::JointDispatch(const Grid& grid, const ShiftOptions& options,
                             double carbon_price_per_t, std::size_t hours)
    : grid_(grid), options_(options) {
  validate(grid, grid.name.empty() ? "grid" : grid.name);
  const std::vector<bool> references = reference_buses(grid);
  if (std::count(references.begin(), references.end(), true) != 1)
    throw InputError("grid: one island, where hours are planned together");
  factors_ = transfer_factors(grid, BranchModel::ResistanceKept);
  for (const GridBranch& branch : grid.branches)
    limits_.push_back(
        flow_limits(branch, branch_line(branch, grid.base_mva, BranchModel::ResistanceKept)));
  const SupplyCurves curves(grid, carbon_price_per_t);
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    const std::vector<SupplyCurves::Step> steps = curves.steps(g);
    const auto there = std::find_if(units_.begin(), units_.end(), [&](const Unit& unit) {
      return unit.bus == grid.generators[g].bus && same_steps(unit.steps, steps);
    });
    if (there == units_.end())
      units_.push_back({{g}, steps, grid.generators[g].bus});
    else
      there->generators.push_back(g);
  }
  const std::vector<double> nothing(grid.generators.size(), 0.0);
  const SupplyCurves::Rate idle = curves.total(nothing);
  idle_per_h_ = idle.cost_per_h + carbon_price_per_t / 1000.0 * idle.co2_kg_per_h;
  std::vector<solve::Term> all;
  std::vector<std::vector<solve::Term>> own(options.sites.size());
  for (std::size_t t = 0; t < hours; ++t) {
    Hour hour;
    std::vector<solve::Term> balance;
    for (const Unit& unit : units_) {
      hour.output.emplace_back();
      for (const SupplyCurves::Step& step : unit.steps) {
        const double price = step.cost_per_mwh + carbon_price_per_t / 1000.0 * step.co2_kg_per_mwh;
        hour.output.back().push_back(program_.add_column(0.0, 0.0, price));
        balance.push_back({hour.output.back().back(), 1.0});
      }
    }
    for (std::size_t b = 0; b < grid.buses.size(); ++b) {
      hour.shed.push_back(program_.add_column(0.0, 0.0, options.shed_price_per_mwh));
      balance.push_back({hour.shed.back(), 1.0});
    }
    for (std::size_t s = 0; s < options.sites.size(); ++s) {
      hour.load.push_back(program_.add_column(0.0, 0.0, 0.0));
      balance.push_back({hour.load.back(), -1.0});
      hour.unserved.push_back(
          program_.add_row(-kInfinity, 0.0,
                           std::array{solve::Term{hour.shed[options.sites[s].bus], 1.0},
                                      solve::Term{hour.load.back(), -1.0}}));
      own[s].push_back({hour.load.back(), 1.0});
      all.push_back({hour.load.back(), 1.0});
    }
    hour.limit.assign(grid.branches.size(), -1);
    hour.balance = program_.add_row(0.0, 0.0, balance);
    hours_.push_back(std::move(hour));
  }
  for (const std::vector<solve::Term>& terms : own)
    own_.push_back(program_.add_row(0.0, kInfinity, terms));
  total_ = program_.add_row(0.0, 0.0, all);
}

/// Of demand alone, without anything that is decided.
std::vector<double> JointDispatch::fixed_flow(const GridState& state) const {
  std::vector<double> flow(grid_.branches.size(), 0.0);
  for (std::size_t l = 0; l < flow.size(); ++l)
    for (std::size_t b = 0; b < grid_.buses.size(); ++b)
      flow[l] -= factors_[l][b] * (state.demand_mw[b] + grid_.buses[b].shunt_mw);
  return flow;
}

void JointDispatch::set_limit(const Hour& hour, std::size_t l, double fixed_mw) {
  program_.set_row(hour.limit[l], limits_[l].lower_mw - fixed_mw, limits_[l].upper_mw - fixed_mw);
}

void JointDispatch::add_limit(Hour& hour, std::size_t l) {
  std::vector<solve::Term> terms;
  const auto add = [&](int column, std::size_t bus, double sign) {
    if (factors_[l][bus] != 0.0) terms.push_back({column, sign * factors_[l][bus]});
  };
  for (std::size_t u = 0; u < units_.size(); ++u)
    for (const int column : hour.output[u]) add(column, units_[u].bus, 1.0);
  for (std::size_t b = 0; b < hour.shed.size(); ++b) add(hour.shed[b], b, 1.0);
  for (std::size_t s = 0; s < hour.load.size(); ++s) add(hour.load[s], options_.sites[s].bus, -1.0);
  hour.limit[l] = program_.add_row(-kInfinity, kInfinity, terms);
}

void JointDispatch::apply(const std::vector<GridState>& states, const WindowWork& work) {
  for (std::size_t t = 0; t < hours_.size(); ++t) {
    const Hour& hour = hours_[t];
    const GridState& state = states[t];
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const std::vector<SupplyCurves::Step>& steps = units_[u].steps;
      for (std::size_t k = 0; k < steps.size(); ++k) {
        double lower = 0.0, upper = 0.0;
        for (const std::size_t g : units_[u].generators) {
          lower += within(steps, k, state.minimum_mw[g]);
          upper += within(steps, k, state.maximum_mw[g]);
        }
        program_.set_column(hour.output[u][k], lower, upper);
      }
    }
    double demand = 0.0;
    for (std::size_t b = 0; b < grid_.buses.size(); ++b) {
      demand += state.demand_mw[b] + grid_.buses[b].shunt_mw;
      program_.set_column(hour.shed[b], 0.0, std::max(0.0, state.demand_mw[b]));
    }
    program_.set_row(hour.balance, demand, demand);
    for (std::size_t s = 0; s < hour.load.size(); ++s) {
      const std::size_t bus = options_.sites[s].bus;
      const double demand_here = std::max(0.0, state.demand_mw[bus]);
      program_.set_column(hour.load[s], 0.0, work.room_mw[s][t]);
      program_.set_column(hour.shed[bus], 0.0, kInfinity);
      program_.set_row(hour.unserved[s], -kInfinity, demand_here);
    }
    const std::vector<double> fixed = fixed_flow(state);
    for (std::size_t l = 0; l < fixed.size(); ++l)
      if (hour.limit[l] >= 0) set_limit(hour, l, fixed[l]);
  }
  for (std::size_t s = 0; s < own_.size(); ++s)
    program_.set_row(own_[s], work.own_mwh[s], kInfinity);
  program_.set_row(total_, work.total_mwh, work.total_mwh);
}

bool JointDispatch::refine(const std::vector<GridState>& states) {
  bool broken = false;
  for (std::size_t t = 0; t < hours_.size(); ++t) {
    Hour& hour = hours_[t];
    std::vector<double> injection(grid_.buses.size(), 0.0);
    for (std::size_t u = 0; u < units_.size(); ++u)
      for (const int column : hour.output[u]) injection[units_[u].bus] += program_.value(column);
    for (std::size_t b = 0; b < injection.size(); ++b) injection[b] += program_.value(hour.shed[b]);
    for (std::size_t s = 0; s < hour.load.size(); ++s)
      injection[options_.sites[s].bus] -= program_.value(hour.load[s]);
    std::vector<double> flow = fixed_flow(states[t]);
    for (std::size_t l = 0; l < flow.size(); ++l) {
      if (hour.limit[l] >= 0) continue;
      const double fixed = flow[l];
      for (std::size_t b = 0; b < injection.size(); ++b) flow[l] += factors_[l][b] * injection[b];
      if (flow[l] <= limits_[l].upper_mw + kBroken && flow[l] >= limits_[l].lower_mw - kBroken)
        continue;
      add_limit(hour, l);
      set_limit(hour, l, fixed);
      broken = true;
    }
  }
  return broken;
}

JointAnswer JointDispatch::solve(const std::vector<GridState>& states, const WindowWork& work) {
  CARNOT_CHECK(states.size() == hours_.size(), "a state for each hour of the window");
  apply(states, work);
  solve::ProgramAnswer answer;
  int rounds = 0;
  do answer = program_.solve(options_.stop);
  while (answer.status == solve::ProgramStatus::Optimal && ++rounds < kMostRounds &&
         refine(states));
  if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
  double demand = 0.0;
  for (const GridState& state : states)
    for (const double mw : state.demand_mw) demand = std::max(demand, std::abs(mw));
  JointAnswer joint;
  joint.why = rounds == kMostRounds ? "limits of branches kept being broken"
                                    : solve::fault_of(answer, std::max(1.0, demand));
  if (!joint.why.empty()) return joint;
  joint.objective = answer.objective + idle_per_h_ * static_cast<double>(hours_.size());
  for (std::size_t s = 0; s < options_.sites.size(); ++s) {
    joint.placed_mw.emplace_back();
    for (std::size_t t = 0; t < hours_.size(); ++t)
      joint.placed_mw.back().push_back(
          std::clamp(program_.value(hours_[t].load[s]), 0.0, work.room_mw[s][t]));
  }
  return joint;
}

}  // namespace carnot::grid
