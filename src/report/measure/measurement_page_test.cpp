// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <regex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/report/measure/measurement.hpp"

#include "measure/testing/testing_measurement.hpp"
#include "report/measure/measurement_figure.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::string page_of(const measure::sample::MeasurementOptions& options = {}) {
  return measurement_html(
      measure::summarise_measurement(measure::sample::measurement(options), {}));
}

TEST(MeasurementPage, LoadsNothingAndSaysWhatItIs) {
  const std::string page = page_of();
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(page, Not(testing::ContainsRegex("src=|href=\"http|<script|url\\(")));
  EXPECT_THAT(page, HasSubstr("./train --epochs 3"));
  EXPECT_THAT(page, HasSubstr("Energy is measured"));
  EXPECT_THAT(page, HasSubstr("sudo chmod a+r"));
  EXPECT_THAT(page, Not(testing::ContainsRegex(">-?nan|>-?inf")));
  for (const char* tag : {"svg", "table", "figure", "section", "ul", "pre"}) {
    EXPECT_EQ(count(page, std::string("<") + tag + ">") + count(page, std::string("<") + tag + " "),
              count(page, std::string("</") + tag + ">"))
        << tag;
  }
}

TEST(MeasurementPage, NeverCallsAModelMeasured) {
  measure::sample::MeasurementOptions options;
  options.modelled = true;
  const std::string page = page_of(options);
  EXPECT_THAT(page, HasSubstr("energy is modelled"));
  EXPECT_THAT(page, Not(HasSubstr("Energy is measured")));
  EXPECT_THAT(page, HasSubstr("whole machine, modelled")) << "in the figure's key, too";
}

TEST(MeasurementPage, DrawsGapsWindowsAndTheJob) {
  const measure::Measurement m = measure::summarise_measurement(measure::sample::measurement(), {});
  const std::string figure = measurement_figure(m);
  EXPECT_EQ(count(figure, "class=\"gap\""), 2U) << "over power and CPUs";
  EXPECT_EQ(count(figure, "class=\"job\""), 1U);
  EXPECT_THAT(figure, HasSubstr(">train</text>"));
  for (const measure::MeasuredDomain& d : m.domains) {
    EXPECT_EQ(count(figure, ">" + d.label + "</text>"), d.role == "counted" ? 1U : 0U) << d.label;
  }
  measure::sample::MeasurementOptions options;
  options.whole_machine = true;
  EXPECT_EQ(count(measurement_figure(
                      measure::summarise_measurement(measure::sample::measurement(options), {})),
                  "class=\"job\""),
            0U);
}

/// The area under the highest layer is the machine's energy, however many intervals there are.
TEST(MeasurementPage, AreaIsEnergy) {
  for (const std::size_t samples : {31U, 121U, 2401U}) {
    measure::sample::MeasurementOptions options;
    options.samples = samples;
    options.interval_ns = 60'000'000'000 / static_cast<std::int64_t>(samples - 1);
    measure::Measurement m =
        measure::summarise_measurement(measure::sample::measurement(options), {});
    const std::string figure = measurement_figure(m);
    // The first filled path is the top of the stack: M x y, then steps of H and V.
    std::smatch path;
    ASSERT_TRUE(std::regex_search(figure, path, std::regex("<path class=\"f\\d\" d=\"([^\"]*)\"")));
    const std::string commands = path[1];
    const std::regex step("([MHV])([-0-9.]+)( ([-0-9.]+))?");
    double x = 0, y = 0, area = 0, base = 0, right = 0, left = 0;
    for (std::sregex_iterator at(commands.begin(), commands.end(), step), end; at != end; ++at) {
      const char letter = (*at)[1].str()[0];
      const double value = std::stod((*at)[2]);
      if (letter == 'M') {
        x = left = value;
        y = base = std::stod((*at)[4]);
      } else if (letter == 'H') {
        area += (value - x) * (base - y);
        x = right = value;
      } else {
        y = value;
      }
    }
    // Pixels to joules: the axis ends at 600 W over 250 pixels.
    const double joules = area * 600.0 / 250.0 * m.duration_s / (right - left);
    EXPECT_NEAR(joules, m.machine_energy.value().in(joule),
                0.005 * m.machine_energy.value().in(joule))
        << samples;
  }
}

TEST(MeasurementPage, OfNothingHasNoFigure) {
  measure::sample::MeasurementOptions options;
  options.samples = 1;
  EXPECT_TRUE(
      measurement_figure(measure::summarise_measurement(measure::sample::measurement(options), {}))
          .empty());
  EXPECT_THAT(page_of(options), HasSubstr("</html>"));
}

TEST(MeasurementPage, OfAFileCutAnywhereIsOne) {
  const std::vector<ledger::Entry> all = measure::sample::measurement();
  for (std::size_t n = 1; n <= all.size(); n += n < 12 ? 1 : 7) {
    const std::vector<ledger::Entry> some(all.begin(), all.begin() + static_cast<long>(n));
    const measure::Measurement m = measure::summarise_measurement(some, {});
    EXPECT_FALSE(measurement_json(m).empty());
    EXPECT_FALSE(measurement_terminal(m, 80, false).empty());
    EXPECT_FALSE(measurement_html(m).empty());
  }
}

}  // namespace
}  // namespace carnot::report
