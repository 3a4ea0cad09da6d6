// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/plan/report.hpp"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/testing_terms.hpp"
#include "report/draw/testing_text.hpp"
#include "report/plan/flows.hpp"
#include "report/plan/testing_plan.hpp"
#include "report/plan/words.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;

bool near(double a, double b, double scale) { return std::abs(a - b) <= 1e-9 * (scale + 1e-6); }

double total(const std::vector<double>& kw, double hours) {
  return std::accumulate(kw.begin(), kw.end(), 0.0) * hours;
}

PlanReport report_of(const sample::PlanOptions& options = {},
                     const WorkAssumptions& assumptions = {}) {
  return report_plan(sample::plan_file(sample::plan_problem(options)), assumptions);
}

/// What the page shows is what the certificate, which shares no code with it, says.
RC_GTEST_PROP(PlanReportProperty, AgreesWithTheCertificate, ()) {
  sample::PlanOptions options;
  options.seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  options.jobs = *rc::gen::inRange<std::int64_t>(0, 60);
  options.sites = *rc::gen::inRange<std::int64_t>(1, 5);
  options.slots = *rc::gen::inRange<std::int64_t>(1, 30);
  options.load = *rc::gen::element(0.3, 0.9, 3.0);
  options.price_shift = *rc::gen::element(0.0, -0.2, -1.0);
  const PlanReport r = report_of(options);
  RC_ASSERT(r.certificate.holds());
  const plan::PlanTotals& t = r.certificate.totals;
  double magnitude = std::abs(r.dropped_money.in(euro));
  for (const PlanSiteReport& site : r.sites)
    magnitude += std::abs(site.grid_money.in(euro)) + std::abs(site.carbon_money.in(euro)) +
                 std::abs(site.move_money.in(euro)) + std::abs(site.quality_money.in(euro));
  RC_ASSERT(near((r.all.money() + r.dropped_money).in(euro), t.objective_eur, magnitude));
  RC_ASSERT(near(r.all.facility().in(joule), t.energy_j, t.energy_j));
  RC_ASSERT(near(r.all.own.in(joule), t.free_energy_j, t.energy_j));
  RC_ASSERT(near(r.all.grid.in(joule), t.grid_energy_j, t.energy_j));
  RC_ASSERT(near(r.all.carbon.in(gram), t.carbon_g, t.energy_j / 3600));
  RC_ASSERT(r.all.jobs + t.dropped == r.file.problem.jobs.size());
  for (const PlanRival& rival : r.rivals) {
    RC_ASSERT(rival.computed());
    RC_ASSERT(rival.totals.objective_eur >= t.bound_eur - 1e-9 * magnitude);
  }
}

/// Own power is used or curtailed, nothing else; series, modes and sites sum to their wholes.
RC_GTEST_PROP(PlanReportProperty, AddsUp, ()) {
  sample::PlanOptions options;
  options.seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  options.price_shift = *rc::gen::element(0.0, -0.2);
  const PlanReport r = report_plan(sample::plan_file(sample::plan_problem(options)), {}, 0);
  const double h = r.file.problem.slot_h();
  std::size_t moved = 0, arrivals = 0;
  Energy it;
  for (std::size_t s = 0; s < r.sites.size(); ++s) {
    const PlanSiteReport& site = r.sites[s];
    RC_ASSERT(near((site.own + site.exported + site.curtailed).base(), site.available.base(),
                   site.available.base()));
    RC_ASSERT(near(total(site.series.own_kw, h), site.own.in(kilowatt_hour),
                   site.facility().in(kilowatt_hour)));
    RC_ASSERT(near(total(site.series.curtailed_kw, h), site.curtailed.in(kilowatt_hour),
                   site.available.in(kilowatt_hour)));
    for (std::size_t t = 0; t < site.series.it_kw.size(); ++t) {
      double modes = 0;
      for (const std::vector<double>& mode : site.series.mode_kw) modes += mode[t];
      RC_ASSERT(near(modes, site.series.it_kw[t], modes));
      RC_ASSERT(near(site.series.own_kw[t] + site.series.grid_kw[t],
                     modes * r.file.problem.sites[s].pue[t], modes));
    }
    RC_ASSERT(site.it <= site.capacity);
    arrivals += site.arrivals;
    it += site.it;
  }
  for (std::size_t i = 0; i < r.moves.size(); ++i) {
    moved += r.moves[i].jobs;
    RC_ASSERT(r.moves[i].from != r.moves[i].to);
    // Apart: RC_ASSERT looks at both sides of an `||`.
    if (i > 0) RC_ASSERT(r.moves[i].it <= r.moves[i - 1].it);
  }
  RC_ASSERT(moved == arrivals);
  RC_ASSERT(near(it.base(), r.all.it.base(), it.base()));
}

