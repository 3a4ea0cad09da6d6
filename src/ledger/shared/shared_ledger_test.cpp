// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/shared/shared_ledger.hpp"

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

#include "ledger/testing_entries.hpp"

// PostgreSQL is tried by tests/shared_ledger against a real server; what both share is tried here.
namespace carnot::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_measurement;
using testing::small_run;
using testing::thrown;

using Row = std::vector<std::string>;

class SharedLedgerTest : public ::testing::Test {
 protected:
  SharedLedgerTest() : path_(folder_ / "site.sqlite") {}

  PushOptions options(const std::string& machine = "n1", std::size_t batch = 3) const {
    PushOptions o;
    o.machine = machine;
    o.now = Instant::from_unix_seconds(1'800'000'000);
    o.batch = batch;
    return o;
  }
  static std::vector<Entry> first(std::vector<Entry> entries, std::size_t count) {
    entries.resize(count, entries.front());
    return entries;
  }
  /// The tables of the store, as text: what was pushed against what LedgerStore makes of it.
  template <class Store>
  static std::vector<std::vector<Row>> rows(Store& store) {
    std::vector<std::vector<Row>> all;
    for (const char* table :
         {"run", "lane", "slot", "evaluation", "measurement", "domain", "sample", "reading",
          "process", "gap", "phase", "lane_totals", "mode_totals", "measurement_totals"})
      all.push_back(store.query(std::string("SELECT * FROM ") + table + " ORDER BY 1, 2, 3").rows);
    return all;
  }

  TemporaryFolder folder_;
  std::string path_;
};

/// Bytes of entries as they are shared: NaN is NaN there.
std::vector<std::vector<std::uint8_t>> shared(std::vector<Entry> entries) {
  std::vector<std::vector<std::uint8_t>> out;
  for (Entry& entry : entries) {
    if (auto* checkpoint = std::get_if<Checkpoint>(&entry)) checkpoint->state.clear();
    out.push_back(encode(entry));
  }
  return out;
}

TEST_F(SharedLedgerTest, TwiceIsOnceAndComesBack) {
  SharedLedger ledger(path_);
  for (const auto& entries : {small_run(), small_measurement()}) {
    const PushOutcome once = ledger.push(entries, "x.journal", options());
    EXPECT_EQ(once.added, entries.size());
    EXPECT_EQ(once.before, 0U);
    const auto before = rows(ledger);
    const PushOutcome twice = ledger.push(entries, "renamed.journal", options("n2"));
    EXPECT_EQ(twice.journal_id, once.journal_id);
    EXPECT_EQ(twice.added, 0U);
    EXPECT_EQ(twice.before, entries.size());
    EXPECT_EQ(rows(ledger), before);
    EXPECT_TRUE(shared(ledger.pull(once.journal_id.substr(0, 8))) == shared(entries));
  }
  const auto all = ledger.journals();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].machine, "n1");
  EXPECT_EQ(all[0].name, "x.journal");
  EXPECT_EQ(ledger.query("SELECT machine, journals FROM machine").rows,
            (std::vector<Row>{{"n1", "2"}}));
}

TEST_F(SharedLedgerTest, MakesTheRowsOfTheStoreWhateverTheBatches) {
  for (const auto& entries : {small_run(), small_measurement()}) {
    LedgerStore store(":memory:");
    store.load(journal_id(entries), entries);
    for (const std::size_t batch : {1U, 2U, 5U, 1000U}) {
      SharedLedger ledger(":memory:");
      ledger.push(entries, "x", options("n1", batch));
      EXPECT_EQ(rows(ledger), rows(store)) << batch;
    }
  }
}

TEST_F(SharedLedgerTest, AJournalThatGrowsSendsWhatIsNew) {
  for (const auto& entries : {small_run(), small_measurement()}) {
    SharedLedger ledger(":memory:");
    for (std::size_t size = 1; size <= entries.size(); ++size) {
      const auto part = first(entries, size);
      EXPECT_EQ(ledger.push(part, "x", options()).added, 1U);
      LedgerStore store(":memory:");
      store.load(journal_id(part), part);
      EXPECT_EQ(rows(ledger), rows(store)) << size;
    }
    // An older copy changes nothing.
    const PushOutcome older = ledger.push(first(entries, 2), "x", options("n2"));
    EXPECT_EQ(older.added, 0U);
    EXPECT_EQ(older.beyond, entries.size() - 2);
    EXPECT_EQ(ledger.pull(older.journal_id).size(), entries.size());
  }
}

TEST_F(SharedLedgerTest, ATailThatWasCutBackIsReplacedFromItsOwnMachineAlone) {
  const auto entries = small_run();
  auto resumed = entries;
  std::get<SlotEntry>(resumed[4]).throttle = 0.125;  // went on otherwise from here
  resumed.resize(6, resumed.front());
  SharedLedger ledger(path_);
  ledger.push(entries, "x", options());
  EXPECT_THAT(thrown<InputError>([&] { ledger.push(resumed, "x", options("n2")); }),
              HasSubstr("entry 5 differs from what the ledger has of this journal from n1"));
  EXPECT_TRUE(shared(ledger.pull(journal_id(entries))) == shared(entries));
  const PushOutcome outcome = ledger.push(resumed, "x", options());
  EXPECT_EQ(outcome.before, 4U);
  EXPECT_EQ(outcome.replaced, entries.size() - 4);
  EXPECT_EQ(outcome.added, 2U);
  LedgerStore store(":memory:");
  store.load(journal_id(resumed), resumed);
  EXPECT_EQ(rows(ledger), rows(store));
  EXPECT_TRUE(shared(ledger.pull(outcome.journal_id)) == shared(resumed));
  PushOptions replace = options("n2");
  replace.replace = true;
  ledger.push(entries, "x", replace);
  EXPECT_TRUE(shared(ledger.pull(outcome.journal_id)) == shared(entries));
}

