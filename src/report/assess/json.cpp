// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "carnot/base/instant.hpp"
#include "carnot/base/version.hpp"
#include "carnot/report/assess/report.hpp"

#include "report/draw/json_figure.hpp"
#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

Json time_json(std::uint32_t seconds, bool known) {
  return known ? Json(Instant::from_unix_seconds(seconds).iso8601()) : Json();
}

Json files_json(const assess::Evidence& e) {
  Json rows = Json::array();
  for (const assess::EvidenceFile& f : e.files) {
    Json outcomes = Json::object(), money = Json::array(), reasons = Json::array(),
         problems = Json::array();
    for (std::size_t i = 0; i < assess::kOutcomes; ++i)
      outcomes[std::string(name(static_cast<assess::Outcome>(i)))] = f.outcome_rows[i];
    for (const auto& [currency, sums] : f.money) {
      Json row = {{"currency", printable(currency)}};
      Sum<> total;
      for (std::size_t i = 0; i < assess::kOutcomes; ++i) {
        row[std::string(name(static_cast<assess::Outcome>(i)))] = sums[i].value();
        total += sums[i].value();
      }
      row["total"] = total.value();
      money.push_back(std::move(row));
    }
    for (const auto& [reason, s] : f.settled)
      reasons.push_back({{"reason", printable(reason)},
                         {"outcome", name(s.outcome)},
                         {"rows", s.rows},
                         {"first_line", s.first_line}});
    for (const std::string& line : f.problems) problems.push_back(printable(line));
    rows.push_back({{"file", printable(f.name)},
                    {"format", f.format.empty() ? Json() : Json(f.format)},
                    {"remark", f.remark.empty() ? Json() : Json(printable(f.remark))},
                    {"rows", f.rows},
                    {"outcomes", std::move(outcomes)},
                    {"money", std::move(money)},
                    {"reasons", std::move(reasons)},
                    {"problem_count", f.problem_count},
                    {"problems", std::move(problems)},
                    {"from", time_json(f.first, f.first != assess::kNone)},
                    {"to", time_json(f.last, f.first != assess::kNone)}});
  }
  return rows;
}

Json scopes_json(const std::array<Estimate<Carbon>, assess::kScopes>& scopes) {
  Json out = Json::object();
  for (std::size_t i = 0; i < assess::kScopes; ++i)
    out[std::string(name(static_cast<assess::Scope>(i)))] = json_figure(scopes[i]);
  return out;
}

Json activities_json(const assess::Assessment& a) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < a.graph.activities.size(); ++i) {
    const assess::Activity& one = a.graph.activities[i];
    const assess::ActivityFootprint& f = a.footprint.parts[i];
    Json kinds = Json::object(), money = Json::object();
    for (std::size_t k = 0; k < assess::kEvidenceKinds; ++k)
      if (one.joules[k] > 0)
        kinds[std::string(name(static_cast<assess::EvidenceKind>(k)))] = one.joules[k];
    for (const auto& [currency, amount] : one.money) money[printable(currency)] = amount;
    Json files = Json::array();
    for (const std::string& file : one.files) files.push_back(printable(file));
    rows.push_back({{"id", fmt::format("A{}", i + 1)},
                    {"what", printable(one.what)},
                    {"group", name(one.group)},
                    {"provider", one.provider},
                    {"region", one.region.empty() ? Json() : Json(printable(one.region))},
                    {"grid", f.grid},
                    {"machines", one.machines},
                    {"machine_h", one.machine_hours},
                    {"accelerator_h", one.accelerator_hours},
                    {"amount", one.unit.empty() ? Json() : Json(one.amount)},
                    {"unit", one.unit.empty() ? Json() : Json(one.unit)},
                    {"energy_j", json_figure(one.energy)},
                    {"energy_j_by_evidence", std::move(kinds)},
                    {"pue", json_figure(f.pue)},
                    {"pue_stated", f.pue_stated},
                    {"facility_j", json_figure(f.facility)},
                    {"carbon_g_per_j", json_figure(f.intensity)},
                    {"operational_g", json_figure(f.operational)},
                    {"embodied_g", json_figure(f.embodied)},
                    {"scopes_g", scopes_json(f.scopes)},
                    {"money", std::move(money)},
                    {"files", std::move(files)},
                    {"from", time_json(one.first, one.first != assess::kNone)},
                    {"to", time_json(one.last, one.first != assess::kNone)}});
  }
  return rows;
}

Json portfolio_json(const assess::ActionPlan& plan, const assess::Portfolio& p) {
  Json ids = Json::array();
  for (std::size_t i = 0; i < plan.actions.size(); ++i)
    if ((p.set >> i & 1) != 0) ids.push_back(plan.actions[i].id);
  return {{"actions", std::move(ids)}, {"one_off_eur", p.cost}, {"saved_g_per_year", p.saved}};
}

