// SPDX-License-Identifier: Apache-2.0
// Journals as bytes in memory: what is read from every cut and every flipped bit.
#include "ledger/journal/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"

#include "ledger/entry/codec.hpp"
#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

using testing::encoded;
using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

Bytes journal_of(const std::vector<Entry>& entries) {
  Bytes bytes(detail::kJournalHeader.begin(), detail::kJournalHeader.end());
  Bytes record;
  for (const Entry& e : entries) {
    detail::frame(e, record);
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  return bytes;
}

// Ends of header and records: ends[k] is where k entries are whole.
std::vector<std::size_t> ends_of(const std::vector<Entry>& entries) {
  std::vector<std::size_t> ends = {16};
  for (const Entry& e : entries) ends.push_back(ends.back() + 8 + encode(e).size());
  return ends;
}

TEST(ParseJournal, ReadsBackWhatWasWritten) {
  const auto entries = testing::small_run();
  const Bytes bytes = journal_of(entries);
  const auto contents = parse_journal(bytes, "j");
  EXPECT_EQ(encoded(contents.entries), encoded(entries));
  EXPECT_EQ(contents.good_bytes, bytes.size());
  EXPECT_EQ(contents.torn_bytes, 0u);
  EXPECT_FALSE(contents.corrupt);
  EXPECT_EQ(contents.message, "");
  const auto ends = ends_of(entries);
  EXPECT_EQ(contents.offsets, std::vector<std::uint64_t>(ends.begin(), ends.end() - 1));
}

TEST(ParseJournal, KeepsTheStatesAskedFor) {
  const auto checkpoint = [](std::uint8_t n) { return Checkpoint{n, {n, n}}; };
  const std::vector<Entry> entries = {
      LaneBegin{"a"}, checkpoint(1), checkpoint(2), LaneEnd{"a", "", "", ""},
      LaneBegin{"b"}, checkpoint(3), SlotEntry{},   checkpoint(4),
      checkpoint(5)};
  const Bytes bytes = journal_of(entries);
  const auto kept = [&](KeepStates states) {
    std::vector<std::uint64_t> steps;
    const auto contents = parse_journal(bytes, "j", states);
    EXPECT_EQ(contents.entries.size(), entries.size());
    for (const Entry& e : contents.entries) {
      const auto* c = std::get_if<Checkpoint>(&e);
      if (c && !c->state.empty()) steps.push_back(c->steps);
    }
    return steps;
  };
  EXPECT_THAT(kept(KeepStates::All), ::testing::ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(kept(KeepStates::Latest), ::testing::ElementsAre(2, 5));
  EXPECT_THAT(kept(KeepStates::None), ::testing::ElementsAre());
}

TEST(ParseJournal, CutAnywhereGivesExactlyTheRecordsBefore) {
  const auto entries = testing::small_run();
  const Bytes bytes = journal_of(entries);
  const auto ends = ends_of(entries);
  ASSERT_EQ(ends.back(), bytes.size());
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const auto contents = parse_journal(std::span(bytes).first(n), "j");
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), n) - ends.begin());
    const std::size_t count = whole == 0 ? 0 : whole - 1;
    const std::size_t good = whole == 0 ? 0 : ends[count];
    ASSERT_EQ(encoded(contents.entries), encoded(entries, count)) << "cut to " << n;
    ASSERT_EQ(contents.good_bytes, good);
    ASSERT_EQ(contents.torn_bytes, n - good);
    ASSERT_FALSE(contents.corrupt);
    // An empty file is a journal that died at birth, not a whole one.
    ASSERT_EQ(contents.message.empty(), n == good && n > 0) << n;
  }
}

