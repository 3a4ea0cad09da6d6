// SPDX-License-Identifier: Apache-2.0
#include "report/plan/words.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/svg.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

std::string count(std::size_t n, const char* one, const char* many) {
  return n == 1 ? fmt::format("1 {}", one) : fmt::format("{} {}", n, many);
}

std::string slot_text(double seconds) {
  if (seconds >= 3600) return fmt::format("{:g} h", seconds / 3600);
  return seconds >= 60 ? fmt::format("{:g} min", seconds / 60) : fmt::format("{:g} s", seconds);
}

std::string ranged(double value, double low, double high, const std::string& unit) {
  const std::string text = figure_text(value, 3);
  if (low == high) return text + " " + unit;
  return fmt::format("{} ({} … {}) {}", text, figure_text(low, 3), figure_text(high, 3), unit);
}

std::string outcome(const PlanReport& r) {
  const plan::PlanTotals& t = r.certificate.totals;
  const std::size_t jobs = r.file.problem.jobs.size();
  if (jobs == 0) return "There are no jobs to plan.";
  std::string out =
      fmt::format("{} done for {}",
                  r.all.jobs == jobs && jobs > 1
                      ? fmt::format("All {} jobs are", jobs)
                      : fmt::format("{} of {} {}", r.all.jobs, count(jobs, "job", "jobs"),
                                    r.all.jobs == 1 ? "is" : "are"),
                  money_text(t.objective_eur));
  if (r.all.facility() > Energy{})
    out += fmt::format(" with {}, {} of it own power that would otherwise be curtailed",
                       energy_text(t.energy_j), share_text(t.free_energy_j, t.energy_j));
  out += fmt::format(", and {} CO2e.", carbon_text(t.carbon_g));
  if (t.dropped > 0)
    out +=
        fmt::format(" {} not done, at a price of {} in the cost.",
                    count(t.dropped, "job is", "jobs are"), money_text(r.dropped_money.in(euro)));
  return out;
}

std::string proof(const PlanReport& r) {
  const plan::PlanTotals& t = r.certificate.totals;
  const double left = left_eur(r);
  if (std::isfinite(left) && t.objective_eur - t.bound_eur > left + 1e-9 * std::abs(left)) {
    const std::string word =
        left <= 1e-9 * std::max(1.0, std::abs(t.objective_eur))
            ? fmt::format("Nothing is left to gain: {} costs the least that there is",
                          money_text(t.objective_eur))
            : fmt::format("At most {} is left to gain: no plan costs less than {}",
                          money_text(left), money_text(t.objective_eur - left));
    return word + ", by the word of branch and cut, which searched all plans." +
           (std::isfinite(t.bound_eur)
                ? fmt::format(" The prices in the plan prove {}, whoever found them.",
                              money_text(t.bound_eur))
                : std::string());
  }
  if (!std::isfinite(t.bound_eur)) return "Nothing is proven: the plan comes without prices.";
  const double over = t.objective_eur - t.bound_eur;
  if (over <= 1e-9 * std::max(1.0, std::abs(t.objective_eur)))
    return fmt::format("No plan of this problem costs less than {}: this one is a best one.",
                       money_text(t.bound_eur));
  std::string out =
      fmt::format("No plan of this problem costs less than {}, so at most {} is left to gain",
                  money_text(t.bound_eur), money_text(over));
  if (t.bound_eur >= 0) out += fmt::format(", {} of the cost", percent(over / t.objective_eur));
  return out + ". The prices in the plan prove it, whoever found them.";
}

