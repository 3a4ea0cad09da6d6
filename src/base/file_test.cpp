// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/file.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "base/testing_files.hpp"
#include "base/testing_thrown.hpp"

namespace carnot::inline base {

namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A fresh directory that goes with the test.
class File : public testing::Test {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  const TemporaryFolder folder_;
  const fs::path directory_ = folder_.path();
};

std::string plainly_read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_F(File, ComesBackByteForByte) {
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(i * 7 % 256);
  for (const std::string& content :
       {std::string(), std::string("a"), std::string("\0\n\r", 3), bytes}) {
    write_file(directory_ / "x", content);
    EXPECT_EQ(read_file(directory_ / "x"), content);
    EXPECT_EQ(plainly_read(directory_ / "x"), content);
  }
  EXPECT_EQ(entries(), 1u) << "a temporary was left behind";
}

TEST_F(File, ReadsWhatHasNoSize) {
  EXPECT_FALSE(read_file("/proc/self/status").empty());
  EXPECT_EQ(read_file("/dev/null"), "");
}

TEST_F(File, MissingFileSaysPathOperationAndReason) {
  const std::string path = (directory_ / "none").string();
  EXPECT_EQ(thrown<IoError>([&] { read_file(path); }), path + ": open: No such file or directory");
}

TEST_F(File, ADirectoryIsNoFile) {
  EXPECT_THAT(thrown<IoError>([&] { read_file(directory_); }), EndsWith("Is a directory"));
  EXPECT_THAT(thrown<IoError>([&] { write_file(directory_, "x"); }), EndsWith("Is a directory"));
  EXPECT_TRUE(fs::is_directory(directory_));
}

TEST_F(File, DirectoriesAreCreatedOnlyOnRequest) {
  const fs::path deep = directory_ / "a" / "b" / "c.txt";
  EXPECT_THAT(thrown<IoError>([&] { write_file(deep, "x"); }),
              testing::AllOf(StartsWith(deep.string()), HasSubstr("create: No such file")));
  EXPECT_EQ(entries(), 0u);
  write_file(deep, "x", Directories::Create);
  EXPECT_EQ(read_file(deep), "x");
  write_file(deep, "y", Directories::Create);
  EXPECT_EQ(read_file(deep), "y");
}

TEST_F(File, AFileInTheWayOfADirectoryIsAnError) {
  write_file(directory_ / "file", "keep");
  EXPECT_THAT(
      thrown<IoError>([&] { write_file(directory_ / "file" / "x", "y", Directories::Create); }),
      HasSubstr("create directory: "));
  EXPECT_THAT(thrown<IoError>([&] { write_file(directory_ / "file" / "x", "y"); }),
              EndsWith("Not a directory"));
  EXPECT_EQ(read_file(directory_ / "file"), "keep");
}

TEST_F(File, FullDeviceIsReportedAndStaysADevice) {
  if (!fs::is_character_file("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  EXPECT_EQ(thrown<IoError>([] { write_file("/dev/full", "x"); }),
            "/dev/full: write: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_NO_THROW(write_file("/dev/null", "x"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(File, AWriteThatFailsHalfwayLeavesTheOldFile) {
  const fs::path path = directory_ / "x";
  write_file(path, "the old content");
  // A file-size limit makes the write of the temporary fail after its first page.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit little = before;
  little.rlim_cur = 4096;
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::string message = thrown<IoError>([&] { write_file(path, std::string(100'000, 'n')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, previous);
  EXPECT_EQ(message, path.string() + ": write: File too large");
  EXPECT_EQ(read_file(path), "the old content");
  EXPECT_EQ(entries(), 1u) << "a temporary was left behind";
}

TEST_F(File, WhatMayNotBeWrittenIsNotReplaced) {
  write_file(directory_ / "x", "keep");
  fs::permissions(directory_ / "x", fs::perms::owner_read);
  // Permissions do not bind root: be nobody for the while.
  constexpr uid_t kNobody = 65534;
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::chown(directory_.c_str(), kNobody, static_cast<gid_t>(-1)), 0);
    ASSERT_EQ(::chown((directory_ / "x").c_str(), kNobody, static_cast<gid_t>(-1)), 0);
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const std::string file = thrown<IoError>([&] { write_file(directory_ / "x", "new"); });
  fs::permissions(directory_, fs::perms::owner_read | fs::perms::owner_exec);
  const std::string directory = thrown<IoError>([&] { write_file(directory_ / "y", "new"); });
  EXPECT_EQ(read_file(directory_ / "x"), "keep");
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_THAT(file, EndsWith("open for writing: Permission denied"));
  EXPECT_THAT(directory, EndsWith("create: Permission denied"));
}

TEST_F(File, ADirectoryThatTakesNoFilesIsReportedEvenToRoot) {
  EXPECT_THAT(thrown<IoError>([] { write_file("/proc/carnot-test", "x"); }),
              StartsWith("/proc/carnot-test: create: "));
}

TEST_F(File, KeepsPermissionsAndFollowsLinks) {
  const fs::path real = directory_ / "real";
  write_file(real, "1");
  ASSERT_EQ(::chmod(real.c_str(), 0640), 0);
  fs::create_directory(directory_ / "sub");
  fs::create_symlink("../real", directory_ / "sub" / "link");
  write_file(directory_ / "sub" / "link", "2");
  EXPECT_EQ(read_file(real), "2");
  EXPECT_TRUE(fs::is_symlink(directory_ / "sub" / "link"));
  EXPECT_EQ(static_cast<unsigned>(fs::status(real).permissions()), 0640u);

  fs::create_symlink("new", directory_ / "dangling");
  write_file(directory_ / "dangling", "3");
  EXPECT_EQ(read_file(directory_ / "new"), "3");

  fs::create_symlink("loop", directory_ / "loop");
  EXPECT_THAT(thrown<IoError>([&] { write_file(directory_ / "loop", "4"); }),
              HasSubstr("symbolic links"));
}

TEST_F(File, RelativeNamesWork) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  write_file("plain", "here", Directories::Create);
  EXPECT_EQ(read_file("plain"), "here");
  fs::current_path(before);
}

TEST_F(File, ReadersSeeOneContentOrTheOtherNeverAMixture) {
  const fs::path path = directory_ / "x";
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  write_file(path, a);
  std::vector<std::thread> writers;
  for (const std::string* content : {&a, &b})
    writers.emplace_back([&path, content] {
      for (int i = 0; i < 20; ++i) write_file(path, *content);
    });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_file(path);
    EXPECT_TRUE(seen == a || seen == b);
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(entries(), 1u);
}

}  // namespace carnot::inline base
