// SPDX-License-Identifier: Apache-2.0
#include "plan/certificate/jobs.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"

#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using testing::EverySchedule;
using ::testing::HasSubstr;
using testing::problem_with_terms;
using testing::RandomPrices;

TEST(CertificateJobs, TheLeastIsThatOfAllSchedules) {
  for (std::uint64_t seed = 10'000; seed < 14'000; ++seed) {
    const std::size_t sites = 1 + seed % 3;
    const Problem problem = problem_with_terms(seed, 1, sites, sites == 3 ? 5 : 6);
    const RandomPrices random(problem, seed);
    const double all = EverySchedule(problem, 0, random.prices).cheapest();
    const double least = least_cost(problem, 0, random.prices);
    EXPECT_LE(least, all) << seed;
    EXPECT_NEAR(least, all, 1e-11) << seed;
  }
}

TEST(CertificateJobs, AgreesWithTheBlockAtSizesNoOneCanEnumerate) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const Problem problem = problem_with_terms(seed, 1, 1 + seed % 4, 40, 20);
    const RandomPrices random(problem, seed);
    const JobRun run = cheapest(problem, 0, random.prices);
    EXPECT_NEAR(least_cost(problem, 0, random.prices), priced(problem, run, random.prices), 1e-9)
        << seed;
  }
}

TEST(CertificateJobs, TakesWhatTheBlockGivesAndCountsTheSame) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Problem problem = problem_with_terms(seed, 1, 1 + seed % 3, 12, 5);
    const RandomPrices random(problem, seed);
    const JobRun run = cheapest(problem, 0, random.prices);
    const std::size_t cells = random.energy.size();
    std::vector<double> load(cells), stoppable(cells), pieces(cells), may_stop(cells);
    std::vector<std::string> wrong;
    const OwnCost own = check_schedule(problem, 0, run.assignment, run.schedule, random.prices,
                                       load, stoppable, wrong);
    EXPECT_THAT(wrong, ::testing::IsEmpty()) << seed;
    EXPECT_EQ(own.quality, run.own.quality);
    EXPECT_NEAR(own.move, run.own.move, 1e-12) << seed;
    EXPECT_NEAR(own.restart, run.own.restart, 1e-12) << seed;
    EXPECT_EQ(own.late, run.own.late);
    EXPECT_EQ(own.drop, run.own.drop);
    for (const Piece& piece : run.pieces) {
      const std::size_t cell = piece.site * static_cast<std::size_t>(problem.slots) +
                               static_cast<std::size_t>(piece.slot);
      pieces[cell] += piece.power_kw;
      if (piece.stoppable) may_stop[cell] += piece.power_kw;
    }
    EXPECT_THAT(load, ::testing::Pointwise(::testing::DoubleNear(1e-12), pieces)) << seed;
    EXPECT_THAT(stoppable, ::testing::Pointwise(::testing::DoubleNear(1e-12), may_stop)) << seed;
  }
}

/// A job of three slots in [1, 8) at sites 0 and 1 with everything that can be broken.
Problem job_with_everything() {
  Problem problem = testing::small_problem(1, 0, 3, 10);
  problem.slot_s = 3600;
  problem.jobs.add("x", 1, 8, 5, {{3, 2, 0.5}}, 2, 0.25, {0, 1});
  problem.network = {1.0, 0.01, {0.001, 0.002, 0.003}};
  JobTerms terms;
  terms.min_run_slots = 2;
  terms.restart_eur = 0.125;
  terms.restart_slots = 1;
  terms.speed_parts = 2;
  terms.levels = {{{3.0, 3}}};
  terms.movable = true;
  terms.each_move_eur = 0.0625;
  terms.data_gb = 3600;  // one slot
  terms.due = 6;
  terms.late_eur_per_slot = 1;
  problem.terms[0] = terms;
  return problem;
}

struct Followed {
  OwnCost own;
  std::vector<double> load = std::vector<double>(30);
  std::vector<std::string> wrong;
};
Followed follow(const Problem& problem, const Assignment& assignment, const JobSchedule& schedule) {
  Followed out;
  out.own = check_schedule(problem, 0, assignment, schedule, {}, out.load, {}, out.wrong);
  return out;
}

TEST(CertificateJobs, CountsAScheduleByHand) {
  // Data comes from site 2 in slot 1; two slots at site 0 (5 of 6 parts), data moves in slot 4, a
  // restart in slot 5, the last part in slot 6: a slot late.
  const Followed f =
      follow(job_with_everything(), {0, 0, {2, 3, 5, 6}}, {{0, 0, 1, 1}, {0, 1, 0, 0}});
  EXPECT_THAT(f.wrong, ::testing::IsEmpty());
  EXPECT_DOUBLE_EQ(f.own.quality, 0.5);
  EXPECT_DOUBLE_EQ(f.own.move, 0.25 + 3600 * 0.003 + 3600 * 0.001 + 0.0625);
  EXPECT_DOUBLE_EQ(f.own.restart, 0.125);
  EXPECT_DOUBLE_EQ(f.own.late, 1);
  std::vector<double> load(30);
  load[21] = load[1] = load[4] = load[14] = 18;  // half of 36 kWh at each end
  load[2] = load[15] = load[16] = 2;
  load[3] = 3;
  EXPECT_THAT(f.load, ::testing::Pointwise(::testing::DoubleEq(), load));
}

