// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/store/store.hpp"

#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

using ::testing::ElementsAre;
using testing::small_measurement;
using testing::small_run;

using Row = std::vector<std::string>;
constexpr const char* kTables[] = {"measurement", "domain", "sample", "reading",
                                   "process",     "gap",    "phase",  "measurement_totals"};

std::string count(const LedgerStore& store, const std::string& table) {
  return store.query("SELECT count(*) FROM " + table).rows[0][0];
}

TEST(MeasurementStore, HoldsWhatWasMeasured) {
  LedgerStore store(":memory:");
  store.load("m.journal", small_measurement());
  EXPECT_THAT(store
                  .query("SELECT run_id, job, job_method, started_utc, outcome, exit_code FROM "
                         "measurement")
                  .rows,
              ElementsAre(Row{"m.journal", "make", "tree", "2023-11-14T22:13:20Z", "failed", "2"}));
  EXPECT_THAT(store.query("SELECT domain, id, role, socket, device, unit_j FROM domain").rows,
              ElementsAre(Row{"0", "powercap/intel-rapl:0", "counted", "0", "", "1e-06"},
                          Row{"1", "hwmon/0:power1", "beside", "", "", "1e-06"}));
  EXPECT_THAT(store
                  .query("SELECT at_s, awake_s, machine_busy_s, job_cpu_s FROM sample WHERE "
                         "sample = 3")
                  .rows,
              ElementsAre(Row{"3", "3", "4.5", "3.6"}));
  EXPECT_THAT(store.query("SELECT energy_j FROM reading WHERE domain = 0").rows,
              ElementsAre(Row{"0"}, Row{"70"}, Row{"140"}, Row{"210"}));
  EXPECT_THAT(store.query("SELECT at_s, pid, name, cpu_s, alive FROM process").rows,
              ElementsAre(Row{"1", "4711", "make", "1.2", "1"}));
  EXPECT_THAT(store.query("SELECT from_s, domain_id, why FROM gap").rows,
              ElementsAre(Row{"1", "hwmon/0:power1", "not readable for a while"}));
  EXPECT_THAT(store.query("SELECT from_s, to_s, label FROM phase").rows,
              ElementsAre(Row{"0", "1", "build"}));
  EXPECT_THAT(store
                  .query("SELECT samples, duration_s, job_cpu_s, machine_energy_j FROM "
                         "measurement_totals")
                  .rows,
              ElementsAre(Row{"4", "3", "3.6", "210"}));
}

TEST(MeasurementStore, HoldsRunsAndMeasurementsSideBySide) {
  LedgerStore store(":memory:");
  store.load("m", small_measurement());
  store.load("r", small_run());
  store.load("m", small_measurement());
  EXPECT_EQ(count(store, "measurement"), "1");
  EXPECT_EQ(count(store, "reading"), "8");
  EXPECT_EQ(count(store, "run"), "1");
  store.load("m", small_run());  // the file was replaced by a run's
  for (const char* table : kTables) EXPECT_EQ(count(store, table), "0") << table;
  EXPECT_EQ(count(store, "run"), "2");
}

TEST(MeasurementStore, LoadsAMeasurementCutAnywhere) {
  LedgerStore store(":memory:");
  auto entries = small_measurement();
  while (!entries.empty()) {
    store.load("m", entries);
    EXPECT_EQ(count(store, "measurement_totals"), "1") << entries.size();
    entries.pop_back();
  }
  EXPECT_THAT(store
                  .query("SELECT outcome IS NULL, samples, machine_energy_j FROM "
                         "measurement_totals")
                  .rows,
              ElementsAre(Row{"1", "0", "0"}));
}

TEST(MeasurementStore, AFailureLeavesItAsItWas) {
  LedgerStore store(":memory:");
  store.load("m", small_measurement());
  auto entries = small_measurement();
  std::get<MeasurementSample>(entries.at(6)).job_peak_rss_b = ~std::uint64_t{0};
  EXPECT_THROW(store.load("m", entries), InputError);
  EXPECT_EQ(count(store, "reading"), "8");
}

}  // namespace
}  // namespace carnot::ledger