/// Jobs with terms: schedules over several sites, carried data, restarts, lateness.
RC_GTEST_PROP(PlanReportProperty, AgreesWithTheCertificateOnJobsWithTerms, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  plan::PlanFile file;
  file.problem = plan::testing::problem_with_terms(seed, 4, 3, 8);
  const std::size_t cells = file.problem.sites.size() * 8;
  for (plan::PlanSite& site : file.problem.sites) {  // room for everyone
    site.capacity_kw.assign(8, 1e4);
    site.grid_limit_kw.assign(8, kInfinity);
  }
  const RandomStream random(seed, "plan-report-test");
  for (std::size_t i = 0; i < cells; ++i) file.plan.price.push_back(0.3 * random.uniform(i));
  for (std::uint32_t j = 0; j < file.problem.jobs.size(); ++j) {
    const plan::JobRun run = plan::cheapest(file.problem, j, {file.plan.price});
    file.plan.jobs.push_back(run.assignment);
    file.plan.schedules[j] = run.schedule;
  }
  file.claimed = plan::certify(file.problem, file.plan).totals;
  const PlanReport r = report_plan(file, {});
  RC_ASSERT(r.certificate.holds());
  const plan::PlanTotals& t = r.certificate.totals;
  RC_ASSERT(near((r.all.money() + r.dropped_money).in(euro), t.objective_eur, 100));
  RC_ASSERT(near(r.all.facility().in(joule), t.energy_j, t.energy_j));
  RC_ASSERT(near(r.all.own.in(joule), t.free_energy_j, t.energy_j));
  RC_ASSERT(near(r.all.carbon.in(gram), t.carbon_g, t.energy_j / 3600));
  const Energy work = std::accumulate(r.work.begin(), r.work.end(), Energy{});
  RC_ASSERT(near(work.base(), r.all.it.base(), work.base()));
  RC_ASSERT(r.best_rival() == nullptr);
}

/// One hall of 10 kW for two hours of a hundred-hour year: small enough to do by hand.
plan::Problem by_hand() {
  plan::Problem problem;
  problem.slots = 2;
  problem.carbon_price_eur_per_t = 100;
  plan::PlanSite site;
  site.name = "hall";
  site.capacity_kw = {10, 8};
  site.pue = {1.5, 1.25};
  site.free_kw = {6, 4};
  site.price_eur_per_kwh = {0.2, 0.1};
  site.carbon_g_per_kwh = {500, 300};
  site.grid_limit_kw.assign(2, kInfinity);
  problem.sites.push_back(site);
  problem.jobs.add("a", 0, 2, 50, {{2, 8, 0.5}}, plan::kNone, 0.25, {});
  return problem;
}

/// Where sites have terms, flows are the plan's; what they cost stands apart, and all adds up.
TEST(PlanReport, TakesTheFlowsOfSitesWithTerms) {
  plan::PlanFile file = sample::plan_file(by_hand());
  file.problem.site_terms.resize(1);
  file.problem.site_terms[0].export_kw = {3, 3};
  file.plan.flows.resize(1);
  file.plan.flows[0].own_kw = {3, 4};
  file.plan.flows[0].grid_kw = {9, 6};
  file.plan.flows[0].export_kw = {2, 0};
  const PlanSiteReport site = flows_of(file.problem, file.plan, true).sites[0];
  EXPECT_DOUBLE_EQ(site.own.in(kilowatt_hour), 7);
  EXPECT_DOUBLE_EQ(site.exported.in(kilowatt_hour), 2);
  EXPECT_DOUBLE_EQ(site.curtailed.in(kilowatt_hour), 1);
  EXPECT_DOUBLE_EQ(site.grid.in(kilowatt_hour), 15);
  file.plan.flows[0].own_kw.clear();  // not to be followed where the check says no
  EXPECT_DOUBLE_EQ(flows_of(file.problem, file.plan, false).sites[0].own.in(kilowatt_hour), 10);
  file.plan.flows.clear();
  const PlanReport r = report_plan(file, {});
  EXPECT_NEAR((r.all.money() + r.dropped_money).in(euro), r.certificate.totals.objective_eur, 1e-9);
  EXPECT_EQ(r.best_rival(), nullptr);
}

