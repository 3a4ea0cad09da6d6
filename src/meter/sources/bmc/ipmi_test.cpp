// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meter/counters/background_reader.hpp"
#include "meter/sources/bmc/ipmi_power.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_clock.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_threads.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kMillisecond = Duration::nanoseconds(1'000'000);
constexpr Duration kLong = Duration::seconds(100);

// Present, least, greatest and mean power, the clock, the period in ms and the state (active).
std::vector<std::uint8_t> answer(std::uint16_t present_w, std::uint8_t state = 0x40) {
  return {0x00,
          0xDC,
          static_cast<std::uint8_t>(present_w),
          static_cast<std::uint8_t>(present_w >> 8),
          0x0A,
          0x00,
          0x2C,
          0x01,
          0xC8,
          0x00,
          0x01,
          0x02,
          0x03,
          0x04,
          0xE8,
          0x03,
          0x00,
          0x00,
          state};
}

// Polls until the reading is as wanted; a thread fills it.
Reading poll_until(Source& source, auto&& wanted) {
  std::vector<Reading> readings(1);
  EXPECT_TRUE(eventually([&] {
    source.poll(readings);
    return wanted(readings[0]);
  })) << "never came";
  return readings[0];
}

TEST(DcmiPower, IsTakenApartByteByByte) {
  const DcmiPower power = parse_dcmi_power(answer(0x0123));
  EXPECT_EQ(power.status, PollStatus::Ok);
  EXPECT_EQ(power.present_w, 0x0123);
  EXPECT_EQ(power.least_w, 10);
  EXPECT_EQ(power.greatest_w, 300);
  EXPECT_EQ(power.mean_w, 200);
  EXPECT_EQ(power.time_s, 0x04030201u);
  EXPECT_EQ(power.period_ms, 1000u);
}

TEST(DcmiPower, WhatIsNoReadingIsNone) {
  EXPECT_EQ(parse_dcmi_power({}).status, PollStatus::Retry);
  EXPECT_EQ(parse_dcmi_power(answer(0, 0x00)).status, PollStatus::Retry);
  EXPECT_EQ(parse_dcmi_power(answer(0)).status, PollStatus::Retry);  // no machine draws nothing
  auto other = answer(300);
  other[1] = 0xDD;
  EXPECT_EQ(parse_dcmi_power(other).status, PollStatus::Retry);
  for (std::size_t length = 0; length < 19; ++length) {
    auto cut = answer(300);
    cut.resize(length);
    EXPECT_NE(parse_dcmi_power(cut).status, PollStatus::Ok) << length;
  }
}

// Some controllers tell a power and never set the bit that says so (OpenBMC).
TEST(Ipmi, APowerThatIsSaidNotToBeMeasuredIsUsedWithANote) {
  EXPECT_EQ(parse_dcmi_power(answer(360, 0x00)).status, PollStatus::Ok);
  std::vector<Note> notes;
  const auto source = make_ipmi_source(
      [](std::span<const std::uint8_t>, std::vector<std::uint8_t>& back, const std::atomic<bool>&) {
        back = answer(360, 0x00);
        return 0;
      },
      Duration::seconds(3600), notes);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(notes.size(), 1u);
}

TEST(DcmiPower, CompletionCodesSayWhetherToAskAgain) {
  for (const int code : {0xC0, 0xC3, 0xCF, 0xD5})
    EXPECT_EQ(parse_dcmi_power(std::vector<std::uint8_t>{static_cast<std::uint8_t>(code)}).status,
              PollStatus::Retry);
  for (const int code : {0xC1, 0xC7, 0xCC, 0xD4})
    EXPECT_EQ(parse_dcmi_power(std::vector<std::uint8_t>{static_cast<std::uint8_t>(code)}).status,
              PollStatus::Broken);
}

RC_GTEST_PROP(DcmiPower, AnyBytesAreTakenOrRefused, (const std::vector<std::uint8_t>& bytes)) {
  const DcmiPower power = parse_dcmi_power(bytes);
  RC_ASSERT(power.status != PollStatus::Ok || (bytes.size() >= 19 && power.present_w > 0));
}

TEST(Ipmi, AsksTheRightQuestionAndTellsTheMachinesPower) {
  std::vector<Note> notes;
  std::vector<std::uint8_t> asked;
  const auto source = make_ipmi_source(
      [&asked](std::span<const std::uint8_t> request, std::vector<std::uint8_t>& back,
               const std::atomic<bool>&) {
        asked.assign(request.begin(), request.end());
        back = answer(345);
        return 0;
      },
      kLong, notes);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(asked, (std::vector<std::uint8_t>{0xDC, 0x01, 0x00, 0x00}));
  EXPECT_THAT(testing::check_source_contract(*source, testing::allocations), IsEmpty());
  const Domain& domain = source->domains()[0];
  EXPECT_EQ(domain.kind, DomainKind::Node);
  EXPECT_EQ(domain.boundary, Boundary::Node);
  std::vector<Reading> readings(1);
  source->poll(readings);
  EXPECT_EQ(readings[0].status, PollStatus::Ok);
  EXPECT_EQ(readings[0].power, 345.0 * watt);
}

