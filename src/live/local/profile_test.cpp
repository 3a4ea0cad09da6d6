// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/profile.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "base/testing_files.hpp"
#include "base/testing_thrown.hpp"

namespace carnot::live {
namespace {

using ::testing::HasSubstr;

Duration seconds(double s) { return Duration::from(s * second); }

double joules(const PowerProfile& p, double a, double b) {
  return p.between(seconds(a), seconds(b)).in(joule);
}

TEST(Profile, ConstantAndSteps) {
  const PowerProfile constant = PowerProfile::read("35 W", {}, Instant::now());
  EXPECT_EQ(constant.at(seconds(1e6)), 35 * watt);
  EXPECT_NEAR(joules(constant, 10, 20), 350, 1e-6);
  const PowerProfile steps = PowerProfile::read("2 W for 5 s, 6 kW for 1 min", {}, Instant::now());
  EXPECT_EQ(steps.at(seconds(4.999)), 2 * watt);
  EXPECT_EQ(steps.at(seconds(5)), 6 * kilowatt);
  EXPECT_EQ(steps.at(seconds(65)), 2 * watt);  // from the beginning
  EXPECT_EQ(steps.peak(), 6 * kilowatt);
  EXPECT_EQ(PowerProfile::read("0 W", {}, Instant::now()).at({}), Power{});
}

TEST(Profile, EndsAsTold) {
  ProfileOptions o;
  o.end = ProfileEnd::Release;
  EXPECT_EQ(PowerProfile::read("2 W for 5 s", o, {}).at(seconds(5)), std::nullopt);
  EXPECT_NEAR(joules(PowerProfile::read("2 W for 5 s", o, {}), 0, 100), 10, 1e-9);
  o.end = ProfileEnd::Hold;
  EXPECT_EQ(PowerProfile::read("2 W for 5 s", o, {}).at(seconds(50)), 2 * watt);
  EXPECT_NEAR(joules(PowerProfile::read("2 W for 5 s", o, {}), 0, 100), 200, 1e-9);
  o.end = ProfileEnd::Stop;
  EXPECT_EQ(PowerProfile::read("2 W for 5 s", o, {}).at(seconds(50)), Power{});
  EXPECT_NEAR(joules(PowerProfile::read("2 W for 5 s", o, {}), 4, 100), 2, 1e-9);
}

class ProfileFiles : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string wind_ = folder_.write("wind.csv",
                                    "utc,wind_mw\n2020-01-01T00:00Z,10\n2020-01-01T01:00Z,-1\n"
                                    "2020-01-01T02:00Z,40\n");
};

TEST_F(ProfileFiles, PeakSpeedBeginAndCalendar) {
  ProfileOptions o;
  o.peak = 35 * watt;
  o.speed = 3600;
  const PowerProfile p = PowerProfile::read(wind_, o, Instant::now());
  EXPECT_NEAR(p.at(seconds(0.5))->in(watt), 35 * 0.25, 1e-12);
  EXPECT_EQ(p.at(seconds(1.5)), Power{});  // its own use counts as none
  EXPECT_NEAR(p.at(seconds(2.5))->in(watt), 35, 1e-12);
  EXPECT_EQ(p.at(seconds(3.5)), std::nullopt);
  EXPECT_NEAR(joules(p, 0, 10), 35 * 1.25, 1e-9);
  o.begin_at = Instant::parse("2020-01-01T01:30Z");
  EXPECT_NEAR(PowerProfile::read(wind_, o, Instant::now()).at(seconds(0.6))->in(watt), 35, 1e-12);
  ProfileOptions calendar;
  calendar.calendar = true;
  const PowerProfile c =
      PowerProfile::read(wind_, calendar, Instant::parse("2020-01-01T02:59:50Z"));
  EXPECT_EQ(c.at(seconds(9)), 40 * megawatt);
  EXPECT_EQ(c.at(seconds(11)), std::nullopt);
  EXPECT_THAT(thrown<InputError>([&] { PowerProfile::read(wind_, calendar, Instant::now()); }),
              HasSubstr("lies outside"));
}

TEST_F(ProfileFiles, SharesOfACapByPriceCarbonAndShare) {
  const std::string price = folder_.write(
      "price.csv",
      "utc,price [EUR/MWh]\n2020-01-01T00:00Z,-5\n2020-01-01T01:00Z,50\n2020-01-01T02:00Z,90\n");
  ProfileOptions o;
  o.cap = 40 * watt;
  o.full_at = "10 EUR/MWh";
  o.none_at = "90 EUR/MWh";
  const PowerProfile p = PowerProfile::read(price, o, {});
  EXPECT_NEAR(p.at({})->in(watt), 40, 1e-9);
  EXPECT_NEAR(p.at(seconds(3600))->in(watt), 20, 1e-9);
  EXPECT_NEAR(p.at(seconds(7200))->in(watt), 0, 1e-9);
  const std::string carbon = folder_.write(
      "carbon.csv", "utc,carbon [g/kWh]\n2020-01-01T00:00Z,100\n2020-01-01T01:00Z,200\n");
  o.full_at = "50 g/kWh";
  o.none_at = "250 g/kWh";
  EXPECT_NEAR(PowerProfile::read(carbon, o, {}).at({})->in(watt), 30, 1e-9);
  const std::string share =
      folder_.write("share.csv", "utc,share\n2020-01-01T00:00Z,0.25\n2020-01-01T01:00Z,1\n");
  o.full_at = o.none_at = "";
  EXPECT_NEAR(PowerProfile::read(share, o, {}).at({})->in(watt), 10, 1e-9);
}

TEST_F(ProfileFiles, RefusalsSayWhatIsAllowed) {
  const auto refusal = [](const std::string& text, const ProfileOptions& o = {}) {
    return thrown<Error>([&] { PowerProfile::read(text, o, Instant::now()); });
  };
  EXPECT_THAT(refusal("no-such.csv"), HasSubstr("no such file"));
  EXPECT_THAT(refusal("35 kWh"), HasSubstr("power"));
  EXPECT_THAT(refusal("-3 W"), HasSubstr("no such file"));
  EXPECT_THAT(refusal("2 W for 5 s, 6 W"), HasSubstr("2 W for 5 s"));
  EXPECT_THAT(refusal("2 W for 0 s"), HasSubstr("at least 1 ms"));
  EXPECT_THAT(refusal("2 W for -1 s"), HasSubstr("at least 1 ms"));
  ProfileOptions o;
  o.cap = 4 * watt;
  o.full_at = "90 EUR/MWh";
  EXPECT_THAT(refusal(wind_, o), HasSubstr("both or neither"));
  o.none_at = "10 EUR/MWh";
  EXPECT_THAT(refusal(wind_, o), HasSubstr("above full-at"));
  o.none_at = "10 W";
  EXPECT_THAT(refusal(wind_, o), HasSubstr("two prices"));
  ProfileOptions speed;
  speed.speed = 0;
  EXPECT_THAT(refusal(wind_, speed), HasSubstr("speed"));
}

// A plain sum over short pieces is the oracle.
RC_GTEST_PROP(Profile, EnergyIsTheSumOfPower, ()) {
  const int n = *rc::gen::inRange(1, 8);
  std::vector<double> watts;
  for (int i = 0; i < n; ++i) watts.push_back(*rc::gen::inRange(0, 100));
  const auto end = static_cast<ProfileEnd>(*rc::gen::inRange(0, 4));
  const int speed = *rc::gen::inRange(1, 5);
  const int offset = *rc::gen::inRange(0, n);
  const PowerProfile p(Trace<Power>(TraceCore(Instant{}, Duration::seconds(1), watts)), end, speed,
                       Duration::seconds(offset));
  const int from = *rc::gen::inRange(0, 400), length = *rc::gen::inRange(0, 400);
  const double piece = 0.025;
  double sum = 0;
  for (int i = from; i < from + length; ++i)
    sum += piece * p.at(seconds((i + 0.5) * piece)).value_or(Power{}).in(watt);
  // Pieces may straddle an edge of the profile: at 4 s/s each edge leaves an error of a piece.
  const double edges = 1 + speed * length * piece;
  RC_ASSERT(std::abs(joules(p, from * piece, (from + length) * piece) - sum) <=
            100 * piece * 0.5 * edges + 1e-9);
  if (speed == 1)
    RC_ASSERT(std::abs(joules(p, from * piece, (from + length) * piece) - sum) < 1e-6);
}

}  // namespace
}  // namespace carnot::live
