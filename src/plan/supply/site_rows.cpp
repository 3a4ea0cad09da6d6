// SPDX-License-Identifier: Apache-2.0
#include "plan/supply/site_rows.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

constexpr double kBroken = 1e-7;  // of a limit; less is rounding

double dot(const SiteWeights& a, const SiteWeights& b) {
  return a.money * b.money + a.carbon * b.carbon + a.own * b.own + a.grid * b.grid;
}

}  // namespace

void add_run(const Problem& problem, const JobRun& run, double sign, JobSums& sums) {
  for (const Piece& piece : run.pieces) {
    const std::size_t cell =
        piece.site * static_cast<std::size_t>(problem.slots) + static_cast<std::size_t>(piece.slot);
    sums.load[cell] += sign * piece.power_kw;
    if (piece.stoppable) sums.stoppable[cell] += sign * piece.power_kw;
  }
  sums.own.quality += sign * run.own.quality;
  sums.own.move += sign * run.own.move;
  sums.own.restart += sign * run.own.restart;
  sums.own.late += sign * run.own.late;
  sums.own.drop += sign * run.own.drop;
}

JobSums sums_of(const Problem& problem, std::span<const JobRun> runs) {
  JobSums sums;
  sums.load.resize(problem.sites.size() * static_cast<std::size_t>(problem.slots));
  sums.stoppable.resize(sums.load.size());
  for (const JobRun& run : runs) add_run(problem, run, 1.0, sums);
  return sums;
}

SiteRows::SiteRows(const SiteModel& model, const Weights& objective,
                   const std::vector<GoalRow>& goals, double penalty, solve::LinearProgram& program)
    : model_(model), objective_(objective), goals_(goals), penalty_(penalty), program_(program) {
  const std::size_t cells = model.sites() * model.slots();
  for (std::vector<int>* of : {&it_row_, &balance_row_, &reserve_row_, &grid_, &own_, &export_,
                               &first_piece_, &stoppable_})
    of->assign(cells, -1);
  batteries_.resize(model.sites());
  peak_row_.resize(model.sites());
  call_row_.resize(model.sites());
  offer_.resize(model.sites());
  add_goals();
  for (std::size_t s = 0; s < model.sites(); ++s) {
    for (std::size_t t = 0; t < model.slots(); ++t) add_cell(s, t);
    if (model.has_battery(s)) add_battery(s);
    add_charges(s);
    if (model.has_reserve(s)) add_reserve(s);
  }
  rows_ = program.rows();
  columns_ = program.columns();
  entries_ = program.entries().size();
}

int SiteRows::row(double lower, double upper) { return program_.add_row(lower, upper, {}); }

/// A column from zero up, by what each unit of it counts in objective and goals.
int SiteRows::column(double upper, const SiteWeights& per_unit, std::size_t t,
                     std::vector<solve::Share> shares) {
  for (std::size_t k = 0; k < goals_.size(); ++k) {
    const auto slot = static_cast<std::int32_t>(t);
    if (slot < goals_[k].from || slot >= goals_[k].to) continue;
    const double x = dot(goals_[k].weights.sites, per_unit) / goal_scale_[k];
    if (x != 0) shares.push_back({goal_row_[k], x});
  }
  return program_.add_column(0, upper, dot(objective_.sites, per_unit), shares);
}

void SiteRows::elastic(int row, double sign, double scale, std::string words) {
  const solve::Share share{row, sign};
  elastic_.push_back(
      {program_.add_column(0, kInfinity, penalty_ / scale, {&share, 1}), scale, std::move(words)});
}

void SiteRows::add_goals() {
  for (const GoalRow& goal : goals_) {
    const double scale = goal.limit == 0 ? 1.0 : std::abs(goal.limit);
    goal_scale_.push_back(scale);
    goal_row_.push_back(row(-kInfinity, goal.limit / scale));
    elastic(goal_row_.back(), -1.0, 1.0, goal.words);
  }
}

