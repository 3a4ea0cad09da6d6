// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/instant.hpp"

#include <cmath>
#include <ctime>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::inline base {

using testing::HasSubstr;

namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

std::tm system_calendar(std::int64_t seconds) {
  const std::time_t t = seconds;
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  return parts;
}

void expect_like_system(std::int64_t seconds) {
  const Instant instant = Instant::from_unix_seconds(seconds);
  const std::tm tm = system_calendar(seconds);
  const Instant::Calendar c = instant.calendar();
  ASSERT_EQ(c.year, tm.tm_year + 1900) << seconds;
  ASSERT_EQ(c.month, tm.tm_mon + 1) << seconds;
  ASSERT_EQ(c.day_of_month, tm.tm_mday) << seconds;
  ASSERT_EQ(c.day_of_year, tm.tm_yday) << seconds;
  ASSERT_NEAR(c.hour, tm.tm_hour + tm.tm_min / 60.0 + tm.tm_sec / 3600.0, 1e-12) << seconds;
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  ASSERT_EQ(instant.iso8601(), text);
}

}  // namespace

TEST(Instant, EveryDayOfTheRangeIsThatOfTheSystem) {
  for (std::int64_t n = -106'751; n < 106'751; ++n) {
    expect_like_system(n * 86'400);
    expect_like_system(n * 86'400 + 86'399);
    const std::tm tm = system_calendar(n * 86'400);
    ASSERT_EQ(Instant::from_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday).unix_nanoseconds(),
              n * 86'400 * 1'000'000'000);
    std::tm back = tm;
    ASSERT_EQ(::timegm(&back), n * 86'400);
  }
}

RC_GTEST_PROP(InstantProperty, AnySecondIsThatOfTheSystem, ()) {
  expect_like_system(*rc::gen::inRange<std::int64_t>(-9'223'372'036, 9'223'372'036));
}

RC_GTEST_PROP(InstantProperty, TextRoundTripsToTheNanosecond, ()) {
  const Instant instant = Instant::from_unix_nanoseconds(*rc::gen::arbitrary<std::int64_t>());
  RC_ASSERT(Instant::parse(instant.iso8601()) == instant);
  const Instant wide =
      Instant::from_unix_nanoseconds(*rc::gen::inRange<std::int64_t>(kLeast, kGreatest));
  RC_ASSERT(Instant::parse(wide.iso8601()) == wide);
}

RC_GTEST_PROP(InstantProperty, AnOffsetShiftsByItself, ()) {
  const std::int64_t seconds = *rc::gen::inRange<std::int64_t>(-9'000'000'000, 9'000'000'000);
  const int minutes = *rc::gen::inRange(-1439, 1440);
  const std::string local = Instant::from_unix_seconds(seconds).iso8601();
  const std::string offset = fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                         std::abs(minutes) / 60, std::abs(minutes) % 60);
  const Instant shifted = Instant::parse(local.substr(0, local.size() - 1) + offset);
  RC_ASSERT(shifted == Instant::from_unix_seconds(seconds - minutes * 60));
}

RC_GTEST_PROP(InstantProperty, PointsAndDifferencesAreAnAffineSpace, ()) {
  const auto number = [] { return *rc::gen::inRange<std::int64_t>(-(1LL << 60), 1LL << 60); };
  const Instant a = Instant::from_unix_nanoseconds(number());
  const Instant b = Instant::from_unix_nanoseconds(number());
  const Duration d = Duration::nanoseconds(number());
  RC_ASSERT(a + (b - a) == b);
  RC_ASSERT((a + d) - d == a);
  RC_ASSERT((a + d) - a == d);
  RC_ASSERT((a < b) == ((b - a) > Duration{}));
}

RC_GTEST_PROP(DurationProperty, QuotientIsTheFloor, ()) {
  const std::int64_t a = *rc::gen::inRange<std::int64_t>(-(1LL << 50), 1LL << 50);
  const std::int64_t b = *rc::gen::inRange<std::int64_t>(1, 1LL << 30);
  const std::int64_t q = Duration::nanoseconds(a) / Duration::nanoseconds(b);
  RC_ASSERT(q * b <= a);
  RC_ASSERT((q + 1) * b > a);
}

RC_GTEST_PROP(DurationProperty, TimeRoundTripsBelowAFewWeeks, ()) {
  // 2^53 ns are 104 days: up to there a double of seconds tells nanoseconds apart.
  const std::int64_t n = *rc::gen::inRange<std::int64_t>(-(1LL << 51), 1LL << 51);
  RC_ASSERT(Duration::from(Duration::nanoseconds(n).time()).nanoseconds() == n);
}

TEST(Duration, ComesFromTheNearestNanosecond) {
  EXPECT_EQ(Duration::from(1.5 * second).nanoseconds(), 1'500'000'000);
  EXPECT_EQ(Duration::from(-1.5 * second).nanoseconds(), -1'500'000'000);
  EXPECT_EQ(Duration::from(0.6e-9 * second).nanoseconds(), 1);
  EXPECT_EQ(Duration::from(1.0 * day), Duration::seconds(86'400));
  EXPECT_EQ(Duration::from(1e9 * second), Duration::seconds(1'000'000'000));
  EXPECT_EQ(Duration::seconds(2) * 3, Duration::seconds(6));
  EXPECT_DOUBLE_EQ(Duration::seconds(90).time().in(minute), 1.5);
}

TEST(Instant, ReadsEveryFormPromised) {
  const auto milliseconds = [](const char* text, bool utc = false) {
    return Instant::parse(text, utc).unix_nanoseconds() / 1'000'000;
  };
  EXPECT_EQ(milliseconds("1970-01-01"), 0);
  EXPECT_EQ(milliseconds("2020-01-01"), 1577836800000);
  EXPECT_EQ(milliseconds("2020-01-01T00:05Z"), 1577837100000);
  EXPECT_EQ(milliseconds("2020-01-01T00:05:00.25+01:00"), 1577833500250);
  EXPECT_EQ(milliseconds("2020-01-01 00:05:00Z"), 1577837100000);
  EXPECT_EQ(milliseconds("2020-01-01T00:05-0130"), 1577842500000);
  EXPECT_EQ(milliseconds("2020-01-01T00:05+02"), 1577829900000);
  EXPECT_EQ(milliseconds("2020-01-01 00:05", true), 1577837100000);
  EXPECT_EQ(milliseconds("2020-01-01T00:05+01:00", true), 1577833500000);
  EXPECT_EQ(Instant::parse("1970-01-01T00:00:00.000000001Z").unix_nanoseconds(), 1);
  EXPECT_EQ(Instant::parse("1969-12-31T23:59:59.999999999Z").unix_nanoseconds(), -1);
}

TEST(Instant, WritesAFractionOnlyIfThereIsOne) {
  EXPECT_EQ(Instant::parse("2020-01-01").iso8601(), "2020-01-01T00:00:00Z");
  EXPECT_EQ(Instant::parse("2020-01-01T00:00:00.500Z").iso8601(), "2020-01-01T00:00:00.5Z");
  EXPECT_EQ(Instant::from_unix_nanoseconds(-1).iso8601(), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Instant::from_unix_nanoseconds(1).iso8601(), "1970-01-01T00:00:00.000000001Z");
}

TEST(Instant, LeapYearsAreGregorian) {
  EXPECT_NO_THROW(Instant::parse("2000-02-29"));
  EXPECT_NO_THROW(Instant::parse("2024-02-29"));
  EXPECT_THROW(Instant::parse("1900-02-29"), InputError);
  EXPECT_THROW(Instant::parse("2100-02-29"), InputError);
  EXPECT_THROW(Instant::parse("2023-02-29"), InputError);
  EXPECT_EQ(Instant::parse("2024-12-31").calendar().day_of_year, 365);
  EXPECT_EQ(Instant::parse("2023-12-31").calendar().day_of_year, 364);
}

TEST(Instant, RangeEndsAreExactAndBeyondThemIsRefused) {
  EXPECT_EQ(Instant::parse("1677-09-21T00:12:43.145224192Z").unix_nanoseconds(), kLeast);
  EXPECT_EQ(Instant::parse("2262-04-11T23:47:16.854775807Z").unix_nanoseconds(), kGreatest);
  EXPECT_THAT(thrown<InputError>([] { Instant::parse("1677-09-21T00:12:43.145224191Z"); }),
              HasSubstr("1678 to 2262"));
  EXPECT_THAT(thrown<InputError>([] { Instant::parse("2262-04-11T23:47:16.854775808Z"); }),
              HasSubstr("1678 to 2262"));
  EXPECT_EQ(Instant::parse("2262-04-12T00:47:16.854775807+01:00").unix_nanoseconds(), kGreatest);
  EXPECT_EQ(Instant::from_unix_nanoseconds(kLeast).calendar().year, 1677);
  EXPECT_EQ(Instant::from_unix_nanoseconds(kGreatest).calendar().year, 2262);
  EXPECT_THROW(Instant::from_date(2263, 1, 1), InputError);
  EXPECT_THROW(Instant::from_date(1600, 1, 1), InputError);
  EXPECT_THROW(Instant::from_date(2020, 13, 1), InputError);
  EXPECT_THROW(Instant::from_date(2020, 0, 1), InputError);
  EXPECT_THROW(Instant::from_date(2020, 4, 31), InputError);
  EXPECT_THROW(Instant::from_date(2020, 4, 0), InputError);
  EXPECT_THROW(Instant::from_date(std::numeric_limits<int>::max(), 4, 1), InputError);
  EXPECT_THROW(Instant::from_date(std::numeric_limits<int>::min(), 4, 1), InputError);
}

TEST(Instant, BadTextIsRefusedWithWhatIsAllowed) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"", "a date is year-month-day"},
      {"yesterday", "a date is year-month-day"},
      {"2020", "a date is year-month-day"},
      {"20200101", "a date is year-month-day"},
      {"2020-1-1", "a date is year-month-day"},
      {"+2020-01-01", "a date is year-month-day"},
      {"2020-13-01", "no such day"},
      {"2020-00-01", "no such day"},
      {"2020-04-31", "no such day"},
      {"2020-01-01x", "`T` or a space"},
      {"2020-01-01T", "hours:minutes"},
      {"2020-01-01T00", "hours:minutes"},
      {"2020-01-01T0:05Z", "hours:minutes"},
      {"2020-01-01T00:05", "needs `Z` or an offset"},
      {"2020-01-01T24:00Z", "time of day"},
      {"2020-01-01T23:60Z", "time of day"},
      {"2020-12-31T23:59:60Z", "no leap seconds"},
      {"2020-01-01T00:05:0Z", "two digits"},
      {"2020-01-01T00:05:00.Z", "one to nine digits"},
      {"2020-01-01T00:05:00.1234567890Z", "one to nine digits"},
      {"2020-01-01T00:05z", "an offset is"},
      {"2020-01-01T00:05+1", "an offset is"},
      {"2020-01-01T00:05+01:", "an offset is"},
      {"2020-01-01T00:05+24:00", "an offset is"},
      {"2020-01-01T00:05+01:60", "an offset is"},
      {"2020-01-01T00:05Z ", "nothing may follow"},
      {"2020-01-01T00:05+01:00Z", "nothing may follow"},
      {" 2020-01-01", "a date is year-month-day"},
      {"2020-01-01 ", "hours:minutes"},
      {"2020-01-0\xD9\xA1", "a date is year-month-day"},
  };
  for (const auto& c : cases) {
    const std::string message = thrown<InputError>([&] { Instant::parse(c.text); });
    EXPECT_THAT(message, HasSubstr(c.why)) << c.text;
    EXPECT_THAT(message, HasSubstr("`2020-01-01T00:05Z`")) << c.text;
    EXPECT_THAT(message, HasSubstr("found `" + std::string(c.text) + "`"));
  }
}

TEST(Instant, NowIsTheSystemsClock) {
  const std::time_t before = std::time(nullptr);
  const Instant now = Instant::now();
  const std::time_t after = std::time(nullptr);
  EXPECT_GE(now, Instant::from_unix_seconds(before));
  EXPECT_LT(now, Instant::from_unix_seconds(after + 1));
}

}  // namespace carnot::inline base
