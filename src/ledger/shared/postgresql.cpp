// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/error.hpp"

#include "ledger/shared/database.hpp"

#ifdef CARNOT_HAVE_LIBPQ

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "carnot/base/text.hpp"

#include "ledger/store/schema.hpp"

namespace carnot::ledger::detail {

namespace {

// The few words of kStoreSchema and kSharedSchema that PostgreSQL says otherwise. Rows have one
// writer, which keeps them whole: foreign keys would cost a search for each.
constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {" STRICT, WITHOUT ROWID", ""},
    {" STRICT", ""},
    {",\n  FOREIGN KEY (run_id, lane) REFERENCES lane ON DELETE CASCADE", ""},
    {",\n  FOREIGN KEY (run_id, sample) REFERENCES sample ON DELETE CASCADE", ""},
    {",\n  FOREIGN KEY (run_id, domain) REFERENCES domain ON DELETE CASCADE", ""},
    {" REFERENCES run ON DELETE CASCADE", ""},
    {" REFERENCES measurement ON DELETE CASCADE", ""},
    {" INTEGER", " BIGINT"},
    {" REAL", " DOUBLE PRECISION"},
    {" BLOB", " BYTEA"},
    {"max(abs(", "greatest(abs("},
    {"@HOUR@",
     "to_char(date_trunc('hour', (m.started_utc::timestamptz + s.at_s * interval '1 second') "
     "AT TIME ZONE 'UTC'), 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')"},
};

// SQLite's TOTAL: a sum that is 0.0 of nothing.
constexpr const char* kTotal =
    "CREATE AGGREGATE carnot.TOTAL(double precision) "
    "(SFUNC = float8pl, STYPE = double precision, INITCOND = '0');";

constexpr const char* kMakingTables = "carnot: making tables";  // names a lock

std::string schema_sql() {
  std::string sql = std::string(kStoreSchema) + kSharedSchema;
  for (const auto& [theirs, ours] : kWords)
    for (std::size_t at = 0; (at = sql.find(theirs, at)) != sql.npos; at += ours.size())
      sql.replace(at, theirs.size(), ours);
  return sql;
}

struct ClearResult {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

std::string one_line(const char* message) {
  std::string out;
  for (const char c : std::string_view(message ? message : ""))
    if (c != '\n' || (!out.empty() && out.back() != ' ')) out += c == '\n' ? ' ' : c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// What PostgreSQL takes as text: UTF-8 without NUL; other bytes become U+FFFD. The entry itself
/// keeps them.
void append_text(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    std::size_t length = lead < 0x80   ? 1
                         : lead < 0xc2 ? 0
                         : lead < 0xe0 ? 2
                         : lead < 0xf0 ? 3
                         : lead < 0xf5 ? 4
                                       : 0;
    if (lead == 0 || length > text.size() - i) length = 0;
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<std::uint8_t>(text[i + k]);
      const std::uint8_t least = k > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      const std::uint8_t most = k > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      if (next < least || next > most) {
        length = 0;
        break;
      }
    }
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++i;
      continue;
    }
    const std::string_view letter = text.substr(i, length);
    if (letter == "\\" || letter == "\t" || letter == "\n" || letter == "\r") {
      out += '\\';
      out += letter == "\t" ? 't' : letter == "\n" ? 'n' : letter == "\r" ? 'r' : '\\';
    } else {
      out += letter;
    }
    i += length;
  }
}

/// Rows as text of COPY, a buffer a table.
class CopyRows : public RowSink {
 public:
  void begin(Table table) override {
    text_ = &texts_[static_cast<std::size_t>(table)];
    first_ = true;
  }
  void put(double value) override {
    if (std::isnan(value)) return put_null();
    separate();
    *text_ += std::isinf(value) ? (value > 0 ? "Infinity" : "-Infinity") : shortest(value);
  }
  void put(std::int64_t value) override {
    separate();
    std::array<char, 24> digits;
    *text_ += std::string_view(
        digits.data(), static_cast<std::size_t>(
                           std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr -
                           digits.data()));
  }
  void put(std::string_view text) override {
    separate();
    append_text(text, *text_);
  }
  void put_null() override {
    separate();
    *text_ += "\\N";
  }
  void end() override { *text_ += '\n'; }

  std::array<std::string, kTables.size()>& texts() noexcept { return texts_; }

 private:
  void separate() {
    if (!first_) *text_ += '\t';
    first_ = false;
  }

  std::array<std::string, kTables.size()> texts_;
  std::string* text_ = nullptr;
  bool first_ = true;
};

constexpr Oid kByteaType = 17, kDoubleType = 701;

