// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whole files in and out. A file written here is either the old one or the new one, never a part:
/// the bytes go to a temporary beside it, reach the disk (fsync), and then take its name (rename).
/// Every failure is an IoError with the path, the operation and the system's words.
/// Thread-safe; two writers of one path leave one of the two contents.

#include <filesystem>
#include <string>
#include <string_view>

namespace carnot::inline base {

/// The bytes of a file, also of those whose size is not known beforehand (pipes, /proc).
/// \throws IoError
std::string read_file(const std::filesystem::path& path);

/// What to do about directories on the way to a new file.
enum class Directories { MustExist, Create };

/// Replaces `path` by `bytes`, keeping the permissions of a file already there. Follows symbolic
/// links; what is not a regular file (a terminal, a pipe, /dev/null) is written to in place.
/// \throws IoError; a regular file at `path` is then unchanged and no temporary is left
void write_file(const std::filesystem::path& path, std::string_view bytes,
                Directories directories = Directories::MustExist);

}  // namespace carnot::inline base
