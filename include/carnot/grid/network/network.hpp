// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A transmission grid as steady-state power flow sees it, readers of published forms of it, and
/// the DC power flow. docs/grid-model.md has the equations, docs/formats/grid.md the files.
///
/// In the DC approximation voltages are 1 per unit and angles small, so that the flow of a branch
/// is a line in the angles of its two ends:
///
///     f = base_mva * b * (theta_from - theta_to - shift)
///
/// `BranchModel` says what b and shift are. Plain values, the unit in each name; angles in radians.
/// Elements out of service are not kept: a `Grid` holds what takes part. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::grid {

struct GridBus {
  std::int64_t id = 0;     ///< as the file numbers it
  double demand_mw = 0.0;  ///< may be negative: generation that nobody dispatches
  double shunt_mw = 0.0;   ///< drawn by the shunt conductance at 1 per unit voltage
  bool reference = false;  ///< the file wants its angle to be zero; `reference_buses`
  int area = 1;
  double latitude_deg = kNaN, longitude_deg = kNaN;  ///< NaN where the file does not say
};

struct GridBranch {
  std::size_t from = 0, to = 0;  ///< indices of buses
  double resistance_pu = 0.0;    ///< negative in equivalents of several elements
  double reactance_pu = 0.0;     ///< zero makes one bus of two; negative for a series capacitor
  double tap = 1.0;              ///< ratio at the from end
  double shift_rad = 0.0;
  double limit_mw = kInfinity;  ///< greatest flow in either direction
  double angle_min_rad = -kInfinity, angle_max_rad = kInfinity;  ///< of theta_from - theta_to
};

/// What an hour of output costs and emits. A polynomial c0 + c1 P + c2 P^2 where `points` is empty,
/// and then the CO2 is a multiple of P; else the straight lines between the points (the end lines
/// continue outside).
struct GeneratorCost {
  double c0_per_h = 0.0, c1_per_mwh = 0.0, c2_per_mw2h = 0.0;
  double co2_kg_per_mwh = 0.0;  ///< of a polynomial
  struct Point {
    double output_mw = 0.0, cost_per_h = 0.0, co2_kg_per_h = 0.0;
  };
  std::vector<Point> points{};  ///< empty, or two and more, in increasing order of output

  double per_h(double output_mw) const noexcept;
  /// Points of the lower convex hull of the cost: what is left of `points`.
  std::vector<Point> hull_points() const;
  /// Straight lines whose maximum is the lower convex hull of the points; empty for a polynomial.
  struct Line {
    double intercept_per_h = 0.0, slope_per_mwh = 0.0;
  };
  std::vector<Line> hull() const;
  /// True if the hull is below the straight lines somewhere by more than 1e-9 relative.
  bool hull_differs() const;
};

/// A line whose flow is commanded: what enters at `from` leaves at `to` less its losses,
/// `loss_mw + loss_share * flow`.
struct GridDcLine {
  std::size_t from = 0, to = 0;
  double minimum_mw = 0.0, maximum_mw = 0.0;
  double setpoint_mw = 0.0;
  double loss_mw = 0.0, loss_share = 0.0;
  GeneratorCost cost{};  ///< of the flow at `from`
};

struct GridGenerator {
  std::string name{};  ///< empty where the file has none
  std::size_t bus = 0;
  double minimum_mw = 0.0, maximum_mw = 0.0;
  double setpoint_mw = 0.0;  ///< what `dc_flow` injects
  GeneratorCost cost{};
  bool weather_driven = false;  ///< wind or sun: `maximum_mw` is what is available now
};

struct Grid {
  std::string name;
  double base_mva = 100.0;
  std::vector<GridBus> buses;
  std::vector<GridBranch> branches;
  std::vector<GridDcLine> dc_lines;
  std::vector<GridGenerator> generators;
  std::vector<std::string> notes{};  ///< what a reader left out or chose, in words
  std::string cost_fault{};  ///< why no optimum can be sought; a flow needs no costs. Empty: none
};

/// The bus of each island (buses that branches join) whose angle is zero and that takes up what is
/// missing in a power flow: the first that is marked so, else the first with a generator, else the
/// first. \returns one a bus
std::vector<bool> reference_buses(const Grid& grid);

/// How a branch's b and shift come from its data.
enum class BranchModel {
  /// b = x / (r^2 + x^2), taps and shifts left out: what the published PGLib-OPF DC optima use.
  ResistanceKept,
  /// b = 1 / (x tap), shift kept: MATPOWER's.
  TapAndShift,
};

/// f = `mw_per_rad` * (theta_from - theta_to) - `shift_mw`. Without reactance the two angles differ
/// by `shift_rad` and the flow is whatever the balances want: `joins`, and the others are zero.
struct BranchLine {
  double mw_per_rad = 0.0, shift_mw = 0.0;
  bool joins = false;
  double shift_rad = 0.0;
};
BranchLine branch_line(const GridBranch& branch, double base_mva, BranchModel model) noexcept;

/// What changes from hour to hour while the wires stay.
struct GridState {
  std::vector<double> demand_mw;               ///< one a bus, shunts not included
  std::vector<double> minimum_mw, maximum_mw;  ///< one a generator
};
/// As the grid itself says.
GridState state_of(const Grid& grid);

/// A MATPOWER case, version 2 of its format, with plain arithmetic in its assignments. What would
/// have to be executed is refused where it decides something that is read.
/// \throws InputError `file:line: field: what is allowed`, all of them together; InputFileError
Grid read_matpower(const std::string& path);
Grid parse_matpower(std::string_view text, const std::string& name);

/// Checks what the power flow rests on: indices, numbers, limits.
/// \throws InputError naming each bus or branch at fault, `name` before it
void validate(const Grid& grid, const std::string& name);
/// Where a grid's parts stand in text, so that what is wrong with one is said with its line.
struct GridPlaces {
  struct Part {
    std::string file{};
    std::vector<std::size_t> lines{};  ///< one a bus, branch ...; missing: the whole file
    Place at(std::size_t index) const { return {file, index < lines.size() ? lines[index] : 0}; }
  };
  Part buses{}, branches{}, dc_lines{}, generators{};
};
void validate(const Grid& grid, const GridPlaces& places);

/// The DC power flow: what the wires do with given injections.
struct DcFlow {
  std::vector<double> angle_rad;     ///< one a bus
  std::vector<double> flow_mw;       ///< one a branch, from its from end
  std::vector<double> reference_mw;  ///< one a bus: what references add to close the balance
};

/// Solves for the angles given demands and generation (one a bus, in MW, demand counted negative);
/// the reference bus of each island takes up the island's imbalance. One sparse factorisation.
/// Of branches without reactance that close a ring of such, all but the first carry nothing.
/// \throws InputError if the wires' matrix is singular (reactances that cancel each other)
DcFlow dc_flow(const Grid& grid, std::span<const double> injection_mw, BranchModel model);
/// With setpoints of generators and direct-current lines, demands and shunts as injections.
DcFlow dc_flow(const Grid& grid, BranchModel model);

/// [branch][bus]: MW more on the branch per MW injected at the bus and taken at its island's
/// reference. \throws InputError as `dc_flow`
std::vector<std::vector<double>> transfer_factors(const Grid& grid, BranchModel model);

}  // namespace carnot::grid
