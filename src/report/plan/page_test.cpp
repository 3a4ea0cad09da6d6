// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/report/plan/report.hpp"

#include "report/draw/svg.hpp"
#include "report/draw/testing_markup.hpp"
#include "report/plan/figures.hpp"
#include "report/plan/testing_plan.hpp"
#include "report/run/words.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;

PlanReport report_of(const sample::PlanOptions& options = {},
                     const WorkAssumptions& assumptions = {}) {
  return report_plan(sample::plan_file(sample::plan_problem(options)), assumptions);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(PlanPage, ShowsTheFiguresOfTheCertificate) {
  const PlanReport r = report_of();
  const std::string page = plan_html(r);
  expect_sound(page);
  const plan::PlanTotals& t = r.certificate.totals;
  for (const std::string& figure :
       {money_text(t.objective_eur), money_text(t.bound_eur), energy_text(t.energy_j),
        carbon_text(t.carbon_g), energy_text(r.all.curtailed.in(joule)),
        money_text(r.best_rival()->totals.objective_eur)})
    EXPECT_THAT(page, HasSubstr(figure));
  for (const PlanSiteReport& site : r.sites) {
    EXPECT_THAT(page, HasSubstr("<th scope=\"row\">" + site.name + "</th>"));
    EXPECT_THAT(page, HasSubstr("<td class=\"n\">" + energy_text(site.own.in(joule)) + "</td>"));
  }
  for (const char* heading : {"Where the work goes", "Against simple rules, and against the bound",
                              "Site by site", "What a kilowatt-hour of information work costs",
                              "Sites over time", "When jobs run", "What the figures stand on"})
    EXPECT_THAT(page, HasSubstr(heading));
  EXPECT_THAT(page, HasSubstr("No plan of this problem costs less than"));
}

TEST(PlanPage, SurvivesTheExtremes) {
  sample::PlanOptions nothing;
  nothing.jobs = 0;
  EXPECT_THAT(plan_html(report_of(nothing)), HasSubstr("There are no jobs to plan."));
  expect_sound(plan_html(report_of(nothing)));
  sample::PlanOptions one;
  one.jobs = one.sites = one.slots = 1;
  expect_sound(plan_html(report_of(one)));
  sample::PlanOptions paid;  // every hour pays for taking power
  paid.price_shift = -1;
  const PlanReport r = report_of(paid);
  EXPECT_LT(r.certificate.totals.objective_eur, 0);
  expect_sound(plan_html(r));
  sample::PlanOptions crowded;
  crowded.sites = 45;
  crowded.jobs = 120;
  crowded.places = false;
  const std::string page = plan_html(report_of(crowded));
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("The problem does not say where sites are"));
  plan::Problem islands = sample::plan_problem();  // own power alone: not all jobs fit
  for (plan::PlanSite& site : islands.sites) {
    site.grid_limit_kw.assign(site.grid_limit_kw.size(), 0.0);
    for (double& kw : site.free_kw) kw *= 0.2;
  }
  const PlanReport full = report_plan(sample::plan_file(std::move(islands)), {});
  EXPECT_GT(full.certificate.totals.dropped, 0U);
  expect_sound(plan_html(full));
  EXPECT_THAT(plan_html(full), HasSubstr(" not done, at a price of "));
}

TEST(PlanPage, EscapesHostileNames) {
  plan::Problem problem = sample::plan_problem();
  problem.sites[0].name = "<script>alert('1')</script>&\"";
  problem.sites[1].name = "";
  WorkAssumptions a;
  a.work_per_kwh = {1, 1, 1};
  a.work_unit = "<b>";
  PlanReport r = report_plan(sample::plan_file(std::move(problem)), a);
  r.command = "carnot plan '<evil>' & \"more\"";
  const std::string page = plan_html(r);
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert"));
}