TEST(Ipmi, APollWaitsForNobody) {
  std::vector<Note> notes;
  std::atomic<int> exchanges{0};
  auto source = make_ipmi_source(
      [&exchanges](std::span<const std::uint8_t>, std::vector<std::uint8_t>& back,
                   const std::atomic<bool>& stop) {
        // The first is answered at once, the second never.
        if (exchanges++ > 0)
          while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        back = answer(345);
        return 0;
      },
      kMillisecond, notes);
  ASSERT_NE(source, nullptr);
  while (exchanges < 2) std::this_thread::yield();
  // The device is being asked all this time: polls come back nevertheless, with the last reading
  // until it is stale.
  poll_until(*source, [](const Reading& reading) { return reading.status == PollStatus::Retry; });
  source.reset();  // returns: the exchange is told to stop
  EXPECT_EQ(exchanges, 2);
}

TEST(Ipmi, FailuresPassAndRefusalsStay) {
  std::vector<Note> notes;
  std::atomic<int> state{0};
  const std::size_t threads = threads_of_this_process();
  const auto source = make_ipmi_source(
      [&](std::span<const std::uint8_t>, std::vector<std::uint8_t>& back,
          const std::atomic<bool>&) {
        if (state == 1) return EIO;
        back = state == 2 ? std::vector<std::uint8_t>{0xD4} : answer(state == 3 ? 200 : 100);
        return 0;
      },
      kMillisecond, notes);
  ASSERT_NE(source, nullptr);
  state = 1;
  poll_until(*source, [](const Reading& reading) { return reading.status == PollStatus::Retry; });
  state = 3;
  const Reading good = poll_until(*source, [](const Reading& reading) {
    return reading.status == PollStatus::Ok && reading.power == 200.0 * watt;
  });
  EXPECT_GT(good.at.monotonic_ns, 0);
  state = 2;
  poll_until(*source, [](const Reading& reading) { return reading.status == PollStatus::Broken; });
  // A refusal is not tried again: the thread that would has ended.
  EXPECT_TRUE(eventually([&] { return threads_of_this_process() == threads; }));
}

TEST(Ipmi, NoDeviceAndNoPowerAreNotes) {
  std::vector<Note> notes;
  SourceOptions options;
  EXPECT_EQ(open_ipmi(options, notes), nullptr);  // not asked for
  EXPECT_THAT(notes, IsEmpty());
  options.ipmi = true;
  options.dev_root = "/nowhere";
  EXPECT_EQ(open_ipmi(options, notes), nullptr);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0].why, HasSubstr("/nowhere/ipmi0: No such file"));
  EXPECT_EQ(make_ipmi_source(
                [](std::span<const std::uint8_t>, std::vector<std::uint8_t>& back,
                   const std::atomic<bool>&) {
                  back = {0xC1};
                  return 0;
                },
                kLong, notes),
            nullptr);
  ASSERT_THAT(notes, SizeIs(2));
  EXPECT_THAT(notes[1].why, HasSubstr("0xc1"));
}

TEST(BackgroundReader, AReadingHoldsUntilNow) {
  // A device that is looked at once an hour: a measurement of milliseconds has its power all the
  // same, from the look before.
  testing::PacedClock clock;
  Reading first;
  first.status = PollStatus::Ok;
  first.power = 230 * watt;
  first.at = clock.now();
  const Duration hour = Duration::seconds(3600);
  BackgroundReader reader(
      {first}, hour, hour, [](std::span<Reading>, const std::atomic<bool>&) {}, clock);
  Gauge gauge{GaugeSpec{}};
  std::vector<Reading> now(1);
  for (int i = 0; i < 2; ++i) {
    clock.pass(kMillisecond * 20);
    reader.newest(now);
    EXPECT_EQ(now[0].status, PollStatus::Ok);
    EXPECT_EQ(now[0].at, clock.now());
    gauge.advance(now[0].power, now[0].at);
  }
  EXPECT_NEAR(gauge.total().in(joule), 230 * 0.02, 1e-9);
  clock.pass(hour);
  reader.newest(now);
  EXPECT_EQ(now[0].status, PollStatus::Retry);
}

TEST(BackgroundReader, AChildOfAForkHasNoReadingsAndEnds) {
  Reading good;
  good.status = PollStatus::Ok;
  good.at = Stamp::now();
  auto reader =
      std::make_unique<BackgroundReader>(std::vector<Reading>{good}, kLong, kLong,
                                         [](std::span<Reading>, const std::atomic<bool>&) {});
  ASSERT_TRUE(eventually(other_threads_wait));
  std::vector<Reading> readings(1);
  reader->newest(readings);
  ASSERT_EQ(readings[0].status, PollStatus::Ok);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);  // a child that waits for the parent's thread would wait for ever
    reader->newest(readings);
    reader.reset();
    ::_exit(readings[0].status == PollStatus::Retry ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace carnot::meter
