// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a folder of small files that goes with the test.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "carnot/base/error.hpp"

namespace carnot::meter::testing {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "carnot-XXXXXX").string();
    CARNOT_CHECK(::mkdtemp(name.data()) != nullptr, "no temporary folder");
    root_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(std::string_view file = "") const { return (root_ / file).string(); }
  /// Writes in place, so that a reader with the file open sees it change as in sysfs.
  void write(std::string_view file, std::string_view text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream out(root_ / file);
    out << text << '\n';
    CARNOT_CHECK(out.flush().good(), "cannot write");
  }
  void remove(std::string_view file) const { std::filesystem::remove_all(root_ / file); }
  /// `file` points to the folder `target`, both in here.
  void link(std::string_view file, std::string_view target) const {
    std::filesystem::create_directories(root_ / target);
    std::filesystem::create_directories((root_ / file).parent_path());
    std::filesystem::create_directory_symlink(root_ / target, root_ / file);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace carnot::meter::testing
