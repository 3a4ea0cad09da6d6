// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/report/plan/report.hpp"

#include "report/draw/html.hpp"
#include "report/plan/figures.hpp"
#include "report/plan/words.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kTabs = 12;   // sites with a figure over time
constexpr std::size_t kRows = 200;  // sites in the table

std::string bullets(const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string out = "<ul class=\"plain\">\n";
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", escape(line));
  return out + "</ul>\n";
}

/// Sites by what goes through them, the greatest first.
std::vector<std::size_t> by_size(const PlanReport& report) {
  std::vector<std::size_t> order(report.sites.size());
  for (std::size_t s = 0; s < order.size(); ++s) order[s] = s;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return report.sites[b].facility() < report.sites[a].facility();
  });
  return order;
}

std::string cards_of(const PlanReport& r) {
  const plan::PlanTotals& t = r.certificate.totals;
  std::vector<html::Card> cards{
      {money_text(t.objective_eur), "cost of the plan",
       std::isfinite(t.bound_eur) ? fmt::format("bound {}", money_text(t.bound_eur)) : ""}};
  if (const PlanRival* best = r.best_rival())
    cards.push_back({money_text(best->totals.objective_eur - t.objective_eur),
                     "less than " + best->name,
                     std::isfinite(t.bound_eur)
                         ? fmt::format("of {} that any plan can",
                                       money_text(best->totals.objective_eur - t.bound_eur))
                         : ""});
  if (const double left = left_eur(r); std::isfinite(left)) {
    const bool proven = left >= t.objective_eur - t.bound_eur;
    cards.push_back({t.bound_eur >= 0 && t.objective_eur > 0 ? share_text(left, t.objective_eur)
                                                             : money_text(left),
                     "left to gain at most", proven ? "proven gap" : "by branch and cut"});
  }
  cards.push_back({energy_text(t.energy_j), "energy of the facilities",
                   share_text(t.free_energy_j, t.energy_j) + " own power"});
  cards.push_back({share_text(r.all.own.base(), r.all.available.base()), "of curtailed power used",
                   fmt::format("{} stays curtailed", energy_text(r.all.curtailed.in(joule)))});
  cards.push_back(
      {carbon_text(t.carbon_g), "CO2e of grid energy",
       r.all.levelised ? intensity_text(r.all.levelised->operational) + " of IT energy" : ""});
  return html::cards(cards);
}

std::string map_section(const PlanReport& r) {
  const std::string drawn = plan_map(r);
  if (drawn.empty()) return {};
  std::string caption =
      "Area of a disc: energy its facility uses and own power that stays curtailed. Width of an "
      "arrow: "
      "IT energy of jobs that come from its tail and run at its tip.";
  if (r.origins < r.file.problem.jobs.size())
    caption += fmt::format(" {} jobs come from nowhere in particular.",
                           r.file.problem.jobs.size() - r.origins);
  for (const PlanSiteReport& site : r.sites)
    if (!std::isfinite(site.latitude)) {
      caption += " The problem does not say where sites are: their places are arbitrary.";
      break;
    }
  return html::heading(2, "Where the work goes") + html::figure(drawn, caption, true);
}

std::string rule_section(const PlanReport& r) {
  const double bound = r.certificate.totals.bound_eur;
  std::vector<html::Row> rows;
  const auto add = [&](const std::string& name, const std::string& words, const plan::PlanTotals& t,
                       const char* style) {
    rows.push_back({{name, money_text(t.objective_eur), above_text(t.objective_eur, bound),
                     energy_text(t.energy_j), share_text(t.free_energy_j, t.energy_j),
                     energy_text(t.grid_energy_j), carbon_text(t.carbon_g),
                     fmt::format("{}", t.dropped), words},
                    style});
  };
  add("this plan", "all jobs together", r.certificate.totals, "best");
  for (const PlanRival& rival : r.rivals)
    if (rival.computed()) add(rival.name, rule_words(rival.name), rival.totals, "");
  if (std::isfinite(bound))
    rows.push_back(
        {{"bound", money_text(bound), "", "", "", "", "", "", "no plan costs less"}, "bound"});
  return html::heading(2, "Against simple rules, and against the bound") +
         html::table("Every row solves the same problem: the same jobs, sites, weather and prices.",
                     {{"", false},
                      {"cost"},
                      {"above bound"},
                      {"energy"},
                      {"own"},
                      {"grid"},
                      {"carbon"},
                      {"dropped"},
                      {"how", false}},
                     rows) +
         html::figure("<div class=\"small\">" + plan_bars(r) + "</div>",
                      "Modelled, facility boundary. The dotted line is the bound: proven for every "
                      "plan of this problem, found or not.");
}

