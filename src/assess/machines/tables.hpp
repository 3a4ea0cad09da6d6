// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The tables that are compiled in, cut into cells; no quoting.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::assess {

extern const char* const kCloudInstancesTable;
extern const char* const kCloudRegionsTable;
extern const char* const kAssessFactorsTable;
extern const char* const kAcceleratorRatingsTable;
extern const char* const kLanguageModelsTable;
extern const char* const kAssessActionsTable;

/// Rows after the header. \throws InternalError for a row of another width
std::vector<std::vector<std::string>> table_rows(std::string_view table, std::size_t columns);

}  // namespace carnot::assess
