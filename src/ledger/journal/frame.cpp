// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal/frame.hpp"

#include <algorithm>
#include <cstring>
#include <variant>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"

#include "ledger/entry/codec.hpp"

namespace carnot::ledger {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint32_t record_checksum(Bytes record) noexcept {
  return crc32c(record.subspan(detail::kRecordHead), crc32c(record.first(4)));
}

/// The whole record at the front of `bytes`; empty if it is cut short or has no possible length.
Bytes record_at(Bytes bytes) noexcept {
  if (bytes.size() < detail::kRecordHead) return {};
  const std::size_t length = detail::payload_length(bytes.data());
  if (length == 0 || length > bytes.size() - detail::kRecordHead) return {};
  return bytes.first(detail::kRecordHead + length);
}

/// Whether a sound record starts anywhere in `bytes`. Foreign bytes rarely have an entry's
/// structure, so few checksums are computed; where somebody contrived bytes that do, the search
/// stops at a bound linear in the size and says yes, for then nothing is deleted.
bool sound_record_within(Bytes bytes) noexcept {
  std::uint64_t budget = 64 * std::uint64_t{bytes.size()};
  for (; bytes.size() > detail::kRecordHead; bytes = bytes.subspan(1)) {
    const Bytes record = record_at(bytes);
    if (record.empty() || !detail::decodable(record.subspan(detail::kRecordHead))) continue;
    if (record.size() > budget) return true;
    budget -= record.size();
    if (detail::checksum_holds(record)) return true;
  }
  return false;
}

constexpr std::size_t kNoCheckpoint = static_cast<std::size_t>(-1);

/// Frees the state that the entry just read makes needless; `latest` is the lane's newest
/// checkpoint.
void drop_state(std::vector<Entry>& entries, std::size_t& latest, KeepStates states) {
  if (std::holds_alternative<LaneBegin>(entries.back())) latest = kNoCheckpoint;
  if (!std::holds_alternative<Checkpoint>(entries.back())) return;
  if (states == KeepStates::None) latest = entries.size() - 1;
  if (latest != kNoCheckpoint)
    std::vector<std::uint8_t>().swap(std::get<Checkpoint>(entries[latest]).state);
  latest = entries.size() - 1;
}

/// Fills message and torn_bytes of contents that stop before the end.
void explain(JournalContents& contents, std::uint64_t size, const std::string& name,
             const std::string& why) {
  const std::uint64_t at = contents.good_bytes;
  const std::size_t number = contents.entries.size() + 1;
  if (contents.corrupt) {
    contents.message = fmt::format(
        "{0}: record {1} at byte {2} cannot be read: {3}. Only the {4} before it are used. To go "
        "on "
        "from them: head -c {2} {5} > saved.journal",
        name, number, at, why, contents.entries.size(), detail::shell_quoted(name));
  } else {
    contents.torn_bytes = size - at;
    contents.message = fmt::format(
        "{}: record {} at byte {} was being written when its process died: {} bytes are left out",
        name, number, at, contents.torn_bytes);
  }
}

[[noreturn]] void refuse_header(Bytes bytes, const std::string& name) {
  const std::string_view stem = "carnot-journal/";
  const bool other_version =
      bytes.size() >= stem.size() && std::memcmp(bytes.data(), stem.data(), stem.size()) == 0;
  throw InputError(fmt::format(
      "{}: {}: expected a file that begins with `{}`", name,
      other_version ? "a journal of a format this version does not read" : "not a carnot journal",
      detail::kJournalHeader));
}

}  // namespace

void detail::frame(const Entry& entry, std::vector<std::uint8_t>& record) {
  record.assign(kRecordHead, 0);
  encode_onto(entry, record);
  const std::size_t length = record.size() - kRecordHead;
  CARNOT_CHECK(length <= kMaxEntryBytes, "an entry's limits add up to less than a record's");
  store_little(static_cast<std::uint32_t>(length), record.data());
  store_little(record_checksum(record), record.data() + 4);
}

std::size_t detail::payload_length(const std::uint8_t* head) noexcept {
  const auto length = load_little<std::uint32_t>(head);
  return length <= kMaxEntryBytes ? length : 0;
}

bool detail::checksum_holds(Bytes record) noexcept {
  return load_little<std::uint32_t>(record.data() + 4) == record_checksum(record);
}

std::string detail::shell_quoted(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

JournalContents detail::parse(ByteSource& source, const std::string& name, KeepStates states) {
  const auto header = std::as_bytes(std::span(kJournalHeader));
  const Bytes found = source.window(0, header.size());
  if (!std::ranges::equal(std::as_bytes(found), header.first(found.size())))
    refuse_header(found, name);

  JournalContents contents;
  if (found.size() < header.size()) {  // the process died while creating the file
    contents.torn_bytes = found.size();
    contents.message = fmt::format("{}: the file ends inside its header; it holds no entry", name);
    return contents;
  }
  std::uint64_t at = header.size();
  std::size_t latest = kNoCheckpoint;  // in this lane
  std::string why;
  while (at < source.size()) {
    Bytes record = source.window(at, kRecordHead);
    if (record.size() == kRecordHead)
      record = record_at(source.window(at, kRecordHead + payload_length(record.data())));
    else
      record = {};
    if (record.empty() || !checksum_holds(record)) {
      why = record.empty() ? "its length reaches beyond the file" : "its checksum is off";
      contents.corrupt = sound_record_within(source.window(at + 1, source.size()));
      break;
    }
    try {
      const Bytes payload = record.subspan(kRecordHead);
      contents.entries.push_back(decode(payload.data(), payload.size()));
      contents.offsets.push_back(at);
      at += record.size();
    } catch (const InputError& error) {  // whole, hence written so: by a newer version, or a bug
      why = fmt::format("its checksum holds, but {}", error.what());
      contents.corrupt = true;
      break;
    }
    if (states != KeepStates::All) drop_state(contents.entries, latest, states);
  }
  contents.good_bytes = at;
  if (at < source.size()) explain(contents, source.size(), name, why);
  return contents;
}

JournalContents parse_journal(Bytes bytes, const std::string& name, KeepStates states) {
  detail::MemorySource source(bytes);
  return detail::parse(source, name, states);
}

}  // namespace carnot::ledger
