// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Files that a user named as input.

#include <filesystem>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::inline base {

/// \throws InputFileError: missing or unreadable
inline std::string read_input(const std::filesystem::path& path) {
  try {
    return read_file(path);
  } catch (const IoError& error) {
    throw InputFileError(error.what());
  }
}

}  // namespace carnot::inline base
