// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// SQLite's handles as values that close themselves and throw.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "ledger/store/rows.hpp"

namespace carnot::ledger::detail {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// \throws IoError `path: doing: SQLite's words`
[[noreturn]] void throw_sqlite(sqlite3* database, const std::string& path, std::string_view doing);

/// Runs statements without results. \throws IoError
void execute(sqlite3* database, const std::string& path, const char* sql);

/// One prepared statement, bound left to right.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& path, const std::string& sql);

  Statement& bind(double value) { return done(sqlite3_bind_double(get(), next_++, value)); }
  Statement& bind(std::int64_t value) { return done(sqlite3_bind_int64(get(), next_++, value)); }
  Statement& bind_null() { return done(sqlite3_bind_null(get(), next_++)); }
  /// The text must outlive the next step.
  Statement& bind(std::string_view text) {
    return done(sqlite3_bind_text64(get(), next_++, text.data() ? text.data() : "", text.size(),
                                    SQLITE_STATIC, SQLITE_UTF8));
  }
  /// A text of its own.
  Statement& bind_copy(std::string_view text) {
    return done(sqlite3_bind_text64(get(), next_++, text.data() ? text.data() : "", text.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  /// Bytes that must outlive the next step.
  Statement& bind_bytes(std::string_view bytes) {
    return done(sqlite3_bind_blob64(get(), next_++, bytes.data() ? bytes.data() : "", bytes.size(),
                                    SQLITE_STATIC));
  }

  /// Runs to the end and makes ready for the next binding.
  void run();
  /// The first column of the first row. Precondition: there is one.
  std::int64_t integer();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  sqlite3_stmt* get() const noexcept { return statement_.get(); }
  Statement& done(int code);

  sqlite3* database_;
  const std::string& path_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
};

/// All or nothing: rolled back unless committed.
class Transaction {
 public:
  Transaction(sqlite3* database, const std::string& path);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  sqlite3* database_;
  const std::string& path_;
  bool open_ = true;
};

/// Rows into tables of the schema, one statement a table.
class SqliteRows : public RowSink {
 public:
  SqliteRows(sqlite3* database, const std::string& path) : database_(database), path_(path) {}
  void begin(Table table) override;
  void put(double value) override { row_->bind(value); }  // SQLite makes NaN NULL
  void put(std::int64_t value) override { row_->bind(value); }
  void put(std::string_view text) override { row_->bind_copy(text); }
  void put_null() override { row_->bind_null(); }
  void end() override { row_->run(); }

 private:
  sqlite3* database_;
  const std::string& path_;
  std::array<std::optional<Statement>, kTables.size()> inserts_;
  Statement* row_ = nullptr;
};

}  // namespace carnot::ledger::detail
