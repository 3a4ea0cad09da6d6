// SPDX-License-Identifier: Apache-2.0
#include "library.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "carnot/base/error.hpp"
#include "carnot/report/plan/report.hpp"
#include "carnot/report/simulate/page.hpp"
#include "carnot/report/web/why.hpp"

namespace carnot::app {

namespace {

namespace fs = std::filesystem;

std::string id_of(const std::string& path) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

std::string head_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(4096, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

}  // namespace

std::optional<FileKind> file_kind(const std::string& head) {
  if (head.starts_with("carnot-journal/1")) return FileKind::Journal;
  if (report::is_plan(head)) return FileKind::Plan;
  if (report::is_simulation(head)) return FileKind::Simulation;
  if (report::is_explanation(head)) return FileKind::Explanation;
  return std::nullopt;
}

Library::Library(std::vector<std::string> paths) : paths_(std::move(paths)) {
  for (std::string& path : paths_) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error) throw InputFileError(path, "open", error.value());
    path = real.string();
  }
}

void Library::add(const std::string& path, const std::string& name) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const std::int64_t modified =
      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  Known& known = known_[path];
  // A file that has just begun may not have said yet what it is.
  if (known.modified_ns != modified || known.bytes != bytes)
    known = {modified, bytes, file_kind(head_of(path))};
  if (!known.kind) return;
  const std::string id = id_of(path);
  files_[id] = {id, name, path, *known.kind, modified, bytes};
}

void Library::look() {
  const auto now = std::chrono::steady_clock::now();
  if (looked_ != decltype(looked_){} && now - looked_ < std::chrono::seconds(1)) return;
  files_.clear();
  for (const std::string& named : paths_) {
    std::error_code error;
    if (!fs::is_directory(named, error)) {
      add(named, fs::path(named).filename().string());
      continue;
    }
    fs::recursive_directory_iterator at(named, fs::directory_options::skip_permission_denied,
                                        error),
        end;
    for (std::size_t seen = 0; !error && at != end && seen < kMostFiles; at.increment(error)) {
      ++seen;
      const std::string own = at->path().filename().string();
      if (at->is_directory(error) && (own.starts_with('.') || at.depth() >= kDeepest))
        at.disable_recursion_pending();
      if (own.starts_with('.') || !at->is_regular_file(error) || at->is_symlink(error)) {
        error.clear();
        continue;
      }
      add(at->path().string(), at->path().lexically_relative(named).string());
    }
  }
  std::erase_if(known_, [&](const auto& entry) { return !fs::exists(entry.first); });
  looked_ = now;
}

std::vector<LibraryFile> Library::files(FileKind kind) {
  const std::lock_guard lock(mutex_);
  look();
  std::vector<LibraryFile> out;
  for (const auto& [id, file] : files_)
    if (file.kind == kind) out.push_back(file);
  std::sort(out.begin(), out.end(), [](const LibraryFile& a, const LibraryFile& b) {
    return a.modified_ns != b.modified_ns ? a.modified_ns > b.modified_ns : a.id < b.id;
  });
  return out;
}

std::optional<LibraryFile> Library::find(const std::string& id, FileKind kind) {
  const std::lock_guard lock(mutex_);
  look();
  const auto at = files_.find(id);
  if (at == files_.end() || at->second.kind != kind) return std::nullopt;
  return at->second;
}

}  // namespace carnot::app