int hex_value(char c) noexcept { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

std::string bytes_of_hex(std::string_view text) {  // "\x00ff"
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    out += static_cast<char>(hex_value(text[i]) * 16 + hex_value(text[i + 1]));
  return out;
}

class SharedPostgresql : public SharedDatabase {
 public:
  explicit SharedPostgresql(const std::string& target) {
    // "postgresql:" alone: all of it from the environment.
    const bool bare = target == "postgresql:" || target == "postgres:";
    const std::string words = bare ? "" : target;
    refuse_password(words);
    std::vector<const char*> keys, values;
    const auto set = [&](const char* key, const char* value) {
      keys.push_back(key);
      values.push_back(value);
    };
    // What comes first yields to the target's own words.
    if (std::getenv("PGCONNECT_TIMEOUT") == nullptr) set("connect_timeout", "10");
    if (!words.empty()) set("dbname", words.c_str());
    set("client_encoding", "UTF8");
    set("fallback_application_name", "carnot");
    set(nullptr, nullptr);
    connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
    if (!connection_) throw IoError("PostgreSQL: connect: out of memory");
    PQsetNoticeProcessor(
        get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(get()) != CONNECTION_OK) fail("connect");
    constexpr int kOldest = 120000;
    if (PQserverVersion(get()) < kOldest) refuse("connect: PostgreSQL 12 or newer is needed");
    const char* encoding = PQparameterStatus(get(), "server_encoding");
    if (encoding == nullptr || std::string_view(encoding) != "UTF8")
      refuse(
          fmt::format("connect: the database's encoding is {}; UTF8 is needed (createdb -E UTF8)",
                      encoding ? encoding : "unknown"));
    run("SET search_path = carnot; SET extra_float_digits = 1; SET bytea_output = hex; "
        "SET TIME ZONE 'UTC'");
    if (!has_tables()) make_tables();
    const auto version = ask("SELECT version FROM shared_ledger", {}).at(0).at(0).value_or("");
    if (version != std::to_string(kSharedVersion))
      refuse(fmt::format("open: a shared ledger of version {}, this carnot knows {}", version,
                         kSharedVersion));
  }

  void begin(const std::string& journal_id) override {
    run("BEGIN");
    ask("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {journal_id});
  }
  void commit() override {
    flush();
    run("COMMIT");
  }
  void rollback() noexcept override {
    for (std::string& text : rows_.texts()) text.clear();
    entries_.clear();
    // A connection that is gone has rolled back already.
    const Result result(PQexec(get(), "ROLLBACK"));
  }

  Answer ask(const std::string& sql, const std::vector<std::string>& parameters) override {
    flush();  // what comes later must find what came before
    const Result result = execute(sql, parameters);
    Answer out;
    for (int r = 0; r < PQntuples(result.get()); ++r) {
      auto& row = out.emplace_back();
      for (int c = 0; c < PQnfields(result.get()); ++c) {
        if (PQgetisnull(result.get(), r, c))
          row.emplace_back();
        else
          row.emplace_back(PQgetvalue(result.get(), r, c));
      }
    }
    return out;
  }

  RowSink& rows() override { return rows_; }

  void add_entry(const std::string& journal_id, std::uint64_t sequence, std::string_view kind,
                 std::uint32_t checksum, std::string_view payload) override {
    entries_ += fmt::format("{}\t{}\t{}\t{}\t\\\\x", journal_id, sequence, kind, checksum);
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : payload) {
      const auto byte = static_cast<std::uint8_t>(c);
      entries_ += kDigits[byte >> 4];
      entries_ += kDigits[byte & 15];
    }
    entries_ += '\n';
  }

  std::vector<Raw> entries(const std::string& journal_id, std::uint64_t from,
                           std::uint64_t to) override {
    std::vector<Raw> out;
    for (const auto& row : ask("SELECT checksum, payload FROM entry WHERE journal_id = $1 AND "
                               "seq >= $2 AND seq < $3 ORDER BY seq",
                               {journal_id, std::to_string(from), std::to_string(to)}))
      out.push_back(
          {static_cast<std::uint32_t>(std::stoull(row[0].value())), bytes_of_hex(row[1].value())});
    return out;
  }

  QueryResult query(const std::string& sql) override {
    // COPY writes files even where a transaction may only read.
    const std::size_t start = sql.find_first_not_of(" \t\r\n(");
    std::string word = sql.substr(start == sql.npos ? sql.size() : start, 7);
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!word.starts_with("select") && !word.starts_with("with") && !word.starts_with("values") &&
        !word.starts_with("explain"))
      throw InputError("query: a SELECT, WITH, VALUES or EXPLAIN");
    run("BEGIN READ ONLY");
    Result result;
    try {
      result = execute(sql, {}, true);
    } catch (...) {
      rollback();
      throw;
    }
    rollback();
    QueryResult out;
    const int columns = PQnfields(result.get());
    for (int c = 0; c < columns; ++c) out.columns.emplace_back(PQfname(result.get(), c));
    for (int r = 0; r < PQntuples(result.get()); ++r) {
      auto& row = out.rows.emplace_back();
      for (int c = 0; c < columns; ++c) row.push_back(cell(result.get(), r, c));
    }
    return out;
  }

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  PGconn* get() const noexcept { return connection_.get(); }

  [[noreturn]] void refuse(const std::string& why) const {
    throw IoError(fmt::format("PostgreSQL{}: {}", place(), why));
  }
  [[noreturn]] void fail(const char* doing) const {
    refuse(fmt::format("{}: {}", doing, one_line(PQerrorMessage(get()))));
  }
  /// Where, without who: " at db.example, energy".
  std::string place() const {
    const char* host = PQhost(get());
    const char* name = PQdb(get());
    return fmt::format("{}{}{}{}", host && *host ? " at " : "", host ? host : "",
                       name && *name ? ", " : "", name ? name : "");
  }

  static void refuse_password(const std::string& words) {
    char* error = nullptr;
    PQconninfoOption* const all = PQconninfoParse(words.c_str(), &error);
    if (all == nullptr) {
      const std::string why = one_line(error);
      PQfreemem(error);
      throw InputError(fmt::format("PostgreSQL target: {}", why));
    }
    bool has_password = false;
    for (const PQconninfoOption* o = all; o->keyword != nullptr; ++o)
      has_password |= o->val != nullptr && std::string_view(o->keyword).find("password") == 0;
    PQconninfoFree(all);
    if (has_password)
      throw InputError(
          "PostgreSQL target: no password here, where other users see it: put it into ~/.pgpass "
          "(mode 600), a file that PGPASSFILE names, or a service file");
  }

  bool has_tables() {
    return ask("SELECT to_regclass('carnot.shared_ledger')", {}).at(0).at(0).has_value();
  }
  void make_tables() {
    begin(kMakingTables);
    try {
      if (!has_tables()) {
        run("CREATE SCHEMA IF NOT EXISTS carnot");
        run(kTotal);
        run(schema_sql());
        ask("INSERT INTO shared_ledger VALUES ($1)", {std::to_string(kSharedVersion)});
      }
      run("COMMIT");
    } catch (...) {
      rollback();
      throw;
    }
  }

  /// Statements without parameters and results.
  void run(const std::string& sql) {
    const Result result(PQexec(get(), sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail("store");
  }

  Result execute(const std::string& sql, const std::vector<std::string>& parameters,
                 bool theirs = false) {
    std::vector<const char*> values;
    for (const std::string& p : parameters) values.push_back(p.c_str());
    Result result(PQexecParams(get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                               values.data(), nullptr, nullptr, 0));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    if (theirs && PQstatus(get()) == CONNECTION_OK)
      throw InputError(fmt::format("query: {}", one_line(PQresultErrorMessage(result.get()))));
    fail("store");
  }

  void flush() {
    for (std::size_t i = 0; i < kTables.size(); ++i) copy(kTables[i].name, rows_.texts()[i]);
    copy("entry", entries_);
  }

  void copy(const char* table, std::string& text) {
    if (text.empty()) return;
    {
      const Result result(PQexec(get(), fmt::format("COPY {} FROM STDIN", table).c_str()));
      if (PQresultStatus(result.get()) != PGRES_COPY_IN) fail("store");
    }
    constexpr std::size_t kAtOnce = 1 << 20;
    for (std::size_t at = 0; at < text.size(); at += kAtOnce)
      if (PQputCopyData(get(), text.data() + at,
                        static_cast<int>(std::min(kAtOnce, text.size() - at))) != 1)
        fail("store");
    if (PQputCopyEnd(get(), nullptr) != 1) fail("store");
    bool good = true;
    std::string why;
    while (const Result result{PQgetResult(get())}) {
      if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) continue;
      good = false;
      why = one_line(PQresultErrorMessage(result.get()));
    }
    if (!good) refuse(fmt::format("store {}: {}", table, why));
    text.clear();
  }

  /// As LedgerStore prints cells.
  static std::string cell(const PGresult* result, int row, int column) {
    if (PQgetisnull(result, row, column)) return "";
    const std::string text = PQgetvalue(result, row, column);
    const Oid type = PQftype(result, column);
    if (type == kByteaType) return "x'" + text.substr(2) + '\'';
    if (type != kDoubleType) return text;
    double value = 0.0;
    const auto end = text.data() + text.size();
    return std::from_chars(text.data(), end, value).ptr == end && std::isfinite(value)
               ? shortest(value)
               : text;
  }

  std::unique_ptr<PGconn, Finish> connection_;
  CopyRows rows_;
  std::string entries_;
};

}  // namespace

std::unique_ptr<SharedDatabase> open_shared_postgresql(const std::string& target) {
  return std::make_unique<SharedPostgresql>(target);
}

}  // namespace carnot::ledger::detail

#else

namespace carnot::ledger::detail {

std::unique_ptr<SharedDatabase> open_shared_postgresql(const std::string&) {
  throw DeviceError(
      "this carnot was built without libpq, which speaks to PostgreSQL; install libpq-dev and "
      "build again, or share a SQLite file");
}

}  // namespace carnot::ledger::detail

#endif
