// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The files that the command line pointed at, by ids that clients may name. A client never names a
/// path: an id is looked up among what was found, and nothing else is opened. Folders are looked
/// through again when asked for (at most once a second), symbolic links and hidden files left out.
/// Thread-safe.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace carnot::app {

enum class FileKind { Journal, Plan, Simulation, Explanation };

struct LibraryFile {
  std::string id;    ///< 16 hexadecimal digits of its path
  std::string name;  ///< from the folder that was named, or the file's own
  std::string path;
  FileKind kind = FileKind::Journal;
  std::int64_t modified_ns = 0;
  std::uint64_t bytes = 0;
};

class Library {
 public:
  static constexpr std::size_t kMostFiles = 20'000;
  static constexpr int kDeepest = 8;  ///< folders below the one named

  /// \param paths  files and folders. \throws InputError for one that is not there
  explicit Library(std::vector<std::string> paths);

  /// Newest first.
  std::vector<LibraryFile> files(FileKind kind);
  std::optional<LibraryFile> find(const std::string& id, FileKind kind);

 private:
  void look();
  void add(const std::string& path, const std::string& name);

  struct Known {
    std::int64_t modified_ns = 0;
    std::uint64_t bytes = 0;
    std::optional<FileKind> kind;  ///< nothing: not one of ours
  };
  std::vector<std::string> paths_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point looked_{};
  std::map<std::string, Known> known_;        ///< by path
  std::map<std::string, LibraryFile> files_;  ///< by id
};

/// What a file is, from how it begins.
std::optional<FileKind> file_kind(const std::string& head);

}  // namespace carnot::app
