// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kLines = 25;     // a screen, not a scroll
constexpr std::size_t kName = 10;      // width of the names on the left
constexpr std::size_t kProcesses = 4;  // before the rest is summed
constexpr std::size_t kDomains = 5;

class Lines {
 public:
  Lines(int width, bool colour)
      : width_(static_cast<std::size_t>(std::max(width, 40))), colour_(colour) {}

  std::string strong(const std::string& text) const { return wrap("\x1b[1m", text); }
  std::string soft(const std::string& text) const { return wrap("\x1b[2m", text); }

  /// "name      words", the name soft, cut to the width.
  void row(const std::string& name, const std::string& words, bool bold = false) {
    const std::string body = cut(words, width_ - kName);
    put(soft(padded_right(cut(name, kName - 1), kName)) + (bold ? strong(body) : body));
  }
  /// A figure, its interval, and where it comes from at the right edge if there is room.
  void figure(const std::string& name, const std::string& words, const std::string& origin,
              bool bold = false) {
    const std::size_t room = width_ - kName;
    const std::size_t gap =
        columns(words) + 2 + columns(origin) <= room ? room - columns(words) - columns(origin) : 2;
    const std::string tail = cut(origin, room - std::min(room, columns(words) + gap));
    put(soft(padded_right(cut(name, kName - 1), kName)) +
        (bold ? strong(cut(words, room)) : cut(words, room)) +
        (tail.empty() ? "" : std::string(gap, ' ') + soft(tail)));
  }
  void put(const std::string& line) {
    std::string text = line;
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out_ += text + "\n";
    ++count_;
  }
  std::size_t width() const { return width_; }
  std::size_t left() const { return count_ < kLines ? kLines - count_ : 0; }
  std::string take() { return std::move(out_); }

 private:
  std::string wrap(const char* code, const std::string& text) const {
    return colour_ && !text.empty() ? code + text + "\x1b[0m" : text;
  }
  std::size_t width_;
  bool colour_;
  std::string out_;
  std::size_t count_ = 0;
};

std::string share_text(double part, double whole) {
  if (!(whole > 0)) return "";
  const double percent = 100 * part / whole;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return percent >= 9.95 ? fmt::format("{:.0f} %", percent) : fmt::format("{:.1f} %", percent);
}

void domains(Lines& lines, const measure::Measurement& m) {
  std::size_t shown = 0, counted = 0;
  for (const measure::MeasuredDomain& d : m.domains) counted += d.role == "counted" ? 1U : 0U;
  for (const measure::MeasuredDomain& d : m.domains) {
    const bool is_counted = d.role == "counted";
    if (is_counted && counted == 1) continue;  // the machine's line says it
    if (++shown > kDomains) break;
    const std::string words = interval_in_words(d.energy);
    lines.figure(
        "",
        padded_right(cut(printable(d.label), 12), 13) + words + (is_counted ? "" : ", " + d.role),
        origin_in_words(d.energy));
  }
}

void processes(Lines& lines, const measure::Measurement& m) {
  std::string name = m.job_method.empty() ? "processes" : "who";
  const double total = m.machine_energy.value().in(joule);
  constexpr std::size_t kFigures = 18;  // energy, share, a sign that there is more
  const std::size_t room = std::clamp<std::size_t>(lines.width() - kName - kFigures, 12, 26);
  for (const measure::MeasuredProcess& p : top_processes(m, kProcesses)) {
    // A remainder of nothing is not worth a line here; the documents always carry it.
    if (p.pid == 0 && !(p.energy.in(joule) > 1e-3 * total)) continue;
    const std::string who = p.pid > 0 ? fmt::format("{} {}", printable(p.name), p.pid) : p.name;
    const std::string energy = joules_in_words(p.energy.in(joule));
    const std::string cpu = p.cpu_s > 0 ? seconds_in_words(p.cpu_s) + " CPU" : "";
    lines.row(name, fmt::format("{} {} {}  {}", padded_right(cut(who, room), room),
                                padded_left(energy, 8),
                                padded_left(share_text(p.energy.in(joule), total), 6), cpu));
    name.clear();
  }
}

void account(Lines& lines, const measure::Measurement& m) {
  const model::Account& a = m.account;
  lines.row("carbon", fmt::format("{} CO2e, and {} embodied", interval_in_words(a.operational),
                                  interval_in_words(a.embodied)));
  lines.row("", place_in_words(m));
  if (!a.functional_unit.empty()) {
    lines.row("",
              fmt::format("SCI {} per {}", interval_in_words(a.sci), printable(a.functional_unit)));
  }
  lines.figure("cost", interval_in_words(a.cost),
               a.pue_known ? fmt::format("PUE {:g}", a.pue) : "PUE not stated: none added");
}

void notes(Lines& lines, const measure::Measurement& m) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& gap : gaps_in_words(m)) all.emplace_back("gap", gap);
  for (const auto& [reason, remedy] : m.notes) {
    all.emplace_back("note", printable(reason));
    if (!remedy.empty()) all.emplace_back("  mend", printable(remedy));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [name, words] = all[i];
    const std::vector<std::string> parts = wrapped(words, lines.width() - kName);
    const std::size_t kept_for_more = i + 1 < all.size() ? 1 : 0;
    if (parts.size() + kept_for_more > lines.left()) {
      if (lines.left() == 0) return;
      lines.row("", fmt::format("{} more in --json and --html", all.size() - i));
      return;
    }
    for (std::size_t k = 0; k < parts.size(); ++k) lines.row(k == 0 ? name : "", parts[k]);
  }
}

}  // namespace

std::string measurement_terminal(const measure::Measurement& m, int width, bool colour) {
  Lines lines(width, colour);
  lines.put(lines.strong(cut(subject(m), lines.width())));
  lines.row("",
            fmt::format("{} {} {}, {} CPU ({})", outcome_in_words(m), m.complete ? "in" : "after",
                        seconds_in_words(m.duration_s), seconds_in_words(m.cpu_s),
                        m.job_method.empty() ? "whole machine" : printable(m.job_method)));
  lines.put("");
  if (!m.job_method.empty()) {
    lines.figure("energy", interval_in_words(m.energy), origin_in_words(m.energy), true);
    lines.row(
        "", fmt::format("{} on average; static share: {}", watts_in_words(m.power.value().in(watt)),
                        printable(m.static_policy)));
  }
  lines.figure("machine", interval_in_words(m.machine_energy), origin_in_words(m.machine_energy),
               m.job_method.empty());
  lines.row("", fmt::format(
                    "{} static at {} ({}), {} dynamic", joules_in_words(m.static_energy.in(joule)),
                    watts_in_words(m.static_power.value().in(watt)), name(m.static_power.origin()),
                    joules_in_words(m.dynamic_energy.in(joule))));
  domains(lines, m);
  processes(lines, m);
  account(lines, m);
  lines.row("meter", fmt::format("{} CPU of its own, {} samples", seconds_in_words(m.meter_cpu_s),
                                 m.samples));
  notes(lines, m);
  return lines.take();
}

}  // namespace carnot::report
