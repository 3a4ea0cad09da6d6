// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/store.hpp"

#include <string>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "ledger/store/rows.hpp"
#include "ledger/store/schema.hpp"
#include "ledger/store/sqlite.hpp"
#include "ledger/store/store_file.hpp"

namespace carnot::ledger {

using detail::Statement;
using detail::Transaction;

struct LedgerStore::Implementation {
  std::string path;
  detail::Database database;
};

namespace {

constexpr int kBusyMilliseconds = 5000;  // how long to wait for another program's transaction

detail::Database open(const std::string& path, int busy_milliseconds) {
  sqlite3* handle = nullptr;
  // NOMUTEX: one connection, one thread. No URI names: a path is a path.
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  detail::Database database(handle);
  if (!handle) throw IoError(path + ": open: out of memory");
  if (code != SQLITE_OK) detail::throw_sqlite(handle, path, "open");
  sqlite3_busy_timeout(handle, busy_milliseconds);
  return database;
}

std::int64_t ask(sqlite3* database, const std::string& path, const char* sql) {
  return Statement(database, path, sql).integer();
}

/// Makes the schema in an empty file and refuses a file with another.
void prepare(sqlite3* database, const std::string& path) {
  const auto is_empty = [&] {
    return ask(database, path, "SELECT count(*) FROM sqlite_schema") == 0 &&
           ask(database, path, "PRAGMA application_id") == 0;
  };
  if (is_empty()) {
    Transaction transaction(database, path);
    if (is_empty()) {  // still: another process may have been first
      detail::execute(database, path, detail::kStoreSchema);
      detail::execute(database, path,
                      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                  detail::kStoreApplication, detail::kStoreVersion)
                          .c_str());
    }
    transaction.commit();
  }
  if (ask(database, path, "PRAGMA application_id") != detail::kStoreApplication)
    throw IoError(path + ": open: a SQLite file, but not a carnot store");
  const auto version = ask(database, path, "PRAGMA user_version");
  if (version != detail::kStoreVersion)
    throw IoError(
        fmt::format("{}: open: a store of schema {}, this version reads {}: delete it and "
                    "load the journals again",
                    path, version, detail::kStoreVersion));
}

}  // namespace

detail::Database detail::open_store(const std::string& path, int busy_milliseconds) {
  detail::Database database = open(path, busy_milliseconds);
  prepare(database.get(), path);
  return database;
}

LedgerStore::LedgerStore(const std::string& path)
    : implementation_(std::make_unique<Implementation>(
          Implementation{path, detail::open_store(path, kBusyMilliseconds)})) {
  detail::execute(implementation_->database.get(), path, "PRAGMA foreign_keys = ON");
}

LedgerStore::~LedgerStore() = default;
LedgerStore::LedgerStore(LedgerStore&&) noexcept = default;
LedgerStore& LedgerStore::operator=(LedgerStore&&) noexcept = default;

void LedgerStore::load(const std::string& run_id, const std::vector<Entry>& entries) {
  sqlite3* const database = implementation_->database.get();
  const std::string& path = implementation_->path;
  Transaction transaction(database, path);
  for (const char* table : {"run", "measurement"})
    Statement(database, path, fmt::format("DELETE FROM {} WHERE run_id = ?", table))
        .bind(run_id)
        .run();
  const detail::RowWriter rows(run_id, entries);
  detail::SqliteRows sink(database, path);
  rows.write(0, entries.size(), sink);
  transaction.commit();
}

QueryResult LedgerStore::query(const std::string& sql) const {
  return detail::read_only_query(implementation_->database.get(), sql);
}

}  // namespace carnot::ledger
