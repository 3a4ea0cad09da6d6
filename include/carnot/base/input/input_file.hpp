// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Files that a user named as input. Safe in any thread.

#include <cstddef>
#include <filesystem>
#include <string>

namespace carnot::inline base {

/// The whole file; gzip of any number of members is unpacked, told by content, never by name.
/// \throws InputFileError: missing, unreadable, a folder; InputError: corrupt gzip, more than
/// `limit` bytes
std::string read_input(const std::filesystem::path& path, std::size_t limit = std::size_t{4} << 30);

/// Whether a regular file is there.
bool file_exists(const std::filesystem::path& path) noexcept;

}  // namespace carnot::inline base
