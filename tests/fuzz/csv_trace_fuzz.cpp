// SPDX-License-Identifier: Apache-2.0
// Any bytes through the CSV reader: it returns a trace or throws InputError, nothing else. The
// first byte picks the options.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  carnot::CsvOptions options;
  options.gaps = static_cast<carnot::GapPolicy>((data[0] & 3) % 3);
  options.times = (data[0] & 4) != 0 ? carnot::TimeMark::Ends : carnot::TimeMark::Recognise;
  options.trim_ends = (data[0] & 8) != 0;
  if ((data[0] & 16) != 0) options.negative = carnot::NegativePolicy::Allow;
  if (data[0] & 32) options.zone = "+01:00";
  if (data[0] & 64) options.unit = "kW";
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const auto file = carnot::parse_csv<carnot::Power>(text, "fuzz", options);
    // What was read is a lawful trace: steps positive, span conserved.
    if (!(file.trace.begin() < file.trace.end())) __builtin_trap();
    if (file.trace.core().resampled(file.trace.begin(), file.trace.core().step(), 1).size() != 1) {
      __builtin_trap();
    }
  } catch (const carnot::InputError&) {
  }
  return 0;
}