TEST(ParseJournal, SeesEveryFlippedBit) {
  const auto entries = testing::small_run();
  const Bytes bytes = journal_of(entries);
  const auto ends = ends_of(entries);
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = bytes;
      flipped[at] ^= static_cast<std::uint8_t>(1 << bit);
      if (at < 16) {
        ASSERT_THROW(parse_journal(flipped, "j"), InputError);
        continue;
      }
      const auto contents = parse_journal(flipped, "j");
      const auto broken = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), at) -
                                                   ends.begin() - 1);
      const bool last = broken + 1 == entries.size();
      ASSERT_EQ(encoded(contents.entries), encoded(entries, broken)) << "byte " << at;
      ASSERT_EQ(contents.good_bytes, ends[broken]);
      ASSERT_EQ(contents.corrupt, !last) << "byte " << at << " bit " << bit;
      ASSERT_EQ(contents.torn_bytes, last ? bytes.size() - ends[broken] : 0);
      ASSERT_NE(contents.message, "");
    }
}

TEST(ParseJournal, CorruptionIsToldWithPlaceAndRemedy) {
  const auto entries = testing::small_run();
  Bytes bytes = journal_of(entries);
  const auto ends = ends_of(entries);
  bytes[ends[3] + 10] ^= 4;
  const auto contents = parse_journal(bytes, "it's.journal");
  EXPECT_THAT(contents.message, HasSubstr("it's.journal: record 4 at byte " +
                                          std::to_string(ends[3]) + " cannot be read"));
  EXPECT_THAT(contents.message, HasSubstr("its checksum is off"));
  EXPECT_THAT(contents.message,
              HasSubstr("head -c " + std::to_string(ends[3]) + " 'it'\\''s.journal' > "));
}

TEST(ParseJournal, ZerosAfterACrashAreATornTail) {
  const auto entries = testing::small_run();
  Bytes bytes = journal_of(entries);
  const std::size_t good = bytes.size();
  bytes.resize(good + 5000, 0);
  const auto contents = parse_journal(bytes, "j");
  EXPECT_EQ(contents.entries.size(), entries.size());
  EXPECT_FALSE(contents.corrupt);
  EXPECT_EQ(contents.torn_bytes, 5000u);
}

TEST(ParseJournal, AWholeRecordOfANewerVersionIsNeverTakenForATornTail) {
  auto bytes = journal_of({RunEnd{}});
  Bytes record;
  detail::frame(LaneBegin{"p"}, record);
  record[8] = 0x22;  // version 2 of LaneBegin, with a good checksum
  const std::uint32_t crc =
      crc32c(std::span(record).subspan(8), crc32c(std::span(record).first(4)));
  detail::store_little(crc, record.data() + 4);
  bytes.insert(bytes.end(), record.begin(), record.end());
  const auto contents = parse_journal(bytes, "j");
  EXPECT_EQ(contents.entries.size(), 1u);
  EXPECT_TRUE(contents.corrupt);
  EXPECT_THAT(contents.message, HasSubstr("its checksum holds, but ledger entry: tag 0x22"));
}

TEST(ParseJournal, RefusesWhatIsNoJournal) {
  const auto words = [](std::string_view text) {
    const Bytes bytes(text.begin(), text.end());
    return testing::thrown<InputError>([&] { parse_journal(bytes, "x"); });
  };
  EXPECT_THAT(words("hello"), HasSubstr("x: not a carnot journal: expected a file that begins"));
  EXPECT_THAT(words("carnot-journal/2"), HasSubstr("a format this version does not read"));
  EXPECT_THAT(words(std::string(100, '\0')), HasSubstr("not a carnot journal"));
}

TEST(ParseJournal, ATornCheckpointOfLargeNoiseIsFoundTornSoon) {
  const RandomStream noise(3, "noise");
  Checkpoint big;
  for (std::uint64_t i = 0; i < (1u << 17); ++i) {
    const std::uint64_t bits = noise.bits(i);
    for (int k = 0; k < 8; ++k) big.state.push_back(static_cast<std::uint8_t>(bits >> (8 * k)));
  }
  Bytes bytes = journal_of({LaneBegin{"p"}, big});
  bytes.resize(bytes.size() - 1);
  const auto contents = parse_journal(bytes, "j");
  EXPECT_EQ(contents.entries.size(), 1u);
  EXPECT_FALSE(contents.corrupt);
}

