// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An explanation for people and for programs: terminal tree, carnot.explain/1
/// (docs/formats/explain.md), page. The same figures in all three. Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/model/explain/explain.hpp"
#include "carnot/model/footprint/accounting.hpp"
#include "carnot/model/lifecycle/federated.hpp"
#include "carnot/model/lifecycle/lifecycle.hpp"

namespace carnot::report {

struct ExplainReport {
  std::string command;  ///< as typed
  model::Explanation explanation;
  std::optional<model::Account> account;              ///< of one batch or step
  std::optional<model::LifeCycle> lifecycle;          ///< where it was asked for
  std::optional<model::FederatedTraining> federated;  ///< of the life cycle's training, likewise
};

struct ExplainView {
  std::size_t width = 80;
  bool colour = false;
  std::size_t rows = 6;   ///< children shown of a node; the rest is one row
  std::size_t depth = 2;  ///< levels below the whole
};

std::string explain_terminal(const ExplainReport& report, const ExplainView& view);
/// carnot.explain/1, two blanks a level, a line feed at the end.
std::string explain_json(const ExplainReport& report);
/// A page that loads nothing: icicle, Sankey, tables.
std::string explain_html(const ExplainReport& report);

/// Runs side by side, each over the first. `names`: what each differs in, as typed.
std::string explain_compare_terminal(const std::vector<ExplainReport>& reports,
                                     const std::vector<std::string>& names,
                                     const ExplainView& view);
/// carnot.explain-compare/1
std::string explain_compare_json(const std::vector<ExplainReport>& reports,
                                 const std::vector<std::string>& names, const std::string& command);

struct SweepReport {
  std::string command, subject, unit;
  std::vector<model::SweepAxis> axes;
  std::vector<model::SweepPoint> points;  ///< the last axis running fastest
};
/// The least joules a unit first, `view.rows` of them.
std::string explain_sweep_terminal(const SweepReport& report, const ExplainView& view);
/// carnot.explain-sweep/1, in the order of the axes
std::string explain_sweep_json(const SweepReport& report);

}  // namespace carnot::report
