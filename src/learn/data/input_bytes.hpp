// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bytes of an input file, unpacked if they are gzip (told by content, never by name).

#include <cstddef>
#include <string>
#include <string_view>

namespace carnot::learn {

/// Whole file; gzip of any number of members is unpacked.
/// \throws InputFileError: missing or unreadable; InputError: truncated or corrupt gzip, more than
/// `limit` bytes
/// unpacked
std::string read_input(const std::string& path, std::size_t limit = std::size_t{4} << 30);

bool is_gzip(std::string_view bytes) noexcept;

/// \param name  for messages
std::string gunzip(std::string_view bytes, const std::string& name,
                   std::size_t limit = std::size_t{4} << 30);

/// Whether a regular file is there.
bool file_exists(const std::string& path) noexcept;

}  // namespace carnot::learn
