// SPDX-License-Identifier: Apache-2.0
#include "model/explain/branch.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace carnot::model {

namespace {

double real(std::uint64_t x) { return static_cast<double>(x); }

/// One part of the floor: so many of a thing, each so dear, erasing so many bits.
struct FloorPart {
  const char* name;
  const char* unit;
  double count;
  Energy each;
  double bits;  // erased by one
  std::string constant;
};

}  // namespace

/// Sums over executions and devices of one operator, or of several.
struct BranchWriter::Branch {
  double executions = 0;
  double arithmetic = 0, memory = 0, link = 0, active = 0, still = 0, still_seconds = 0;
  double macs = 0, other = 0, special = 0, memory_bytes = 0, chip_bytes = 0, link_bytes = 0;
  bool network = false;
  double low = 1, high = 1;
  std::string constant, cause;
  Origin origin = Origin::Modelled;

  double joules() const { return arithmetic + memory + link + active + still; }
  void add(const OperatorEnergy& e, double times) {
    executions += times;
    arithmetic += e.arithmetic * times;
    memory += e.memory * times;
    link += e.link * times;
    active += e.active * times;
    still += e.still * times;
    still_seconds += e.seconds * times;
    macs += e.macs * times;
    other += e.other_ops * times;
    special += e.special_ops * times;
    memory_bytes += e.memory_bytes * times;
    chip_bytes += e.chip_bytes * times;
    link_bytes += e.link_bytes * times;
    network = network || e.network;
    low = std::min(low, e.low_ratio);
    high = std::max(high, e.high_ratio);
    if (constant.empty()) constant = e.constant;
    if (cause.empty()) cause = e.cause;
    if (e.assumed) origin = Origin::Assumed;
  }
};

void BranchWriter::operator_node(EnergyTree::Index at, const std::string& name, const Branch& b) {
  const EnergyTree::Index node = tree_.add(at, TreeLevel::Operator, name, b.executions);
  const CircuitFloor& f = machine_.floor();
  const auto base = [&b] {
    Activity a;
    a.low_ratio = b.low;
    a.high_ratio = b.high;
    a.cause = b.cause;
    a.constant = b.constant;
    a.origin = b.origin;
    return a;
  };
  /// A component: parts of the floor as far as its joules go, then what lies above.
  const auto component = [&](const char* title, double joules, const std::vector<FloorPart>& parts,
                             const char* above) {
    if (!(joules > 0)) return;
    const EnergyTree::Index c = tree_.add(node, TreeLevel::Component, title);
    double wanted = 0;
    for (const FloorPart& part : parts) wanted += part.count * part.each.in(joule);
    // Published circuits that add up to more than the machine was found to take: all of it.
    const double fit = wanted > joules ? joules / wanted : 1;
    double left = joules;
    for (const FloorPart& part : parts) {
      const double taken = std::min(left, part.count * part.each.in(joule)*fit);
      if (!(taken > 0)) continue;
      Activity a = base();
      a.count = part.count;
      a.unit = part.unit;
      a.coefficient = taken / part.count * joule;
      a.floor = min(taken * joule, a.energy());
      a.erased = part.count * part.bits * bit;
      a.constant = part.constant;
      left = std::max(0.0, left - taken);
      tree_.add_leaf(c, TreeLevel::Circuit, part.name, std::move(a));
    }
    if (left > 1e-12 * joules) {
      Activity a = base();
      a.count = b.executions;
      a.unit = "execution";
      a.coefficient = left / b.executions * joule;
      tree_.add_leaf(c, TreeLevel::Circuit, above, std::move(a));
    }
  };
  // Streams count no products, so their arithmetic is a part of multiprocessors that are awake.
  const double simple = b.other * f.other.in(joule) + b.special * f.special.in(joule);
  const double borrowed = b.arithmetic > 0 ? 0 : std::min(simple, 0.5 * b.active);
  component("arithmetic", b.arithmetic + borrowed,
            {{"multiply-accumulate circuits", "MAC", b.macs, f.mac, f.mac_bits, f.mac_constant},
             {"additions and multiplications", "operation", b.other, f.other, 32,
              "asic-45nm..asic-7nm:op.fp32_add"},
             {"exponentials, roots, divisions", "operation", b.special, f.special, 32,
              "circuit.special_macs"}},
            "operand delivery, instructions, wires");
  component("memory", b.memory,
            {{"memory devices and interface", "byte", b.memory_bytes, f.memory_byte, 8,
              f.memory_constant},
             {"caches and buffers", "byte", b.chip_bytes, f.chip_byte, 8,
              "asic-45nm..asic-7nm:byte.sram_1mb"}},
            "controllers, on-chip network, refresh");
  component("links", b.link,
            {{b.network ? "network ports and optics" : "board links", "byte", b.link_bytes,
              b.network ? f.network_byte : f.board_link_byte, 8,
              b.network ? "link.network" : "link.board"}},
            "protocol and switches");
  component("awake multiprocessors", b.active - borrowed, {}, "schedulers, registers, clocks");
  if (b.still > 0) {
    const EnergyTree::Index c = tree_.add(node, TreeLevel::Component, "static");
    Activity a = base();
    a.static_power = b.still / b.still_seconds * watt;
    a.owned_time = b.still_seconds * second;
    a.constant = machine_.has_kernels() ? "kernel_model:static" : "roofline.static_share";
    tree_.add_leaf(c, TreeLevel::Circuit, "leakage and what is always on", std::move(a));
  }
}

