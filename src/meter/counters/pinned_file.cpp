// SPDX-License-Identifier: Apache-2.0
#include "meter/counters/pinned_file.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "meter/counters/plain_text.hpp"

namespace carnot::meter {

PinnedFile::PinnedFile(const std::string& path) noexcept
    // A pipe in the place of an attribute must not be waited for.
    : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), error_(fd_ < 0 ? errno : 0) {}

PinnedFile& PinnedFile::operator=(PinnedFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    error_ = other.error_;
  }
  return *this;
}

PinnedFile::~PinnedFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::string_view PinnedFile::read(std::span<char> buffer) noexcept {
  std::size_t have = 0;
  error_ = 0;
  while (have < buffer.size()) {
    const ssize_t n =
        ::pread(fd_, buffer.data() + have, buffer.size() - have, static_cast<off_t>(have));
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      error_ = errno;
      return {};
    }
    have += static_cast<std::size_t>(n);
    // Files of /sys and /proc that fit come whole in one read.
    if (have < buffer.size()) break;
  }
  return {buffer.data(), have};
}

bool PinnedFile::read_integer(std::uint64_t& value) noexcept {
  std::array<char, 40> buffer;
  const std::string_view text = read(buffer);
  if (error_ != 0) return false;
  if (parse_decimal(text, value)) return true;
  error_ = EBADMSG;
  return false;
}

std::string first_line(const std::string& path) {
  PinnedFile file(path);
  if (!file.is_open()) return {};
  std::array<char, 4096> buffer;
  const std::string_view text = file.read(buffer);
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace carnot::meter
