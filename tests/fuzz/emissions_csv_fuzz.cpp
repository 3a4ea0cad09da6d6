// SPDX-License-Identifier: Apache-2.0
// Any bytes as an emissions.csv: runs come out, and everything said of them, or an InputError.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/report/measure/codecarbon.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  carnot::report::is_emissions_csv(text);
  try {
    const carnot::report::EmissionsFile file = carnot::report::parse_emissions_csv(text, "fuzz");
    carnot::report::emissions_json(file, "fuzz");
    if (carnot::report::emissions_terminal(file, 80, false).find('\x1b') !=
        std::string_view::npos) {
      __builtin_trap();
    }
  } catch (const carnot::InputError&) {
  }
  return 0;
}
