// SPDX-License-Identifier: Apache-2.0
// Column, Table and Trace of carnot._core.
#include <optional>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/trace/readers/read.hpp"

#include "arrow.hpp"
#include "bindings.hpp"
#include "errors.hpp"
#include "table.hpp"
#include "watched.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

int fill_buffer(PyObject* self, Py_buffer* view, int flags, Column& column) {
  if (column.kind == Column::Kind::Text || (flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) {
    PyErr_SetString(PyExc_BufferError, column.kind == Column::Kind::Text
                                           ? "a column of text has no buffer; list(column)"
                                           : "columns are read-only");
    view->obj = nullptr;
    return -1;
  }
  static char number[] = "d", whole[] = "q";
  *view = {};
  view->buf = const_cast<void*>(column.data);
  view->len = column.rows * 8;
  view->itemsize = 8;
  view->readonly = 1;
  view->ndim = 1;
  view->format = column.kind == Column::Kind::Number ? number : whole;
  static_assert(sizeof(Py_ssize_t) == sizeof(std::int64_t));
  view->shape = reinterpret_cast<Py_ssize_t*>(&column.rows);
  view->strides = reinterpret_cast<Py_ssize_t*>(&column.stride);
  view->obj = self;
  Py_INCREF(self);
  return 0;
}

int column_buffer(PyObject* self, Py_buffer* view, int flags) {
  return fill_buffer(self, view, flags, *nb::inst_ptr<Column>(self));
}

nb::object item(const Column& c, std::int64_t i) {
  if (i < 0) i += c.rows;
  if (i < 0 || i >= c.rows) throw nb::index_error();
  const auto at = static_cast<std::size_t>(i);
  switch (c.kind) {
    case Column::Kind::Number:
      return nb::cast(static_cast<const double*>(c.data)[at]);
    case Column::Kind::Integer:
    case Column::Kind::Time:
      return nb::cast(static_cast<const std::int64_t*>(c.data)[at]);
    case Column::Kind::Text:
      break;
  }
  const char* const text = static_cast<const char*>(c.data);
  return text_of(text + c.offsets[at], static_cast<std::size_t>(c.offsets[at + 1] - c.offsets[at]));
}

const char* kind_name(const Column& c) {
  switch (c.kind) {
    case Column::Kind::Number:
      return "number";
    case Column::Kind::Integer:
      return "integer";
    case Column::Kind::Time:
      return "time";
    case Column::Kind::Text:
      break;
  }
  return "text";
}

const Column& column_named(const Table& table, const std::string& name) {
  for (const Column& column : table.columns)
    if (column.name == name) return column;
  throw nb::key_error(name.c_str());
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

/// Of (name, "integer" | "number" | "text", list).
Table table_of_columns(const nb::list& columns) {
  Table out;
  for (const nb::handle item : columns) {
    const nb::tuple c = nb::cast<nb::tuple>(item);
    const std::string name = nb::cast<std::string>(c[0]), kind = nb::cast<std::string>(c[1]);
    if (kind == "integer")
      out.columns.push_back(integer_column(name, nb::cast<std::vector<std::int64_t>>(c[2])));
    else if (kind == "number")
      out.columns.push_back(number_column(name, nb::cast<std::vector<double>>(c[2])));
    else
      out.columns.push_back(text_column(name, nb::cast<std::vector<std::string>>(c[2])));
  }
  return out;
}

/// A trace with what is known of it.
struct PythonTrace {
  std::shared_ptr<const TraceCore> core;
  Dimension dimension;
  std::string unit, provenance;
  Column values;  ///< a view of the core

  PythonTrace(TraceCore trace, const Dimension& of, std::string in, std::string from)
      : core(std::make_shared<const TraceCore>(std::move(trace))),
        dimension(of),
        unit(std::move(in)),
        provenance(std::move(from)) {
    values.name = "value";
    values.rows = static_cast<std::int64_t>(core->size());
    values.data = core->mean().data();
    values.owner = core;
  }
};

struct Quantity {
  const char* name;
  Dimension dimension;
  const char* unit;  ///< coherent, in which values are held
};

const Quantity& quantity_named(const std::string& name) {
  static const Quantity all[] = {
      {"power", Power::kDimension, "W"},
      {"price", EnergyPrice::kDimension, "EUR/J"},
      {"carbon", CarbonIntensity::kDimension, "kg/J"},
      {"temperature", Temperature::kDimension, "K"},
      {"speed", Speed::kDimension, "m/s"},
      {"number", kDimensionless, ""},
  };
  for (const Quantity& q : all)
    if (name == q.name) return q;
  throw InputError(describe({}, "quantity", "power, price, carbon, temperature, speed or number"));
}

PythonTrace read_trace(const std::string& path, const std::string& quantity,
                       const std::string& column, const std::string& time_column,
                       const std::string& unit, const std::string& zone, const std::string& gaps) {
  const Quantity& q = quantity_named(quantity);
  CsvOptions options;
  options.column = column;
  options.time_column = time_column;
  options.unit = unit;
  options.zone = zone;
  options.gaps = gap_policy(gaps);
  const auto file = std::make_shared<std::optional<reading::CoreFile>>();
  watched(
      std::make_shared<Watch>(),
      [path, options, dimension = q.dimension, file](const std::shared_ptr<Watch>&) {
        *file = reading::read_csv(path, options, dimension);
      },
      nb::none(), false);
  return {std::move((*file)->core), q.dimension, q.unit, std::move((*file)->provenance)};
}

PythonTrace trace_of(std::int64_t start_ns, std::int64_t step_ns, std::vector<double> values,
                     const std::string& quantity) {
  const Quantity& q = quantity_named(quantity);
  return {TraceCore(Instant::from_unix_nanoseconds(start_ns), Duration::nanoseconds(step_ns),
                    std::move(values)),
          q.dimension, q.unit, ""};
}

Instant instant(std::int64_t unix_ns) { return Instant::from_unix_nanoseconds(unix_ns); }

Table table_of(const PythonTrace& trace) {
  std::vector<std::int64_t> begins;
  begins.reserve(trace.core->size());
  for (std::size_t i = 0; i < trace.core->size(); ++i)
    begins.push_back(trace.core->edge(i).unix_nanoseconds());
  return {{time_column("begin", std::move(begins)), trace.values}};
}

int trace_buffer(PyObject* self, Py_buffer* view, int flags) {
  return fill_buffer(self, view, flags, nb::inst_ptr<PythonTrace>(self)->values);
}

}  // namespace

void bind_tables(nb::module_& m) {
  static PyType_Slot column_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(column_buffer)},
                                       {0, nullptr}};
  nb::class_<Column>(m, "Column", nb::type_slots(column_slots),
                     "A column of a table: numbers have the buffer protocol, text is a sequence.")
      .def_ro("name", &Column::name)
      .def_prop_ro("kind", &kind_name, "\"number\", \"integer\", \"time\" (ns of 1970) or \"text\"")
      .def("__len__", [](const Column& c) { return c.rows; })
      .def("__getitem__", &item, nb::arg("index"));
  nb::class_<Table>(m, "Table", "Columns of equal length; see carnot.Table.")
      .def_static(
          "of_csv", [](const std::string& text) { return table_of_csv(text); }, nb::arg("text"))
      .def_static("of_columns", &table_of_columns, nb::arg("columns"))
      .def_prop_ro("names", &names_of)
      .def("__len__", [](const Table& t) { return t.rows(); })
      .def("column", &column_named, nb::arg("name"))
      .def("arrow_stream", [](const Table& t) { return arrow_stream(t); });
}

