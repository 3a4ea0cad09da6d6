// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A file as bytes in memory that are read from disk only where they are looked at. The file must
/// not shrink meanwhile.

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace carnot::model {

class MappedFile {
 public:
  /// \throws InputFileError if it is missing, not a regular file or cannot be read
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const noexcept { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace carnot::model
