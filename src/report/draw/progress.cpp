// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/draw/progress.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

double share(double value) { return std::isfinite(value) ? std::clamp(value, 0.0, 1.0) : 0.0; }

/// Eighths of a cell, so that slow work is seen to move.
std::string bar(double done, std::size_t cells) {
  constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::floor(done * 8 * static_cast<double>(cells)));
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
  if (eighths / 8 < cells) out += kParts[eighths % 8];
  return padded_right(out, cells);
}

std::string sparkline(const std::vector<double>& values, std::size_t cells) {
  const std::size_t first = values.size() > cells ? values.size() - cells : 0;
  double largest = 0;
  for (std::size_t i = first; i < values.size(); ++i) {
    if (std::isfinite(values[i])) largest = std::max(largest, values[i]);
  }
  std::string out;
  for (std::size_t i = first; i < values.size(); ++i) {
    out += level_mark(largest > 0 && std::isfinite(values[i]) ? values[i] / largest : 0.0);
  }
  return out;
}

}  // namespace

std::string progress_line(const ProgressState& state, int width) {
  const std::size_t room = static_cast<std::size_t>(std::max(width, 1));
  const double watts = state.own_now.in(watt);
  const Unit power = power_unit(watts);
  struct Part {
    int worth;
    std::string text;
  };
  std::vector<Part> parts = {
      {100, cut(printable(state.policy), 16)},
      {90, fmt::format("{:3.0f} %", std::floor(100 * share(state.share_done)))},
      {80, energy_text(state.energy.in(joule))},
      {50, std::isfinite(watts)
               ? fmt::format("own {} {}", figure_text(watts * power.factor, 2), power.name)
               : std::string("own n/a")},
  };
  if (!state.own_recent.empty()) parts.push_back({40, sparkline(state.own_recent, 16)});
  parts.push_back({60, state.mode.empty()
                           ? std::string("paused")
                           : fmt::format("{} at {:.0f} %", cut(printable(state.mode), 8),
                                         100 * share(state.throttle))});
  const double eta = state.eta.in(second);
  if (std::isfinite(eta) && eta >= 0) parts.push_back({70, time_text(eta, 2) + " to go"});

  const auto used = [&] {
    std::size_t sum = 0;
    for (const Part& part : parts) sum += columns(part.text) + 2;
    return sum - 2;
  };
  while (used() > room && parts.size() > 1) {
    parts.erase(std::min_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.worth < b.worth; }));
  }
  // What is left over goes to the bar, after the policy's name.
  const std::size_t spare = room > used() ? room - used() : 0;
  std::string out = parts.front().text;
  if (spare >= 8 && parts.size() > 1) {
    out += "  " + bar(share(state.share_done), std::min<std::size_t>(spare - 2, 30));
  }
  for (std::size_t i = 1; i < parts.size(); ++i) out += "  " + parts[i].text;
  return cut(out, room);
}

}  // namespace carnot::report
