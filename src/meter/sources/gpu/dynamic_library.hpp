// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A shared library found at run time, never linked: driver libraries that most machines lack.

#include <string>

namespace carnot::meter {

/// Once loaded a library stays: drivers keep threads and exit handlers that outlive any handle.
class DynamicLibrary {
 public:
  DynamicLibrary() = default;
  /// \param name  path, or a name for the loader's search
  explicit DynamicLibrary(const std::string& name);

  bool is_open() const noexcept { return handle_ != nullptr; }
  const std::string& error() const noexcept { return error_; }  ///< the loader's words

  /// Points `function` to `symbol`, or to nothing. \return whether it is there
  template <class Function>
  bool bind(Function*& function, const char* symbol) const noexcept {
    function = reinterpret_cast<Function*>(find(symbol));
    return function != nullptr;
  }

 private:
  void* find(const char* symbol) const noexcept;

  void* handle_ = nullptr;
  std::string error_;
};

}  // namespace carnot::meter
