// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/report/measure/live.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "measure/testing/testing_measurement.hpp"
#include "report/draw/testing_text.hpp"
#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Accounting left out: tables of grids and prices renew, the form does not.
measure::Measurement measured(const measure::sample::MeasurementOptions& options = {}) {
  measure::Measurement m =
      measure::summarise_measurement(measure::sample::measurement(options), {});
  m.account = {};
  m.account.grid.code = m.account.grid.name = "XX";
  m.account.grid.intensity = Estimate<CarbonIntensity>(
      400.0 * gram_per_kilowatt_hour, 300.0 * gram_per_kilowatt_hour,
      500.0 * gram_per_kilowatt_hour, Origin::Published, Boundary::None, "grid", {"table"});
  m.account.operational = m.energy.at(Boundary::None) * m.account.grid.intensity;
  m.account.cost = Estimate<Money>::exact(0.0012 * euro, Origin::Published, Boundary::None);
  return m;
}

measure::LiveState live(const measure::sample::MeasurementOptions& options = {}) {
  measure::LiveTracker tracker;
  std::vector<meter::ProcessUse> look;
  for (const ledger::Entry& entry : measure::sample::measurement(options)) {
    if (const auto* b = std::get_if<ledger::MeasurementBegin>(&entry)) tracker.begin(*b);
    if (const auto* p = std::get_if<ledger::MeasurementProcess>(&entry)) {
      look.push_back({p->pid, 1, p->start_ticks, p->name, p->cpu_ns, 0, 0, true});
    }
    if (const auto* s = std::get_if<ledger::MeasurementSample>(&entry)) {
      tracker.processes(look);
      look.clear();
      tracker.sample(*s);
    }
  }
  tracker.processes(look);
  return tracker.state();
}

TEST(MeasurementTerminal, LooksAsAgreed) {
  expect_golden("measurement_80.txt", measurement_terminal(measured(), 80, false));
  measure::sample::MeasurementOptions options;
  options.modelled = true;
  options.ended = false;
  expect_golden("measurement_modelled_80.txt", measurement_terminal(measured(options), 80, false));
}

TEST(MeasurementTerminal, FitsEveryWidthInAScreen) {
  for (const bool machine : {false, true}) {
    measure::sample::MeasurementOptions options;
    options.whole_machine = machine;
    measure::Measurement m = measured(options);
    for (int i = 0; i < 20; ++i) m.notes.emplace_back("reason", "remedy");
    for (int width = 40; width <= 160; width += 3) {
      const auto lines = lines_of(measurement_terminal(m, width, false));
      EXPECT_LE(lines.size(), 25U);
      for (const std::string& line : lines) {
        ASSERT_LE(columns(line), static_cast<std::size_t>(width)) << line;
      }
    }
  }
}

TEST(MeasurementTerminal, ShowsWhatProcessesSpentOnANarrowScreen) {
  const measure::Measurement m = measure::summarise_measurement(measure::sample::measurement(), {});
  const std::string text = measurement_terminal(m, 40, false);
  const std::size_t who = text.find("\nwho");
  ASSERT_NE(who, std::string::npos);
  EXPECT_THAT(text.substr(who, text.find('\n', who + 1) - who), HasSubstr(" %"));
}

TEST(MeasurementTerminal, EveryEnergyShowsItsOrigin) {
  measure::sample::MeasurementOptions options;
  options.modelled = true;
  const std::string modelled = measurement_terminal(measured(options), 80, false);
  EXPECT_THAT(modelled, HasSubstr("modelled, power model"));
  EXPECT_THAT(modelled, Not(HasSubstr("measured")));
  for (const std::string& line : lines_of(measurement_terminal(measured(), 80, false))) {
    if (line.starts_with("energy") || line.starts_with("machine")) {
      EXPECT_THAT(line, HasSubstr("measured"));
      EXPECT_THAT(line, HasSubstr(" … "));
    }
  }
}

TEST(MeasurementTerminal, DefusesHostileNames) {
  measure::Measurement m = measured();
  m.job = "\x1b[2Jrm -rf";
  m.processes[0].name = "a\x1b]0;b\x07";
  m.notes.emplace_back("\x1b[31mred", "\x1b[0m");
  EXPECT_THAT(measurement_terminal(m, 80, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(measurement_html(m), Not(HasSubstr("\x1b")));
}

TEST(MeasurementWords, KeepUnitsNearTheNumber) {
  EXPECT_EQ(joules_in_words(0), "0 J");
  EXPECT_EQ(joules_in_words(0.0123), "12.3 mJ");
  EXPECT_EQ(joules_in_words(999.96), "1.00 kJ");
  EXPECT_EQ(joules_in_words(12345), "12.3 kJ");
  EXPECT_EQ(joules_in_words(3.6e6), "1.00 kWh");
  EXPECT_EQ(watts_in_words(1500), "1.50 kW");
  EXPECT_EQ(euros_in_words(0.0012), "0.120 ct");
  EXPECT_EQ(seconds_in_words(0.02), "20.0 ms");
  EXPECT_EQ(seconds_in_words(12.34), "12.3 s");
  EXPECT_EQ(seconds_in_words(125), "2 min 5 s");
  EXPECT_EQ(seconds_in_words(7205), "2 h 0 min");
  EXPECT_EQ(interval_in_words(Estimate<Energy>(12300 * joule, 10100 * joule, 15200 * joule,
                                               Origin::Measured, Boundary::Chip, "x", {})),
            "12.3 kJ (10.1 … 15.2)");
}

TEST(LiveView, LooksAsAgreed) { expect_golden("live_80.txt", live_view(live(), 80, 24, false)); }

TEST(LiveView, FitsEverySize) {
  measure::LiveState state = live();
  for (int i = 0; i < 100; ++i) state.processes.push_back(state.processes.front());
  state.job = "\x1b[2J" + std::string(300, 'x');
  for (int width = 40; width <= 200; width += 7) {
    for (const int height : {4, 5, 10, 24, 60}) {
      const auto lines = lines_of(live_view(state, width, height, false));
      EXPECT_LE(lines.size(), static_cast<std::size_t>(height));
      for (const std::string& line : lines) {
        EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << line;
        EXPECT_THAT(line, Not(HasSubstr("\x1b")));
      }
    }
  }
  EXPECT_THAT(live_view(state, 80, 24, true), HasSubstr("\x1b[1m"));
}

TEST(LiveTracker, AgreesWithTheReport) {
  const measure::LiveState state = live();
  const measure::Measurement m = measured();
  const double machine = m.machine_energy.value().in(joule);
  EXPECT_NEAR(state.machine.energy_j, machine, 1e-6 * machine);
  // It learns static power as it goes; the report knows all of it.
  EXPECT_NEAR(state.own.energy_j, m.energy.value().in(joule), 0.05 * machine);
  double processes = 0;
  for (const measure::LiveTrack& p : state.processes) processes += p.energy_j;
  EXPECT_LE(processes, state.own.energy_j * (1 + 1e-9));
  EXPECT_GT(processes, 0.9 * state.own.energy_j);
  double drawn = 0;
  for (const double w : state.machine.watts) drawn += w * state.point_s;
  EXPECT_NEAR(drawn, machine, 0.05 * machine);
  EXPECT_EQ(state.machine.origin, "measured");
}

}  // namespace
}  // namespace carnot::report