std::string against(const PlanReport& r, const PlanRival& rival, const std::string& lead) {
  const double ours = r.certificate.totals.objective_eur, theirs = rival.totals.objective_eur;
  const double bound = r.certificate.totals.bound_eur;
  std::string out = fmt::format("{}{} ({}), costs {}: ", lead, rival.name, rule_words(rival.name),
                                money_text(theirs));
  if (std::abs(ours - theirs) <= 1e-9 * std::max(std::abs(ours), std::abs(theirs)))
    return out + "as much as this plan.";
  if (ours > theirs) return out + fmt::format("{} less than this plan.", money_text(ours - theirs));
  out += fmt::format("this plan saves {}", money_text(theirs - ours));
  if (theirs > 0) out += fmt::format(" ({})", percent((theirs - ours) / theirs));
  if (std::isfinite(bound))
    out += fmt::format(", of {} that any plan can", money_text(theirs - bound));
  return out + ".";
}

}  // namespace

double left_eur(const PlanReport& r) {
  const plan::PlanTotals& t = r.certificate.totals;
  double least = t.bound_eur;
  const plan::Plan& plan = r.file.plan;
  // A solver's word counts for the plan it was given for, not for one that was changed since.
  if (!plan.status.empty() && r.certificate.holds()) least = std::max(least, plan.solver_bound_eur);
  return std::isfinite(least) ? std::max(0.0, t.objective_eur - least) : kNaN;
}

std::string day_text(const std::string& time) {
  if (time.size() < 16) return "once";
  return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "n/a";
  if (std::abs(share) < 5e-7) return "0 %";
  return figure_text(100 * share, std::abs(share) < 0.1 ? 2 : 3) + " %";
}

std::string share_text(double part, double whole) {
  if (!(whole > 0)) return "n/a";
  return percent(part / whole);
}

std::string above_text(double cost, double bound) {
  if (!(bound > 0)) return "-";
  const double above = cost / bound - 1;
  return (above >= 0 ? "+" : "") + percent(above);
}

std::string price_text(const Estimate<EnergyPrice>& p) {
  return ranged(p.value().in(euro_per_megawatt_hour), p.low().in(euro_per_megawatt_hour),
                p.high().in(euro_per_megawatt_hour), "EUR/MWh");
}

std::string intensity_text(const Estimate<CarbonIntensity>& i) {
  return ranged(i.value().in(gram_per_kilowatt_hour), i.low().in(gram_per_kilowatt_hour),
                i.high().in(gram_per_kilowatt_hour), "g/kWh");
}

std::string carbon_range_text(const Estimate<double>& grams) {
  const Unit unit = carbon_unit(grams.value());
  const double f = unit.factor;
  return ranged(grams.value() * f, grams.low() * f, grams.high() * f, unit.name);
}

std::string per_work_text(const Estimate<double>& figure, const std::string& unit) {
  return ranged(figure.value(), figure.low(), figure.high(), unit);
}

std::string plan_size(const PlanReport& r) {
  const plan::Problem& p = r.file.problem;
  return fmt::format("{} over {}, {} of {}", count(p.jobs.size(), "job", "jobs"),
                     count(p.sites.size(), "site", "sites"),
                     count(static_cast<std::size_t>(p.slots), "slot", "slots"),
                     slot_text(p.slot_s));
}

std::vector<std::string> plan_answer(const PlanReport& r) {
  std::vector<std::string> out{outcome(r)};
  if (r.file.problem.jobs.size() == 0) return out;
  out.push_back(proof(r));
  const PlanRival* best = r.best_rival();
  if (best != nullptr) out.push_back(against(r, *best, "The best simple rule, "));
  for (const PlanRival& rival : r.rivals)
    if (rival.computed() && &rival != best && rival.name == "at-once")
      out.push_back(against(r, rival, "Not waiting and not moving, "));
  if (r.all.available > Energy{})
    out.push_back(fmt::format(
        "Of {} of own power that would be curtailed, {} is used ({}){} and {} stays curtailed.",
        energy_text(r.all.available.in(joule)), energy_text(r.all.own.in(joule)),
        share_text(r.all.own.base(), r.all.available.base()),
        r.all.exported > Energy{}
            ? fmt::format(", {} exported", energy_text(r.all.exported.in(joule)))
            : std::string(),
        energy_text(r.all.curtailed.in(joule))));
  if (r.origins > 0)
    out.push_back(fmt::format("{} elsewhere than where they come from.",
                              r.all.arrivals == 1 ? std::string("1 job runs")
                                                  : fmt::format("{} jobs run", r.all.arrivals)));
  if (r.all.levelised)
    out.push_back(fmt::format("Levelised, information work costs {} of IT energy and emits {}.",
                              price_text(r.all.levelised->total),
                              intensity_text(r.all.levelised->carbon_total)));
  return out;
}

