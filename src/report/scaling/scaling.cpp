// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/scaling/scaling.hpp"

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

std::vector<std::string> cells(const std::string& what, const model::FittedValue& v) {
  return {what, fmt::format("{:.4g}", v.value), fmt::format("{:.4g} … {:.4g}", v.low, v.high)};
}

Json fitted_json(const model::FittedValue& v) {
  return {{"value", number_or_null(v.value)},
          {"low", number_or_null(v.low)},
          {"high", number_or_null(v.high)}};
}

Json power_json(const ScalingReport& r) {
  const model::PowerLaw& p = *r.power;
  Json targets = Json::array();
  for (const double t : r.targets)
    targets.push_back({{"error", t}, {"effort", fitted_json(p.effort_for(t))}});
  return {{"effort", printable(r.effort)},
          {"error", printable(r.error)},
          {"points", p.points},
          {"resamples", p.resamples},
          {"scale", fitted_json(p.scale)},
          {"exponent", fitted_json(p.exponent)},
          {"effort_for_half", fitted_json(p.half)},
          {"r2", p.r2},
          {"targets", std::move(targets)}};
}

Json two_terms_json(const ScalingReport& r) {
  const model::TwoTermLaw& l = *r.two_terms;
  Json optima = Json::array();
  for (const double c : r.flops)
    optima.push_back({{"flop", c},
                      {"parameters", l.best.optimal_parameters(c)},
                      {"tokens_per_parameter", fitted_json(l.tokens_per_parameter(c))}});
  return {
      {"points", l.points},          {"resamples", l.resamples}, {"floor", fitted_json(l.floor)},
      {"a", fitted_json(l.a)},       {"b", fitted_json(l.b)},    {"alpha", fitted_json(l.alpha)},
      {"beta", fitted_json(l.beta)}, {"huber", l.huber},         {"optima", std::move(optima)}};
}

}  // namespace

std::string scaling_terminal(const ScalingReport& r, std::size_t width, bool colour) {
  std::string out;
  const auto words = [&](const std::string& text) {
    for (const std::string& line : wrapped(text, width)) out += line + "\n";
  };
  if (r.power) {
    const model::PowerLaw& p = *r.power;
    words(fmt::format("{} = a {}^-b, of {} points in {}", printable(r.error), printable(r.effort),
                      p.points, printable(r.source)));
    RowTable table({"", "value", "90 %"});
    table.row(cells("a", p.scale));
    table.row(cells("b", p.exponent));
    table.row(cells("effort for half the error, x", p.half), true);
    for (const double t : r.targets)
      table.row(cells(fmt::format("{} for {:g}", printable(r.effort), t), p.effort_for(t)));
    out += "\n" + table.text(width, colour) + "\n";
    words(fmt::format("R2 of the logarithms {:.3f}; {} refits.", p.r2, p.resamples));
    if (p.exponent.low <= 0)
      words("The error may not fall with effort at all: there is no upper end to what half takes.");
    for (const double t : r.targets)
      if (p.effort_for(t).value > 10 * r.greatest_effort)
        words(fmt::format("{:g}: more than ten times the greatest effort tried: extrapolated.", t));
    words("A floor that the points do not reach would make every factor greater.");
  }
  if (r.two_terms) {
    const model::TwoTermLaw& l = *r.two_terms;
    words(fmt::format("L = E + A N^-alpha + B D^-beta, of {} points in {}", l.points,
                      printable(r.source)));
    RowTable table({"", "value", "90 %"});
    table.row(cells("E", l.floor));
    table.row(cells("A", l.a));
    table.row(cells("B", l.b));
    table.row(cells("alpha", l.alpha));
    table.row(cells("beta", l.beta));
    for (const double c : r.flops)
      table.row(
          cells(fmt::format("tokens a parameter at {:.3g} FLOP", c), l.tokens_per_parameter(c)),
          true);
    out += "\n" + table.text(width, colour) + "\n";
    words(fmt::format("Huber loss of ln L {:.2e} a point; {} refits.", l.huber, l.resamples));
  }
  return out;
}

std::string scaling_json(const ScalingReport& r) {
  return Json{{"schema", "carnot.scaling/1"},
              {"carnot", std::string(kVersion)},
              {"command", r.command},
              {"source", printable(r.source)},
              {"power_law", r.power ? power_json(r) : Json()},
              {"two_terms", r.two_terms ? two_terms_json(r) : Json()}}
             .dump(2) +
         "\n";
}

}  // namespace carnot::report