TEST(PlanReport, IsWhatAHandComputes) {
  const PlanReport r = report_plan(sample::plan_file(by_hand()), {});
  const PlanSiteReport& site = r.sites[0];
  // 12 kW and 10 kW at the meter, 6 and 4 of them own.
  EXPECT_DOUBLE_EQ(site.it.in(kilowatt_hour), 16);
  EXPECT_DOUBLE_EQ(site.own.in(kilowatt_hour), 10);
  EXPECT_DOUBLE_EQ(site.grid.in(kilowatt_hour), 12);
  EXPECT_DOUBLE_EQ(site.curtailed.in(kilowatt_hour), 0);
  EXPECT_NEAR(site.grid_money.in(euro), 6 * 0.2 + 6 * 0.1, 1e-12);
  EXPECT_NEAR(site.carbon.in(gram), 6 * 500 + 6 * 300, 1e-9);
  EXPECT_NEAR(site.carbon_money.in(euro), 0.48, 1e-12);
  EXPECT_DOUBLE_EQ(site.quality_money.in(euro), 0.5);
  EXPECT_DOUBLE_EQ(site.move_money.in(euro), 0.25);
  EXPECT_EQ(site.arrivals, 0U) << "it comes from nowhere in particular";
  ASSERT_TRUE(site.levelised.has_value());
  const LevelisedWork& l = *site.levelised;
  EXPECT_NEAR(l.energy.value().in(euro_per_kilowatt_hour), 1.8 / 16, 1e-12);
  EXPECT_NEAR(l.carbon.value().in(euro_per_kilowatt_hour), 0.48 / 16, 1e-12);
  EXPECT_NEAR(l.handling.value().in(euro_per_kilowatt_hour), 0.75 / 16, 1e-12);
  EXPECT_EQ(l.servers.value(), EnergyPrice{});
  EXPECT_NEAR(l.total.value().in(euro_per_kilowatt_hour), 3.03 / 16, 1e-12);
  EXPECT_NEAR(l.operational.value().in(gram_per_kilowatt_hour), 300, 1e-9);
  EXPECT_EQ(l.total.low(), l.total.high()) << "nothing was assumed";
  EXPECT_EQ(l.total.origin(), Origin::Modelled);
  EXPECT_NEAR(l.eur_per_job.value(), 3.03, 1e-12);
  EXPECT_NEAR(l.g_per_job.value(), 4800, 1e-9);
}

