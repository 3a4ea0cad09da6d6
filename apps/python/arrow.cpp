// SPDX-License-Identifier: Apache-2.0
#include "arrow.hpp"

#include <cerrno>
#include <memory>
#include <vector>

namespace carnot::python {

namespace nb = nanobind;

namespace {

constexpr const char* kCapsule = "arrow_array_stream";

const char* format_of(Column::Kind kind) {
  switch (kind) {
    case Column::Kind::Number:
      return "g";
    case Column::Kind::Integer:
      return "l";
    case Column::Kind::Time:
      return "tsn:UTC";
    case Column::Kind::Text:
      return "U";
  }
  return "n";
}

/// A struct's children with what they point to. Each child may be moved out and released alone.
template <class Node>
struct Children {
  std::vector<Node> nodes;
  std::vector<Node*> pointers;
};

template <class Node>
void release_children(Node* node) {
  auto* own = static_cast<Children<Node>*>(node->private_data);
  for (Node& child : own->nodes)
    if (child.release != nullptr) child.release(&child);
  delete own;
  node->release = nullptr;
}

void release_child_schema(ArrowSchema* schema) {
  delete static_cast<std::string*>(schema->private_data);
  schema->release = nullptr;
}

struct ColumnData {
  Column column;
  const void* buffers[3];
};

void release_child_array(ArrowArray* array) {
  delete static_cast<ColumnData*>(array->private_data);
  array->release = nullptr;
}

struct Stream {
  Table table;
  bool given = false;
};

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  const Table& table = static_cast<Stream*>(stream->private_data)->table;
  auto own = std::make_unique<Children<ArrowSchema>>();
  for (const Column& column : table.columns) {
    auto name = std::make_unique<std::string>(column.name);
    ArrowSchema child{};
    child.format = format_of(column.kind);
    child.name = name->c_str();
    child.release = release_child_schema;
    child.private_data = name.release();
    own->nodes.push_back(child);
  }
  for (ArrowSchema& child : own->nodes) own->pointers.push_back(&child);
  *out = {};
  out->format = "+s";
  out->name = "";
  out->n_children = static_cast<std::int64_t>(own->nodes.size());
  out->children = own->pointers.data();
  out->release = release_children<ArrowSchema>;
  out->private_data = own.release();
  return 0;
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  auto* const state = static_cast<Stream*>(stream->private_data);
  *out = {};
  if (state->given) return 0;  // a released array: the end
  state->given = true;
  auto own = std::make_unique<Children<ArrowArray>>();
  for (const Column& column : state->table.columns) {
    const bool text = column.kind == Column::Kind::Text;
    auto data = std::make_unique<ColumnData>();
    data->column = column;
    data->buffers[0] = nullptr;  // nothing is missing
    data->buffers[1] = text ? static_cast<const void*>(column.offsets) : column.data;
    data->buffers[2] = text ? column.data : nullptr;
    ArrowArray child{};
    child.length = column.rows;
    child.n_buffers = text ? 3 : 2;
    child.buffers = data->buffers;
    child.release = release_child_array;
    child.private_data = data.release();
    own->nodes.push_back(child);
  }
  for (ArrowArray& child : own->nodes) own->pointers.push_back(&child);
  static const void* no_buffer[1] = {nullptr};
  out->length = state->table.rows();
  out->n_buffers = 1;
  out->buffers = no_buffer;
  out->n_children = static_cast<std::int64_t>(own->nodes.size());
  out->children = own->pointers.data();
  out->release = release_children<ArrowArray>;
  out->private_data = own.release();
  return 0;
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<Stream*>(stream->private_data);
  stream->release = nullptr;
}

void destroy_capsule(PyObject* capsule) {
  auto* const stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kCapsule));
  if (stream == nullptr) return;
  if (stream->release != nullptr) stream->release(stream);
  delete stream;
}

}  // namespace

nb::object arrow_stream(const Table& table) {
  auto stream = std::make_unique<ArrowArrayStream>();
  stream->get_schema = get_schema;
  stream->get_next = get_next;
  stream->get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
  stream->release = release_stream;
  stream->private_data = new Stream{table};
  PyObject* const capsule = PyCapsule_New(stream.get(), kCapsule, destroy_capsule);
  if (capsule == nullptr) {
    release_stream(stream.get());
    throw nb::python_error();
  }
  stream.release();
  return nb::steal(capsule);
}

}  // namespace carnot::python
