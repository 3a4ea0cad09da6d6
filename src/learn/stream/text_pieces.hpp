// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct gzFile_s;  // of zlib

namespace carnot::learn {

/// A text file, gzip or plain, in pieces of whole records: a piece ends at a line's end outside
/// quotes. One thread.
class TextPieces {
 public:
  /// \throws InputFileError
  TextPieces(std::string path, std::size_t piece_bytes);

  /// The next piece; empty at the end. \throws InputFileError; InputError for a record longer than
  /// four pieces
  std::string next();
  void rewind();  ///< \throws InputFileError
  /// Goes on at this place of the text. \throws InputFileError
  void seek(std::uint64_t offset);
  /// Where the next piece begins, in the text without gzip.
  std::uint64_t offset() const noexcept { return offset_; }
  const std::string& path() const noexcept { return path_; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const noexcept;
  };
  std::string path_;
  std::size_t piece_bytes_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::string rest_;  // read, not handed out yet
  std::uint64_t offset_ = 0;
};

}  // namespace carnot::learn
