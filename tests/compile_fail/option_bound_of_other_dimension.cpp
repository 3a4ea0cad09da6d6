// SPDX-License-Identifier: Apache-2.0
// The bounds of an option have the dimension of its field.
#include "carnot/base/option.hpp"

void declare(carnot::OptionTable& table, carnot::Energy& capacity) {
#ifdef BAD
  table.quantity("capacity", &capacity, 0.0 * carnot::watt, {}, "usable energy");
#else
  table.quantity("capacity", &capacity, 0.0 * carnot::joule, {}, "usable energy");
#endif
}
