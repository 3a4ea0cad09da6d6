// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Errors of carnot as exceptions of the Python package (python/carnot/_errors.py).

#include <exception>

#include <nanobind/nanobind.h>

namespace carnot::python {

/// Sets the Python error that stands for an exception. With the interpreter's lock held.
void set_error(const std::exception_ptr& error);
/// Makes every exception of carnot one of the package's.
void bind_errors();

/// Text that may hold bytes that are no UTF-8, such as names of files.
nanobind::object text_of(const char* data, std::size_t size);

}  // namespace carnot::python
