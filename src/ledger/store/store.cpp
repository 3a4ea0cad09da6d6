// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/store.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

#include "ledger/entry/slot_columns.hpp"
#include "ledger/store/lanes.hpp"
#include "ledger/store/schema.hpp"
#include "ledger/store/sqlite.hpp"
#include "ledger/store/store_measurement.hpp"

namespace carnot::ledger {

using detail::Statement;
using detail::Transaction;
using detail::whole;

struct LedgerStore::Implementation {
  std::string path;
  detail::Database database;
};

namespace {

constexpr int kBusyMilliseconds = 5000;  // how long to wait for another program's transaction

detail::Database open(const std::string& path) {
  sqlite3* handle = nullptr;
  // NOMUTEX: one connection, one thread. No URI names: a path is a path.
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  detail::Database database(handle);
  if (!handle) throw IoError(path + ": open: out of memory");
  if (code != SQLITE_OK) detail::throw_sqlite(handle, path, "open");
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
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
  detail::execute(database, path, "PRAGMA foreign_keys = ON");
}

/// Binds the columns of a slot by their C++ types.
struct BindColumn {
  Statement& to;
  void operator()(const char*, double value) { to.bind(value); }  // SQLite makes NaN NULL
  void operator()(const char* name, std::uint64_t value) { to.bind(whole(value, name)); }
  void operator()(const char*, bool value) { to.bind(std::int64_t{value}); }
  void operator()(const char*, const std::string& value) { to.bind(value); }
  void operator()(const char*, Instant at) { to.bind_copy(at.iso8601()); }
};

void check_balance(const detail::LaneView& lane) {
  for (std::size_t i = 0; i < lane.slots.size(); ++i) {
    const double residual = balance_residual(*lane.slots[i]);
    if (!(residual <= kBalanceTolerance))
      throw InputError(
          fmt::format("ledger: policy `{}`: slot {}: the energies must balance to {:g} of the "
                      "largest; they are "
                      "off by {:.3g}",
                      lane.begin->policy, i, kBalanceTolerance, residual));
  }
}

std::string insert_slot_sql() {
  std::string names = "run_id, lane, slot, start_ns", marks = "?, ?, ?, ?";
  detail::for_each_column(SlotEntry{}, [&](const char* name, const auto&) {
    names += std::string(", ") + name;
    marks += ", ?";
  });
  return "INSERT INTO slot (" + names + ") VALUES (" + marks + ")";
}

void load_run(sqlite3* database, const std::string& path, const std::string& run_id,
              const std::vector<Entry>& entries) {
  const detail::RunView run = detail::group(entries, true);
  for (const auto& lane : run.lanes) check_balance(lane);
  Statement insert_run(database, path, "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert_run.bind(run_id)
      .bind(run.begin->carnot_version)
      .bind(run.begin->command)
      .bind(run.begin->scenario_name)
      .bind(run.begin->scenario_text)
      .bind_copy(std::to_string(run.begin->seed))
      .bind_copy(run.begin->started.iso8601())
      .bind(run.begin->facts_json);
  run.end ? insert_run.bind(run.end->result_json) : insert_run.bind_null();
  insert_run.run();

  Statement insert_lane(database, path, "INSERT INTO lane VALUES (?, ?, ?, ?, ?, ?)");
  Statement insert_slot(database, path, insert_slot_sql());
  Statement insert_evaluation(database, path,
                              "INSERT INTO evaluation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t k = 0; k < run.lanes.size(); ++k) {
    const detail::LaneView& lane = run.lanes[k];
    const auto number = static_cast<std::int64_t>(k);
    insert_lane.bind(run_id).bind(number).bind(lane.begin->policy);
    if (lane.end) {
      insert_lane.bind(lane.end->outcome).bind(lane.end->stopped).bind(lane.end->result_json);
    } else {
      insert_lane.bind_null().bind_null().bind_null();
    }
    insert_lane.run();
    for (std::size_t i = 0; i < lane.slots.size(); ++i) {
      insert_slot.bind(run_id).bind(number).bind(static_cast<std::int64_t>(i));
      insert_slot.bind(lane.slots[i]->start.unix_nanoseconds());
      detail::for_each_column(*lane.slots[i], BindColumn{insert_slot});
      insert_slot.run();
    }
    for (std::size_t i = 0; i < lane.evaluations.size(); ++i) {
      const Evaluation& e = *lane.evaluations[i];
      insert_evaluation.bind(run_id)
          .bind(number)
          .bind(static_cast<std::int64_t>(i))
          .bind(e.at.unix_nanoseconds())
          .bind_copy(e.at.iso8601())
          .bind(whole(e.steps, "steps"))
          .bind(e.metric)
          .bind(e.value)
          .bind(e.low)
          .bind(e.high)
          .bind(std::int64_t{e.certified});
      insert_evaluation.run();
    }
  }
}

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

LedgerStore::LedgerStore(const std::string& path)
    : implementation_(std::make_unique<Implementation>(Implementation{path, open(path)})) {
  prepare(implementation_->database.get(), path);
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
  if (is_measurement(entries)) {
    detail::load_measurement(database, path, run_id, view_measurement(entries));
  } else {
    load_run(database, path, run_id, entries);
  }
  transaction.commit();
}

QueryResult LedgerStore::query(const std::string& sql) const {
  sqlite3* const database = implementation_->database.get();
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
