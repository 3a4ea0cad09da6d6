// SPDX-License-Identifier: Apache-2.0
#include "carnot/ledger/journal/journal.hpp"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::encoded;
using ::testing::HasSubstr;
using testing::thrown;

JournalWriter written(const std::string& path, const std::vector<Entry>& entries) {
  JournalWriter writer = JournalWriter::create(path);
  for (const Entry& e : entries) writer.append(e);
  return writer;
}

TEST(Journal, IsReadWhileItIsWritten) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  const auto entries = testing::small_run();
  JournalWriter writer = JournalWriter::create(path);
  EXPECT_EQ(read_journal(path).entries.size(), 0u);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    writer.append(entries[i]);
    const auto contents = read_journal(path);
    ASSERT_EQ(encoded(contents.entries), encoded(entries, i + 1));
    ASSERT_EQ(contents.good_bytes, writer.size());
    ASSERT_EQ(fs::file_size(path), writer.size());
  }
  writer.sync();
  EXPECT_EQ(writer.path(), path);
}

// Records of all sizes around the size of the reader's window, whole and cut inside each.
TEST(Journal, IsReadThroughAWindow) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  const RandomStream random(9, "sizes");
  std::vector<Entry> entries;
  {
    JournalWriter writer = JournalWriter::create(path);
    for (std::uint64_t i = 0; i < 40; ++i) {
      entries.emplace_back(Checkpoint{i, std::vector<std::uint8_t>(random.below(i, 300'000), 7)});
      writer.append(entries.back());
    }
  }
  const auto bytes = bytes_of(path);
  const auto contents = read_journal(path);
  EXPECT_EQ(encoded(contents.entries), encoded(entries));
  EXPECT_EQ(contents.offsets, parse_journal(bytes, path).offsets);
  EXPECT_EQ(contents.message, "");
  for (std::size_t k = entries.size(); k-- > 0;) {
    fs::resize_file(path, contents.offsets[k] + 6);
    const auto cut = read_journal(path);
    ASSERT_EQ(cut.entries.size(), k);
    ASSERT_EQ(cut.torn_bytes, 6u);
    ASSERT_FALSE(cut.corrupt);
  }
}

TEST(Journal, GoesOnAfterEveryCut) {
  const TemporaryFolder folder;
  const auto entries = testing::small_run();
  written(folder / "whole", entries);
  const auto bytes = bytes_of(folder / "whole");
  const std::string path = folder / "cut";
  for (std::size_t n = 0; n <= bytes.size(); n += 29) {
    testing::write_bytes(path, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)});
    const auto before = read_journal(path);
    JournalContents contents;
    {
      JournalWriter writer = JournalWriter::resume(path, contents);
      EXPECT_EQ(encoded(contents.entries), encoded(before.entries));
      EXPECT_EQ(contents.torn_bytes, before.torn_bytes);
      writer.append(RunEnd{"new"});
    }
    const auto after = read_journal(path);
    ASSERT_EQ(after.message, "") << n;
    ASSERT_EQ(after.entries.size(), before.entries.size() + 1);
    ASSERT_EQ(after.entries.back(), Entry(RunEnd{"new"}));
  }
}

TEST(Journal, ReadingChangesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  written(path, testing::small_run());
  auto bytes = bytes_of(path);
  bytes.erase(bytes.end() - 4, bytes.end());
  testing::write_bytes(path, bytes);
  const auto time = fs::last_write_time(path);
  EXPECT_GT(read_journal(path).torn_bytes, 0u);
  EXPECT_EQ(bytes_of(path), bytes);
  EXPECT_EQ(fs::last_write_time(path), time);
}

TEST(Journal, CorruptionIsNeitherReadOverNorCutOff) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  written(path, testing::small_run());
  auto bytes = bytes_of(path);
  const auto offsets = read_journal(path).offsets;
  bytes[offsets[5] + 9] ^= 1;
  testing::write_bytes(path, bytes);
  JournalContents contents;
  EXPECT_THAT(thrown<InputError>([&] { JournalWriter::resume(path, contents); }),
              HasSubstr(path + ": record 6 at byte " + std::to_string(offsets[5])));
  EXPECT_EQ(contents.entries.size(), 5u);
  EXPECT_EQ(bytes_of(path), bytes);
  // The advice in the message works.
  ASSERT_EQ(std::system(("head -c " + std::to_string(offsets[5]) + " '" + path + "' > '" +
                         (folder / "saved") + "'")
                            .c_str()),
            0);
  JournalWriter::resume(folder / "saved", contents).append(RunEnd{});
  EXPECT_EQ(read_journal(folder / "saved").entries.size(), 6u);
}

TEST(Journal, HasOneWriter) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  JournalContents contents;
  {
    JournalWriter first = JournalWriter::create(path);
    EXPECT_THAT(thrown<IoError>([&] { JournalWriter::resume(path, contents); }),
                HasSubstr(path + ": lock: another process is writing this journal"));
    JournalWriter moved = std::move(first);  // the lock moves along
    EXPECT_THROW(JournalWriter::resume(path, contents), IoError);
    EXPECT_THROW(first.append(RunEnd{}), InternalError);
    moved.append(RunEnd{});
    EXPECT_EQ(read_journal(path).entries.size(), 1u);
    JournalWriter other = JournalWriter::create(folder / "other");
    other = std::move(moved);  // the lock of `other` goes
    EXPECT_NO_THROW(JournalWriter::resume(folder / "other", contents));
    EXPECT_THROW(JournalWriter::resume(path, contents), IoError);
  }
  EXPECT_NO_THROW(JournalWriter::resume(path, contents));
  // Nothing but the journals themselves lies in the folder.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