std::string site_row_name(const PlanSiteReport& site) {
  return site.name.empty() ? std::string("(no name)") : site.name;
}

std::string site_section(const PlanReport& r) {
  std::vector<html::Row> power, work;
  const auto add = [&](const PlanSiteReport& s, const char* style) {
    power.push_back(
        {{site_row_name(s), energy_text(s.available.in(joule)), energy_text(s.own.in(joule)),
          energy_text(s.exported.in(joule)), energy_text(s.curtailed.in(joule)),
          energy_text(s.grid.in(joule)), energy_text(s.facility().in(joule)),
          share_text(s.own.base(), s.facility().base()), carbon_text(s.carbon.in(gram)),
          money_text((s.grid_money + s.carbon_money).in(euro))},
         style});
    const auto levelised = [&](auto&& of) { return s.levelised ? of(*s.levelised) : "n/a"; };
    std::vector<std::string> cells{
        site_row_name(s),
        fmt::format("{}", s.jobs),
        fmt::format("{}", s.arrivals),
        energy_text(s.it.in(joule)),
        share_text(s.it.base(), s.capacity.base()),
        levelised([](const LevelisedWork& l) { return price_text(l.total); }),
        levelised([](const LevelisedWork& l) { return intensity_text(l.carbon_total); }),
        levelised([](const LevelisedWork& l) { return per_work_text(l.eur_per_job, "EUR"); }),
        levelised([](const LevelisedWork& l) { return carbon_range_text(l.g_per_job); })};
    if (r.assumptions.work_per_kwh) {
      const std::string unit = r.assumptions.work_unit;
      cells.push_back(levelised(
          [&](const LevelisedWork& l) { return per_work_text(*l.eur_per_work, "EUR/" + unit); }));
      cells.push_back(levelised(
          [&](const LevelisedWork& l) { return per_work_text(*l.g_per_work, "g/" + unit); }));
    }
    work.push_back({cells, style});
  };
  const std::vector<std::size_t> order = by_size(r);
  for (std::size_t i = 0; i < std::min(order.size(), kRows); ++i) add(r.sites[order[i]], "");
  add(r.all, "best");
  std::string cut;
  if (order.size() > kRows) cut = fmt::format(" The greatest {} of {} sites.", kRows, order.size());
  std::vector<html::Column> columns{{"site", false},    {"jobs"},       {"from elsewhere"},
                                    {"IT energy"},      {"of hall"},    {"levelised cost"},
                                    {"levelised CO2e"}, {"cost a job"}, {"CO2e a job"}};
  if (r.assumptions.work_per_kwh) {
    columns.push_back({"work"});
    columns.push_back({"work"});
  }
  std::string out =
      html::heading(2, "Site by site") +
      html::table(
          "Power: own power there is, used, exported and curtailed (together all of it), and grid "
          "power." +
              cut,
          {{"site", false},
           {"own power"},
           {"used"},
           {"exported"},
           {"curtailed"},
           {"grid"},
           {"facility"},
           {"own share"},
           {"carbon"},
           {"grid cost"}},
          power) +
      html::table("Information work: levelised, over the IT energy of the work done." + cut,
                  columns, work);
  return out;
}

