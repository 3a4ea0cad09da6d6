// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A small file of /sys or /proc that is read again and again: opened once, read with one pread.
/// Nothing here allocates after construction or throws.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace carnot::meter {

class PinnedFile {
 public:
  PinnedFile() = default;
  /// Opens read-only, close-on-exec; `error()` says what went wrong.
  explicit PinnedFile(const std::string& path) noexcept;
  PinnedFile(PinnedFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), error_(other.error_) {}
  PinnedFile& operator=(PinnedFile&& other) noexcept;
  ~PinnedFile();

  bool is_open() const noexcept { return fd_ >= 0; }
  int error() const noexcept { return error_; }  ///< errno of the open or of the last read; 0: none
  int fd() const noexcept { return fd_; }

  /// The bytes from the start of the file, as many as fit into `buffer`; empty on failure.
  std::string_view read(std::span<char> buffer) noexcept;
  /// The file as one unsigned integer in decimal, blanks around it allowed. False on failure
  /// (`error()`: errno, or EBADMSG for text that is none or does not fit into 64 bits).
  bool read_integer(std::uint64_t& value) noexcept;

 private:
  int fd_ = -1;
  int error_ = 0;
};

/// The file's first line without its end, or empty if it cannot be read.
std::string first_line(const std::string& path);

}  // namespace carnot::meter
