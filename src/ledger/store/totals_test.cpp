// SPDX-License-Identifier: Apache-2.0
// totals() against plain sums, against the store's views, and against itself: children sum to
// parents.
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/ledger/store/store.hpp"

#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

using ::testing::HasSubstr;
using testing::thrown;

/// Lanes of random balanced slots; some empty, the last perhaps unfinished.
std::vector<Entry> random_run() {
  const RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), "run");
  std::vector<Entry> entries = {RunBegin{}};
  const auto lanes = *rc::gen::inRange<std::size_t>(0, 5);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    entries.push_back(LaneBegin{"policy " + std::to_string(lane)});
    const auto slots = *rc::gen::inRange<std::size_t>(0, 60);
    const auto scale = *rc::gen::element(1e-9, 1.0, 1e12);
    for (std::size_t i = 0; i < slots; ++i) {
      SlotEntry s = testing::balanced_slot(random.child(lane), i);
      for (Energy* e : {&s.total, &s.exported, &s.own_used, &s.charged, &s.discharged, &s.grid,
                        &s.curtailed, &s.facility, &s.battery_charge, &s.battery_loss})
        *e *= scale;
      entries.push_back(s);
    }
    if (lane + 1 < lanes || *rc::gen::arbitrary<bool>())
      entries.push_back(LaneEnd{"policy " + std::to_string(lane), "target-reached", "", "{}"});
  }
  return entries;
}

bool near(double a, double b, double scale) { return std::abs(a - b) <= 1e-9 * std::abs(scale); }
bool near(double a, double b) { return near(a, b, std::max(std::abs(a), std::abs(b))); }

RC_GTEST_PROP(Totals, ChildrenSumToParents, ()) {
  for (const LaneTotals& t : totals(random_run())) {
    RC_ASSERT(near((t.exported + t.own_used + t.charged + t.curtailed).base(), t.total.base()));
    RC_ASSERT(near((t.own_used + t.discharged + t.grid).base(), t.facility.base()));
    RC_ASSERT(t.worst_residual <= 1e-15);
    Energy energy;
    for (const auto& [mode, e] : t.mode_energy) energy += e;
    RC_ASSERT(near(energy.base(), t.facility.base()));
    Time time;
    for (const auto& [mode, d] : t.mode_time) time += d;
    RC_ASSERT(near(time.base(), t.duration.base()));  // the slots join without gaps
  }
}

RC_GTEST_PROP(Totals, AreThePlainSums, ()) {
  const auto entries = random_run();
  const auto all = totals(entries);
  std::vector<std::map<std::string, long double>> plain;
  for (const Entry& entry : entries) {
    if (std::holds_alternative<LaneBegin>(entry)) plain.emplace_back();
    const auto* s = std::get_if<SlotEntry>(&entry);
    if (!s) continue;
    plain.back()["grid"] += s->grid.base();
    plain.back()["loss"] += s->battery_loss.base();
    plain.back()["cost"] += s->cost.base();
    plain.back()["|cost|"] += std::abs(s->cost.base());
    plain.back()["violations"] += s->cap_violation;
    plain.back()["steps"] = static_cast<long double>(s->steps);
    plain.back()["mode " + s->mode] += s->facility.base();
  }
  RC_ASSERT(all.size() == plain.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& p = plain[i];
    RC_ASSERT(near(all[i].grid.base(), double(p["grid"])));
    RC_ASSERT(near(all[i].battery_loss.base(), double(p["loss"])));
    RC_ASSERT(near(all[i].cost.base(), double(p["cost"]), double(p["|cost|"])));
    RC_ASSERT(double(all[i].cap_violations) == double(p["violations"]));
    RC_ASSERT(double(all[i].steps) == double(p["steps"]));
    for (const auto& [mode, energy] : all[i].mode_energy)
      RC_ASSERT(near(energy.base(), double(p["mode " + mode])));
  }
}

