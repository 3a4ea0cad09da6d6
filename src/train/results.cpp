// SPDX-License-Identifier: Apache-2.0
#include "train/results.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "carnot/base/limits.hpp"
#include "carnot/learn/codes/certificate.hpp"
#include "carnot/learn/codes/code_length.hpp"
#include "carnot/ledger/store/store.hpp"

namespace carnot::train {

namespace {

using Json = nlohmann::ordered_json;

/// A figure of formats/: value, 90 % interval, origin, boundary, sources.
Json figure(double value, double low, double high, const char* origin, const char* boundary,
            std::vector<std::string> sources) {
  return Json{{"value", value},   {"low", std::min(low, high)}, {"high", std::max(low, high)},
              {"origin", origin}, {"boundary", boundary},       {"sources", std::move(sources)}};
}

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::vector<ledger::SlotEntry> slots_of(const std::vector<ledger::Entry>& entries) {
  std::vector<ledger::SlotEntry> slots;
  for (const ledger::Entry& entry : entries)
    if (const auto* slot = std::get_if<ledger::SlotEntry>(&entry)) slots.push_back(*slot);
  return slots;
}

Json code_length_json(const learn::CodeLengths& c) {
  return Json{{"uniform", or_null(c.uniform)},
              {"data", or_null(c.data)},
              {"model", or_null(c.model)},
              {"two_part", or_null(c.two_part)},
              {"prequential", or_null(c.prequential)},
              {"learned_net", or_null(c.learned_net)}};
}

Json cycle_json(const learn::LearningCycle& cycle) {
  Json legs = Json::array(), curve = Json::array();
  for (const learn::CycleLeg& leg : cycle.legs)
    legs.push_back(Json{{"leg", leg.leg},
                        {"entropy_bits_from", leg.entropy_bits_from},
                        {"entropy_bits_to", leg.entropy_bits_to},
                        {"energy_j", leg.energy.in(joule)},
                        {"temperature_k", leg.temperature.in(kelvin)}});
  for (const auto& point : cycle.curve)
    curve.push_back(Json::array({point.remaining_bits, point.temperature.in(kelvin)}));
  return Json{{"legs", legs}, {"efficiency", cycle.efficiency}, {"curve", curve}};
}

/// The lane as a learning cycle, in bits and joules of the whole job (all its trainings).
learn::LearningCycle cycle_of(const std::vector<ledger::SlotEntry>& slots,
                              const learn::CodeLengths& one, double labels, double trainings) {
  std::vector<double> loss_bits{one.uniform * trainings};
  std::vector<Energy> energy{Energy{}};
  Energy sum;
  for (const ledger::SlotEntry& slot : slots) {
    sum += slot.facility;
    if (!std::isfinite(slot.loss) || slot.facility <= Energy{}) continue;
    loss_bits.push_back(slot.loss * labels * trainings);
    energy.push_back(sum);
  }
  loss_bits.push_back(one.data * trainings);
  energy.push_back(sum);
  learn::CodeLengths all = one;
  for (double* bits : {&all.uniform, &all.data, &all.model, &all.two_part, &all.prequential,
                       &all.learned_net, &all.model_raw})
    *bits *= trainings;
  return learn::learning_cycle(all, loss_bits, energy, Energy{}, kLimitTemperature);
}

/// What a row of the second question says besides: passes, bits, and how far the schedule came.
Json most_quality_json(const LaneOutcome& outcome, const Job& job, const learn::Learner& learner,
                       const std::vector<ledger::SlotEntry>& slots) {
  Json mode_steps = Json::object();
  double bits = 0.0;
  std::uint64_t before = 0;
  for (const ledger::SlotEntry& slot : slots) {
    const std::uint64_t steps = slot.steps - before;
    before = slot.steps;
    if (steps == 0) continue;
    mode_steps[slot.mode] = mode_steps.value(slot.mode, std::uint64_t{0}) + steps;
    for (const site::Mode& mode : job.modes)
      if (mode.name == slot.mode) bits += static_cast<double>(steps) * mode.bits;
  }
  return Json{{"schedule_steps", learner.total_steps()},
              {"schedule_phase", learner.schedule().phase(learner.steps_done())},
              {"mode_steps", mode_steps},
              {"mean_bits", or_null(before > 0 ? bits / static_cast<double>(before) : kNaN)},
              {"owed_j", outcome.owed.in(joule)},
              {"unused_j", outcome.unused.in(joule)}};
}

/// Of most quality: by what is certified.
std::string quality_comparison_json(const std::vector<ledger::Entry>& entries) {
  std::string best, best_fixed, hindsight;
  double most = -kInfinity, most_fixed = most, most_hindsight = most;
  double ours = kNaN, once = kNaN;
  for (const ledger::Entry& entry : entries) {
    const auto* end = std::get_if<ledger::LaneEnd>(&entry);
    if (end == nullptr) continue;
    const Json row = Json::parse(end->result_json);
    if (!row["quality"]["low"].is_number() || end->outcome == "diverged") continue;
    const double low = row["quality"]["low"];
    const auto keep = [&](double& value, std::string& name) {
      if (low <= value) return;
      value = low;
      name = end->policy;
    };
    if (end->policy.starts_with("hindsight:")) {
      keep(most_hindsight, hindsight);
      continue;
    }
    keep(most, best);
    if (end->policy.starts_with("fixed:")) keep(most_fixed, best_fixed);
    if (end->policy == "adaptive") ours = low;
    if (end->policy == "plan-once") once = low;
  }
  const auto named = [](const std::string& name) { return name.empty() ? Json() : Json(name); };
  return Json{{"best", named(best)},
              {"best_fixed", named(best_fixed)},
              {"best_hindsight", named(hindsight)},
              {"hindsight_quality", or_null(most_hindsight)},
              {"gain_over_plan_once", or_null(ours - once)},
              {"hindsight_gain_over_plan_once", or_null(most_hindsight - once)},
              {"bound", nullptr}}
      .dump();
}

}  // namespace

std::string facts_json(const std::vector<std::string>& policies, const RunOptions& options,
                       const site::Scenario& scenario, const Environment& environment,
                       const Job& job, const learn::EnergyTable& table,
                       const learn::Learner& learner, const learn::Split& split) {
  Json modes = Json::array(), rows = Json::array(), signals = Json::array();
  for (const site::Mode& mode : job.modes)
    modes.push_back(Json{{"name", mode.name},
                         {"bits", mode.bits},
                         {"steps_per_second", mode.steps_per_second},
                         {"static_power_w", mode.static_power.in(watt)},
                         {"dynamic_power_w", mode.dynamic_power.in(watt)},
                         {"step_energy_j", mode.step_energy().in(joule)}});
  for (const learn::CostRow& row : table.rows())
    rows.push_back(Json{{"key", row.key},
                        {"energy_pj", row.energy.in(picojoule)},
                        {"low_pj", row.low.in(picojoule)},
                        {"high_pj", row.high.in(picojoule)},
                        {"per_second", row.per_second},
                        {"source", row.source}});
  for (const SignalNote& note : environment.notes)
    signals.push_back(Json{{"name", note.signal}, {"source", note.source}});
  const learn::Dataset& train = split.train;
  const double uniform = train.is_regression() ? kNaN : learn::uniform_length(train);
  const site::SiteOptions& site = scenario.site;
  Json facts{
      {"modes", modes},
      {"scaling", {{"trainings", job.trainings}, {"text", job.scaling_text}}},
      {"energy_table", rows},
      {"site",
       {{"name", site.name},
        {"export_limit_w",
         or_null(site.export_limit < 1e300 * watt ? site.export_limit.in(watt) : std::nan(""))},
        {"import_limit_w", site.import_limit.in(watt)},
        {"rated_it_w", site.hall.rated().in(watt)},
        {"battery_j", site.battery.capacity.in(joule)},
        {"computing_uses", std::string(site::to_text(site.computing_uses))}}},
      {"work",
       {{"learner", scenario.work.learner},
        {"data", train.name},
        {"data_source", train.source},
        {"metric", train.is_regression() ? "r2" : "accuracy"},
        {"minimum_quality", scenario.work.minimum_quality},
        {"epochs", scenario.work.epochs},
        {"steps", learner.total_steps()},
        {"labels", train.rows},
        {"held_out_rows", split.test.rows},
        {"uniform_bits", or_null(uniform)}}},
      {"start", environment.start.iso8601()},
      {"deadline", environment.end().iso8601()},
      {"slot_s", environment.slot.time().in(second)},
      {"temperature_k", kLimitTemperature.in(kelvin)},
      {"signals", signals},
      {"objective",
       {{"carbon_price_eur_per_t", scenario.objective.carbon_price.in(euro_per_tonne)},
        {"own_value_eur_per_mwh", scenario.objective.own_value.in(euro_per_megawatt_hour)},
        {"delay_price_eur_per_h", scenario.objective.delay_price.in(euro_per_hour)}}},
      {"policies", policies},
      {"precisions", options.precisions.empty() ? default_precisions() : options.precisions},
      {"overrides", options.overrides},
      {"scenario_file", scenario.file},
      {"data_dir", options.data_dir},
      {"instruction_set", learn::instruction_set()},
      {"notes",
       {"Learning is real; the site and its clock are simulated.",
        "Joules are modelled: exact counts of operations and bytes times the energy table, the "
        "hall's "
        "power and PUE as the scenario states. No sensor took part.",
        "A forecast knows the past and documents issued beforehand, never the truth ahead; only "
        "`oracle` knows it, to say what is possible."}}};
  if (scenario.objective.most_quality()) {
    facts["objective"]["maximise"] = "quality";
    facts["objective"]["purchases_j"] = scenario.objective.purchases.in(joule);
    facts["work"]["steps_per_pass"] =
        static_cast<double>(learner.total_steps()) / scenario.work.epochs;
  }
  return facts.dump();
}

ledger::LaneEnd lane_end(const LaneFacts& facts, const Job& job, const learn::EnergyTable& table,
                         learn::Learner& learner, const learn::Split& split,
                         const LaneOutcome& outcome, const std::vector<ledger::Entry>& entries) {
  const ledger::LaneTotals sums = ledger::totals(entries).at(0);
  const std::vector<ledger::SlotEntry> slots = slots_of(entries);

  ledger::LaneEnd end;
  end.policy = facts.policy;
  end.stopped = outcome.stopped;
  if (learner.diverged()) {
    end.outcome = "diverged";
  } else if (outcome.certified) {
    end.outcome = "target-reached";
  } else if (!outcome.deadline_passed) {
    end.outcome = "infeasible";
  } else {
    end.outcome = facts.feasible ? "deadline-missed" : "infeasible";
    if (!facts.feasible) end.stopped += "; no plan could have met it with this power";
  }

  // What was learned, as code lengths on the training labels; a report's question, not the job's
  // work.
  const learn::Counters counted = learner.counters() - outcome.instrument;
  std::string last_mode = job.modes.front().name;
  std::uint64_t steps_before = 0;
  for (const ledger::SlotEntry& slot : slots) {
    // A mode that was paid towards and not entered is not the model's.
    if (slot.steps > steps_before) last_mode = slot.mode;
    steps_before = slot.steps;
  }
  const learn::Precision precision = learn::Precision::parse(last_mode);
  const learn::Quality on_train = learner.evaluate(split.train, precision);
  const learn::CodeLengths bits =
      learn::code_lengths(learner, split.train, on_train, precision.master);
  const double labels = static_cast<double>(split.train.rows);

  // The interval of energy: the table's, relative to its value, at the same boundary.
  const Estimate<Energy> chip = table.energy(counted);
  const double low = chip.value() > Energy{} ? chip.low() / chip.value() : 1.0;
  const double high = chip.value() > Energy{} ? chip.high() / chip.value() : 1.0;
  const double energy = sums.facility.in(joule);
  const double learned = std::max(0.0, bits.uniform - bits.data) * job.trainings;
  const double floor_j = (landauer_bound(kLimitTemperature) * (learned * bit)).in(joule);

  Json mode_seconds = Json::object(), operations = Json::object(), bytes = Json::object();
  for (const auto& [mode, time] : sums.mode_time)
    mode_seconds[mode.empty() ? "paused" : mode] = time.in(second);
  for (int k = 0; k < static_cast<int>(learn::OperationKind::kCount); ++k)
    operations[std::string(learn::key(static_cast<learn::OperationKind>(k)))] =
        counted.operations[k];
  for (int k = 0; k < static_cast<int>(learn::MemoryLevel::kCount); ++k)
    bytes[std::string(learn::key(static_cast<learn::MemoryLevel>(k)))] = counted.bytes[k];

  const std::vector<std::string> sources{table.name(), "scenario:site"};
  Json quality{
      {"metric", outcome.quality.metric.empty() ? (split.test.is_regression() ? "r2" : "accuracy")
                                                : outcome.quality.metric},
      {"value", or_null(outcome.evaluated ? outcome.quality.value : std::nan(""))},
      {"low", or_null(outcome.evaluated ? outcome.certificate.lower_bound : std::nan(""))},
      {"high", or_null(outcome.evaluated ? outcome.certificate.upper_bound : std::nan(""))},
      {"certified", outcome.certified},
      {"split", "held-out"}};
  Json result{
      {"policy", facts.policy},
      {"outcome", end.outcome},
      {"stopped", end.stopped},
      {"quality", quality},
      {"duration_s", outcome.duration.in(second)},
      {"energy_j", figure(energy, energy * low, energy * high, "modelled", "facility", sources)},
      {"own_energy_j", (sums.own_used + sums.discharged).in(joule)},
      {"grid_energy_j", sums.grid.in(joule)},
      {"curtailed_j", sums.curtailed.in(joule)},
      {"exported_j", sums.exported.in(joule)},
      {"carbon_g", figure(sums.carbon.in(gram), sums.carbon.in(gram)*low, sums.carbon.in(gram)*high,
                          "modelled", "facility", sources)},
      {"cost_eur", figure(sums.cost.in(euro), sums.cost.in(euro), sums.cost.in(euro), "modelled",
                          "facility", {"scenario:objective"})},
      {"bits_learned", learned},
      {"bits_per_j", energy > 0 ? learned / energy : 0.0},
      {"times_above_landauer", or_null(floor_j > 0 ? energy / floor_j : std::nan(""))},
      {"mode_seconds", mode_seconds},
      {"cap_violations", sums.cap_violations},
      {"balance_residual", sums.worst_residual},
      {"bits", code_length_json(bits)},
      {"cycle", energy > 0 && learner.steps_done() > 0
                    ? cycle_json(cycle_of(slots, bits, labels, job.trainings))
                    : Json(nullptr)},
      {"operations", operations},
      {"bytes_moved", bytes},
      {"steps", learner.steps_done()},
      {"measured",
       {{"training_cpu_s", facts.training_cpu_seconds},
        {"note",
         "CPU seconds of the one real training on this machine; not part of any joule above"}}}};
  if (facts.most_quality) result["most_quality"] = most_quality_json(outcome, job, learner, slots);
  end.result_json = result.dump();
  return end;
}

std::string comparison_json(const std::vector<ledger::Entry>& entries,
                            const std::optional<control::OracleSolution>& oracle,
                            bool most_quality) {
  if (most_quality) return quality_comparison_json(entries);
  std::string best, best_fixed;
  std::string best_static;  // fixed or switched beforehand, in hindsight
  double best_cost = kInfinity, best_fixed_cost = best_cost, best_static_cost = best_cost;
  double adaptive_cost = kNaN;
  Json oracle_row;
  for (const ledger::Entry& entry : entries) {
    const auto* end = std::get_if<ledger::LaneEnd>(&entry);
    if (end == nullptr) continue;
    const Json row = Json::parse(end->result_json);
    if (end->policy == "oracle") {
      oracle_row = row;
      continue;
    }
    if (end->outcome != "target-reached") continue;
    const double cost = row["cost_eur"]["value"];
    if (cost < best_cost) {
      best_cost = cost;
      best = end->policy;
    }
    if (end->policy.starts_with("fixed:") && cost < best_fixed_cost) {
      best_fixed_cost = cost;
      best_fixed = end->policy;
    }
    if ((end->policy.starts_with("fixed:") || end->policy.starts_with("switch:")) &&
        cost < best_static_cost) {
      best_static_cost = cost;
      best_static = end->policy;
    }
    if (end->policy == "adaptive") adaptive_cost = cost;
  }
  Json bound;
  if (oracle && oracle->feasible) {
    bound = Json{{"policy", "oracle"},
                 {"cost_eur", std::min(best_cost, oracle->cost.in(euro))},
                 {"proven_cost_eur", oracle->bound.in(euro)},
                 {"duration_s", oracle->duration.in(second)}};
    if (!oracle_row.is_null()) {
      // What a policy did is possible as well.
      bound["cost_eur"] = std::min<double>(best_cost, oracle_row["cost_eur"]["value"]);
      bound["duration_s"] = oracle_row["duration_s"];
      bound["grid_energy_j"] = oracle_row["grid_energy_j"];
      bound["energy_j"] = oracle_row["energy_j"]["value"];
    }
  }
  return Json{{"best", best.empty() ? Json(nullptr) : Json(best)},
              {"best_fixed", best_fixed.empty() ? Json(nullptr) : Json(best_fixed)},
              {"best_static", best_static.empty() ? Json(nullptr) : Json(best_static)},
              {"adaptive_over_best_static",
               or_null(best_static.empty() ? kNaN : adaptive_cost / best_static_cost)},
              {"bound", bound}}
      .dump();
}

}  // namespace carnot::train
