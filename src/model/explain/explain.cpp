// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/explain.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

#include "model/explain/branch.hpp"
#include "model/explain/phases.hpp"

namespace carnot::model {

namespace {

double real(std::uint64_t x) { return static_cast<double>(x); }

/// Joules of all accelerators and seconds, of one execution of a phase.
struct PhaseCost {
  double joules = 0, seconds = 0, bubble_seconds = 0;
};

PhaseCost cost_of(const OperatorModel& machine, const PhasePlan& phase, const ExplainPlan& plan) {
  const double stage = real(plan.split.tensor) * real(plan.split.data);
  Sum<> joules, seconds;
  for (const Operator& op : phase.workload.operators) {
    const OperatorEnergy e = machine.energy(op, plan.split);
    joules += e.joules * stage * real(op.repeats);
    seconds += e.seconds * real(op.repeats);
  }
  PhaseCost cost;
  const double stages = real(plan.split.pipeline);
  cost.seconds = seconds.value() / stages;
  // Stages wait at the beginning and the end of a batch; a decoded token leaves none idle if as
  // many batches are in flight as there are stages.
  if (plan.split.pipeline > 1 && phase.name == "train")
    cost.bubble_seconds = cost.seconds * (stages - 1) / real(plan.micro_batches);
  cost.seconds += cost.bubble_seconds;
  cost.joules = joules.value() +
                cost.bubble_seconds * machine.idle_power().in(watt)*real(plan.split.devices());
  return cost;
}

/// Bytes that one chip must hold.
std::uint64_t held(const PhasePlan& phase, const ExplainPlan& plan) {
  const Workload& w = phase.workload;
  const double shards = real(plan.split.tensor) * real(plan.split.pipeline);
  double bytes = real(w.parameters) * plan.format.weight_bytes / shards;
  if (w.weight_bytes > 0 && plan.kind != "transformer") bytes = real(w.weight_bytes);
  // Gradients, two moments and a master copy of the weights.
  if (plan.training) bytes += real(w.parameters) * (plan.format.weight_bytes + 12) / shards;
  bytes += (real(w.cache_bytes) + real(w.activation_bytes)) / (shards * real(plan.split.data));
  return static_cast<std::uint64_t>(bytes);
}

/// The product with weights that works most, on one device: its rows are tokens at a time.
struct MainProduct {
  double m = 1, n = 1, k = 1;
};

MainProduct main_product(const PhasePlan& phase, const ExplainSplit& split) {
  double most = 0;
  MainProduct out;
  for (const Operator& op : phase.workload.operators) {
    const auto* shape = std::get_if<GemmShape>(&op.shape);
    if (shape == nullptr || op.weight_type == DataType::Undefined) continue;
    const double work = real(op.counts.macs) * real(op.repeats);
    if (work > most) {
      most = work;
      out = {real(shape->m) / real(split.data), real(shape->n) / real(split.tensor),
             real(shape->k)};
    }
  }
  return out;
}

/// Of the measured ratios, the sizes that this product is one of; empty: of none.
std::string measured_size(const MainProduct& p) {
  const bool wide = std::min(p.n, p.k) >= 4096;
  if (p.m <= 16) return wide ? "small" : "small_any";
  return p.m >= 4096 && wide ? "large" : "";
}

std::optional<PhaseTotal> total_of(const ExplainOptions& o, const PhasePlan& phase,
                                   const ExplainPlan& plan, const Chip& chip) {
  if (!o.phase_model) return std::nullopt;
  PhaseRequest request;
  request.phase = phase.name;
  request.workload = &phase.workload;
  request.chip = &chip;
  request.split = plan.split;
  request.format = plan.format;
  request.batch = phase.batch;
  request.context = phase.context;
  request.framework = o.framework;
  std::optional<PhaseTotal> total = o.phase_model(request);
  if (total && !(total->energy.value() > Energy{} && total->time.value() > Time{}))
    throw InputError("phase model: joules and seconds above 0");
  return total;
}

void add_phase(Explanation& out, const OperatorModel& machine, const PhasePlan& phase,
               const ExplainPlan& plan, const ExplainOptions& o) {
  PhaseResult r;
  r.name = phase.name;
  r.executions = phase.executions;
  r.units = phase.units * phase.executions;
  r.unit = phase.unit;
  r.totals = totals(phase.workload);
  r.rows = main_product(phase, plan.split).m;
  r.memory_bytes = held(phase, plan);
  r.node = out.tree.add(out.tree.root(), TreeLevel::Phase, phase.name, phase.executions);
  const PhaseCost cost = cost_of(machine, phase, plan);
  const std::optional<PhaseTotal> total = total_of(o, phase, plan, machine.chip());
  const double joules = total ? total->energy.value().in(joule) : cost.joules;
  const double seconds = total ? total->time.value().in(second) : cost.seconds;
  // Kernels that take more than the whole ran beside each other: all shrink alike.
  const double shrink = std::min(1.0, joules / std::max(cost.joules, 1e-300));
  BranchWriter writer(out.tree, machine, plan.split, o.most_operators);
  writer.write(r.node, phase.workload, phase.executions * shrink);
  if (cost.bubble_seconds > 0) {
    Activity a;
    a.static_power = machine.idle_power() * real(plan.split.devices());
    a.owned_time = cost.bubble_seconds * phase.executions * shrink * second;
    a.low_ratio = 0.5;
    a.high_ratio = 2;
    a.cause = "pipeline bubble";
    a.constant = machine.chip().id + ":idle";
    out.tree.add_leaf(r.node, TreeLevel::Operator, "pipeline bubble: stages that wait", a);
  }
  if (total) {
    const double gap = std::max(0.0, joules - cost.joules) * phase.executions;
    Activity a;
    a.count = phase.executions;
    a.unit = "execution";
    a.coefficient = gap / phase.executions * joule;
    a.cause = "phase total";
    a.constant = total->source;
    a.low_ratio = 0;
    a.high_ratio = 2;
    out.tree.add_leaf(r.node, TreeLevel::Operator, "launch gaps, host and scheduling", a);
    out.tree.calibrate(r.node, std::min(1.0, total->energy.low() / total->energy.value()),
                       std::max(1.0, total->energy.high() / total->energy.value()), "phase total");
    r.source = total->source;
    if (shrink < 1)
      out.remarks.push_back(
          fmt::format("{}: the whole takes {:.0f} % of the sum of its kernels, "
                      "which ran beside each other; all are scaled by that",
                      phase.name, 100 * shrink));
  }
  r.mean_power = joules / real(plan.split.devices()) / std::max(seconds, 1e-300) * watt;
  const double length = seconds * phase.executions;
  // Filled from the tree once it is finished; the time's error is that of its joules.
  r.time = Estimate<Time>::exact(length * second, Origin::Modelled, Boundary::None);
  if (total)
    r.time =
        Estimate<Time>(total->time.value() * phase.executions, total->time.low() * phase.executions,
                       total->time.high() * phase.executions, total->time.origin(), Boundary::None,
                       "phase total", {total->source});
  out.phases.push_back(std::move(r));
}

void finish_phases(Explanation& out) {
  for (PhaseResult& r : out.phases) {
    r.energy = out.tree.estimate(r.node);
    if (!r.source.empty()) continue;
    const EnergyTree::Node& node = out.tree.node(r.node);
    const Time t = r.time.value();
    const double low = node.joules > 0 ? node.low / node.joules : 1;
    const double high = node.joules > 0 ? node.high / node.joules : 1;
    r.time =
        Estimate<Time>(t, low * t, high * t, node.origin, Boundary::None, "tree:" + r.name, {});
  }
}

bool accelerator(const Chip& chip) {
  return chip.at("tdp").value >= 200 &&
         (chip.find("bf16") != nullptr || chip.find("fp16") != nullptr);
}

void add_host(Explanation& out, const Chip& chip, const ExplainOptions& o, Time length,
              double devices) {
  const CoefficientTable& table = CoefficientTable::embedded();
  Activity a;
  a.owned_time = length;
  a.boundary = Boundary::Node;
  a.cause = "host";
  a.origin = Origin::Assumed;
  if (o.host_power) {
    if (!(*o.host_power >= Power{})) throw InputError("--host-power: 0 W or more");
    a.static_power = devices * *o.host_power;
    a.constant = "given";
  } else {
    const bool large = accelerator(chip);
    const EnergyCoefficient& c = table.at(large ? "host.per_accelerator" : "host.share_of_tdp");
    a.static_power = devices * c.value * (large ? 1 : chip.at("tdp").value) * watt;
    a.low_ratio = c.low / c.value;
    a.high_ratio = c.high / c.value;
    a.constant = c.id;
    a.grade = c.grade;
  }
  out.tree.add_leaf(out.tree.root(), TreeLevel::Phase, "host: processors, memory, fans, supplies",
                    a);
}

void add_facility(Explanation& out, const ExplainOptions& o, double machine_joules) {
  if (!o.pue) return;
  if (!(*o.pue >= 1 && *o.pue <= 10)) throw InputError("--pue: from 1 to 10");
  Activity a;
  a.count = machine_joules;
  a.unit = "J";
  a.coefficient = (*o.pue - 1) * joule;
  a.boundary = Boundary::Facility;
  a.cause = "facility";
  a.constant = "given: PUE";
  a.origin = Origin::Assumed;
  out.tree.add_leaf(out.tree.root(), TreeLevel::Phase, "cooling and power conversion (PUE - 1)", a);
}

/// What is to be said of a narrow format that the model finds dearer than bf16.
std::string more_for_less(const FormatRow& row, const MainProduct& main) {
  const std::string shapes =
      std::min(main.n, main.k) >= 4096 ? "products with n, k >= 4096" : "products of any n and k";
  std::string out = fmt::format(
      "{}: fewer bits cost more: {} takes {:.2f} x the joules of bf16 at m = {:.0f} rows a product",
      row.phase, row.format, row.over_bf16, main.m);
  if (row.measured_ratio > 1)
    return out +
           fmt::format(
               " ({} were measured at {:.2f} x [{}]); quantising, scales and waiting outweigh "
               "the bytes saved",
               shapes, row.measured_ratio, row.measured_id);
  if (row.measured_ratio > 0)
    return fmt::format(
        "{}: {} takes {:.2f} x the joules of bf16 by the model, but {} were measured at {:.2f} x "
        "[{}]: the model overstates here",
        row.phase, row.format, row.over_bf16, shapes, row.measured_ratio, row.measured_id);
  return out + (row.measured ? ", by the model alone" : ", by kernels of other cards: rough");
}

void compare_formats(Explanation& out, const ModelSource& model, const Chip& chip,
                     const ExplainOptions& o, const ExplainPlan& plan) {
  if (!o.compare_formats || plan.training || plan.kind != "transformer") return;
  std::vector<double> bf16;
  for (const std::string_view name : {"bf16", "fp8", "fp8_block", "int4", "nvfp4"}) {
    if (name == "nvfp4" && chip.find("fp4") == nullptr) continue;
    if ((name == "fp8" || name == "fp8_block") && chip.find("fp8") == nullptr) continue;
    ExplainOptions other = o;
    other.format = name;
    const ExplainPlan its = explain_plan(model, other);
    const OperatorModel machine(chip, its.format, its.cache, o.framework, o.power_limit);
    for (std::size_t i = 0; i < its.phases.size(); ++i) {
      const PhaseCost cost = cost_of(machine, its.phases[i], its);
      if (name == "bf16") bf16.push_back(cost.joules);
      FormatRow row;
      row.format = name;
      row.phase = its.phases[i].name;
      row.joules_per_unit = cost.joules / std::max(its.phases[i].units, 1.0);
      row.seconds = cost.seconds;
      row.over_bf16 = cost.joules / bf16[i];
      row.measured = machine.has_kernels() &&
                     KernelModel::embedded()
                         .find(KernelClass::Gemm, its.format.kernel, o.framework, chip)
                         .card_known;
      const MainProduct main = main_product(its.phases[i], its.split);
      if (const std::string size = measured_size(main); !size.empty()) {
        row.measured_id = fmt::format("ratio.{}.{}.{}", chip.id, name, size);
        const EnergyCoefficient* c = CoefficientTable::embedded().find(row.measured_id);
        row.measured_ratio = c != nullptr ? c->value : 0;
        if (c == nullptr) row.measured_id.clear();
      }
      if (name != "bf16" && row.over_bf16 > 1.05) out.remarks.push_back(more_for_less(row, main));
      out.formats.push_back(std::move(row));
    }
  }
}

void add_remarks(Explanation& out, const OperatorModel& machine) {
  if (!out.unknown.empty()) {
    std::string names;
    for (const UnknownOperator& u : out.unknown)
      names += (names.empty() ? "" : ", ") + fmt::format("{} ({}: {})", u.type, u.count, u.reason);
    out.remarks.push_back(
        "a lower bound: operators that are not understood are counted, not costed: " + names);
  }
  const ChipValue* memory = machine.chip().find("memory");
  for (const PhaseResult& r : out.phases) {
    if (memory == nullptr || real(r.memory_bytes) <= memory->value * 1e9) continue;
    out.remarks.push_back(fmt::format(
        "{}: does not fit: {:.0f} GB on each chip, which has {:.0f} GB; at least {:.0f} chips",
        r.name, real(r.memory_bytes) / 1e9, memory->value,
        std::ceil(real(r.memory_bytes) * real(out.devices) / (memory->value * 1e9))));
  }
  std::string sums;
  for (const PhaseResult& r : out.phases)
    if (r.source.empty()) sums += (sums.empty() ? "" : ", ") + r.name;
  if (!sums.empty())
    out.remarks.push_back(
        sums +
        ": sums of kernels: gaps between launches, waiting for other devices and restarts "
        "are not in them, so that runs take more");
  if (!machine.has_kernels())
    out.remarks.push_back(fmt::format(
        "{}: no measured kernels and no full data sheet: a roofline with assumed efficiencies",
        machine.chip().id));
  else {
    const auto row =
        KernelModel::embedded().find(KernelClass::Gemm, "bfloat16", "vllm", machine.chip());
    if (!row.twin.empty())
      out.remarks.push_back(
          fmt::format("{}: no kernel of this card was measured; those of {}, of the same build, "
                      "stand in, a tenth wider either way",
                      machine.chip().id, row.twin));
    else if (!row.card_known)
      out.remarks.push_back(fmt::format(
          "{}: no kernel of this card was measured; intervals are a rough range (held 64 to 83 % "
          "where they should hold 90)",
          machine.chip().id));
  }
}

void merge_unknown(Explanation& out, const Workload& w) {
  for (const UnknownOperator& u : w.unknown) {
    const auto same = std::find_if(out.unknown.begin(), out.unknown.end(), [&](const auto& known) {
      return known.type == u.type && known.reason == u.reason;
    });
    if (same == out.unknown.end())
      out.unknown.push_back(u);
    else
      same->count = std::max(same->count, u.count);
  }
  for (const std::string& note : w.notes)
    if (std::find(out.notes.begin(), out.notes.end(), note) == out.notes.end())
      out.notes.push_back(note);
}

}  // namespace

Explanation explain(const ModelSource& model, const ChipCatalogue& catalogue,
                    const ExplainOptions& o) {
  const Chip& chip = explain_chip(model, catalogue, o);
  const ExplainPlan plan = explain_plan(model, o);
  const OperatorModel machine(chip, plan.format, plan.cache, o.framework, o.power_limit);
  const Workload& first = plan.phases.front().workload;
  Explanation out{
      .model = o.name.empty() ? first.name : o.name,
      .source = first.source,
      .kind = plan.kind,
      .chip = chip.id,
      .chip_name = chip.name,
      .split = plan.split,
      .devices = plan.split.devices(),
      .format = plan.format.name,
      .parameters = first.parameters,
      .active_parameters = first.active_parameters,
      .unit = plan.unit,
      .units = plan.units,
      .tree = EnergyTree(plan.training ? "one step of training" : "one batch", o.temperature),
      .phases = {},
      .accelerators = {},
      .machine = {},
      .whole = {},
      .time = {},
      .formats = {},
      .unknown = {},
      .notes = {},
      .remarks = {}};
  for (const PhasePlan& phase : plan.phases) {
    merge_unknown(out, phase.workload);
    add_phase(out, machine, phase, plan, o);
  }
  Time length;
  Sum<> seconds;
  for (const PhaseResult& r : out.phases) seconds += r.time.value().in(second);
  length = seconds.value() * second;
  add_host(out, chip, o, length, real(out.devices));
  Sum<> machine_joules;
  {
    // Leaves so far are those of chips and hosts.
    for (const Activity& a : out.tree.leaves()) machine_joules += a.energy().in(joule);
  }
  add_facility(out, o, machine_joules.value());
  out.tree.finish();
  finish_phases(out);
  out.accelerators = out.phases.front().energy;
  out.time = out.phases.front().time;
  for (std::size_t i = 1; i < out.phases.size(); ++i) {
    out.accelerators = out.accelerators + out.phases[i].energy;
    out.time = out.time + out.phases[i].time;
  }
  const std::vector<EnergyTree::Index> tops = out.tree.children(out.tree.root());
  const Estimate<Energy> host = out.tree.estimate(tops[out.phases.size()]);
  out.machine = out.accelerators.at(Boundary::Node) + host;
  out.whole = out.tree.estimate(out.tree.root());
  compare_formats(out, model, chip, o, plan);
  add_remarks(out, machine);
  return out;
}

ExplainPoint point_of(const OperatorModel& machine, const ExplainPlan& plan) {
  ExplainPoint point;
  for (const PhasePlan& phase : plan.phases) {
    const PhaseCost cost = cost_of(machine, phase, plan);
    point.joules += cost.joules * phase.executions;
    point.seconds += cost.seconds * phase.executions;
  }
  point.units = plan.units;
  return point;
}

std::string explain_unit(const ModelSource& model, const ExplainOptions& o) {
  return explain_plan(model, o).unit;
}

ExplainPoint explain_point(const ModelSource& model, const ChipCatalogue& catalogue,
                           const ExplainOptions& o) {
  const Chip& chip = explain_chip(model, catalogue, o);
  const ExplainPlan plan = explain_plan(model, o);
  return point_of(OperatorModel(chip, plan.format, plan.cache, o.framework, o.power_limit), plan);
}

}  // namespace carnot::model
