// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/report/assess/report.hpp"

#include "report/assess/figures.hpp"
#include "report/assess/words.hpp"
#include "report/draw/html.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

std::string list(const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string out = "<ul class=\"plain\">\n";
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", escape(line));
  return out + "</ul>\n";
}

std::string files_table(const assess::Assessment& a) {
  std::vector<html::Row> rows;
  for (const assess::EvidenceFile& f : a.evidence.files) {
    html::Row row{{printable(f.name), f.format.empty() ? "not read" : f.format,
                   count_text(static_cast<double>(f.rows))},
                  ""};
    for (const std::uint64_t n : f.outcome_rows)
      row.cells.push_back(count_text(static_cast<double>(n)));
    std::string money;
    for (const auto& [currency, sums] : f.money) {
      double total = 0;
      for (const auto& sum : sums) total += sum.value();
      money += fmt::format("{}{:.2f} {}", money.empty() ? "" : "; ", total, printable(currency));
    }
    row.cells.push_back(money);
    rows.push_back(std::move(row));
  }
  return html::table("Each row has one outcome",
                     {{"file", false},
                      {"kind", false},
                      {"rows"},
                      {"estimated"},
                      {"no energy"},
                      {"duplicate"},
                      {"unknown"},
                      {"billed"}},
                     rows);
}

std::string reasons_table(const assess::Assessment& a) {
  std::vector<html::Row> rows;
  for (const assess::EvidenceFile& f : a.evidence.files)
    for (const auto& [reason, s] : f.settled)
      rows.push_back({{printable(f.name), printable(reason), std::string(name(s.outcome)),
                       count_text(static_cast<double>(s.rows)),
                       s.first_line > 0 ? std::to_string(s.first_line) : ""},
                      ""});
  return html::table(
      "Why each row ends as it does",
      {{"file", false}, {"reason", false}, {"outcome", false}, {"rows"}, {"first line"}}, rows);
}

std::string activities_table(const assess::Assessment& a) {
  constexpr std::size_t kMost = 60;
  std::vector<html::Row> rows;
  for (std::size_t i = 0; i < a.graph.activities.size() && i < kMost; ++i) {
    const assess::Activity& one = a.graph.activities[i];
    const assess::ActivityFootprint& f = a.footprint.parts[i];
    const Estimate<Carbon> grams = f.operational + f.embodied;
    std::string files;
    for (const std::string& file : one.files)
      files += (files.empty() ? "" : ", ") + printable(file);
    rows.push_back({{fmt::format("A{} {}", i + 1, printable(one.what)), one.provider, f.grid_name,
                     one.unit.empty() ? count_text(one.machine_hours) + " h"
                                      : count_text(one.amount) + " " + one.unit,
                     spent_range(f.facility.value().in(joule), f.facility.low().in(joule),
                                 f.facility.high().in(joule)),
                     mass_text(grams.value().in(gram)), assess_evidence(one), cut(files, 60)},
                    ""});
  }
  if (a.graph.activities.size() > kMost)
    rows.push_back({{fmt::format("… {} more in the document", a.graph.activities.size() - kMost),
                     "", "", "", "", "", "", ""},
                    "quiet"});
  return html::table("Activities",
                     {{"activity", false},
                      {"of", false},
                      {"grid", false},
                      {"how much"},
                      {"facility energy"},
                      {"carbon"},
                      {"best evidence", false},
                      {"files", false}},
                     rows);
}

std::string actions_table(const assess::Assessment& a, const std::string& chapter) {
  std::vector<html::Row> rows;
  for (std::size_t i = 0; i < a.actions.actions.size(); ++i) {
    const assess::Action& x = a.actions.actions[i];
    if (x.chapter != chapter) continue;
    rows.push_back({{x.title + (x.what.empty() ? "" : ", " + printable(x.what)),
                     fmt::format("{} ({} … {})", mass_text(x.saved_g), mass_text(x.low_g),
                                 mass_text(x.high_g)),
                     mass_text(x.share_g), fmt::format("{:.0f} %", 100 * x.probability),
                     fmt::format("{:.0f}", x.one_off_eur), fmt::format("{:+.0f}", x.yearly_eur),
                     x.payback_years ? fmt::format("{:.1f} years", *x.payback_years) : ""},
                    (a.actions.best.set >> i & 1) != 0 ? "best" : ""});
  }
  if (rows.empty())
    return html::paragraph("Nothing in the files that such an action would touch.", "quiet");
  return html::table("Grams a year",
                     {{"action", false},
                      {"alone"},
                      {"share of all together"},
                      {"saves at all"},
                      {"EUR once"},
                      {"EUR a year"},
                      {"carbon paid back"}},
                     rows);
}

std::string standard_part(const assess::Standard& s) {
  std::vector<html::Row> rows;
  for (const assess::StandardField& f : s.fields) {
    std::string value = f.text;
    if (f.value) {
      value = figure_text(*f.value, 4);
      if (f.low && f.high)
        value += fmt::format(" ({} … {})", figure_text(*f.low), figure_text(*f.high));
    }
    std::string files;
    for (const std::string& file : f.evidence)
      files += (files.empty() ? "" : ", ") + printable(file);
    rows.push_back({{f.id, f.words, f.reason.empty() ? value : f.reason, f.unit, cut(files, 60)},
                    f.reason.empty() ? "" : "quiet"});
  }
  return html::table(s.title + ": " + s.version,
                     {{"field", false},
                      {"what", false},
                      {"value", false},
                      {"unit", false},
                      {"rests on", false}},
                     rows) +
         list(s.refused);
}

}  // namespace

std::string assess_html(const assess::Assessment& a, const std::string& command) {
  std::string body = "<header>\n" + html::heading(1, "Where the organisation stands");
  body += html::paragraph(fmt::format("{} files · {} activities · carnot {}",
                                      a.evidence.files.size(), a.graph.activities.size(), kVersion),
                          "kicker");
  const std::vector<std::string> answer = assess_answer(a);
  body += html::paragraph(answer.front(), "answer");
  for (std::size_t i = 1; i < answer.size(); ++i) body += html::paragraph(answer[i]);
  body += "</header>\n";
  body += html::heading(2, "Assess");
  if (!a.graph.activities.empty())
    body += html::figure(assess_activity_figure(a),
                         "Grams of running and making; the line is the 90 % interval.", true);
  body += files_table(a) + html::details("Why each row ends as it does", reasons_table(a));
  body += activities_table(a);
  if (!a.data.empty()) body += html::heading(3, "What to measure next") + list(assess_data(a, 12));
  body += html::heading(2, "Efficient hardware and cloud") + actions_table(a, "hardware");
  body += html::heading(2, "Models and algorithms") + actions_table(a, "models");
  body += html::heading(2, "Policy") + actions_table(a, "policy");
  if (!a.actions.actions.empty()) {
    if (a.actions.front.size() > 1)
      body +=
          html::figure(assess_front_figure(a.actions),
                       "Sets of actions that no other set beats in cost and saving at once.", true);
    body += list(assess_plan(a));
  }
  body += html::heading(2, "By standard");
  for (const assess::Standard& s : a.standards) body += standard_part(s);
  body += html::heading(2, "What is not certain") + list(assess_doubts(a));
  body += html::data_link("These figures as carnot.assess/1", "assessment.json",
                          assess_json(a, command));
  return html::page("Assessment · carnot", body);
}

}  // namespace carnot::report
