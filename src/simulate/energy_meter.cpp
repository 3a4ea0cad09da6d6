// SPDX-License-Identifier: Apache-2.0
#include "simulate/energy_meter.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::simulate {

namespace {

enum {
  kIt,
  kIdle,
  kFacility,
  kOwnTotal,
  kOwnUsed,
  kExported,
  kCurtailed,
  kChargedOwn,
  kChargedGrid,
  kDischarged,
  kGrid,
  kCarbon,
  kCost,
  kNodeTime,
};

double watts(std::int64_t mw) { return 1e-3 * static_cast<double>(mw); }

}  // namespace

SiteMeter::SiteMeter(const FleetScenario& scenario, const FleetSite& site, Instant begin)
    : site_(&site),
      series_start_(scenario.series_start.unix_nanoseconds()),
      step_(scenario.step.nanoseconds()) {
  state_.at = begin.unix_nanoseconds();
  state_.battery = state_.battery_begin =
      site.battery.initial_charge * site.battery.capacity.in(joule);
  enter_step();
}

void SiteMeter::enter_step() {
  const Duration since = Duration::nanoseconds(state_.at - series_start_);
  const std::int64_t number = since / Duration::nanoseconds(step_);
  const auto n = static_cast<std::int64_t>(site_->price.size());
  index_ = static_cast<std::size_t>((number % n + n) % n);
  step_end_ = series_start_ + (number + 1) * step_;
}

std::size_t SiteMeter::step_at(Instant at) const noexcept {
  if (at.unix_nanoseconds() < step_end_) return index_;
  const auto n = static_cast<std::int64_t>(site_->price.size());
  const std::int64_t further = (at.unix_nanoseconds() - step_end_) / step_ + 1;
  return static_cast<std::size_t>((static_cast<std::int64_t>(index_) + further) % n);
}

void SiteMeter::restore(const State& state) {
  state_ = state;
  enter_step();
}

Power SiteMeter::facility(Instant at) const {
  return site_->hall.facility_power(watts(state_.load.it_mw) * watt, site_->outside[step_at(at)]);
}

Energy SiteMeter::battery_at(Instant at) const {
  SiteMeter copy = *this;
  copy.advance(at);
  return copy.state_.battery * joule;
}

void SiteMeter::set_load(Instant at, const SiteLoad& load) {
  advance(at);
  state_.load = load;
}

void SiteMeter::command_battery(Instant at, control::BatteryCommand command) {
  advance(at);
  state_.command = static_cast<std::int32_t>(command);
}

void SiteMeter::begin_call(Instant at, const control::ReserveCall& call) {
  advance(at);
  state_.calling = call.down ? 1 : -1;
  state_.call_power = call.power.in(watt);
  state_.call_base = facility(at).in(watt);
}

void SiteMeter::end_call(Instant at) {
  advance(at);
  state_.calling = 0;
}

void SiteMeter::advance(Instant to) {
  const std::int64_t until = to.unix_nanoseconds();
  while (state_.at < until) {
    book(std::min(until, step_end_));
    if (state_.at == step_end_) {
      index_ = index_ + 1 == site_->price.size() ? 0 : index_ + 1;
      step_end_ += step_;
    }
  }
}

// One segment inside one step.
void SiteMeter::book(std::int64_t until) {
  const double seconds = 1e-9 * static_cast<double>(until - state_.at);
  state_.at = until;
  const double it = watts(state_.load.it_mw);
  const double facility = site_->hall.facility_power(it * watt, site_->outside[index_]).in(watt);
  add(kIt, it * seconds);
  add(kIdle, watts(state_.load.idle_mw) * seconds);
  add(kFacility, facility * seconds);
  add(kNodeTime, static_cast<double>(state_.load.held) * seconds);
  state_.peak = std::max(state_.peak, facility);
  if (state_.calling != 0) {
    const double given = state_.calling * (state_.call_base - facility);
    state_.call_asked += state_.call_power * seconds;
    state_.call_short += std::max(0.0, state_.call_power - given) * seconds;
  }
  if (site_->own.empty() && site_->battery.capacity == Energy{}) {
    const double grid = facility * seconds;
    add(kGrid, grid);
    add(kCarbon, grid * site_->carbon[index_].base());
    add(kCost, grid * site_->price[index_].base());
  } else {
    book_own(facility, seconds);
  }
}

