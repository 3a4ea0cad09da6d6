// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a journal lays records around entries.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/ledger/journal/journal.hpp"

#include "ledger/journal/file.hpp"

namespace carnot::ledger::detail {

inline constexpr std::string_view kJournalHeader = "carnot-journal/1";
static_assert(kJournalHeader.size() == 16);

/// Bytes before a record's payload: length and checksum.
inline constexpr std::size_t kRecordHead = 8;

/// Replaces `record` by the record of `entry`.
void frame(const Entry& entry, std::vector<std::uint8_t>& record);

/// Payload length of the record whose head is at `head`, or 0 if no record may have such a length.
std::size_t payload_length(const std::uint8_t* head) noexcept;

/// Whether the checksum of a whole record (head and payload) holds.
bool checksum_holds(std::span<const std::uint8_t> record) noexcept;

/// Reads a journal record by record, holding no more of it than the largest record at a time.
/// \throws InputError if not a journal at all; what `source` throws
JournalContents parse(ByteSource& source, const std::string& name, KeepStates states);

/// 'a path' as a shell reads it back.
std::string shell_quoted(const std::string& path);

}  // namespace carnot::ledger::detail
