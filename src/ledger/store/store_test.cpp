// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/store/store.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "ledger/entry/slot_columns.hpp"
#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::thrown;

using Row = std::vector<std::string>;

std::vector<QueryResult> everything(const LedgerStore& store) {
  std::vector<QueryResult> all;
  for (const char* table : {"run", "lane", "slot", "evaluation", "lane_totals", "mode_totals"})
    all.push_back(store.query(std::string("SELECT * FROM ") + table + " ORDER BY 1, 2, 3, 4"));
  return all;
}

bool same(const std::vector<QueryResult>& a, const std::vector<QueryResult>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.columns == y.columns && x.rows == y.rows;
  });
}

TEST(Store, HoldsARunWithItsUnits) {
  LedgerStore store(":memory:");
  store.load("a.journal", testing::small_run());
  EXPECT_THAT(store.query("SELECT run_id, seed, started_utc, result_json FROM run").rows,
              ElementsAre(Row{"a.journal", "18446744073709551614", "2020-09-13T12:26:40Z",
                              R"({"best":"always"})"}));
  EXPECT_THAT(store.query("SELECT lane, policy, outcome FROM lane").rows,
              ElementsAre(Row{"0", "always", "target-reached"},
                          Row{"1", "follow, \"sun\"", "target-reached"}));
  const auto first = testing::balanced_slot(RandomStream(20, "small run"), 0);
  const auto result = store.query(
      "SELECT start_utc, length_s, loss_bits IS NULL, facility_j = own_used_j + discharged_j + "
      "grid_j, moved_b FROM slot WHERE lane = 0 AND slot = 0");
  EXPECT_EQ(result.columns[0], "start_utc");
  EXPECT_THAT(result.rows[0], ElementsAre("2020-01-01T00:00:00Z", "300", "1", "1", ::testing::_));
  EXPECT_EQ(std::stod(result.rows[0][4]), first.bytes_moved.in(byte));
  EXPECT_THAT(
      store.query("SELECT at_utc, metric, value, certified FROM evaluation WHERE lane = 1").rows,
      ElementsAre(Row{"2020-01-01T00:15:00Z", "accuracy", "0.5", "1"}));
  EXPECT_THAT(store.query("SELECT seed FROM run WHERE seed = 7").rows, ElementsAre());
}

TEST(Store, HasTheColumnsOfTheCode) {
  LedgerStore store(":memory:");
  std::vector<std::string> expected = {"run_id", "lane", "slot", "start_ns"};
  detail::for_each_column(SlotEntry{},
                          [&](const char* name, const auto&) { expected.push_back(name); });
  std::vector<std::string> found;
  for (const auto& row : store.query("SELECT name FROM pragma_table_info('slot')").rows)
    found.push_back(row[0]);
  EXPECT_EQ(found, expected);
  EXPECT_THAT(
      store
          .query("SELECT name FROM pragma_table_list WHERE type = 'table' AND NOT strict AND "
                 "name NOT LIKE 'sqlite%'")
          .rows,
      ElementsAre());
}

TEST(Store, TheExamplesOfItsPageRun) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  const auto bytes = testing::bytes_of(CARNOT_SOURCE_DIR "/docs/formats/store.md");
  const std::string page(bytes.begin(), bytes.end());
  const std::size_t from = page.find("```sql\n") + 7, to = page.find("```", from);
  ASSERT_NE(to, std::string::npos);
  std::size_t queries = 0;
  for (std::size_t at = from; at < to; ++queries) {
    const std::size_t end = page.find(';', at);
    EXPECT_FALSE(store.query(page.substr(at, end - at)).columns.empty());
    at = page.find_first_not_of("\n", end + 1);
  }
  EXPECT_EQ(queries, 2u);
}

TEST(Store, LoadingTwiceChangesNothing) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  store.load("b", testing::small_run());
  const auto before = everything(store);
  store.load("a", testing::small_run());
  EXPECT_TRUE(same(everything(store), before));
  EXPECT_EQ(store.query("SELECT count(*) FROM slot").rows[0][0], "12");
}

TEST(Store, LoadingReplacesTheRunAlone) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  store.load("b", testing::small_run());
  store.load("a", {RunBegin{}, LaneBegin{"p"}, SlotEntry{}});  // a run in progress
  EXPECT_THAT(store.query("SELECT run_id, count(*) FROM slot GROUP BY run_id").rows,
              ElementsAre(Row{"a", "1"}, Row{"b", "6"}));
  EXPECT_THAT(store.query("SELECT outcome IS NULL, policy FROM lane WHERE run_id = 'a'").rows,
              ElementsAre(Row{"1", "p"}));
  EXPECT_THAT(store.query("SELECT count(*) FROM evaluation WHERE run_id = 'a'").rows,
              ElementsAre(Row{"0"}));
  EXPECT_THAT(store.query("SELECT result_json IS NULL FROM run ORDER BY run_id").rows,
              ElementsAre(Row{"1"}, Row{"0"}));
}

