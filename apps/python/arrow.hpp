// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A Table through the Arrow C data and C stream interfaces (Apache Arrow, format/CDataInterface
/// and format/CStreamInterface), whose structs are a fixed binary interface.

#include <cstdint>

#include <nanobind/nanobind.h>

#include "table.hpp"

extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}

namespace carnot::python {

/// A capsule "arrow_array_stream" of one batch: a struct of the columns.
nanobind::object arrow_stream(const Table& table);

}  // namespace carnot::python
