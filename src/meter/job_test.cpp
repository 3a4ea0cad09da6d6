// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/meter/processes.hpp"

#include "base/thrown.hpp"
#include "meter/guard.hpp"
#include "meter/job_group.hpp"
#include "meter/testing_procfs.hpp"

namespace carnot::meter {

namespace {

std::int64_t clock_ns(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void burn_until(std::int64_t cpu_ns) {
  while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < cpu_ns) {
  }
}

/// What a burning job did, by the clocks of its own processes.
struct Truth {
  std::atomic<std::int64_t> cpu_ns{0};
  std::atomic<int> done{0};
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
        ++truth.done;
        ::_exit(0);
      }
      if (orphans) ::wait(nullptr);
    }
    while (truth.done < count) ::usleep(200);
    while (::wait(nullptr) > 0) {
    }
    if (orphans) ::usleep(20'000);  // for the last to be gone
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

bool group_can_be_made(JobMethod method) {
  const auto group = JobGroup::make(method == JobMethod::CgroupV2, "/proc", "/sys/fs/cgroup");
  return group && group->remove();
}

JobOptions shell(const std::string& script, std::optional<JobMethod> method = {}) {
  JobOptions options;
  options.command = {"/bin/sh", "-c", script};
  options.method = method;
  return options;
}

void run_to_end(
    Job& job, const std::function<void()>& meanwhile = [] {}) {
  job.release();
  while (!job.ended()) {
    pollfd wait{job.wait_fd(), POLLIN, 0};
    ::poll(&wait, 1, 10);
    meanwhile();
  }
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    ::usleep(5000);
  }
  return false;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// Runs a burning job and holds what was measured against what its processes say of themselves.
void measure_burning(JobMethod method, const std::string& kind, int count) {
  if (method != JobMethod::Tree && !group_can_be_made(method)) {
    GTEST_SKIP() << "no " << name(method) << " group can be made here";
  }
  const ScratchFolder scratch;
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

std::string line_of(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

int handled_signals = 0;
void count_signal(int) { ++handled_signals; }

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
  const ScratchFolder scratch;
  const std::string marker = scratch.path() + "/ran";
  Job job = Job::open(shell("touch " + marker, GetParam()));
  ::usleep(30'000);
  EXPECT_FALSE(job.ended());
  EXPECT_FALSE(exists(marker));
  EXPECT_TRUE(job.sample().running);
  run_to_end(job);
  EXPECT_TRUE(exists(marker));
  EXPECT_FALSE(job.finish().running);
}

TEST_P(JobMethods, NeverRunsWhatWasNotReleased) {
  const ScratchFolder scratch;
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
  Job job = Job::open(shell("sleep 0.3 & exit 0", GetParam()));
  const std::string group = job.cgroup();
  EXPECT_EQ(group.empty(), GetParam() == JobMethod::Tree);
  run_to_end(job);
  job.finish();
  if (group.empty()) return;
  EXPECT_TRUE(exists(group));
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
  Job job = Job::open(shell("sleep 5 & sleep 0.05; kill $!; wait; sleep 5", GetParam()));
  job.release();
  const auto sleepers = [&](bool alive) {
    int count = 0;
    for (const ProcessUse& process : job.processes()) {
      count += process.name == "sleep" && process.alive == alive;
    }
    return count;
  };
  EXPECT_TRUE(eventually([&] { return sleepers(true) == 2; }));
  EXPECT_TRUE(eventually([&] { return sleepers(false) >= 1; }));  // once more after its end
  EXPECT_TRUE(eventually([&] { return sleepers(false) == 0; }));
  const auto rows = job.processes();
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [&](const ProcessUse& p) { return p.pid == job.pid() && p.alive; }));
  ::kill(job.pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
}

TEST_P(JobMethods, PeakMemoryIsTheLargestProcess) {
  // dd holds one block of 64 MB.
  Job job = Job::open(shell("dd if=/dev/zero of=/dev/null bs=64M count=1 2>&-", GetParam()));
  run_to_end(job);
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

TEST(Job, RefusesWhatCannotBeRun) {
  const ScratchFolder scratch;
  const auto message = [](const std::string& command) {
    JobOptions options;
    options.command = {command};
    return thrown<InputError>([&] { Job::open(options); });
  };
  EXPECT_EQ(message("no-such-command-here"), "no such command: `no-such-command-here`");
  EXPECT_EQ(message(scratch.path() + "/none"), "no such command: `" + scratch.path() + "/none`");
  EXPECT_EQ(message(scratch.path()), "not a program that may be run: `" + scratch.path() + "`");
  EXPECT_EQ(message(""), "no such command: ``");
  scratch.write("plain", "text");
  ::chmod((scratch.path() + "/plain").c_str(), 0644);
  EXPECT_NE(message(scratch.path() + "/plain"), "");
  EXPECT_NE(thrown<InputError>([] { Job::open({}); }), "");
}

TEST(Job, TellsWhatFailsOnlyAtTheExec) {
  const ScratchFolder scratch;
  scratch.write("script", "#!/no/such/interpreter\n");
  const std::string script = scratch.path() + "/script";
  ::chmod(script.c_str(), 0755);
  JobOptions options;
  options.command = {script};
  Job job = Job::open(options);
  EXPECT_EQ(thrown<InputError>([&] { job.release(); }),
            "cannot run `" + script + "`: No such file or directory");
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
}

TEST(Job, RunsAScriptWithoutFirstLineAsTheShellDoes) {
  const ScratchFolder scratch;
  scratch.write("script", "exit $1\n");
  ::chmod((scratch.path() + "/script").c_str(), 0755);
  JobOptions options;
  options.command = {scratch.path() + "/script", "9"};
  Job job = Job::open(options);
  run_to_end(job);
  EXPECT_EQ(job.exit_code(), 9);
}

TEST(Job, FindsCommandsThroughPath) {
  const ScratchFolder scratch;
  std::filesystem::create_directories(scratch.path() + "/a/tool");  // a folder is no program
  scratch.write("b/tool", "");
  ::chmod((scratch.path() + "/b/tool").c_str(), 0755);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (scratch.path() + "/a:" + scratch.path() + "/b:" + before).c_str(), 1);
  EXPECT_EQ(find_command("tool"), scratch.path() + "/b/tool");
  ::setenv("PATH", before.c_str(), 1);
}

TEST(Job, LeavesFilesMaskAndDispositionsAsTheCallerHasThem) {
  sigset_t mask, before;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR2);
  ::pthread_sigmask(SIG_SETMASK, &mask, &before);
  struct sigaction ignore {
  }, old{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &old);
  JobOptions options;
  options.command = {"sleep", "5"};
  Job job = Job::open(options);
  job.release();
  const std::string process = "/proc/" + std::to_string(job.pid());
  const std::string ours = read_file("/proc/thread-self/status");
  const std::string theirs = read_file(process + "/status");
  EXPECT_EQ(line_of(theirs, "SigBlk"), line_of(ours, "SigBlk"));
  EXPECT_EQ(line_of(theirs, "SigIgn"), line_of(ours, "SigIgn"));
  ::sigaction(SIGUSR1, &old, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // Only what any program started from here would have.
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
    const int flags = ::fcntl(std::stoi(entry.path().filename()), F_GETFD);
    EXPECT_TRUE(flags >= 0 && (flags & FD_CLOEXEC) == 0) << entry.path();
  }
  ::kill(job.pid(), SIGKILL);
}

TEST(Job, CallersChildrenAndSignalsStayItsOwn) {
  struct sigaction count {
  }, old{};
  count.sa_handler = count_signal;
  ::sigaction(SIGCHLD, &count, &old);
  handled_signals = 0;
  {
    Job job = Job::open(shell("true; exit 5"));
    run_to_end(job);
    job.finish();
    EXPECT_EQ(job.exit_code(), 5);
  }
  EXPECT_EQ(handled_signals, 0);
  ::sigaction(SIGCHLD, &old, nullptr);
  EXPECT_EQ(::waitpid(-1, nullptr, __WALL | WNOHANG), -1);  // no guard left behind
  EXPECT_EQ(errno, ECHILD);

  const int child = ::fork();
  if (child == 0) ::_exit(6);
  Job job = Job::open(shell("sleep 0.05"));
  run_to_end(job);
  job.finish();
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 6);
}

TEST(Job, CallerThatIgnoresItsChildrenStillLearnsTheCode) {
  struct sigaction ignore {
  }, old{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &old);
  Job job = Job::open(shell("exit 7", JobMethod::Tree));
  run_to_end(job);
  EXPECT_EQ(job.exit_code(), 7);
  ::sigaction(SIGCHLD, &old, nullptr);
}

TEST(Job, GuardKilledEndsTheJobInsteadOfHanging) {
  Job job = Job::open(shell("sleep 0.2", JobMethod::Tree));
  job.release();
  ProcessUse command;
  for (const ProcessUse& process : job.processes()) {
    if (process.pid == job.pid()) command = process;
  }
  ASSERT_GT(command.parent, 1);
  ::kill(command.parent, SIGKILL);
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
  EXPECT_EQ(job.outcome(), JobOutcome::Killed);
  job.finish();
}

TEST(Job, CommandOutlivesACallerThatIsKilled) {
  const ScratchFolder scratch;
  const std::string marker = scratch.path() + "/ran";
  const int caller = ::fork();
  if (caller == 0) {
    Job job = Job::open(shell("sleep 0.2; touch " + marker, JobMethod::Tree));
    job.release();
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(caller, nullptr, 0);
  EXPECT_FALSE(exists(marker));
  EXPECT_TRUE(eventually([&] { return exists(marker); }));
}

TEST(Job, AttachesToAProcessAndItsDescendants) {
  // The first child burns before we come, the second after; both are waited for.
  const ScratchFolder scratch;
  const std::string go = scratch.path() + "/go";
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

TEST(Job, TreeNeverSaysMoreThanTheGroupThatHoldsIt) {
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

TEST(Job, AttachesToAGroup) {
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

TEST(Job, NamesOfMethodsAndOutcomes) {
  EXPECT_EQ(name(JobMethod::CgroupV2), "cgroup v2");
  EXPECT_EQ(name(JobMethod::Cgroup), "cgroup");
  EXPECT_EQ(name(JobOutcome::Finished), "finished");
  EXPECT_EQ(name(JobOutcome::Detached), "detached");
}

}  // namespace carnot::meter