void SiteRows::add_cell(std::size_t s, std::size_t t) {
  const std::size_t i = cell(s, t);
  const PlanSite& site = model_.problem().sites[s];
  const SiteTerms& terms = model_.terms(s);
  const double h = model_.h(), base = model_.base(s, t);
  it_row_[i] = row(base, base);
  balance_row_[i] = row(terms.idle_kw, terms.idle_kw);
  for (std::size_t k = 0; k < model_.pieces(s); ++k) {
    const SiteWeights it{h * model_.it_cost(s), h * terms.it_g_per_kwh, 0, 0};
    const int piece = column(model_.width(s, t, k), it, t,
                             {{it_row_[i], 1}, {balance_row_[i], -model_.slope(s, t, k)}});
    if (k == 0) first_piece_[i] = piece;
  }
  const SiteWeights grid{h * model_.problem().grid_cost(s, t), h * site.carbon_g_per_kwh[t], 0, h};
  grid_[i] = column(model_.grid_most(s, t), grid, t, {{balance_row_[i], 1}});
  const SiteWeights own{0, 0, h, 0};
  const double limit = std::min(site.free_kw[t], model_.export_limit(s, t));
  if (limit > 0) {
    const int split = row(-kInfinity, site.free_kw[t]);
    own_[i] = column(site.free_kw[t], own, t, {{balance_row_[i], 1}, {split, 1}});
    export_[i] = column(limit, {-h * model_.export_price(s, t), 0, 0, 0}, t, {{split, 1}});
  } else {
    own_[i] = column(site.free_kw[t], own, t, {{balance_row_[i], 1}});
  }
  const double least = model_.facility(s, t, base);
  if (least > site.free_kw[t] + site.grid_limit_kw[t])
    elastic(
        balance_row_[i], 1.0, least,
        fmt::format("site {} slot {}: the {} kW that it draws without jobs", site.name, t, least));
}

void SiteRows::add_battery(std::size_t s) {
  const PlanBattery& battery = model_.terms(s).battery;
  Battery& to = batteries_[s];
  const double h = model_.h();
  for (std::size_t t = 0; t < model_.slots(); ++t) {
    // stored after - stored before - h (in - out) = 0, the first `before` being given.
    const double before = t == 0 ? battery.start_kwh : 0.0;
    const int stored = row(before, before), turns = row(-kInfinity, 1.0);
    to.stored_row.push_back(stored);
    const int balance = balance_row_[cell(s, t)];
    to.charge.push_back(column(
        battery.charge_kw, {}, t,
        {{balance, -1}, {stored, -h * battery.charge_efficiency}, {turns, 1 / battery.charge_kw}}));
    to.discharge.push_back(column(battery.discharge_kw, {h * battery.wear_eur_per_kwh, 0, 0, 0}, t,
                                  {{balance, 1},
                                   {stored, h / battery.discharge_efficiency},
                                   {turns, 1 / battery.discharge_kw}}));
  }
  for (std::size_t t = 0; t < model_.slots(); ++t) {
    std::vector<solve::Share> shares{{to.stored_row[t], 1.0}};
    const bool last = t + 1 == model_.slots();
    if (!last) shares.push_back({to.stored_row[t + 1], -1.0});
    program_.add_column(last ? battery.end_kwh : 0.0, battery.capacity_kwh, 0.0, shares);
    if (last && battery.end_kwh > battery.start_kwh)
      elastic(to.stored_row[t], -1.0, battery.end_kwh,
              fmt::format("site {}: a battery that ends at {} kWh", model_.problem().sites[s].name,
                          battery.end_kwh));
  }
}

void SiteRows::add_charges(std::size_t s) {
  for (const DemandCharge& charge : model_.terms(s).demand_charges) {
    std::vector<int>& rows = peak_row_[s].emplace_back();
    std::vector<solve::Share> shares;
    double most = 0;
    for (std::int32_t t = charge.from; t < charge.to; ++t) {
      const auto slot = static_cast<std::size_t>(t);
      const solve::Term grid{grid_[cell(s, slot)], -1.0};
      rows.push_back(program_.add_row(0, kInfinity, {&grid, 1}));
      shares.push_back({rows.back(), 1.0});
      most = std::max(most, model_.grid_most(s, slot));
    }
    column(most, {charge.eur_per_kw, 0, 0, 0}, static_cast<std::size_t>(charge.from), shares);
  }
}