RC_GTEST_PROP(Totals, AgreeWithTheViewsOfTheStore, ()) {
  const auto entries = random_run();
  const auto all = totals(entries);
  LedgerStore store(":memory:");
  store.load("r", entries);
  const auto lanes = store.query("SELECT * FROM lane_totals ORDER BY lane");
  RC_ASSERT(lanes.rows.size() == all.size());
  const auto modes = store.query("SELECT * FROM mode_totals ORDER BY lane, first_slot");
  std::size_t next_mode = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const LaneTotals& t = all[i];
    const auto at = [](const QueryResult& result, std::size_t row, const std::string& column) {
      for (std::size_t c = 0; c < result.columns.size(); ++c)
        if (result.columns[c] == column) return result.rows[row][c];
      return std::string("no such column");
    };
    const auto number = [&](const char* column) { return parse_number(at(lanes, i, column)); };
    RC_ASSERT(at(lanes, i, "policy") == t.policy);
    RC_ASSERT(near(number("total_j"), t.total.in(joule)));
    RC_ASSERT(near(number("exported_j"), t.exported.in(joule)));
    RC_ASSERT(near(number("own_used_j"), t.own_used.in(joule)));
    RC_ASSERT(near(number("charged_j"), t.charged.in(joule)));
    RC_ASSERT(near(number("discharged_j"), t.discharged.in(joule)));
    RC_ASSERT(near(number("grid_j"), t.grid.in(joule)));
    RC_ASSERT(near(number("curtailed_j"), t.curtailed.in(joule)));
    RC_ASSERT(near(number("facility_j"), t.facility.in(joule)));
    RC_ASSERT(near(number("battery_loss_j"), t.battery_loss.in(joule)));
    RC_ASSERT(near(number("carbon_g"), t.carbon.in(gram)));
    RC_ASSERT(near(number("cost_eur"), t.cost.in(euro), 60.0));  // its terms cancel
    RC_ASSERT(near(number("duration_s"), t.duration.in(second)));
    RC_ASSERT(number("steps") == double(t.steps));
    RC_ASSERT(number("cap_violations") == double(t.cap_violations));
    RC_ASSERT(std::abs(number("worst_residual") - t.worst_residual) <= 1e-15);
    for (std::size_t m = 0; m < t.mode_time.size(); ++m, ++next_mode) {
      RC_ASSERT(next_mode < modes.rows.size());
      RC_ASSERT(at(modes, next_mode, "mode") == t.mode_time[m].first);
      RC_ASSERT(t.mode_energy[m].first == t.mode_time[m].first);
      RC_ASSERT(
          near(parse_number(at(modes, next_mode, "duration_s")), t.mode_time[m].second.in(second)));
      RC_ASSERT(near(parse_number(at(modes, next_mode, "facility_j")),
                     t.mode_energy[m].second.in(joule)));
    }
  }
  RC_ASSERT(next_mode == modes.rows.size());
}

TEST(Totals, LoseNothingToRounding) {
  std::vector<Entry> entries = {LaneBegin{"p"}};
  // Summed in turn: 0. The true sum is 2.
  for (const double cost : {1.0, 1e100, 1.0, -1e100}) {
    SlotEntry s;
    s.cost = cost * euro;
    entries.push_back(s);
  }
  EXPECT_EQ(totals(entries)[0].cost.in(euro), 2.0);
}

TEST(Totals, ListModesInOrderOfFirstUse) {
  std::vector<Entry> entries = {LaneBegin{"p"}};
  for (const char* mode : {"z", "", "a", "z", "", "z"}) {
    SlotEntry s;
    s.mode = mode;
    s.length = Duration::seconds(60);
    s.grid = s.facility = 2.0 * joule;
    entries.push_back(s);
  }
  const auto t = totals(entries)[0];
  ASSERT_EQ(t.mode_time.size(), 3u);
  EXPECT_EQ(t.mode_time[0].first, "z");
  EXPECT_EQ(t.mode_time[1].first, "");
  EXPECT_EQ(t.mode_time[2].first, "a");
  EXPECT_DOUBLE_EQ(t.mode_time[0].second.in(minute), 3.0);
  EXPECT_DOUBLE_EQ(t.mode_time[1].second.in(minute), 2.0);
  EXPECT_DOUBLE_EQ(t.mode_time[2].second.in(minute), 1.0);
  EXPECT_EQ(t.mode_energy[0].second.in(joule), 6.0);
}

TEST(Totals, DurationSpansGapsAndOddInstantsAreHarmless) {
  std::vector<Entry> entries = {LaneBegin{"p"}};
  SlotEntry s;
  s.start = Instant::from_unix_seconds(1000);
  s.length = Duration::seconds(10);
  entries.push_back(s);
  s.start = Instant::from_unix_seconds(2000);
  entries.push_back(s);
  EXPECT_DOUBLE_EQ(totals(entries)[0].duration.in(second), 1010.0);
  s.start = Instant::from_unix_nanoseconds(std::numeric_limits<std::int64_t>::max());
  entries.push_back(s);
  EXPECT_NO_THROW(totals(entries));
}

TEST(Totals, EmptyRunsAndLanes) {
  EXPECT_TRUE(totals({}).empty());
  const auto all = totals({RunBegin{}, LaneBegin{"p"}});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].duration, 0.0 * second);
  EXPECT_EQ(all[0].worst_residual, 0.0);
}

TEST(Totals, SayWhichEntryIsOutOfOrder) {
  const auto words = [](const std::vector<Entry>& entries) {
    return thrown<InputError>([&] { totals(entries); });
  };
  EXPECT_THAT(words({SlotEntry{}}), HasSubstr("entry 1: this entry belongs between"));
  EXPECT_THAT(words({LaneBegin{}, RunBegin{}}), HasSubstr("entry 2: RunBegin is the first"));
  EXPECT_THAT(words({LaneBegin{}, LaneBegin{}}), HasSubstr("entry 2: a lane begins where"));
  EXPECT_THAT(words({LaneBegin{}, RunEnd{}}), HasSubstr("entry 2: a run ends where"));
  EXPECT_THAT(words({LaneBegin{}, LaneEnd{}, Checkpoint{}}), HasSubstr("entry 3: this entry"));
  EXPECT_THAT(words({LaneEnd{}}), HasSubstr("entry 1: this entry belongs between"));
  EXPECT_THAT(words({RunEnd{}, LaneBegin{}}), HasSubstr("entry 2: nothing follows RunEnd"));
  EXPECT_THAT(words({RunEnd{}, RunEnd{}}), HasSubstr("entry 2: nothing follows RunEnd"));
}

}  // namespace
}  // namespace carnot::ledger
