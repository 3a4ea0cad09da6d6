// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/journal.hpp"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/input_file.hpp"

namespace carnot::live {

namespace {

std::vector<Json> parse_lines(const std::string& text, const std::string& path,
                              std::size_t* sound) {
  std::vector<Json> lines;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ++number;
    if (end == std::string::npos) break;  // cut off
    Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                            text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (line.is_discarded() || !line.is_object())
      throw InputError(describe({path, number}, "", "a JSON object a line; this one is damaged"));
    lines.push_back(std::move(line));
    at = end + 1;
    if (sound != nullptr) *sound = at;
  }
  return lines;
}

}  // namespace

std::vector<Json> read_json_lines(const std::string& path, bool) {
  return parse_lines(read_input(path), path, nullptr);
}

DispatchJournal::DispatchJournal(const std::string& folder, bool read_only)
    : path_(folder + "/journal.jsonl"),
      audit_path_(folder + "/audit.jsonl"),
      read_only_(read_only) {
  std::error_code code;
  if (read_only) {
    if (std::filesystem::exists(path_, code)) past_ = parse_lines(read_file(path_), path_, nullptr);
    return;
  }
  std::filesystem::create_directories(folder, code);
  if (code) throw IoError(folder, "create", code.value());
  fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw IoError(path_, "open", errno);
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    close(fd_);
    throw InputError(fmt::format("{}: another `carnot dispatch` is at work here", path_));
  }
  std::size_t sound = 0;
  try {
    past_ = parse_lines(read_file(path_), path_, &sound);
  } catch (...) {
    close(fd_);
    throw;
  }
  if (ftruncate(fd_, static_cast<off_t>(sound)) != 0) throw IoError(path_, "truncate", errno);
  audit_ = open(audit_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (audit_ < 0) throw IoError(audit_path_, "open", errno);
}

DispatchJournal::~DispatchJournal() {
  if (fd_ >= 0) close(fd_);
  if (audit_ >= 0) close(audit_);
}

void DispatchJournal::put(int fd, const std::string& path, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError(path, "write", errno);
    at += static_cast<std::size_t>(n);
  }
}

void DispatchJournal::write(const Json& line) {
  if (read_only_) return;
  waiting_ += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void DispatchJournal::commit() {
  if (read_only_ || waiting_.empty()) return;
  if (fault) fault("before the journal");
  put(fd_, path_, waiting_);
  waiting_.clear();
  if (fdatasync(fd_) != 0) throw IoError(path_, "fdatasync", errno);
  if (fault) fault("after the journal");
}

void DispatchJournal::audit(const Json& line) {
  if (read_only_) return;
  put(audit_, audit_path_, line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace carnot::live