std::string plan_check_words(const PlanReport& r) {
  const plan::Certificate& c = r.certificate;
  if (c.holds())
    return "Checked, by code that shares nothing with the search: the plan is feasible, its bound "
           "holds and every figure it claims is right. carnot plan --check does it again.";
  return fmt::format("The check says no: {}{}", c.violations.empty() ? "" : c.violations.front(),
                     c.violation_count > 1 ? fmt::format(", and {} more.", c.violation_count - 1)
                                           : std::string("."));
}

std::string rule_words(const std::string& rule) {
  if (rule == "at-once") return "every job at once, where it comes from";
  if (rule == "move-only") return "every job at once, at the cheapest site";
  if (rule == "wait-only") return "every job where it comes from, in its cheapest slots";
  return "one job after another at its cheapest site, slots and mode";
}

std::vector<std::string> plan_sources(const PlanReport& r) {
  const plan::Problem& p = r.file.problem;
  const WorkAssumptions& a = r.assumptions;
  std::vector<std::string> out{
      "Energies, carbon and costs are modelled, at the boundary of the facility, from the series "
      "of the problem: capacity, PUE, own power, price and carbon intensity of each slot, taken as "
      "certain: they come without intervals, so figures do. IT energy is inside the hall.",
      fmt::format("Cost is grid energy at its price and {} a tonne of CO2e, losses of quality, "
                  "restarts, lateness, "
                  "moves and the value of jobs not done. Own power costs {}.",
                  money_text(p.carbon_price_eur_per_t),
                  a.own_eur_per_kwh
                      ? fmt::format("nothing in the plan, and {} EUR/kWh (assumed) in the "
                                    "levelised figures",
                                    figure_text(a.own_eur_per_kwh->value, 3))
                      : std::string("nothing: it would be curtailed")),
      "Carbon is of grid energy alone, at the intensity of its hour."};
  if (!p.site_terms.empty())
    out.push_back(fmt::format(
        "Batteries, exports, demand charges and reserve come to {}; these are of all sites "
        "together and stand in no site's own costs.",
        money_text(r.all.site_money.in(euro))));
  if (a.server_eur_per_kw)
    out.push_back(fmt::format(
        "Servers are assumed to cost {} EUR/kW of IT capacity, over {} years at {} a year.",
        ranged(a.server_eur_per_kw->value, a.server_eur_per_kw->low, a.server_eur_per_kw->high, ""),
        figure_text(a.lifetime_years, 3), percent(a.rate)));
  if (a.server_kg_per_kw)
    out.push_back(fmt::format(
        "Making them is assumed to emit {} kg CO2e/kW.",
        ranged(a.server_kg_per_kw->value, a.server_kg_per_kw->low, a.server_kg_per_kw->high, "")));
  if (!a.server_eur_per_kw || !a.server_kg_per_kw)
    out.push_back(fmt::format("{} of servers {} not given, so levelised figures leave {} out.",
                              !a.server_eur_per_kw && !a.server_kg_per_kw ? "Cost and making"
                              : !a.server_eur_per_kw                      ? "Cost"
                                                                          : "Making",
                              !a.server_eur_per_kw && !a.server_kg_per_kw ? "are" : "is",
                              !a.server_eur_per_kw && !a.server_kg_per_kw ? "them" : "it"));
  for (const PlanRival& rival : r.rivals)
    if (!rival.computed())
      out.push_back(fmt::format("The rule {} was left out: {}.", rival.name, rival.left_out));
  return out;
}

}  // namespace carnot::report
