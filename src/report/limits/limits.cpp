// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/limits/limits.hpp"

#include <array>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/circuit/cmos.hpp"
#include "carnot/model/circuit/technologies.hpp"
#include "carnot/model/circuit/transistor_operations.hpp"
#include "carnot/model/facility/heat.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

constexpr std::array<double, 8> kColdK = {300, 77, 20, 4.2, 1, 0.1, 0.02, 0.01};
constexpr std::array<const char*, 6> kDerived = {"int4_add",     "int4_multiply", "fp8_add",
                                                 "fp8_multiply", "fp4_add",       "fp4_multiply"};

std::string energy_text(Energy e) {
  const double j = e.in(joule);
  if (j == 0) return "0 J";
  static constexpr std::array<std::pair<double, const char*>, 12> kUnits = {{{1e12, "TJ"},
                                                                             {1e9, "GJ"},
                                                                             {1e6, "MJ"},
                                                                             {1e3, "kJ"},
                                                                             {1, "J"},
                                                                             {1e-3, "mJ"},
                                                                             {1e-6, "uJ"},
                                                                             {1e-9, "nJ"},
                                                                             {1e-12, "pJ"},
                                                                             {1e-15, "fJ"},
                                                                             {1e-18, "aJ"},
                                                                             {1e-21, "zJ"}}};
  for (const auto& [size, unit] : kUnits)
    if (std::abs(j) >= size) return fmt::format("{:.3g} {}", j / size, unit);
  return fmt::format("{:.2g} zJ", j / 1e-21);
}

std::string range_text(Energy low, Energy high) {
  return low < high ? energy_text(low) + " … " + energy_text(high) : "";
}

std::string ratio_text(Energy of, Energy least) { return fmt::format("{:.1e}", of / least); }

struct Operation {
  std::string name, source, grade;
  double process_nm = 0;
  Energy value, low, high;
};

std::vector<Operation> operations() {
  std::vector<Operation> out;
  for (const model::PublishedEnergy& e : model::published_arithmetic())
    out.push_back({e.operation, e.process_nm > 20 ? "horowitz-2014" : "jouppi-2021", "estimate",
                   e.process_nm, e.picojoule * picojoule, e.picojoule * picojoule,
                   e.picojoule * picojoule});
  for (const char* each : kDerived) {
    const Estimate<Energy> e = model::TransistorModel::embedded().energy(each, 7);
    out.push_back({each, "transistor operations", "derived", 7, e.value(), e.low(), e.high()});
  }
  return out;
}

std::vector<std::pair<std::string, model::MapCost>> maps_of(const LimitsReport& r) {
  std::vector<std::pair<std::string, model::MapCost>> out;
  if (r.map) {
    out.emplace_back(r.map->name, map_cost(*r.map, r.input, r.design, r.temperature));
    return out;
  }
  for (const std::string& name : model::map_names())
    out.emplace_back(name, map_cost(model::named_map(name), {}, {}, r.temperature));
  return out;
}

std::string temperatures_text(const LimitsReport& r, std::size_t width, bool colour) {
  RowTable table({"at", "k_B T ln 2", "", "W a W, ideal", "at 18 %", "must take, of 300 K"});
  for (const double k : kColdK) {
    const Temperature t = k * kelvin;
    const EnergyPerBit each = landauer_bound(t);
    const double ideal = model::cooling_overhead(t, 300 * kelvin);
    table.row({fmt::format("{:g} K", k), energy_text(each * bit),
               fmt::format("{:.4g} meV", (each * bit).in(electronvolt)*1e3),
               fmt::format("{:.4g}", ideal), fmt::format("{:.4g}", ideal / 0.18),
               fmt::format("1/{:.4g}", 1 / model::cryogenic_break_even(t, 300 * kelvin, 0.18))},
              t == r.temperature);
  }
  return table.text(width, colour);
}

std::string maps_text(const LimitsReport& r, std::size_t width, bool colour) {
  RowTable table({"map", "S in", "S out", "drop", "mismatch", "least heat"});
  for (const auto& [name, c] : maps_of(r))
    table.row({name, fmt::format("{:.4f} bit", c.input_bits),
               fmt::format("{:.4f} bit", c.output_bits), fmt::format("{:.4f}", c.drop_bits + 0.0),
               fmt::format("{:.4f}", c.mismatch_bits), energy_text(c.flow)});
  return table.text(width, colour);
}

