// SPDX-License-Identifier: Apache-2.0
#include "errors.hpp"

#include <cstring>
#include <new>

#include "carnot/base/error.hpp"
#include "carnot/base/stop.hpp"

#include "../carnot/command.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

void set(const char* name, const char* message) {
  try {
    const nb::object kind = nb::module_::import_("carnot._errors").attr(name);
    PyErr_SetObject(kind.ptr(), text_of(message, std::strlen(message)).ptr());
  } catch (nb::python_error& e) {
    e.restore();
  }
}

}  // namespace

nb::object text_of(const char* data, std::size_t size) {
  return nb::steal(PyUnicode_DecodeUTF8(data, static_cast<Py_ssize_t>(size), "surrogateescape"));
}

void set_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (nb::python_error& e) {
    e.restore();
  } catch (const Stopped& e) {
    set("Stopped", e.what());
  } catch (const app::UsageError& e) {
    set("UsageError", e.what());
  } catch (const InputFileError& e) {
    set("InputFileError", e.what());
  } catch (const InputError& e) {
    set("InputError", e.what());
  } catch (const DeviceError& e) {
    set("DeviceError", e.what());
  } catch (const IoError& e) {
    set("IoError", e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    set("InternalError", e.what());
  }
}

void bind_errors() {
  nb::register_exception_translator([](const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const Error&) {
      set_error(error);
    } catch (const Stopped&) {
      set_error(error);
    } catch (const InternalError&) {
      set_error(error);
    }  // the rest is nanobind's
  });
}

}  // namespace carnot::python
