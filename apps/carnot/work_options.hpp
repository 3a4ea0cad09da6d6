// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Options that say what information work costs beside its energy.

#include "carnot/report/plan/report.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

/// Adds the options to `command`; they are written into `assumptions`, which must outlive it.
void add_work_options(CLI::App& command, report::WorkAssumptions& assumptions);

}  // namespace carnot::app
