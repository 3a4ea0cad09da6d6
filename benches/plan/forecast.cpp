// SPDX-License-Identifier: Apache-2.0
// Weeks of computing on wind (src/plan/study/testing_wind_week.hpp), planned on forecasts and run
// on the five minutes that came: cost, own energy, missed deadlines, and regret to the plan of
// perfect foresight and to its proven bound. One JSON object a line, for each start and in sum.
// Arguments: DATA OWN_SHARE LOAD JOBS STARTS; default `shared/data`, 1.0 0.6 400 11.
#include <map>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/plan/study/dispatch_rules.hpp"

#include "plan/study/testing_wind_week.hpp"

namespace {

using namespace carnot;
using namespace carnot::plan;
using namespace carnot::plan::testing;

constexpr int kFirstDay = 63, kDaysBetween = 28;
constexpr std::int32_t kErrorWeeks = 8;  // of the past, as scenarios

struct Sum {
  double cost_eur = 0, own_kwh = 0, grid_kwh = 0;
  std::size_t missed = 0;
};

void print(const std::string& start, const std::string& policy, const Sum& x, double reference_eur,
           double bound_eur) {
  fmt::print(
      "{{\"bench\":\"plan_forecast\",\"start\":\"{}\",\"policy\":\"{}\",\"cost_eur\":{:.2f},"
      "\"own_kwh\":{:.0f},\"grid_kwh\":{:.0f},\"missed\":{},\"regret\":{:.4f},"
      "\"regret_to_bound\":{:.4f}}}\n",
      start, policy, x.cost_eur, x.own_kwh, x.grid_kwh, x.missed, x.cost_eur / reference_eur - 1,
      x.cost_eur / bound_eur - 1);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int n, double otherwise) {
    return argc > n ? carnot::parse_number(argv[n]) : otherwise;
  };
  const std::string data = argc > 1 ? argv[1] : CARNOT_SOURCE_DIR "/../shared/data";
  const plan::testing::WindYear year =
      carnot::plan::testing::read_wind_year(data + "/rts-gmlc", data + "/sites-2023-hourly");
  plan::testing::WeekOptions options;
  options.own_share = argument(2, 1.0);
  options.load = argument(3, 0.6);
  options.jobs = static_cast<std::int64_t>(argument(4, 400));
  const int starts = static_cast<int>(argument(5, 11));
  plan::PlannerOptions hourly;  // 168 times a week
  hourly.rounds = 2'000;
  hourly.tighten = false;
  plan::PlannerOptions once;
  once.rounds = 20'000;
  const plan::ScenarioOptions mean{.planner = once, .perfect_foresight = false};
  std::map<std::string, Sum> sums;
  double reference_eur = 0, bound_eur = 0;
  for (int n = 0; n < starts; ++n) {
    options.seed = static_cast<std::uint64_t>(n + 1);
    const plan::testing::WindWeek week(year, kFirstDay + kDaysBetween * n, options);
    const plan::Problem& problem = week.problem();
    const plan::ScenarioPlan best = carnot::plan::plan_scenarios(problem, week.real_parts(), mean);
    const double reference = carnot::plan::testing::carried_out(week, best.plan).cost_eur;
    reference_eur += reference;
    bound_eur += best.plan.bound_eur;
    const auto report = [&](const std::string& policy, const plan::testing::WeekOutcome& x) {
      print(week.start().iso8601(), policy, {x.cost_eur, x.own_kwh, x.grid_kwh, x.missed},
            reference, best.plan.bound_eur);
      Sum& sum = sums[policy];
      sum.cost_eur += x.cost_eur;
      sum.own_kwh += x.own_kwh;
      sum.grid_kwh += x.grid_kwh;
      sum.missed += x.missed;
    };
    report("perfect-foresight", carnot::plan::testing::carried_out(week, best.plan));
    report("replan-mended", carnot::plan::testing::replanned(
                                week, carnot::plan::testing::mended_forecast(week), 1, hourly));
    report("replan-persistence",
           carnot::plan::testing::replanned(week, carnot::plan::testing::persistence_forecast(week),
                                            1, hourly));
    report("once-day-ahead",
           carnot::plan::testing::replanned(week, carnot::plan::testing::day_ahead_forecast(week),
                                            plan::testing::kWeekHours, once));
    report(
        "once-scenarios",
        carnot::plan::testing::carried_out(
            week, carnot::plan::plan_scenarios(problem, week.past_errors(kErrorWeeks), mean).plan));
    report("price-greedy",
           carnot::plan::testing::carried_out(
               week, carnot::plan::rule_plan(problem, plan::DispatchRule::PriceGreedy)));
    report("at-once", carnot::plan::testing::carried_out(
                          week, carnot::plan::rule_plan(problem, plan::DispatchRule::AtOnce)));
  }
  for (const auto& [policy, sum] : sums) print("all", policy, sum, reference_eur, bound_eur);
}
