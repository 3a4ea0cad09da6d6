// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The few things the ledger asks of files, each with the system's words when it fails.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::ledger::detail {

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

/// Bytes that are looked at from front to back, a window at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const noexcept = 0;
  /// `count` bytes from `at`, fewer where the bytes end; valid until the next call.
  virtual std::span<const std::uint8_t> window(std::uint64_t at, std::uint64_t count) = 0;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  std::span<const std::uint8_t> window(std::uint64_t at, std::uint64_t count) override;

 private:
  std::span<const std::uint8_t> bytes_;
};

/// An open regular file, of the size it had when this was made.
class FileSource : public ByteSource {
 public:
  /// \throws IoError, also for what is no regular file
  FileSource(int fd, const std::string& path);
  std::uint64_t size() const noexcept override { return size_; }
  /// \throws IoError
  std::span<const std::uint8_t> window(std::uint64_t at, std::uint64_t count) override;

 private:
  int fd_;
  const std::string& path_;
  std::uint64_t size_ = 0;
  std::uint64_t from_ = 0;  // of buffer_ in the file
  std::vector<std::uint8_t> buffer_;
};

/// Replaces `path` by `text` in one step: a reader sees the old file or the new, never a part.
/// \throws IoError; the old file is then untouched and nothing is left behind
void write_atomically(const std::string& path, std::string_view text);

}  // namespace carnot::ledger::detail
