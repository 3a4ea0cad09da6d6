// SPDX-License-Identifier: Apache-2.0
//
// Names, labels and values of hardware monitoring chips, a line each: chip, label, file, value,
// second value. Whatever the bytes, what is read is within its bounds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/sources/hwmon_attributes.hpp"

namespace {

using namespace carnot::meter;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view chip = next_line(text);
  const std::string_view label = next_line(text);
  const std::string_view file = next_line(text);
  const std::string_view first = next_line(text);

  const carnot::meter::HwmonMeaning meaning = carnot::meter::hwmon_meaning(chip, label);
  require(meaning.socket >= -1 && meaning.core >= -1);
  require(meaning.boundary != carnot::Boundary::None);
  require(!carnot::meter::is_power_monitor(chip) || !chip.empty());
  require(carnot::meter::trailing_number(label) >= -1);

  if (const auto attribute = carnot::meter::parse_hwmon_attribute(file)) {
    require(attribute->index >= 0 && !attribute->item.empty());
    require(file.ends_with(attribute->item));
  }
  std::int64_t a = 0, b = 0;
  const bool whole = carnot::meter::parse_decimal(first, a);
  if (whole) {
    std::int64_t back = 0;
    require(carnot::meter::parse_decimal(std::to_string(a), back) && back == a);
    std::uint64_t counts = 0;
    require(a <= 0 || (carnot::meter::parse_decimal(first, counts) &&
                       counts == static_cast<std::uint64_t>(a)));
  }
  if (whole && parse_decimal(text, b)) {
    const std::int64_t product = carnot::meter::hwmon_product(a, b);
    require(product == carnot::meter::hwmon_product(b, a));
    require(a == 0 || b == 0 ? product == 0 : (product > 0) == ((a > 0) == (b > 0)));
  }
  return 0;
}
