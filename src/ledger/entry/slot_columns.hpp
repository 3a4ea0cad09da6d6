// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The columns of a slot outside C++, for the store and the CSV file alike. Names end in the unit;
/// `schema.cpp` declares the same names in the same order (a test compares them).

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::ledger::detail {

/// Calls `put(name, value)` for each column after lane, policy and number; a value is a double
/// (NaN: none), a std::uint64_t, a bool, an Instant or a const std::string&.
template <class Put>
void for_each_column(const SlotEntry& s, Put&& put) {
  put("start_utc", s.start);
  put("length_s", s.length.time().in(second));
  put("total_j", s.total.in(joule));
  put("exported_j", s.exported.in(joule));
  put("own_used_j", s.own_used.in(joule));
  put("charged_j", s.charged.in(joule));
  put("discharged_j", s.discharged.in(joule));
  put("grid_j", s.grid.in(joule));
  put("curtailed_j", s.curtailed.in(joule));
  put("facility_j", s.facility.in(joule));
  put("battery_charge_j", s.battery_charge.in(joule));
  put("battery_loss_j", s.battery_loss.in(joule));
  put("carbon_g", s.carbon.in(gram));
  put("cost_eur", s.cost.in(euro));
  put("mode", s.mode);
  put("throttle", s.throttle);
  put("steps", s.steps);
  put("operations", s.operations.in(operation));
  put("moved_b", s.bytes_moved.in(byte));
  put("loss_bits", s.loss);
  put("noise_share", s.noise_share);
  put("cap_violation", s.cap_violation);
}

}  // namespace carnot::ledger::detail
