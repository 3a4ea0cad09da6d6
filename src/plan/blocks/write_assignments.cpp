// SPDX-License-Identifier: Apache-2.0
// Ranks write their parts of one file at places that the lengths of all parts say.
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/plan/problem/plan_file.hpp"

#include "plan/blocks/job_blocks.hpp"

namespace carnot::plan {

namespace {

/// Rows of a block; the header before those of the first of all.
std::string rows_of(Block& block, bool first) {
  Plan plan;
  std::swap(plan.jobs, block.plan);
  std::string out = assignments_csv(plan, block.problem);
  std::swap(plan.jobs, block.plan);
  return first ? out : out.substr(out.find('\n') + 1);
}

/// A file that several processes write.
class SharedFile {
 public:
  SharedFile(const std::string& path, bool make)
      : path_(path),
        file_(::open(path.c_str(), O_WRONLY | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0), 0666)) {
    if (file_ < 0) throw IoError(path, "open", errno);
  }
  ~SharedFile() { ::close(file_); }
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  void write(std::string_view bytes, std::int64_t at) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(file_, bytes.data(), bytes.size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw IoError(path_, "write", errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
      at += n;
    }
  }
  void sync() {
    if (::fsync(file_) != 0 && errno != EINVAL) throw IoError(path_, "fsync", errno);
  }

 private:
  std::string path_;
  int file_;
};

}  // namespace

void write_assignments(JobBlocks& blocks, Ranks& ranks, const std::string& path) {
  JobBlocks::Parts& parts = blocks.parts();
  std::vector<std::int64_t> lengths(parts.all_blocks);
  for (std::size_t b = 0; b < parts.own.size(); ++b)
    lengths[parts.first + b] =
        static_cast<std::int64_t>(rows_of(parts.own[b], parts.first + b == 0).size());
  ranks.sum(lengths);

  const std::string temporary = path + ".part";
  std::string failure;
  const auto attempt = [&](const auto& step) {
    try {
      if (failure.empty()) step();
    } catch (const IoError& error) {
      failure = error.what();
    }
    if (!ranks.any(!failure.empty())) return;
    ::unlink(temporary.c_str());
    throw IoError(failure.empty() ? path + ": another rank could not write its part" : failure);
  };
  std::optional<SharedFile> file;
  attempt([&] {
    if (ranks.rank() != 0) return;
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    file.emplace(temporary, true);
  });
  attempt([&] {
    if (!file) file.emplace(temporary, false);
    std::int64_t at = 0;
    for (std::size_t b = 0; b < parts.first; ++b) at += lengths[b];
    for (std::size_t b = 0; b < parts.own.size(); ++b) {
      file->write(rows_of(parts.own[b], parts.first + b == 0), at);
      at += lengths[parts.first + b];
    }
    file->sync();
  });
  attempt([&] {
    if (ranks.rank() == 0 && std::rename(temporary.c_str(), path.c_str()) != 0)
      throw IoError(path, "rename", errno);
  });
}

}  // namespace carnot::plan
