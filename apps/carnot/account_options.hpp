// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Options that say how joules become grams and money, the same for every command that has them.

#include "carnot/model/footprint/accounting.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

/// Options of accounting as typed; what was not typed stays as it was.
void add_account_options(CLI::App& command, model::AccountOptions& options);
/// `typed` where it says something, else `recorded`.
model::AccountOptions merged(const model::AccountOptions& recorded,
                             const model::AccountOptions& typed);

}  // namespace carnot::app
