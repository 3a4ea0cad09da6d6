// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/report/learn/views.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/view_parts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

using experiment::DrivenMemory;
using experiment::ExperimentPoint;
using experiment::ExperimentResult;
using experiment::Mismatch;
using experiment::NoisyLearning;
using experiment::ThermodynamicBounds;

/// Area under the curve of effective temperature times k_B ln 2: the energy of the learn leg.
Energy area(const learn::LearningCycle& c) {
  Energy sum;
  for (std::size_t i = 1; i < c.curve.size(); ++i) {
    const double bits = c.curve[i - 1].remaining_bits - c.curve[i].remaining_bits;
    const Temperature mean = 0.5 * (c.curve[i - 1].temperature + c.curve[i].temperature);
    sum += bits * bit * landauer_bound(mean);
  }
  return sum;
}

Temperature learn_temperature(const learn::LearningCycle& c) {
  for (const learn::CycleLeg& leg : c.legs)
    if (leg.leg == "learn") return leg.temperature;
  return {};
}

double per_joule(const ExperimentPoint& p) {
  return p.cycle.total > Energy{} ? p.cycle.bits_learned / p.cycle.total.in(joule) : 0.0;
}

/// Bits a joule over those of the run in f32 of the same knobs; NaN where there is none.
double over_f32(const ExperimentResult& r, const ExperimentPoint& p) {
  for (const ExperimentPoint& other : r.points)
    if ((other.precision == "f32" || other.precision == "32") && other.hidden == p.hidden &&
        other.seed == p.seed && other.tree.leaves == p.tree.leaves && per_joule(other) > 0.0)
      return per_joule(p) / per_joule(other);
  return kNaN;
}

std::string kelvin_text(Temperature t) { return figure_text(t.in(kelvin)) + " K"; }

ViewTable legs_of(const ExperimentResult& r) {
  ViewTable table({{"run", "", 100, true},
                   {"leg", "", 99, true},
                   {"from", "kbit", 80},
                   {"to", "kbit", 79},
                   {"energy", "", 95},
                   {"temperature", "", 90}});
  const std::vector<std::string> names = run_names(r);
  for (std::size_t i = 0; i < r.points.size(); ++i)
    for (const learn::CycleLeg& leg : r.points[i].cycle.legs)
      table.row(
          {names[i], leg.leg, fmt::format("{:.2f}", leg.entropy_bits_from / 1e3),
           fmt::format("{:.2f}", leg.entropy_bits_to / 1e3), joules_text(leg.energy.in(joule)),
           leg.temperature > Temperature{} ? kelvin_text(leg.temperature) : ""},
          i == r.best && leg.leg == "learn");
  return table;
}

ViewTable sums_of(const ExperimentResult& r) {
  ViewTable table({{"run", "", 100, true},
                   {"learned", "kbit", 90},
                   {"total", "", 89},
                   {"efficiency", "", 88},
                   {"bits a joule", "", 87},
                   {"over f32", "", 80},
                   {"quality", "", 70}});
  const std::vector<std::string> names = run_names(r);
  for (std::size_t i = 0; i < r.points.size(); ++i) {
    const ExperimentPoint& p = r.points[i];
    const double gain = over_f32(r, p);
    table.row({names[i], fmt::format("{:.2f}", p.cycle.bits_learned / 1e3),
               joules_text(p.cycle.total.in(joule)), figure_text(p.cycle.efficiency),
               figure_text(per_joule(p)), std::isfinite(gain) ? fmt::format("{:.2f}", gain) : "n/a",
               quality_text(p.quality.value, p.quality.metric)},
              i == r.best);
  }
  return table;
}

