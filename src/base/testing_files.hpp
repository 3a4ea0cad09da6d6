// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests of all rooms: a folder of their own, and the public data sets where there are any.

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

/// Writes a file and the folders on the way to it.
inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// A folder of its own that goes when the test does.
class TemporaryFolder {
 public:
  /// \param above  where it is made
  /// \throws IoError if it cannot be
  explicit TemporaryFolder(
      const std::filesystem::path& above = std::filesystem::temp_directory_path()) {
    std::string pattern = above / "carnot-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw IoError(pattern, "make", errno);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Writes a file in it. \return its path
  std::string write(const std::string& name, std::string_view text) const {
    write_text(*this / name, text);
    return *this / name;
  }

 private:
  std::string path_;
};

/// Where a public data set lies or would lie: in $CARNOT_SHARED_DATA, else in `shared/data` beside
/// the source tree.
inline std::string shared_data(const std::string& name) {
  const char* named = std::getenv("CARNOT_SHARED_DATA");
  const std::string folder = named != nullptr ? named : CARNOT_SOURCE_DIR "/../shared/data";
  return folder + "/" + name;
}

}  // namespace carnot::inline base

/// Declares `variable`, the path of a public data set, or skips saying what to do about it.
#define CARNOT_NEED_SHARED_DATA(variable, name)                                                \
  const std::string variable = ::carnot::shared_data(name);                                    \
  if (!std::filesystem::exists(variable))                                                      \
  GTEST_SKIP() << "needs " << variable << ": set CARNOT_SHARED_DATA to the folder that holds " \
               << (name)
