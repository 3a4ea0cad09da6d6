// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A mode: one way to do the same work. The vector of modes of a job is its trade-off surface of
/// power, speed and quality; policies choose among them, learners carry them out.
///
/// Running at throttle u in [0, 1] a mode does `u * steps_per_second` steps of work a second and
/// draws IT power  `static_power + u * dynamic_power`  (the hall's idle share is in
/// `static_power`). Energy of one step at throttle u:  (static_power / u + dynamic_power) /
/// steps_per_second.

#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::site {

struct Mode {
  std::string name;               ///< "f32", "bf16", "int8", "int4", ...
  int bits = 32;                  ///< nominal precision, for rules and plots
  double steps_per_second = 0.0;  ///< at full throttle, site time, > 0
  Power static_power;             ///< IT power while on, whatever the throttle, >= 0
  Power dynamic_power;            ///< IT power added at full throttle, > 0
  int data_bits = 0;              ///< of the copy of the data that it reads; 0: `bits`
  Energy first_use = {};  ///< dynamic energy of making that copy when no mode has made it yet, and
                          ///< of converting the coefficients

  /// Bits of the copy of the data that it reads.
  int copy_bits() const noexcept { return data_bits > 0 ? data_bits : bits; }
  Power power(double throttle) const noexcept { return static_power + throttle * dynamic_power; }
  /// Dynamic energy of one step.
  Energy step_energy() const noexcept { return dynamic_power * second / steps_per_second; }
};

}  // namespace carnot::site
