// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/option.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/limits.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::inline base {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Battery {
  Energy capacity = 2.5 * megawatt_hour;
  Power power = 1.0 * megawatt;
  double round_trip = 0.9;
  std::int64_t cells = 96;
  bool present = true;
  std::string maker = "unknown";
  std::string chemistry = "lfp";
};

/// A table over a battery of its own, and one call to assign.
struct Fixture {
  Battery battery;
  OptionTable table{"site.battery"};
  Problems problems;

  Fixture() {
    table.quantity("capacity", &battery.capacity, 0.0 * joule, {}, "usable energy", "Site eq. 3")
        .required()
        .quantity("power", &battery.power, 0.0 * watt, 50.0 * megawatt, "greatest power either way")
        .real("round_trip", &battery.round_trip, 0.0, 1.0, "energy out over energy in")
        .integer("cells", &battery.cells, 1, std::numeric_limits<std::int64_t>::max(),
                 "cells in series")
        .boolean("present", &battery.present, "whether it is there | or not")
        .text("maker", &battery.maker, "who made it")
        .choice("chemistry", &battery.chemistry, {"lfp", "nmc", "sodium"}, "cell chemistry");
  }
  void set(std::string_view key, std::string_view value) {
    table.set({"s.toml", 7}, key, value, problems);
  }
};

}  // namespace

TEST(Option, EveryKindIsParsedAndStored) {
  Fixture f;
  f.set("capacity", "3 MWh");
  f.set("power", "500 kW");
  f.set("round_trip", "0.85");
  f.set("cells", "12");
  f.set("present", "no");
  f.set("maker", "a b, c");
  f.set("chemistry", "sodium");
  EXPECT_THAT(f.problems.lines(), ElementsAre());
  EXPECT_EQ(f.battery.capacity, 3.0 * megawatt_hour);
  EXPECT_EQ(f.battery.power, 500.0 * kilowatt);
  EXPECT_EQ(f.battery.round_trip, 0.85);
  EXPECT_EQ(f.battery.cells, 12);
  EXPECT_FALSE(f.battery.present);
  EXPECT_EQ(f.battery.maker, "a b, c");
  EXPECT_EQ(f.battery.chemistry, "sodium");
}

TEST(Option, BoundsAreInclusiveAndNamed) {
  Fixture f;
  f.set("capacity", "-1 Wh");
  f.set("power", "51 MW");
  f.set("round_trip", "1.01");
  f.set("cells", "0");
  EXPECT_THAT(
      f.problems.lines(),
      ElementsAre("s.toml:7: site.battery.capacity: must satisfy x >= 0 J, found `-1 Wh`",
                  "s.toml:7: site.battery.power: must satisfy 0 W <= x <= 50 MW, found `51 MW`",
                  "s.toml:7: site.battery.round_trip: must satisfy 0 <= x <= 1, found `1.01`",
                  "s.toml:7: site.battery.cells: must satisfy x >= 1, found `0`"));
  EXPECT_EQ(f.battery.capacity, Battery().capacity) << "a refused value was stored";
  EXPECT_EQ(f.battery.cells, 96);
  Fixture edges;
  edges.set("capacity", "0");
  edges.set("power", "50 MW");
  edges.set("round_trip", "1");
  edges.set("cells", "1");
  EXPECT_TRUE(edges.problems.empty());
}

TEST(Option, WrongKindsSayWhatIsAllowed) {
  Fixture f;
  f.set("capacity", "5 MW");
  f.set("round_trip", "high");
  f.set("cells", "1.5");
  f.set("present", "maybe");
  f.set("chemistry", "nmx");
  ASSERT_EQ(f.problems.lines().size(), 5u);
  EXPECT_THAT(f.problems.lines()[0], HasSubstr("`5 MW` is a power; an energy is needed"));
  EXPECT_THAT(f.problems.lines()[1], HasSubstr("expected a finite number"));
  EXPECT_THAT(f.problems.lines()[2], HasSubstr("expected a whole number"));
  EXPECT_THAT(f.problems.lines()[3], HasSubstr("must be yes or no, found `maybe`"));
  EXPECT_THAT(f.problems.lines()[4],
              HasSubstr("must be one of lfp, nmc, sodium, found `nmx`; did you mean `nmc`?"));
}