// Nested candidate records, each structurally a checkpoint that reaches to the end with a wrong
// checksum: quadratic work if one looked at all of them. The search gives up on the safe side.
TEST(ParseJournal, ContrivedBytesCostBoundedTimeAndCountAsCorrupt) {
  const std::size_t unit = 8 + 1 + 8 + 4, count = 50'000;
  Bytes tail;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t rest = (count - i) * unit;
    Bytes head(unit, 0);
    detail::store_little(static_cast<std::uint32_t>(rest - 8), head.data());
    head[8] = 0x15;
    detail::store_little(static_cast<std::uint32_t>(rest - unit), head.data() + 17);
    tail.insert(tail.end(), head.begin(), head.end());
  }
  ASSERT_TRUE(detail::decodable(std::span(tail).subspan(8)));
  Bytes bytes = journal_of({});
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  const auto contents = parse_journal(bytes, "j");
  EXPECT_TRUE(contents.corrupt);
  EXPECT_TRUE(contents.entries.empty());
}

RC_GTEST_PROP(ParseJournal, TakesAnyBytesAndIsStableOnItsGoodPart, (Bytes noise)) {
  Bytes bytes = journal_of(testing::small_run());
  const auto cut = *rc::gen::inRange<std::size_t>(16, bytes.size() + 1);
  bytes.resize(cut);
  bytes.insert(bytes.end(), noise.begin(), noise.end());
  const auto once = parse_journal(bytes, "j");
  const auto again = parse_journal(std::span(bytes).first(once.good_bytes), "j");
  RC_ASSERT(encoded(again.entries) == encoded(once.entries));
  RC_ASSERT(again.torn_bytes == 0u);
  RC_ASSERT(again.message.empty());
  RC_ASSERT(once.corrupt || once.good_bytes + once.torn_bytes == bytes.size());
}

// The seeds of the fuzzer are journals written by the first version of each entry's format; they
// must stay readable, byte for byte. CARNOT_WRITE_CORPUS=1 writes them anew.
TEST(ParseJournal, SeedsOfTheFuzzerAreAsCommitted) {
  const auto entries = testing::small_run();
  const Bytes whole = journal_of(entries);
  const auto ends = ends_of(entries);
  Bytes torn(whole.begin(), whole.end() - 3), flipped = whole, foreign = {'c', 'a', 'r', 'n', 'o'};
  flipped[ends[2] + 30] ^= 0x10;
  const auto measured = testing::small_measurement();
  Bytes measured_torn = journal_of(measured);
  measured_torn.resize(measured_torn.size() - 20);
  const std::vector<std::pair<std::string, Bytes>> seeds = {
      {"measurement", journal_of(measured)},
      {"measurement_torn", measured_torn},
      {"measurement_begin_entry", encode(measured[0])},
      {"measurement_sample_entry", encode(measured[1])},
      {"measurement_process_entry", encode(measured[3])},
      {"whole", whole},
      {"torn", torn},
      {"flipped", flipped},
      {"header_only", journal_of({})},
      {"cut_header", foreign},
      {"slot_entry", encode(entries[2])},
      {"checkpoint_entry", encode(entries[5])},
      {"lane_end_entry", encode(entries[7])}};
  const std::filesystem::path folder =
      std::filesystem::path(CARNOT_SOURCE_DIR) / "tests/fuzz/corpus/journal";
  for (const auto& [name, bytes] : seeds) {
    if (std::getenv("CARNOT_WRITE_CORPUS")) {
      std::filesystem::create_directories(folder);
      testing::write_bytes(folder / name, bytes);
    }
    EXPECT_EQ(testing::bytes_of(folder / name), bytes) << name;
  }
}

}  // namespace
}  // namespace carnot::ledger
