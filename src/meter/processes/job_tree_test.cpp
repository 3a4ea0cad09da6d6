// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/job_tree.hpp"

#include <csignal>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/random.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "base/testing_thrown.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

namespace {

/// Processes that fork, work and end as a kernel would account for them, shown in a fake /proc.
class SimulatedTree {
 public:
  static constexpr int kGuard = 5, kRoot = 10;

  explicit SimulatedTree(std::uint64_t seed) : random_(seed, "tree") {
    processes_[kRoot] = {.pid = kRoot, .parent = kGuard};
    proc_.process(processes_[kRoot]);
  }

  const std::string& root() const { return proc_.path(); }
  std::int64_t reaped_ns() const { return static_cast<std::int64_t>(reaped_ticks_) * kTickNs; }
  std::int64_t truth_ns() const { return static_cast<std::int64_t>(truth_ticks_) * kTickNs; }
  bool alive() const { return !processes_.empty(); }

  void event() {
    auto who = std::next(processes_.begin(), static_cast<std::ptrdiff_t>(draw(processes_.size())));
    const std::uint64_t kind = draw(4);
    if (kind == 0 && processes_.size() < 12) {
      // Pids go round: a child's may be below its parent's.
      const int pid = static_cast<int>(100 + next_++ * 37 % 97);
      if (!processes_.contains(pid)) {
        processes_[pid] = {.pid = pid, .parent = who->first, .start_ticks = 1000 + next_};
        proc_.process(processes_[pid]);
      }
    } else if (kind == 1 && (who->first != kRoot || draw(20) == 0)) {
      end(who->first);
    } else {
      const std::uint64_t ticks = 1 + draw(50);
      who->second.user_ticks += ticks;
      truth_ticks_ += ticks;
      proc_.process(who->second);
    }
  }

 private:
  std::uint64_t draw(std::uint64_t below) {
    return static_cast<std::uint64_t>(random_.uniform(draws_++) * static_cast<double>(below));
  }
  void end(int pid) {
    const FakeProcess gone = processes_[pid];
    const std::uint64_t ticks = gone.user_ticks + gone.child_user_ticks;
    proc_.remove(pid);
    processes_.erase(pid);
    if (gone.parent == kGuard) {
      reaped_ticks_ += ticks;
    } else {
      processes_[gone.parent].child_user_ticks += ticks;
      proc_.process(processes_[gone.parent]);
    }
    for (auto& [child, process] : processes_) {
      if (process.parent != pid) continue;
      process.parent = kGuard;
      proc_.process(process);
    }
  }

  FakeProcfs proc_;
  RandomStream random_;
  std::map<int, FakeProcess> processes_;
  std::uint64_t draws_ = 0, next_ = 0, reaped_ticks_ = 0, truth_ticks_ = 0;
};

}  // namespace

TEST(ProcessTree, IsALowerBoundAtEveryMomentAndExactAtRest) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimulatedTree simulated(seed);
    ProcessReader reader(simulated.root());
    ProcessTree tree(reader, SimulatedTree::kRoot, SimulatedTree::kGuard, false, true);
    const auto reaped = [&] { return simulated.reaped_ns(); };
    std::int64_t before = 0;
    for (int step = 0; step < 80 && simulated.alive(); ++step) {
      simulated.event();
      tree.advance(1, reaped);  // the smallest budget: one process
      ASSERT_LE(tree.cpu_ns(), simulated.truth_ns()) << seed << " " << step;
      ASSERT_GE(tree.cpu_ns(), before);
      before = tree.cpu_ns();
    }
    tree.advance(0, reaped);
    tree.advance(0, reaped);  // the first may have finished a round begun earlier
    EXPECT_EQ(tree.cpu_ns(), simulated.truth_ns()) << seed;
    EXPECT_EQ(tree.alive(), simulated.alive());
  }
}

// A grandchild whose time went to the child and with that to the root is not counted again, though
// its own parent is gone as well; an orphan's last seen time is.
TEST(ProcessTree, CountsOnceWhatWasPassedOnThroughSomeoneWhoEndedToo) {
  FakeProcfs proc;
  FakeProcess root{.pid = 10, .user_ticks = 3}, child{.pid = 20, .parent = 10, .user_ticks = 5},
      grandchild{.pid = 30, .parent = 20, .user_ticks = 700},
      orphan{.pid = 40, .parent = 1, .user_ticks = 11};
  for (const FakeProcess& process : {root, child, grandchild}) proc.process(process);
  proc.process({.pid = 40, .parent = 20, .user_ticks = 11});
  ProcessReader reader(proc.path());
  ProcessTree tree(reader, 10, 0, true, true);
  const auto reaped = [] { return 0; };
  tree.advance(0, reaped);
  EXPECT_EQ(tree.cpu_ns(), (3 + 5 + 700 + 11) * kTickNs);
  proc.remove(30);
  proc.remove(20);
  proc.process(orphan);
  root.child_user_ticks = 5 + 700;
  proc.process(root);
  tree.advance(0, reaped);
  EXPECT_EQ(tree.cpu_ns(), (3 + 5 + 700 + 11) * kTickNs);
  proc.remove(40);
  root.user_ticks = 4;
  proc.process(root);
  tree.advance(0, reaped);
  EXPECT_EQ(tree.cpu_ns(), (4 + 5 + 700 + 11) * kTickNs);
}

