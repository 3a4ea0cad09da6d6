// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/report/assess/report.hpp"

#include "report/assess/words.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

namespace {

std::string without_units(const std::string& text) {
  const std::size_t head = text.find('\n');
  const std::size_t units = text.find('\n', head + 1);
  return text.substr(0, head + 1) + text.substr(units + 1);
}

std::string bullets(const std::vector<std::string>& lines, std::size_t width) {
  std::string out;
  for (const std::string& line : lines) {
    bool first = true;
    for (const std::string& part : wrapped(printable(line), width - 4)) {
      out += (first ? "  - " : "    ") + part + "\n";
      first = false;
    }
  }
  return out;
}

std::string files_text(const assess::Assessment& a, const AssessView& view) {
  Column file{"file", "", 9, {}, true}, format{"kind", "", 8, {}, true}, rows{"rows", "", 8, {}},
      counted{"estimated", "", 7, {}}, none{"no energy", "", 5, {}}, twice{"duplicate", "", 6, {}},
      unknown{"unknown", "", 7, {}};
  std::vector<std::string> markers;
  for (const assess::EvidenceFile& f : a.evidence.files) {
    file.cells.push_back(cut(printable(f.name), 36));
    format.cells.push_back(f.format.empty() ? "not read" : f.format);
    rows.cells.push_back(count_text(static_cast<double>(f.rows)));
    Column* columns[] = {&counted, &none, &twice, &unknown};
    for (std::size_t i = 0; i < assess::kOutcomes; ++i)
      columns[i]->cells.push_back(count_text(static_cast<double>(f.outcome_rows[i])));
    markers.push_back("  ");
  }
  return without_units(text_table({file, format, rows, counted, none, twice, unknown}, markers,
                                  view.width, view.colour));
}

std::string activities_text(const assess::Assessment& a, const AssessView& view) {
  constexpr std::size_t kRows = 15;
  Column what{"activity", "", 9, {}, true}, where{"place", "", 6, {}, true},
      energy{"facility", "", 9, {}}, range{"90 %", "", 5, {}}, carbon{"carbon", "", 8, {}},
      by{"best evidence", "", 4, {}, true};
  std::vector<std::string> markers;
  for (std::size_t i = 0; i < a.graph.activities.size() && i < kRows; ++i) {
    const assess::Activity& one = a.graph.activities[i];
    const assess::ActivityFootprint& f = a.footprint.parts[i];
    what.cells.push_back(cut(printable(one.what), 40));
    where.cells.push_back(f.grid);
    energy.cells.push_back(spent_text(f.facility.value().in(joule)));
    range.cells.push_back(assess_ratio(f.facility.core()));
    carbon.cells.push_back(mass_text((f.operational.value() + f.embodied.value()).in(gram)));
    by.cells.push_back(assess_evidence(one));
    markers.push_back("  ");
  }
  std::string out = without_units(
      text_table({what, where, energy, range, carbon, by}, markers, view.width, view.colour));
  if (a.graph.activities.size() > kRows)
    out += fmt::format("  … {} more\n", a.graph.activities.size() - kRows);
  return out;
}

std::string actions_text(const assess::Assessment& a, const AssessView& view) {
  Column title{"action", "", 9, {}, true}, alone{"alone", "", 7, {}}, share{"share", "", 9, {}},
      chance{"saves at all", "", 8, {}}, once{"once", "EUR", 6, {}}, yearly{"a year", "EUR", 6, {}};
  std::vector<std::string> markers;
  for (std::size_t i = 0; i < a.actions.actions.size(); ++i) {
    const assess::Action& x = a.actions.actions[i];
    title.cells.push_back(cut(x.title, 44));
    alone.cells.push_back(mass_text(x.saved_g));
    share.cells.push_back(mass_text(x.share_g));
    chance.cells.push_back(fmt::format("{:.0f} %", 100 * x.probability));
    once.cells.push_back(fmt::format("{:.0f}", x.one_off_eur));
    yearly.cells.push_back(fmt::format("{:+.0f}", x.yearly_eur));
    markers.push_back((a.actions.best.set >> i & 1) != 0 ? "> " : "  ");
  }
  return text_table({title, alone, share, chance, once, yearly}, markers, view.width, view.colour);
}

}  // namespace

std::string assess_terminal(const assess::Assessment& a, const AssessView& view) {
  std::string out;
  const auto head = [&](const std::string& text) {
    out += "\n" + strong(text, view.colour) + "\n";
  };
  const std::vector<std::string> answer = assess_answer(a);
  for (const std::string& sentence : answer)
    for (const std::string& line : wrapped(sentence, view.width)) out += line + "\n";
  head("Files");
  out += files_text(a, view);
  if (!a.graph.activities.empty()) {
    head("Where it goes");
    out += activities_text(a, view);
  }
  if (!a.actions.actions.empty()) {
    head("What to do: grams a year, together");
    out += actions_text(a, view);
    out += bullets(assess_plan(a), view.width);
  }
  if (!a.data.empty()) {
    head("What to measure next");
    out += bullets(assess_data(a, 3), view.width);
  }
  if (const auto doubts = assess_doubts(a); !doubts.empty()) {
    head("What is not certain");
    out += bullets(doubts, view.width);
  }
  return out;
}

}  // namespace carnot::report
