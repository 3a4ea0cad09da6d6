// SPDX-License-Identifier: Apache-2.0
// EstimateCore: what the value types of python/carnot/_estimate.py are held against.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "carnot/base/error.hpp"
#include "carnot/base/estimate.hpp"

#include "bindings.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

Origin origin_named(const std::string& word) {
  for (const Origin o : {Origin::Measured, Origin::Published, Origin::Modelled, Origin::Assumed})
    if (word == name(o)) return o;
  throw InputError(describe({}, "origin", "measured, published, modelled or assumed"));
}

Boundary boundary_named(const std::string& word) {
  for (const Boundary b : {Boundary::Chip, Boundary::Node, Boundary::Facility, Boundary::None})
    if (word == name(b)) return b;
  throw InputError(describe({}, "boundary", "chip, node, facility or none"));
}

}  // namespace

void bind_estimates(nb::module_& m) {
  nb::class_<EstimateCore>(m, "Estimate", "A figure with named causes of error.")
      .def(
          "__init__",
          [](EstimateCore* self, double value, double low, double high, const std::string& origin,
             const std::string& boundary, const std::string& cause) {
            new (self) EstimateCore(value, low, high, origin_named(origin),
                                    boundary_named(boundary), cause, {});
          },
          nb::arg("value"), nb::arg("low"), nb::arg("high"), nb::arg("origin"), nb::arg("boundary"),
          nb::arg("cause"))
      .def_prop_ro("value", &EstimateCore::value)
      .def_prop_ro("low", &EstimateCore::low)
      .def_prop_ro("high", &EstimateCore::high)
      .def_prop_ro("origin", [](const EstimateCore& e) { return std::string(name(e.origin())); })
      .def_prop_ro("boundary",
                   [](const EstimateCore& e) { return std::string(name(e.boundary())); })
      .def("plus", &EstimateCore::sum)
      .def("scaled", &EstimateCore::scaled)
      .def("times", &EstimateCore::product)
      .def("over", &EstimateCore::quotient);
}

}  // namespace carnot::python
