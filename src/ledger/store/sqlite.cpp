// SPDX-License-Identifier: Apache-2.0
#include "ledger/store/sqlite.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::ledger::detail {

void throw_sqlite(sqlite3* database, const std::string& path, std::string_view doing) {
  throw IoError(fmt::format("{}: {}: {}", path, doing, sqlite3_errmsg(database)));
}

void execute(sqlite3* database, const std::string& path, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw_sqlite(database, path, "store");
}

Statement::Statement(sqlite3* database, const std::string& path, const std::string& sql)
    : database_(database), path_(path) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    throw_sqlite(database, path, "store");
  statement_.reset(statement);
}

Statement& Statement::done(int code) {
  if (code != SQLITE_OK) throw_sqlite(database_, path_, "store");
  return *this;
}

void Statement::run() {
  int code;
  do code = sqlite3_step(get());
  while (code == SQLITE_ROW);
  if (code != SQLITE_DONE) throw_sqlite(database_, path_, "store");
  sqlite3_reset(get());
  next_ = 1;
}

std::int64_t Statement::integer() {
  if (sqlite3_step(get()) != SQLITE_ROW) throw_sqlite(database_, path_, "store");
  return sqlite3_column_int64(get(), 0);
}

Transaction::Transaction(sqlite3* database, const std::string& path)
    : database_(database), path_(path) {
  execute(database, path, "BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  execute(database_, path_, "COMMIT");
  open_ = false;
}

void SqliteRows::begin(Table table) {
  const auto index = static_cast<std::size_t>(table);
  if (!inserts_[index]) {
    std::string marks = "?";
    for (int c = 1; c < kTables[index].columns; ++c) marks += ", ?";
    inserts_[index].emplace(database_, path_,
                            fmt::format("INSERT INTO {} VALUES ({})", kTables[index].name, marks));
  }
  row_ = &*inserts_[index];
}

}  // namespace carnot::ledger::detail
