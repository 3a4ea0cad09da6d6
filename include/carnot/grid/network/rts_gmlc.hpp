// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The RTS-GMLC test system (C. Barrows et al., IEEE Trans. Power Systems 35(1), 2020) from its own
/// folder: 73 buses, a year of hourly day-ahead wind, sun, water and load. docs/grid-model.md lists
/// what is taken and what is left out:
///
/// - each thermal unit may be off, at no cost, or anywhere up to its maximum at the cost of its
///   heat rate curve, fuel price and variable cost: commitment, starts and ramps are not modelled;
/// - wind, utility and rooftop photovoltaics may be curtailed; hydro gives what its schedule says;
/// - concentrated solar power, storage and synchronous condensers are left out;
/// - the load of an area is shared over its buses in proportion to their own.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid {

class RtsGmlc {
 public:
  /// \param folder  holds `RTS_Data`, or `SourceData` and `timeseries_data_files`
  /// \throws InputError `file:line: column: what is allowed`; InputFileError
  static RtsGmlc read(const std::string& folder);

  const Grid& grid() const noexcept { return grid_; }
  std::size_t hours() const noexcept { return hours_; }
  /// Start of an hour, in the grid's own time zone.
  Instant start(std::size_t at) const noexcept;
  /// The hour that holds an instant. \throws InputError outside the year
  std::size_t hour_at(Instant time) const;
  /// \pre at < hours()
  GridState state(std::size_t at) const;

 private:
  RtsGmlc() = default;

  Grid grid_;
  Instant begin_;
  std::size_t hours_ = 0;
  std::vector<double> load_share_;                 ///< one a bus: of its area's load
  std::vector<std::vector<double>> area_load_mw_;  ///< [area - 1][hour]
  struct Schedule {
    std::size_t generator = 0;
    bool fixed = false;
    std::vector<double> mw;
  };
  std::vector<Schedule> schedules_;
};

/// True if this is a folder of the above form, not a MATPOWER case.
bool is_rts_gmlc(const std::string& path);

}  // namespace carnot::grid
