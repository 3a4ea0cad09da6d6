// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/unzip.hpp"

#include <cstdint>
#include <memory>

#include <zlib.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

namespace {

constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06";
constexpr std::size_t kEndSize = 22, kCentralSize = 46, kLocalSize = 30;
constexpr std::uint32_t kLargest = 1u << 30;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

}  // namespace

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
  refuse(size <= kLargest, "at most 1 GiB");
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
