// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/report/run/result.hpp"

#include "report/draw/html.hpp"
#include "report/run/facts.hpp"
#include "report/run/figures.hpp"
#include "report/run/most_quality.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

std::string bullets(const std::vector<std::string>& lines, std::string_view style) {
  if (lines.empty()) return {};
  std::string out = fmt::format("<ul class=\"{}\">\n", style);
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", escape(line));
  return out + "</ul>\n";
}

std::string outcome_words(const LaneResult& lane) {
  if (lane.outcome == "target-reached") return lane.certified ? "certified" : "reached";
  if (lane.outcome == "deadline-missed") return "deadline missed";
  return lane.outcome;
}

std::string cards_of(const RunResult& result) {
  const LaneResult* best = result.best.empty() ? nullptr : result.lane(result.best);
  if (best == nullptr) return {};
  std::vector<html::Card> cards;
  const bool interval = std::isfinite(best->quality_low) && std::isfinite(best->quality_high);
  cards.push_back({quality_text(best->quality_metric, best->quality),
                   "held-out " + (best->quality_metric.empty() ? "quality" : best->quality_metric),
                   interval ? fmt::format("90 %: {} to {}",
                                          quality_text(best->quality_metric, best->quality_low),
                                          quality_text(best->quality_metric, best->quality_high))
                            : ""});
  cards.push_back({energy_text(best->energy.value().in(joule)), "energy of the facility",
                   fmt::format("90 %: {} to {}", energy_text(best->energy.low().in(joule)),
                               energy_text(best->energy.high().in(joule)))});
  const double share = own_share(*best);
  cards.push_back({energy_text(best->grid_energy.in(joule)), "of it from the grid",
                   std::isfinite(share) ? fmt::format("{:.0f} % own power", 100 * share) : ""});
  cards.push_back({money_text(best->cost.value().in(euro)), "cost by the objective",
                   std::isfinite(regret(*best, result.bound))
                       ? fmt::format("{:+.1f} % to the bound", 100 * regret(*best, result.bound))
                       : ""});
  cards.push_back({carbon_text(best->carbon.value().in(gram)), "CO2e of grid energy", ""});
  cards.push_back({time_text(best->duration.in(second)), "from start to end", ""});
  return html::cards(cards);
}

std::string policy_table(const RunResult& result) {
  const std::vector<html::Column> columns = {
      {"policy", false}, {"outcome", false}, {"quality"}, {"energy"}, {"own"},
      {"grid"},          {"carbon"},         {"cost"},    {"time"},   {"regret, %"}};
  std::vector<html::Row> rows;
  for (const LaneResult& lane : result.lanes) {
    std::string name = lane.policy;
    if (lane.policy == result.best) name += " (best)";
    if (lane.policy == result.best_fixed) name += " (best fixed)";
    const bool is_bound = lane.policy == result.bound.policy;
    if (is_bound) name += " (bound)";
    const double share = own_share(lane);
    const std::string quality = interval_text(lane);
    rows.push_back(
        {{name, outcome_words(lane), quality, energy_text(lane.energy.value().in(joule)),
          std::isfinite(share) ? fmt::format("{:.0f} %", 100 * share) : "n/a",
          energy_text(lane.grid_energy.in(joule)), carbon_text(lane.carbon.value().in(gram)),
          money_text(lane.cost.value().in(euro)), time_text(lane.duration.in(second)),
          regret_text(lane, result.bound)},
         lane.policy == result.best         ? "best"
         : is_bound                         ? "bound"
         : lane.outcome == "target-reached" ? ""
                                            : "quiet"});
  }
  return html::table(
      "Every policy met the same weather, prices and data. Certified: held-out data prove the "
      "floor at "
      "the run's confidence. Regret is cost above the bound.",
      columns, rows);
}

std::string lane_words(const LaneResult& lane) {
  std::string modes;
  for (const auto& [mode, time] : lane.mode_time) {
    modes += fmt::format("{}{} {}", modes.empty() ? "" : ", ", mode, time_text(time.in(second), 2));
  }
  std::string out = fmt::format("{}: {}. ", lane.policy, outcome_words(lane));
  if (!lane.stopped.empty()) out += fmt::format("Stopped: {}. ", lane.stopped);
  if (!modes.empty()) out += fmt::format("Time in modes: {}. ", modes);
  out += lane.cap_violations == 0
             ? std::string("The power cap was never exceeded")
             : fmt::format("The power cap was exceeded in {} slots", lane.cap_violations);
  return out + fmt::format("; the energy balance closes to {} relative.",
                           lane.balance_residual > 0 ? figure_text(lane.balance_residual, 2)
                                                     : std::string("0"));
}

