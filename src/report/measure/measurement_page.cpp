// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/draw/html.hpp"
#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_figure.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kProcesses = 40;

std::string percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "";
}

std::string range_of(const Estimate<Energy>& e) {
  return fmt::format("{} to {}", joules_in_words(e.low().in(joule)),
                     joules_in_words(e.high().in(joule)));
}

std::string answer_paragraph(const measure::Measurement& m) {
  const std::string machine = interval_in_words(m.machine_energy);
  std::string words =
      fmt::format("The machine used {} in {}.", machine, seconds_in_words(m.duration_s));
  if (!m.job_method.empty()) {
    words = fmt::format("It used {} in {}, of {} that the machine used in that time.",
                        interval_in_words(m.energy), seconds_in_words(m.duration_s), machine);
  }
  words += m.machine_energy.origin() == Origin::Measured
               ? " Energy is measured; the ranges hold nine times in ten."
               : fmt::format(
                     " No sensor says how much: energy is {}, and the ranges hold nine times "
                     "in ten.",
                     name(m.machine_energy.origin()));
  return html::paragraph(words, "answer");
}

std::string cards(const measure::Measurement& m) {
  const model::Account& a = m.account;
  const auto note = [](auto&& e, auto&& words) {
    return fmt::format("{} … {}", words(e.low().base()), words(e.high().base()));
  };
  return html::cards(
      {{joules_in_words(m.energy.value().in(joule)),
        m.job_method.empty() ? "energy of the machine" : "energy of the job",
        fmt::format("{}, {}", name(m.energy.origin()),
                    note(m.energy, [](double j) { return joules_in_words(j); }))},
       {watts_in_words(m.power.value().in(watt)), "mean power",
        fmt::format("machine: {} static, {}", watts_in_words(m.static_power.value().in(watt)),
                    name(m.static_power.origin()))},
       {seconds_in_words(m.cpu_s), "CPU time",
        fmt::format("{}; in {}", m.job_method.empty() ? "whole machine" : m.job_method,
                    seconds_in_words(m.duration_s))},
       {grams_in_words(a.operational.value().in(gram)), "CO2 equivalent of its use",
        note(a.operational, grams_in_words)},
       {grams_in_words(a.embodied.value().in(gram)), "share of making the machine",
        note(a.embodied, grams_in_words)},
       {euros_in_words(a.cost.value().in(euro)), "cost", note(a.cost, euros_in_words)}});
}

std::string process_table(const measure::Measurement& m) {
  const double total = m.machine_energy.value().in(joule);
  std::vector<html::Row> rows;
  for (const measure::MeasuredProcess& p : top_processes(m, kProcesses)) {
    const double joules = p.energy.in(joule);
    rows.push_back({{printable(p.name), p.pid > 0 ? std::to_string(p.pid) : "",
                     p.cpu_s > 0 ? seconds_in_words(p.cpu_s) : "", joules_in_words(joules),
                     percent(joules, total)},
                    p.pid > 0 ? "" : "quiet"});
  }
  rows.push_back({{"machine", "", "", joules_in_words(total), percent(total, total)}, "best"});
  return html::table("Rows sum to the machine's energy",
                     {{"who", false}, {"pid"}, {"CPU time"}, {"energy"}, {"share"}}, rows);
}

std::string domain_table(const measure::Measurement& m) {
  std::vector<html::Row> rows;
  for (const measure::MeasuredDomain& d : m.domains) {
    rows.push_back(
        {{d.label.empty() ? d.id : d.label, joules_in_words(d.energy.value().in(joule)),
          range_of(d.energy), std::string(name(d.energy.origin())), d.source, d.role, d.reason},
         d.role == "counted" ? "" : "quiet"});
  }
  return html::table("Counted domains sum to the machine; the others contain or repeat them",
                     {{"domain", false},
                      {"energy"},
                      {"90 %"},
                      {"origin", false},
                      {"source", false},
                      {"role", false},
                      {"why", false}},
                     rows);
}

