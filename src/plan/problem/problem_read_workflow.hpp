// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads what ties jobs to each other (docs/formats/plan.md).

#include <map>
#include <string>
#include <vector>

#include "plan/problem/problem_json.hpp"

namespace carnot::plan {

/// What jobs say of others, kept until all are known.
struct WorkflowTexts {
  struct Job {
    std::uint32_t job;
    Fields in;
  };
  std::vector<Job> jobs;
};

/// Nodes of the site, the next one, and its closures, which lower capacity and open nodes.
void read_nodes(const Fields& site, std::int32_t slots, const std::vector<double>& base_kw,
                PlanSite& to, PlanWorkflow& workflow);
/// What each mode takes; empty: nothing.
std::vector<NodeNeed> read_needs(const std::vector<Fields>& modes);
/// Dependencies and arrays, once all jobs are known. \param arrays  of the document, where it
/// stands
void read_links(const Fields& root, const Json& document, const WorkflowTexts& texts,
                Problem& problem);

}  // namespace carnot::plan
