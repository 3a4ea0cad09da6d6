// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/problem_read_workflow.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

constexpr double kMost = 1e12;
constexpr std::int64_t kMostNodes = 100'000;

NodeShape read_shape(const Fields& in, double otherwise) {
  return {in.number("cores_per_node", 0, kMost, otherwise),
          in.number("memory_gb_per_node", 0, kMost, otherwise),
          in.number("gpus_per_node", 0, kMost, otherwise)};
}

/// Entries of a list of objects; none, and said, if it is another thing.
std::vector<Fields> entries(const Fields& in, const char* key) {
  std::vector<Fields> out;
  const Json* list = in.find(key);
  if (list == nullptr) return out;
  const bool objects = list->is_array() && std::all_of(list->begin(), list->end(),
                                                       [](auto& x) { return x.is_object(); });
  if (!objects) {
    in.wrong(key, "a list of objects");
    return out;
  }
  for (std::size_t i = 0; i < list->size(); ++i)
    out.push_back(in.part((*list)[i], fmt::format("{}[{}]", key, i)));
  return out;
}

}  // namespace

void read_nodes(const Fields& site, std::int32_t slots, const std::vector<double>& base_kw,
                PlanSite& to, PlanWorkflow& workflow) {
  PlanNodes& nodes = workflow.nodes.emplace_back();
  nodes.node = read_shape(site, kInfinity);
  if (const Json* count = site.find("nodes")) {
    if (count->is_array()) {
      for (const double x : site.series("nodes", slots, 0.0)) {
        if (x != std::floor(x) || x > static_cast<double>(kMostNodes))
          return site.wrong("nodes", fmt::format("whole numbers, 0 to {}", kMostNodes));
        nodes.open.push_back(static_cast<std::int32_t>(x));
      }
    } else {
      nodes.open.assign(static_cast<std::size_t>(slots),
                        static_cast<std::int32_t>(site.whole("nodes", 1, kMostNodes)));
    }
  } else if (nodes.node != NodeShape{kInfinity, kInfinity, kInfinity}) {
    site.wrong("nodes", "how many, where it is said what each has");
  }
  const std::vector<std::int32_t> built = nodes.open;
  for (const Fields& in : entries(site, "closures")) {
    in.only({"from", "to", "share", "nodes"});
    const auto from = static_cast<std::int32_t>(in.whole("from", 0, slots - 1));
    const auto until = static_cast<std::int32_t>(in.whole("to", from + 1, slots));
    double share = in.number("share", 0, 1, 1.0);
    std::int32_t closed = -1;
    if (in.find("nodes") != nullptr) {
      if (in.find("share") != nullptr) in.wrong("nodes", "not beside share");
      if (built.empty()) in.wrong("nodes", "only at a site whose nodes are said");
      closed = static_cast<std::int32_t>(in.whole("nodes", 0, kMostNodes));
    }
    for (auto t = static_cast<std::size_t>(from); t < static_cast<std::size_t>(until); ++t) {
      if (!nodes.open.empty()) {
        // Part of a node is of no use.
        const auto part = static_cast<std::int32_t>(std::ceil(share * built[t] - 1e-9));
        nodes.open[t] = std::max(0, nodes.open[t] - (closed >= 0 ? closed : part));
        if (closed >= 0) share = built[t] == 0 ? 1.0 : std::min(1.0, 1.0 * closed / built[t]);
      }
      const double base = base_kw.empty() ? 0.0 : base_kw[t];
      to.capacity_kw[t] = base + std::max(0.0, to.capacity_kw[t] - base) * (1.0 - share);
    }
  }
}

std::vector<NodeNeed> read_needs(const std::vector<Fields>& modes) {
  std::vector<NodeNeed> out;
  bool any = false;
  for (const Fields& mode : modes) {
    NodeNeed& need = out.emplace_back();
    for (const char* key : {"nodes", "cores_per_node", "memory_gb_per_node", "gpus_per_node"})
      any = any || mode.find(key) != nullptr;
    need.nodes = static_cast<std::int32_t>(mode.whole("nodes", 1, kMostNodes, 1));
    need.each = read_shape(mode, 0.0);
  }
  return any ? out : std::vector<NodeNeed>();
}