std::string parts_section(const PlanReport& r) {
  if (!r.all.levelised) return {};
  const LevelisedWork& l = *r.all.levelised;
  const WorkAssumptions& a = r.assumptions;
  const auto row = [](const char* what, const std::string& figure, Origin origin,
                      const std::string& by, const char* style = "") {
    return html::Row{{what, figure, std::string(name(origin)), by}, style};
  };
  std::vector<html::Row> rows{
      row("energy", price_text(l.energy), l.energy.origin(),
          a.own_eur_per_kwh ? "grid at its price, own power at its assumed cost"
                            : "grid at its price; own power would be curtailed"),
      row("carbon price", price_text(l.carbon), l.carbon.origin(), "grid energy's carbon"),
      row("moves, quality, delay", price_text(l.handling), l.handling.origin(),
          "as the problem says")};
  if (a.server_eur_per_kw)
    rows.push_back(row("servers", price_text(l.servers), l.servers.origin(),
                       fmt::format("annuity over {} years at {}", figure_text(a.lifetime_years, 2),
                                   share_text(a.rate, 1))));
  rows.push_back(row("cost, together", price_text(l.total), l.total.origin(), "", "best"));
  rows.push_back(row("carbon of use", intensity_text(l.operational), l.operational.origin(),
                     "grid energy at the intensity of its hour"));
  if (a.server_kg_per_kw)
    rows.push_back(row("carbon of making servers", intensity_text(l.embodied), l.embodied.origin(),
                       "spread over their life"));
  rows.push_back(
      row("carbon, together", intensity_text(l.carbon_total), l.carbon_total.origin(), "", "best"));
  return html::heading(2, "What a kilowatt-hour of information work costs") +
         html::paragraph(
             "As a power plant has a levelised cost of energy, information work has one: all that "
             "the sites pay for over the plan's horizon, divided by the IT energy of the work "
             "done.") +
         html::table("All sites together; facility boundary; ranges are 90 % of what was assumed.",
                     {{"part", false}, {"figure"}, {"origin", false}, {"by", false}}, rows);
}

std::string time_section(const PlanReport& r) {
  std::vector<html::Tab> tabs;
  const std::vector<std::size_t> order = by_size(r);
  for (std::size_t i = 0; i < std::min(order.size(), kTabs); ++i) {
    const std::size_t s = order[i];
    tabs.push_back({site_row_name(r.sites[s]),
                    html::heading(3, site_row_name(r.sites[s])) +
                        html::figure(plan_strips(r, s),
                                     "The shadow price is what a further kWh of IT energy is worth "
                                     "there: nothing where own power is left, the grid's price "
                                     "where that is next, more where the hall is full.",
                                     true),
                    i < 3});
  }
  if (tabs.empty()) return {};
  std::string words;
  if (order.size() > kTabs)
    words = html::paragraph(
        fmt::format("The {} sites that use most energy, of {}.", kTabs, order.size()), "note");
  return html::heading(2, "Sites over time") + words + html::tabs("site", "Site", tabs, 0);
}

std::string rows_section(const PlanReport& r) {
  const std::string drawn = plan_rows(r);
  if (drawn.empty()) return {};
  const std::size_t shown = plan_rows_shown(r), jobs = r.file.plan.jobs.size();
  return html::heading(2, "When jobs run") +
         html::figure(drawn,
                      shown < jobs
                          ? fmt::format("The {} jobs of most IT energy, of {}; the figures "
                                        "above hold all of them.",
                                        shown, jobs)
                          : "Every job, at the site where it runs.",
                      true);
}

}  // namespace

std::string plan_html(const PlanReport& r) {
  std::string body = "<header>\n" + html::heading(1, plan_size(r));
  body += html::paragraph(
      fmt::format("Planned {} by carnot {} in {}", day_text(r.started),
                  r.carnot_version.empty() ? "?" : r.carnot_version, time_text(r.seconds, 2)),
      "kicker");
  if (!r.certificate.holds()) body += html::paragraph(plan_check_words(r), "warning");
  std::vector<std::string> sentences = plan_answer(r);
  body += html::paragraph(sentences.front(), "answer");
  sentences.erase(sentences.begin());
  if (r.certificate.holds()) sentences.push_back(plan_check_words(r));
  body += bullets(sentences) + "</header>\n";
  if (r.file.problem.jobs.size() > 0) body += cards_of(r);
  body += map_section(r);
  if (r.file.problem.jobs.size() > 0) body += rule_section(r);
  body += site_section(r) + parts_section(r) + time_section(r) + rows_section(r);
  body += html::heading(2, "What the figures stand on");
  for (const std::string& sentence : plan_sources(r)) body += html::paragraph(sentence);
  if (!r.command.empty())
    body += html::heading(2, "Do it again") + "<pre>" + escape(r.command) + "</pre>\n";
  return html::page(plan_size(r) + " · carnot", body, plan_css());
}

std::string_view plan_css() {
  return "svg .flow{fill:var(--c3);opacity:.62}svg .land{fill:var(--line);opacity:.75}"
         "svg .sea{fill:var(--panel)}svg .disc{fill:var(--paper)}svg .anchor{fill:var(--axis)}"
         "svg .moved{fill:var(--c3)}svg .limit{fill:none;stroke:var(--soft);stroke-width:1.4;"
         "stroke-dasharray:6 4}\n";
}

}  // namespace carnot::report