TEST(CertificateJobs, SaysWhatAScheduleBreaks) {
  const Problem problem = job_with_everything();
  const Assignment good{0, 0, {2, 3, 5, 6}};
  const JobSchedule schedule{{0, 0, 1, 1}, {0, 1, 0, 0}};
  const struct {
    std::function<void(Problem&, Assignment&, JobSchedule&)> breaks;
    const char* words;
  } faults[] = {
      {[](Problem&, Assignment& a, JobSchedule&) { a.mode = 1; }, "no mode 1"},
      {[](Problem&, Assignment& a, JobSchedule& c) { a.slots = {}, c = {}; }, "runs in no slot"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.site = 1; }, "not one site a slot"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.sites.pop_back(); }, "not one site a slot"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.levels.pop_back(); }, "not one level a slot"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.slots[1] = 2; },
       "slot 2 is not after the last"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.slots[3] = 8; }, "slot 8 outside [1, 8)"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.sites[3] = 3; }, "no site 3"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.sites[3] = 2; }, "site 2 is not allowed"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.levels[3] = 2; }, "no level 2"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.slots[0] = 1; }, "its data needs 1 slots"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.slots[2] = 4; }, "its data needs 1 slots"},
      {[](Problem& p, Assignment&, JobSchedule&) { p.terms[0].preemptible = false; },
       "slot 5: it may not be interrupted"},
      {[](Problem& p, Assignment&, JobSchedule&) { p.terms[0].movable = false; },
       "slot 5: it may not move"},
      {[](Problem& p, Assignment&, JobSchedule&) { p.terms[0].min_run_slots = 3; },
       "slot 5: the run before ended after 2 slots"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.slots[3] = 7; },
       "slot 7: the run before did no work"},
      {[](Problem&, Assignment&, JobSchedule& c) { c.levels[2] = 1; }, "a restart is at level 0"},
      {[](Problem& p, Assignment&, JobSchedule&) { p.terms[0].restart_slots = 0; },
       "slot 6: its work is done"},
      {[](Problem& p, Assignment&, JobSchedule&) { p.terms[0].restart_slots = 2; },
       "5 of 6 parts of its work"},
      {[](Problem& p, Assignment& a, JobSchedule& c) {
         p.terms[0].restart_slots = 0, a.slots[3] = 7, c = {{0, 0, 0, 0}, {}};
       },
       "slot 7: the run before ended after 1 slots"},
      {[](Problem& p, Assignment&, JobSchedule& c) {
         p.terms[0].restart_slots = 0, c = {{0, 0, 0, 0}, {}};
       },
       "slot 6: its work is done"},
      {[](Problem&, Assignment& a, JobSchedule&) { a.site = kNone; }, "dropped, yet it has slots"},
  };
  for (const auto& [breaks, words] : faults) {
    Problem broken = problem;
    Assignment a = good;
    JobSchedule c = schedule;
    breaks(broken, a, c);
    EXPECT_THAT(follow(broken, a, c).wrong, ::testing::Contains(HasSubstr(words)));
  }
}

TEST(CertificateJobs, ArePartOfTheCertificate) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Problem problem = problem_with_terms(seed, 3, 2, 8);
    for (PlanSite& site : problem.sites) site.capacity_kw.assign(8, 1e6);
    for (PlanSite& site : problem.sites) site.grid_limit_kw.assign(8, kInfinity);
    const RandomPrices random(problem, seed);
    Plan plan;
    for (const double x : random.energy) plan.price.push_back(std::max(0.0, x));
    double own = 0;
    for (std::uint32_t j = 0; j < 3; ++j) {
      const JobRun run = cheapest(problem, j, JobPrices{plan.price});
      plan.jobs.push_back(run.assignment);
      plan.schedules[j] = run.schedule;
      own += run.own.total();
    }
    const Certificate c = certify(problem, plan);
    EXPECT_TRUE(c.holds()) << seed << ' ' << c.violations.front();
    EXPECT_LE(c.totals.bound_eur, c.totals.objective_eur);
    // Without power nothing but the jobs' own cost is left.
    for (PlanSite& site : problem.sites) {
      site.price_eur_per_kwh.assign(8, 0);
      site.carbon_g_per_kwh.assign(8, 0);
    }
    EXPECT_NEAR(certify(problem, plan).totals.objective_eur, own, 1e-9) << seed;
  }
}

TEST(CertificateJobs, AScheduleIsForJobsWithTerms) {
  Problem problem = testing::small_problem(3, 1, 2, 5);
  Plan plan;
  plan.jobs.resize(1);
  plan.price.assign(10, 0.1);
  ASSERT_TRUE(certify(problem, plan).holds());
  plan.schedules[0] = {};
  EXPECT_THAT(certify(problem, plan).violations, ::testing::ElementsAre(HasSubstr("no terms")));
}

}  // namespace
}  // namespace carnot::plan
