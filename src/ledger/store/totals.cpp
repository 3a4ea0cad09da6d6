// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "carnot/ledger/store/store.hpp"

#include "ledger/store/lanes.hpp"

namespace carnot::ledger {
namespace {

/// Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54
/// (1974): a running sum with the rounding errors beside it.
template <class Q>
class Sum {
 public:
  void add(Q term) noexcept {
    const double x = term.base(), next = sum_ + x;
    lost_ += std::abs(sum_) >= std::abs(x) ? (sum_ - next) + x : (x - next) + sum_;
    sum_ = next;
  }
  Q value() const noexcept { return Q::from_base(sum_ + lost_); }

 private:
  double sum_ = 0.0, lost_ = 0.0;
};

template <class Q>
Q sum(const std::vector<const SlotEntry*>& slots, Q SlotEntry::*part) {
  Sum<Q> all;
  for (const SlotEntry* s : slots) all.add(s->*part);
  return all.value();
}

struct ModeSums {
  Sum<Time> time;
  Sum<Energy> energy;
};

LaneTotals lane_totals(const detail::LaneView& lane) {
  const auto& slots = lane.slots;
  LaneTotals t;
  t.policy = lane.begin->policy;
  t.total = sum(slots, &SlotEntry::total);
  t.exported = sum(slots, &SlotEntry::exported);
  t.own_used = sum(slots, &SlotEntry::own_used);
  t.charged = sum(slots, &SlotEntry::charged);
  t.discharged = sum(slots, &SlotEntry::discharged);
  t.grid = sum(slots, &SlotEntry::grid);
  t.curtailed = sum(slots, &SlotEntry::curtailed);
  t.facility = sum(slots, &SlotEntry::facility);
  t.battery_loss = sum(slots, &SlotEntry::battery_loss);
  t.carbon = sum(slots, &SlotEntry::carbon);
  t.cost = sum(slots, &SlotEntry::cost);
  if (slots.empty()) return t;

  // Unsigned, so that absurd instants of a foreign journal wrap instead of being undefined.
  const auto ticks = [](auto moment) { return static_cast<std::uint64_t>(moment); };
  t.duration = Duration::nanoseconds(
                   static_cast<std::int64_t>(ticks(slots.back()->start.unix_nanoseconds()) +
                                             ticks(slots.back()->length.nanoseconds()) -
                                             ticks(slots.front()->start.unix_nanoseconds())))
                   .time();
  t.steps = slots.back()->steps;
  std::vector<std::string> order;
  std::map<std::string, ModeSums> modes;
  for (const SlotEntry* s : slots) {
    t.cap_violations += s->cap_violation ? 1 : 0;
    t.worst_residual = std::max(t.worst_residual, balance_residual(*s));
    const auto [mode, is_new] = modes.try_emplace(s->mode);
    if (is_new) order.push_back(s->mode);
    mode->second.time.add(s->length.time());
    mode->second.energy.add(s->facility);
  }
  for (const std::string& mode : order) {
    t.mode_time.emplace_back(mode, modes[mode].time.value());
    t.mode_energy.emplace_back(mode, modes[mode].energy.value());
  }
  return t;
}

}  // namespace

std::vector<LaneTotals> totals(const std::vector<Entry>& entries) {
  std::vector<LaneTotals> all;
  for (const detail::LaneView& lane : detail::group(entries, false).lanes)
    all.push_back(lane_totals(lane));
  return all;
}

}  // namespace carnot::ledger
