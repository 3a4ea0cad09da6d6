// SPDX-License-Identifier: Apache-2.0
#include "learn/stream/text_pieces.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kMostRead = std::size_t{1} << 20;

/// Behind the last line's end outside quotes; 0: there is none.
std::size_t end_of_records(const std::string& text) {
  bool quoted = false;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted) end = i + 1;
  }
  return end;
}

}  // namespace

void TextPieces::Close::operator()(gzFile_s* file) const noexcept { gzclose(file); }

TextPieces::TextPieces(std::string path, std::size_t piece_bytes)
    : path_(std::move(path)), piece_bytes_(std::max<std::size_t>(piece_bytes, 16)) {
  seek(0);
}

void TextPieces::rewind() { seek(0); }

void TextPieces::seek(std::uint64_t offset) {
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) throw InputFileError(path_, "open", errno);
  gzbuffer(file_.get(), 1u << 18);
  if (gzseek(file_.get(), static_cast<z_off_t>(offset), SEEK_SET) < 0)
    throw InputFileError(path_, "seek", EIO);
  rest_.clear();
  offset_ = offset;
}

std::string TextPieces::next() {
  std::string piece = std::move(rest_);
  rest_.clear();
  bool ended = false;
  std::size_t end = 0;
  for (std::size_t wanted = piece_bytes_; end == 0 && !ended; wanted += piece_bytes_) {
    if (wanted > 4 * piece_bytes_)
      throw InputError(describe(
          {path_, 0}, "record",
          fmt::format("at most {} bytes between line ends outside quotes", 4 * piece_bytes_)));
    while (piece.size() < wanted && !ended) {
      const std::size_t had = piece.size();
      piece.resize(had + std::min(kMostRead, wanted - had));
      const int got =
          gzread(file_.get(), piece.data() + had, static_cast<unsigned>(piece.size() - had));
      if (got < 0) throw InputFileError(path_, "read", EIO);
      piece.resize(had + static_cast<std::size_t>(got));
      ended = got == 0;
    }
    end = ended ? piece.size() : end_of_records(piece);
  }
  rest_ = piece.substr(end);
  piece.resize(end);
  offset_ += end;
  return piece;
}

}  // namespace carnot::learn
