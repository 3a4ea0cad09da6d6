// SPDX-License-Identifier: Apache-2.0
// Any bytes as a journal, as an entry, and as the payload of a journal's only record (a checksum
// the fuzzer need not guess). Only InputError may escape, and what was accepted must be exact.
// Seeds: tests/fuzz/corpus/journal, written and checked by frame_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/ledger/store/store.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool condition) {
  if (!condition) std::abort();
}

void append_little(std::uint32_t value, Bytes& to) {
  for (int k = 0; k < 4; ++k) to.push_back(static_cast<std::uint8_t>(value >> (8 * k)));
}

bool try_entry(std::span<const std::uint8_t> bytes) {
  try {
    const carnot::ledger::Entry entry = carnot::ledger::decode(bytes.data(), bytes.size());
    require(std::ranges::equal(carnot::ledger::encode(entry), bytes));
    return true;
  } catch (const carnot::InputError&) {
    return false;
  }
}

void try_journal(std::span<const std::uint8_t> bytes) {
  try {
    const auto found = carnot::ledger::parse_journal(bytes, "fuzz");
    require(found.entries.size() == found.offsets.size());
    require(found.good_bytes + found.torn_bytes <= bytes.size());
    require(found.corrupt || found.good_bytes + found.torn_bytes == bytes.size());
    Bytes again(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(std::ssize(bytes), 16));
    for (std::size_t i = 0; i < found.entries.size(); ++i) {
      require(found.offsets[i] == again.size());
      const Bytes payload = carnot::ledger::encode(found.entries[i]);
      append_little(static_cast<std::uint32_t>(payload.size()), again);
      append_little(
          carnot::ledger::crc32c(payload, carnot::ledger::crc32c(std::span(again).last(4))), again);
      again.insert(again.end(), payload.begin(), payload.end());
    }
    if (found.good_bytes > 0) require(std::ranges::equal(again, bytes.first(found.good_bytes)));
    if (carnot::ledger::is_measurement(found.entries)) {
      const auto view = carnot::ledger::view_measurement(found.entries);
      for (const auto* sample : view.samples)
        require(sample->channels.size() == view.begin->channels.size());
    }
    carnot::ledger::totals(found.entries);
  } catch (const carnot::InputError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  try_journal(bytes);
  const bool is_entry = try_entry(bytes);

  const std::string_view header = "carnot-journal/1";
  Bytes framed(header.begin(), header.end());
  append_little(static_cast<std::uint32_t>(size), framed);
  append_little(carnot::ledger::crc32c(bytes, carnot::ledger::crc32c(std::span(framed).last(4))),
                framed);
  framed.insert(framed.end(), bytes.begin(), bytes.end());
  const auto found = carnot::ledger::parse_journal(framed, "fuzz");
  require((found.entries.size() == 1) == is_entry);
  require(is_entry || found.corrupt || size == 0);  // whole, so no torn tail
  return 0;
}
