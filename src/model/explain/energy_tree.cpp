// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/energy_tree.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::model {

namespace {

constexpr std::array<std::string_view, 6> kLevels = {"whole",    "stage",     "phase",
                                                     "operator", "component", "circuit"};

[[noreturn]] void refuse(const std::string& leaf, std::string_view field,
                         std::string_view allowed) {
  throw InputError("energy tree: " + leaf + ": " + std::string(field) + ": " +
                   std::string(allowed));
}

bool sound(double value) { return std::isfinite(value) && value >= 0; }

void validate(const std::string& leaf, const Activity& a, Temperature temperature) {
  if (!sound(a.count)) refuse(leaf, "count", "0 or more and finite");
  if (!sound(a.coefficient.base())) refuse(leaf, "coefficient", "0 J or more and finite");
  if (!sound(a.static_power.base())) refuse(leaf, "static power", "0 W or more and finite");
  if (!sound(a.owned_time.base())) refuse(leaf, "owned time", "0 s or more and finite");
  if (!sound(a.erased.base())) refuse(leaf, "erased bits", "0 or more and finite");
  if (!(a.low_ratio >= 0 && a.low_ratio <= 1 && a.high_ratio >= 1 && std::isfinite(a.high_ratio)))
    refuse(leaf, "interval", "ratios 0 <= low <= 1 <= high");
  const Energy energy = a.energy();
  if (!std::isfinite(energy.base())) refuse(leaf, "energy", "a finite number of joules");
  if (!(a.floor >= Energy{}) || a.floor > energy)
    refuse(leaf, "floor", "from 0 J to the joules of the leaf");
  if (landauer_bound(temperature) * a.erased > energy)
    refuse(leaf, "energy", "at least k_B T ln 2 for each bit that it erases");
}

}  // namespace

std::string_view name(TreeLevel level) noexcept { return kLevels[static_cast<std::size_t>(level)]; }

Energy Activity::energy() const { return count * coefficient + static_power * owned_time; }

EnergyTree::EnergyTree(std::string root, Temperature temperature) : temperature_(temperature) {
  if (!(temperature > Temperature{}) || !is_finite(temperature))
    throw InputError("energy tree: temperature: above 0 K");
  nodes_.push_back({});
  nodes_.back().name = std::move(root);
  last_child_.push_back(kNone);
}

EnergyTree::Index EnergyTree::append(Index parent, TreeLevel level, std::string name) {
  CARNOT_CHECK(!finished_, "a finished tree does not grow");
  if (parent >= nodes_.size()) throw InputError("energy tree: parent: a node of the tree");
  if (nodes_[parent].leaf != kNone) refuse(name, "parent", "not a leaf: " + nodes_[parent].name);
  if (level < nodes_[parent].level ||
      (level == nodes_[parent].level && level != TreeLevel::Stage && level != TreeLevel::Circuit))
    refuse(name, "level", "below that of its parent " + nodes_[parent].name);
  if (!names_.insert(std::to_string(parent) + "/" + name).second)
    refuse(name, "name", "one that no sibling has");
  const Index at = nodes_.size();
  Node made;
  made.name = std::move(name);
  made.level = level;
  made.parent = parent;
  nodes_.push_back(std::move(made));
  (last_child_[parent] == kNone ? nodes_[parent].first_child : nodes_[last_child_[parent]].next) =
      at;
  last_child_[parent] = at;
  last_child_.push_back(kNone);
  return at;
}

EnergyTree::Index EnergyTree::add(Index parent, TreeLevel level, std::string name, double count) {
  const Index at = append(parent, level, std::move(name));
  nodes_[at].count = count;
  return at;
}

EnergyTree::Index EnergyTree::add_leaf(Index parent, TreeLevel level, std::string name,
                                       Activity activity) {
  validate(name, activity, temperature_);
  const Index at = append(parent, level, std::move(name));
  nodes_[at].leaf = leaves_.size();
  nodes_[at].count = activity.count;
  leaves_.push_back(std::move(activity));
  return at;
}

void EnergyTree::calibrate(Index at, double low_ratio, double high_ratio, std::string cause) {
  Node& node = nodes_.at(at);
  if (node.leaf != kNone || cause.empty()) refuse(node.name, "calibrate", "a sum, with a cause");
  if (!(low_ratio >= 0 && low_ratio <= 1 && high_ratio >= 1 && std::isfinite(high_ratio)))
    refuse(node.name, "interval", "ratios 0 <= low <= 1 <= high");
  node.low_ratio = low_ratio;
  node.high_ratio = high_ratio;
  node.calibrated = std::move(cause);
}

void EnergyTree::graft(Index parent, const EnergyTree& other, double times) {
  if (!sound(times)) throw InputError("energy tree: times: 0 or more and finite");
  std::vector<Index> made(other.nodes_.size(), kNone);
  made[0] = parent;
  // Parents stand before their children.
  for (Index i = 1; i < other.nodes_.size(); ++i) {
    const Node& from = other.nodes_[i];
    if (from.leaf == kNone) {
      made[i] = add(made[from.parent], from.level, from.name, from.count);
      if (!from.calibrated.empty())
        calibrate(made[i], from.low_ratio, from.high_ratio, from.calibrated);
      continue;
    }
    Activity a = other.leaves_[from.leaf];
    a.count *= times;
    a.owned_time *= times;
    a.erased *= times;
    a.floor = min(a.floor * times, a.energy());
    made[i] = add_leaf(made[from.parent], from.level, from.name, std::move(a));
  }
}