TEST(Store, KeepsToItsRelations) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  EXPECT_EQ(store.query("SELECT count(*) FROM pragma_foreign_key_list('slot')").rows[0][0], "2");
  EXPECT_EQ(store
                .query("SELECT count(*) FROM slot LEFT JOIN lane USING (run_id, lane) WHERE "
                       "policy IS NULL")
                .rows[0][0],
            "0");
}

TEST(Store, RefusesASlotOutOfBalanceAndStaysAsItWas) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  const auto before = everything(store);
  auto entries = testing::small_run();
  std::get<SlotEntry>(entries[3]).grid *= 1.0 + 1e-6;
  EXPECT_THAT(thrown<InputError>([&] { store.load("a", entries); }),
              HasSubstr("policy `always`: slot 1: the energies must balance"));
  EXPECT_TRUE(same(everything(store), before));
}

TEST(Store, AFailureInTheMiddleOfLoadingLeavesItAsItWas) {
  LedgerStore store(":memory:");
  store.load("a", testing::small_run());
  const auto before = everything(store);
  auto entries = testing::small_run();
  std::get<Evaluation>(entries[6]).steps = ~std::uint64_t{0};  // found after rows were written
  EXPECT_THAT(thrown<InputError>([&] { store.load("a", entries); }), HasSubstr("2^63 - 1"));
  EXPECT_TRUE(same(everything(store), before));
  EXPECT_THROW(store.load("a", {}), InputError);
  EXPECT_THROW(store.load("a", {LaneBegin{"p"}}), InputError);
  EXPECT_TRUE(same(everything(store), before));
}

TEST(Store, QueriesOnlyRead) {
  const TemporaryFolder folder;
  LedgerStore store(folder / "s.sqlite");
  store.load("a", testing::small_run());
  const auto before = testing::bytes_of(folder / "s.sqlite");
  for (const std::string sql :
       {"DELETE FROM run", "DROP TABLE slot", "UPDATE lane SET policy = 'x'", "VACUUM",
        "INSERT INTO run SELECT * FROM run", "CREATE TABLE x (y)", "CREATE TEMP TABLE x (y)",
        "PRAGMA user_version = 9", "PRAGMA foreign_keys = OFF", "PRAGMA journal_mode = WAL",
        "ATTACH 'other' AS o", "BEGIN", "SELECT load_extension('x')", "REINDEX", "ANALYZE",
        "EXPLAIN DELETE FROM run", "SELECT 1; DELETE FROM run",
        "WITH x AS (SELECT 1) DELETE FROM run"}) {
    EXPECT_THAT(thrown<InputError>([&] { store.query(sql); }), HasSubstr("a query may only read"))
        << sql;
  }
  EXPECT_EQ(testing::bytes_of(folder / "s.sqlite"), before);
  store.load("b", testing::small_run());  // the guard is gone again
  EXPECT_EQ(store.query("SELECT count(*) FROM run").rows[0][0], "2");
}

TEST(Store, BadSqlIsToldInSqlitesWords) {
  const LedgerStore store(":memory:");
  const auto words = [&](const std::string& sql) {
    return thrown<InputError>([&] { store.query(sql); });
  };
  EXPECT_THAT(words("SELEC 1"), HasSubstr("query: near \"SELEC\": syntax error"));
  EXPECT_THAT(words("SELECT * FROM slots"), HasSubstr("no such table: slots"));
  EXPECT_THAT(words("SELECT energy FROM slot"), HasSubstr("no such column: energy"));
  EXPECT_THAT(words(""), HasSubstr("query: empty; expected a SELECT"));
  EXPECT_THAT(words(" -- nothing\n;"), HasSubstr("query: empty"));
  EXPECT_THAT(words("SELECT 1; SELECT 2"), HasSubstr("one statement at a time"));
  EXPECT_THAT(words("SELECT abs(-9223372036854775808)"), HasSubstr("integer overflow"));
}

