// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/trace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::HasSubstr;

const Instant kStart = Instant::from_unix_seconds(1'577'836'800);

Instant after(std::int64_t nanoseconds) { return kStart + Duration::nanoseconds(nanoseconds); }

// The plain meaning of an integral: every interval's overlap, in extended precision.
long double brute_integral(const TraceCore& trace, Instant from, Instant to) {
  long double sum = 0.0L;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const Instant left = std::max(from, trace.edge(i));
    const Instant right = std::min(to, trace.edge(i + 1));
    if (left < right) {
      sum += static_cast<long double>(trace.mean()[i]) *
             static_cast<long double>((right - left).nanoseconds()) * 1e-9L;
    }
  }
  return sum;
}

// What cancellation may cost: the integral of the absolute value.
double magnitude(const TraceCore& trace) {
  double sum = 0.0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    sum += std::abs(trace.mean()[i]) * (trace.edge(i + 1) - trace.edge(i)).time().in(second);
  }
  return sum;
}

TraceCore arbitrary_trace(bool equal_steps) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 400);
  std::vector<double> mean(n);
  for (double& m : mean) m = *rc::gen::inRange(-1'000'000, 9'000'000) * 1e-3;
  const auto step = *rc::gen::inRange<std::int64_t>(1, 5'000'000'000'000);
  if (equal_steps) return TraceCore(kStart, Duration::nanoseconds(step), mean);
  std::vector<Instant> edges{kStart};
  for (std::size_t i = 0; i < n; ++i) {
    edges.push_back(edges.back() +
                    Duration::nanoseconds(*rc::gen::inRange<std::int64_t>(1, step + 1)));
  }
  return TraceCore(edges, mean);
}

Instant arbitrary_instant(const TraceCore& trace) {
  return trace.begin() + Duration::nanoseconds(*rc::gen::inRange<std::int64_t>(
                             0, (trace.end() - trace.begin()).nanoseconds() + 1));
}

RC_GTEST_PROP(TraceCoreProperty, IntegralIsTheBruteForceSum, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  Instant from = arbitrary_instant(trace);
  Instant to = arbitrary_instant(trace);
  if (to < from) std::swap(from, to);
  const double expected = static_cast<double>(brute_integral(trace, from, to));
  RC_ASSERT(std::abs(trace.integral(from, to) - expected) <= 1e-15 * magnitude(trace));
  if (from < to) {
    const double length = (to - from).time().in(second);
    RC_ASSERT(std::abs(trace.mean_over(from, to) - expected / length) <=
              2e-15 * magnitude(trace) / length);
  }
}

RC_GTEST_PROP(TraceCoreProperty, IntegralsAdd, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  std::vector<Instant> cut{arbitrary_instant(trace), arbitrary_instant(trace),
                           arbitrary_instant(trace)};
  std::sort(cut.begin(), cut.end());
  const double whole = trace.integral(cut[0], cut[2]);
  const double parts = trace.integral(cut[0], cut[1]) + trace.integral(cut[1], cut[2]);
  RC_ASSERT(std::abs(whole - parts) <= 1e-15 * magnitude(trace));
}

RC_GTEST_PROP(TraceCoreProperty, ResamplingConservesTheIntegral, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  std::vector<Instant> edges;
  const auto m = *rc::gen::inRange<std::size_t>(2, 60);
  for (std::size_t i = 0; i < m; ++i) edges.push_back(arbitrary_instant(trace));
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  RC_PRE(edges.size() >= 2u);
  const TraceCore other = trace.resampled(edges);
  RC_ASSERT(other.size() == edges.size() - 1);
  const double expected = static_cast<double>(brute_integral(trace, edges.front(), edges.back()));
  const double found = static_cast<double>(brute_integral(other, edges.front(), edges.back()));
  RC_ASSERT(std::abs(found - expected) <= 1e-12 * magnitude(trace));
  for (std::size_t i = 0; i < other.size(); ++i) {
    const double length = (edges[i + 1] - edges[i]).time().in(second);
    const double piece = static_cast<double>(brute_integral(trace, edges[i], edges[i + 1]));
    RC_ASSERT(std::abs(other.mean()[i] * length - piece) <= 1e-15 * magnitude(trace));
  }
}

RC_GTEST_PROP(TraceCoreProperty, ResamplingToOwnEdgesIsTheIdentity, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  std::vector<Instant> edges;
  for (std::size_t i = 0; i <= trace.size(); ++i) edges.push_back(trace.edge(i));
  const TraceCore same = trace.resampled(edges);
  RC_ASSERT(std::vector<double>(same.mean().begin(), same.mean().end()) ==
            std::vector<double>(trace.mean().begin(), trace.mean().end()));
  RC_ASSERT(same.step() == trace.step());
}

RC_GTEST_PROP(TraceCoreProperty, IndexIsTheIntervalThatHoldsTheInstant, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  const Instant at = arbitrary_instant(trace);
  if (at == trace.end()) {
    RC_ASSERT_THROWS_AS(trace.index_at(at), InputError);
  } else {
    const std::size_t i = trace.index_at(at);
    RC_ASSERT(trace.edge(i) <= at);
    RC_ASSERT(at < trace.edge(i + 1));
    RC_ASSERT(trace.at(at) == trace.mean()[i]);
  }
}