void read_links(const Fields& root, const Json& document, const WorkflowTexts& texts,
                Problem& problem) {
  PlanWorkflow& workflow = problem.workflow;
  std::vector<std::string> names;
  if (document.contains("arrays"))
    for (const Fields& in : entries(root, "arrays")) {
      in.only({"name", "at_once"});
      PlanArray array;
      const Json* name = in.find("name");
      if (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty())
        in.wrong("name", "text");
      else
        array.name = *name;
      array.at_once = static_cast<std::int32_t>(in.whole("at_once", 1, 1'000'000'000));
      if (std::find(names.begin(), names.end(), array.name) != names.end())
        in.wrong("name", fmt::format("each once; `{}` is there already", array.name));
      names.push_back(array.name);
      workflow.arrays.push_back(std::move(array));
    }
  std::unordered_map<std::string_view, std::uint32_t> index;
  for (std::uint32_t j = 0; j < problem.jobs.size(); ++j) index.emplace(problem.jobs.id(j), j);
  const auto near = [](std::string_view name, const std::vector<std::string>& of) {
    const std::string best = nearest(name.substr(0, 64), {of.begin(), of.end()});
    return best.empty() ? std::string() : fmt::format("; did you mean `{}`?", best);
  };
  for (const auto& [job, in] : texts.jobs) {
    if (const Json* array = in.find("array")) {
      const auto at = std::find(names.begin(), names.end(),
                                array->is_string() ? array->get<std::string>() : std::string());
      if (at == names.end())
        in.wrong("array", fmt::format("the name of an entry of `arrays`{}",
                                      array->is_string() ? near(array->get<std::string>(), names)
                                                         : std::string()));
      else
        workflow.arrays[static_cast<std::size_t>(at - names.begin())].jobs.push_back(job);
    }
    const Json* after = in.find("after");
    if (after == nullptr) continue;
    if (!after->is_array()) {
      in.wrong("after", "a list of ids, or of objects with job, kind, delay_slots");
      continue;
    }
    for (std::size_t i = 0; i < after->size(); ++i) {
      const Json& entry = (*after)[i];
      const std::string at = fmt::format("after[{}]", i);
      PlanDependency d;
      d.job = job;
      std::string id;
      if (entry.is_string()) {
        id = entry;
      } else if (entry.is_object()) {
        const Fields part = in.part(entry, at);
        part.only({"job", "kind", "delay_slots"});
        if (const Json* name = part.find("job"); name != nullptr && name->is_string()) id = *name;
        const Json* kind = part.find("kind");
        const std::string word = kind == nullptr     ? "after-ok"
                                 : kind->is_string() ? kind->get<std::string>()
                                                     : std::string();
        if (word == "after-any")
          d.kind = AfterKind::Any;
        else if (word == "after-start")
          d.kind = AfterKind::Start;
        else if (word != "after-ok")
          part.wrong("kind", "after-ok, after-any or after-start");
        d.delay_slots = static_cast<std::int32_t>(part.whole("delay_slots", 0, problem.slots, 0));
      } else {
        in.wrong(at, "an id, or an object with job, kind, delay_slots");
        continue;
      }
      const auto found = index.find(id);
      if (found == index.end()) {
        std::vector<std::string> ids;
        for (const auto& [name, j] : index) ids.emplace_back(name);
        std::sort(ids.begin(), ids.end());
        in.wrong(at, fmt::format("the id of a job; there is no `{}`{}", id.substr(0, 64),
                                 near(id, ids)));
        continue;
      }
      d.predecessor = found->second;
      workflow.dependencies.push_back(d);
    }
  }
  std::stable_sort(workflow.dependencies.begin(), workflow.dependencies.end(),
                   [](const auto& a, const auto& b) { return a.job < b.job; });
  // Nobody counts nodes where no site says how many it has; what is asked of such a site is had.
  if (std::all_of(workflow.nodes.begin(), workflow.nodes.end(),
                  [](const PlanNodes& nodes) { return nodes.open.empty(); })) {
    workflow.nodes.clear();
    workflow.needs.clear();
  }
  try {
    in_order(problem);
  } catch (const InputError& error) {
    root.wrong("after", error.what());
  }
}

}  // namespace carnot::plan