void EnergyTree::finish() {
  CARNOT_CHECK(!finished_, "a tree is finished once");
  finished_ = true;
  struct Width {
    double up = 0, down = 0;
  };
  std::map<std::string_view, std::size_t> causes;
  for (const Activity& a : leaves_) causes.emplace(a.cause, causes.size());
  for (const Node& node : nodes_)
    if (!node.calibrated.empty()) causes.emplace(node.calibrated, causes.size());
  struct Running {
    Sum<> joules, floor, limit;
    std::vector<std::pair<std::size_t, Width>> widths;  // by cause, ascending
  };
  std::vector<Running> running(nodes_.size());
  const double per_bit = landauer_bound(temperature_).base();
  const auto merge = [](std::vector<std::pair<std::size_t, Width>>& into,
                        const std::vector<std::pair<std::size_t, Width>>& from) {
    for (const auto& [cause, width] : from) {
      const auto there =
          std::lower_bound(into.begin(), into.end(), cause,
                           [](const auto& entry, std::size_t key) { return entry.first < key; });
      if (there != into.end() && there->first == cause) {
        there->second.up += width.up;
        there->second.down += width.down;
      } else {
        into.insert(there, {cause, width});
      }
    }
  };
  // Children stand behind their parents: from the back, each node is whole when its turn comes.
  for (Index i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    if (node.leaf != kNone) {
      const Activity& a = leaves_[node.leaf];
      node.joules = a.energy().base();
      node.floor_joules = a.floor.base();
      node.limit_joules = per_bit * a.erased.base();
      node.origin = a.origin;
      running[i].widths = {{causes.at(a.cause),
                            {node.joules * (a.high_ratio - 1), node.joules * (1 - a.low_ratio)}}};
    } else {
      // In their order, so that the sum does not depend on how the tree was walked.
      for (Index c = node.first_child; c != kNone; c = nodes_[c].next) {
        running[i].joules += nodes_[c].joules;
        running[i].floor += nodes_[c].floor_joules;
        running[i].limit += nodes_[c].limit_joules;
        merge(running[i].widths, running[c].widths);
        running[c].widths.clear();
        node.origin = worst(node.origin, nodes_[c].origin);
      }
      node.joules = running[i].joules.value();
      node.floor_joules = running[i].floor.value();
      node.limit_joules = running[i].limit.value();
      if (!node.calibrated.empty())
        running[i].widths = {
            {causes.at(node.calibrated),
             {node.joules * (node.high_ratio - 1), node.joules * (1 - node.low_ratio)}}};
    }
    double up = 0, down = 0;
    for (const auto& [cause, width] : running[i].widths) {
      up += width.up * width.up;
      down += width.down * width.down;
    }
    node.low = node.joules - std::min(node.joules, std::sqrt(down));
    node.high = node.joules + std::sqrt(up);
  }
}

std::vector<EnergyTree::Index> EnergyTree::children(Index at) const {
  std::vector<Index> out;
  for (Index c = nodes_.at(at).first_child; c != kNone; c = nodes_[c].next) out.push_back(c);
  return out;
}

Estimate<Energy> EnergyTree::estimate(Index at) const {
  CARNOT_CHECK(finished_, "a tree is read after finish()");
  const Node& node = nodes_.at(at);
  std::set<std::string> constants;
  Boundary boundary = Boundary::None;
  std::vector<Index> open{at};
  while (!open.empty()) {
    const Index i = open.back();
    open.pop_back();
    if (nodes_[i].leaf != kNone) {
      const Activity& a = leaves_[nodes_[i].leaf];
      if (!a.constant.empty()) constants.insert(a.constant);
      // The widest that any part is of: chip, node, facility.
      if (boundary == Boundary::None || (a.boundary != Boundary::None && a.boundary > boundary))
        boundary = a.boundary;
    }
    for (Index c = nodes_[i].first_child; c != kNone; c = nodes_[c].next) open.push_back(c);
  }
  return {node.joules * joule,
          node.low * joule,
          node.high * joule,
          node.origin,
          boundary,
          "tree:" + node.name,
          {constants.begin(), constants.end()}};
}

double EnergyTree::worst_imbalance() const {
  double worst_seen = 0;
  for (const Node& node : nodes_) {
    if (node.leaf != kNone || node.first_child == kNone) continue;
    long double plain = 0;
    for (Index c = node.first_child; c != kNone; c = nodes_[c].next) plain += nodes_[c].joules;
    const double gap = std::abs(static_cast<double>(plain - static_cast<long double>(node.joules)));
    if (gap > 0) worst_seen = std::max(worst_seen, gap / std::max(node.joules, 1e-300));
  }
  return worst_seen;
}

std::vector<ComponentShare> fold_components(const EnergyTree& tree, EnergyTree::Index at) {
  struct Running {
    Sum<> joules, floor, limit;
  };
  std::map<std::string, Running> sums;
  std::vector<std::pair<EnergyTree::Index, std::string>> open{{at, ""}};
  while (!open.empty()) {
    auto [i, component] = std::move(open.back());
    open.pop_back();
    const EnergyTree::Node& node = tree.node(i);
    if (node.level == TreeLevel::Component) component = node.name;
    if (node.leaf != EnergyTree::kNone) {
      Running& into = sums[component.empty() ? node.name : component];
      into.joules += node.joules;
      into.floor += node.floor_joules;
      into.limit += node.limit_joules;
    }
    for (const EnergyTree::Index c : tree.children(i)) open.emplace_back(c, component);
  }
  std::vector<ComponentShare> out;
  for (const auto& [name, running] : sums)
    out.push_back({name, running.joules.value(), running.floor.value(), running.limit.value()});
  std::stable_sort(out.begin(), out.end(), [](const ComponentShare& a, const ComponentShare& b) {
    return a.joules > b.joules;
  });
  return out;
}

}  // namespace carnot::model
