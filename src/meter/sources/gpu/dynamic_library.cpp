// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/gpu/dynamic_library.hpp"

#include <dlfcn.h>

namespace carnot::meter {

DynamicLibrary::DynamicLibrary(const std::string& name)
    : handle_(::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    const char* words = ::dlerror();
    error_ = words != nullptr ? words : "cannot be loaded";
  }
}

void* DynamicLibrary::find(const char* symbol) const noexcept {
  return handle_ != nullptr ? ::dlsym(handle_, symbol) : nullptr;
}

}  // namespace carnot::meter
