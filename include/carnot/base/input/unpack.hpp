// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Packed input: gzip of any number of members (RFC 1952) and zip archives of one file (PKWARE,
/// APPNOTE.TXT 6.3; stored or deflated), told by their first bytes, never by a name. Pure
/// functions.

#include <cstddef>
#include <string>
#include <string_view>

namespace carnot::inline base {

/// What is unpacked at most where nobody says otherwise.
constexpr std::size_t kMostUnpacked = std::size_t{1} << 30;

bool is_gzip(std::string_view bytes) noexcept;
/// All members, one behind the other. \param name  for messages
/// \throws InputError `name: unpack: ...`: truncated, corrupt, bytes behind the end, more than
/// `limit`
std::string gunzip(std::string_view bytes, const std::string& name,
                   std::size_t limit = kMostUnpacked);

bool is_zip(std::string_view bytes) noexcept;
/// The one file in it, its checksum compared. \throws InputError if it is damaged, encrypted, above
/// 1 GiB or holds several files
std::string unzip(std::string_view bytes, const std::string& name);

}  // namespace carnot::inline base