std::string operations_text(const LimitsReport& r, std::size_t width, bool colour) {
  const Energy least = landauer_bound(r.temperature) * bit;
  RowTable table({"operation", "takes", "likely", "process", "x k_B T ln 2"});
  for (const Operation& o : operations())
    table.row({o.name, energy_text(o.value), range_text(o.low, o.high),
               fmt::format("{:g} nm", o.process_nm), ratio_text(o.value, least)});
  return table.text(width, colour);
}

std::string technologies_text(const LimitsReport& r, std::size_t width, bool colour) {
  const Energy least = landauer_bound(r.temperature) * bit;
  RowTable table({"technology", "at the wall", "of one", "likely", "x k_B T ln 2", "at"});
  for (const model::Technology& t : model::technologies())
    table.row({cut(t.name, 34), energy_text(t.wall(r.temperature)),
               t.per == "synaptic operation" ? "synapse" : t.per,
               range_text(t.wall_low(r.temperature), t.wall_high(r.temperature)),
               ratio_text(t.wall(r.temperature), least),
               fmt::format("{:g} K", t.temperature.in(kelvin))});
  return table.text(width, colour);
}

std::string voltages_text(const LimitsReport& r, std::size_t width, bool colour) {
  const model::CmosCircuit c;
  const model::CmosPoint full = cmos_at(c, c.nominal_v, r.temperature);
  const model::CmosPoint best = minimum_energy_point(c, r.temperature);
  RowTable table({"CMOS multiply-add, 45 nm", "volt", "clock", "charge", "leakage", "operation"});
  const auto add = [&](const char* what, const model::CmosPoint& p, bool marked) {
    table.row(
        {what, fmt::format("{:.3f}", p.supply_v), fmt::format("{:.3g} MHz", p.frequency_hz / 1e6),
         energy_text(p.dynamic), energy_text(p.leakage), energy_text(p.total)},
        marked);
  };
  add("nominal", full, false);
  add("least energy", best, true);
  return table.text(width, colour);
}

std::string trainings_text(const LimitsReport& r, std::size_t width, bool colour) {
  RowTable table({"training", "published", "how known", "2 N D k_B T", "ratio", "N", "D"});
  for (const model::PublishedTraining& run : model::training_runs()) {
    const Energy least = model::training_bound(run.parameters, run.tokens, r.temperature);
    table.row({run.name, energy_text(run.energy), std::string(name(run.grade)), energy_text(least),
               ratio_text(run.energy, least), fmt::format("{:.3g}", run.parameters),
               fmt::format("{:.3g}", run.tokens)});
  }
  return table.text(width, colour);
}

Json temperatures_json() {
  Json rows = Json::array();
  for (const double k : kColdK) {
    const Temperature t = k * kelvin;
    rows.push_back({{"temperature_k", k},
                    {"landauer_j", (landauer_bound(t) * bit).in(joule)},
                    {"carnot_w_per_w", model::cooling_overhead(t, 300 * kelvin)},
                    {"break_even_share", model::cryogenic_break_even(t, 300 * kelvin, 0.18)}});
  }
  return rows;
}

Json maps_json(const LimitsReport& r) {
  Json rows = Json::array();
  for (const auto& [name, c] : maps_of(r))
    rows.push_back({{"map", name},
                    {"input_bits", c.input_bits},
                    {"output_bits", c.output_bits},
                    {"drop_bits", c.drop_bits},
                    {"mismatch_bits", c.mismatch_bits},
                    {"flow_bits", c.flow_bits},
                    {"flow_j", c.flow.in(joule)}});
  return rows;
}

Json operations_json(Energy least) {
  Json rows = Json::array();
  for (const Operation& o : operations())
    rows.push_back({{"operation", o.name},
                    {"process_nm", o.process_nm},
                    {"value_j", o.value.in(joule)},
                    {"low_j", o.low.in(joule)},
                    {"high_j", o.high.in(joule)},
                    {"over_landauer", o.value / least},
                    {"grade", o.grade},
                    {"source", o.source}});
  return rows;
}

Json technologies_json(Temperature room) {
  Json rows = Json::array();
  for (const model::Technology& t : model::technologies())
    rows.push_back({{"id", t.id},
                    {"kind", t.kind},
                    {"name", t.name},
                    {"per", t.per},
                    {"value_j", t.value},
                    {"low_j", t.low},
                    {"high_j", t.high},
                    {"temperature_k", t.temperature.in(kelvin)},
                    {"cooler_share_of_carnot", t.cooler_efficiency},
                    {"wall_j", t.wall(room).in(joule)},
                    {"wall_low_j", t.wall_low(room).in(joule)},
                    {"wall_high_j", t.wall_high(room).in(joule)},
                    {"over_landauer", t.wall(room) / (landauer_bound(room) * bit)},
                    {"grade", name(t.grade)},
                    {"year", t.year},
                    {"source", t.source},
                    {"licence", t.licence}});
  return rows;
}