std::string time_section(const RunResult& result, const Facts& facts, const Stage& stage) {
  std::vector<html::Tab> tabs;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    const LaneResult& lane = result.lanes[i];
    const std::string drawn = time_figure(lane, result.series[i], facts, stage);
    std::string body = html::heading(3, lane.policy) + html::paragraph(lane_words(lane), "note");
    body += drawn.empty()
                ? html::paragraph("This policy has no slots.")
                : html::figure(drawn,
                               "Mean power at the facility's bus (modelled). Areas are energies: "
                               "long runs are averaged over stretches, which keeps them. All "
                               "policies share both axes.",
                               true);
    const bool shown = lane.policy == result.best || lane.policy == result.best_fixed ||
                       lane.policy == "grid-f32" || (result.best.empty() && i == 0);
    if (lane.policy == result.best) chosen = i;
    tabs.push_back({lane.policy, body, shown});
  }
  if (tabs.empty()) return {};
  return html::heading(2, "Power, precision and learning over time") +
         html::tabs("lane", "Policy", tabs, chosen);
}

std::string bars_section(const RunResult& result) {
  const auto unit_for = [&](const std::function<double(const LaneResult&)>& of,
                            Unit (*choose)(double)) {
    double largest = 0;
    for (const LaneResult& lane : result.lanes) {
      if (std::isfinite(of(lane))) largest = std::max(largest, of(lane));
    }
    return choose(largest);
  };
  const auto grid = [](const LaneResult& l) { return l.grid_energy.in(joule); };
  const auto carbon = [](const LaneResult& l) { return l.carbon.value().in(gram); };
  const auto cost = [](const LaneResult& l) { return l.cost.value().in(euro); };
  const auto time = [](const LaneResult& l) { return l.duration.in(second); };
  const Unit e = unit_for(grid, energy_unit), c = unit_for(carbon, carbon_unit),
             t = unit_for(time, time_unit);
  const double none = std::nan("");
  std::string figures;
  for (const Bars& bars : {Bars{"Cost", "EUR", 1, cost, result.bound.cost_eur},
                           Bars{"Grid energy", e.name, e.factor, grid, result.bound.grid_energy_j},
                           Bars{"Carbon", c.name + " CO2e", c.factor, carbon, none},
                           Bars{"Time", t.name, t.factor, time, result.bound.duration_s}}) {
    figures += bars_figure(result, bars);
  }
  if (figures.empty()) return {};
  return html::heading(2, "What each policy took") +
         html::figure("<div class=\"small\">" + figures + "</div>",
                      "Modelled, facility boundary; carbon is of grid energy alone. The dotted "
                      "line is what perfect foresight takes for the least cost, not the least of "
                      "each bar. A star marks policies that did not reach the target.");
}

std::string cycle_section(const RunResult& result, const Facts& facts) {
  const LaneResult* lane = result.best.empty() ? nullptr : result.lane(result.best);
  for (const LaneResult& other : result.lanes) {
    if (lane == nullptr && other.finished && !other.cycle.legs.empty()) lane = &other;
  }
  if (lane == nullptr) return {};
  std::string out;
  const std::string drawn = cycle_figure(*lane, facts);
  if (!drawn.empty()) {
    out += html::heading(2, "The learning cycle");
    out += html::figure(
        drawn,
        fmt::format("{}: while it learns, the bits needed to describe the data fall, and "
                    "each bit removed costs heat. Heat is k_B ln 2 times temperature "
                    "times bits removed: on a straight axis the area under the curve. "
                    "The axis here is logarithmic, so areas show which leg heats, not how "
                    "much; the table says how much. Modelled, facility boundary.",
                    lane->policy),
        true);
    std::vector<html::Row> rows;
    std::size_t number = 1;
    for (const auto& leg : lane->cycle.legs) {
      rows.push_back({{fmt::format("{} {}", number++, leg.name), figure_text(leg.from_bits, 4),
                       figure_text(leg.to_bits, 4), energy_text(leg.energy.in(joule)),
                       figure_text(leg.temperature.in(kelvin), 3)},
                      ""});
    }
    out += html::table(fmt::format("Legs of the cycle. Efficiency against the Landauer limit: {}.",
                                   figure_text(lane->cycle.efficiency, 3)),
                       {{"leg", false}, {"bits from"}, {"bits to"}, {"heat"}, {"temperature, K"}},
                       rows);
  }
  const std::vector<Rung> rungs = ladder(*lane, facts);
  const std::string steps = ladder_figure(rungs);
  if (!steps.empty()) {
    out += html::heading(2, "From joules spent to the limit");
    out += html::figure(
        steps,
        fmt::format("{}, the whole hall. Every rung is modelled; the last is physics: the least "
                    "heat of erasing as many bits as were learned. Each bar is shorter than "
                    "the one above by the factor between them.",
                    lane->policy),
        true);
  }
  return out;
}

