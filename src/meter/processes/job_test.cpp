// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/file.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "base/testing_files.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

namespace {

/// What a burning job did, by the clocks of its own processes.
struct Truth {
  std::atomic<std::int64_t> cpu_ns{0};
  std::atomic<int> done{0};
  std::atomic<int> pids[1000] = {};  ///< of those that burned
};

/// The test program started again as a job: CARNOT_TEST_JOB="children 100 /path" forks that many
/// children that each burn 5 to 20 ms, four at a time, and waits for them; "orphans" lets them go
/// instead, each the child of a process that ended at once. The sum of their clocks and its own
/// goes to the file.
struct BurningJob {
  static void children(int count, bool orphans, Truth& truth) {
    for (int i = 0; i < count; ++i) {
      if (i >= 4) {
        if (orphans) {
          while (truth.done < i - 3) ::usleep(200);
        } else {
          ::wait(nullptr);
        }
      }
      if (::fork() == 0) {
        if (orphans && ::fork() != 0) ::_exit(0);
        burn_until((i % 4 == 0 ? 5 + i / 4 % 16 : 5) * 1'000'000);
        truth.cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        truth.pids[i] = ::getpid();
        ++truth.done;
        ::_exit(0);
      }
      if (orphans) ::wait(nullptr);
    }
    while (truth.done < count) ::usleep(200);
    while (::wait(nullptr) > 0) {
    }
    if (!orphans) return;
    // For the last to be gone; but where nobody reaps orphans they stay.
    for (int i = std::max(0, count - 4); i < count; ++i)
      for (int n = 0; n < 500 && ::kill(truth.pids[i], 0) == 0; ++n) ::usleep(200);
  }

