// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace carnot::ledger::detail {

/// What marks a SQLite file as a store ("crnt") and which schema it has.
inline constexpr int kStoreApplication = 0x63726e74;
inline constexpr int kStoreVersion = 2;

/// Statements that make the tables and views of docs/formats/store.md.
extern const char* const kStoreSchema;

}  // namespace carnot::ledger::detail
