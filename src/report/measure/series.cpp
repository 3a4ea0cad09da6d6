// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/series.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::report {

namespace {

double number_in(const std::string& text) {
  double value = kNaN;
  return read_whole(std::string_view(text), value) ? value : kNaN;
}

/// Share of the machine's CPU time that was busy, over all intervals.
double mean_busy(const measure::Measurement& m) {
  double busy = 0, length = 0;
  for (std::size_t i = 0; i < m.series.length_s.size(); ++i) {
    busy += m.series.busy_share[i] * m.series.length_s[i];
    length += m.series.length_s[i];
  }
  return length > 0 ? busy / length : 0.0;
}

void take(SeriesRow& row, const measure::Measurement& m) {
  const Energy energy = m.energy.value();
  if (row.rounds == 0) {
    row.energy = m.energy;
    row.machine_energy = m.machine_energy;
    row.least_energy = row.greatest_energy = energy;
  } else {
    row.energy = row.energy + m.energy;
    row.machine_energy = row.machine_energy + m.machine_energy;
    row.least_energy = min(row.least_energy, energy);
    row.greatest_energy = max(row.greatest_energy, energy);
  }
  ++row.rounds;
  if (m.outcome != "finished") ++row.failed;
  row.duration = row.duration + m.duration_s * second;
  row.cpu = row.cpu + m.cpu_s * second;
  row.busy_share += mean_busy(m);
  row.peak_rss_b = std::max(row.peak_rss_b, m.peak_rss_b);
}

/// From sums over rounds to means.
void close(SeriesRow& row, SeriesKind kind) {
  if (row.rounds == 0) return;
  const double share = 1.0 / row.rounds;
  row.energy = share * row.energy;
  row.machine_energy = share * row.machine_energy;
  row.duration = share * row.duration;
  row.cpu = share * row.cpu;
  row.busy_share *= share;
  row.energy_time_js = row.energy.value().in(joule)*row.duration.in(second);
  if (row.duration > Time{}) {
    const double rate = 1.0 / row.duration.in(second);
    row.machine_power = Estimate<Power>(EstimateCore::scaled(row.machine_energy.core(), rate));
  }
  row.x = kind == SeriesKind::Load ? row.busy_share : number_in(row.value);
}

std::optional<LoadLine> fit(const std::vector<SeriesRow>& rows) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, least = 1, greatest = 0;
  for (const SeriesRow& r : rows) {
    if (r.rounds == 0) continue;
    const double p = r.machine_power.value().in(watt);
    n += 1, x += r.x, y += p, xx += r.x * r.x, xy += r.x * p;
    least = std::min(least, r.x), greatest = std::max(greatest, r.x);
  }
  // What other work does moves a load by some percent: the line must be drawn out of more.
  constexpr double kLeastSpread = 0.2;
  if (n < 2 || !(greatest - least >= kLeastSpread)) return std::nullopt;
  const double spread = n * xx - x * x;
  const double slope = (n * xy - x * y) / spread, intercept = (y - slope * x) / n;
  double squares = 0;
  for (const SeriesRow& r : rows)
    if (r.rounds > 0)
      squares += std::pow(r.machine_power.value().in(watt)-intercept - slope * r.x, 2);
  return LoadLine{intercept * watt, (intercept + slope) * watt, std::sqrt(squares / n)};
}

/// The row of least `of` among those whose commands all ended well.
template <class Of>
std::optional<std::size_t> least(const std::vector<SeriesRow>& rows, Of&& of) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].rounds > 0 && rows[i].failed == 0 && (!best || of(rows[i]) < of(rows[*best])))
      best = i;
  return best;
}

}  // namespace

std::string_view name(SeriesKind kind) noexcept {
  switch (kind) {
    case SeriesKind::Load:
      return "load";
    case SeriesKind::Batch:
      return "batch";
    case SeriesKind::ClockRate:
      return "frequency";
    case SeriesKind::Other:
      break;
  }
  return "other";
}

SeriesSummary summarise_series(const measure::SeriesResult& result, SeriesKind kind,
                               const model::AccountOptions& options) {
  SeriesSummary out;
  out.kind = kind;
  out.name = result.name;
  out.seed = result.seed;
  out.stopped = result.stopped;
  for (const measure::SeriesPoint& point : result.points) {
    const measure::Measurement m = measure::summarise_measurement(point.result.entries, options);
    if (out.rows.empty()) {
      out.carnot_version = m.carnot_version;
      out.command = m.command;
      out.started = m.started;
      out.notes = m.notes;
    }
    if (out.rows.empty() || out.rows.back().value != point.value) {
      out.rows.emplace_back();
      out.rows.back().value = point.value;
    }
    take(out.rows.back(), m);
  }
  for (SeriesRow& row : out.rows) close(row, kind);
  if (kind == SeriesKind::Load) out.line = fit(out.rows);
  out.least_energy = least(out.rows, [](const SeriesRow& r) { return r.energy.value(); });
  out.least_energy_time = least(out.rows, [](const SeriesRow& r) { return r.energy_time_js; });
  return out;
}

}  // namespace carnot::report
