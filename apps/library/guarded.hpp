// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What every call of the C interface shares: exceptions become a status and a message of this
/// thread, structs of any age are read and written. Thread-safe.

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <type_traits>

#include "carnot/base/error.hpp"
#include "carnot/meter/c_api.h"

namespace carnot::library {

inline thread_local std::string last_error;

inline carnot_status failed(carnot_status status, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

/// Runs `action`; whatever it throws becomes a status and a message.
template <class Action>
carnot_status guarded(Action&& action) noexcept {
  try {
    action();
    return CARNOT_OK;
  } catch (const InputError& error) {
    return failed(CARNOT_BAD_INPUT, error.what());
  } catch (const InputFileError& error) {
    return failed(CARNOT_BAD_INPUT, error.what());
  } catch (const Error& error) {
    return failed(CARNOT_FAILED, error.what());
  } catch (const std::exception& error) {
    return failed(CARNOT_BUG, error.what());
  } catch (...) {
    return failed(CARNOT_BUG, "an exception of unknown type");
  }
}

inline void need(bool given, const char* what) {
  if (!given) throw InputError(std::string(what) + ": allowed: not NULL");
}

inline const char* text(const char* given) { return given ? given : ""; }

/// A struct of the caller's, whatever its age: what it does not have yet is zero.
template <class Struct>
Struct known_part(const Struct* given) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  Struct result{};
  if (given) std::memcpy(&result, given, std::min(given->size, sizeof(Struct)));
  return result;
}

/// Writes as much of `result` as the caller has room for.
template <class Struct>
void give(Struct result, Struct* out) {
  need(out, "out");
  if (out->size < sizeof(std::size_t))
    throw InputError("out->size: allowed: sizeof the struct, set by the caller");
  const std::size_t size = std::min(out->size, sizeof(Struct));
  result.size = out->size;
  std::memcpy(out, &result, size);
}

}  // namespace carnot::library