void bind_traces(nb::module_& m) {
  static PyType_Slot trace_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(trace_buffer)},
                                      {0, nullptr}};
  nb::class_<PythonTrace>(m, "Trace", nb::type_slots(trace_slots),
                          "Means of a quantity over consecutive intervals; see carnot.Trace.")
      .def_static("read", &read_trace, nb::arg("path"), nb::arg("quantity"), nb::arg("column"),
                  nb::arg("time_column"), nb::arg("unit"), nb::arg("zone"), nb::arg("gaps"))
      .def_static("of", &trace_of, nb::arg("start_ns"), nb::arg("step_ns"), nb::arg("values"),
                  nb::arg("quantity"))
      .def_ro("unit", &PythonTrace::unit)
      .def_ro("provenance", &PythonTrace::provenance)
      .def_ro("values", &PythonTrace::values)
      .def_prop_ro("begin_ns",
                   [](const PythonTrace& t) { return t.core->begin().unix_nanoseconds(); })
      .def_prop_ro("end_ns", [](const PythonTrace& t) { return t.core->end().unix_nanoseconds(); })
      .def_prop_ro(
          "step_ns", [](const PythonTrace& t) { return t.core->step().nanoseconds(); },
          "0 where steps differ")
      .def("__len__", [](const PythonTrace& t) { return t.core->size(); })
      .def(
          "at_ns", [](const PythonTrace& t, std::int64_t ns) { return t.core->at(instant(ns)); },
          nb::arg("unix_ns"))
      .def(
          "integral_ns",
          [](const PythonTrace& t, std::int64_t from, std::int64_t to) {
            return t.core->integral(instant(from), instant(to));
          },
          nb::arg("from_ns"), nb::arg("to_ns"))
      .def(
          "resampled_ns",
          [](const PythonTrace& t, std::int64_t start, std::int64_t step, std::size_t n) {
            return PythonTrace(t.core->resampled(instant(start), Duration::nanoseconds(step), n),
                               t.dimension, t.unit, t.provenance);
          },
          nb::arg("start_ns"), nb::arg("step_ns"), nb::arg("count"))
      .def("table", &table_of);
}

}  // namespace carnot::python
