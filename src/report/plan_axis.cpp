// SPDX-License-Identifier: Apache-2.0
#include "report/plan_axis.hpp"

#include "report/words.hpp"

namespace carnot::report {

PlanAxis plan_axis(const plan::Problem& problem, double left) {
  PlanAxis out;
  const double slots = problem.slots, seconds = slots * problem.slot_s;
  out.slot = svg::linear(0, slots, left, PlanAxis::kRight);
  const Unit unit = time_unit(seconds);
  const double whole = seconds * unit.factor, per_slot = problem.slot_s * unit.factor;
  // Hours read best by days.
  const double day = unit.name == "h" && whole >= 48 ? 24 : 0;
  std::vector<double> marks;
  for (double at = 0; day > 0 && at <= whole * (1 + 1e-9); at += day * (whole > 480 ? 2 : 1))
    marks.push_back(at);
  if (marks.empty()) marks = svg::ticks(svg::linear(0, whole, 0, 1), 8);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : whole;
  for (const double at : marks) out.marks.emplace_back(at / per_slot, svg::tick_text(at, step));
  out.title = "time, " + unit.name;
  return out;
}

void PlanAxis::draw(svg::Drawing& drawing, double foot) const {
  for (const auto& [at, words] : marks) {
    drawing.line(slot.at(at), foot, slot.at(at), foot + 4, "axis");
    drawing.text(slot.at(at), foot + 18, words, "tick middle");
  }
  drawing.text((slot.from + slot.to) / 2, foot + 38, title, "label middle");
}

}  // namespace carnot::report
