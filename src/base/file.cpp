// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view operation) {
  throw IoError(path.native(), operation, errno);
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retried(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

/// An open file descriptor.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : number_(retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); })) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }
  /// Some file systems report a failed write only here.
  bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_;
};

void write_all(const Descriptor& file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written =
        retried([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
    if (written < 0) fail(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Removes a temporary unless it has taken its final name.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  void keep() noexcept { path_.clear(); }

 private:
  fs::path path_;
};

/// A name in the directory of `path` that no other writer of this or another process uses.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.parent_path() /
         fmt::format(".{}.{}.{}.part", path.filename().native(), ::getpid(), counter++);
}

/// A rename is on disk only when its directory is. Directories that cannot be opened or synced
/// (some network file systems) are not a failure: the content itself is safe.
void sync_directory(const fs::path& directory) noexcept {
  const int number = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return;
  ::fsync(number);
  ::close(number);
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file) fail(path, "open");
  std::string bytes;
  struct stat status {};
  if (::fstat(file.number(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
    bytes.reserve(static_cast<std::size_t>(status.st_size));
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count =
        retried([&] { return ::read(file.number(), buffer.data(), buffer.size()); });
    if (count < 0) fail(path, "read");
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_file(const fs::path& path, std::string_view bytes, Directories directories) {
  std::error_code error;
  if (directories == Directories::Create && path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
    if (error) throw IoError(path.parent_path().native(), "create directory", error.value());
  }
  // The file itself, not a link to it, is what the rename replaces.
  fs::path target = path;
  for (int hops = 0; fs::is_symlink(fs::symlink_status(target, error)); ++hops) {
    if (hops == 40) throw IoError(path.native(), "follow link", ELOOP);
    const fs::path to = fs::read_symlink(target, error);
    if (error) throw IoError(path.native(), "follow link", error.value());
    target = to.is_absolute() ? to : target.parent_path() / to;
  }

  struct stat status {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    Descriptor file(target, O_WRONLY);  // a directory fails here
    if (!file) fail(path, "open for writing");
    write_all(file, bytes, path);
    if (!file.close()) fail(path, "close");
    return;
  }
  if (exists && ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0)
    fail(path, "open for writing");

  const fs::path beside = temporary_beside(target);
  Descriptor file(beside, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file) fail(path, "create");
  Temporary temporary(beside);
  if (exists && ::fchmod(file.number(), status.st_mode & 07777) != 0) fail(path, "set permissions");
  write_all(file, bytes, path);
  if (::fsync(file.number()) != 0) fail(path, "fsync");
  if (!file.close()) fail(path, "close");
  if (::rename(beside.c_str(), target.c_str()) != 0) fail(path, "rename");
  temporary.keep();
  sync_directory(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

}  // namespace carnot::inline base
