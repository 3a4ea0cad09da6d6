// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace carnot::learn {
/// data/energy_per_operation.csv as it was at build time.
extern const char* const kEmbeddedEnergyTable;
}  // namespace carnot::learn
