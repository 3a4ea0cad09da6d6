// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "ledger/shared/database.hpp"
#include "ledger/store/store_file.hpp"

namespace carnot::ledger::detail {

namespace {

constexpr int kWaitMilliseconds = 60'000;  // for the batches of other machines

constexpr std::string_view kHour =
    "strftime('%Y-%m-%dT%H:00:00Z', m.started_utc, printf('%.3f seconds', s.at_s))";

class SharedSqlite : public SharedDatabase {
 public:
  explicit SharedSqlite(const std::string& path)
      : path_(path), database_(open_store(path, kWaitMilliseconds)), rows_(database_.get(), path_) {
    // Heads are deleted and written again; their slots and samples stay.
    execute(database_.get(), path_, "PRAGMA foreign_keys = OFF");
    if (!has_tables()) {
      Transaction transaction(database_.get(), path_);
      if (!has_tables()) {
        std::string schema = kSharedSchema;
        const std::string_view mark = "@HOUR@";
        schema.replace(schema.find(mark), mark.size(), kHour);
        execute(database_.get(), path_, schema.c_str());
        ask("INSERT INTO shared_ledger VALUES ($1)", {std::to_string(kSharedVersion)});
      }
      transaction.commit();
    }
    const auto version = ask("SELECT version FROM shared_ledger", {}).at(0).at(0).value_or("");
    if (version != std::to_string(kSharedVersion))
      throw IoError(fmt::format("{}: open: a shared ledger of version {}, this carnot knows {}",
                                path_, version, kSharedVersion));
  }

  void begin(const std::string&) override { work_.emplace(database_.get(), path_); }
  void commit() override {
    work_->commit();
    work_.reset();
  }
  void rollback() noexcept override { work_.reset(); }

  Answer ask(const std::string& sql, const std::vector<std::string>& parameters) override {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
      throw_sqlite(database_.get(), path_, "store");
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      sqlite3_bind_text64(raw, static_cast<int>(i) + 1, parameters[i].c_str(), parameters[i].size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
    Answer out;
    int code;
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
      auto& row = out.emplace_back();
      for (int c = 0; c < sqlite3_column_count(raw); ++c) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, c));
        if (text == nullptr)
          row.emplace_back();
        else
          row.emplace_back(
              std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(raw, c))));
      }
    }
    if (code != SQLITE_DONE) throw_sqlite(database_.get(), path_, "store");
    return out;
  }

  RowSink& rows() override { return rows_; }

  void add_entry(const std::string& journal_id, std::uint64_t sequence, std::string_view kind,
                 std::uint32_t checksum, std::string_view payload) override {
    if (!insert_)
      insert_.emplace(database_.get(), path_, "INSERT INTO entry VALUES (?, ?, ?, ?, ?)");
    insert_->bind(journal_id)
        .bind(static_cast<std::int64_t>(sequence))
        .bind(kind)
        .bind(std::int64_t{checksum})
        .bind_bytes(payload)
        .run();
  }

  std::vector<Raw> entries(const std::string& journal_id, std::uint64_t from,
                           std::uint64_t to) override {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(),
                           "SELECT checksum, payload FROM entry WHERE journal_id = ? AND seq >= ? "
                           "AND seq < ? ORDER BY seq",
                           -1, &raw, nullptr) != SQLITE_OK)
      throw_sqlite(database_.get(), path_, "read");
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
    sqlite3_bind_text(raw, 1, journal_id.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(raw, 2, static_cast<sqlite3_int64>(from));
    sqlite3_bind_int64(raw, 3, static_cast<sqlite3_int64>(to));
    std::vector<Raw> out;
    int code;
    while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw, 1));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw, 1));
      out.push_back({static_cast<std::uint32_t>(sqlite3_column_int64(raw, 0)),
                     bytes ? std::string(bytes, size) : std::string()});
    }
    if (code != SQLITE_DONE) throw_sqlite(database_.get(), path_, "read");
    return out;
  }

  QueryResult query(const std::string& sql) override {
    return read_only_query(database_.get(), sql);
  }

 private:
  bool has_tables() {
    return !ask("SELECT 1 FROM sqlite_schema WHERE name = 'shared_ledger'", {}).empty();
  }

  std::string path_;
  Database database_;
  SqliteRows rows_;
  std::optional<Statement> insert_;
  std::optional<Transaction> work_;
};

}  // namespace

std::unique_ptr<SharedDatabase> open_shared_sqlite(const std::string& path) {
  return std::make_unique<SharedSqlite>(path);
}

}  // namespace carnot::ledger::detail
