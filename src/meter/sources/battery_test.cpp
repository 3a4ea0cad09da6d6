// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
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

using ::testing::IsEmpty;

class Battery : public ::testing::Test {
 protected:
  void put(const std::string& supply, const std::string& file, const std::string& text) {
    write_text(tree_ / ("class/power_supply/" + supply + "/" + file), text);
  }
  void battery(const std::string& supply, const std::string& status) {
    put(supply, "type", "Battery");
    put(supply, "status", status);
  }
  void open() {
    SourceOptions options;
    options.sysfs_root = tree_.path();
    source_ = open_battery(options, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(testing::check_source_contract(*source_, testing::allocations), IsEmpty());
    }
  }
  Reading poll() {
    std::vector<Reading> readings(1);
    source_->poll(readings);
    return readings[0];
  }

  TemporaryFolder tree_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST_F(Battery, MainsAndPeripheralsAreNoBatteryOfTheMachine) {
  put("AC", "type", "Mains");
  put("AC", "online", "1");
  battery("hidpp_battery_0", "Discharging");
  put("hidpp_battery_0", "scope", "Device");
  put("hidpp_battery_0", "power_now", "1000");
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(Battery, TellsTheMachinesPowerOnlyWhileDischarging) {
  battery("BAT0", "Discharging");
  put("BAT0", "power_now", "12345000");
  open();
  ASSERT_NE(source_, nullptr);
  const Domain& domain = source_->domains()[0];
  EXPECT_EQ(domain.id, "battery/BAT0");
  EXPECT_EQ(domain.kind, DomainKind::Battery);
  EXPECT_EQ(domain.boundary, Boundary::Node);
  EXPECT_EQ(poll().status, PollStatus::Ok);
  EXPECT_DOUBLE_EQ(poll().power.in(watt), 12.345);
  for (const char* status : {"Charging", "Full", "Not charging", "Unknown", ""}) {
    put("BAT0", "status", status);
    EXPECT_EQ(poll().status, PollStatus::Retry) << status;
    EXPECT_EQ(poll().error, ENODATA) << status;
  }
  put("BAT0", "status", "Discharging");
  EXPECT_EQ(poll().status, PollStatus::Ok);
}

TEST_F(Battery, SignOfTheCurrentDoesNotMatter) {
  battery("max77818", "Discharging");
  put("max77818", "voltage_now", "3950000");
  for (const char* current : {"-132000", "132000"}) {
    put("max77818", "current_now", current);
    open();
    ASSERT_NE(source_, nullptr);
    EXPECT_NEAR(poll().power.in(watt), 3.95 * 0.132, 1e-12);
  }
}

TEST_F(Battery, SeveralTakeTurnsAndAreOneDomain) {
  battery("BAT1", "Discharging");
  put("BAT1", "power_now", "9000000");
  battery("BAT0", "Not charging");
  put("BAT0", "power_now", "0");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(source_->domains()[0].id, "battery/BAT0+BAT1");
  EXPECT_EQ(poll().power, 9.0 * watt);
  put("BAT0", "status", "Discharging");
  put("BAT0", "power_now", "2000000");
  EXPECT_EQ(poll().power, 11.0 * watt);
  put("BAT0", "status", "Charging");  // from mains: then the other's power is not the machine's
  EXPECT_EQ(poll().status, PollStatus::Retry);
}

TEST_F(Battery, WithoutPowerAndCurrentThereIsANote) {
  battery("BAT0", "Discharging");
  put("BAT0", "voltage_now", "12000000");
  open();
  EXPECT_EQ(source_, nullptr);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_THAT(notes_[0].why, ::testing::HasSubstr("BAT0"));
}

TEST_F(Battery, IsBesideAProcessorCounterAndCountsAlone) {
  battery("BAT0", "Discharging");
  put("BAT0", "power_now", "12345000");
  open();
  std::vector<Domain> domains = source_->domains();
  EXPECT_EQ(resolve(domains).entries[0].role, Role::Counted);
  EXPECT_EQ(resolve(domains).boundary, Boundary::Node);
  domains.push_back(testing::package_domain("perf/package-0"));
  EXPECT_EQ(resolve(domains).entries[0].role, Role::Beside);
}

}  // namespace
}  // namespace carnot::meter
