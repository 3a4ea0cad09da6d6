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

class Cray : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    write_text(tree_ / ("cray/pm_counters/" + file), text);
  }
  void open() {
    SourceOptions options;
    options.sysfs_root = tree_.path();
    source_ = open_cray(options, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(testing::check_source_contract(*source_, testing::allocations), IsEmpty());
    }
  }

  TemporaryFolder tree_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST_F(Cray, TheNodeCountsAndItsPartsAreInsideIt) {
  put("energy", "2178501771 J 1733000000000000 us\n");
  put("power", "451 W 1733000000000000 us\n");
  put("cpu_energy", "208285642 J 1733000000000000 us\n");
  put("accel0_energy", "108285642 J 1733000000000000 us\n");
  open();
  ASSERT_NE(source_, nullptr);
  std::vector<Reading> readings(3);
  source_->poll(readings);
  EXPECT_EQ(readings[0].raw, 2178501771u);
  put("energy", "2178502222 J 1733000001000000 us\n");
  source_->poll(readings);
  EXPECT_EQ(readings[0].raw, 2178502222u);
  const Resolution roles = resolve(source_->domains());
  std::vector<Role> found;
  for (const auto& entry : roles.entries) found.push_back(entry.role);
  EXPECT_THAT(found, ElementsAre(Role::Counted, Role::Part, Role::Part));
  EXPECT_EQ(roles.boundary, Boundary::Node);
}

TEST_F(Cray, WithoutANodeThereIsNothingButANote) {
  put("energy", "broken\n");
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_, SizeIs(1));
}

TEST_F(Cray, OtherMachinesHaveNone) {
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_, IsEmpty());
}

}  // namespace
}  // namespace carnot::meter
