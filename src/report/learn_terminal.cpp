// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/report/learn_report.hpp"

#include "report/learn_words.hpp"

namespace carnot::report {

namespace {

struct Cell {
  const char* head;
  int width;
  bool left;
};

constexpr Cell kCells[] = {{"precision", 14, true},    {"hidden", 6, false}, {"quality", 24, false},
                           {"energy", 11, false},      {"model", 11, false}, {"data", 11, false},
                           {"net learned", 12, false}, {"bit/J", 9, false},  {"stopped", 0, true}};

std::string clipped(std::string text, std::size_t width) {
  if (text.size() <= width) return text;
  text.resize(width > 1 ? width - 1 : 0);
  return text + "~";
}

void put(std::string& line, const Cell& cell, const std::string& text) {
  if (!line.empty()) line += "  ";
  const auto width = static_cast<std::size_t>(cell.width);
  const std::string shown = cell.width > 0 ? clipped(text, width) : text;
  const std::string pad(shown.size() < width ? width - shown.size() : 0, ' ');
  line += cell.left ? shown + pad : pad + shown;
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

std::string to_terminal(const run::ExperimentResult& result, int columns, bool colour) {
  const auto width = static_cast<std::size_t>(std::max(columns, 60));
  std::string out = wrapped(fmt::format("{} on {}", result.learner, result.data_source), width);
  std::string head;
  for (const Cell& cell : kCells) put(head, cell, cell.head);
  out += clipped(head, width) + "\n";
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const run::ExperimentPoint& p = result.points[i];
    const std::string values[] = {p.precision,
                                  p.hidden > 0 ? fmt::format("{}", p.hidden) : "-",
                                  quality_range(p),
                                  joules_text(p.energy.value().in(joule)),
                                  bits_text(p.lengths.model),
                                  bits_text(p.lengths.data),
                                  bits_text(p.lengths.learned_net),
                                  fmt::format("{:.3g}", p.bits_per_joule),
                                  p.stopped};
    std::string line;
    for (std::size_t c = 0; c < std::size(kCells); ++c) put(line, kCells[c], values[c]);
    line = clipped(line, width);
    out += colour && i == result.best ? "\x1b[1m" + line + "\x1b[0m\n" : line + "\n";
  }
  if (!result.points.empty()) {
    out += wrapped(finding(result), width);
    out += wrapped(k_star_sentence(result), width);
  }
  return out + wrapped(result.measured_note, width);
}

}  // namespace carnot::report
