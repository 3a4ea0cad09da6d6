// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// carnot.explain/1 as a document, for those that put several into one. Private to the .cpp that
/// write JSON.

#include "carnot/report/explain/report.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

Json explain_document(const ExplainReport& report);

}  // namespace carnot::report