TEST(Option, NanAndInfinityAreRefused) {
  Fixture f;
  for (const char* value : {"nan", "inf"}) {
    Problems problems;
    OptionTable table("");
    double x = 1.0;
    table.real("x", &x, -kInfinity, kInfinity, "any");
    table.set({"", 0}, "x", value, problems);
    EXPECT_EQ(problems.lines().size(), 1u) << value;
    EXPECT_EQ(x, 1.0);
  }
}

TEST(Option, UnknownKeysGetTheNearestKnown) {
  Fixture f;
  f.set("capcity", "1 Wh");
  f.set("colour", "red");
  ASSERT_EQ(f.problems.lines().size(), 2u);
  EXPECT_EQ(f.problems.lines()[0],
            "s.toml:7: site.battery.capcity: unknown key; did you mean `capacity`?");
  EXPECT_EQ(f.problems.lines()[1],
            "s.toml:7: site.battery.colour: unknown key; known are capacity, power, round_trip, "
            "cells, present, maker, chemistry");
}

TEST(Option, AKeyTwiceIsAProblemAndTheFirstStands) {
  Fixture f;
  f.set("cells", "5");
  f.set("cells", "6");
  EXPECT_THAT(f.problems.lines(),
              ElementsAre("s.toml:7: site.battery.cells: given twice; allowed once"));
  EXPECT_EQ(f.battery.cells, 5);
}

TEST(Option, RequiredKeysAreMissedOnlyWhenAbsent) {
  Fixture absent;
  absent.table.check_required({"s.toml", 0}, absent.problems);
  EXPECT_THAT(absent.problems.lines(),
              ElementsAre("s.toml: site.battery.capacity: required: energy such as 5 MWh"));
  Fixture wrong;  // one mistake, one line
  wrong.set("capacity", "lots");
  wrong.table.check_required({"s.toml", 0}, wrong.problems);
  EXPECT_EQ(wrong.problems.lines().size(), 1u);
}

TEST(Option, DeclaringTwiceOrRequiringNothingIsOurBug) {
  OptionTable table("t");
  EXPECT_THROW(table.required(), InternalError);
  double x = 0.0;
  table.real("x", &x, 0.0, 1.0, "x");
  EXPECT_THROW(table.real("x", &x, 0.0, 1.0, "x"), InternalError);
}

TEST(Option, ReferencePage) {
  EXPECT_EQ(Fixture().table.reference(),
            R"(| key | kind | default | allowed | meaning | source |
|---|---|---|---|---|---|
| `capacity` | energy such as 5 MWh | required | x >= 0 J | usable energy | Site eq. 3 |
| `power` | power such as 5 MW | 1 MW | 0 W <= x <= 50 MW | greatest power either way |  |
| `round_trip` | number | 0.9 | 0 <= x <= 1 | energy out over energy in |  |
| `cells` | integer | 96 | x >= 1 | cells in series |  |
| `present` | yes or no | yes | yes, no, true, false | whether it is there \| or not |  |
| `maker` | text | unknown |  | who made it |  |
| `chemistry` | text | lfp | one of lfp, nmc, sodium | cell chemistry |  |
)");
}

RC_GTEST_PROP(OptionProperty, DefaultsReadBackAsThemselves, ()) {
  Energy energy = *rc::gen::inRange(1, 1'000'000'000) * 1e-3 * kilowatt_hour;
  Carbon carbon = *rc::gen::inRange(1, 1'000'000) * 0.1 * gram;
  const Energy energy_before = energy;
  const Carbon carbon_before = carbon;
  OptionTable table("");
  table.quantity("energy", &energy, {}, {}, "e").quantity("carbon", &carbon, {}, {}, "c");
  Problems problems;
  for (const OptionRecord& record : std::vector<OptionRecord>(table.records()))
    table.set({"", 0}, record.key, record.default_text, problems);
  RC_ASSERT(problems.empty());
  RC_ASSERT(std::abs((energy / energy_before) - 1.0) < 1e-15);
  RC_ASSERT(std::abs((carbon / carbon_before) - 1.0) < 1e-15);
}

}  // namespace carnot::inline base
