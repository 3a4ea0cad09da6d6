// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/counters/source.hpp"

#include "base/testing_files.hpp"
#include "meter/sources/external/external_power.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

TEST(ExternalMeter, AnswersOfPlugsAndBridges) {
  // Shelly, second generation on: Switch.GetStatus
  EXPECT_THAT(external_watts(R"({"id":0,"output":true,"apower":87.3,"voltage":231.0,)"
                             R"("aenergy":{"total":1234.5}})"),
              Optional(87.3));
  // Shelly, first generation: /status, two channels
  EXPECT_THAT(external_watts(R"({"meters":[{"power":12.5,"total":3},{"power":30}],"uptime":9})"),
              Optional(42.5));
  // Tasmota: Status 8, and its MQTT message with the topic before it
  EXPECT_THAT(external_watts(R"({"StatusSNS":{"Time":"2024-03-01T00:00:00","ENERGY":{"Total":3.2,)"
                             R"("Power":151,"ApparentPower":170,"Factor":0.89}}})"),
              Optional(151.0));
  EXPECT_THAT(external_watts(R"(tele/plug/SENSOR {"ENERGY":{"Power":[20,22]}})"), Optional(42.0));
  // HomeWizard
  EXPECT_THAT(external_watts(R"({"active_power_w": 210.5, "total_power_import_kwh": 12})"),
              Optional(210.5));
  EXPECT_THAT(external_watts("118.2"), Optional(118.2));
  EXPECT_THAT(external_watts(" 0.118 kW\n"), Optional(118.0));
  EXPECT_THAT(external_watts("2024-03-01T00:00:00Z,231.0,118.2"), Optional(118.2));
  EXPECT_THAT(external_watts("1709251200;118.2;231", "time;power;voltage"), Optional(118.2));
  EXPECT_THAT(external_watts("1709251200,0.25,231", "time,power_kw,voltage"), Optional(250.0));
  for (const char* const none : {"", "off", "{}", "{\"apower\": null}", "-5", "nan", "4.29e9",
                                 "{\"power\": \"many\"}", "[[[[[[[[[[[[[[[[[[[[1]]]]]"})
    EXPECT_EQ(external_watts(none), std::nullopt) << none;
}

RC_GTEST_PROP(ExternalMeter, AnyTextIsAPowerOrNone, (const std::string& text)) {
  const auto watts = external_watts(text);
  RC_ASSERT(!watts || (*watts >= 0 && *watts < 1e6));
}

class ExternalFile : public ::testing::Test {
 protected:
  Reading open(const std::string& text) {
    write_text(folder_ / "log.csv", text);
    SourceOptions options;
    options.external = folder_ / "log.csv";
    source_ = open_external(options, notes_);
    std::vector<Reading> readings(1);
    source_->poll(readings);
    return readings[0];
  }
  TemporaryFolder folder_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST_F(ExternalFile, ItsLastWholeLineCounts) {
  const Reading reading = open("time,watts\n1,100\n2,120.5\n3,9");
  EXPECT_EQ(reading.status, PollStatus::Ok);
  EXPECT_EQ(reading.power, 120.5 * watt);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(ExternalFile, WhatHasNoPowerSaysNothing) {
  EXPECT_EQ(open("time,watts\n").status, PollStatus::Retry);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("no power"));
}

TEST(ExternalMeter, OtherAddressesAreRefused) {
  SourceOptions options;
  std::vector<Note> notes;
  options.external = "mqtt://broker/plug";
  EXPECT_THROW(open_external(options, notes), InputError);
  options.external = "/nowhere/log.csv";
  EXPECT_NE(open_external(options, notes), nullptr);
  EXPECT_THAT(notes, SizeIs(1));
}

}  // namespace
}  // namespace carnot::meter
