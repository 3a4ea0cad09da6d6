// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What ties jobs of a problem to each other beside power: jobs that wait for others, arrays of
/// which only some tasks may run at once, and nodes on which what a job needs has to fit.
///
/// | kind | the job runs |
/// |---|---|
/// | after-ok | `delay_slots` after the last slot of its predecessor; not if that is dropped |
/// | after-any | likewise; if the predecessor is dropped, whenever it likes |
/// | after-start | `delay_slots` after the first slot of its predecessor, or whenever, likewise |
///
/// A job that carries its data to where it runs begins with the first slot of that.
///
/// **Nodes.** A mode takes `nodes` different nodes of its site in every slot in which it runs, and
/// on each of them cores, memory and GPUs. Several jobs may share a node. In each slot there must
/// be a way to put all jobs that run at a site onto its open nodes; jobs may be on other nodes in
/// the next slot. Values; thread-safe to read.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::plan {

struct Problem;

enum class AfterKind : std::uint8_t { Ok, Any, Start };
/// "after-ok" and so on.
std::string_view to_text(AfterKind kind) noexcept;

struct PlanDependency {
  std::uint32_t job = 0, predecessor = 0;
  AfterKind kind = AfterKind::Ok;
  std::int32_t delay_slots = 0;  ///< at least 0

  friend bool operator==(const PlanDependency&, const PlanDependency&) = default;
};

struct PlanArray {
  std::string name;
  std::vector<std::uint32_t> jobs;  ///< ascending; a job is of one array at most
  std::int32_t at_once = 1;         ///< tasks that may run in a slot, >= 1
};

/// Of one node: what there is, or what a job takes.
struct NodeShape {
  double cores = 0, memory_gb = 0, gpus = 0;

  friend bool operator==(const NodeShape&, const NodeShape&) = default;
};

/// Nodes of a site, all alike.
struct PlanNodes {
  std::vector<std::int32_t> open;  ///< [slot] how many; empty: nobody counts them
  NodeShape node;                  ///< infinite: not said, any amount
};

/// What a mode takes.
struct NodeNeed {
  std::int32_t nodes = 1;  ///< at least 1
  NodeShape each;          ///< at least 0
};

struct PlanWorkflow {
  std::vector<PlanDependency> dependencies;  ///< ascending by job; no cycles
  std::vector<PlanArray> arrays;
  std::vector<PlanNodes> nodes;                          ///< [site], or empty: nobody counts any
  std::map<std::uint32_t, std::vector<NodeNeed>> needs;  ///< by job: [mode]; none: no nodes

  bool any() const noexcept { return !dependencies.empty() || !arrays.empty() || !nodes.empty(); }
};

/// Jobs, each after its predecessors. \throws InputError naming the jobs of a cycle
std::vector<std::uint32_t> in_order(const Problem& problem);

/// The problem with windows in which each job could run if its predecessors ran as early and as
/// fast as they can: every plan of the one is a plan of the other. A window may be left too short.
Problem narrowed(const Problem& problem);

/// Whether all of these fit onto `open` nodes of this shape: by first fit, the greatest first, and,
/// where they are few, by trying all ways.
bool pack(const NodeShape& node, std::int32_t open, std::vector<const NodeNeed*> needs);

/// A job that is not done because another is not.
struct HeldBack {
  std::uint32_t job = 0, predecessor = 0;
};
struct Plan;
std::vector<HeldBack> held_back(const Problem& problem, const Plan& plan);

}  // namespace carnot::plan
