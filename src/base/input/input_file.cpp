// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/unpack.hpp"

namespace carnot::inline base {

bool file_exists(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string read_input(const std::filesystem::path& named, std::size_t limit) {
  const std::string path = named.string();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputFileError(fmt::format("{}: read: this is a folder; a file is needed", path));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) throw InputFileError(path, "open", errno);
  std::string bytes;
  const auto expected = std::filesystem::file_size(path, ignored);
  if (!ignored) bytes.reserve(static_cast<std::size_t>(std::min<std::uintmax_t>(expected, limit)));
  std::string block(1 << 18, '\0');
  while (true) {
    const std::size_t n = std::fread(block.data(), 1, block.size(), file.get());
    bytes.append(block, 0, n);
    if (bytes.size() > limit)
      throw InputError(fmt::format("{}: read: more than {} bytes", path, limit));
    if (n < block.size()) break;
  }
  if (std::ferror(file.get()) != 0) throw InputFileError(path, "read", errno);
  return is_gzip(bytes) ? gunzip(bytes, path, limit) : bytes;
}

}  // namespace carnot::inline base