Json trainings_json(Temperature temperature) {
  Json rows = Json::array();
  for (const model::PublishedTraining& run : model::training_runs()) {
    const Energy least = model::training_bound(run.parameters, run.tokens, temperature);
    rows.push_back({{"id", run.id},
                    {"name", run.name},
                    {"parameters", run.parameters},
                    {"tokens", run.tokens},
                    {"energy_j", run.energy.in(joule)},
                    {"grade", name(run.grade)},
                    {"bound_j", least.in(joule)},
                    {"ratio", run.energy / least},
                    {"year", run.year},
                    {"source", run.source},
                    {"licence", run.licence}});
  }
  return rows;
}

Json point_json(const model::CmosPoint& p) {
  return {{"supply_v", p.supply_v},
          {"frequency_hz", p.frequency_hz},
          {"dynamic_j", p.dynamic.in(joule)},
          {"leakage_j", p.leakage.in(joule)},
          {"total_j", p.total.in(joule)}};
}

}  // namespace

std::string limits_terminal(const LimitsReport& r, std::size_t width, bool colour) {
  const Energy least = landauer_bound(r.temperature) * (r.bits * bit);
  std::string out;
  const auto words = [&](const std::string& text) {
    for (const std::string& line : wrapped(text, width)) out += line + "\n";
  };
  words(fmt::format(
      "Erasing {:g} bit at {:g} K costs at least k_B T ln 2 x bits = {:.6g} J = {:.6g} eV", r.bits,
      r.temperature.in(kelvin), least.in(joule), least.in(electronvolt)));
  words("(Landauer 1961; Boltzmann's constant exact, SI 2019)");
  if (r.before && r.after) {
    const Energy work = model::kolmogorov_work(*r.before, *r.after, r.temperature);
    words(fmt::format(
        "Kolmogorov work: {:g} bit of data shortened to {:g} may give {} at most; erasing what is "
        "left takes {} at least.",
        r.before->in(bit), r.after->in(bit), energy_text(work),
        energy_text(landauer_bound(r.temperature) * *r.after)));
  }
  out += "\n" + maps_text(r, width, colour);
  words("Heat of a map: S(p) - S(Pp) + mismatch, x k_B T ln 2 (Wolpert 2019).");
  out += "\n" + temperatures_text(r, width, colour);
  words("W a W: electricity for a watt lifted to 300 K; 18 % of Carnot is a large 4 K plant.");
  out += "\n" + operations_text(r, width, colour) + "\n" + voltages_text(r, width, colour) + "\n" +
         technologies_text(r, width, colour);
  words("Cells and devices alone, cold ones with their cooler. Orders of magnitude.");
  out += "\n" + trainings_text(r, width, colour);
  words(
      "2 N D k_B T: least of quasi-static analogue networks (arXiv 2503.09980). TDP: hours times a "
      "rating, no measurement. None of these ratios is a saving to be had.");
  return out;
}

std::string limits_json(const LimitsReport& r) {
  const Energy least = landauer_bound(r.temperature) * (r.bits * bit);
  const model::CmosCircuit c;
  Json work;
  if (r.before && r.after)
    work = {{"before_bits", r.before->in(bit)},
            {"after_bits", r.after->in(bit)},
            {"work_j", model::kolmogorov_work(*r.before, *r.after, r.temperature).in(joule)},
            {"erasing_rest_j", (landauer_bound(r.temperature) * *r.after).in(joule)}};
  const Json out = {{"schema", "carnot.limits/1"},
                    {"carnot", std::string(kVersion)},
                    {"command", r.command},
                    {"temperature_k", r.temperature.in(kelvin)},
                    {"bits", r.bits},
                    {"landauer_j", least.in(joule)},
                    {"landauer_ev", least.in(electronvolt)},
                    {"kolmogorov_work", std::move(work)},
                    {"maps", maps_json(r)},
                    {"temperatures", temperatures_json()},
                    {"operations", operations_json(landauer_bound(r.temperature) * bit)},
                    {"cmos",
                     {{"nominal", point_json(cmos_at(c, c.nominal_v, r.temperature))},
                      {"least", point_json(minimum_energy_point(c, r.temperature))},
                      {"least_supply_v", model::least_supply_v(c.slope, r.temperature)},
                      {"race_to_idle_w", race_to_idle_power(c, r.temperature).in(watt)}}},
                    {"technologies", technologies_json(r.temperature)},
                    {"training", trainings_json(r.temperature)}};
  return out.dump(2) + "\n";
}

}  // namespace carnot::report
