// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The few things the ledger asks of files, each with the system's words when it fails.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::detail {

/// Owns a file descriptor.
class File {
 public:
  /// open(2) with O_CLOEXEC. \throws IoError `path: operation: system's words`
  File(const std::string& path, int flags, const char* operation);
  File(File&& other) noexcept : fd_(other.release()) {}
  File& operator=(File&&) = delete;
  ~File();
  int fd() const noexcept { return fd_; }
  int release() noexcept;

 private:
  int fd_;
};

/// The folder a path lies in; "." where the path names none.
std::string folder_of(const std::string& path);

/// Makes a new or renamed name in `folder` durable. \throws IoError
void sync_folder(const std::string& folder);

/// Writes all bytes at `offset`, going on after short writes and interruptions.
/// \return 0 or the errno that stopped it
int write_fully(int fd, const std::uint8_t* data, std::size_t size, std::uint64_t offset) noexcept;

/// The whole of an open regular file. \throws IoError, also for what is no regular file
std::vector<std::uint8_t> read_fully(int fd, const std::string& path);

/// Replaces `path` by `text` in one step: a reader sees the old file or the new, never a part.
/// \throws IoError; the old file is then untouched and nothing is left behind
void write_atomically(const std::string& path, std::string_view text);

}  // namespace carnot::detail
