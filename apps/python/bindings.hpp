// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Parts of the module carnot._core.

#include <nanobind/nanobind.h>

namespace carnot::python {

void bind_commands(nanobind::module_& m);
void bind_tables(nanobind::module_& m);
void bind_traces(nanobind::module_& m);
void bind_learners(nanobind::module_& m);
void bind_estimates(nanobind::module_& m);

}  // namespace carnot::python
