// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Files as streams for `encode` and `decode`, and other compressors beside them.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/text/file_code.hpp"
#include "carnot/report/learn/coded_file.hpp"

namespace carnot::app {

/// A file read from front to end; "-" is standard input.
class InputStream {
 public:
  /// \throws InputFileError
  explicit InputStream(const std::string& path);
  /// Its size, 0 where that is not known beforehand.
  std::uint64_t size() const;
  /// \throws InputFileError
  std::size_t read(std::span<std::uint8_t> bytes);

 private:
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// A file that takes its name when it is whole; "-" is standard output. One that is not committed
/// is gone with this object.
class OutputStream {
 public:
  /// \param force  replace a file that is there
  /// \throws InputError if there is one, IoError
  OutputStream(const std::string& path, bool force);
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;
  void write(std::span<const std::uint8_t> bytes);  ///< \throws IoError
  void commit();                                    ///< \throws IoError

 private:
  std::string path_, temporary_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// What xz, bzip2, zstd and gzip make of a file, those that are installed.
/// \throws Stopped
std::vector<report::OtherCode> other_codes(const std::string& path, const StopToken& stop);

}  // namespace carnot::app
