// SPDX-License-Identifier: Apache-2.0
#include "control/fleet/rule_base.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::control {
namespace {

constexpr std::int64_t kMinute = 60;

Instant minutes(std::int64_t n) { return Instant::from_unix_seconds(n * kMinute); }
Duration minutes_long(std::int64_t n) { return Duration::seconds(n * kMinute); }

struct Case {
  StepCost cost;
  std::int64_t from = 0, to = 0, length = 1;  // minutes
  std::vector<double> minute;                 // [minute since the first step]
};

Case draw() {
  Case c;
  const auto step = *rc::gen::inRange<std::int64_t>(1, 8);
  const auto n = *rc::gen::inRange<std::size_t>(1, 9);
  c.cost.start = minutes(100);
  c.cost.step = minutes_long(step);
  for (std::size_t i = 0; i < n; ++i)
    c.cost.value.push_back(*rc::gen::inRange(0, 8) == 0 ? kInfinity : *rc::gen::inRange(-3, 6));
  const auto all = step * static_cast<std::int64_t>(n);
  c.from = *rc::gen::inRange<std::int64_t>(0, step);
  c.to = *rc::gen::inRange<std::int64_t>(c.from + 1, all + 1);
  c.length = *rc::gen::inRange<std::int64_t>(1, c.to - c.from + 2);
  for (std::int64_t m = 0; m < all; ++m)
    c.minute.push_back(c.cost.value[static_cast<std::size_t>(m / step)]);
  return c;
}

double minute_sum(const Case& c, const std::vector<Piece>& pieces) {
  double sum = 0;
  for (const Piece& p : pieces)
    for (Instant at = p.from; at < p.to; at = at + minutes_long(1))
      sum += kMinute * c.minute[static_cast<std::size_t>((at - minutes(100)) / minutes_long(1))];
  return sum;
}

void check_shape(const Case& c, const Timing& timing) {
  Duration total;
  Instant last = minutes(100 + c.from);
  for (const Piece& p : timing.pieces) {
    RC_ASSERT(p.from >= last);
    RC_ASSERT(p.from < p.to);
    last = p.to + Duration::nanoseconds(1);  // touching pieces are one
    total = total + (p.to - p.from);
  }
  if (timing.pieces.empty()) return;
  RC_ASSERT(timing.pieces.back().to <= minutes(100 + c.to));
  RC_ASSERT(total == minutes_long(c.length));
  RC_ASSERT(std::abs(minute_sum(c, timing.pieces) - timing.cost) < 1e-9);
}

RC_GTEST_PROP(CheapestPieces, AreTheCheapestMinutes, ()) {
  const Case c = draw();
  const Timing got =
      cheapest_pieces(c.cost, minutes(100 + c.from), minutes(100 + c.to), minutes_long(c.length));
  std::vector<double> free(c.minute.begin() + c.from, c.minute.begin() + c.to);
  std::erase(free, kInfinity);
  std::sort(free.begin(), free.end());
  check_shape(c, got);
  if (free.size() < static_cast<std::size_t>(c.length)) {
    RC_ASSERT(got.pieces.empty());
  } else {
    RC_ASSERT(!got.pieces.empty());
    RC_ASSERT(std::abs(got.cost - kMinute * std::accumulate(free.begin(), free.begin() + c.length,
                                                            0.0)) < 1e-9);
  }
}

RC_GTEST_PROP(CheapestWindow, IsTheCheapestOfAllStarts, ()) {
  const Case c = draw();
  const Timing got =
      cheapest_window(c.cost, minutes(100 + c.from), minutes(100 + c.to), minutes_long(c.length));
  double least = kInfinity;
  std::int64_t first = -1;
  for (std::int64_t start = c.from; start + c.length <= c.to; ++start) {
    const double sum = kMinute * std::accumulate(c.minute.begin() + start,
                                                 c.minute.begin() + start + c.length, 0.0);
    if (sum < least) {
      least = sum;
      first = start;
    }
  }
  check_shape(c, got);
  RC_ASSERT(got.pieces.empty() == (first < 0));
  if (first < 0) return;
  RC_ASSERT(got.pieces.size() == 1U);
  RC_ASSERT(std::abs(got.cost - least) < 1e-9);
  RC_ASSERT(got.pieces[0].from == minutes(100 + first));
}

// Never dearer than one piece, and room for the overhead of each.
RC_GTEST_PROP(CheapestTiming, PaysForEveryPiece, ()) {
  const Case c = draw();
  const Instant from = minutes(100 + c.from), to = minutes(100 + c.to);
  const Duration overhead = minutes_long(*rc::gen::inRange<std::int64_t>(0, 4));
  const Timing one = cheapest_timing(c.cost, from, to, minutes_long(c.length), overhead, false);
  const Timing got = cheapest_timing(c.cost, from, to, minutes_long(c.length), overhead, true);
  RC_ASSERT(one.pieces.size() <= 1U);
  if (!one.pieces.empty()) {
    RC_ASSERT(!got.pieces.empty());
    RC_ASSERT(got.cost <= one.cost);
    RC_ASSERT(one.pieces[0].to - one.pieces[0].from == minutes_long(c.length) + overhead);
  }
  Duration work;
  for (const Piece& p : got.pieces) {
    RC_ASSERT(p.to - p.from > overhead || overhead == Duration{});
    work = work + (p.to - p.from) - overhead;
  }
  if (!got.pieces.empty()) RC_ASSERT(work >= minutes_long(c.length));
}

TEST(Steps, KeepTheLastValueBeyondTheView) {
  const std::vector<double> mean{1.0, 2.0}, sum{0.0, 60.0, 180.0};
  const ForecastView view{minutes(10), minutes_long(1), mean, {}, sum};
  const StepCost cost = steps(view, minutes(11), minutes(14));
  EXPECT_EQ(cost.start, minutes(11));
  EXPECT_EQ(cost.value, (std::vector<double>{2.0, 2.0, 2.0}));
}

}  // namespace
}  // namespace carnot::control
