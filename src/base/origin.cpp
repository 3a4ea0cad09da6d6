// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/origin.hpp"

#include "carnot/base/error.hpp"

namespace carnot::inline base {

Origin origin_named(std::string_view text, const std::string& what) {
  for (const Origin o : {Origin::Measured, Origin::Published, Origin::Modelled, Origin::Assumed}) {
    if (text == name(o)) return o;
  }
  throw InputError(what + ": origin: measured, modelled, assumed or published is allowed");
}

Boundary boundary_named(std::string_view text, const std::string& what) {
  for (const Boundary b : {Boundary::Chip, Boundary::Node, Boundary::Facility, Boundary::None}) {
    if (text == name(b)) return b;
  }
  throw InputError(what + ": boundary: chip, node, facility or none is allowed");
}

}  // namespace carnot::inline base
