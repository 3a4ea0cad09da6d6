// SPDX-License-Identifier: Apache-2.0
// Energy of a span of a program, with what cannot be read here. Shown by
// docs/how-to/measure-cpp.md.
#include <cstdio>

#include "carnot/meter/meter.hpp"

using namespace carnot;

int main() {
  meter::Meter meter = meter::Meter::open({});
  meter.keep_alive();  // a thread samples, so that no counter turns unseen

  meter::Window window(meter, "sum");
  double sum = 0;
  for (int i = 1; i < 10'000'000; ++i) sum += 1.0 / i;
  const meter::WindowResult r = window.stop();

  std::printf("%g: %.3g J in [%.3g, %.3g], %s\n", sum, r.own.value().in(joule),
              r.own.low().in(joule), r.own.high().in(joule), name(r.own.origin()).data());
  for (const meter::Note& note : meter.notes())
    std::printf("%s: %s %s\n", note.what.c_str(), note.why.c_str(), note.remedy.c_str());
}