void BranchWriter::write(EnergyTree::Index at, const Workload& workload, double times) {
  const double stage = real(split_.tensor) * real(split_.data);
  std::vector<std::pair<std::string, Branch>> branches;
  branches.reserve(workload.operators.size());
  std::set<std::string> names;
  for (const Operator& op : workload.operators) {
    const OperatorEnergy e = machine_.energy(op, split_);
    if (!(e.joules > 0)) continue;
    Branch b;
    b.add(e, real(op.repeats) * stage * times);
    std::string name = op.name.empty() ? op.type : op.name;
    if (op.repeats > 1) name += " x " + std::to_string(op.repeats);
    std::string unique = name;
    for (std::size_t k = 2; !names.insert(unique).second; ++k)
      unique = name + " (" + std::to_string(k) + ")";
    branches.emplace_back(std::move(unique), std::move(b));
  }
  std::vector<std::size_t> kept(branches.size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = i;
  std::map<std::string, Branch> rest;
  if (branches.size() > most_) {
    std::stable_sort(kept.begin(), kept.end(), [&](std::size_t a, std::size_t b) {
      return branches[a].second.joules() > branches[b].second.joules();
    });
    for (std::size_t k = most_; k < kept.size(); ++k) {
      const Branch& from = branches[kept[k]].second;
      Branch& into = rest[from.cause];
      OperatorEnergy e;
      e.arithmetic = from.arithmetic;
      e.memory = from.memory;
      e.link = from.link;
      e.active = from.active;
      e.still = from.still;
      e.seconds = from.still_seconds;
      e.macs = from.macs;
      e.other_ops = from.other;
      e.special_ops = from.special;
      e.memory_bytes = from.memory_bytes;
      e.chip_bytes = from.chip_bytes;
      e.link_bytes = from.link_bytes;
      e.network = from.network;
      e.low_ratio = from.low;
      e.high_ratio = from.high;
      e.constant = from.constant;
      e.cause = from.cause;
      e.assumed = from.origin == Origin::Assumed;
      into.add(e, 1);
    }
    kept.resize(most_);
    std::sort(kept.begin(), kept.end());
  }
  for (const std::size_t i : kept) operator_node(at, branches[i].first, branches[i].second);
  for (const auto& [cause, branch] : rest)
    operator_node(at, "the least operators of " + cause, branch);
}

}  // namespace carnot::model