Json actions_json(const assess::ActionPlan& plan) {
  Json rows = Json::array(), front = Json::array();
  for (const assess::Action& x : plan.actions)
    rows.push_back(
        {{"id", x.id},
         {"title", x.title},
         {"chapter", x.chapter},
         {"what", x.what.empty() ? Json() : Json(printable(x.what))},
         {"alone_g_per_year", {{"value", x.saved_g}, {"low", x.low_g}, {"high", x.high_g}}},
         {"alone_kwh_per_year", x.saved_kwh},
         {"share_g_per_year", x.share_g},
         {"probability", x.probability},
         {"one_off_eur", x.one_off_eur},
         {"yearly_eur", x.yearly_eur},
         {"eur_per_t", x.eur_per_t ? Json(*x.eur_per_t) : Json()},
         {"payback_years", x.payback_years ? Json(*x.payback_years) : Json()},
         {"origin", "assumed"}});
  for (const assess::Portfolio& p : plan.front) front.push_back(portfolio_json(plan, p));
  return {{"base_g_per_year", plan.base_g},
          {"period_h", plan.period_h},
          {"actions", std::move(rows)},
          {"joint_g_per_year",
           {{"value", plan.joint_g}, {"low", plan.joint_low_g}, {"high", plan.joint_high_g}}},
          {"budget_eur", plan.budget_eur ? Json(*plan.budget_eur) : Json()},
          {"best", portfolio_json(plan, plan.best)},
          {"front", std::move(front)},
          {"remarks", plan.remarks}};
}

Json standards_json(const assess::Standards& standards) {
  Json out = Json::array();
  for (const assess::Standard& s : standards) {
    Json fields = Json::array();
    for (const assess::StandardField& f : s.fields) {
      Json evidence = Json::array();
      for (const std::string& file : f.evidence) evidence.push_back(printable(file));
      const auto number = [](const std::optional<double>& v) { return v ? Json(*v) : Json(); };
      fields.push_back({{"id", f.id},
                        {"words", f.words},
                        {"value", number(f.value)},
                        {"low", number(f.low)},
                        {"high", number(f.high)},
                        {"unit", f.unit.empty() ? Json() : Json(printable(f.unit))},
                        {"text", f.text.empty() ? Json() : Json(f.text)},
                        {"reason", f.reason.empty() ? Json() : Json(f.reason)},
                        {"evidence", std::move(evidence)}});
    }
    Json refused = Json::array();
    for (const std::string& line : s.refused) refused.push_back(printable(line));
    out.push_back({{"id", s.id},
                   {"title", s.title},
                   {"version", s.version},
                   {"refused", std::move(refused)},
                   {"fields", std::move(fields)}});
  }
  return out;
}

}  // namespace

std::string assess_json(const assess::Assessment& a, const std::string& command) {
  Json overlaps = Json::array(), unknown = Json::array(), causes = Json::array(),
       data = Json::array();
  for (const assess::Overlap& o : a.graph.overlaps)
    overlaps.push_back({{"one", printable(o.one)},
                        {"other", printable(o.other)},
                        {"energy_j", o.joules},
                        {"counted_twice", o.counted_twice},
                        {"why", o.why}});
  for (const assess::UnknownMachine& u : a.evidence.unknown_machines)
    unknown.push_back({{"type", printable(u.type)},
                       {"rows", u.rows},
                       {"hours", u.hours},
                       {"nearest", u.nearest}});
  for (const assess::CauseShare& c : assess::variance_shares(a.footprint.total.core()))
    causes.push_back({{"cause", printable(c.cause)}, {"share", c.share}});
  for (const assess::DataItem& d : a.data)
    data.push_back({{"what", printable(d.what)},
                    {"narrowing", d.narrowing},
                    {"low_g", d.low_g},
                    {"high_g", d.high_g}});
  Json remarks = Json::array();
  for (const auto* list : {&a.evidence.remarks, &a.graph.remarks, &a.footprint.remarks})
    for (const std::string& line : *list) remarks.push_back(printable(line));
  const bool dated = a.graph.first != assess::kNone;
  const Json out = {
      {"schema", "carnot.assess/1"},
      {"carnot", std::string(kVersion)},
      {"command", command},
      {"role", name(a.options.footprint.role)},
      {"from", time_json(a.graph.first, dated)},
      {"to", time_json(a.graph.last, dated)},
      {"energy_j", json_figure(a.footprint.node)},
      {"facility_j", json_figure(a.footprint.facility)},
      {"operational_g", json_figure(a.footprint.operational)},
      {"embodied_g", json_figure(a.footprint.embodied)},
      {"total_g", json_figure(a.footprint.total)},
      {"scopes_g", scopes_json(a.footprint.scopes)},
      {"files", files_json(a.evidence)},
      {"activities", activities_json(a)},
      {"possible_overlaps", std::move(overlaps)},
      {"unknown_machines", std::move(unknown)},
      {"unknown_j", a.graph.unknown_hours > 0 ? Json{{"low", a.graph.unknown.low().in(joule)},
                                                     {"high", a.graph.unknown.high().in(joule)}}
                                              : Json()},
      {"causes", std::move(causes)},
      {"data", std::move(data)},
      {"plan", actions_json(a.actions)},
      {"standards", standards_json(a.standards)},
      {"remarks", std::move(remarks)}};
  return out.dump(2) + "\n";
}

}  // namespace carnot::report
