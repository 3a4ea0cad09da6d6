// SPDX-License-Identifier: Apache-2.0
// Small problems whose jobs wait for each other, take turns and share nodes, against their optima:
// all choices of one schedule for each job are gone through, each held against the rules as they
// are written.
#include <cmath>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/extended.hpp"

#include "plan/problem/problem_read.hpp"
#include "plan/problem/testing_terms.hpp"
#include "plan/supply/site_rows.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::plan {
namespace {

using ::testing::HasSubstr;

Problem tied(std::uint64_t seed) {
  const RandomStream random(seed, "workflow-optimum");
  std::uint64_t at = 0;
  const auto u = [&](double low, double high) { return low + (high - low) * random.uniform(at++); };
  const auto often = [&](double share) { return u(0, 1) < share; };
  const std::size_t sites = 1 + random.below(at++, 2);
  const auto slots = static_cast<std::int32_t>(4 + random.below(at++, 3));
  const std::uint64_t jobs = 2 + random.below(at++, 3);
  Problem problem;
  problem.slots = slots;
  for (std::size_t s = 0; s < sites; ++s) {
    PlanSite site;
    site.name = std::to_string(s);
    for (std::int32_t t = 0; t < slots; ++t) {
      site.capacity_kw.push_back(u(6, 20));
      site.pue.push_back(u(1, 1.3));
      site.free_kw.push_back(often(0.3) ? u(0, 10) : 0.0);
      site.price_eur_per_kwh.push_back(u(0.01, 0.3));
      site.carbon_g_per_kwh.push_back(u(0, 400));
      site.grid_limit_kw.push_back(kInfinity);
    }
    problem.sites.push_back(std::move(site));
  }
  for (std::uint32_t j = 0; j < jobs; ++j) {
    const auto release = static_cast<std::int32_t>(random.below(at++, 2));
    std::vector<PlanMode> modes;
    for (std::uint64_t m = 0; m <= random.below(at, 2); ++m)
      modes.push_back({static_cast<std::int32_t>(1 + random.below(at + 7 + m, 2)), u(2, 9),
                       m == 0 ? 0.0 : u(0, 0.4)});
    at += 12;
    problem.jobs.add("j" + std::to_string(j), release, slots, often(0.2) ? u(0.2, 1) : u(2, 30),
                     modes, often(0.5) ? 0U : kNone, often(0.3) ? u(0, 0.5) : 0.0, {});
    if (often(0.3)) {
      JobTerms& terms = problem.terms[j];
      terms.preemptible = often(0.5);
      if (terms.preemptible) terms.restart_eur = u(0, 0.2);
      if (often(0.5)) terms.data_gb = 1800;  // a slot on the way
    }
  }
  problem.network.gb_per_s = 0.5;
  PlanWorkflow& workflow = problem.workflow;
  for (std::uint32_t j = 1; j < jobs; ++j)
    for (std::uint32_t p = 0; p < j; ++p)
      if (often(0.4))
        workflow.dependencies.push_back({j, p, static_cast<AfterKind>(random.below(at++, 3)),
                                         static_cast<std::int32_t>(random.below(at++, 2))});
  if (often(0.4)) workflow.arrays.push_back({"a", {0, 1}, 1});
  if (often(0.5)) {
    for (std::size_t s = 0; s < sites; ++s) {
      PlanNodes& nodes = workflow.nodes.emplace_back();
      nodes.node = {8, 16, kInfinity};
      for (std::int32_t t = 0; t < slots; ++t)
        nodes.open.push_back(static_cast<std::int32_t>(random.below(at++, 3)));
    }
    for (std::uint32_t j = 0; j < jobs; ++j)
      for (std::size_t m = problem.jobs.mode_begin(j); m < problem.jobs.mode_end(j); ++m)
        workflow.needs[j].push_back(
            {static_cast<std::int32_t>(1 + random.below(at++, 2)), {u(1, 8), u(1, 16), 0}});
  }
  return problem;
}

/// Whether the rules of workflow.hpp hold, as they read there.
bool holds(const Problem& problem, const std::vector<const JobRun*>& runs) {
  const auto runs_at_all = [&](std::uint32_t j) { return runs[j]->assignment.site != kNone; };
  const auto first = [&](std::uint32_t j) { return runs[j]->assignment.slots.front(); };
  const auto begin = [&](std::uint32_t j) {
    const JobTerms* terms = problem.terms_of(j);
    const std::uint32_t origin = problem.jobs.origin(j);
    const bool carries = terms != nullptr && terms->data_gb > 0 && origin != kNone &&
                         origin != runs[j]->assignment.site;
    return first(j) - (carries ? 1 : 0);
  };
  for (const PlanDependency& d : problem.workflow.dependencies) {
    if (!runs_at_all(d.job)) continue;
    if (!runs_at_all(d.predecessor)) {
      if (d.kind == AfterKind::Ok) return false;
      continue;
    }
    const std::int32_t from = d.kind == AfterKind::Start
                                  ? first(d.predecessor)
                                  : runs[d.predecessor]->assignment.slots.back() + 1;
    if (begin(d.job) < from + d.delay_slots) return false;
  }
  const auto in_slot = [&](std::uint32_t j, std::int32_t t) {
    const auto& slots = runs[j]->assignment.slots;
    return std::find(slots.begin(), slots.end(), t) != slots.end();
  };
  for (std::int32_t t = 0; t < problem.slots; ++t) {
    for (const PlanArray& array : problem.workflow.arrays) {
      int running = 0;
      for (const std::uint32_t j : array.jobs) running += in_slot(j, t) ? 1 : 0;
      if (running > array.at_once) return false;
    }
    for (std::uint32_t s = 0; s < problem.workflow.nodes.size(); ++s) {
      // At most two nodes are open here: a job of one node is on one or the other, of two on both.
      const PlanNodes& nodes = problem.workflow.nodes[s];
      const std::int32_t open = nodes.open[static_cast<std::size_t>(t)];
      std::vector<const NodeNeed*> all;
      for (const auto& [j, needs] : problem.workflow.needs)
        if (runs_at_all(j) && in_slot(j, t) && runs[j]->assignment.site == s)
          all.push_back(&needs[runs[j]->assignment.mode]);
      bool fits = false;
      for (std::uint32_t side = 0; side < (1U << all.size()) && !fits; ++side) {
        double cores[2] = {}, memory[2] = {};
        bool there = true;
        for (std::size_t i = 0; i < all.size(); ++i)
          for (std::uint32_t n = 0; n < 2; ++n)
            if (all[i]->nodes == 2 || ((side >> i) & 1U) == n) {
              cores[n] += all[i]->each.cores;
              memory[n] += all[i]->each.memory_gb;
              there = there && static_cast<std::int32_t>(n) < open;
            }
        fits = there && std::max(cores[0], cores[1]) <= 8 && std::max(memory[0], memory[1]) <= 16;
      }
      if (!fits) return false;
    }
  }
  return true;
}

/// Least cost by going through all choices.
double optimum_of(const Problem& problem) {
  const std::size_t slots = static_cast<std::size_t>(problem.slots), jobs = problem.jobs.size();
  JobPrices offer;
  const std::vector<double> nothing(problem.sites.size() * slots);
  offer.energy = nothing;
  std::vector<std::vector<JobRun>> runs(jobs);
  Problem full = problem;  // the walk wants terms of every job
  for (std::uint32_t j = 0; j < jobs; ++j) full.terms.try_emplace(j);
  for (std::size_t j = 0; j < jobs; ++j) {
    JobRun dropped;
    dropped.own.drop = problem.jobs.value(j);
    runs[j].push_back(dropped);
    for (const auto& [assignment, schedule] : testing::EverySchedule(full, j, offer).all())
      runs[j].push_back(run_of(full, j, assignment, schedule, offer));
  }
  double best = kInfinity;
  std::vector<const JobRun*> chosen(jobs);
  std::vector<double> load(problem.sites.size() * slots);
  const auto cost_of_sites = [&] {
    double sum = 0;
    for (std::size_t s = 0; s < problem.sites.size(); ++s)
      for (std::size_t t = 0; t < slots; ++t) {
        const PlanSite& site = problem.sites[s];
        const double kw = load[s * slots + t];
        if (kw > site.capacity_kw[t] * (1 + 1e-9)) return kInfinity;
        sum += problem.slot_h() * problem.grid_cost(s, t) *
               std::max(0.0, kw * site.pue[t] - site.free_kw[t]);
      }
    return sum;
  };
  const auto choose = [&](const auto& self, std::size_t j, double own) -> void {
    if (own >= best) return;  // energy costs nothing less than 0 here
    if (j == jobs) {
      if (!holds(problem, chosen)) return;
      best = std::min(best, own + cost_of_sites());
      return;
    }
    for (const JobRun& run : runs[j]) {
      chosen[j] = &run;
      for (const Piece& piece : run.pieces)
        load[piece.site * slots + static_cast<std::size_t>(piece.slot)] += piece.power_kw;
      self(self, j + 1, own + run.own.total());
      for (const Piece& piece : run.pieces)
        load[piece.site * slots + static_cast<std::size_t>(piece.slot)] -= piece.power_kw;
    }
  };
  choose(choose, 0, 0.0);
  return best;
}

void expect_near_optimal(std::uint64_t from, std::uint64_t until) {
  std::size_t all = 0, near = 0, tied_jobs = 0, held = 0;
  PlannerOptions options;
  options.threads = 1;
  for (std::uint64_t seed = from; seed < until; ++seed) {
    SCOPED_TRACE(seed);
    const Problem problem = tied(seed);
    if (!problem.workflow.any()) continue;
    ++all;
    tied_jobs += problem.workflow.dependencies.size();
    const double best = optimum_of(problem);
    const ExtendedPlan found = plan_extended(problem, options);
    ASSERT_TRUE(found.broken.empty());
    const double hair = 1e-6 * std::max(1.0, std::abs(best));
    EXPECT_TRUE(certify(problem, found.plan).holds());
    EXPECT_GE(found.plan.objective_eur, best - hair);
    EXPECT_LE(found.plan.bound_eur, best + hair);
    held += held_back(problem, found.plan).size();
    if (found.plan.status == "optimal") {
      EXPECT_NEAR(found.plan.objective_eur, best, hair);
    }
    if (found.plan.objective_eur <= best + 0.01 * std::abs(best) + 1e-6)
      ++near;
    else
      std::printf("seed %d: %g for %g\n", static_cast<int>(seed), found.plan.objective_eur, best);
  }
  EXPECT_GT(tied_jobs, all / 2);
  EXPECT_GT(held, 0u);
  EXPECT_GE(100 * near, 99 * all) << near << " of " << all;
  std::printf("%zu of %zu within a hundredth\n", near, all);
}

TEST(WorkflowOptimum, PlansAreWithinAHundredth) { expect_near_optimal(0, 60); }
TEST(WorkflowOptimumSlow, PlansAreWithinAHundredth) { expect_near_optimal(60, 1000); }

const char* kChain = R"({"schema": "carnot.problem/1", "slot_s": 3600, "slots": 4,
"sites": [
{"name": "a", "capacity_kw": [10, 10, 10, 10], "pue": [1, 1, 1, 1], "free_kw": [0, 0, 0, 0],
 "price_eur_per_kwh": [0.4, 0.3, 0.2, 0.1], "carbon_g_per_kwh": [0, 0, 0, 0]@SITE@}],
"arrays": [{"name": "sweep", "at_once": 1}],
"jobs": [
{"id": "train", "release": 0, "deadline": 4, "value_eur": @VALUE@, "modes": [{"slots": 1, "power_kw": 5, "quality_cost_eur": 0@MODE@}]},
{"id": "test", "release": 0, "deadline": 4, "value_eur": 100, "after": @AFTER@,
 "modes": [{"slots": 1, "power_kw": 5, "quality_cost_eur": 0@MODE@}]}]})";

