// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/data/look.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kGapsShown = 5;

std::string duration_words(Duration d) {
  const std::int64_t s = d.nanoseconds() / 1'000'000'000;
  if (s > 0 && s % 86400 == 0) return fmt::format("{} d", s / 86400);
  if (s > 0 && s % 3600 == 0) return fmt::format("{} h", s / 3600);
  if (s > 0 && s % 60 == 0) return fmt::format("{} min", s / 60);
  return fmt::format("{:g} s", d.time().in(second));
}

std::string separator_words(char separator) {
  return separator == '\t' ? "tab" : separator == ';' ? "semicolon" : "comma";
}

std::string step_words(const LookedAtSeries& look) {
  if (look.finest != look.coarsest)
    return fmt::format("{} to {}, it changes", duration_words(look.finest),
                       duration_words(look.coarsest));
  return look.step > Duration{} ? duration_words(look.step) : "none that most rows share";
}

std::string times_words(const LookedAtSeries& look) {
  std::string names;
  for (const std::string& name : look.time_columns)
    names += (names.empty() ? "`" : ", `") + printable(name) + "`";
  return fmt::format("{}: {}, {}, marks {}", names, look.time_form,
                     look.zone_missing   ? "zone not stated (--zone; here as if UTC)"
                     : look.zone.empty() ? "zone in each time"
                                         : "zone " + look.zone,
                     look.times_end ? "ends" : "starts");
}

// Between the column's least and most value, a gap as a blank.
std::string course_of(const LookedAtColumn& column, std::size_t cells) {
  const std::size_t n = column.course.size();
  cells = std::min(cells, n);
  double least = 0, most = 0;
  bool any = false;
  for (const double v : column.course) {
    if (!std::isfinite(v)) continue;
    least = any ? std::min(least, v) : v;
    most = any ? std::max(most, v) : v;
    any = true;
  }
  std::string out;
  for (std::size_t k = 0; k < cells; ++k) {
    const double v = column.course[k * n / cells];
    const double level = most > least ? (v - least) / (most - least) : 0.5;
    out += std::isfinite(v) ? level_mark(level) : " ";
  }
  return out;
}

std::string figure(double value) { return fmt::format("{:.4g}", value); }

}  // namespace

std::string look_text(const LookedAtSeries& look, int width, bool colour) {
  const std::size_t room = static_cast<std::size_t>(std::max(width, 40));
  std::string out;
  const auto line = [&](const char* name, const std::string& text) {
    bool first = true;
    for (const std::string& part : wrapped(text, room - 10)) {
      out += soft(padded_right(first ? name : "", 10), colour) + part + "\n";
      first = false;
    }
  };
  line("file", printable(look.file));
  line("table",
       fmt::format("{} rows below line {}; separator {}, decimal {}", look.rows, look.header_line,
                   separator_words(look.separator), look.decimal == ',' ? "comma" : "point"));
  line("times", times_words(look));
  line("span", fmt::format("{} to {}, step {}", look.first.iso8601(), look.last.iso8601(),
                           step_words(look)));
  if (look.repeated > 0) line("twice", fmt::format("{} rows, counted once", look.repeated));
  if (look.reversed) line("order", "from last to first, turned round");
  std::string gaps = look.gaps.empty() ? "none" : fmt::format("{}: ", look.gaps.size());
  for (std::size_t i = 0; i < std::min(kGapsShown, look.gaps.size()); ++i)
    gaps += fmt::format("{}{} to {}", i == 0 ? "" : ", ", look.gaps[i].from.iso8601(),
                        look.gaps[i].to.iso8601());
  if (look.gaps.size() > kGapsShown)
    gaps += fmt::format(" and {} more", look.gaps.size() - kGapsShown);
  line("gaps", gaps);
  std::vector<Column> table{{"column", "", 100, {}, true}, {"", "", 99, {}, true},
                            {"unit", "", 90, {}, true},    {"is", "", 60, {}, true},
                            {"missing", "", 70, {}},       {"below 0", "", 50, {}},
                            {"least", "", 75, {}},         {"mean", "", 80, {}},
                            {"most", "", 76, {}},          {"course", "", 65, {}, true}};
  std::vector<std::string> markers;
  for (const LookedAtColumn& c : look.columns) {
    markers.emplace_back("");
    table[0].cells.push_back(printable(c.name));
    table[1].cells.push_back(fmt::format("#{}", c.number));
    table[2].cells.push_back(c.unit.empty() ? (c.numeric ? "not stated" : "") : printable(c.unit));
    table[3].cells.push_back(c.numeric ? c.quantity : c.missing == 0 ? "words" : "all missing");
    table[4].cells.push_back(c.numeric ? fmt::format("{}", c.missing) : "");
    table[5].cells.push_back(c.numeric ? fmt::format("{}", c.negative) : "");
    table[6].cells.push_back(c.numeric ? figure(c.least) : "");
    table[7].cells.push_back(c.numeric ? figure(c.mean) : "");
    table[8].cells.push_back(c.numeric ? figure(c.most) : "");
    table[9].cells.push_back(c.numeric ? course_of(c, 24) : "");
  }
  return out + "\n" + text_table(std::move(table), markers, room, colour);
}

std::string look_json(const LookedAtSeries& look, const std::string& command_line) {
  Json columns = Json::array(), gaps = Json::array();
  for (const LookedAtColumn& c : look.columns) {
    Json course = Json::array();
    for (const double v : c.course) course.push_back(number_or_null(v));
    columns.push_back(Json{{"number", c.number},
                           {"name", printable(c.name)},
                           {"unit", c.unit.empty() ? Json() : Json(printable(c.unit))},
                           {"quantity", c.quantity.empty() ? Json() : Json(c.quantity)},
                           {"numeric", c.numeric},
                           {"missing", c.missing},
                           {"negative", c.negative},
                           {"least", c.numeric ? number_or_null(c.least) : Json()},
                           {"mean", c.numeric ? number_or_null(c.mean) : Json()},
                           {"most", c.numeric ? number_or_null(c.most) : Json()},
                           {"course", course}});
  }
  for (const LookedAtGap& gap : look.gaps)
    gaps.push_back(Json{{"from", gap.from.iso8601()}, {"to", gap.to.iso8601()}});
  return Json{{"schema", "carnot.series/1"},
              {"carnot", std::string(kVersion)},
              {"command", command_line},
              {"file", printable(look.file)},
              {"separator", std::string(1, look.separator)},
              {"decimal", std::string(1, look.decimal)},
              {"header_line", look.header_line},
              {"time_columns", look.time_columns},
              {"time_form", look.time_form},
              {"zone", look.zone.empty() ? Json() : Json(look.zone)},
              {"zone_missing", look.zone_missing},
              {"times", look.times_end ? "ends" : "starts"},
              {"rows", look.rows},
              {"first", look.first.iso8601()},
              {"last", look.last.iso8601()},
              {"step_s", look.step > Duration{} ? Json(look.step.time().in(second)) : Json()},
              {"finest_s", look.finest.time().in(second)},
              {"coarsest_s", look.coarsest.time().in(second)},
              {"repeated", look.repeated},
              {"reversed", look.reversed},
              {"gaps", gaps},
              {"columns", columns}}
             .dump(2) +
         "\n";
}

}  // namespace carnot::report
