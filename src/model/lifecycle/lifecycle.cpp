// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/lifecycle/lifecycle.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/model/explain/coefficients.hpp"
#include "carnot/model/lifecycle/scores.hpp"

namespace carnot::model {

namespace {

void validate(const LifeCycleOptions& o) {
  const auto check = [](const char* option, double value) {
    if (!(value >= 0) || value > 1e24) throw InputError(fmt::format("{}: from 0 to 1e24", option));
  };
  check("--train-tokens", o.training_tokens);
  check("--development", o.development);
  check("--fine-tunes", o.tunings);
  check("--fine-tune-tokens", o.tuning_tokens);
  check("--queries", o.answers);
  if (o.training_tokens <= 0 && o.answers <= 0 && o.tunings <= 0)
    throw InputError("life cycle: --train-tokens, --fine-tunes or --queries above 0");
  if ((o.tunings > 0) != (o.tuning_tokens > 0))
    throw InputError("--fine-tunes: goes with --fine-tune-tokens");
  if (o.development > 0 && o.training_tokens <= 0)
    throw InputError("--development: goes with --train-tokens");
  if (!(o.lifetime_years > 0)) throw InputError("--lifetime: years above 0");
}

}  // namespace

Embodied accelerator_embodied(const Chip& chip) {
  Embodied out;
  out.name = chip.name;
  for (const char* known : {"NVIDIA A100", "NVIDIA H100", "NVIDIA H200"})
    if (chip.name.starts_with(known)) out = embodied(known);
  if (out.source.empty()) {
    // Between the die alone and a card of the newest kind; a processor comes with its server.
    out.total = Estimate<Carbon>(150 * kilogram, 24 * kilogram, 400 * kilogram, Origin::Assumed,
                                 Boundary::None, "embodied:accelerator", {"published-range"});
    out.source = "published-range";
  }
  // A server carries eight.
  out.total = out.total + (1.0 / 8) * embodied("server").total;
  return out;
}

LifeCycle life_cycle(const ModelSource& model, const ChipCatalogue& catalogue,
                     const LifeCycleOptions& o) {
  validate(o);
  LifeCycle out;
  out.tree = EnergyTree("life cycle", o.answering.temperature);
  out.grid = grid_intensity(o.account.location);
  if (o.account.carbon_g_per_kwh)
    out.grid.intensity =
        Estimate<CarbonIntensity>::exact(*o.account.carbon_g_per_kwh * gram_per_kilowatt_hour,
                                         Origin::Published, Boundary::None, {"given"});
  struct Branch {
    std::string name;
    double times;
    const Explanation* of;
  };
  std::vector<Branch> branches;
  std::optional<Explanation> step, answer;
  if (o.training_tokens > 0 || o.tunings > 0) {
    ExplainOptions training = o.training;
    training.phase = ExplainPhase::Train;
    training.compare_formats = false;
    step = explain(model, catalogue, training);
    const double steps = o.training_tokens / step->units;
    if (o.development > 0) branches.push_back({"development", steps * o.development, &*step});
    if (steps > 0) branches.push_back({"training", steps, &*step});
    if (o.tunings > 0)
      branches.push_back({"fine-tuning", o.tunings * o.tuning_tokens / step->units, &*step});
  }
  if (o.answers > 0 || !step) {
    ExplainOptions answering = o.answering;
    answering.compare_formats = false;
    answer = explain(model, catalogue, answering);
    branches.push_back({"answering", o.answers / static_cast<double>(answering.batch), &*answer});
  }
  for (const Branch& b : branches) {
    const auto stage = out.tree.add(out.tree.root(), TreeLevel::Stage, b.name, b.times);
    out.tree.graft(stage, b.of->tree, b.times);
  }
  out.tree.finish();
  out.energy = out.tree.estimate(0);
  const std::vector<EnergyTree::Index> nodes = out.tree.children(0);
  const Time life = o.lifetime_years * 365.25 * day;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const Branch& b = branches[i];
    LifeStage s;
    s.name = b.name;
    s.times = b.times;
    s.energy = out.tree.estimate(nodes[i]);
    const Time chips = b.of->time.value() * (b.times * static_cast<double>(b.of->devices));
    s.chip_hours = chips.in(hour);
    s.operational = (s.energy * out.grid.intensity).at(Boundary::None);
    s.embodied = (chips / life) * accelerator_embodied(catalogue.chip(b.of->chip)).total;
    // One machine makes all: its errors are shared, so sums add them up.
    out.operational = i == 0 ? s.operational : out.operational + s.operational;
    out.embodied = i == 0 ? s.embodied : out.embodied + s.embodied;
    out.stages.push_back(std::move(s));
  }
  const EnergyCoefficient& water = CoefficientTable::embedded().at("water.on_site");
  double machine_kwh = 0;
  for (const Branch& b : branches) machine_kwh += b.of->machine.value().in(kilowatt_hour)*b.times;
  if (o.water_l_per_kwh && !(*o.water_l_per_kwh >= 0))
    throw InputError("--water: litres a kWh, 0 or more");
  const double litres = o.water_l_per_kwh.value_or(water.value);
  out.water_l =
      Estimate<double>(machine_kwh * litres, machine_kwh * (o.water_l_per_kwh ? litres : water.low),
                       machine_kwh * (o.water_l_per_kwh ? litres : water.high),
                       o.water_l_per_kwh ? Origin::Assumed : Origin::Published, Boundary::None,
                       "water", {o.water_l_per_kwh ? "given" : water.id});