ViewTable bounds_of(const ThermodynamicBounds& b) {
  ViewTable table({{"bound", "", 100, true},
                   {"setting", "", 95, true},
                   {"least", "nat", 90},
                   {"found", "nat", 90},
                   {"holds", "", 99}});
  for (const NoisyLearning& l : b.learning)
    table.row({"Goldt-Seifert", fmt::format("alpha {:g}, nu {:g}", l.alpha, l.nu),
               figure_text(l.information), figure_text(l.entropy + l.heat),
               l.efficiency <= 1.0 ? "yes" : "NO"});
  for (const DrivenMemory& m : b.memory)
    table.row({"Still", fmt::format("flip {:g}, relax {:g}", m.flip, m.relax),
               figure_text(m.memory - m.prediction), figure_text(m.dissipated),
               m.dissipated >= m.memory - m.prediction - 1e-12 ? "yes" : "NO"});
  for (const Mismatch& m : b.mismatches)
    table.row({"mismatch", m.map, figure_text(m.formula), figure_text(m.heat - m.least),
               std::abs(m.heat - m.least - m.formula) < 1e-12 ? "yes, equal" : "NO"});
  return table;
}

std::string cycle_finding(const ExperimentResult& r) {
  if (r.points.empty()) return "No run.";
  const ExperimentPoint& p = r.points[r.best];
  return fmt::format(
      "The best run learned {} for {}: an effective temperature of {} where the room has {}, "
      "efficiency {}.",
      bits_text(p.cycle.bits_learned), joules_text(p.cycle.total.in(joule)),
      kelvin_text(learn_temperature(p.cycle)), "300 K", figure_text(p.cycle.efficiency));
}

std::string figure(const ExperimentResult& r) {
  std::vector<double> temperature{300.0};
  double most = 1.0;
  for (const ExperimentPoint& p : r.points)
    for (const auto& c : p.cycle.curve) {
      temperature.push_back(c.temperature.in(kelvin));
      most = std::max(most, c.remaining_bits);
    }
  svg::Drawing drawing(kViewWidth, kViewHeight, "Kolmogorov learning cycle",
                       "Effective temperature against the bits of labels still to be told");
  svg::Axes axes;
  axes.x = svg::linear(0.0, most, kViewLeft, kViewRight);
  axes.y = wide_scale(temperature, kViewBottom, kViewTop);
  axes.x_title = "labels still to be told S, bit";
  axes.y_title = "effective temperature, K";
  svg::axes(drawing, axes);
  const std::vector<std::string> names = run_names(r);
  for (std::size_t i = 0; i < r.points.size(); ++i) {
    const auto& curve = r.points[i].cycle.curve;
    if (curve.empty()) continue;
    const std::string style = fmt::format("s{}", i % 8 + 1);
    std::vector<double> x, y;
    for (const auto& c : curve) {
      x.push_back(axes.x.clipped(c.remaining_bits));
      y.push_back(axes.y.clipped(std::max(c.temperature.in(kelvin), 1.0)));
    }
    drawing.path(svg::polyline(x, y), style, names[i]);
    // Reset: what is left is erased at the temperature of the room.
    const double floor = axes.y.clipped(300.0);
    drawing.path(svg::polyline({x.back(), x.back(), axes.x.clipped(0.0)}, {y.back(), floor, floor}),
                 style + " dash", names[i] + ": erased at 300 K");
  }
  const double room = axes.y.clipped(300.0);
  drawing.line(kViewLeft, room, kViewRight, room, "rule dash");
  return html::figure(
      drawing.finish(),
      "From right to left the labels are learned at the effective temperature; then "
      "what no model tells is erased at 300 K. k_B ln 2 times the area under a line "
      "is its energy.",
      true);
}

}  // namespace

