// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energies of memories and of computing beyond CMOS, as published, and what they take at the wall
/// once their cold is paid for; training runs and what physics asked of them. Two tables,
/// data/technologies.csv and data/training_runs.csv; each row with range, grade, source, year.
///
///     E_wall = E_cold (1 + (T_room - T) / T / eta)            eta: share of Carnot of the cooler
///
/// A cold technology pays where E_wall is below what a warm one takes. Whole systems keep their
/// memory, links and room-temperature ends, which no row includes.
///
/// Tables do not change once read, so threads may share them.

#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct Technology {
  std::string id, kind, name;  ///< kind: memory, reversible, superconducting, neuromorphic, analog
  double value = 0, low = 0, high = 0;  ///< J of one `per`
  std::string per;                      ///< "bit", "MAC", "synaptic operation", "switch"
  Temperature temperature;              ///< it works at
  double cooler_efficiency = 1, cooler_low = 1, cooler_high = 1;  ///< of Carnot; 1 where warm
  Grade grade = Grade::Estimate;
  int year = 0;
  std::string source, licence;

  /// At the wall, surroundings at `room`: value, low with the best cooler, high with the worst.
  Energy wall(Temperature room) const;
  Energy wall_low(Temperature room) const;
  Energy wall_high(Temperature room) const;
};
const std::vector<Technology>& technologies();
/// \param file  for messages. \throws InputError `file:line: field: what is allowed`
std::vector<Technology> parse_technologies(std::string_view csv, const std::string& file);

/// Share of a room-temperature energy that a circuit at `cold` may take to break even.
double cryogenic_break_even(Temperature cold, Temperature room, double cooler_efficiency);

struct PublishedTraining {
  std::string id, name;
  double parameters = 0, tokens = 0;
  Energy energy;
  Grade grade = Grade::Estimate;  ///< TDP: hours times a rating, not a measurement
  int year = 0;
  std::string source, licence;
};
const std::vector<PublishedTraining>& training_runs();
std::vector<PublishedTraining> parse_training_runs(std::string_view csv, const std::string& file);

}  // namespace carnot::model
