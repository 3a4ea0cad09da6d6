// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One conserved tree of joules: life cycle, phase, operator, component, circuit. Every joule has
/// one owner, a leaf; every parent is the compensated sum of its children:
///
///     E(leaf)   = count x coefficient + static power x owned time          J
///     E(parent) = sum of E(children)                                        to 1e-12, relative
///
/// Two readings of the same tree: the *estimate* E, calibrated on measured machines, and the
/// *floor*, what published circuits of one operation and one byte would take. What lies between is
/// a leaf of its own ("instruction issue, wires, clocks"), whose floor is zero. A third figure, the
/// *limit*, is what physics asks for the bits that a leaf erases, k_B T ln 2 each (Landauer 1961).
/// No leaf may be negative, or less than its limit: that is refused, not shown.
///
/// Intervals are of 90 %: half-widths of one cause add linearly, those of different causes in
/// quadrature (as base/estimate.hpp does), so the error of a model of products does not average
/// away over a hundred products.
///
/// Build by add() and add_leaf(), then finish(); after that it does not change, so threads may
/// share it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

enum class TreeLevel : std::uint8_t { Whole, Stage, Phase, Operator, Component, Circuit };
std::string_view name(TreeLevel level) noexcept;  ///< "whole", "stage" ...

/// What a leaf counts and what one of it costs.
struct Activity {
  double count = 0;                          ///< of `unit`, such as "MAC", "byte"
  std::string unit;                          ///< empty: nothing is counted
  Energy coefficient;                        ///< of one, >= 0
  Power static_power;                        ///< of all devices, >= 0
  Time owned_time;                           ///< that it is drawn for, >= 0
  double low_ratio = 1.0, high_ratio = 1.0;  ///< interval of the leaf over its value, 0 <= low <= 1
  std::string cause;                         ///< of the error; equal names are the same error
  std::string constant;                      ///< id of the coefficient in its table
  Grade grade = Grade::Estimate;
  Origin origin = Origin::Modelled;
  Boundary boundary = Boundary::Chip;
  Energy floor;           ///< of published circuits, 0 <= floor <= the leaf's joules
  Information erased;     ///< bits that must be erased by what the leaf does, >= 0
  Energy energy() const;  ///< count x coefficient + static power x owned time
};

class EnergyTree {
 public:
  using Index = std::size_t;
  static constexpr Index kNone = static_cast<Index>(-1);

  struct Node {
    std::string name;
    TreeLevel level = TreeLevel::Whole;
    Index parent = kNone, first_child = kNone, next = kNone;
    Index leaf = kNone;  ///< in leaves(); kNone: a sum of children
    double joules = 0, low = 0, high = 0;
    double floor_joules = 0, limit_joules = 0;
    double count = 0;  ///< how many executions, layers, devices it stands for; 0: not said
    Origin origin = Origin::Measured;
    std::string calibrated;  ///< cause of an interval of its own; empty: of its parts
    double low_ratio = 1, high_ratio = 1;
  };

  /// \param temperature  for the limit, > 0 K. \throws InputError
  explicit EnergyTree(std::string root = "whole", Temperature temperature = 300 * kelvin);

  /// \throws InputError for a parent that is a leaf, a level that is not below the parent's, a
  ///         name that a sibling has
  Index add(Index parent, TreeLevel level, std::string name, double count = 0);
  /// \throws InputError as add(); naming the leaf and what is allowed for one that is negative, not
  ///         finite, below its limit, or whose floor exceeds it
  Index add_leaf(Index parent, TreeLevel level, std::string name, Activity activity);
  /// Says that the sum under `at` was calibrated as a whole: its interval is this, whatever those
  /// of its parts. \throws InputError for a leaf, or unless 0 <= low_ratio <= 1 <= high_ratio
  void calibrate(Index at, double low_ratio, double high_ratio, std::string cause);
  /// Copies the branch under the root of `other` (its root's children) below `parent`, counts and
  /// owned times `times` as much. \throws InputError as add()
  void graft(Index parent, const EnergyTree& other, double times);
  /// Sums up. Must be called once, after the last add.
  void finish();

  Index root() const noexcept { return 0; }
  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  const Node& node(Index at) const { return nodes_.at(at); }
  const std::vector<Activity>& leaves() const noexcept { return leaves_; }
  std::vector<Index> children(Index at) const;
  Temperature temperature() const noexcept { return temperature_; }
  /// With interval, origin, boundary and the constants used below it.
  Estimate<Energy> estimate(Index at) const;
  /// Largest relative difference between a node and the plain sum of its children.
  double worst_imbalance() const;

 private:
  Index append(Index parent, TreeLevel level, std::string name);

  std::vector<Node> nodes_;
  std::vector<Index> last_child_;
  std::vector<Activity> leaves_;
  std::unordered_set<std::string> names_;  // "parent/name"
  Temperature temperature_;
  bool finished_ = false;
};

/// The same joules by another key: the sum over all leaves below `at` of each component's name
/// (the node of level Component that owns the leaf, or the leaf itself), largest first.
struct ComponentShare {
  std::string name;
  double joules = 0, floor_joules = 0, limit_joules = 0;
};
std::vector<ComponentShare> fold_components(const EnergyTree& tree, EnergyTree::Index at);

}  // namespace carnot::model
