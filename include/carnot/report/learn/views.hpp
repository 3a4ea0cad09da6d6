// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot learn structure`, `cycle`, `tradeoff` and `budget` show: a document (JSON:
/// docs/formats/learn-views.md), a table, a page; and the modes of a job as files for `carnot run`,
/// `plan` and `simulate`. Pure functions; safe from any thread.

#include <string>

#include "carnot/experiment/experiment.hpp"
#include "carnot/experiment/structure.hpp"
#include "carnot/experiment/thermodynamics.hpp"
#include "carnot/experiment/tradeoff.hpp"

namespace carnot::report {

std::string structure_json(const experiment::StructureResult& result, const std::string& command);
std::string structure_terminal(const experiment::StructureResult& result, int width, bool colour);
std::string structure_html(const experiment::StructureResult& result, const std::string& command);

/// Legs of every run, and the bounds where they were checked (else empty).
std::string cycle_json(const experiment::ExperimentResult& result,
                       const experiment::ThermodynamicBounds& bounds);
std::string cycle_terminal(const experiment::ExperimentResult& result,
                           const experiment::ThermodynamicBounds& bounds, int width, bool colour);
std::string cycle_html(const experiment::ExperimentResult& result,
                       const experiment::ThermodynamicBounds& bounds);

std::string tradeoff_json(const experiment::TradeoffResult& result);
std::string tradeoff_terminal(const experiment::TradeoffResult& result, int width, bool colour);
std::string tradeoff_html(const experiment::TradeoffResult& result);

/// How the modes of a job become those of a plan.
struct ModeFiles {
  std::string name = "job";
  Time full_time;             ///< of the mode of best quality, on the site
  Power full_power;           ///< its IT power
  double euro_per_point = 1;  ///< what a hundredth of quality is worth
};
/// A scenario of `carnot run` whose work is the mode of best quality; its precisions are modes
/// there.
std::string modes_scenario(const experiment::TradeoffResult& result, const ModeFiles& files);
/// carnot.problem/1: one job with the modes of the front, one site to be filled in.
std::string modes_problem(const experiment::TradeoffResult& result, const ModeFiles& files);
/// A job trace of `carnot simulate`: a line for each mode of the front, one after the other.
std::string modes_jobs(const experiment::TradeoffResult& result, const ModeFiles& files);

std::string budget_json(const experiment::BudgetResult& result);
std::string budget_terminal(const experiment::BudgetResult& result, int width, bool colour);
std::string budget_html(const experiment::BudgetResult& result);

}  // namespace carnot::report
