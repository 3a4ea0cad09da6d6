// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

#include "ledger/store/store_file.hpp"

namespace carnot::ledger {

namespace {

// What a query may do: read, call functions, and describe tables. The first use of a table-valued
// function such as json_each declares its columns by a CREATE TABLE of SQLite's own, which looks
// like a user's here; the user's is refused because its statement is not read-only.
int allow_reading(void*, int action, const char* first, const char* second, const char*,
                  const char*) noexcept {
  constexpr std::array<std::string_view, 7> kDescriptions = {
      "table_info", "table_xinfo", "table_list",      "index_list",
      "index_info", "index_xinfo", "foreign_key_list"};
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_CREATE_TABLE:
      return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
      return first && std::string_view(first) == "sqlite_master" ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
      return second && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
      return std::find(kDescriptions.begin(), kDescriptions.end(), first) != kDescriptions.end()
                 ? SQLITE_OK
                 : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

class ReadOnly {
 public:
  explicit ReadOnly(sqlite3* database) : database_(database) {
    sqlite3_set_authorizer(database_, allow_reading, nullptr);
  }
  ~ReadOnly() { sqlite3_set_authorizer(database_, nullptr, nullptr); }
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

 private:
  sqlite3* database_;
};

struct FinalizeQuery {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Query = std::unique_ptr<sqlite3_stmt, FinalizeQuery>;

[[noreturn]] void refuse_query(sqlite3* database) {
  const std::string_view words = sqlite3_errmsg(database);
  const bool denied = words.starts_with("not authorized");  // not all of these are SQLITE_AUTH
  throw InputError(fmt::format("query: {}{}", words, denied ? " (a query may only read)" : ""));
}

/// Compiles the first statement of `sql` and moves past it; null if only space and comments remain.
Query compile(sqlite3* database, std::string_view& sql) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sql.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw InputError("query: string or blob too big");
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, &rest) !=
      SQLITE_OK)
    refuse_query(database);
  Query query(statement);
  sql.remove_prefix(static_cast<std::size_t>(rest - sql.data()));
  return query;
}

std::string cell(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return "";
    case SQLITE_FLOAT:
      return shortest(sqlite3_column_double(row, column));
    case SQLITE_BLOB: {
      const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      std::string hex = "x'";
      for (std::size_t i = 0; i < size; ++i) hex += fmt::format("{:02x}", data[i]);
      return hex + '\'';
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      return text ? std::string(text, size) : std::string();
    }
  }
}

}  // namespace

QueryResult detail::read_only_query(sqlite3* database, const std::string& sql) {
  const ReadOnly guard(database);
  std::string_view rest = sql;
  const Query query = compile(database, rest);
  if (!query) throw InputError("query: empty; expected a SELECT");
  if (!sqlite3_stmt_readonly(query.get())) throw InputError("query: a query may only read");
  if (compile(database, rest)) throw InputError("query: one statement at a time");

  QueryResult result;
  const int columns = sqlite3_column_count(query.get());
  for (int c = 0; c < columns; ++c)
    result.columns.emplace_back(sqlite3_column_name(query.get(), c));
  int code;
  while ((code = sqlite3_step(query.get())) == SQLITE_ROW) {
    std::vector<std::string>& row = result.rows.emplace_back();
    for (int c = 0; c < columns; ++c) row.push_back(cell(query.get(), c));
  }
  if (code != SQLITE_DONE) refuse_query(database);
  return result;
}

}  // namespace carnot::ledger