TEST(JobAttach, AttachesToAProcessAndItsDescendants) {
  // The first child burns before we come, the second after; both are waited for.
  const int root = ::fork();
  if (root == 0) {
    for (int round = 0; round < 2; ++round) {
      const int child = ::fork();
      if (child == 0) {
        burn_until(80'000'000);
        ::_exit(0);
      }
      ::waitpid(child, nullptr, 0);
      if (round == 0) ::raise(SIGSTOP);
    }
    ::_exit(0);
  }
  ::waitpid(root, nullptr, WUNTRACED);
  JobOptions options;
  options.pid = root;
  Job since = Job::open(options);
  options.from_start = true;
  Job whole = Job::open(options);
  EXPECT_EQ(since.method(), JobMethod::Pid);
  EXPECT_LE(since.sample().cpu_ns, 10'000'000);
  EXPECT_GE(whole.sample().cpu_ns, 70'000'000);
  ::kill(root, SIGCONT);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(root), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(since.ended());
  // Waited-for time comes in ticks of 10 ms, user and system apart.
  EXPECT_NEAR(1e-6 * static_cast<double>(since.finish().cpu_ns), 85, 30);
  EXPECT_NEAR(1e-6 * static_cast<double>(whole.finish().cpu_ns), 170, 40);
  EXPECT_EQ(since.outcome(), JobOutcome::Finished);
  ::waitpid(root, nullptr, 0);
  EXPECT_EQ(thrown<InputError>([&] { Job::open(options); }),
            "no such process: " + std::to_string(root));
}

TEST(JobAttach, TreeNeverSaysMoreThanTheGroupThatHoldsIt) {
  if (!group_can_be_made(JobMethod::CgroupV2)) GTEST_SKIP() << "no cgroup v2 group can be made";
  // Forks that wait for forks: whatever ends between two reads must not be counted twice.
  Job job = Job::open(
      shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (sh -c 'dd if=/dev/zero of=/dev/null bs=1M "
            "count=300 2>&-'; true) & [ $((i % 3)) = 0 ] && wait; done; wait",
            JobMethod::CgroupV2));
  JobOptions options;
  options.pid = job.pid();
  options.from_start = true;
  Job tree = Job::open(options);
  std::int64_t before = 0;
  run_to_end(job, [&] {
    const std::int64_t seen = tree.sample().cpu_ns;
    const std::int64_t exact = job.sample().cpu_ns;
    EXPECT_LE(seen, exact);
    EXPECT_GE(seen, before);
    before = seen;
  });
  EXPECT_LE(tree.finish().cpu_ns, job.finish().cpu_ns);
  EXPECT_GT(before, 0);
}

TEST(JobAttach, AttachesToAGroup) {
  if (!group_can_be_made(JobMethod::CgroupV2)) GTEST_SKIP() << "no cgroup v2 group can be made";
  Job job =
      Job::open(shell("dd if=/dev/zero of=/dev/null bs=1M count=2000 2>&-; kill -STOP $$; "
                      "dd if=/dev/zero of=/dev/null bs=1M count=2000 2>&-",
                      JobMethod::CgroupV2));
  job.release();
  const std::string stat = "/proc/" + std::to_string(job.pid()) + "/stat";
  ASSERT_TRUE(eventually([&] { return read_file(stat).find(") T ") != std::string::npos; }));
  JobOptions options;
  options.cgroup = job.cgroup();
  Job since = Job::open(options);
  options.from_start = true;
  Job whole = Job::open(options);
  EXPECT_EQ(since.method(), JobMethod::Cgroup);
  EXPECT_EQ(since.pid(), 0);
  EXPECT_FALSE(since.ended());
  EXPECT_EQ(since.processes().size(), 1u);
  ::kill(job.pid(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return job.ended() && since.ended(); }));
  const std::int64_t all = job.sample().cpu_ns, half = since.sample().cpu_ns;
  EXPECT_EQ(whole.sample().cpu_ns, all);
  EXPECT_GT(half, 0);
  EXPECT_LT(half, all);
  whole.finish();  // a resumed meter cleans up what an earlier one made
  EXPECT_FALSE(exists(job.cgroup()));
  EXPECT_EQ(since.sample().cpu_ns, half);  // a vanished group keeps its last word
  EXPECT_EQ(thrown<InputError>([&] { Job::open(options); }),
            "no such control group: `" + options.cgroup + "`");
}

}  // namespace carnot::meter
