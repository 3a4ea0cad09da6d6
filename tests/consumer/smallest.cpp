// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "carnot/base/error.hpp"
#include "carnot/base/quantity.hpp"

int main() {
  using namespace carnot;
  const Energy energy = 3.0 * kilowatt * (2.0 * hour);
  const std::string word =
      carnot::nearest("trian", {"train", "plan"});  // out of the library, not inline
  std::printf("%.1f kWh, did you mean `%s`?\n", energy.in(kilowatt_hour), word.c_str());
  return energy.in(kilowatt_hour) == 6.0 && word == "train" ? 0 : 1;
}
