// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "carnot/report/learn/report.hpp"

#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

/// A column and how soon it goes when the terminal is narrow: the greatest first, 0 never.
struct Column {
  std::string head;
  bool left = false;
  int dispensable = 0;
  std::vector<std::string> cells = {};
  bool shown = true;

  std::size_t width() const {
    std::size_t most = head.size();
    for (const std::string& cell : cells) most = std::max(most, cell.size());
    return most;
  }
};

constexpr int kMostDispensable = 5;
constexpr std::size_t kMark = 2, kGap = 2;

std::string clipped(std::string text, std::size_t width) {
  if (text.size() <= width) return text;
  text.resize(width > 1 ? width - 1 : 0);
  return text + "~";
}

std::vector<Column> columns_of(const experiment::ExperimentResult& result) {
  const bool regression = result.task == "regression";
  const double percent = regression ? 1.0 : 100.0;
  const int digits = regression ? 3 : 1;
  std::vector<Column> out{{"run", true},        {regression ? "R2 (90 %)" : "accuracy, % (90 %)"},
                          {"energy"},           {"model", false, 3},
                          {"labels", false, 4}, {"net learned", false, 1},
                          {"Mbit/J", false, 2}, {"stopped", true, kMostDispensable}};
  const std::vector<std::string> names = run_names(result);
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const experiment::ExperimentPoint& p = result.points[i];
    const std::string values[] = {
        names[i],
        fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", percent * p.quality.value, digits,
                    percent * p.quality_low, digits, percent * p.quality_high, digits),
        joules_text(p.energy.value().in(joule)),
        bits_text(p.lengths.model),
        bits_text(p.lengths.data),
        bits_text(p.lengths.learned_net),
        fmt::format("{:.3g}", 1e-6 * p.bits_per_joule),
        p.stopped};
    for (std::size_t c = 0; c < out.size(); ++c) out[c].cells.push_back(values[c]);
  }
  return out;
}

std::size_t width_of(const std::vector<Column>& columns) {
  std::size_t width = kMark;
  for (const Column& c : columns)
    if (c.shown) width += c.width() + kGap;
  return width - kGap;
}

/// Hides columns, the most dispensable first, until the rest fit; then the first one is cut.
void fit(std::vector<Column>& columns, std::size_t width) {
  for (int worth = kMostDispensable; worth > 0 && width_of(columns) > width; --worth)
    for (Column& c : columns)
      if (c.dispensable == worth) c.shown = false;
  const std::size_t now = width_of(columns);
  if (now <= width) return;
  Column& first = columns.front();
  const std::size_t room = first.width() > now - width ? first.width() - (now - width) : 1;
  for (std::string& cell : first.cells) cell = clipped(cell, room);
}

/// \param cell  text of a column in this row
template <class Cell>
std::string row_text(const std::vector<Column>& columns, std::string mark, Cell&& cell) {
  std::string line = std::move(mark);
  bool first = true;
  for (const Column& c : columns) {
    if (!c.shown) continue;
    const std::string& text = cell(c);
    const std::string pad(c.width() - text.size(), ' ');
    line += (first ? "" : std::string(kGap, ' ')) + (c.left ? text + pad : pad + text);
    first = false;
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string wrapped(const std::string& text, std::size_t width) {
  std::string out, line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    begin = end + 1;
  }
  return out + line + "\n";
}

}  // namespace

std::string to_terminal(const experiment::ExperimentResult& result, int columns, bool colour) {
  const auto width = static_cast<std::size_t>(std::max(columns, 60));
  std::string out =
      wrapped(fmt::format("{} on {}", result.shape.empty() ? result.learner : result.shape,
                          result.data_source),
              width) +
      "\n";
  std::vector<Column> table = columns_of(result);
  fit(table, width);
  out += row_text(table, "  ", [](const Column& c) -> const std::string& { return c.head; }) + "\n";
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const bool best = i == result.best && result.points.size() > 1;
    const std::string line =
        row_text(table, best ? "> " : "  ",
                 [i](const Column& c) -> const std::string& { return c.cells[i]; });
    out += colour && best ? "\x1b[1m" + line + "\x1b[0m\n" : line + "\n";
  }
  out += "\n";
  if (!result.points.empty())
    out += wrapped(finding(result), width) +
           (result.shape.empty() ? std::string() : wrapped(text_sentence(result), width)) +
           wrapped(k_star_sentence(result), width) + "\n";
  return out + wrapped(result.measured_note, width);
}

}  // namespace carnot::report
