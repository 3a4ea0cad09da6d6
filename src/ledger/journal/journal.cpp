// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/journal/journal.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "ledger/journal/file.hpp"
#include "ledger/journal/frame.hpp"

namespace carnot::ledger {
namespace {

using detail::File;

const std::uint8_t* header_bytes() noexcept {
  return reinterpret_cast<const std::uint8_t*>(detail::kJournalHeader.data());
}

/// \return 0 or why the lock was not had
int try_lock(const File& file) noexcept {
  while (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

[[noreturn]] void refuse_lock(const std::string& path, int error) {
  if (error != EWOULDBLOCK) throw IoError(path, "lock", error);
  throw IoError(path + ": lock: another process is writing this journal");
}

}  // namespace

JournalWriter::JournalWriter(std::string path, int fd, std::uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size) {}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      folder_synced_(other.folder_synced_),
      tail_dirty_(other.tail_dirty_),
      sync_error_(other.sync_error_),
      record_(std::move(other.record_)) {}

JournalWriter& JournalWriter::operator=(JournalWriter&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
    size_ = other.size_;
    folder_synced_ = other.folder_synced_;
    tail_dirty_ = other.tail_dirty_;
    sync_error_ = other.sync_error_;
    record_ = std::move(other.record_);
  }
  return *this;
}

JournalWriter::~JournalWriter() {
  if (fd_ >= 0) ::close(fd_);  // and with it the lock
}

JournalWriter JournalWriter::create(const std::string& path, Durable durable) {
  File file(path, O_RDWR | O_CREAT | O_EXCL, "create");
  const std::uint64_t size = detail::kJournalHeader.size();
  const int locked = try_lock(file);
  if (locked == EWOULDBLOCK) refuse_lock(path, locked);  // somebody resumed our file: theirs now
  try {
    if (locked != 0) refuse_lock(path, locked);
    int error = detail::write_fully(file.fd(), header_bytes(), size, 0);
    if (error == 0 && durable == Durable::AtOnce && ::fsync(file.fd()) != 0) error = errno;
    if (error != 0) throw IoError(path, "create", error);
    if (durable == Durable::AtOnce) detail::sync_folder(detail::folder_of(path));
  } catch (...) {
    ::unlink(path.c_str());  // ours: O_EXCL made it. A second try must not find it in its way.
    throw;
  }
  JournalWriter writer(path, file.release(), size);
  writer.folder_synced_ = durable == Durable::AtOnce;
  return writer;
}

JournalWriter JournalWriter::resume(const std::string& path, JournalContents& contents,
                                    KeepStates states) {
  File file(path, O_RDWR | O_NONBLOCK, "open for writing");  // never wait for a pipe's other end
  if (const int error = try_lock(file); error != 0) refuse_lock(path, error);
  detail::FileSource source(file.fd(), path);
  contents = detail::parse(source, path, states);
  if (contents.corrupt) throw InputError(contents.message);
  JournalWriter writer(path, file.release(), contents.good_bytes);
  if (contents.torn_bytes > 0) writer.cut("cut the torn tail");
  if (contents.good_bytes == 0) {  // died while creating it
    writer.size_ = detail::kJournalHeader.size();
    const int error = detail::write_fully(writer.fd_, header_bytes(), writer.size_, 0);
    if (error != 0) throw IoError(path, "write the header", error);
    detail::sync_folder(detail::folder_of(path));
  }
  writer.sync();
  return writer;
}

void JournalWriter::check_size(const char* doing) const {
  CARNOT_CHECK(fd_ >= 0, "a journal writer that was moved from");
  // Not fstat: after a write it costs more than the write (ext4 counts the delayed blocks).
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  if (end < 0) throw IoError(path_, doing, errno);
  const auto found = static_cast<std::uint64_t>(end);
  if (found != size_ && !(tail_dirty_ && found > size_))
    throw IoError(
        fmt::format("{}: {}: the file has {} bytes where {} were written: another "
                    "program changed it",
                    path_, doing, found, size_));
}

void JournalWriter::check_file(const char* doing) const {
  check_size(doing);
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw IoError(path_, doing, errno);
  if (status.st_nlink == 0)
    throw IoError(fmt::format("{}: {}: the file was deleted while it was open", path_, doing));
}

void JournalWriter::cut(const char* doing) {
  tail_dirty_ = true;
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) throw IoError(path_, doing, errno);
  tail_dirty_ = false;
}

void JournalWriter::append(const Entry& entry) {
  if (const auto* slot = std::get_if<SlotEntry>(&entry)) {
    const double residual = balance_residual(*slot);
    CARNOT_CHECK(residual <= kBalanceTolerance,
                 fmt::format("{}: append: the slot of {} ns has an energy balance that is off by "
                             "{:.3g} of its largest energy",
                             path_, slot->start.unix_nanoseconds(), residual));
  }
  detail::frame(entry, record_);
  check_size("append");
  if (tail_dirty_) cut("cut a half-written record");
  const int error = detail::write_fully(fd_, record_.data(), record_.size(), size_);
  if (error != 0) {
    tail_dirty_ = ::ftruncate(fd_, static_cast<off_t>(size_)) != 0;  // else the next append tries
    throw IoError(path_, "append", error);
  }
  size_ += record_.size();
}

void JournalWriter::sync() {
  check_file("sync");
  if (sync_error_ != 0)
    throw IoError(path_, "sync (failed before; what came since may be lost)", sync_error_);
  if (::fdatasync(fd_) != 0) {
    sync_error_ = errno;
    throw IoError(path_, "sync", sync_error_);
  }
  if (!folder_synced_) detail::sync_folder(detail::folder_of(path_));
  folder_synced_ = true;
}

void JournalWriter::truncate(std::uint64_t offset) {
  check_file("truncate");
  if (offset != size_) {
    CARNOT_CHECK(offset >= detail::kJournalHeader.size() && offset < size_,
                 "a journal is cut inside its records");
    std::uint8_t head[detail::kRecordHead];
    std::size_t length = 0;
    if (::pread(fd_, head, sizeof head, static_cast<off_t>(offset)) ==
        static_cast<ssize_t>(sizeof head))
      length = detail::payload_length(head);
    CARNOT_CHECK(length > 0 && length <= size_ - offset - sizeof head,
                 "a journal is cut at the start of a record");
    record_.resize(sizeof head + length);
    const ssize_t got = ::pread(fd_, record_.data(), record_.size(), static_cast<off_t>(offset));
    if (got < 0) throw IoError(path_, "truncate", errno);
    CARNOT_CHECK(static_cast<std::size_t>(got) == record_.size() && detail::checksum_holds(record_),
                 "a journal is cut at the start of a record");
    size_ = offset;
  }
  cut("truncate");
  sync();
}

JournalContents read_journal(const std::string& path, KeepStates states) {
  const File file(path, O_RDONLY | O_NONBLOCK, "open");
  detail::FileSource source(file.fd(), path);
  return detail::parse(source, path, states);
}

}  // namespace carnot::ledger
