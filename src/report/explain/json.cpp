// SPDX-License-Identifier: Apache-2.0
#include "report/explain/json.hpp"

#include <set>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/model/explain/coefficients.hpp"

#include "report/draw/json_figure.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

Json counts_json(const model::Totals& t) {
  return {{"macs", t.counts.macs},
          {"flops", t.counts.flops},
          {"other_ops", t.counts.other_ops},
          {"special_ops", t.counts.special_ops},
          {"weight_read_bytes", t.weight_read_bytes},
          {"read_bytes", t.read_bytes},
          {"written_bytes", t.written_bytes},
          {"cache_read_bytes", t.cache_read_bytes},
          {"cache_written_bytes", t.cache_written_bytes},
          {"sent_bytes", t.sent_bytes},
          {"unknown", t.unknown}};
}

Json node_json(const model::EnergyTree& tree, model::EnergyTree::Index at) {
  const auto& node = tree.node(at);
  Json out = {{"name", printable(node.name)}, {"level", name(node.level)},
              {"energy_j", node.joules},      {"low_j", node.low},
              {"high_j", node.high},          {"floor_j", node.floor_joules},
              {"limit_j", node.limit_joules}, {"origin", name(node.origin)}};
  if (node.leaf != model::EnergyTree::kNone) {
    const model::Activity& a = tree.leaves()[node.leaf];
    out["boundary"] = name(a.boundary);
    out["count"] = a.count;
    out["unit"] = a.unit;
    out["coefficient_j"] = a.coefficient.in(joule);
    out["static_w"] = a.static_power.in(watt);
    out["owned_s"] = a.owned_time.in(second);
    out["erased_bit"] = a.erased.in(bit);
    out["grade"] = name(a.grade);
    out["constant"] = a.constant;
    return out;
  }
  Json children = Json::array();
  for (const auto child : tree.children(at)) children.push_back(node_json(tree, child));
  out["children"] = std::move(children);
  return out;
}

Json phases_json(const model::Explanation& e) {
  Json rows = Json::array();
  for (const model::PhaseResult& r : e.phases)
    rows.push_back({{"phase", r.name},
                    {"executions", r.executions},
                    {"units", r.units},
                    {"unit", r.unit},
                    {"energy_j", json_figure(r.energy)},
                    {"time_s", json_figure(r.time)},
                    {"chip_power_w", r.mean_power.in(watt)},
                    {"rows", r.rows},
                    {"chip_memory_bytes", r.memory_bytes},
                    {"total_from", r.source.empty() ? Json() : Json(r.source)},
                    {"counts", counts_json(r.totals)}});
  return rows;
}

