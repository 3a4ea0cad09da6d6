// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"

#include "measure/testing/testing_measurement.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The sample machine, busy for `busy_s` of each second of its 8 CPUs, spending 40 W + 200 W x
/// share.
std::vector<ledger::Entry> at_load(double share) {
  measure::sample::MeasurementOptions options;
  options.modelled = true;
  options.samples = 21;
  std::vector<ledger::Entry> entries = measure::sample::measurement(options);
  std::int64_t n = 0;
  for (ledger::Entry& entry : entries) {
    auto* s = std::get_if<ledger::MeasurementSample>(&entry);
    if (s == nullptr) continue;
    const double seconds = 0.5 * static_cast<double>(n++);
    s->machine_busy_ns = std::llround(8e9 * share * seconds);
    s->machine_idle_ns = std::llround(8e9 * (1 - share) * seconds);
    s->job_cpu_ns = s->machine_busy_ns / 2;
    s->channels[0].total =
        static_cast<std::uint64_t>(std::llround(1e6 * (40 + 200 * share) * seconds));
  }
  return entries;
}

measure::SeriesResult loads(const std::vector<double>& shares) {
  measure::SeriesResult result;
  result.name = "load";
  for (const double share : shares) {
    measure::SeriesPoint point;
    point.value = std::to_string(share);
    point.result.entries = at_load(share);
    result.points.push_back(std::move(point));
  }
  return result;
}

TEST(Series, FindsTheLineThatPowerFollows) {
  const SeriesSummary s = summarise_series(loads({0.0, 0.25, 0.5, 1.0}), SeriesKind::Load, {});
  ASSERT_TRUE(s.line);
  EXPECT_NEAR(s.line->static_power.in(watt), 40.0, 1e-3);
  EXPECT_NEAR(s.line->at_full_load.in(watt), 240.0, 1e-3);
  EXPECT_NEAR(s.line->residual_w, 0.0, 1e-3);
  ASSERT_EQ(s.rows.size(), 4u);
  EXPECT_NEAR(s.rows[1].busy_share, 0.25, 1e-6);
  EXPECT_NEAR(s.rows[1].machine_power.value().in(watt), 90.0, 1e-3);
}

TEST(Series, DrawsNoLineThroughOneLoad) {
  const SeriesSummary s = summarise_series(loads({0.5, 0.501}), SeriesKind::Load, {});
  EXPECT_FALSE(s.line);
  EXPECT_THAT(series_terminal(s, 100), HasSubstr("hardly moved"));
}

TEST(Series, DrawsNoLineOutOfWhatOthersDo) {
  // Asked for every load, but the machine was busy with other work all the time.
  const SeriesSummary s = summarise_series(loads({1.0, 0.94, 0.99}), SeriesKind::Load, {});
  EXPECT_FALSE(s.line);
  EXPECT_THAT(series_terminal(s, 100), HasSubstr("94 to 100 % busy"));
}

TEST(Series, TakesMeansOverRoundsAndSaysTheirSpread) {
  measure::SeriesResult result = loads({0.2, 0.2, 0.6});
  result.name = "batch";
  result.points[0].value = result.points[1].value = "16";
  result.points[2].value = "64";
  // One round spends twice the energy.
  for (ledger::Entry& entry : result.points[1].result.entries)
    if (auto* sample = std::get_if<ledger::MeasurementSample>(&entry))
      sample->channels[0].total *= 2;
  const SeriesSummary s = summarise_series(result, SeriesKind::Batch, {});
  ASSERT_EQ(s.rows.size(), 2u);
  EXPECT_EQ(s.rows[0].rounds, 2);
  EXPECT_NEAR(s.rows[0].machine_energy.value().in(joule), 1.5 * 80 * 10, 1e-2);
  EXPECT_GT(s.rows[0].greatest_energy.in(joule), 1.9 * s.rows[0].least_energy.in(joule));
  EXPECT_EQ(s.rows[0].x, 16.0);
  EXPECT_NEAR(s.rows[1].energy_time_js,
              s.rows[1].energy.value().in(joule)*s.rows[1].duration.in(second), 1e-9);
}

TEST(Series, NamesTheRowOfLeastEnergyAmongThoseThatEndedWell) {
  measure::SeriesResult result = loads({0.6, 0.2, 0.4});
  result.name = "batch";
  for (ledger::Entry& entry : result.points[1].result.entries)
    if (auto* end = std::get_if<ledger::MeasurementEnd>(&entry)) end->outcome = "failed";
  const SeriesSummary s = summarise_series(result, SeriesKind::Batch, {});
  EXPECT_EQ(s.rows[1].failed, 1);
  EXPECT_EQ(s.least_energy, 2u);
  EXPECT_THAT(series_terminal(s, 100), HasSubstr("did not end well"));
}

TEST(Series, SaysTheSameInJsonAndOnThePage) {
  const SeriesSummary s = summarise_series(loads({0.0, 0.5, 1.0}), SeriesKind::Load, {});
  const auto json = nlohmann::json::parse(series_json(s));
  EXPECT_EQ(json["schema"], "carnot.measure-series/1");
  EXPECT_EQ(json["kind"], "load");
  ASSERT_EQ(json["rows"].size(), 3u);
  EXPECT_NEAR(json["line"]["static_power_w"].get<double>(), 40.0, 1e-3);
  EXPECT_EQ(json["rows"][0]["machine_power_w"]["origin"], "modelled");
  for (const SeriesKind kind :
       {SeriesKind::Load, SeriesKind::Batch, SeriesKind::ClockRate, SeriesKind::Other}) {
    SeriesSummary other = s;
    other.kind = kind;
    const std::string page = series_html(other);
    EXPECT_THAT(page, HasSubstr("<svg"));
    EXPECT_THAT(page, Not(HasSubstr("nan")));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
  }
}

TEST(Series, StandsWordsInAListWhereValuesAreNoNumbers) {
  measure::SeriesResult result = loads({0.1, 0.5});
  result.name = "optimiser";
  result.points[0].value = "adam";
  result.points[1].value = "<sgd>";
  const std::string page = series_html(summarise_series(result, SeriesKind::Other, {}));
  EXPECT_THAT(page, HasSubstr("adam"));
  EXPECT_THAT(page, HasSubstr("&lt;sgd&gt;"));
}

TEST(Series, OfNothingIsAnEmptyTable) {
  measure::SeriesResult nothing;
  nothing.name = "batch";
  nothing.stopped = true;
  const SeriesSummary s = summarise_series(nothing, SeriesKind::Batch, {});
  EXPECT_THAT(series_terminal(s, 80), HasSubstr("Stopped before"));
  EXPECT_NE(series_html(s), "");
  measure::SeriesResult foreign = loads({0.5});
  foreign.points[0].result.entries.clear();
  EXPECT_THROW(summarise_series(foreign, SeriesKind::Other, {}), InputError);
}

}  // namespace
}  // namespace carnot::report