std::string sources_section(const RunResult& result, const Facts& facts) {
  std::string out = html::heading(2, "Where the figures come from");
  out += html::paragraph(provenance(result));
  if (!facts.scaling_text.empty()) out += html::paragraph(facts.scaling_text);
  if (!facts.learner.empty()) {
    out += html::paragraph(fmt::format("The job: {} on {}, {} epochs, {} steps.", facts.learner,
                                       facts.data, figure_text(facts.epochs, 1),
                                       figure_text(facts.steps, 1)));
  }
  if (std::isfinite(facts.carbon_price_eur_per_t)) {
    out += html::paragraph(fmt::format(
        "Cost counts grid energy at its price plus {} a tonne of CO2e, own energy at {} a MWh, "
        "forgone export, and {} for each hour until the end.",
        money_text(facts.carbon_price_eur_per_t), money_text(facts.own_value_eur_per_mwh),
        money_text(facts.delay_price_eur_per_h)));
  }
  if (!facts.modes.empty()) {
    std::vector<html::Row> rows;
    for (const ModeFact& m : facts.modes) {
      const Unit p = power_unit(m.static_power_w + m.dynamic_power_w);
      rows.push_back({{m.name, figure_text(m.bits, 2), figure_text(m.steps_per_second, 3),
                       figure_text(m.static_power_w * p.factor, 3) + " " + p.name,
                       figure_text(m.dynamic_power_w * p.factor, 3) + " " + p.name,
                       energy_text(m.step_energy_j)},
                      ""});
    }
    out += html::table("Modes: ways to do the same work.",
                       {{"mode", false},
                        {"bits"},
                        {"steps a second"},
                        {"static power"},
                        {"dynamic power"},
                        {"dynamic energy of a step"}},
                       rows);
  }
  if (!facts.energy_table.empty()) {
    std::vector<html::Row> rows;
    for (const EnergyFact& e : facts.energy_table) {
      rows.push_back({{e.key, figure_text(e.energy_pj, 3),
                       fmt::format("{} to {}", figure_text(e.low_pj, 3), figure_text(e.high_pj, 3)),
                       figure_text(e.per_second, 3), e.source},
                      ""});
    }
    out += html::table("Energy of one operation or bit moved, in picojoules, with 90 % bounds.",
                       {{"operation", false}, {"pJ"}, {"90 %"}, {"a second"}, {"source", false}},
                       rows);
  }
  if (!facts.signals.empty()) {
    std::vector<html::Row> rows;
    for (const auto& [signal, source] : facts.signals) rows.push_back({{signal, source}, ""});
    out += html::table("Signals of the world.", {{"signal", false}, {"source", false}}, rows);
  }
  return out + bullets(facts.notes, "plain");
}

std::string reproduce_section(const RunResult& result) {
  std::string out = html::heading(2, "Do it again");
  out += html::paragraph(fmt::format(
      "carnot {}, seed {}. The same command, seed and inputs give the same figures; measured "
      "times apart.",
      result.carnot_version, result.seed));
  out += "<pre>" + escape(result.command) + "</pre>\n";
  if (!result.scenario_text.empty()) {
    out += html::details("Scenario, as it was read",
                         "<pre>" + escape(result.scenario_text) + "</pre>");
  }
  return out;
}

constexpr std::string_view kCss =
    "svg .missed{opacity:.45}svg text.corner{fill:var(--paper);stroke:none;font-weight:700}\n";

}  // namespace

std::string to_html(const RunResult& result) {
  const Facts facts = read_facts(result.facts_json);
  const Stage stage = stage_of(result, facts);
  std::string body =
      "<header>\n" + html::heading(1, result.scenario.empty() ? "carnot run" : result.scenario);
  const bool with_bound = result.lane(result.bound.policy) != nullptr;
  std::string kicker = fmt::format("{} policies{}", result.lanes.size() - (with_bound ? 1 : 0),
                                   with_bound ? " and the bound" : "");
  if (!facts.site_name.empty()) kicker += " at " + facts.site_name;
  if (!facts.start.empty()) kicker += ", from " + facts.start;
  if (!facts.deadline.empty()) kicker += ", due " + facts.deadline;
  body += html::paragraph(kicker + fmt::format(". Computed {}.", result.started), "kicker");
  std::vector<std::string> sentences = answer(result, facts);
  if (!result.complete) {
    body += html::paragraph(sentences.front(), "warning");
    sentences.erase(sentences.begin());
  }
  if (!sentences.empty()) {
    body += html::paragraph(sentences.front(), "answer");
    sentences.erase(sentences.begin());
  }
  body += bullets(sentences, "plain") + "</header>\n";
  if (facts.most_quality) {
    body += html::heading(2, "Policies side by side") + quality_table(result, facts);
    const std::string bits = bits_figure(result, facts);
    if (!bits.empty())
      body += html::heading(2, "What the wind taught, and in how many bits") +
              html::figure(bits,
                           "Held-out quality against own energy (modelled, facility boundary). "
                           "Few joules go into passes, many into bits.",
                           true);
  } else {
    body += cards_of(result);
    if (!result.lanes.empty())
      body += html::heading(2, "Policies side by side") + policy_table(result);
    body += bars_section(result);
  }
  body += time_section(result, facts, stage);
  const std::string quality = quality_figure(result, facts, stage);
  if (!quality.empty()) {
    body += html::heading(2, "Quality over energy");
    body += html::figure(quality,
                         "Quality on held-out data, facility energy (modelled). The line that "
                         "reaches the floor furthest left learned with the fewest joules.",
                         true);
  }
  body += cycle_section(result, facts);
  body += sources_section(result, facts);
  body += reproduce_section(result);
  return html::page(result.scenario + " · carnot", body, kCss);
}

}  // namespace carnot::report
