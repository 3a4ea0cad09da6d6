// SPDX-License-Identifier: Apache-2.0
//
// The table of hosts: whatever the bytes, the answer is a table or an InputError; a table has a row
// of finite, ordered, positive powers for each row in, and its own facts read back to the same.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/meter/power_model/power_model.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

/// The table without its last three columns.
std::string stripped(const std::string& table) {
  std::string out;
  std::size_t begin = 0;
  while (begin < table.size()) {
    const auto end = table.find('\n', begin);
    auto line = table.substr(begin, end - begin);
    double next = INFINITY;
    for (int column = 0; column < 3; ++column) {
      const auto comma = line.rfind(',');
      require(comma != std::string::npos);
      if (begin > 0) {
        const double value = std::stod(line.substr(comma + 1));
        require(std::isfinite(value) && value > 0);
        // From the right: high, value again below it, low.
        if (column == 0)
          next = value;
        else
          require(value <= next);
      }
      line.resize(comma);
    }
    out += (line.empty() ? "\"\"" : line) + "\n";  // an empty line would be skipped
    begin = end + 1;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto table = carnot::meter::estimate_csv(text, "hosts.csv");
    require(carnot::meter::estimate_csv(stripped(table), "again.csv") == table);
  } catch (const carnot::InputError&) {
    return 0;
  }
  return 0;
}
