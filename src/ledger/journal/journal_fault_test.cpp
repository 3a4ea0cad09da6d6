// SPDX-License-Identifier: Apache-2.0
// The journal against a hostile system: killed writers, full and read-only disks. What needs limits
// or mounts of its own happens in a child process.

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <new>
#include <stdexcept>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/journal/journal.hpp"

#include "ledger/testing_entries.hpp"

namespace carnot::ledger {
namespace {

namespace fs = std::filesystem;
using testing::encoded;
using ::testing::HasSubstr;
using testing::thrown;

constexpr const char* kSkip = "skip: ";

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void require_words(const std::string& text, const std::string& words) {
  require(text.find(words) != std::string::npos, "`" + text + "` lacks `" + words + "`");
}

/// Runs `body` in a child; what it throws comes back as text, "" if nothing.
std::string in_child(const std::function<void()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string report;
    try {
      body();
    } catch (const std::exception& error) {
      report = error.what();
    }
    const ssize_t done = ::write(ends[1], report.data(), report.size());
    ::_exit(done == static_cast<ssize_t>(report.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string report;
  char buffer[512];
  for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    report.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) report += " (the child died)";
  return report;
}

/// In a child: mounts a file system of `size` at `folder`, seen by this process alone.
void mount_private(const std::string& folder, const char* size) {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("carnot-test", folder.c_str(), "tmpfs", 0, size) != 0)
    throw std::runtime_error(std::string(kSkip) +
                             "no private mount here; run as root with CAP_SYS_ADMIN");
}

#define EXPECT_CHILD_PASSES(body)                                      \
  do {                                                                 \
    const std::string report = in_child(body);                         \
    if (report.rfind(kSkip, 0) == 0) GTEST_SKIP() << report.substr(6); \
    EXPECT_EQ(report, "");                                             \
  } while (false)

std::vector<Entry> many_slots(std::size_t count) {
  const RandomStream random(11, "many");
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back(testing::balanced_slot(random, i));
  return entries;
}

/// Appends until the disk is full; checks words and soundness; makes room; checks going on.
void fill_and_go_on(const std::string& path, const std::string& words,
                    const std::function<void()>& make_room) {
  const auto entries = many_slots(2000);
  JournalWriter writer = JournalWriter::create(path);
  std::size_t held = 0;
  std::string told;
  while (held < entries.size() && told.empty()) {
    try {
      writer.append(entries[held]);
      ++held;
    } catch (const IoError& error) {
      told = error.what();
    }
  }
  require(held > 10 && held < entries.size(), "the disk filled somewhere inside");
  require_words(told, path + ": append: " + words);
  const auto full = read_journal(path);
  require(full.message.empty(), "the full journal is sound: " + full.message);
  require(encoded(full.entries) == encoded(entries, held), "nothing is lost, nothing half there");
  require(fs::file_size(path) == writer.size(), "the half record was cut off");
  require_words(thrown<IoError>([&] {
                  writer.append(Checkpoint{1, std::vector<std::uint8_t>(std::size_t{1} << 20)});
                }),
                words);
  require(fs::file_size(path) == writer.size(), "the half checkpoint was cut off");
  make_room();
  for (; held < entries.size(); ++held) writer.append(entries[held]);
  writer.sync();
  const auto after = read_journal(path);
  require(after.message.empty() && encoded(after.entries) == encoded(entries),
          "after room was made all entries are there");
}

TEST(JournalFault, AtTheFileSizeLimitNothingIsLost) {
  const TemporaryFolder folder;
  EXPECT_CHILD_PASSES([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 100'001;  // inside some record
    require(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
    fill_and_go_on(folder / "j", "File too large", [&] {
      limit.rlim_cur = before;
      require(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit back");
    });
  });
}

TEST(JournalFault, OnAFullDiskNothingIsLost) {
  const TemporaryFolder folder;
  EXPECT_CHILD_PASSES([&] {
    mount_private(folder.path(), "size=256k");
    testing::write_bytes(folder / "ballast", std::vector<std::uint8_t>(180'000, 1));
    fill_and_go_on(folder / "j", "No space left on device", [&] {
      fs::remove(folder / "ballast");
      const std::string data = "size=4m";
      require(::mount("carnot-test", folder.path().c_str(), "tmpfs", MS_REMOUNT, data.c_str()) == 0,
              "remount larger");
    });
  });
}

TEST(JournalFault, CreatingOnAFullDiskLeavesNothingInTheWay) {
  const TemporaryFolder folder;
  EXPECT_CHILD_PASSES([&] {
    mount_private(folder.path(), "size=64k");
    testing::write_bytes(folder / "ballast", std::vector<std::uint8_t>(100'000, 1));
    require_words(thrown<IoError>([&] { JournalWriter::create(folder / "j"); }),
                  "j: create: No space left on device");
    require(!fs::exists(folder / "j"), "no empty file stays");
    fs::remove(folder / "ballast");
    JournalWriter::create(folder / "j").append(RunEnd{});
    require(read_journal(folder / "j").entries.size() == 1, "the second try works");
  });
}

TEST(JournalFault, AReadOnlyDiskIsReadAndNotWritten) {
  const TemporaryFolder folder;
  EXPECT_CHILD_PASSES([&] {
    mount_private(folder.path(), "size=256k");
    JournalWriter::create(folder / "j").append(RunEnd{});
    require(::mount("carnot-test", folder.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY,
                    nullptr) == 0,
            "remount read-only");
    JournalContents contents;
    require_words(thrown<IoError>([&] { JournalWriter::create(folder / "k"); }),
                  "k: create: Read-only file system");
    require_words(thrown<IoError>([&] { JournalWriter::resume(folder / "j", contents); }),
                  "j: open for writing: Read-only file system");
    require(read_journal(folder / "j").entries.size() == 1, "it can be read");
  });
}

TEST(JournalFault, AFolderWithoutPermissionIsTold) {
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_CHILD_PASSES([&] {
    // Root may write anywhere, so root becomes nobody first (and then lacks the folder altogether).
    if (::geteuid() == 0) require(::seteuid(65534) == 0, "become nobody");
    require_words(thrown<IoError>([&] { JournalWriter::create(folder / "j"); }),
                  "j: create: Permission denied");
  });
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(JournalFault, AnotherProcessIsRefusedAndADeadOnesLockIsGone) {
  const TemporaryFolder folder;
  const std::string path = folder / "j";
  {
    JournalWriter writer = JournalWriter::create(path);
    EXPECT_CHILD_PASSES([&] {
      JournalContents contents;
      require_words(thrown<IoError>([&] { JournalWriter::resume(path, contents); }),
                    "another process is writing");
    });
  }
  EXPECT_CHILD_PASSES([&] {
    JournalContents contents;
    JournalWriter held = JournalWriter::resume(path, contents);
    held.append(RunEnd{});
    ::_exit(0);  // without a destructor
  });
  JournalContents contents;
  JournalWriter::resume(path, contents).append(RunEnd{});
  EXPECT_EQ(read_journal(path).entries.size(), 2u);
}

/// What a child that will be killed tells, through memory it shares with us.
struct Progress {
  std::atomic<std::uint64_t> appended{0}, synced{0};
};

TEST(JournalFault, KilledAtAHundredMomentsItLosesAtMostTheRecordInFlight) {
  const TemporaryFolder folder;
  const RandomStream random(2026, "kill");
  void* shared =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  const std::string path = folder / "j";
  const RandomStream slots(5, "slots");
  const auto entry = [&](std::uint64_t i) -> Entry {
    if (i % 10 == 9) return Checkpoint{i, std::vector<std::uint8_t>(30'000, std::uint8_t(i))};
    return testing::balanced_slot(slots, i);
  };
  JournalWriter::create(path);
  std::uint64_t held = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    auto* progress = new (shared) Progress;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        JournalContents contents;
        JournalWriter writer = JournalWriter::resume(path, contents);
        for (std::uint64_t i = held;; ++i) {
          writer.append(entry(i));
          progress->appended.store(i + 1);
          if (i % 8 == 0) {
            writer.sync();
            progress->synced.store(i + 1);
          }
        }
      } catch (...) {
        ::_exit(1);  // seen below: it did not die of our signal
      }
    }
    // Somewhere in the record that follows this one, or later if it has the processor to itself.
    const std::uint64_t last = held + 1 + random.below(round, 64);
    while (progress->appended.load() < last && ::waitpid(child, nullptr, WNOHANG) == 0)
      ::sched_yield();
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    const auto contents = read_journal(path);
    ASSERT_FALSE(contents.corrupt) << contents.message;
    const std::uint64_t found = contents.entries.size();
    ASSERT_GE(found, progress->synced.load());
    ASSERT_GE(found, progress->appended.load());      // the kernel keeps what write(2) took
    ASSERT_LE(found, progress->appended.load() + 1);  // one may have been done but not counted
    for (std::uint64_t i = held; i < found; ++i)
      ASSERT_EQ(encode(contents.entries[i]), encode(entry(i))) << "round " << round;
    held = found;
    if (fs::file_size(path) > 2'000'000) {  // keep each round short
      JournalContents ignored;
      JournalWriter::resume(path, ignored).truncate(16);
      held = 0;
    }
  }
  ::munmap(shared, sizeof(Progress));
}

}  // namespace
}  // namespace carnot::ledger