  if (step && o.training_tokens > 0) {
    out.six_nd =
        training_flops_rule(static_cast<double>(step->active_parameters), o.training_tokens);
    out.exact_flops = static_cast<double>(step->phases.front().totals.counts.flops) *
                      (o.training_tokens / step->units);
    out.learning_bound = 2 * static_cast<double>(step->parameters) * o.training_tokens *
                         (boltzmann_constant * o.answering.temperature);
  }
  const auto stage_energy = [&](const std::string& name) {
    for (const LifeStage& s : out.stages)
      if (s.name == name) return s.energy.value();
    return Energy{};
  };
  if (answer) {
    out.answer =
        (1 / static_cast<double>(std::max<std::uint64_t>(1, o.answering.batch))) * answer->whole;
    const Energy made = stage_energy("training") + stage_energy("development");
    if (made > Energy{}) out.break_even_answers = made / out.answer.value();
  }
  const auto score = [&](std::initializer_list<const char*> names, double units) {
    std::optional<Estimate<Carbon>> sum;
    for (const LifeStage& s : out.stages) {
      if (std::none_of(names.begin(), names.end(), [&](const char* n) { return s.name == n; }))
        continue;
      const Estimate<Carbon> carbon = s.operational + s.embodied;
      sum = sum ? *sum + carbon : carbon;
    }
    return sum ? (1 / units) * *sum : Estimate<Carbon>();
  };
  if (answer && o.answers > 0) {
    const double units = answer->units / static_cast<double>(o.answering.batch) * o.answers;
    out.consumer = score({"answering"}, units);
    out.consumer_unit = answer->unit;
  } else {
    out.remarks.emplace_back("SCI for AI, consumer: N/A, no answers were asked for (--queries)");
  }
  if (out.exact_flops > 0) {
    out.provider = score({"development", "training", "fine-tuning"}, out.exact_flops);
    out.provider_unit = "FLOP";
    out.remarks.emplace_back(
        "SCI for AI, provider: compute of development, training and fine-tuning; data work, "
        "integration and end of life are not in it");
  } else {
    out.remarks.emplace_back(
        "SCI for AI, provider: N/A, no training was asked for (--train-tokens)");
  }
  if (step)
    for (const std::string& remark : step->remarks) out.remarks.push_back("training: " + remark);
  return out;
}

std::vector<GpaiField> gpai_fields(const Explanation& e, const std::optional<LifeCycle>& life) {
  std::vector<GpaiField> out;
  const bool trained = life && life->exact_flops > 0;
  const std::string untrained = "N/A: the training is not stated (--train-tokens)";
  const auto add = [&](const char* field, const char* unit, bool known, double value,
                       const std::string& reason) {
    out.push_back(
        {field, known ? std::optional<double>(value) : std::nullopt, unit, known ? "" : reason});
  };
  double hours = 0, joules = 0;
  if (life)
    for (const LifeStage& s : life->stages)
      if (s.name == "training") {
        hours = s.chip_hours;
        joules = s.energy.value().in(megawatt_hour);
      }
  add("parameters", "1", true, static_cast<double>(e.parameters), "");
  add("training_compute", "FLOP", trained, trained ? life->exact_flops : 0, untrained);
  add("training_energy", "MWh", trained, joules, untrained);
  add("training_chip_hours", "h", trained, hours, untrained);
  add(
      "inference_compute_per_unit", "FLOP", e.units > 0,
      [&] {
        double flops = 0;
        for (const PhaseResult& p : e.phases)
          flops += static_cast<double>(p.totals.counts.flops) * p.executions;
        return flops / std::max(e.units, 1e-300);
      }(),
      "");
  add("training_time", "d", false, 0, "N/A: wall-clock time of the run is not known here");
  add("data_size", "B", false, 0, "N/A: sizes of data sets are not known here");
  return out;
}

}  // namespace carnot::model