TEST(Store, AnswersAsText) {
  const LedgerStore store(":memory:");
  const auto result = store.query(
      "SELECT 1 AS a, 0.1 + 0.2 AS b, NULL AS c, x'00ff' AS d, 'ü' AS e, 1e400 AS f; -- end\n ;");
  EXPECT_THAT(result.columns, ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_THAT(result.rows, ElementsAre(Row{"1", "0.30000000000000004", "", "x'00ff'", "ü", "inf"}));
  EXPECT_TRUE(store.query("SELECT * FROM run").rows.empty());
  EXPECT_EQ(store.query("SELECT * FROM run").columns.size(), 9u);
  EXPECT_FALSE(store.query("PRAGMA table_info(slot)").rows.empty());
  EXPECT_THAT(store.query(R"(SELECT value FROM json_each('[3, "x"]'))").rows,
              ElementsAre(Row{"3"}, Row{"x"}));
}

TEST(Store, IsFoundAgainOnDisk) {
  const TemporaryFolder folder;
  const std::string path = folder / "s.sqlite";
  std::vector<QueryResult> before;
  {
    LedgerStore store(path);
    store.load("a", testing::small_run());
    before = everything(store);
  }
  LedgerStore store(path);
  EXPECT_TRUE(same(everything(store), before));
  LedgerStore other(path);  // readers beside it
  EXPECT_TRUE(same(everything(other), before));
  LedgerStore moved = std::move(store);
  moved.load("b", testing::small_run());
  EXPECT_EQ(other.query("SELECT count(*) FROM run").rows[0][0], "2");
}

TEST(Store, RefusesFilesThatAreNoStore) {
  const TemporaryFolder folder;
  const std::string text = folder / "text";
  testing::write_bytes(text, std::vector<std::uint8_t>(2000, 'x'));
  EXPECT_THAT(thrown<IoError>([&] { LedgerStore store(text); }),
              HasSubstr("text: store: file is not a database"));
  EXPECT_EQ(testing::bytes_of(text), std::vector<std::uint8_t>(2000, 'x'));

  const auto run_sql = [](const std::string& path, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  };
  const std::string foreign = folder / "foreign.sqlite", newer = folder / "newer.sqlite";
  run_sql(foreign, "CREATE TABLE mine (x)");
  const auto before = testing::bytes_of(foreign);
  EXPECT_THAT(thrown<IoError>([&] { LedgerStore store(foreign); }),
              HasSubstr("a SQLite file, but not a carnot store"));
  EXPECT_EQ(testing::bytes_of(foreign), before);
  { LedgerStore store(newer); }
  run_sql(newer, "PRAGMA user_version = 3");
  EXPECT_THAT(thrown<IoError>([&] { LedgerStore store(newer); }),
              HasSubstr("a store of schema 3, this version reads 2: delete it"));
  EXPECT_THAT(thrown<IoError>([&] { LedgerStore store(folder / "no/such/folder/s"); }),
              HasSubstr("open: unable to open database file"));
  EXPECT_THROW(LedgerStore(folder.path()), IoError);
}

TEST(Export, WritesAllSlotsAsCsv) {
  const TemporaryFolder folder;
  const std::string path = folder / "slots.csv";
  testing::write_bytes(path, {'o', 'l', 'd'});
  SlotEntry s;
  s.start = Instant::from_unix_seconds(1'577'836'800);
  s.length = Duration::nanoseconds(1'500'000'000);
  s.grid = s.facility = 0.1 * joule;
  s.cost = -2.5 * euro;
  s.mode = "a,\"b\"";
  s.steps = ~std::uint64_t{0};
  s.bytes_moved = 3.0 * byte;
  s.loss = kNaN;
  s.cap_violation = true;
  export_csv({RunBegin{}, LaneBegin{"p"}, s, LaneEnd{}, LaneBegin{"q\nr"}, SlotEntry{}}, path);
  const auto bytes = testing::bytes_of(path);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()),
            "lane,policy,slot,start_utc,length_s,total_j,exported_j,own_used_j,charged_j,"
            "discharged_j,grid_j,curtailed_j,facility_j,battery_charge_j,battery_loss_j,carbon_g,"
            "cost_eur,mode,throttle,steps,operations,moved_b,loss_bits,noise_share,cap_violation\n"
            "0,p,0,2020-01-01T00:00:00Z,1.5,0,0,0,0,0,0.1,0,0.1,0,0,0,-2.5,\"a,\"\"b\"\"\",0,"
            "18446744073709551615,0,3,,0,1\n"
            "1,\"q\nr\",0,1970-01-01T00:00:00Z,0,0,0,0,0,0,0,0,0,0,0,0,0,,0,0,0,0,0,0,0\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Export, FailsWithoutTouchingTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "slots.csv";
  testing::write_bytes(path, {'o', 'l', 'd'});
  EXPECT_THROW(export_csv({SlotEntry{}}, path), InputError);
  EXPECT_EQ(testing::bytes_of(path).size(), 3u);
  EXPECT_THAT(thrown<IoError>([&] { export_csv({}, folder / "none/x.csv"); }),
              HasSubstr("No such file or directory"));
  fs::create_directory(folder / "directory");
  EXPECT_THAT(thrown<IoError>([&] { export_csv({}, folder / "directory"); }),
              HasSubstr("directory: write: Is a directory"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

}  // namespace
}  // namespace carnot::ledger