  BurningJob() {
    const char* what = std::getenv("CARNOT_TEST_JOB");
    if (what == nullptr) return;
    std::istringstream words(what);
    std::string kind, file;
    int count = 0;
    words >> kind >> count >> file;
    void* page =
        ::mmap(nullptr, sizeof(Truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Truth& truth = *new (page) Truth;
    children(count, kind == "orphans", truth);
    std::ofstream(file) << truth.cpu_ns + clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    ::_exit(0);
  }
};
const BurningJob burning_job;

/// Runs a burning job and holds what was measured against what its processes say of themselves.
void measure_burning(JobMethod method, const std::string& kind, int count) {
  if (method != JobMethod::Tree && !group_can_be_made(method)) {
    GTEST_SKIP() << "no " << name(method) << " group can be made here";
  }
  const TemporaryFolder scratch;
  const std::string file = scratch.path() + "/truth";
  ::setenv("CARNOT_TEST_JOB", (kind + " " + std::to_string(count) + " " + file).c_str(), 1);
  JobOptions options;
  options.command = {"/proc/self/exe"};
  options.method = method;
  Job job = Job::open(options);
  ::unsetenv("CARNOT_TEST_JOB");
  EXPECT_EQ(job.method(), method);
  std::int64_t before = 0;
  run_to_end(job, [&] {
    const std::int64_t now = job.sample().cpu_ns;
    EXPECT_GE(now, before);
    before = now;
  });
  const JobUse use = job.finish();
  EXPECT_EQ(job.outcome(), JobOutcome::Finished);
  const double truth_s = 1e-9 * std::stod(read_file(file));
  const double measured_s = 1e-9 * static_cast<double>(use.cpu_ns);
  EXPECT_GE(measured_s, 0.99 * truth_s);
  // Beyond the last look at its clock a process still has to end: up to a millisecond or so.
  EXPECT_LE(measured_s, 1.05 * truth_s + 0.003 * (2 * count + 1));
  EXPECT_GE(use.cpu_ns, before);
}

}  // namespace

class JobMethods : public testing::TestWithParam<JobMethod> {
 protected:
  void SetUp() override {
    if (GetParam() != JobMethod::Tree && !group_can_be_made(GetParam())) {
      GTEST_SKIP() << "no " << name(GetParam()) << " group can be made here";
    }
  }
};

TEST_P(JobMethods, CountsShortLivedChildren) { measure_burning(GetParam(), "children", 80); }
TEST_P(JobMethods, CountsOrphans) { measure_burning(GetParam(), "orphans", 40); }

TEST_P(JobMethods, HoldsTheCommandUntilReleased) {
  const TemporaryFolder scratch;
  const std::string marker = scratch.path() + "/ran";
  Job job = Job::open(shell("touch " + marker, GetParam()));
  ASSERT_TRUE(eventually([&] { return is_held(job.pid()); }));
  EXPECT_FALSE(job.ended());
  EXPECT_FALSE(exists(marker));
  EXPECT_TRUE(job.sample().running);
  run_to_end(job);
  EXPECT_TRUE(exists(marker));
  EXPECT_FALSE(job.finish().running);
}

TEST_P(JobMethods, NeverRunsWhatWasNotReleased) {
  const TemporaryFolder scratch;
  const std::string marker = scratch.path() + "/ran";
  int pid = 0;
  std::string group;
  {
    Job job = Job::open(shell("touch " + marker, GetParam()));
    pid = job.pid();
    group = job.cgroup();
  }
  EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
  EXPECT_FALSE(exists(marker));
  if (!group.empty()) {
    EXPECT_TRUE(eventually([&] { return !exists(group); }));
  }
}

TEST_P(JobMethods, TellsHowItEnded) {
  struct Case {
    std::string script;
    JobOutcome outcome;
    int code;
  };
  for (const Case& c : {Case{"exit 0", JobOutcome::Finished, 0},
                        {"exit 3", JobOutcome::Failed, 3},
                        {"kill -9 $$", JobOutcome::Killed, 137},
                        {"kill -TERM $$", JobOutcome::Killed, 143}}) {
    Job job = Job::open(shell(c.script, GetParam()));
    run_to_end(job);
    job.finish();
    EXPECT_EQ(job.outcome(), c.outcome) << c.script;
    EXPECT_EQ(job.exit_code(), c.code) << c.script;
  }
}

TEST_P(JobMethods, StoppedIsNotEnded) {
  Job job = Job::open(shell("kill -STOP $$; exit 4", GetParam()));
  job.release();
  const std::string stat = "/proc/" + std::to_string(job.pid()) + "/stat";
  ASSERT_TRUE(eventually([&] { return read_file(stat).find(") T ") != std::string::npos; }));
  EXPECT_FALSE(job.ended());
  EXPECT_TRUE(job.sample().running);
  ::kill(job.pid(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
  EXPECT_EQ(job.exit_code(), 4);
}

TEST_P(JobMethods, RemovesItsGroupOnceTheLastDescendantEnded) {
  const TemporaryFolder scratch;
  const Gate gate(scratch.path() + "/gate");
  Job job = Job::open(shell("cat " + gate.path() + " >/dev/null & exit 0", GetParam()));
  const std::string group = job.cgroup();
  EXPECT_EQ(group.empty(), GetParam() == JobMethod::Tree);
  run_to_end(job);
  job.finish();
  if (!group.empty()) {
    EXPECT_TRUE(exists(group));
  }
  gate.open();
  if (group.empty()) return;
  EXPECT_TRUE(eventually([&] { return !exists(group); }));
}

TEST_P(JobMethods, RemovesGroupsTheJobMade) {
  Job job = Job::open(shell("true", GetParam()));
  const std::string group = job.cgroup();
  if (group.empty()) return;
  ASSERT_EQ(::mkdir((group + "/inner").c_str(), 0755), 0);
  run_to_end(job);
  job.finish();
  EXPECT_FALSE(exists(group));
}

TEST_P(JobMethods, NamesItsProcesses) {
  const TemporaryFolder scratch;
  // Two, for one that is opened again may still have its last writer.
  const Gate first(scratch.path() + "/first"), second(scratch.path() + "/second");
  Job job =
      Job::open(shell("sleep 60 & a=$!; sleep 60 & b=$!; read go < " + first.path() +
                          "; kill $b; wait $b; read go < " + second.path() + "; kill $a; wait",
                      GetParam()));
  job.release();
  const auto sleepers = [&](bool alive) {
    int count = 0;
    for (const ProcessUse& process : job.processes()) {
      count += process.name == "sleep" && process.alive == alive;
    }
    return count;
  };
  EXPECT_TRUE(eventually([&] { return sleepers(true) == 2; }));
  first.open();
  EXPECT_TRUE(eventually([&] { return sleepers(false) >= 1; }));  // once more after its end
  EXPECT_TRUE(eventually([&] { return sleepers(false) == 0; }));
  const auto rows = job.processes();
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [&](const ProcessUse& p) { return p.pid == job.pid() && p.alive; }));
  second.open();
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
}

TEST_P(JobMethods, KnowsAllTheCpuTimeOfWhoEndedUnlooked) {
  // The first child is waited for by the shell, which alone knows its last; the second is left to
  // us. Neither is looked at while it lives.
  const TemporaryFolder scratch;
  const Gate gate(scratch.path() + "/gate");
  Job job = Job::open(
      shell("(i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done);"
            "(exec cat " +
                gate.path() + ") >/dev/null & i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done",
            GetParam()));
  run_to_end(job);
  ASSERT_TRUE(eventually([&] { return ::kill(job.pid(), 0) != 0; }));
  const auto rows = job.processes();
  const auto command = std::find_if(rows.begin(), rows.end(), [&](const ProcessUse& process) {
    return process.pid == job.pid() && !process.alive;
  });
  ASSERT_NE(command, rows.end());
  EXPECT_EQ(command->name, "sh");
  EXPECT_GT(command->start_ticks, 0u);
  const std::int64_t own = command->cpu_ns, all = job.finish().cpu_ns;
  EXPECT_GT(own, all / 5);  // half of it, and its child's is not in it
  EXPECT_LT(own, all * 4 / 5);
  gate.open();
  std::vector<ProcessUse> later;
  EXPECT_TRUE(eventually([&] {
    for (const ProcessUse& process : job.processes()) later.push_back(process);
    return std::any_of(later.begin(), later.end(), [](const ProcessUse& process) {
      return process.name == "cat" && !process.alive;
    });
  }));
  EXPECT_TRUE(std::none_of(later.begin(), later.end(), [&](const ProcessUse& process) {
    return process.pid == job.pid();
  }));  // once is enough
}

TEST_P(JobMethods, PeakMemoryIsTheLargestProcess) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's shadow memory is in the command's peak before its exec";
#endif
  // dd holds one block of 64 MB. Ours, which the command is a copy of before its exec, is not its.
  std::vector<char> ours(100'000'000, 'x');
  Job job = Job::open(shell("dd if=/dev/zero of=/dev/null bs=64M count=20 2>&-", GetParam()));
  ours.clear();
  run_to_end(job, [&] { job.processes(); });
  const std::uint64_t peak = job.finish().peak_rss_b;
  EXPECT_GE(peak, 64'000'000u);
  EXPECT_LE(peak, 120'000'000u);
}

INSTANTIATE_TEST_SUITE_P(, JobMethods,
                         testing::Values(JobMethod::CgroupV2, JobMethod::CgroupV1, JobMethod::Tree),
                         [](const testing::TestParamInfo<JobMethod>& method) {
                           std::string label(name(method.param));
                           std::erase(label, ' ');
                           return label;
                         });

TEST(JobSlow, ThousandShortChildrenInACgroup) {
  measure_burning(JobMethod::CgroupV2, "children", 1000);
}
TEST(JobSlow, ThousandShortChildrenByWaiting) {
  measure_burning(JobMethod::Tree, "children", 1000);
}

TEST(Job, NamesOfMethodsAndOutcomes) {
  EXPECT_EQ(name(JobMethod::CgroupV2), "cgroup v2");
  EXPECT_EQ(name(JobMethod::Cgroup), "cgroup");
  EXPECT_EQ(name(JobOutcome::Finished), "finished");
  EXPECT_EQ(name(JobOutcome::Detached), "detached");
}

}  // namespace carnot::meter
