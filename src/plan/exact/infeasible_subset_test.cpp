// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/exact/infeasible_subset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/search/planner.hpp"

#include "base/testing_stop.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using ::testing::HasSubstr;
using testing::small_problem;

/// Sites X and Y of 10 kW over 8 slots.
Problem two_halls() {
  Problem problem;
  problem.slots = 8;
  for (const char* name : {"X", "Y"}) {
    PlanSite site;
    site.name = name;
    site.capacity_kw.assign(8, 10.0);
    site.pue.assign(8, 1.25);
    site.free_kw.assign(8, 0.0);
    site.price_eur_per_kwh.assign(8, 0.1);
    site.carbon_g_per_kwh.assign(8, 100.0);
    site.grid_limit_kw.assign(8, kInfinity);
    problem.sites.push_back(site);
  }
  return problem;
}

void add(Problem& problem, const char* id, std::int32_t release, std::int32_t deadline,
         std::vector<PlanMode> modes, std::vector<std::uint32_t> sites = {}) {
  problem.jobs.add(id, release, deadline, 1.0, modes, kNone, 0.0, sites);
}

/// Whether jobs fit, by trying every way.
bool fit_by_trying(const Problem& problem, const std::vector<std::uint32_t>& jobs,
                   const std::vector<PowerLimit>& limits) {
  std::vector<double> load(problem.sites.size() * static_cast<std::size_t>(problem.slots));
  const auto cell = [&](std::size_t s, std::int32_t t) {
    return s * static_cast<std::size_t>(problem.slots) + static_cast<std::size_t>(t);
  };
  const std::function<bool(std::size_t)> from = [&](std::size_t n) {
    if (n == jobs.size())
      return std::all_of(limits.begin(), limits.end(), [&](const PowerLimit& limit) {
        const auto t = static_cast<std::size_t>(limit.slot);
        const PlanSite& site = problem.sites[limit.site];
        const double most =
            std::min(site.capacity_kw[t], (site.free_kw[t] + site.grid_limit_kw[t]) / site.pue[t]);
        return load[cell(limit.site, limit.slot)] <= most * (1 + 1e-9);
      });
    const std::uint32_t j = jobs[n];
    for (const Assignment& choice : testing::every_choice(problem, j)) {
      const std::vector<double> before = load;
      for (const std::int32_t slot : choice.slots)
        load[cell(choice.site, slot)] += testing::mode_of(problem, j, choice).power_kw;
      if (from(n + 1)) return true;
      load = before;
    }
    return false;
  };
  return from(0);
}

std::vector<std::uint32_t> all_jobs(const Problem& problem) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t j = 0; j < problem.jobs.size(); ++j) out.push_back(j);
  return out;
}
std::vector<PowerLimit> all_limits(const Problem& problem) {
  std::vector<PowerLimit> out;
  for (std::uint32_t s = 0; s < problem.sites.size(); ++s)
    for (std::int32_t t = 0; t < problem.slots; ++t) out.push_back({s, t});
  return out;
}

template <class Member>
std::vector<Member> without(std::vector<Member> from, std::size_t at) {
  from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
  return from;
}

#ifdef CARNOT_HAVE_CBC

TEST(Clash, NamesWhoNeedsWhatWhereAndWhen) {
  Problem problem = two_halls();
  add(problem, "a", 3, 6, {{3, 7.0, 0}}, {0});
  add(problem, "idle", 0, 8, {{2, 3.0, 0}});
  add(problem, "b", 3, 6, {{3, 5.0, 0}}, {0});
  add(problem, "c", 0, 8, {{8, 9.0, 0}}, {1});
  const std::optional<Clash> clash = find_clash(problem);
  ASSERT_TRUE(clash);
  EXPECT_THAT(clash->jobs, ::testing::ElementsAre(0, 2));
  ASSERT_EQ(clash->limits.size(), 1U);  // any of the three slots is enough
  EXPECT_EQ(clash->limits[0].site, 0U);
  EXPECT_TRUE(clash->smallest);
  EXPECT_THAT(clash->words, HasSubstr("job a and job b cannot all run: together they draw at least "
                                      "12 kW; X in slot "));
  EXPECT_THAT(clash->words, HasSubstr("at most 10 kW of IT (capacity)"));
  EXPECT_THAT(clash->members,
              ::testing::IsSupersetOf({"job a needs 3 slots at 7 kW in slots 3..5 at X",
                                       "job b needs 3 slots at 5 kW in slots 3..5 at X"}));
}

TEST(Clash, StretchesOfLimitsAndPowerBehindThem) {
  Problem problem = two_halls();
  problem.sites[0].free_kw.assign(8, 5.0);
  problem.sites[0].grid_limit_kw.assign(8, 5.0);  // 8 kW of IT
  add(problem, "a", 2, 6, {{3, 5.0, 0}}, {0});
  add(problem, "b", 2, 6, {{2, 6.0, 0}}, {0});
  const std::optional<Clash> clash = find_clash(problem);
  ASSERT_TRUE(clash);  // five slot-runs in four slots, no two together: all four limits matter
  EXPECT_EQ(clash->limits.size(), 4U);
  EXPECT_THAT(clash->words,
              HasSubstr("X in slots 2..5: at most 8 kW of IT (5 kW of own power and 5 kW of grid "
                        "at a PUE of 1.25)"));
  problem = two_halls();
  add(problem, "wide", 0, 8, {{8, 11.0, 0}, {8, 12.0, 0}}, {1});
  const std::optional<Clash> alone = find_clash(problem);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->limits.size(), 1U);
  EXPECT_THAT(alone->words, ::testing::StartsWith("job wide cannot run: Y in slot "));
}

