// SPDX-License-Identifier: Apache-2.0
//
// Every reader of base text: quantities of all dimensions, instants, numbers, integers. Whatever
// the bytes, a reader returns or throws InputError; what it returns is finite and reads back.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/text.hpp"

namespace {

using namespace carnot;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Q>
void read_quantity(std::string_view text) {
  try {
    const Q q = carnot::parse_as<Q>(text);
    require(carnot::is_finite(q));
    const Q back = carnot::parse_as<Q>(carnot::format(q, 17));
    require(carnot::abs(back - q) <= 1e-14 * abs(q));
  } catch (const InputError&) {
    // Text that is refused is as good as text that is read.
  }
}

template <class... Q>
void read_all(std::string_view text) {
  (read_quantity<Q>(text), ...);
}

template <class Read>
void read_or_refuse(Read read) {
  try {
    read();
  } catch (const InputError&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_all<Length, Time, Speed, Energy, Power, Information, Operations, Carbon, Money, Temperature,
           Entropy, EnergyPrice, CarbonIntensity, CarbonPrice, DelayPrice, EnergyPerBit,
           EnergyPerOperation, OperationRate, Bandwidth>(text);
  read_or_refuse([text] {
    const double number = carnot::parse_number(text);
    require(std::isfinite(number));
    require(carnot::parse_number(carnot::shortest(number)) == number);
  });
  read_or_refuse([text] { carnot::parse_integer(text); });
  for (const bool assume_utc : {false, true})
    read_or_refuse([text, assume_utc] {
      const Instant instant = Instant::parse(text, assume_utc);
      require(Instant::parse(instant.iso8601()) == instant);
    });
  return 0;
}
