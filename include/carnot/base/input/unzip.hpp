// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Zip archives of one file (PKWARE, APPNOTE.TXT 6.3), stored or deflated.

#include <string>
#include <string_view>

namespace carnot::inline base {

bool is_zip(std::string_view bytes) noexcept;
/// The one file in it, its checksum compared. \throws InputError if it is damaged, encrypted, above
/// 1 GiB or holds several files
std::string unzip(std::string_view bytes, const std::string& name);

}  // namespace carnot::inline base