std::string chain(const std::map<std::string, std::string>& with) {
  std::string text = kChain;
  std::map<std::string, std::string> words{
      {"@SITE@", ""}, {"@VALUE@", "100"}, {"@MODE@", ""}, {"@AFTER@", "[\"train\"]"}};
  for (const auto& [key, is] : with) words[key] = is;
  for (const auto& [key, is] : words)
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key))
      text.replace(at, key.size(), is);
  return text;
}
std::string words_of(const std::string& text) {
  try {
    parse_problem(text, "p.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}
double cost_of(const std::map<std::string, std::string>& with) {
  return plan_extended(parse_problem(chain(with), "p.json"), {}).plan.objective_eur;
}

TEST(Workflow, AChainByHand) {
  EXPECT_NEAR(cost_of({}), 5 * (0.2 + 0.1), 1e-9);
  EXPECT_NEAR(cost_of({{"@AFTER@", R"([{"job": "train", "delay_slots": 1}])"}}), 5 * (0.3 + 0.1),
              1e-9);
  EXPECT_NEAR(cost_of({{"@AFTER@", R"([{"job": "train", "kind": "after-start"}])"}}),
              5 * (0.1 + 0.1), 1e-9);
  // Not worth its energy: whoever waits for it to be done well is not done either.
  EXPECT_NEAR(cost_of({{"@VALUE@", "0"}}), 5 * (0.2 + 0.1), 1e-9);
  const Problem problem = parse_problem(
      chain({{"@VALUE@", "0"}, {"@SITE@", R"(, "closures": [{"from": 1, "to": 4}])"}}), "p.json");
  const ExtendedPlan found = plan_extended(problem, {});
  EXPECT_NEAR(found.plan.objective_eur, 100, 1e-9);
  ASSERT_EQ(held_back(problem, found.plan).size(), 1u);
  EXPECT_EQ(held_back(problem, found.plan)[0].job, 1u);
}

TEST(Workflow, NodesAndClosuresByHand) {
  // Two on one node of 8 cores: 4 each fit together, 5 each do not.
  const auto nodes = [](int cores) {
    return std::map<std::string, std::string>{
        {"@AFTER@", "[]"},
        {"@SITE@", R"(, "nodes": 1, "cores_per_node": 8)"},
        {"@MODE@", R"(, "cores_per_node": )" + std::to_string(cores)}};
  };
  EXPECT_NEAR(cost_of(nodes(4)), 5 * (0.1 + 0.1), 1e-9);
  EXPECT_NEAR(cost_of(nodes(5)), 5 * (0.2 + 0.1), 1e-9);
  EXPECT_NEAR(cost_of({{"@AFTER@", "[]"}, {"@SITE@", R"(, "closures": [{"from": 3, "to": 4}])"}}),
              5 * (0.2 + 0.2), 1e-9);
  EXPECT_NEAR(cost_of({{"@AFTER@", "[]"},
                       {"@SITE@", R"(, "closures": [{"from": 3, "to": 4, "share": 0.5}])"}}),
              5 * (0.2 + 0.1), 1e-9);
}

TEST(Workflow, WhatIsWrongIsNamed) {
  EXPECT_THAT(words_of(chain({{"@AFTER@", "[\"tran\"]"}})),
              HasSubstr("p.json:8: jobs[1].after[0]: the id of a job; there is no `tran`; did you "
                        "mean `train`?"));
  EXPECT_THAT(words_of(chain({{"@AFTER@", "[\"test\"]"}})),
              HasSubstr("no job that waits for itself in the end: test waits for test"));
  EXPECT_THAT(words_of(chain({{"@AFTER@", R"([{"job": "train", "kind": "before"}])"}})),
              HasSubstr("after-ok, after-any or after-start"));
  EXPECT_THAT(words_of(chain({{"@AFTER@", R"([{"job": "train", "delay_slot": 1}])"}})),
              HasSubstr("did you mean `delay_slots`?"));
  EXPECT_THAT(words_of(chain({{"@AFTER@", "[], \"array\": \"sweeps\""}})),
              HasSubstr("did you mean `sweep`?"));
  EXPECT_THAT(words_of(chain({{"@SITE@", ", \"cores_per_node\": 8"}})),
              HasSubstr("nodes: how many"));
}

TEST(Workflow, IsWrittenAndReadBack) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Problem problem = tied(seed);
    const std::string folder = ::testing::TempDir() + "/workflow";
    write_problem(problem, folder);
    const Problem again = read_problem(folder + "/problem.json");
    EXPECT_EQ(again.workflow.dependencies, problem.workflow.dependencies);
    ASSERT_EQ(again.workflow.arrays.size(), problem.workflow.arrays.size());
    for (std::size_t a = 0; a < again.workflow.arrays.size(); ++a)
      EXPECT_EQ(again.workflow.arrays[a].jobs, problem.workflow.arrays[a].jobs);
    ASSERT_EQ(again.workflow.nodes.size(), problem.workflow.nodes.size());
    for (std::size_t s = 0; s < again.workflow.nodes.size(); ++s) {
      EXPECT_EQ(again.workflow.nodes[s].open, problem.workflow.nodes[s].open);
      EXPECT_EQ(again.workflow.nodes[s].node, problem.workflow.nodes[s].node);
    }
  }
}

TEST(Workflow, TheExampleIsPlannedToItsOptimum) {
  const Problem problem =
      read_problem(std::string(CARNOT_SOURCE_DIR) + "/examples/workflows/problem.json");
  EXPECT_EQ(problem.workflow.nodes[0].open[5], 2);
  EXPECT_NEAR(problem.sites[0].capacity_kw[5], 20, 1e-9);
  const ExtendedPlan found = plan_extended(problem, {});
  ASSERT_TRUE(found.broken.empty());
  EXPECT_EQ(found.plan.totals.dropped, 0u);
  EXPECT_TRUE(certify(problem, found.plan).holds());
}

TEST(Workflow, TheCertificateSeesWhatIsBroken) {
  const Problem problem = parse_problem(chain({}), "p.json");
  Plan plan = plan_extended(problem, {}).plan;
  ASSERT_TRUE(certify(problem, plan).holds());
  std::swap(plan.jobs[0].slots, plan.jobs[1].slots);
  std::string all;
  for (const std::string& words : certify(problem, plan).violations) all += words + "\n";
  EXPECT_THAT(all, HasSubstr("job test: after-ok train : begins in slot 2, not before 4 allowed"));
  plan.jobs[0] = {};
  all.clear();
  for (const std::string& words : certify(problem, plan).violations) all += words + "\n";
  EXPECT_THAT(all, HasSubstr("job test: after-ok train : that is not done"));
}

}  // namespace
}  // namespace carnot::plan

#endif
