// SPDX-License-Identifier: Apache-2.0
#include "learn/data/idx.hpp"

#include <cstdint>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {
constexpr std::size_t kGreatestRank = 8;
constexpr unsigned kUnsignedByte = 0x08;

unsigned byte_at(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<unsigned char>(bytes[i]);
}
}  // namespace

bool looks_like_idx(std::string_view bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == '\0' && bytes[1] == '\0';
}

IdxArray parse_idx(std::string_view bytes, const std::string& file) {
  const Place place{file, 0};
  const auto refuse = [&](std::string_view field, const std::string& allowed) -> void {
    throw InputError(describe(place, field, allowed));
  };
  if (bytes.size() < 4) refuse("magic", "an IDX file has at least 4 bytes");
  if (!looks_like_idx(bytes))
    refuse("magic", fmt::format("an IDX file begins with bytes 0 0, found {} {}", byte_at(bytes, 0),
                                byte_at(bytes, 1)));
  const unsigned type = byte_at(bytes, 2);
  const std::size_t rank = byte_at(bytes, 3);
  if (type != kUnsignedByte)
    refuse("magic", fmt::format("type 0x08 (unsigned bytes), found 0x{:02x}", type));
  if (rank < 1 || rank > kGreatestRank)
    refuse("magic", fmt::format("1 to {} dimensions, found {}", kGreatestRank, rank));
  const std::size_t header = 4 + 4 * rank;
  if (bytes.size() < header)
    refuse("sizes",
           fmt::format("a header of {} bytes, the file ends after {}", header, bytes.size()));
  IdxArray array;
  std::uint64_t total = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size * 256 + byte_at(bytes, 4 + 4 * d + i);
    if (size == 0) refuse("sizes", fmt::format("dimension {} of at least 1, found 0", d + 1));
    // 2^40 values are past any file; the check keeps the product from wrapping round.
    if (total > (std::uint64_t{1} << 40) / size)
      refuse("sizes", "at most 2^40 values in all dimensions");
    total *= size;
    array.sizes.push_back(static_cast<std::size_t>(size));
  }
  const std::uint64_t present = bytes.size() - header;
  if (present < total)
    refuse("values", fmt::format("{} values as the header says, the file is truncated after {}",
                                 total, present));
  if (present > total)
    refuse("values", fmt::format("{} values as the header says, {} bytes more follow", total,
                                 present - total));
  array.values = bytes.substr(header);
  return array;
}

}  // namespace carnot::learn