void SiteRows::add_reserve(std::size_t s) {
  const std::size_t slots = model_.slots(), hold = model_.hold();
  for (std::size_t t = 0; t < slots; ++t) {
    reserve_row_[cell(s, t)] = row(0, 0);  // what jobs give - what may be called = 0
    stoppable_[cell(s, t)] =
        program_.add_column(0, model_.problem().sites[s].capacity_kw[t], 0.0,
                            std::vector<solve::Share>{{reserve_row_[cell(s, t)], -1.0}});
  }
  call_row_[s].assign(slots * hold, -1);
  for (std::size_t t = 0; t < slots; ++t) {
    std::vector<solve::Share> shares;
    const double owed = model_.committed(s, t);
    for (std::size_t k = 0; k < hold && t + k < slots; ++k) {
      const solve::Term there{stoppable_[cell(s, t + k)], 1.0};
      const int call = program_.add_row(owed, kInfinity, {&there, 1});
      call_row_[s][t * hold + k] = call;
      shares.push_back({call, -1.0});
      if (owed > 0)
        elastic(call, 1.0, owed,
                fmt::format("site {} slot {}: {} kW of committed reserve",
                            model_.problem().sites[s].name, t, owed));
    }
    offer_[s].push_back(
        column(model_.offer(s, t), {-model_.offer_price(s, t), 0, 0, 0}, t, shares));
  }
}

std::vector<solve::Share> SiteRows::shares(const JobRun& run) const {
  std::vector<solve::Share> out;
  const auto add = [&out](int row, double x) {
    for (solve::Share& share : out)
      if (share.row == row) {
        share.coefficient += x;
        return;
      }
    out.push_back({row, x});
  };
  for (const Piece& piece : run.pieces) {
    const std::size_t i = cell(piece.site, static_cast<std::size_t>(piece.slot));
    add(it_row_[i], -piece.power_kw);
    if (piece.stoppable && reserve_row_[i] >= 0) add(reserve_row_[i], piece.power_kw);
  }
  for (std::size_t k = 0; k < goals_.size(); ++k)
    if (const double x = weighted(goals_[k].weights.jobs, run.own); x != 0)
      out.push_back({goal_row_[k], x / goal_scale_[k]});
  return out;
}

void SiteRows::fix(const JobSums& sums) {
  for (std::size_t s = 0; s < model_.sites(); ++s)
    for (std::size_t t = 0; t < model_.slots(); ++t) {
      const std::size_t i = cell(s, t);
      const double it = std::max(0.0, model_.base(s, t) + sums.load[i]);
      double rest = it;
      const std::size_t last = model_.pieces(s) - 1;
      for (std::size_t k = 0; k <= last; ++k) {
        const double fill = k == last ? rest : std::min(rest, model_.width(s, t, k));
        program_.set_column(first_piece_[i] + static_cast<int>(k), fill, fill);
        rest -= fill;
      }
      program_.set_row(it_row_[i], it, it);
      if (reserve_row_[i] >= 0) {
        const double there = std::max(0.0, sums.stoppable[i]);
        program_.set_column(stoppable_[i], there, there);
        program_.set_row(reserve_row_[i], -there, -there);
      }
    }
  for (std::size_t k = 0; k < goals_.size(); ++k)
    program_.set_row(
        goal_row_[k], -kInfinity,
        (goals_[k].limit - weighted(goals_[k].weights.jobs, sums.own)) / goal_scale_[k]);
}

void SiteRows::sell(const std::vector<double>& price) {
  for (std::size_t i = 0; i < price.size(); ++i) {
    const solve::Share share{it_row_[i], -1.0};
    program_.add_column(-kInfinity, kInfinity, -price[i] * model_.h(), {&share, 1});
  }
  for (const int row : goal_row_) program_.set_row(row, -kInfinity, kInfinity);
  for (const std::vector<int>& rows : call_row_)
    for (const int row : rows)
      if (row >= 0) program_.set_row(row, -kInfinity, kInfinity);
}

std::vector<double> SiteRows::row_prices() const {
  std::vector<double> out(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    // Rounding must not make a price of a limit that is not there.
    const solve::LinearProgram::Bounds& bounds = program_.row_bounds()[i];
    const double y = program_.price(static_cast<int>(i));
    out[i] = std::clamp(y, std::isfinite(bounds.upper) ? -kInfinity : 0.0,
                        std::isfinite(bounds.lower) ? kInfinity : 0.0);
  }
  return out;
}

std::vector<double> SiteRows::goal_multipliers(const std::vector<double>& y) const {
  std::vector<double> out;
  for (std::size_t k = 0; k < goals_.size(); ++k)
    out.push_back(std::max(0.0, -y[static_cast<std::size_t>(goal_row_[k])]) / goal_scale_[k]);
  return out;
}

