// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/explain/record.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/explain/words.hpp"
#include "report/run/facts.hpp"

namespace carnot::report {

namespace {

RecordPart part_of(std::string part, const Estimate<Energy>& e, double times = 1) {
  return {std::move(part), times * e.value().in(joule), times * e.low().in(joule),
          times * e.high().in(joule), std::string(name(e.origin()))};
}

void set_total(RecordExplained& s, const Estimate<Energy>& e) {
  s.total = s.compared_joules = e.value().in(joule);
  s.low = s.compared_low = e.low().in(joule);
  s.high = s.compared_high = e.high().in(joule);
  s.origin = name(e.origin());
  s.boundary = name(e.boundary());
}

void set_modelled(RecordExplained& s, const Estimate<Energy>& e, double times) {
  s.modelled_joules = times * e.value().in(joule);
  s.modelled_low = times * e.low().in(joule);
  s.modelled_high = times * e.high().in(joule);
}

/// Phases, and what stands beside them at the meter's boundary.
void model_of(RecordExplained& s, const model::Explanation& e, double times, bool node) {
  for (const model::PhaseResult& p : e.phases)
    s.modelled.push_back(part_of("accelerators: " + p.name, p.energy, times));
  if (node) {
    const Estimate<Energy> host = e.tree.estimate(e.tree.children(0)[e.phases.size()]);
    s.modelled.push_back(part_of("host", host, times));
  }
  set_modelled(s, node ? e.machine : e.accelerators, times);
}

std::string signed_text(double joules) {
  return (joules < 0 ? "-" : "+") + spent_text(std::abs(joules));
}

bool overlap(const RecordExplained& s) {
  return s.modelled_low <= s.compared_high && s.compared_low <= s.modelled_high;
}

std::string subject_text(const RecordExplained& s, std::size_t width, bool colour) {
  RowTable table({printable(s.subject), "energy", "share", "90 %", "origin"}, {0, 4});
  const auto range = [](double value, double low, double high) {
    return value > 0 && high > low ? fmt::format("{:.2f}–{:.2f} x", low / value, high / value) : "";
  };
  const auto share = [&](double joules) {
    // A share of hundreds says nothing that the energies beside it do not.
    return s.total > 0 && joules < 10 * s.total ? fmt::format("{:.1f} %", 100 * joules / s.total)
                                                : std::string();
  };
  table.row({"recorded total", spent_text(s.total), share(s.total), range(s.total, s.low, s.high),
             s.origin},
            true);
  for (const RecordPart& p : s.recorded)
    table.row({"  " + cut(printable(p.name), 40), spent_text(p.joules), share(p.joules),
               range(p.joules, p.low, p.high), p.origin});
  if (!s.modelled.empty()) {
    table.row(
        {"modelled, of " + s.compared, spent_text(s.modelled_joules), share(s.modelled_joules),
         range(s.modelled_joules, s.modelled_low, s.modelled_high), "modelled"},
        true);
    for (const RecordPart& p : s.modelled)
      table.row({"  " + cut(printable(p.name), 40), spent_text(p.joules), share(p.joules),
                 range(p.joules, p.low, p.high), p.origin});
    const double difference = s.compared_joules - s.modelled_joules;
    table.row(
        {"recorded less modelled", signed_text(difference),
         s.compared_joules > 0 ? fmt::format("{:+.1f} %", 100 * difference / s.compared_joules)
                               : "",
         overlap(s) ? "within" : "beyond", "difference"},
        true);
  }
  return table.text(width, colour);
}

Json part_json(const RecordPart& p) {
  return {{"name", printable(p.name)},
          {"energy_j", number_or_null(p.joules)},
          {"low_j", number_or_null(p.low)},
          {"high_j", number_or_null(p.high)},
          {"origin", p.origin}};
}

Json subject_json(const RecordExplained& s) {
  Json recorded = Json::array(), modelled = Json::array();
  for (const RecordPart& p : s.recorded) recorded.push_back(part_json(p));
  for (const RecordPart& p : s.modelled) modelled.push_back(part_json(p));
  const bool known = !s.modelled.empty();
  return {{"subject", printable(s.subject)},
          {"energy_j",
           {{"value", s.total},
            {"low", s.low},
            {"high", s.high},
            {"origin", s.origin},
            {"boundary", s.boundary}}},
          {"recorded", std::move(recorded)},
          {"compared", known ? Json(s.compared) : Json()},
          {"compared_j", known ? Json(s.compared_joules) : Json()},
          {"modelled_j", known ? Json{{"value", s.modelled_joules},
                                      {"low", s.modelled_low},
                                      {"high", s.modelled_high},
                                      {"origin", "modelled"}}
                               : Json()},
          {"modelled", std::move(modelled)},
          {"difference_j", known ? Json(s.compared_joules - s.modelled_joules) : Json()},
          {"intervals_overlap", known ? Json(overlap(s)) : Json()}};
}

}  // namespace

RecordReport explain_record(const measure::Measurement& m, const model::Explanation* of,
                            double times) {
  if (!(times > 0 && std::isfinite(times))) throw InputError("--times: a number above 0");
  RecordReport out;
  out.kind = "measurement";
  RecordExplained machine;
  machine.subject = "machine";
  set_total(machine, m.machine_energy);
  Sum<> counted;
  for (const measure::MeasuredDomain& d : m.domains) {
    if (d.role != "counted") continue;
    machine.recorded.push_back(part_of(d.label.empty() ? d.id : d.label, d.energy));
    counted += d.energy.value().in(joule);
  }
  const double rest = machine.total - counted.value();
  if (std::abs(rest) > 1e-9 * std::max(1.0, machine.total))
    machine.recorded.push_back({"not in one domain", rest, rest, rest, machine.origin});
  RecordExplained job;
  job.subject = m.job.empty() ? "job" : m.job;
  set_total(job, m.energy);
  const double others = machine.total - job.total;
  job.recorded.push_back({"its share of the machine", job.total, job.low, job.high, job.origin});
  const bool node = m.machine_energy.boundary() != Boundary::Chip;
  if (of != nullptr) {
    job.compared = node ? "the node" : "the chips";
    model_of(job, *of, times, node);
    out.remarks.push_back(fmt::format(
        "Modelled: {} x {}, by its exact counts on {}; the record's own machine may be another.",
        times, explain_subject(*of), of->chip_name));
    for (const std::string& remark : of->remarks) out.remarks.push_back("Modelled: " + remark);
  } else {
    out.remarks.emplace_back("No model was named (--of MODEL): only what the meter saw.");
  }
  if (m.machine_energy.origin() != Origin::Measured)
    out.remarks.push_back(
        fmt::format("The recorded total is {}: this machine had no sensor for all of it.",
                    name(m.machine_energy.origin())));
  if (others > 1e-9 * std::max(1.0, machine.total))
    out.remarks.push_back(
        fmt::format("{} of the machine's joules are of others and of rest ({} policy).",
                    spent_text(others), m.static_policy));
  out.subjects = {std::move(job), std::move(machine)};
  return out;
}

RecordReport explain_record(const RunResult& run) {
  const Facts facts = read_facts(run.facts_json);
  std::map<std::string, const EnergyFact*> table;
  for (const EnergyFact& e : facts.energy_table) table[e.key] = &e;
  RecordReport out;
  out.kind = "run";
  for (const LaneResult& lane : run.lanes) {
    RecordExplained s;
    s.subject = lane.policy;
    set_total(s, lane.energy);
    const double it = lane.it_energy.in(joule), dynamic = lane.dynamic_energy.in(joule);
    const bool split = std::isfinite(it) && std::isfinite(dynamic);
    if (split) {
      const auto add = [&](const char* what, double joules) {
        s.recorded.push_back({what, joules, joules, joules, "modelled"});
      };
      add("cooling, conversion and standby", s.total - it);
      add("nodes that idle", it - dynamic);
      add("switched by the work", dynamic);
      s.compared = "what the work switched";
      s.compared_joules = s.compared_low = s.compared_high = dynamic;
      Sum<> value, low, high;
      for (const auto& [key, count] : lane.operations) {
        const auto row = table.find(key);
        if (row == table.end() || !(count > 0)) continue;
        const double each = count * facts.trainings * 1e-12;
        s.modelled.push_back({key, each * row->second->energy_pj, each * row->second->low_pj,
                              each * row->second->high_pj, "modelled"});
        value += s.modelled.back().joules;
        low += s.modelled.back().low;
        high += s.modelled.back().high;
      }
      s.modelled_joules = value.value();
      s.modelled_low = low.value();
      s.modelled_high = high.value();
    }
    out.subjects.push_back(std::move(s));
  }
  if (!run.complete) out.remarks.emplace_back("The run did not end: its record so far.");
  out.remarks.emplace_back(
      "The record is the ledger of a simulated site: its joules are modelled too, from power over "
      "time. Modelled here: counted operations x the run's own table of energies; what moving "
      "bytes took is in the difference.");
  return out;
}

std::string record_terminal(const RecordReport& r, std::size_t width, bool colour) {
  std::string out;
  for (const RecordExplained& s : r.subjects) out += subject_text(s, width, colour) + "\n";
  for (const std::string& remark : r.remarks)
    for (const std::string& line : wrapped(remark, width)) out += line + "\n";
  return out;
}

std::string record_json(const RecordReport& r) {
  Json subjects = Json::array(), remarks = Json::array();
  for (const RecordExplained& s : r.subjects) subjects.push_back(subject_json(s));
  for (const std::string& remark : r.remarks) remarks.push_back(printable(remark));
  return Json{{"schema", "carnot.explain-run/1"},
              {"carnot", std::string(kVersion)},
              {"command", r.command},
              {"kind", r.kind},
              {"subjects", std::move(subjects)},
              {"remarks", std::move(remarks)}}
             .dump(2) +
         "\n";
}

}  // namespace carnot::report