// Own power first, then the battery, then the grid; cut where the battery runs full or empty.
void SiteMeter::book_own(double facility, double seconds) {
  const site::BatteryOptions& battery = site_->battery;
  const double total = site_->own.empty() ? 0.0 : std::max(0.0, site_->own[index_].in(watt));
  const double limit = site_->export_limit.in(watt);
  const bool all_own = site_->computing_uses == site::ComputingUses::AllOwn;
  const double available = all_own ? total : std::max(0.0, total - limit);
  const double used = std::min(facility, available);
  // Exactly zero where computing takes all it may: a battery never takes and gives at once.
  const double surplus = available - used;
  const double exported = all_own ? std::min(surplus, limit) : std::min(total, limit);
  const double rest = all_own ? surplus - exported : surplus;
  const double need = facility - used;
  const double capacity = battery.capacity.in(joule);
  const auto command = static_cast<control::BatteryCommand>(state_.command);

  while (seconds > 0.0) {
    double from_own = 0.0, from_grid = 0.0, given = 0.0, span = seconds;
    double level = state_.battery;
    if (level < capacity) {
      const double most = battery.charge_limit.in(watt);
      from_own = std::min(rest, most);
      if (command == control::BatteryCommand::Fill) from_grid = most - from_own;
    }
    const double stored = battery.charge_efficiency * (from_own + from_grid);
    if (stored > 0.0) {
      const double to_full = (capacity - level) / stored;
      span = std::min(span, to_full);
      level = to_full <= seconds ? capacity : level + stored * span;
    } else if (command == control::BatteryCommand::Auto && need > 0.0 && level > 0.0) {
      given = std::min(need, battery.discharge_limit.in(watt));
      const double drawn = given / battery.discharge_efficiency;
      const double to_empty = drawn > 0.0 ? level / drawn : 2.0 * span;
      span = std::min(span, to_empty);
      level = to_empty <= seconds ? 0.0 : level - drawn * span;
    }
    const double grid = need - given + from_grid;
    add(kOwnTotal, total * span);
    add(kOwnUsed, used * span);
    add(kExported, exported * span);
    add(kCurtailed, (rest - from_own) * span);
    add(kChargedOwn, from_own * span);
    add(kChargedGrid, from_grid * span);
    add(kDischarged, given * span);
    add(kGrid, grid * span);
    add(kCarbon, grid * span * site_->carbon[index_].base());
    add(kCost, grid * span * site_->price[index_].base());
    state_.battery = level;
    seconds -= span;
  }
}

FleetFlows SiteMeter::flows() const {
  const auto at = [&](int which) { return state_.sums[static_cast<std::size_t>(which)].value(); };
  FleetFlows f;
  f.it = at(kIt) * joule;
  f.idle = at(kIdle) * joule;
  f.facility = at(kFacility) * joule;
  f.own_total = at(kOwnTotal) * joule;
  f.own_used = at(kOwnUsed) * joule;
  f.exported = at(kExported) * joule;
  f.curtailed = at(kCurtailed) * joule;
  f.charged_own = at(kChargedOwn) * joule;
  f.charged_grid = at(kChargedGrid) * joule;
  f.discharged = at(kDischarged) * joule;
  f.battery_begin = state_.battery_begin * joule;
  f.battery_end = state_.battery * joule;
  f.grid = at(kGrid) * joule;
  f.carbon = at(kCarbon) * gram;
  f.cost = at(kCost) * euro;
  f.node_time = at(kNodeTime) * second;
  f.call_asked = state_.call_asked.value() * joule;
  f.call_short = state_.call_short.value() * joule;
  f.peak = state_.peak * watt;
  const site::BatteryOptions& battery = site_->battery;
  const auto gap = [](Energy left, Energy right, Energy scale) {
    return scale > Energy{} ? abs(left - right) / scale : 0.0;
  };
  const Energy in = battery.charge_efficiency * (f.charged_own + f.charged_grid);
  const Energy out = f.discharged / battery.discharge_efficiency;
  f.balance_residual = std::max(
      {gap(f.own_total, f.own_used + f.charged_own + f.exported + f.curtailed, f.own_total),
       gap(f.facility + f.charged_grid, f.own_used + f.discharged + f.grid,
           f.facility + f.charged_grid),
       gap(f.battery_end - f.battery_begin, in - out, in + out)});
  return f;
}

}  // namespace carnot::simulate