TEST(Clash, NoneWhereAllFit) {
  Problem problem = two_halls();
  add(problem, "a", 0, 2, {{2, 7.0, 0}});
  add(problem, "b", 0, 2, {{2, 5.0, 0}});
  EXPECT_FALSE(find_clash(problem));
  EXPECT_FALSE(find_clash(two_halls()));
}

/// The size of the smallest contradiction by trying all subsets.
std::size_t smallest_by_trying(const Problem& problem) {
  const auto jobs = all_jobs(problem);
  const auto limits = all_limits(problem);
  const std::size_t n = jobs.size() + limits.size();
  std::size_t least = n + 1;
  for (unsigned set = 0; set < 1U << n; ++set) {
    const auto count = static_cast<std::size_t>(__builtin_popcount(set));
    if (count >= least) continue;
    std::vector<std::uint32_t> some;
    std::vector<PowerLimit> held;
    for (std::size_t i = 0; i < n; ++i)
      if (set >> i & 1U) {
        if (i < jobs.size())
          some.push_back(jobs[i]);
        else
          held.push_back(limits[i - jobs.size()]);
      }
    if (!fit_by_trying(problem, some, held)) least = count;
  }
  return least;
}

TEST(Clash, IsTheSmallestOfAll) {
  int clashes = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Problem problem = small_problem(seed, 4, 2, 3, 0.5);
    const bool fit = fit_by_trying(problem, all_jobs(problem), all_limits(problem));
    const std::optional<Clash> clash = find_clash(problem);
    ASSERT_EQ(!clash, fit) << seed;
    if (!clash) continue;
    ++clashes;
    EXPECT_TRUE(clash->smallest) << seed;
    EXPECT_EQ(clash->jobs.size() + clash->limits.size(), smallest_by_trying(problem)) << seed;
  }
  EXPECT_GT(clashes, 5);
  EXPECT_LT(clashes, 40);
}

RC_GTEST_PROP(ClashProperties, ContradictsAndWithoutAnyMemberDoesNot, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 100'000);
  const Problem problem = small_problem(seed, 7, 2, 6, *rc::gen::element(0.4, 0.7));
  // Stopped anywhere: what was found until then still contradicts itself.
  const bool may_stop = *rc::gen::element(true, false);
  carnot::testing::CountedStop stop(may_stop ? *rc::gen::inRange(0, 3'000) : 1'000'000'000);
  std::optional<Clash> clash;
  try {
    clash = find_clash(problem, stop.token());
  } catch (const Stopped&) {
    RC_ASSERT(may_stop);
    return;
  }
  RC_ASSERT(!clash == fit_by_trying(problem, all_jobs(problem), all_limits(problem)));
  if (!clash) return;
  RC_ASSERT(clash->smallest || may_stop);
  RC_ASSERT(!fit_by_trying(problem, clash->jobs, clash->limits));
  RC_ASSERT(!all_fit(problem, clash->jobs, clash->limits));
  RC_ASSERT(clash->irreducible || may_stop);
  RC_CLASSIFY(!clash->irreducible);
  if (!clash->irreducible) return;
  for (std::size_t i = 0; i < clash->jobs.size(); ++i)
    RC_ASSERT(fit_by_trying(problem, without(clash->jobs, i), clash->limits));
  for (std::size_t i = 0; i < clash->limits.size(); ++i)
    RC_ASSERT(fit_by_trying(problem, clash->jobs, without(clash->limits, i)));
}

RC_GTEST_PROP(RequiredProperties, RunsAllAtTheLeastCostOrSaysWhyNot, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 100'000);
  Problem problem = small_problem(seed, 3, 2, 4, 0.8);
  const RequiredPlan exact = plan_required(problem, [](const Problem& p) { return plan_exact(p); });
  const bool fit = fit_by_trying(problem, all_jobs(problem), all_limits(problem));
  RC_ASSERT(exact.all_run == fit);
  RC_ASSERT(exact.clash.has_value() == !fit);
  if (!fit) return;
  RC_ASSERT(exact.plan.bound_eur <= exact.plan.objective_eur + 1e-9);
  const RequiredPlan large = plan_required(problem, [](const Problem& p) { return plan_large(p); });
  RC_ASSERT(large.all_run);
  RC_ASSERT(exact.plan.objective_eur <= large.plan.objective_eur + 1e-6);
  // A plan that may drop costs no more.
  RC_ASSERT(plan_exact(problem).objective_eur <= exact.plan.objective_eur + 1e-6);
}

TEST(Required, FindsWhatThePlannerMissed) {
  Problem problem = two_halls();
  add(problem, "a", 0, 2, {{2, 7.0, 0}});
  add(problem, "b", 0, 2, {{2, 5.0, 0}});
  int calls = 0;
  const RequiredPlan required = plan_required(problem, [&](const Problem& p) {
    ++calls;
    Plan lazy = plan_exact(p);
    lazy.jobs.assign(2, {});  // drops all
    lazy.status.clear();
    return lazy;
  });
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(required.all_run);
  EXPECT_FALSE(required.clash);
}

#else

TEST(Clash, SaysWhatIsMissing) {
  Problem problem = two_halls();
  add(problem, "a", 0, 2, {{2, 7.0, 0}}, {0});
  add(problem, "b", 0, 2, {{2, 5.0, 0}}, {0});
  EXPECT_THROW(find_clash(problem), DeviceError);
}

#endif

}  // namespace
}  // namespace carnot::plan
