// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"

#include "base/testing_files.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Resctrl : public ::testing::Test {
 protected:
  void put(const std::string& group, int package, const std::string& text) {
    write_text(tree_ / ("fs/resctrl/" + group + "mon_data/mon_PERF_PKG_0" +
                        std::to_string(package) + "/core_energy"),
               text);
  }
  void open() {
    SourceOptions options;
    options.sysfs_root = tree_.path();
    source_ = open_resctrl(options, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(testing::check_source_contract(*source_, testing::allocations), IsEmpty());
    }
  }
  std::vector<Reading> polled() {
    std::vector<Reading> readings(source_->domains().size());
    source_->poll(readings);
    return readings;
  }

  TemporaryFolder tree_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST_F(Resctrl, EveryGroupAndPackageIsCounted) {
  put("", 0, "66499.283569\n");
  put("", 1, "120.5\n");
  put("mon_groups/job7/", 0, "12\n");
  put("batch/", 0, "3.000001\n");
  put("batch/mon_groups/job9/", 0, "0.0000019\n");
  open();
  ASSERT_NE(source_, nullptr);
  std::vector<std::string> ids, parents;
  for (const Domain& d : source_->domains()) {
    ids.push_back(d.id);
    parents.push_back(d.parent);
    EXPECT_EQ(d.kind, DomainKind::Core);
  }
  EXPECT_THAT(ids, ElementsAre("resctrl/root:0", "resctrl/root:1", "resctrl/root/job7:0",
                               "resctrl/batch:0", "resctrl/batch/job9:0"));
  EXPECT_THAT(parents, ElementsAre("", "", "resctrl/root:0", "", "resctrl/batch:0"));
  std::vector<std::uint64_t> raw;
  for (const Reading& r : polled()) raw.push_back(r.raw);
  EXPECT_THAT(raw, ElementsAre(66499283569u, 120500000u, 12000000u, 3000001u, 1u));
}

TEST_F(Resctrl, CoresAreNeverTheSum) {
  put("", 0, "66499.283569\n");
  open();
  ASSERT_NE(source_, nullptr);
  const Resolution roles = resolve(source_->domains());
  for (const auto& entry : roles.entries) EXPECT_NE(entry.role, Role::Counted);
}

TEST_F(Resctrl, WhatSaysNoNumberIsANoteAndNoReading) {
  for (const std::string text : {"Unavailable\n", "Error\n", "", "-1.5\n", "1.\n", "1e9\n", ".5\n",
                                 "99999999999999999999\n", "18446744073709551615.0\n"}) {
    notes_.clear();
    put("", 0, text);
    open();
    EXPECT_EQ(source_, nullptr) << text;
    EXPECT_THAT(notes_, SizeIs(1)) << text;
  }
}

TEST_F(Resctrl, ACounterThatFallsSilentIsAskedAgain) {
  put("", 0, "10.25\n");
  open();
  ASSERT_NE(source_, nullptr);
  put("", 0, "Unavailable\n");
  EXPECT_EQ(polled()[0].status, PollStatus::Retry);
  put("", 0, "11.5\n");
  EXPECT_EQ(polled()[0].status, PollStatus::Ok);
  EXPECT_EQ(polled()[0].raw, 11500000u);
}

TEST_F(Resctrl, CachesAndOtherMachinesHaveNone) {
  open();
  EXPECT_EQ(source_, nullptr);
  write_text(tree_ / "fs/resctrl/mon_data/mon_L3_00/llc_occupancy", "123\n");
  write_text(tree_ / "fs/resctrl/mon_data/mon_PERF_PKG_00/activity", "1.5\n");
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_, IsEmpty());
}

}  // namespace
}  // namespace carnot::meter