std::string cycle_json(const ExperimentResult& r, const ThermodynamicBounds& b) {
  Json runs = Json::array();
  const std::vector<std::string> names = run_names(r);
  for (std::size_t i = 0; i < r.points.size(); ++i) {
    const ExperimentPoint& p = r.points[i];
    Json legs = Json::array();
    for (const learn::CycleLeg& leg : p.cycle.legs)
      legs.push_back({{"leg", leg.leg},
                      {"entropy_bits_from", leg.entropy_bits_from},
                      {"entropy_bits_to", leg.entropy_bits_to},
                      {"energy_j", leg.energy.in(joule)},
                      {"temperature_k", leg.temperature.in(kelvin)}});
    Json curve = Json::array();
    for (const auto& c : p.cycle.curve)
      curve.push_back(
          {{"remaining_bits", c.remaining_bits}, {"temperature_k", c.temperature.in(kelvin)}});
    runs.push_back({{"run", names[i]},
                    {"precision", p.precision},
                    {"legs", std::move(legs)},
                    {"total_j", p.cycle.total.in(joule)},
                    {"bits_learned", p.cycle.bits_learned},
                    {"efficiency", p.cycle.efficiency},
                    {"bits_per_j", per_joule(p)},
                    {"bits_per_j_over_f32", number_or_null(over_f32(r, p))},
                    {"area_j", area(p.cycle).in(joule)},
                    {"quality", number_or_null(p.quality.value)},
                    {"curve", std::move(curve)}});
  }
  Json learning = Json::array(), memory = Json::array(), mismatches = Json::array();
  for (const NoisyLearning& l : b.learning)
    learning.push_back({{"alpha", l.alpha},
                        {"nu", l.nu},
                        {"information_nats", l.information},
                        {"entropy_nats", l.entropy},
                        {"heat_nats", l.heat},
                        {"efficiency", l.efficiency},
                        {"error_measured", l.error_measured},
                        {"error_formula", l.error_formula}});
  for (const DrivenMemory& m : b.memory)
    memory.push_back({{"flip", m.flip},
                      {"bias", m.bias},
                      {"relax", m.relax},
                      {"memory_nats", m.memory},
                      {"prediction_nats", m.prediction},
                      {"dissipated_by_jumps_nats", m.dissipated_by_jumps},
                      {"dissipated_nats", m.dissipated}});
  for (const Mismatch& m : b.mismatches)
    mismatches.push_back({{"map", m.map},
                          {"actual", m.actual},
                          {"designed", m.designed},
                          {"heat_nats", m.heat},
                          {"least_nats", m.least},
                          {"formula_nats", m.formula}});
  const Json out{{"schema", "carnot.cycle/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"seed", r.seed},
                 {"learner", r.learner},
                 {"data", {{"source", r.data_source}, {"rows", r.train_rows}}},
                 {"ambient_k", 300.0},
                 {"best", r.best},
                 {"runs", std::move(runs)},
                 {"bounds",
                  {{"noisy_learning", std::move(learning)},
                   {"driven_memory", std::move(memory)},
                   {"mismatch", std::move(mismatches)}}}};
  return out.dump(2) + "\n";
}

std::string cycle_terminal(const ExperimentResult& r, const ThermodynamicBounds& b, int width,
                           bool colour) {
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  std::string out =
      lines_of(fmt::format("{} on {}", r.learner, printable(r.data_source)), width) + "\n";
  out += legs_of(r).terminal(room, colour) + "\n" + sums_of(r).terminal(room, colour) + "\n";
  if (!b.learning.empty()) out += bounds_of(b).terminal(room, colour) + "\n";
  return out + lines_of(cycle_finding(r), width);
}

std::string cycle_html(const ExperimentResult& r, const ThermodynamicBounds& b) {
  std::string body = html::heading(1, "The learning cycle") +
                     html::paragraph(cycle_finding(r), "answer") + figure(r) +
                     sums_of(r).html("Runs") + legs_of(r).html("Legs");
  if (!b.learning.empty()) body += bounds_of(b).html("Bounds, on systems followed exactly");
  body += html::data_link("These figures as carnot.cycle/1", "cycle.json", cycle_json(r, b));
  return html::page("carnot learn cycle", body + made_how(r.data_source, r.command));
}

}  // namespace carnot::report