Json constants_json(const model::EnergyTree& tree) {
  std::set<std::string> used;
  for (const model::Activity& a : tree.leaves()) used.insert(a.constant);
  Json rows = Json::array();
  for (const std::string& id : used) {
    Json row = {{"id", id}};
    if (const auto* c = model::CoefficientTable::embedded().find(id)) {
      row.update({{"value", c->value},
                  {"low", c->low},
                  {"high", c->high},
                  {"unit", c->unit},
                  {"grade", name(c->grade)},
                  {"year", c->year},
                  {"source", c->source},
                  {"licence", c->licence}});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json formats_json(const model::Explanation& e) {
  Json rows = Json::array();
  for (const model::FormatRow& r : e.formats)
    rows.push_back({{"format", r.format},
                    {"phase", r.phase},
                    {"energy_j_per_unit", r.joules_per_unit},
                    {"time_s", r.seconds},
                    {"over_bf16", r.over_bf16},
                    {"kernels_of_this_card", r.measured},
                    {"measured_ratio", r.measured_ratio > 0 ? Json(r.measured_ratio) : Json()},
                    {"measured_id", r.measured_id.empty() ? Json() : Json(r.measured_id)}});
  return rows;
}

Json account_json(const model::Account& a) {
  return {{"pue", a.pue_known ? Json(a.pue) : Json()},
          {"location",
           {{"code", a.grid.code},
            {"name", printable(a.grid.name)},
            {"year", a.grid.year},
            {"carbon_g_per_j", json_figure(a.grid.intensity)}}},
          {"operational_g", json_figure(a.operational)},
          {"embodied_g", json_figure(a.embodied)},
          {"cost_eur", json_figure(a.cost)},
          {"remarks", a.remarks}};
}

Json score_json(const Estimate<Carbon>& score, const std::string& unit) {
  if (unit.empty()) return {{"value", nullptr}, {"reason", "N/A: see remarks"}};
  return {{"g_per_unit", json_figure(score)}, {"unit", unit}};
}

Json lifecycle_json(const model::LifeCycle& l) {
  Json stages = Json::array();
  for (const model::LifeStage& s : l.stages)
    stages.push_back({{"stage", s.name},
                      {"times", s.times},
                      {"energy_j", json_figure(s.energy)},
                      {"chip_h", s.chip_hours},
                      {"operational_g", json_figure(s.operational)},
                      {"embodied_g", json_figure(s.embodied)}});
  return {{"energy_j", json_figure(l.energy)},
          {"operational_g", json_figure(l.operational)},
          {"embodied_g", json_figure(l.embodied)},
          {"water_l", json_figure(l.water_l)},
          {"carbon_g_per_j", json_figure(l.grid.intensity)},
          {"location", printable(l.grid.name)},
          {"training_flop", l.exact_flops},
          {"training_flop_6nd", l.six_nd},
          {"learning_bound_j", l.learning_bound.in(joule)},
          {"answer_j", json_figure(l.answer)},
          {"break_even_answers", l.break_even_answers > 0 ? Json(l.break_even_answers) : Json()},
          {"sci_ai_consumer", score_json(l.consumer, l.consumer_unit)},
          {"sci_ai_provider", score_json(l.provider, l.provider_unit)},
          {"stages", std::move(stages)},
          {"tree", node_json(l.tree, 0)},
          {"remarks", l.remarks}};
}

Json federated_json(const model::FederatedTraining& f) {
  return {{"device", f.device},
          {"compute_j", json_figure(f.compute)},
          {"wait_j", json_figure(f.wait)},
          {"network_j", json_figure(f.network)},
          {"energy_j", json_figure(f.total)},
          {"carbon_g", json_figure(f.carbon)},
          {"round_s", f.round.in(second)},
          {"sent_bytes", f.sent_bytes},
          {"energy_over_centre", f.energy_over},
          {"carbon_over_centre", f.carbon_over},
          {"greatest", f.greatest}};
}

Json gpai_json(const ExplainReport& report) {
  Json rows = Json::array();
  for (const model::GpaiField& f : gpai_fields(report.explanation, report.lifecycle))
    rows.push_back({{"field", f.field},
                    {"value", f.value ? Json(*f.value) : Json()},
                    {"unit", f.unit},
                    {"reason", f.reason.empty() ? Json() : Json(f.reason)}});
  return rows;
}

Json lines_json(const std::vector<std::string>& lines) {
  Json out = Json::array();
  for (const std::string& line : lines) out.push_back(printable(line));
  return out;
}

}  // namespace

Json explain_document(const ExplainReport& report) {
  const model::Explanation& e = report.explanation;
  Json unknown = Json::array();
  for (const model::UnknownOperator& u : e.unknown)
    unknown.push_back({{"type", printable(u.type)},
                       {"first", printable(u.first_name)},
                       {"count", u.count},
                       {"reason", printable(u.reason)}});
  Json components = Json::array();
  for (const model::ComponentShare& c : fold_components(e.tree, 0))
    components.push_back({{"component", c.name},
                          {"energy_j", c.joules},
                          {"floor_j", c.floor_joules},
                          {"limit_j", c.limit_joules}});
  Json out = {{"schema", "carnot.explain/1"},
              {"carnot", std::string(kVersion)},
              {"command", report.command},
              {"model",
               {{"name", printable(e.model)},
                {"source", printable(e.source)},
                {"kind", e.kind},
                {"parameters", e.parameters},
                {"active_parameters", e.active_parameters}}},
              {"machine",
               {{"chip", e.chip},
                {"name", e.chip_name},
                {"chips", e.devices},
                {"tensor", e.split.tensor},
                {"pipeline", e.split.pipeline},
                {"data", e.split.data},
                {"expert", e.split.expert},
                {"format", e.format}}},
              {"units", e.units},
              {"unit", e.unit},
              {"complete", e.unknown.empty()},
              {"accelerators_j", json_figure(e.accelerators)},
              {"machine_j", json_figure(e.machine)},
              {"energy_j", json_figure(e.whole)},
              {"energy_j_per_unit", e.whole.value().in(joule) / e.units},
              {"time_s", json_figure(e.time)},
              {"limit_temperature_k", e.tree.temperature().in(kelvin)},
              {"phases", phases_json(e)},
              {"components", std::move(components)},
              {"formats", formats_json(e)},
              {"tree", node_json(e.tree, 0)},
              {"constants", constants_json(e.tree)},
              {"unknown", std::move(unknown)},
              {"footprint", report.account ? account_json(*report.account) : Json()},
              {"lifecycle", report.lifecycle ? lifecycle_json(*report.lifecycle) : Json()},
              {"federated", report.federated ? federated_json(*report.federated) : Json()},
              {"eu_gpai", gpai_json(report)},
              {"notes", lines_json(e.notes)},
              {"remarks", lines_json(e.remarks)}};
  return out;
}

std::string explain_json(const ExplainReport& report) {
  return explain_document(report).dump(2) + "\n";
}

}  // namespace carnot::report
