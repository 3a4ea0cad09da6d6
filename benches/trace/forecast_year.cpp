// SPDX-License-Identifier: Apache-2.0
// A year of five-minute slots through the forecaster: observe and forecast in each, remade hourly,
// 48 h ahead: ns a slot without and with a day-ahead document, and ms a year of making the weather.
// One JSON object a line.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "carnot/trace/forecast.hpp"
#include "carnot/trace/weather/generate.hpp"

int main() {
  using namespace carnot;
  const Duration five_minutes = Duration::seconds(300);
  const TimeGrid year{Instant::from_date(2021, 1, 1), five_minutes, 288 * 365};
  const auto clock = [] { return std::chrono::steady_clock::now(); };
  const auto since = [&](auto begin) {
    return std::chrono::duration<double>(clock() - begin).count();
  };
  auto begin = clock();
  const TraceCore truth = carnot::generate_wind({}, year, 1).core();
  std::printf("{\"bench\": \"trace_generate\", \"what\": \"wind\", \"ms_per_year\": %.1f}\n",
              since(begin) * 1e3);
  begin = clock();
  const TraceCore sun = carnot::generate_solar({}, year, 1).core();
  std::printf(
      "{\"bench\": \"trace_generate\", \"what\": \"solar\", \"ms_per_year\": %.1f, \"check\": "
      "%g}\n",
      since(begin) * 1e3, sun.mean()[150]);
  for (const bool with_document : {false, true}) {
    std::optional<TraceCore> document;
    if (with_document) document = truth.resampled(year.start, Duration::seconds(3600), 8760);
    Forecaster::Options options;
    options.high = 100e6;
    double best = 1e9;
    double check = 0.0;
    for (int repeat = 0; repeat < 5; ++repeat) {
      Forecaster forecaster(options, std::nullopt, document);
      begin = clock();
      for (std::size_t i = 0; i < truth.size(); ++i) {
        const Instant from = year.start + five_minutes * static_cast<std::int64_t>(i);
        forecaster.observe(from, five_minutes, truth.mean()[i]);
        check += forecaster.forecast(from + five_minutes).mean[7];
      }
      best = std::min(best, since(begin));
    }
    std::printf(
        "{\"bench\": \"trace_forecast_year\", \"reference\": \"%s\", \"ns_per_slot\": %.1f, "
        "\"check\": %g}\n",
        with_document ? "document" : "climatology", best / static_cast<double>(truth.size()) * 1e9,
        check);
  }
}