TEST_F(SharedLedgerTest, WhatStoppedBetweenBatchesGoesOn) {
  const auto entries = small_measurement();
  SharedLedger ledger(path_);
  PushOptions stopping = options("n1", 2);
  bool stop = false;
  stopping.stop = StopToken([&stop] { return stop; });
  stopping.progress = [&](std::uint64_t there, std::uint64_t) { stop = there >= 4; };
  EXPECT_THROW(ledger.push(entries, "x", stopping), Stopped);
  EXPECT_EQ(ledger.query("SELECT count(*) FROM entry").rows[0][0], "4");
  const PushOutcome rest = SharedLedger(path_).push(entries, "x", options());
  EXPECT_EQ(rest.before, 4U);
  EXPECT_EQ(rest.added, entries.size() - 4);
  EXPECT_TRUE(shared(ledger.pull(rest.journal_id)) == shared(entries));
}

TEST_F(SharedLedgerTest, ManyMayPushAtOnceTheSameJournalToo) {
  const auto run = small_run(), measurement = small_measurement();
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      SharedLedger ledger(path_);
      ledger.push(i % 2 == 0 ? run : measurement, "x", options("n" + std::to_string(i), 1));
    });
  for (std::thread& thread : threads) thread.join();
  SharedLedger ledger(path_);
  EXPECT_TRUE(shared(ledger.pull(journal_id(run))) == shared(run));
  EXPECT_TRUE(shared(ledger.pull(journal_id(measurement))) == shared(measurement));
  EXPECT_EQ(ledger.query("SELECT count(*) FROM entry").rows[0][0],
            std::to_string(run.size() + measurement.size()));
}

TEST_F(SharedLedgerTest, HoursSumToTheMeasurementWithItsInterval) {
  SharedLedger ledger(path_);
  ledger.push(small_measurement(), "x", options());
  // Three steps of 70 J of a counted domain whose gain is 0.95 to 1.05, in the hour of 22:13:20.
  EXPECT_THAT(ledger
                  .query("SELECT machine, hour_utc, energy_j, round(low_j, 6), round(high_j, 6), "
                         "unobserved_s FROM hour_energy")
                  .rows,
              ElementsAre(Row{"n1", "2023-11-14T22:00:00Z", "210", "199.5", "220.5", "0"}));
}

TEST_F(SharedLedgerTest, RefusesWhatIsNotThere) {
  SharedLedger ledger(path_);
  ledger.push(small_run(), "x", options());
  EXPECT_THAT(thrown<InputError>([&] { ledger.pull("ffff"); }), HasSubstr("has none of this id"));
  EXPECT_THAT(thrown<InputError>([&] { ledger.pull("x%"); }), HasSubstr("hexadecimal"));
  EXPECT_THROW(journal_id({}), InputError);
  EXPECT_THROW(ledger.query("DELETE FROM journal"), InputError);
  // An entry that was changed in the database is not handed back as if it were the journal's.
  {
    LedgerStore store(path_);  // a store like any other
    EXPECT_EQ(store.query("SELECT count(*) FROM run").rows[0][0], "1");
  }
  EXPECT_EQ(std::system(("python3 -c \"import sqlite3; d = sqlite3.connect('" + path_ +
                         "'); d.execute('UPDATE entry SET checksum = checksum + 1 WHERE seq = 3'); "
                         "d.commit()\"")
                            .c_str()),
            0);
  EXPECT_THAT(thrown<IoError>([&] { ledger.pull(journal_id(small_run())); }),
              HasSubstr("entry 4: not what its checksum says"));
}

TEST(SharedTarget, IsToldFromAFile) {
  for (const char* database :
       {"postgresql:", "postgresql://h/d", "postgres://h", "service=x", "host=/run/pg dbname=d"})
    EXPECT_TRUE(is_postgresql_target(database)) << database;
  for (const char* file : {"a.sqlite", "./service=x", "/tmp/host=x", ""})
    EXPECT_FALSE(is_postgresql_target(file)) << file;
#ifdef CARNOT_HAVE_LIBPQ
  for (const char* secret : {"postgresql://u:s3cr3t@h/d", "host=h password=s3cr3t",
                             "postgresql://h/d?password=s3cr3t"}) {
    const std::string why = thrown<InputError>([&] { SharedLedger ledger(secret); });
    EXPECT_THAT(why, HasSubstr("PGPASSFILE")) << secret;
    EXPECT_THAT(why, ::testing::Not(HasSubstr("s3cr3t"))) << secret;
  }
  EXPECT_THROW(SharedLedger("host=h nonsense"), InputError);
#endif
}

}  // namespace
}  // namespace carnot::ledger
