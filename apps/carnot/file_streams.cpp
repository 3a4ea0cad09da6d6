// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "encode_command.hpp"

namespace carnot::app {

namespace {

int keep_open(std::FILE*) { return 0; }

[[noreturn]] void fail_input(const std::string& path, const char* operation, int error) {
  throw InputFileError(path, operation, error);
}

/// Runs a program on a file and counts the bytes it prints; 0 if it is not here or fails.
std::uint64_t bytes_printed(const std::vector<std::string>& words, const std::string& path,
                            const StopToken& stop) {
  const int input = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<int, 2> ends{-1, -1};
  if (input < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    if (input >= 0) ::close(input);
    return 0;
  }
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(ends[1], STDOUT_FILENO) < 0 ||
        ::dup2(nowhere, STDERR_FILENO) < 0)
      _exit(127);
    ::execvp(argv[0], argv.data());
    _exit(127);
  }
  ::close(input);
  ::close(ends[1]);
  std::uint64_t count = 0;
  std::array<char, 65536> buffer{};
  bool stopped = false;
  while (child > 0) {
    stopped = stop.requested();
    if (stopped) {
      ::kill(child, SIGTERM);
      break;
    }
    pollfd ready{ends[0], POLLIN, 0};
    if (::poll(&ready, 1, 200) <= 0) continue;
    const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    count += static_cast<std::uint64_t>(got);
  }
  ::close(ends[0]);
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (stopped) throw Stopped();
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? count : 0;
}

}  // namespace

InputStream::InputStream(const std::string& path)
    : path_(path),
      file_(path == "-" ? stdin : std::fopen(path.c_str(), "rbe"),
            path == "-" ? keep_open : std::fclose) {
  if (file_ == nullptr) fail_input(path_, "open", errno);
  struct stat info {};
  if (::fstat(::fileno(file_.get()), &info) == 0 && S_ISDIR(info.st_mode))
    fail_input(path_, "read", EISDIR);
}

std::uint64_t InputStream::size() const {
  struct stat info {};
  if (::fstat(::fileno(file_.get()), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  return static_cast<std::uint64_t>(info.st_size);
}

std::size_t InputStream::read(std::span<std::uint8_t> bytes) {
  errno = 0;
  const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file_.get());
  if (got < bytes.size() && std::ferror(file_.get()) != 0) fail_input(path_, "read", errno);
  return got;
}

OutputStream::OutputStream(const std::string& path, bool force)
    : path_(path), file_(nullptr, std::fclose) {
  if (path == "-") {
    file_ = {stdout, keep_open};
    return;
  }
  std::error_code ignored;
  const auto there = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(there)) throw IoError(path, "write", EISDIR);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    file_.reset(std::fopen(path.c_str(), "wbe"));  // a pipe, /dev/null
  } else {
    if (std::filesystem::exists(there) && !force)
      throw InputError(describe({path, 0}, "output", "a new file; --force replaces one"));
    temporary_ = path + ".XXXXXX";
    const int file = ::mkstemp(temporary_.data());
    if (file < 0) {
      temporary_.clear();
      throw IoError(path, "create", errno);
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(file, 0666 & ~mask);
    file_.reset(::fdopen(file, "wb"));
  }
  if (file_ == nullptr) throw IoError(path, "create", errno);
}

OutputStream::~OutputStream() {
  file_.reset();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputStream::write(std::span<const std::uint8_t> bytes) {
  errno = 0;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
    throw IoError(path_, "write", errno);
}

void OutputStream::commit() {
  errno = 0;
  if (std::fflush(file_.get()) != 0) throw IoError(path_, "write", errno);
  if (temporary_.empty()) return;
  if (::fsync(::fileno(file_.get())) != 0) throw IoError(path_, "write", errno);
  file_.reset();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw IoError(path_, "rename", errno);
  temporary_.clear();
}

std::vector<report::OtherCode> other_codes(const std::string& path, const StopToken& stop) {
  std::vector<report::OtherCode> out;
  const std::vector<std::vector<std::string>> programs = {
      {"gzip", "-9"}, {"bzip2", "-9"}, {"zstd", "-19"}, {"xz", "-9e"}};
  for (const std::vector<std::string>& program : programs) {
    report::OtherCode& other = out.emplace_back();
    other.name = fmt::format("{} {}", program[0], program[1]);
    const auto began = std::chrono::steady_clock::now();
    other.bytes = bytes_printed({program[0], program[1], "-c"}, path, stop);
    other.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  return out;
}

}  // namespace carnot::app
