// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <ctime>
#include <optional>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/group_watch.hpp"
#include "meter/processes/job_group.hpp"
#include "meter/processes/process_reader.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

namespace {

const ProcessUse* find(const ProcessTable& table, int pid) {
  for (const ProcessUse& process : table.processes()) {
    if (process.pid == pid) return &process;
  }
  return nullptr;
}

/// A child that burns 20 ms at its start and again whenever it is continued, and then stops.
class Burner {
 public:
  Burner() : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (std::int64_t until = 20'000'000;; until += 20'000'000) {
        burn_until(until);
        ::raise(SIGSTOP);
      }
    }
    wait_stopped();
  }
  ~Burner() { end(); }
  Burner(const Burner&) = delete;
  Burner& operator=(const Burner&) = delete;

  int pid() const noexcept { return pid_; }
  void burn() {
    ::kill(pid_, SIGCONT);
    wait_stopped();
  }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  void wait_stopped() { ::waitpid(pid_, nullptr, WUNTRACED); }
  int pid_;
};

}  // namespace

TEST(ProcessTable, SweepsAnotherRootByItsFiles) {
  const FakeProcfs proc;
  FakeProcess shell{.pid = 10, .name = "sh) S (x\n"};
  shell.user_ticks = 5;
  shell.child_user_ticks = 7;
  proc.process(shell);
  proc.process({.pid = 20, .parent = 10});
  proc.write("30/nothing", "");  // vanished while it was looked at
  proc.write("self/stat", "");
  ProcessTable table(proc.path());
  EXPECT_TRUE(table.processes().empty());
  table.sweep();
  ASSERT_EQ(table.processes().size(), 2u);
  const ProcessUse* found = find(table, 10);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "sh) S (x?");
  EXPECT_EQ(found->cpu_ns, 50'000'000);
  EXPECT_EQ(found->children_cpu_ns, 70'000'000);
  EXPECT_EQ(found->rss_b, 10u * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(find(table, 20)->parent, 10);

  shell.user_ticks = 9;
  proc.process(shell);
  proc.process({.pid = 40, .name = "new"});
  table.sweep();
  EXPECT_EQ(find(table, 10)->cpu_ns, 90'000'000);
  EXPECT_EQ(find(table, 40)->name, "new");
}

TEST(ProcessTable, EndedProcessesAreSaidOnceMore) {
  const FakeProcfs proc;
  FakeProcess fake{.pid = 10};
  fake.user_ticks = 5;
  proc.process(fake);
  proc.process({.pid = 20});
  ProcessTable table(proc.path());
  table.sweep();
  proc.remove(10);
  table.sweep();
  ASSERT_NE(find(table, 10), nullptr);
  EXPECT_FALSE(find(table, 10)->alive);
  EXPECT_EQ(find(table, 10)->cpu_ns, 50'000'000);
  EXPECT_TRUE(find(table, 20)->alive);
  table.sweep();
  EXPECT_EQ(find(table, 10), nullptr);
  EXPECT_EQ(table.processes().size(), 1u);
}

