// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/assessment.hpp"

#include "carnot/model/footprint/accounting.hpp"

namespace carnot::assess {

Assessment assess(const std::string& folder, const AssessOptions& options,
                  const std::function<void(const std::string&)>& progress) {
  if (!options.footprint.location.empty()) model::grid_intensity(options.footprint.location);
  Assessment a;
  a.options = options;
  a.evidence = read_evidence(folder, progress);
  a.graph = merge(a.evidence, options.footprint.location);
  a.footprint = footprint(a.graph.activities, options.footprint);
  a.actions = plan_actions(a.graph.activities, a.footprint, a.graph.first, a.graph.last,
                           options.actions, options.footprint);
  a.data = data_items(a.graph.activities, a.footprint, options.footprint);
  a.standards = standards(a.evidence, a.graph, a.footprint, options.footprint, options.standards);
  return a;
}

}  // namespace carnot::assess
