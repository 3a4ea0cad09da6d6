// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/bucket.hpp"

namespace carnot::live {

Energy EnergyBucket::starts_at() const noexcept {
  if (draw_ <= inflow_) return {};
  const Time slice = max(options_.shortest, (inflow_ / draw_) * options_.cycle);
  return slice * (draw_ - inflow_);
}

void EnergyBucket::advance(Energy offered, Energy used, Power inflow, Power draw) noexcept {
  inflow_ = inflow;
  if (draw > Power{}) draw_ = draw;
  level_ += offered - used;
  const Energy room = inflow > Power{} ? max(options_.burst * inflow, 1.5 * starts_at()) : Energy{};
  if (level_ > room) {
    spilled_ += level_ - room;
    level_ = room;
  }
  run_ = inflow > Power{} && (run_ ? level_ > Energy{} : level_ >= starts_at());
}

Time EnergyBucket::until_change() const noexcept {
  if (inflow_ <= Power{}) return -1.0 * second;
  if (run_) return draw_ > inflow_ ? max(Time{}, level_ / (draw_ - inflow_)) : -1.0 * second;
  return max(Time{}, (starts_at() - level_) / inflow_);
}

}  // namespace carnot::live