RC_GTEST_PROP(TraceCoreProperty, ShiftAndAffineCommuteWithIntegration, ()) {
  const TraceCore trace = arbitrary_trace(*rc::gen::arbitrary<bool>());
  const Duration shift = Duration::nanoseconds(
      *rc::gen::inRange<std::int64_t>(-1'000'000'000'000'000, 1'000'000'000'000'000));
  const TraceCore moved = trace.shifted(shift);
  RC_ASSERT(moved.integral(moved.begin(), moved.end()) ==
            trace.integral(trace.begin(), trace.end()));
  const TraceCore mapped = trace.affine(-2.0, 3.0);
  const double length = (trace.end() - trace.begin()).time().in(second);
  const double expected = -2.0 * trace.integral(trace.begin(), trace.end()) + 3.0 * length;
  RC_ASSERT(std::abs(mapped.integral(mapped.begin(), mapped.end()) - expected) <=
            1e-14 * (2.0 * magnitude(trace) + 3.0 * length));
}

TEST(TraceCore, KeepsSmallPartsBesideLargeOnes) {
  // Plain prefix sums would lose the 1 W between two 1e17 W blocks.
  std::vector<double> mean(1000, 1e17);
  for (std::size_t i = 300; i < 500; ++i) mean[i] = 1.0;
  const TraceCore trace(kStart, Duration::seconds(1), mean);
  EXPECT_EQ(trace.integral(kStart + Duration::seconds(310), kStart + Duration::seconds(490)),
            180.0);
}

TEST(TraceCore, RecognisesEqualSteps) {
  const TraceCore equal({after(0), after(10), after(20)}, {1.0, 2.0});
  EXPECT_EQ(equal.step(), Duration::nanoseconds(10));
  const TraceCore unequal({after(0), after(10), after(21)}, {1.0, 2.0});
  EXPECT_EQ(unequal.step(), Duration());
  EXPECT_EQ(unequal.edge(2), after(21));
}

TEST(TraceCore, WorkedExample) {
  const TraceCore trace(kStart, Duration::seconds(3600), {10.0, 20.0, 40.0});
  const auto minutes = [](int m) { return kStart + Duration::seconds(60 * m); };
  EXPECT_DOUBLE_EQ(trace.integral(minutes(30), minutes(150)),
                   1800 * 10.0 + 3600 * 20.0 + 1800 * 40.0);
  EXPECT_DOUBLE_EQ(trace.mean_over(minutes(30), minutes(90)), 15.0);
  EXPECT_EQ(trace.integral(minutes(180), minutes(180)), 0.0);
  const Trace<Power> power(trace);
  EXPECT_DOUBLE_EQ(power.integral(minutes(0), minutes(60)).in(watt_hour), 10.0);
  EXPECT_EQ(power.at(minutes(61)).in(watt), 20.0);
  const Trace<Power> half = power.resampled(minutes(30), Duration::seconds(3600), 2);
  EXPECT_DOUBLE_EQ(half[1].in(watt), 30.0);
  std::vector<double> out(3);
  trace.means_over(minutes(0), Duration::seconds(1800), out);
  EXPECT_EQ(out, (std::vector<double>{10.0, 10.0, 20.0}));
}

template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TraceCore, RefusesAndNamesTheFirstBadIndex) {
  const double nan = kNaN;
  const Duration hour_step = Duration::seconds(3600);
  EXPECT_THAT(refusal([&] {
                TraceCore({after(0), after(5), after(5)}, {1, 2});
              }),
              HasSubstr("edge 2"));
  EXPECT_THAT(refusal([&] { TraceCore({after(0), after(5)}, {1, 2}); }), HasSubstr("need 3 edges"));
  EXPECT_THAT(refusal([&] { TraceCore({after(0)}, {}); }), HasSubstr("at least one interval"));
  EXPECT_THAT(refusal([&] { TraceCore(kStart, hour_step, {1, nan, nan}); }), HasSubstr("mean 1"));
  EXPECT_THAT(refusal([&] {
                TraceCore(kStart, hour_step, {1, 2, HUGE_VAL});
              }),
              HasSubstr("mean 2"));
  EXPECT_THAT(refusal([&] { TraceCore(kStart, Duration(), {1}); }), HasSubstr("above 0 s"));
  EXPECT_THAT(refusal([&] { TraceCore(kStart, hour_step, {}); }),
              HasSubstr("at least one interval"));
  EXPECT_THAT(refusal([&] {
                TraceCore(kStart, Duration::seconds(3'000'000'000), std::vector<double>(10, 1.0));
              }),
              HasSubstr("2262"));
}

TEST(TraceCore, RefusesQuestionsOutsideOfItsSpan) {
  const TraceCore trace(after(0), Duration::nanoseconds(10), {1.0, 2.0});
  EXPECT_THROW(trace.index_at(after(-1)), InputError);
  EXPECT_THROW(trace.index_at(after(20)), InputError);
  EXPECT_THROW(trace.integral(after(-1), after(5)), InputError);
  EXPECT_THROW(trace.integral(after(5), after(21)), InputError);
  EXPECT_THROW(trace.integral(after(6), after(5)), InputError);
  EXPECT_THROW(trace.mean_over(after(5), after(5)), InputError);
  EXPECT_THAT(refusal([&] {
                trace.resampled({after(0), after(5), after(5)});
              }),
              HasSubstr("edge 2"));
  EXPECT_THAT(refusal([&] { trace.resampled({after(0), after(21)}); }), HasSubstr("edge 1"));
  EXPECT_THROW(trace.resampled(after(0), Duration::nanoseconds(10), 3), InputError);
  EXPECT_THROW(trace.resampled(after(0), Duration::nanoseconds(10), std::size_t{1} << 62),
               InputError);
  EXPECT_THROW(trace.resampled(after(0), Duration(), 1), InputError);
  EXPECT_THROW(trace.shifted(Duration::nanoseconds(std::numeric_limits<std::int64_t>::max())),
               InputError);
}

}  // namespace
}  // namespace carnot::inline trace
