// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Rows of the runs' table. Private to the .cpp of this folder.

#include "carnot/report/web/runs.hpp"

#include "report/web/figure.hpp"

namespace carnot::report {

/// "ID", or "ID.2" of a run's third policy.
std::string row_id(const ComparedRow& row);
Json row_json(const ComparedRow& row);
std::vector<ComparedRow> rows_of(const RunDocument& document);
/// Whether less of this metric is better: losses and errors.
bool less_is_better(const std::string& metric);

}  // namespace carnot::report
