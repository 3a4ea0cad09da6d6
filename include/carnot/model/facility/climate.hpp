// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Hours of outside air: of a named climate out of a seed, or of a measured record.
///
/// A named climate is a year of 8760 hours: dry bulb from the weather generator
/// (carnot/trace/weather/generate.hpp) with the climate's mean, season, day and noise; dew point a
/// fixed depression below the day's coldest hour, as on most days dew or mist of the morning tells
/// the day's vapour. Five climates, of the size of well-known places: what a plant does in them is
/// plausible, not a forecast of any place. Pure functions, thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/facility/moist_air.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::model {

struct Climate {
  std::string name, source;  ///< source: of a record, its provenance
  std::vector<OutsideAir> hours;
};

/// "subarctic", "temperate", "mediterranean", "desert", "tropical", from cold to hot.
std::vector<std::string> climate_names();
/// \throws InputError with the nearest name
Climate named_climate(std::string_view name, std::uint64_t seed = 1);

/// From records, hour by hour over the span they share.
/// \param humidity  relative, 0 to 1 (or 0 to 100: told by a value above 1.5)
/// \throws InputError if they share no hour, or a humidity is out of range
Climate climate_of(const Trace<Temperature>& dry, const Trace<double>& humidity);
/// Of a temperature alone, at one humidity throughout.
Climate climate_of(const Trace<Temperature>& dry, double humidity);

}  // namespace carnot::model
