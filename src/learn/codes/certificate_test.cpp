// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/certificate.hpp"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/statistics.hpp"

namespace carnot::learn {
namespace {

TEST(Certificate, NeedsWhatALookWouldCertifyAndNoLess) {
  for (const std::uint64_t rows : {50u, 451u, 3000u}) {
    for (const double floor : {0.3, 0.8, 0.93}) {
      Certificate c(floor);
      for (std::uint64_t look = 0; look < 4; ++look) {
        const double needed = c.needed(rows, false);
        EXPECT_LE(needed, c.needed(rows, false, 1));
        const auto right =
            static_cast<std::uint64_t>(std::llround(needed * static_cast<double>(rows)));
        const auto with = [&](std::uint64_t n) {
          Certificate copy(floor);
          copy.restore(c.state());
          return copy
              .look({"accuracy", static_cast<double>(n) / static_cast<double>(rows), rows, n, 0.0})
              .certified;
        };
        if (needed <= 1.0) {
          EXPECT_TRUE(with(right)) << rows << ' ' << floor << ' ' << look;
          EXPECT_FALSE(with(right - 1)) << rows << ' ' << floor << ' ' << look;
        } else {
          EXPECT_FALSE(c.reachable(rows));
        }
        const double r2 = c.needed(rows, true);
        const auto with_r2 = [&](double value) {
          Certificate copy(floor);
          copy.restore(c.state());
          return copy.look({"r2", value, rows, 0, 0.0}).certified;
        };
        EXPECT_EQ(r2 > 1.0, c.highest_r2(rows) < floor);
        if (r2 <= 1.0) {
          EXPECT_TRUE(with_r2(r2 + 1e-9));
          EXPECT_FALSE(with_r2(r2 - 1e-6));
        }
        c.look({"accuracy", 0.0, rows, 0, 0.0});
      }
    }
  }
}

Quality accuracy(std::uint64_t successes, std::uint64_t trials) {
  return {"accuracy", static_cast<double>(successes) / static_cast<double>(trials), trials,
          successes, 0.0};
}

Quality r2(double value, std::uint64_t trials) { return {"r2", value, trials, 0, std::nan("")}; }

TEST(Certificate, SpendsItsBudgetOverAllLooks) {
  Certificate c(0.5, 0.05);
  double spent = 0.0;
  for (int k = 1; k <= 10000; ++k) spent += c.look(accuracy(1, 2)).alpha;
  EXPECT_LT(spent, 0.05);
  EXPECT_NEAR(spent, 0.05, 0.05 * 1e-3);
  EXPECT_EQ(c.state().looks, 10000u);
}

TEST(Certificate, FirstLookIsClopperPearson) {
  Certificate c(0.97, 0.05);
  const CertificateResult r = c.look(accuracy(980, 1000));
  const double alpha = 0.05 * 6.0 / (std::numbers::pi * std::numbers::pi);
  EXPECT_DOUBLE_EQ(r.alpha, alpha);
  // Definition: at the lower bound p, P(X >= 980) = alpha. Summed here term by term.
  double tail = 0.0;
  for (int s = 980; s <= 1000; ++s)
    tail += std::exp(std::lgamma(1001.0) - std::lgamma(s + 1.0) - std::lgamma(1001.0 - s) +
                     s * std::log(r.lower_bound) + (1000 - s) * std::log1p(-r.lower_bound));
  EXPECT_NEAR(tail, alpha, 1e-8);
  EXPECT_TRUE(r.certified == (r.lower_bound >= 0.97));
  EXPECT_GT(r.upper_bound, 0.98);
}

TEST(Certificate, LooksMoreOftenAskMore) {
  Certificate c(0.5);
  double last = 1.0;
  for (int k = 0; k < 5; ++k) {
    const double lower = c.look(accuracy(90, 100)).lower_bound;
    EXPECT_LT(lower, last);
    last = lower;
  }
}

RC_GTEST_PROP(Certificate, NeverCertifiesAnObservedValueBelowTheFloor, ()) {
  const auto trials = *rc::gen::inRange<std::uint64_t>(2, 2000);
  const auto successes = *rc::gen::inRange<std::uint64_t>(0, trials + 1);
  const double floor = *rc::gen::inRange(1, 1000) / 1000.0;
  Certificate by_accuracy(floor), by_r2(floor);
  const Quality q = accuracy(successes, trials);
  const CertificateResult a = by_accuracy.look(q);
  RC_ASSERT(a.lower_bound <= q.value && q.value <= a.upper_bound);
  RC_ASSERT(!a.certified || q.value >= floor);
  const double value = *rc::gen::inRange(-2000, 1001) / 1000.0;
  const CertificateResult b = by_r2.look(r2(value, trials));
  RC_ASSERT(b.lower_bound <= value && value <= b.upper_bound);
  RC_ASSERT(!b.certified || value >= floor);
}

RC_GTEST_PROP(Certificate, WhatIsReachableIsCertifiedByAPerfectScore, ()) {
  const auto trials = *rc::gen::inRange<std::uint64_t>(1, 3000);
  const double floor = *rc::gen::inRange(500, 1000) / 1000.0;
  Certificate c(floor);
  const auto looks = *rc::gen::inRange(0, 5);
  c.restore({static_cast<std::uint64_t>(looks)});
  const bool reachable = c.reachable(trials);
  RC_ASSERT(c.look(accuracy(trials, trials)).certified == reachable);
}

TEST(Certificate, RestoresItsLooks) {
  Certificate a(0.9), b(0.9);
  a.look(accuracy(95, 100));
  b.restore(a.state());
  EXPECT_EQ(a.look(accuracy(95, 100)).lower_bound, b.look(accuracy(95, 100)).lower_bound);
}

TEST(Certificate, RefusesNonsense) {
  EXPECT_THROW(Certificate(1.5), InputError);
  EXPECT_THROW(Certificate(std::nan("")), InputError);
  EXPECT_THROW(Certificate(0.9, 0.0), InputError);
  EXPECT_THROW(Certificate(0.9, 1.0), InputError);
  Certificate c(0.9);
  EXPECT_THROW(c.look({"f1", 0.9, 100, 90, 0.0}), InputError);
  EXPECT_THROW(c.look(accuracy(0, 0)), InputError);
  EXPECT_FALSE(c.reachable(0));
}

/// Exact chance that some look of `looks` independent ones certifies a model of true accuracy `p`.
double exact_false_chance(double p, double floor, std::uint64_t trials, int looks) {
  Certificate c(floor);
  double none = 1.0;
  for (int k = 0; k < looks; ++k) {
    // Least number of successes that certifies at this look.
    std::uint64_t least = trials + 1;
    for (std::uint64_t s = trials + 1; s-- > 0;) {
      Certificate probe = c;
      if (!probe.look(accuracy(s, trials)).certified) break;
      least = s;
    }
    // P(X >= least) = I_p(least, n - least + 1)
    const double chance = least > trials ? 0.0
                          : least == 0
                              ? 1.0
                              : incomplete_beta(static_cast<double>(least),
                                                static_cast<double>(trials - least + 1), p);
    none *= 1.0 - chance;
    c.look(accuracy(0, trials));
  }
  return 1.0 - none;
}

TEST(Certificate, ExactFalseChanceIsBelowAlpha) {
  for (const double floor : {0.5, 0.9, 0.98})
    for (const std::uint64_t trials : {50u, 200u, 450u}) {
      const double at_floor = exact_false_chance(floor - 1e-9, floor, trials, 12);
      EXPECT_LE(at_floor, 0.05) << floor << " " << trials;
      EXPECT_LT(exact_false_chance(floor - 0.02, floor, trials, 12), at_floor + 1e-12);
    }
  // Not vacuous: a large sample far above the floor is certified nearly always.
  EXPECT_GT(exact_false_chance(0.97, 0.9, 450, 1), 0.99);
}

/// Share of runs in which a model that is never good enough gets certified. Each run looks `looks`
/// times at the same held-out rows while the model creeps up to just below the floor.
double simulated_false_share(int runs, std::uint64_t seed) {
  constexpr std::uint64_t kRows = 400;
  constexpr int kLooks = 15;
  constexpr double kFloor = 0.95;
  int wrong = 0;
  for (int run = 0; run < runs; ++run) {
    const RandomStream rows(seed, static_cast<std::uint64_t>(run));
    Certificate c(kFloor);
    bool certified = false;
    for (int k = 1; k <= kLooks; ++k) {
      const double truth = kFloor - 1e-6 - 0.05 / k;
      std::uint64_t right = 0;
      for (std::uint64_t r = 0; r < kRows; ++r) right += rows.uniform(r) < truth ? 1 : 0;
      certified = certified || c.look(accuracy(right, kRows)).certified;
    }
    wrong += certified ? 1 : 0;
  }
  return static_cast<double>(wrong) / runs;
}

TEST(Certificate, TwoHundredRunsGiveAtMostFivePercentFalseCertificates) {
  EXPECT_LE(simulated_false_share(200, 20), 0.05);
}

TEST(CertificateSlow, ManyRunsGiveAtMostFivePercentFalseCertificates) {
  // 20000 runs: standard error 0.15 % at 5 %.
  EXPECT_LE(simulated_false_share(20000, 7), 0.05);
}

TEST(CertificateSlow, RegressionBoundHolds) {
  // Squared errors of a unit-variance Gaussian residual share: truth R2 = 1 - s^2 (no clipping
  // bites below 3 sigma of the target), floor a hair above.
  int wrong = 0;
  constexpr int kRuns = 1000;
  for (int run = 0; run < kRuns; ++run) {
    const RandomStream stream(11, static_cast<std::uint64_t>(run));
    Certificate c(0.75 + 1e-9);
    double sum = 0.0;
    for (std::uint64_t i = 0; i < 500; ++i) {
      const double e = 0.5 * stream.normal(i);
      sum += e * e;
    }
    wrong += c.look(r2(1.0 - sum / 500.0, 500)).certified ? 1 : 0;
  }
  EXPECT_LE(wrong, kRuns / 20);
  EXPECT_TRUE(Certificate(0.75).look(r2(0.95, 5000)).certified) << "and it can certify";
}

}  // namespace
}  // namespace carnot::learn