TEST(PlanReport, CapitalIsPaidBackOverTheLifetime) {
  WorkAssumptions a;
  a.server_eur_per_kw = {10'000, 8'000, 15'000};
  a.server_kg_per_kw = {1'000, 500, 2'000};
  a.own_eur_per_kwh = {0.04, 0.04, 0.04};
  a.work_per_kwh = {2, 1, 4};
  a.lifetime_years = 4;
  a.rate = 0.07;
  const LevelisedWork l = *report_plan(sample::plan_file(by_hand()), a).sites[0].levelised;
  // Yearly payments of this size, discounted at the end of each year, are worth the price.
  const double hours_a_year = 8766, horizon = 2, kilowatts = 10;
  const double yearly =
      l.servers.value().in(euro_per_kilowatt_hour)*16 / kilowatts * hours_a_year / horizon;
  double worth = 0;
  for (int year = 1; year <= 4; ++year) worth += yearly / std::pow(1.07, year);
  EXPECT_NEAR(worth, 10'000, 1e-6);
  EXPECT_NEAR(l.servers.low() / l.servers.value(), 0.8, 1e-9);
  EXPECT_NEAR(l.servers.high() / l.servers.value(), 1.5, 1e-9);
  EXPECT_EQ(l.total.origin(), Origin::Assumed);
  EXPECT_EQ(l.total.boundary(), Boundary::Facility);
  EXPECT_LT(l.total.low(), l.total.value());
  EXPECT_NEAR(l.embodied.value().in(gram_per_kilowatt_hour),
              1e6 * kilowatts * horizon / hours_a_year / 4 / 16, 1e-6);
  EXPECT_NEAR(l.energy.value().in(euro_per_kilowatt_hour), (1.8 + 10 * 0.04) / 16, 1e-12);
  EXPECT_NEAR(l.eur_per_work->value(), l.total.value().in(euro_per_kilowatt_hour) / 2, 1e-12);
  a.rate = 0;
  const LevelisedWork free = *report_plan(sample::plan_file(by_hand()), a).sites[0].levelised;
  EXPECT_NEAR(free.servers.value().in(euro_per_kilowatt_hour),
              10'000 / 4.0 * kilowatts * horizon / hours_a_year / 16, 1e-9);
}

TEST(PlanReport, RefusesAssumptionsOutOfRange) {
  const auto words = [](const WorkAssumptions& a) {
    try {
      report_plan(sample::plan_file(by_hand()), a);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  WorkAssumptions a;
  a.server_eur_per_kw = {5, 6, 7};
  EXPECT_THAT(words(a), HasSubstr("server cost: value, low and high"));
  a = {};
  a.work_per_kwh = {1, 0, 2};
  EXPECT_THAT(words(a), HasSubstr("work per kWh"));
  a = {};
  a.own_eur_per_kwh = {1, std::nan(""), 2};
  EXPECT_THAT(words(a), HasSubstr("own power cost"));
  a = {};
  a.lifetime_years = 0;
  EXPECT_THAT(words(a), HasSubstr("lifetime"));
  a = {};
  a.rate = 1.5;
  EXPECT_THAT(words(a), HasSubstr("rate"));
}

TEST(PlanReport, FindsTheOriginInTheCosts) {
  plan::PlanJobs jobs;
  const std::vector<plan::PlanMode> mode{{1, 1, 0}};
  jobs.add("named", 0, 1, 1, mode, 2, 0.5, {});
  jobs.add("only free one", 0, 1, 1, mode, plan::kNone, 0, {}, {1, 0, 2});
  jobs.add("two are free", 0, 1, 1, mode, plan::kNone, 0, {}, {0, 0, 2});
  jobs.add("none", 0, 1, 1, mode, plan::kNone, 0, {});
  EXPECT_EQ(origin_of(jobs, 0, 3), 2U);
  EXPECT_EQ(origin_of(jobs, 1, 3), 1U);
  EXPECT_EQ(origin_of(jobs, 2, 3), plan::kNone);
  EXPECT_EQ(origin_of(jobs, 3, 3), plan::kNone);
}

TEST(PlanReport, LeavesOutRulesThatTakeTooLong) {
  const PlanReport r = report_plan(sample::plan_file(sample::plan_problem()), {}, 2000);
  std::size_t computed = 0;
  for (const PlanRival& rival : r.rivals) computed += rival.computed();
  EXPECT_GT(computed, 0U);
  EXPECT_LT(computed, r.rivals.size());
  EXPECT_THAT(plan_terminal(r, 80, false),
              HasSubstr("The rule price-greedy was left out: the problem is too"));
  const PlanReport none = report_plan(sample::plan_file(sample::plan_problem()), {}, 0);
  EXPECT_EQ(none.best_rival(), nullptr);
}

/// A plan that the problem does not allow is shown for what it is, not followed into the wild.
TEST(PlanReport, SaysThatAPlanDoesNotHold) {
  plan::PlanFile file = sample::plan_file(sample::plan_problem());
  file.plan.jobs[0].site = 77;
  file.plan.jobs[1].mode = 9;
  file.plan.jobs[2].slots.front() = -4;
  file.plan.jobs[3].slots.back() = 1'000'000;
  const PlanReport r = report_plan(file, {});
  EXPECT_FALSE(r.certificate.holds());
  EXPECT_THAT(plan_terminal(r, 400, false), HasSubstr("The check says no: "));
  EXPECT_THAT(plan_html(r), HasSubstr("class=\"warning\">The check says no: "));
  EXPECT_THAT(plan_html(r), Not(HasSubstr("every figure it claims is right")));
}

TEST(PlanReport, APlanKnownToBeBestLeavesNothingToGain) {
  plan::PlanFile file = sample::plan_file(sample::plan_problem({}));
  file.plan.price.assign(file.plan.price.size(), 0.0);  // prices that prove next to nothing
  file.claimed = plan::certify(file.problem, file.plan).totals;
  const PlanReport loose = report_plan(file, {});
  const double over = loose.certificate.totals.objective_eur - loose.certificate.totals.bound_eur;
  ASSERT_GT(over, 1.0);
  EXPECT_NEAR(left_eur(loose), over, 1e-9);
  file.plan.status = "optimal";
  file.plan.solver_bound_eur = file.claimed.objective_eur;
  const PlanReport best = report_plan(file, {});
  EXPECT_EQ(left_eur(best), 0.0);
  std::string words;
  for (const std::string& sentence : plan_answer(best)) words += sentence;
  EXPECT_THAT(words, HasSubstr("Nothing is left to gain"));
  EXPECT_THAT(words, HasSubstr("by the word of branch and cut"));
  file.plan.jobs[0].slots.clear();  // a plan that was changed since
  EXPECT_NE(left_eur(report_plan(file, {})), 0.0);
}

TEST(PlanReport, DocumentSaysWhatTheCertificateSays) {
  WorkAssumptions a;
  a.server_eur_per_kw = {10'000, 8'000, 15'000};
  const PlanReport r = report_of({}, a);
  const nlohmann::json json = nlohmann::json::parse(
      plan_report_json(r, "carnot report plan.json --json", "2026-01-02T03:04:05Z"));
  EXPECT_EQ(json["schema"], "carnot.plan-report/1");
  EXPECT_EQ(json["objective_eur"], r.certificate.totals.objective_eur);
  EXPECT_EQ(json["bound_eur"], r.certificate.totals.bound_eur);
  EXPECT_EQ(json["holds"], true);
  double own = 0;
  for (const nlohmann::json& site : json["sites"]) own += site["own_j"].get<double>();
  EXPECT_NEAR(own, json["free_energy_j"].get<double>(), 1e-6 * own);
  const nlohmann::json& figure = json["all"]["levelised"]["eur_per_kwh"];
  EXPECT_EQ(figure["origin"], "assumed");
  EXPECT_EQ(figure["boundary"], "facility");
  EXPECT_LT(figure["low"], figure["value"]);
  EXPECT_NEAR(figure["value"].get<double>(),
              r.all.levelised->total.value().in(euro_per_kilowatt_hour), 1e-12);
  EXPECT_EQ(json["rules"].size(), 4U);
  EXPECT_EQ(json["best_rule"], r.best_rival()->name);
  EXPECT_TRUE(json["assumptions"]["own_eur_per_kwh"].is_null());
}

TEST(PlanReport, TerminalLooksAsAgreed) {
  WorkAssumptions a;
  a.server_eur_per_kw = {10'000, 8'000, 15'000};
  a.server_kg_per_kw = {1'000, 500, 2'000};
  expect_golden("plan_100.txt", plan_terminal(report_of({}, a), 100, false));
}

TEST(PlanReport, TerminalFitsAndIsHarmless) {
  plan::Problem problem = sample::plan_problem();
  problem.sites[0].name = "evil\x1b[31m\nname";
  const PlanReport r = report_plan(sample::plan_file(std::move(problem)), {});
  for (const int width : {40, 60, 80, 200}) {
    const std::string text = plan_terminal(r, width, false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), width + 8U) << line;
  }
  EXPECT_NE(plan_terminal(r, 80, true).find("\x1b[1m"), std::string::npos);
}

TEST(PlanReport, KnowsAPlanByItsBeginning) {
  EXPECT_TRUE(is_plan("{\"schema\":\"carnot.plan/1\",\"carnot\""));
  EXPECT_TRUE(is_plan("{\n  \"schema\": \"carnot.plan/1\",\n"));
  EXPECT_FALSE(is_plan("{\"schema\":\"carnot.problem/1\"}"));
  EXPECT_FALSE(is_plan("\"carnot.plan/1\" is what plans are called"));
  EXPECT_FALSE(is_plan(""));
}

}  // namespace
}  // namespace carnot::report
