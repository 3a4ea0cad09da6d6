// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/unpack.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

namespace {

constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06";
constexpr std::size_t kEndSize = 22, kCentralSize = 46, kLocalSize = 30;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

bool is_gzip(std::string_view bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
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

bool is_zip(std::string_view bytes) noexcept { return bytes.substr(0, 4) == kLocal; }

std::string unzip(std::string_view bytes, const std::string& name) {
  const auto refuse = [&](bool sound, std::string_view allowed) {
    if (!sound) throw InputError(describe({name, 0}, "zip", allowed));
  };
  constexpr std::string_view kWhole = "a whole archive of one file, not encrypted";
  // The directory stands at the end, behind it at most a comment.
  const std::size_t end = bytes.rfind(kEnd);
  refuse(end != std::string_view::npos && bytes.size() - end >= kEndSize, kWhole);
  refuse(number(bytes, end + 10, 2) == 1, "an archive of one file");
  const std::size_t entry = number(bytes, end + 16, 4);
  refuse(entry <= end && end - entry >= kCentralSize && bytes.substr(entry, 4) == kCentral, kWhole);
  const std::uint32_t flags = number(bytes, entry + 8, 2), method = number(bytes, entry + 10, 2);
  const std::uint32_t checksum = number(bytes, entry + 16, 4);
  const std::uint32_t packed = number(bytes, entry + 20, 4), size = number(bytes, entry + 24, 4);
  const std::size_t local = number(bytes, entry + 42, 4);
  refuse((flags & 1) == 0 && (method == 0 || method == 8), kWhole);
  refuse(size <= kMostUnpacked, "at most 1 GiB");
  refuse(local <= entry && entry - local >= kLocalSize && bytes.substr(local, 4) == kLocal, kWhole);
  const std::size_t data =
      local + kLocalSize + number(bytes, local + 26, 2) + number(bytes, local + 28, 2);
  refuse(data <= entry && packed <= entry - data, kWhole);
  // Deflate packs at most 1032 to 1: a directory that says more is not believed.
  refuse(method == 0 ? size == packed : size / 1040 <= packed, kWhole);

  std::string text(size, '\0');
  if (method == 0) {
    text = bytes.substr(data, packed);
  } else {
    z_stream stream{};
    refuse(inflateInit2(&stream, -15) == Z_OK, kWhole);
    const std::unique_ptr<z_stream, int (*)(z_streamp)> guard(&stream, inflateEnd);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + data));
    stream.avail_in = packed;
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = size;
    refuse(inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0, kWhole);
  }
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  refuse(sum == checksum, "a file whose checksum holds");
  return text;
}

}  // namespace carnot::inline base