std::vector<double> SiteRows::reserve_prices(const std::vector<double>& y) const {
  std::vector<double> out(it_row_.size());
  for (std::size_t s = 0; s < model_.sites(); ++s)
    for (std::size_t i = 0; i < call_row_[s].size(); ++i)
      if (call_row_[s][i] >= 0)
        out[cell(s, i / model_.hold() + i % model_.hold())] +=
            std::max(0.0, y[static_cast<std::size_t>(call_row_[s][i])]);
  return out;
}

void SiteRows::multipliers(const std::vector<double>& y, Plan& plan) const {
  const double h = model_.h();
  const auto price = [&](int row) { return y[static_cast<std::size_t>(row)]; };
  plan.price.clear();
  for (const int row : it_row_) plan.price.push_back(price(row) / h);
  plan.site_multipliers.assign(model_.sites(), {});
  for (std::size_t s = 0; s < model_.sites(); ++s) {
    SiteMultipliers& to = plan.site_multipliers[s];
    for (std::size_t t = 0; t < model_.slots(); ++t)
      to.facility.push_back(price(balance_row_[cell(s, t)]) / h);
    for (const int row : batteries_[s].stored_row) to.stored.push_back(-price(row));
    for (const std::vector<int>& rows : peak_row_[s]) {
      std::vector<double>& peak = to.peak.emplace_back();
      for (const int row : rows) peak.push_back(std::max(0.0, price(row)));
    }
    for (const int row : call_row_[s])
      to.reserve.push_back(row < 0 ? 0.0 : std::max(0.0, price(row)));
  }
  // goal_rows() gives their order.
  const PlanGoals& goals = model_.problem().goals;
  const std::vector<double> of = goal_multipliers(y);
  auto next = of.begin();
  GoalMultipliers& to = plan.goal_multipliers = {};
  if (goals.carbon_cap_g < kInfinity) to.carbon = *next++;
  if (goals.energy_budget_kwh < kInfinity) to.energy = *next++;
  if (goals.quality_cap_eur < kInfinity) to.quality = *next++;
  if (goals.own_share > 0) {
    const auto rows = goals.own_share_each_slot ? static_cast<std::ptrdiff_t>(model_.slots()) : 1;
    to.own_share.assign(next, next + rows);
    next += rows;
  }
  to.held.assign(next, of.end());
}

double SiteRows::least(const std::vector<double>& y) const {
  double sum = 0;
  const auto add = [&sum](double slope, const solve::LinearProgram::Bounds& bounds) {
    const double end = slope > 0 ? bounds.lower : bounds.upper;
    // Elastic columns have no end; they are no part of the problem.
    if (slope != 0 && std::isfinite(end)) sum += slope * end;
  };
  std::vector<double> reduced(program_.costs().begin(),
                              program_.costs().begin() + static_cast<std::ptrdiff_t>(columns_));
  for (std::size_t i = 0; i < entries_; ++i) {
    const solve::LinearProgram::Entry& entry = program_.entries()[i];
    reduced[static_cast<std::size_t>(entry.column)] -=
        y[static_cast<std::size_t>(entry.row)] * entry.coefficient;
  }
  for (std::size_t i = 0; i < rows_; ++i) add(y[i], program_.row_bounds()[i]);
  for (std::size_t j = 0; j < columns_; ++j) add(reduced[j], program_.column_bounds()[j]);
  return sum;
}

std::vector<SiteFlows> SiteRows::flows() const {
  std::vector<SiteFlows> out(model_.sites());
  const auto value = [&](int column) { return std::max(0.0, program_.value(column)); };
  for (std::size_t s = 0; s < model_.sites(); ++s) {
    SiteFlows& to = out[s];
    for (std::size_t t = 0; t < model_.slots(); ++t) {
      const std::size_t i = cell(s, t);
      to.grid_kw.push_back(value(grid_[i]));
      to.own_kw.push_back(value(own_[i]));
      to.export_kw.push_back(export_[i] < 0 ? 0.0 : value(export_[i]));
      if (model_.has_battery(s)) {
        to.charge_kw.push_back(value(batteries_[s].charge[t]));
        to.discharge_kw.push_back(value(batteries_[s].discharge[t]));
      }
      if (model_.has_reserve(s))
        to.reserve_kw.push_back(model_.committed(s, t) + value(offer_[s][t]));
    }
  }
  return out;
}

