// SPDX-License-Identifier: Apache-2.0
// carnot._core: all of carnot for Python. What users see of it is python/carnot.
#include <nanobind/nanobind.h>

#include "carnot/base/version.hpp"
#include "carnot/solve/integer_program.hpp"
#include "carnot/solve/linear_program.hpp"

#include "bindings.hpp"
#include "errors.hpp"

namespace nb = nanobind;

namespace {

nb::dict build_info() {
  nb::dict parts;
#ifdef CARNOT_HAVE_ONEDNN
  parts["onednn"] = true;
#else
  parts["onednn"] = false;
#endif
#ifdef CARNOT_HAVE_OPENMP
  parts["openmp"] = true;
#else
  parts["openmp"] = false;
#endif
#ifdef CARNOT_HAVE_CURL
  parts["curl"] = true;
#else
  parts["curl"] = false;
#endif
#ifdef CARNOT_HAVE_DATE
  parts["date"] = true;
#else
  parts["date"] = false;
#endif
  parts["clp"] = carnot::solve::has_linear_solver();
  parts["cbc"] = carnot::solve::has_integer_solver();
  return parts;
}

}  // namespace

NB_MODULE(_core, m) {
  m.attr("__version__") = std::string(carnot::kVersion).c_str();
  m.def("parts", &build_info, "Optional parts, and whether this build has them.");
  carnot::python::bind_errors();
  carnot::python::bind_estimates(m);
  carnot::python::bind_tables(m);
  carnot::python::bind_traces(m);
  carnot::python::bind_learners(m);
  carnot::python::bind_commands(m);
}
