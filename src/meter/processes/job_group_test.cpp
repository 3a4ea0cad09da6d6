// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/job_group.hpp"

#include <csignal>
#include <ctime>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing_files.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

namespace {

constexpr int kNoProcess = 2'000'000'000;  // beyond any pid_max

std::string group_of(int pid, int number = 0) {
  return "carnot-" + std::to_string(pid) + "-" + std::to_string(number);
}

void make_folder(const std::string& path) { ASSERT_EQ(::mkdir(path.c_str(), 0755), 0) << path; }

void age(const std::string& path, int seconds) {
  const timespec then{::time(nullptr) - seconds, 0};
  const timespec both[2] = {then, then};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), both, 0), 0) << path;
}

}  // namespace

TEST(LeftoverGroups, GoOnceTheirMakerIsGone) {
  const TemporaryFolder scratch;
  const std::string above = scratch.path() + "/";
  const std::string dead = above + group_of(kNoProcess), nested = above + group_of(kNoProcess, 1);
  for (const std::string& folder : {dead, nested, nested + "/inner"}) make_folder(folder);
  // These stay: too young, of a maker that lives, or not named as ours are.
  const std::string young = above + group_of(kNoProcess, 2), ours = above + group_of(::getpid());
  const std::string other = above + "carnot-agent-1",
                    plain = above + "carnot-" + std::to_string(kNoProcess);
  for (const std::string& folder : {young, ours, other, plain}) make_folder(folder);
  for (const std::string& folder : {dead, nested, ours, other, plain}) age(folder, 120);
  JobGroup::remove_leftovers(scratch.path(), "/proc");
  EXPECT_FALSE(exists(dead));
  EXPECT_FALSE(exists(nested));
  for (const std::string& folder : {young, ours, other, plain}) EXPECT_TRUE(exists(folder));
  JobGroup::remove_leftovers(above + "nothing", "/proc");
}

TEST(LeftoverGroups, StayWhileSomethingLivesInThem) {
  auto own = JobGroup::make(true, "/proc", "/sys/fs/cgroup");
  if (!own) GTEST_SKIP() << "no cgroup v2 group can be made here";
  const std::string above = own->folder();
  const std::string left = above + "/" + group_of(kNoProcess), inner = left + "/inner";
  for (const std::string& folder : {left, inner}) make_folder(folder);
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_TRUE(JobGroup::attach(inner).add(child));
  age(left, 120);
  JobGroup::remove_leftovers(above, "/proc");
  EXPECT_TRUE(exists(inner));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  age(left, 120);
  JobGroup::remove_leftovers(above, "/proc");
  EXPECT_FALSE(exists(left));
  EXPECT_TRUE(own->remove());
}

}  // namespace carnot::meter
