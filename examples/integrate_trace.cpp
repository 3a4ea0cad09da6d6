// SPDX-License-Identifier: Apache-2.0
// Reads an hour of wind power with a gap in it and says how much energy that was, honestly: the
// meter's error is one error however many rows it wrote, and what fills the gap is an assumption.
//
//   integrate_trace [FILE.csv]
#include <cstdio>
#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/trace/readers/read.hpp"

using namespace carnot;

namespace {

constexpr const char* kHour =
    "time,wind_mw\n"
    "2024-03-01T00:00Z,41.2\n"
    "2024-03-01T00:10Z,38.9\n"
    "2024-03-01T00:20Z,40.1\n"
    "2024-03-01T00:40Z,35.0\n"  // 00:20 to 00:40 holds one row: [00:30, 00:40) is missing
    "2024-03-01T00:50Z,33.7\n";

/// Energy between two instants as a meter of class 0.5 states it: +-0.5 % of the reading.
Estimate<Energy> metered(const Trace<Power>& trace, Instant from, Instant to) {
  const Energy e = trace.integral(from, to);
  return {e, 0.995 * e, 1.005 * e, Origin::Measured, Boundary::Facility, "farm meter", {"meter"}};
}

void show(const char* what, const Estimate<Energy>& e) {
  std::printf("%-18s %6.2f MWh  (%.2f to %.2f), %s\n", what, e.value().in(megawatt_hour),
              e.low().in(megawatt_hour), e.high().in(megawatt_hour),
              std::string(carnot::name(e.origin())).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CsvOptions options;
  options.gaps = GapPolicy::Linear;
  const auto file = argc > 1 ? carnot::read_csv<Power>(argv[1], options)
                             : carnot::parse_csv<Power>(kHour, "an hour", options);
  const Trace<Power>& wind = file.trace;

  // What was measured, gap by gap; what was filled in may be off by a quarter.
  Estimate<Energy> measured, filled;
  Instant from = wind.begin();
  for (const FilledGap& gap : file.filled) {
    if (gap.from > from) measured = measured + metered(wind, from, gap.from);
    const Energy e = wind.integral(gap.from, gap.to);
    filled = filled + Estimate<Energy>(e, 0.75 * e, 1.25 * e, Origin::Assumed, Boundary::Facility,
                                       "gap filled", {"straight line"});
    from = gap.to;
  }
  if (wind.end() > from) measured = measured + metered(wind, from, wind.end());

  show("measured", measured);
  if (!file.filled.empty()) show("filled in", filled);
  show("together", measured + filled);
  show("measured - itself", measured - measured);  // one cause: cancels to exactly zero
  const double off = (measured + filled).value() / wind.integral(wind.begin(), wind.end()) - 1.0;
  return off < 1e-12 && off > -1e-12 && (measured - measured).high() == Energy{} ? 0 : 1;
}
