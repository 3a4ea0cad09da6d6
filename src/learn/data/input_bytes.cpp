// SPDX-License-Identifier: Apache-2.0
#include "learn/data/input_bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"

namespace carnot::learn {

bool is_gzip(std::string_view bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

bool file_exists(const std::string& path) noexcept {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string gunzip(std::string_view bytes, const std::string& name, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK)
    throw IoError(fmt::format("{}: unpack: out of memory", name));
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);

  // The last four bytes state the size modulo 2^32: a hint only, and never trusted beyond what
  // deflate can expand (1032 to 1).
  std::size_t hint = bytes.size() * 3;
  if (bytes.size() >= 18) {
    hint = 0;
    for (std::size_t i = 1; i <= 4; ++i)
      hint = hint * 256 + static_cast<unsigned char>(bytes[bytes.size() - i]);
  }
  std::string out;
  out.resize(std::clamp<std::size_t>(hint, 4096, std::min(limit, bytes.size() * 1032 + 4096)));
  std::size_t size = 0;
  std::size_t read = 0;
  bool ended = false;
  while (read < bytes.size() || !ended) {
    if (size == out.size()) {
      if (out.size() >= limit)
        throw InputError(fmt::format("{}: unpack: more than {} bytes inside", name, limit));
      out.resize(std::min(limit, out.size() * 2));
    }
    const auto in_chunk = std::min<std::size_t>(bytes.size() - read, 1u << 30);
    const auto out_chunk = std::min<std::size_t>(out.size() - size, 1u << 30);
    // zlib never writes through next_in; its older interface merely lacks the const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + read));
    stream.avail_in = static_cast<uInt>(in_chunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = static_cast<uInt>(out_chunk);
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t consumed = in_chunk - stream.avail_in;
    const std::size_t produced = out_chunk - stream.avail_out;
    read += consumed;
    size += produced;
    if (status == Z_STREAM_END) {
      ended = true;
      if (read == bytes.size()) break;
      if (!is_gzip(bytes.substr(read)))
        throw InputError(fmt::format("{}: unpack: {} bytes after the end of the gzip data", name,
                                     bytes.size() - read));
      if (inflateReset(&stream) != Z_OK)
        throw IoError(fmt::format("{}: unpack: cannot go on to the next member", name));
      ended = false;
      continue;
    }
    if (status != Z_OK && status != Z_BUF_ERROR)
      throw InputError(fmt::format("{}: unpack: corrupt gzip data ({}) after {} bytes", name,
                                   stream.msg != nullptr ? stream.msg : "no reason given", size));
    if (consumed == 0 && produced == 0 && size < out.size())
      throw InputError(fmt::format(
          "{}: unpack: truncated gzip data, ends after {} bytes; fetch it again", name, size));
  }
  out.resize(size);
  return out;
}

std::string read_input(const std::string& path, std::size_t limit) {
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

}  // namespace carnot::learn