TEST(PlanPage, StaysSmallForManyJobs) {
  sample::PlanOptions many;
  many.jobs = 10'000;
  many.sites = 30;
  many.slots = 168;
  const std::string page = plan_html(report_of(many));
  expect_sound(page);
  EXPECT_LT(page.size(), 600'000U);
  sample::PlanOptions year;
  year.slots = 8760;
  year.jobs = 20;
  EXPECT_LT(plan_html(report_of(year)).size(), 400'000U);
}

/// Area between steps of a path's upper edge and its base.
double area_of(const std::string& commands) {
  const std::regex step("([MHV])([-0-9.]+)( ([-0-9.]+))?");
  double x = 0, y = 0, area = 0, base = 0;
  for (std::sregex_iterator at(commands.begin(), commands.end(), step), end; at != end; ++at) {
    const double value = std::stod((*at)[2]);
    if ((*at)[1] == "M") {
      x = value;
      y = base = std::stod((*at)[4]);
    } else if ((*at)[1] == "H") {
      area += (value - x) * (base - y);
      x = value;
    } else {
      y = value;
    }
  }
  return area;
}

/// Layers lie on each other: areas of their upper edges differ by the energies.
TEST(PlanStrips, AreasAreEnergies) {
  for (const std::int64_t slots : {48, 400}) {
    sample::PlanOptions options;
    options.slots = slots;
    const PlanReport r = report_of(options);
    for (std::size_t s = 0; s < r.sites.size(); ++s) {
      const std::string figure = plan_strips(r, s);
      std::map<std::string, double> area;
      const std::regex path("<path class=\"(own|grid|curtailed)\" d=\"([^\"]*)\"");
      for (std::sregex_iterator at(figure.begin(), figure.end(), path), end; at != end; ++at)
        area[(*at)[1]] = area_of((*at)[2]);
      const double own = r.sites[s].own.base(), grid = r.sites[s].grid.base();
      const double all = own + grid + r.sites[s].curtailed.base();
      ASSERT_GT(area["curtailed"], 0);
      EXPECT_NEAR(area["own"] / area["curtailed"], own / all, 0.01);
      EXPECT_NEAR(area["grid"] / area["curtailed"], (own + grid) / all, 0.01);
    }
  }
}

/// Every job has its window, and its filled length is the slots it runs.
TEST(PlanRows, AreAsLongAsJobsRun) {
  const PlanReport r = report_of();
  const std::string figure = plan_rows(r);
  EXPECT_EQ(plan_rows_shown(r), 40U);
  const std::size_t windows = count(figure, "<rect class=\"pause\"") - 1;  // one in the key
  EXPECT_EQ(windows, r.file.plan.jobs.size());
  std::size_t slots = 0, moved = 0;
  for (std::size_t j = 0; j < r.file.plan.jobs.size(); ++j)
    slots += r.file.plan.jobs[j].slots.size();
  for (const PlanSiteReport& site : r.sites) moved += site.arrivals;
  double filled = 0;
  const std::regex path("<path class=\"m\\d\" d=\"([^\"]*)\""),
      run("M([-0-9.]+) [-0-9.]+H([-0-9.]+)v");
  for (std::sregex_iterator at(figure.begin(), figure.end(), path), end; at != end; ++at) {
    const std::string commands = (*at)[1];
    for (std::sregex_iterator piece(commands.begin(), commands.end(), run); piece != end; ++piece)
      filled += std::stod((*piece)[2]) - std::stod((*piece)[1]);
  }
  const double per_slot = (944.0 - 150.0) / 48;
  EXPECT_NEAR(filled / per_slot, static_cast<double>(slots), 0.005 * static_cast<double>(slots));
  EXPECT_EQ(count(figure, "<rect class=\"moved\"") - 1, moved);
  sample::PlanOptions many;
  many.jobs = 201;
  EXPECT_EQ(plan_rows_shown(report_of(many)), 40U);
}

TEST(PlanMap, HasASliceForEachPowerAndAnArrowForEachMove) {
  const PlanReport r = report_of();
  const std::string figure = plan_map(r);
  ASSERT_GT(r.moves.size(), 0U);
  EXPECT_EQ(count(figure, "<path class=\"flow\""), r.moves.size());
  std::size_t own = 0;
  for (const PlanSiteReport& site : r.sites)
    own += site.own / (site.facility() + site.curtailed) > 1e-3;
  EXPECT_EQ(count(figure, "<path class=\"own\""), own);
  EXPECT_EQ(count(figure, "<path class=\"land\""), 1U);
  sample::PlanOptions nowhere;
  nowhere.places = false;
  EXPECT_EQ(count(plan_map(report_of(nowhere)), "<path class=\"land\""), 0U);
}

}  // namespace
}  // namespace carnot::report
