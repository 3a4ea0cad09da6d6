// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A store's file, for who works on its tables.

#include <string>

#include "carnot/ledger/store/store.hpp"

#include "ledger/store/sqlite.hpp"

namespace carnot::ledger::detail {

/// Opens a store, or makes one. \param busy_milliseconds  how long to wait for another program's
/// transaction \throws IoError, also for a file that is no store of this version
Database open_store(const std::string& path, int busy_milliseconds);

/// As LedgerStore::query. \throws InputError
QueryResult read_only_query(sqlite3* database, const std::string& sql);

}  // namespace carnot::ledger::detail
