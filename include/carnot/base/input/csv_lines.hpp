// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Lines of a file or of text in memory, gzip or plain, one at a time without copying. A view is
/// valid until the next call.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct gzFile_s;  // of zlib

namespace carnot::inline base::input {

class Lines {
 public:
  /// \throws IoError if the file cannot be opened
  static Lines of_file(const std::string& path);
  /// Inflates a gzip text whole (at most 1 GiB); plain text is viewed in place.
  static Lines of_text(std::string_view text, const std::string& name);

  /// The next line without its end (LF or CRLF). False after the last.
  /// \throws IoError when reading fails, InputError for a line above 16 MiB
  bool next(std::string_view& line);
  std::size_t number() const noexcept { return number_; }  ///< of the line returned last, from 1
  const std::string& name() const noexcept { return name_; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const noexcept;
  };
  bool refill();

  std::string name_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  bool ended_ = true;
  std::size_t number_ = 0;
};

}  // namespace carnot::inline base::input