TEST(Journal, NeverOverwritesAFile) {
  const TemporaryFolder folder;
  testing::write_bytes(folder / "j", {1, 2, 3});
  EXPECT_THAT(thrown<IoError>([&] { JournalWriter::create(folder / "j"); }),
              HasSubstr("j: create: File exists"));
  EXPECT_EQ(bytes_of(folder / "j"), (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST(Journal, TruncationForgetsForGood) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  const auto entries = testing::small_run();
  {
    JournalWriter writer = written(path, entries);
    const auto offsets = read_journal(path).offsets;
    writer.truncate(writer.size());  // nothing to forget
    EXPECT_EQ(read_journal(path).entries.size(), entries.size());
    writer.truncate(offsets[6]);
    EXPECT_EQ(writer.size(), offsets[6]);
    EXPECT_EQ(encoded(read_journal(path).entries), encoded(entries, 6));
    writer.append(LaneEnd{"p", "infeasible", "", ""});
    writer.truncate(16);
    writer.append(entries[0]);
  }
  EXPECT_EQ(encoded(read_journal(path).entries), encoded(entries, 1));
}

TEST(Journal, IsNeverCutInsideARecord) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  JournalWriter writer = written(path, testing::small_run());
  const auto offsets = read_journal(path).offsets;
  const auto bytes = bytes_of(path);
  std::size_t starts = 0;
  for (std::uint64_t at = 0; at < writer.size(); ++at) {
    if (starts < offsets.size() && offsets[starts] == at) {
      ++starts;
      continue;
    }
    ASSERT_THROW(writer.truncate(at), InternalError) << at;
  }
  EXPECT_THROW(writer.truncate(writer.size() + 1), InternalError);
  EXPECT_EQ(bytes_of(path), bytes);
  writer.append(RunEnd{});
}

TEST(Journal, RefusesASlotThatLosesEnergy) {
  const TemporaryFolder folder;
  JournalWriter writer = JournalWriter::create(folder / "j");
  SlotEntry slot = testing::balanced_slot(RandomStream(1, "slot"), 0);
  writer.append(slot);
  const std::uint64_t size = writer.size();
  slot.grid += 1e-6 * slot.facility;
  EXPECT_THAT(thrown<InternalError>([&] { writer.append(slot); }), HasSubstr("balance"));
  slot.grid = kNaN * joule;
  EXPECT_THROW(writer.append(slot), InternalError);
  EXPECT_THROW(writer.append(LaneBegin{std::string(kMaxText + 1, 'x')}), InputError);
  EXPECT_EQ(writer.size(), size);
  EXPECT_EQ(fs::file_size(folder / "j"), size);
}

TEST(Journal, NoticesThatTheFileWentOrChanged) {
  const TemporaryFolder folder;
  JournalWriter gone = written(folder / "gone", {RunEnd{}});
  fs::remove(folder / "gone");
  EXPECT_THAT(thrown<IoError>([&] { gone.sync(); }), HasSubstr("gone: sync: the file was deleted"));
  EXPECT_THROW(gone.truncate(16), IoError);
  JournalWriter changed = written(folder / "changed", {RunEnd{}});
  fs::resize_file(folder / "changed", 20);
  EXPECT_THAT(thrown<IoError>([&] { changed.append(RunEnd{}); }),
              HasSubstr("another program changed it"));
  EXPECT_EQ(fs::file_size(folder / "changed"), 20u);
}

TEST(Journal, RefusesWhatIsNoJournalFile) {
  const TemporaryFolder folder;
  JournalContents contents;
  const std::string text = folder / "text";
  testing::write_bytes(text, {'h', 'e', 'l', 'l', 'o'});
  EXPECT_THAT(thrown<InputError>([&] { read_journal(text); }),
              HasSubstr("text: not a carnot journal"));
  EXPECT_THROW(JournalWriter::resume(text, contents), InputError);
  EXPECT_EQ(bytes_of(text).size(), 5u);
  const std::string directory = folder.path();
  EXPECT_THAT(thrown<IoError>([&] { read_journal(directory); }), HasSubstr("Is a directory"));
  EXPECT_THAT(thrown<IoError>([&] { JournalWriter::resume(directory, contents); }),
              HasSubstr("Is a directory"));
  EXPECT_THROW(JournalWriter::create(directory), IoError);
  EXPECT_THAT(thrown<IoError>([&] { read_journal(folder / "none"); }),
              HasSubstr("none: open: No such file or directory"));
  EXPECT_THROW(JournalWriter::create(folder / "no/such/folder"), IoError);
  for (const char* device : {"/dev/full", "/dev/null"}) {
    EXPECT_THAT(thrown<IoError>([&] { read_journal(device); }), HasSubstr("a file is needed"));
    EXPECT_THROW(JournalWriter::resume(device, contents), IoError);
    EXPECT_THROW(JournalWriter::create(device), IoError);
  }
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(thrown<IoError>([&] { read_journal(pipe); }), HasSubstr("a file is needed"));
  EXPECT_THROW(JournalWriter::resume(pipe, contents), IoError);
}

TEST(Journal, AnEmptyFileIsOneThatDiedAtBirth) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  testing::write_bytes(path, {});
  EXPECT_THAT(read_journal(path).message, HasSubstr("it holds no entry"));
  JournalContents contents;
  JournalWriter::resume(path, contents).append(RunEnd{});
  EXPECT_EQ(read_journal(path).entries.size(), 1u);
}

}  // namespace
}  // namespace carnot::ledger