TEST(ProcessTable, APidGivenOutAgainIsAnotherProcess) {
  const FakeProcfs proc;
  FakeProcess fake{.pid = 10, .name = "old"};
  fake.user_ticks = 5;
  proc.process(fake);
  ProcessTable table(proc.path());
  table.sweep();
  proc.process({.pid = 10, .name = "new", .start_ticks = 2000});
  table.sweep();
  int seen = 0;
  for (const ProcessUse& process : table.processes()) {
    EXPECT_EQ(process.pid, 10);
    EXPECT_EQ(process.alive, process.name == "new");
    EXPECT_EQ(process.cpu_ns, process.alive ? 0 : 50'000'000);
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

TEST(ProcessTable, LiveProcessesToTheNanosecond) {
  ProcessTable table;
  std::optional<Burner> before(std::in_place);
  table.sweep();
  Burner after;
  after.burn();
  before->burn();
  table.sweep();
  for (const int pid : {before->pid(), after.pid()}) {
    const ProcessUse* found = find(table, pid);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->parent, ::getpid());
    EXPECT_GE(found->cpu_ns, 40'000'000);
    EXPECT_LT(found->cpu_ns, 60'000'000);
  }
  const int pid = before->pid();
  before.reset();
  table.sweep();
  ASSERT_NE(find(table, pid), nullptr);
  EXPECT_FALSE(find(table, pid)->alive);
  table.sweep();
  EXPECT_EQ(find(table, pid), nullptr);
}

TEST(ProcessTable, KnowsEveryProcessThatIsListed) {
  ProcessTable table;
  table.sweep();
  std::vector<std::optional<Burner>> burners(5);
  for (auto& burner : burners) burner.emplace();
  table.sweep();
  for (const auto& burner : burners) {
    ASSERT_NE(find(table, burner->pid()), nullptr);
    EXPECT_TRUE(find(table, burner->pid())->alive);
  }
  // Threads have pids of their own but are no processes.
  std::vector<int> listed;
  ProcessReader("/proc").list(listed);
  for (const ProcessUse& process : table.processes()) {
    ProcessUse again;
    if (!process.alive || !ProcessReader("/proc").read(process.pid, again)) continue;
    EXPECT_TRUE(std::binary_search(listed.begin(), listed.end(), process.pid)) << process.name;
  }
}

TEST(ProcessTable, IdleGroupsAreLeftAloneAndMovingOnesAreNot) {
  auto group = JobGroup::make(true, "/proc", "/sys/fs/cgroup");
  if (!group) GTEST_SKIP() << "no cgroup v2 group can be made here";
  std::vector<std::optional<Burner>> burners(GroupWatch::kWorthwhile + 2);
  for (auto& burner : burners) {
    burner.emplace();
    ASSERT_TRUE(group->add(burner->pid()));
  }
  {
    ProcessTable table;
    table.sweep();
    table.sweep();
    burners[3]->burn();
    table.sweep();
    EXPECT_GE(find(table, burners[3]->pid())->cpu_ns, 40'000'000);
    EXPECT_LT(find(table, burners[4]->pid())->cpu_ns, 40'000'000);
    const int pid = burners[5]->pid();
    burners[5].reset();
    table.sweep();
    ASSERT_NE(find(table, pid), nullptr);
    EXPECT_FALSE(find(table, pid)->alive);
  }
  {
    const ProcessReader reader("/proc");
    GroupWatch watch(reader);
    int of_burners = GroupWatch::kNone;
    for (const auto& burner : burners) {
      if (burner) of_burners = watch.enter(burner->pid(), GroupWatch::kNone);
    }
    ASSERT_NE(of_burners, GroupWatch::kNone);
    watch.look();
    EXPECT_TRUE(watch.moved(of_burners));
    watch.look();
    EXPECT_FALSE(watch.moved(of_burners));
    burners[0]->burn();
    watch.look();
    EXPECT_TRUE(watch.moved(of_burners));
    EXPECT_EQ(watch.open_files(), 1u);
  }
  burners.clear();
  EXPECT_TRUE(group->remove());
}

TEST(NewPids, AreAllThatWereGivenOut) {
  const ProcessReader reader("/proc");
  NewPids pids(reader);
  ASSERT_TRUE(pids.begin());
  while (pids.next() != 0) {
  }
  const Burner a, b;
  for (int pass = 0; pass < 2; ++pass) {  // both passes meet them
    ASSERT_TRUE(pids.begin());
    std::vector<int> met;
    while (const int pid = pids.next()) met.push_back(pid);
    for (const int pid : {a.pid(), b.pid()}) {
      EXPECT_EQ(std::count(met.begin(), met.end(), pid), 1) << pass;
    }
  }
}

TEST(ProcessReader, ZombiesKeepTheirTimeUntilReaped) {
  ProcessReader reader("/proc");
  const int pid = ::fork();
  if (pid == 0) {
    burn_until(20'000'000);
    ::_exit(0);
  }
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  std::int64_t cpu_ns = 0;
  EXPECT_TRUE(reader.cpu(pid, cpu_ns));
  EXPECT_GE(cpu_ns, 20'000'000);
  ::waitpid(pid, nullptr, 0);
  EXPECT_FALSE(reader.cpu(pid, cpu_ns));
  ProcessUse use;
  EXPECT_FALSE(reader.read(pid, use));
}

}  // namespace carnot::meter
