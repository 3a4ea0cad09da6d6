// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/learn/report.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/counts.hpp"

namespace carnot::report {

namespace {

Json bits(const learn::CodeLengths& l) {
  return {{"uniform", number_or_null(l.uniform)},
          {"data", number_or_null(l.data)},
          {"model", number_or_null(l.model)},
          {"two_part", number_or_null(l.two_part)},
          {"prequential", number_or_null(l.prequential)},
          {"learned_net", number_or_null(l.learned_net)},
          {"learned_gross", number_or_null(l.uniform - l.data)},
          {"model_raw", number_or_null(l.model_raw)}};
}

Json cycle(const learn::LearningCycle& c) {
  Json legs = Json::array();
  for (const learn::CycleLeg& leg : c.legs)
    legs.push_back({{"leg", leg.leg},
                    {"entropy_bits_from", number_or_null(leg.entropy_bits_from)},
                    {"entropy_bits_to", number_or_null(leg.entropy_bits_to)},
                    {"energy_j", number_or_null(leg.energy.in(joule))},
                    {"temperature_k", number_or_null(leg.temperature.in(kelvin))}});
  Json curve = Json::array();
  for (const auto& p : c.curve)
    curve.push_back({{"remaining_bits", number_or_null(p.remaining_bits)},
                     {"temperature_k", number_or_null(p.temperature.in(kelvin))}});
  return {{"legs", legs},
          {"efficiency", number_or_null(c.efficiency)},
          {"total_j", number_or_null(c.total.in(joule))},
          {"bits_learned", number_or_null(c.bits_learned)},
          {"curve", curve}};
}

/// The keys of one run; also those at the top level, for the best.
Json point(const experiment::ExperimentPoint& p) {
  Json curve = Json::array();
  for (const experiment::CurvePoint& c : p.curve)
    curve.push_back({{"steps", c.steps},
                     {"energy_j", number_or_null(c.energy.in(joule))},
                     {"data_bits", number_or_null(c.data_bits)},
                     {"quality", number_or_null(c.quality)},
                     {"certified_bound", number_or_null(c.certified_bound)}});
  return {{"knobs",
           {{"precision", p.precision},
            {"hidden", p.hidden},
            {"epochs", number_or_null(p.epochs)},
            {"seed", p.seed},
            {"model_width_bits", p.model_width},
            {"parameters", p.parameters},
            {"trees", p.tree.trees},
            {"leaves", p.tree.leaves},
            {"depth", p.tree.depth},
            {"bins", p.tree.trees > 0 ? p.tree.bins : 0},
            {"model_trees", p.model_trees}}},
          {"quality",
           {{"metric", p.quality.metric},
            {"value", number_or_null(p.quality.value)},
            {"low", number_or_null(p.quality_low)},
            {"high", number_or_null(p.quality_high)},
            {"split", "test"},
            {"rows", p.quality.trials},
            {"bits_per_label", number_or_null(p.quality.bits_per_label)},
            {"certified", p.certified}}},
          {"coded_quality",
           p.coded_quality.trials > 0
               ? Json{{"metric", p.coded_quality.metric},
                      {"value", number_or_null(p.coded_quality.value)},
                      {"bits_per_label", number_or_null(p.coded_quality.bits_per_label)}}
               : Json()},
          {"steps", p.steps},
          {"total_steps", p.total_steps},
          {"operations", operations_json(p.counters)},
          {"bytes_moved", bytes_moved_json(p.counters)},
          {"energy_j", json_figure(p.energy)},
          {"instrument_energy_j", json_figure(p.instrument_energy)},
          {"seconds", number_or_null(p.seconds)},
          {"modelled_seconds", number_or_null(p.modelled_time.in(second))},
          {"bits", bits(p.lengths)},
          {"bits_per_j", number_or_null(p.bits_per_joule)},
          {"cycle", cycle(p.cycle)},
          {"stopped", p.stopped},
          {"curve", curve}};
}

Json structure(const experiment::ExperimentResult& result) {
  Json points = Json::array();
  for (const experiment::StructurePoint& s : result.structure)
    points.push_back({{"point", s.point},
                      {"width_bits", s.width},
                      {"trees", s.trees},
                      {"held_out_bits_per_label", number_or_null(s.held_out_bits)},
                      {"held_out_quality", number_or_null(s.held_out_quality)},
                      {"model_bits", number_or_null(s.model_bits)},
                      {"data_bits", number_or_null(s.data_bits)},
                      {"energy_j", number_or_null(s.energy.in(joule))},
                      {"sampled", s.sampled},
                      {"on_hull", s.on_hull}});
  return {{"points", points},
          {"slack", number_or_null(result.slack)},
          {"k_star_index", result.k_star_structure}};
}

}  // namespace

std::string to_json(const experiment::ExperimentResult& result) {
  Json json{{"schema", "carnot.learn/1"},
            {"carnot", result.carnot_version},
            {"seed", result.seed},
            {"started", result.started},
            {"command", result.command},
            {"task", result.task},
            {"learner", result.learner},
            {"shape", result.shape.empty() ? Json() : Json(result.shape)},
            {"data",
             {{"source", result.data_source},
              {"train_rows", result.train_rows},
              {"test_rows", result.test_rows},
              {"columns", result.columns},
              {"classes", result.classes},
              {"constant_accuracy", number_or_null(result.constant_accuracy)},
              {"labels_shuffled", result.shuffled}}},
            {"budget_j", result.budget_j > 0.0 ? Json(result.budget_j) : Json()},
            {"target", number_or_null(result.target)},
            {"target_met", result.target_met()},
            {"measured_energy_j", nullptr},
            {"measured_note", result.measured_note}};
  if (!result.points.empty()) json.update(point(result.points[result.best]));
  json["best"] = result.best;
  json["points"] = Json::array();
  for (const experiment::ExperimentPoint& p : result.points) json["points"].push_back(point(p));
  json["k_star"] = number_or_null(result.k_star);
  json["structure"] = structure(result);
  json["energy_table"] = Json::array();
  for (const learn::CostRow& row : result.table)
    json["energy_table"].push_back({{"key", row.key},
                                    {"energy_j", number_or_null(row.energy.in(joule))},
                                    {"low_j", number_or_null(row.low.in(joule))},
                                    {"high_j", number_or_null(row.high.in(joule))},
                                    {"per_second", number_or_null(row.per_second)},
                                    {"source", row.source}});
  return json.dump(2) + "\n";
}

}  // namespace carnot::report
