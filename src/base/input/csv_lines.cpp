// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/csv_lines.hpp"

#include <cerrno>
#include <cstring>

#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/unpack.hpp"

namespace carnot::inline base::input {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;
constexpr std::size_t kLongestLine = std::size_t{1} << 24;

}  // namespace

void Lines::Close::operator()(gzFile_s* file) const noexcept { gzclose(file); }

Lines Lines::of_file(const std::string& path) {
  Lines lines;
  lines.name_ = path;
  errno = 0;
  lines.file_.reset(gzopen(path.c_str(), "rb"));
  if (!lines.file_) throw InputFileError(path, "open", errno == 0 ? ENOMEM : errno);
  gzbuffer(lines.file_.get(), kChunk);
  lines.ended_ = false;
  return lines;
}

Lines Lines::of_text(std::string_view text, const std::string& name) {
  Lines lines;
  lines.name_ = name;
  if (is_gzip(text)) {
    const std::string plain = gunzip(text, name);
    lines.buffer_.assign(plain.begin(), plain.end());
    text = {lines.buffer_.data(), lines.buffer_.size()};
  }
  lines.at_ = text.data();
  lines.end_ = text.data() + text.size();
  return lines;
}

// Moves the unread rest to the front and reads on behind it.
bool Lines::refill() {
  if (ended_) return false;
  const auto rest = static_cast<std::size_t>(end_ - at_);
  if (rest > kLongestLine) {
    throw InputError(describe({name_, number_ + 1}, "", "lines of at most 16 MiB"));
  }
  if (rest > 0) std::memmove(buffer_.data(), at_, rest);
  if (buffer_.size() < rest + kChunk) buffer_.resize(rest + kChunk);
  const int got = gzread(file_.get(), buffer_.data() + rest, static_cast<unsigned>(kChunk));
  int problem = Z_OK;
  const char* words = gzerror(file_.get(), &problem);
  if (got < 0 || (problem != Z_OK && problem != Z_STREAM_END)) {
    if (problem == Z_ERRNO) throw InputFileError(name_, "read", errno);
    throw InputError(describe({name_, 0}, "gzip", words ? words : "a whole gzip file"));
  }
  ended_ = got == 0;
  at_ = buffer_.data();
  end_ = at_ + rest + static_cast<std::size_t>(got);
  return !ended_;
}

bool Lines::next(std::string_view& line) {
  std::size_t searched = 0;
  for (;;) {
    const auto rest = static_cast<std::size_t>(end_ - at_);
    const void* found =
        rest > searched ? std::memchr(at_ + searched, '\n', rest - searched) : nullptr;
    if (found) {
      const char* newline = static_cast<const char*>(found);
      line = {at_, static_cast<std::size_t>(newline - at_)};
      at_ = newline + 1;
      break;
    }
    searched = rest;
    if (!refill()) {
      if (at_ == end_) return false;
      line = {at_, static_cast<std::size_t>(end_ - at_)};
      at_ = end_;
      break;
    }
  }
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  ++number_;
  return true;
}

}  // namespace carnot::inline base::input