std::vector<std::pair<std::string, double>> SiteRows::broken() const {
  std::vector<std::pair<std::string, double>> out;
  for (const Elastic& e : elastic_)
    if (const double share = program_.value(e.column) / e.scale; share > kBroken)
      out.emplace_back(e.words, share);
  return out;
}

std::vector<double> row_prices_at(const SiteModel& model, const Weights& objective,
                                  const std::vector<GoalRow>& goals,
                                  const std::vector<double>& price, const StopToken& stop) {
  solve::LinearProgram program;
  SiteRows rows(model, objective, goals, 0.0, program);
  rows.sell(price);
  const solve::ProgramAnswer answer = program.solve(stop);
  if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
  CARNOT_CHECK(answer.status == solve::ProgramStatus::Optimal, "sites alone have a best answer");
  return rows.row_prices();
}

std::vector<SiteFlows> exact_flows(const SiteModel& model, const JobSums& sums,
                                   std::vector<SiteFlows> flows) {
  const double h = model.h();
  for (std::size_t s = 0; s < model.sites(); ++s) {
    const PlanSite& site = model.problem().sites[s];
    const PlanBattery& battery = model.terms(s).battery;
    SiteFlows& to = flows[s];
    double stored = battery.start_kwh;
    for (std::size_t t = 0; t < model.slots(); ++t) {
      const std::size_t i = s * model.slots() + t;
      double needs = model.facility(s, t, model.base(s, t) + std::max(0.0, sums.load[i]));
      if (model.has_battery(s)) {
        double& charge = to.charge_kw[t];
        double& discharge = to.discharge_kw[t];
        // Both in one slot: what is given makes room for what is taken, and the other way about.
        const double both = battery.charge_efficiency * battery.discharge_efficiency;
        const double room =
            std::max(0.0, (battery.capacity_kwh - stored) / (h * battery.charge_efficiency));
        const double kept = stored * battery.discharge_efficiency / h;
        charge = std::clamp(charge, 0.0, battery.charge_kw);
        discharge = std::min({discharge, kept + charge * both,
                              battery.discharge_kw * (1 - charge / battery.charge_kw)});
        discharge = std::clamp(discharge, 0.0, needs + charge);
        charge = std::min(charge, room + discharge / both);
        if (discharge > needs + charge) {
          charge = std::min(charge, room);
          discharge = std::max(0.0, std::min({discharge, kept, needs + charge}));
        }
        stored +=
            h * (charge * battery.charge_efficiency - discharge / battery.discharge_efficiency);
        // A battery that gives all that is needed leaves nothing, or rounding below it.
        needs = std::max(0.0, needs + (charge - discharge));
      }
      const double least_own = std::max(0.0, needs - site.grid_limit_kw[t]);
      to.own_kw[t] =
          std::clamp(to.own_kw[t], std::min(least_own, needs), std::min(site.free_kw[t], needs));
      to.grid_kw[t] = needs - to.own_kw[t];
      to.export_kw[t] = std::clamp(
          to.export_kw[t], 0.0,
          std::min(model.export_limit(s, t), std::max(0.0, site.free_kw[t] - to.own_kw[t])));
      if (to.reserve_kw.empty()) continue;
      double there = to.reserve_kw[t];
      for (std::size_t k = 0; k < model.hold() && t + k < model.slots(); ++k)
        there = std::min(there, sums.stoppable[i + k]);
      to.reserve_kw[t] =
          std::clamp(there, model.committed(s, t), model.committed(s, t) + model.offer(s, t));
    }
  }
  return flows;
}

SiteProgram::SiteProgram(const SiteModel& model, const Weights& objective,
                         const std::vector<GoalRow>& goals, double penalty)
    : objective_(objective), rows_(model, objective, goals, penalty, program_) {}

double SiteProgram::evaluate(const JobSums& sums, const StopToken& stop) {
  rows_.fix(sums);
  const solve::ProgramAnswer answer = program_.solve(stop);
  if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
  // Jobs that rounding lets pass together may be too much for a site by a hair.
  if (answer.status != solve::ProgramStatus::Optimal) return kInfinity;
  return answer.objective + weighted(objective_.jobs, sums.own);
}

}  // namespace carnot::plan