std::string window_table(const measure::Measurement& m) {
  if (m.windows.empty()) return {};
  std::vector<html::Row> rows;
  for (const measure::MeasuredWindow& w : m.windows) {
    rows.push_back(
        {{w.label, seconds_in_words(w.from_s), seconds_in_words(w.to_s - w.from_s),
          joules_in_words(w.job_energy.in(joule)),
          joules_in_words(w.machine_energy.value().in(joule)), range_of(w.machine_energy)},
         ""});
  }
  return html::heading(2, "Windows") +
         html::table(
             "Windows that overlap count the same joules twice",
             {{"window", false}, {"from"}, {"length"}, {"energy"}, {"machine"}, {"machine, 90 %"}},
             rows);
}

std::string account_section(const measure::Measurement& m) {
  const model::Account& a = m.account;
  std::vector<html::Row> rows{
      {{"at the facility's meter", interval_in_words(a.facility),
        std::string(name(a.facility.origin())),
        a.pue_known ? fmt::format("PUE {:g}", a.pue) : "PUE not stated: nothing added"},
       ""},
      {{"carbon of its use", interval_in_words(a.operational),
        std::string(name(a.operational.origin())), place_in_words(m)},
       ""},
      {{"share of making the machine", interval_in_words(a.embodied),
        std::string(name(a.embodied.origin())), "time used over the machine's life"},
       ""},
      {{"cost", interval_in_words(a.cost), std::string(name(a.cost.origin())), a.price_source}, ""},
      {{"scope 2", interval_in_words(a.scope2), std::string(name(a.scope2.origin())),
        "location-based, for an owner of the machine"},
       "quiet"},
      {{"scope 3", interval_in_words(a.scope3), std::string(name(a.scope3.origin())),
        "for an owner of the machine"},
       "quiet"}};
  if (!a.functional_unit.empty()) {
    rows.push_back({{"SCI per " + a.functional_unit, interval_in_words(a.sci),
                     std::string(name(a.sci.origin())), "ISO/IEC 21031:2024"},
                    ""});
  }
  std::string out =
      html::heading(2, "Carbon and cost") +
      html::table("", {{"what", false}, {"figure"}, {"origin", false}, {"by", false}}, rows);
  for (const std::string& remark : a.remarks) out += html::paragraph(remark, "note");
  return out;
}

std::string foundations(const measure::Measurement& m) {
  std::string out = html::heading(2, "What the figures stand on");
  out += html::paragraph(fmt::format(
      "{} of static and {} of dynamic energy: static power, {} ({}), is what the machine draws "
      "however idle; the rest is divided by CPU time. Who pays for static energy: {}. carnot "
      "itself "
      "used {} of CPU time for {} samples.",
      joules_in_words(m.static_energy.in(joule)), joules_in_words(m.dynamic_energy.in(joule)),
      interval_in_words(m.static_power), name(m.static_power.origin()), m.static_policy,
      seconds_in_words(m.meter_cpu_s), m.samples));
  for (const std::string& gap : gaps_in_words(m)) {
    out += html::paragraph("Not observed: " + gap + ".", "warning");
  }
  for (const auto& [reason, remedy] : m.notes) {
    out += html::paragraph(reason, "note");
    if (!remedy.empty()) {
      out += fmt::format("<pre class=\"remedy\">{}</pre>\n", escape(remedy));
    }
  }
  return out;
}

}  // namespace

std::string measurement_html(const measure::Measurement& m) {
  std::string body = html::heading(1, subject(m));
  body += html::paragraph(
      fmt::format("{} · {} · carnot {}", outcome_in_words(m), m.started, m.carnot_version),
      "kicker");
  if (!m.complete) {
    body += html::paragraph(
        "This measurement was cut short: its figures are of the time up to the "
        "last sample.",
        "warning");
  }
  body += answer_paragraph(m) + cards(m);
  if (const std::string figure = measurement_figure(m); !figure.empty()) {
    body += html::heading(2, "Power over time");
    body += html::figure(figure,
                         "Areas are counted domains; their sum is the machine. Shaded: a figure is "
                         "not known there.",
                         true);
  }
  body += html::heading(2, "Who used it") + process_table(m);
  body += html::heading(2, "Where") + domain_table(m);
  body += window_table(m) + account_section(m) + foundations(m);
  if (!m.command.empty()) {
    body += html::paragraph("Command", "kicker") +
            fmt::format("<pre>{}</pre>\n", escape(printable(m.command)));
  }
  body +=
      html::data_link("These figures as carnot.measure/1", "measurement.json", measurement_json(m));
  return html::page("carnot measure: " + subject(m), body, measurement_figure_css());
}

}  // namespace carnot::report
