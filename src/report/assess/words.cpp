// SPDX-License-Identifier: Apache-2.0
#include "report/assess/words.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/instant.hpp"

#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

std::string mass_range(const Estimate<Carbon>& e) {
  return fmt::format("{} ({} … {})", mass_text(e.value().in(gram)), mass_text(e.low().in(gram)),
                     mass_text(e.high().in(gram)));
}

std::string day_of(std::uint32_t seconds) {
  return Instant::from_unix_seconds(seconds).iso8601().substr(0, 10);
}

}  // namespace

std::string assess_ratio(const EstimateCore& f) {
  return f.value() > 0 ? fmt::format("{:.2f}–{:.2g} x", f.low() / f.value(), f.high() / f.value())
                       : "";
}

std::string assess_evidence(const assess::Activity& a) {
  double sum = 0;
  for (const double j : a.joules) sum += j;
  std::vector<std::pair<double, std::string>> parts;
  for (std::size_t k = 0; k < assess::kEvidenceKinds; ++k)
    if (a.joules[k] > 0.005 * sum)
      parts.emplace_back(a.joules[k] / sum, name(static_cast<assess::EvidenceKind>(k)));
  std::sort(parts.rbegin(), parts.rend());
  std::string out;
  for (const auto& [share, kind] : parts)
    out += (out.empty() ? "" : ", ") + kind +
           (parts.size() > 1 ? fmt::format(" {:.0f} %", 100 * share) : "");
  return out;
}

std::vector<std::string> assess_answer(const assess::Assessment& a) {
  const auto& f = a.footprint;
  std::vector<std::string> out;
  const std::string when =
      a.graph.first == assess::kNone
          ? ""
          : fmt::format(", {} to {}", day_of(a.graph.first), day_of(a.graph.last));
  out.push_back(fmt::format(
      "{} of CO2 equivalent{}: {} of electricity at the facilities, {} by making machines.",
      mass_range(f.total), when,
      spent_range(f.facility.value().in(joule), f.facility.low().in(joule),
                  f.facility.high().in(joule)),
      mass_text(f.embodied.value().in(gram))));
  std::string scopes;
  for (std::size_t i = 0; i < assess::kScopes; ++i)
    if (f.scopes[i].value() > Carbon{})
      scopes +=
          fmt::format("{}{} {}", scopes.empty() ? "" : "; ", name(static_cast<assess::Scope>(i)),
                      mass_text(f.scopes[i].value().in(gram)));
  if (!scopes.empty())
    out.push_back(
        fmt::format("As {} of the machines: {}.", name(a.options.footprint.role), scopes));
  return out;
}

std::vector<std::string> assess_plan(const assess::Assessment& a) {
  const assess::ActionPlan& p = a.actions;
  std::vector<std::string> out;
  out.push_back(
      fmt::format("All together save {} a year ({} … {}) of {}; alone they would sum to {}, which "
                  "is more than there is to be had.",
                  mass_text(p.joint_g), mass_text(p.joint_low_g), mass_text(p.joint_high_g),
                  mass_text(p.base_g), mass_text(p.sum_g)));
  if (p.sum_g <= p.joint_g)
    out.back() =
        fmt::format("All together save {} a year ({} … {}) of {}.", mass_text(p.joint_g),
                    mass_text(p.joint_low_g), mass_text(p.joint_high_g), mass_text(p.base_g));
  std::string ids;
  for (std::size_t i = 0; i < p.actions.size(); ++i)
    if ((p.best.set >> i & 1) != 0) ids += (ids.empty() ? "" : ", ") + p.actions[i].id;
  out.push_back(fmt::format("Best {}: {} for {:.0f} EUR, saving {} a year.",
                            p.budget_eur ? fmt::format("within {:.0f} EUR", *p.budget_eur)
                                         : std::string("without a limit"),
                            ids.empty() ? "nothing" : ids, p.best.cost, mass_text(p.best.saved)));
  out.emplace_back(
      "Effects and costs are assumed ranges (data/assess_actions.csv): try one before trusting "
      "it.");
  out.insert(out.end(), p.remarks.begin(), p.remarks.end());
  return out;
}

std::vector<std::string> assess_data(const assess::Assessment& a, std::size_t most) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < a.data.size() && i < most; ++i) {
    const assess::DataItem& d = a.data[i];
    out.push_back(fmt::format("{}: {} … {}, narrower by {:.0f} %", printable(d.what),
                              mass_text(d.low_g), mass_text(d.high_g), 100 * d.narrowing));
  }
  return out;
}

std::vector<std::string> assess_doubts(const assess::Assessment& a) {
  std::vector<std::string> out;
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < a.graph.overlaps.size() && i < kMost; ++i) {
    const assess::Overlap& o = a.graph.overlaps[i];
    out.push_back(fmt::format("possible overlap, {}: {} and {}: {}", spent_text(o.joules),
                              printable(o.one), printable(o.other), o.why));
  }
  for (std::size_t i = 0; i < a.evidence.unknown_machines.size() && i < kMost; ++i) {
    const assess::UnknownMachine& u = a.evidence.unknown_machines[i];
    std::string near;
    for (const std::string& one : u.nearest) near += (near.empty() ? "" : ", ") + one;
    out.push_back(fmt::format("machine not in the catalogue: {} ({:.4g} h){}", printable(u.type),
                              u.hours, near.empty() ? "" : "; nearest names " + near));
  }
  if (a.graph.unknown_hours > 0)
    out.push_back(fmt::format("machines not in the catalogue draw between {} and {}: in no total",
                              spent_text(a.graph.unknown.low().in(joule)),
                              spent_text(a.graph.unknown.high().in(joule))));
  for (const assess::EvidenceFile& f : a.evidence.files) {
    if (!f.remark.empty())
      out.push_back(fmt::format("{}: {}", printable(f.name), printable(f.remark)));
    for (std::size_t i = 0; i < f.problems.size() && i < 3; ++i)
      out.push_back(printable(f.problems[i]));
    if (f.problem_count > 3)
      out.push_back(fmt::format("{}: {} more such rows", printable(f.name), f.problem_count - 3));
  }
  for (const assess::Standard& s : a.standards)
    for (const std::string& line : s.refused) out.push_back(s.title + ": " + printable(line));
  for (const auto* list : {&a.evidence.remarks, &a.graph.remarks, &a.footprint.remarks})
    for (const std::string& line : *list) out.push_back(printable(line));
  return out;
}

}  // namespace carnot::report
