// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::ledger::detail {

File::File(const std::string& path, int flags, const char* operation)
    : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
  if (fd_ >= 0) return;
  const int error = errno;
  // A journal that should be there and is not, or that may not be read, is the user's to mend.
  const bool existing = (flags & (O_CREAT | O_DIRECTORY)) == 0;
  if (existing && (error == ENOENT || error == ENOTDIR || (flags & O_ACCMODE) == O_RDONLY))
    throw InputFileError(path, operation, error);
  throw IoError(path, operation, error);
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

int File::release() noexcept { return std::exchange(fd_, -1); }

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void sync_folder(const std::string& folder) {
  const File directory(folder, O_RDONLY | O_DIRECTORY, "open the folder");
  // EINVAL: a file system that has no such notion; there is nothing more to ask of it.
  if (::fsync(directory.fd()) != 0 && errno != EINVAL) throw IoError(folder, "sync", errno);
}

int write_fully(int fd, const std::uint8_t* data, std::size_t size, std::uint64_t offset) noexcept {
  while (size > 0) {
    const ssize_t done = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    if (done < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (done == 0) return EIO;
    data += done;
    size -= static_cast<std::size_t>(done);
    offset += static_cast<std::uint64_t>(done);
  }
  return 0;
}

std::span<const std::uint8_t> MemorySource::window(std::uint64_t at, std::uint64_t count) {
  const std::uint64_t from = std::min<std::uint64_t>(at, bytes_.size());
  return bytes_.subspan(from, std::min<std::uint64_t>(count, bytes_.size() - from));
}

FileSource::FileSource(int fd, const std::string& path) : fd_(fd), path_(path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw IoError(path, "read", errno);
  if (S_ISDIR(status.st_mode)) throw InputFileError(path, "read", EISDIR);
  if (!S_ISREG(status.st_mode))
    throw InputFileError(fmt::format("{}: read: a device, pipe or socket; a file is needed", path));
  size_ = static_cast<std::uint64_t>(status.st_size);
}

std::span<const std::uint8_t> FileSource::window(std::uint64_t at, std::uint64_t count) {
  at = std::min(at, size_);
  count = std::min(count, size_ - at);
  if (at < from_ || at + count > from_ + buffer_.size()) {
    constexpr std::uint64_t kAhead = 256 * 1024;  // stays in the cache
    const std::uint64_t wanted = std::min(std::max(count, kAhead), size_ - at);
    buffer_.resize(wanted);
    from_ = at;
    std::size_t filled = 0;
    while (filled < buffer_.size()) {
      const ssize_t got = ::pread(fd_, buffer_.data() + filled, buffer_.size() - filled,
                                  static_cast<off_t>(at + filled));
      if (got < 0) {
        if (errno == EINTR) continue;
        throw IoError(path_, "read", errno);
      }
      if (got == 0) break;  // cut while we read
      filled += static_cast<std::size_t>(got);
    }
    buffer_.resize(filled);
  }
  const std::uint64_t skipped = std::min<std::uint64_t>(at - from_, buffer_.size());
  return std::span(buffer_).subspan(skipped, std::min(count, buffer_.size() - skipped));
}

void write_atomically(const std::string& path, std::string_view text) {
  const std::string draft = fmt::format("{}.{}.part", path, ::getpid());
  ::unlink(draft.c_str());  // of a process that died and had our number
  File file(draft, O_WRONLY | O_CREAT | O_EXCL, "write");
  int error =
      write_fully(file.fd(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), 0);
  if (error == 0 && ::fsync(file.fd()) != 0) error = errno;
  if (error == 0 && std::rename(draft.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(draft.c_str());
    throw IoError(path, "write", error);
  }
  sync_folder(folder_of(path));
}

}  // namespace carnot::ledger::detail
