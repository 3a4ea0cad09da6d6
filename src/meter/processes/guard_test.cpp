// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/guard.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "base/testing_files.hpp"
#include "base/testing_thrown.hpp"
#include "meter/processes/process_reader.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

namespace {

std::string line_of(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

int handled_signals = 0;
void count_signal(int) { ++handled_signals; }

}  // namespace

TEST(JobStart, RefusesWhatCannotBeRun) {
  const TemporaryFolder scratch;
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

TEST(JobStart, TellsWhatFailsOnlyAtTheExec) {
  const TemporaryFolder scratch;
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

TEST(JobStart, RunsAScriptWithoutFirstLineAsTheShellDoes) {
  const TemporaryFolder scratch;
  scratch.write("script", "exit $1\n");
  ::chmod((scratch.path() + "/script").c_str(), 0755);
  JobOptions options;
  options.command = {scratch.path() + "/script", "9"};
  Job job = Job::open(options);
  run_to_end(job);
  EXPECT_EQ(job.exit_code(), 9);
}

TEST(JobStart, FindsCommandsThroughPath) {
  const TemporaryFolder scratch;
  std::filesystem::create_directories(scratch.path() + "/a/tool");  // a folder is no program
  scratch.write("b/tool", "");
  ::chmod((scratch.path() + "/b/tool").c_str(), 0755);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (scratch.path() + "/a:" + scratch.path() + "/b:" + before).c_str(), 1);
  EXPECT_EQ(find_command("tool"), scratch.path() + "/b/tool");
  ::setenv("PATH", before.c_str(), 1);
}

TEST(JobStart, LeavesFilesMaskAndDispositionsAsTheCallerHasThem) {
  sigset_t mask, before;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR2);
  ::pthread_sigmask(SIG_SETMASK, &mask, &before);
  struct sigaction ignore {
  }, old{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &old);
  JobOptions options;
  options.command = {"sleep", "60"};
  Job job = Job::open(options);
  job.release();
  const std::string process = "/proc/" + std::to_string(job.pid());
  const std::string ours = read_file("/proc/thread-self/status");
  const std::string theirs = read_file(process + "/status");
  EXPECT_EQ(line_of(theirs, "SigBlk"), line_of(ours, "SigBlk"));
  EXPECT_EQ(line_of(theirs, "SigIgn"), line_of(ours, "SigIgn"));
  ::sigaction(SIGUSR1, &old, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  // Only what any program started from here would have, once it has loaded its libraries.
  std::string odd;
  EXPECT_TRUE(eventually([&] {
    odd.clear();
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(process + "/fd", gone)) {
      const int flags = ::fcntl(std::stoi(entry.path().filename()), F_GETFD);
      if (flags < 0 || (flags & FD_CLOEXEC) != 0) odd += entry.path().string() + ' ';
    }
    return odd.empty();
  })) << odd;
  ::kill(job.pid(), SIGKILL);
}

TEST(JobStart, CallersChildrenAndSignalsStayItsOwn) {
  struct sigaction count {
  }, old{};
  count.sa_handler = count_signal;
  ::sigaction(SIGCHLD, &count, &old);
  handled_signals = 0;
  int guard = 0;
  {
    Job job = Job::open(shell("true; exit 5"));
    ProcessUse command;
    ASSERT_TRUE(ProcessReader("/proc").read(job.pid(), command));
    guard = command.parent;
    run_to_end(job);
    job.finish();
    EXPECT_EQ(job.exit_code(), 5);
  }
  EXPECT_EQ(handled_signals, 0);
  ::sigaction(SIGCHLD, &old, nullptr);
  EXPECT_NE(guard, ::getpid());
  EXPECT_NE(::kill(guard, 0), 0) << "a guard was left behind";

  const int child = ::fork();
  if (child == 0) ::_exit(6);
  Job job = Job::open(shell("sleep 0.05"));
  run_to_end(job);
  job.finish();
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 6);
}

TEST(JobStart, GuardsLeftWithDescendantsAreReapedLater) {
  const TemporaryFolder scratch;
  const Gate gate(scratch.path() + "/gate");
  int guard = 0;
  {
    Job job = Job::open(shell("cat " + gate.path() + " >/dev/null & exit 0"));
    if (job.cgroup().empty()) GTEST_SKIP() << "no group can be made: no guard is left";
    ProcessUse command;
    ASSERT_TRUE(ProcessReader("/proc").read(job.pid(), command));
    guard = command.parent;
    run_to_end(job);
    job.finish();
  }
  EXPECT_EQ(::kill(guard, 0), 0);  // it waits for the one at the gate
  gate.open();
  EXPECT_TRUE(eventually([&] {
    Job another = Job::open(shell("true"));
    run_to_end(another);
    return ::kill(guard, 0) != 0;
  }));
}

TEST(JobStart, CallerThatIgnoresItsChildrenStillLearnsTheCode) {
  struct sigaction ignore {
  }, old{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &old);
  Job job = Job::open(shell("exit 7", JobMethod::Tree));
  run_to_end(job);
  EXPECT_EQ(job.exit_code(), 7);
  ::sigaction(SIGCHLD, &old, nullptr);
}

TEST(JobStart, GuardKilledEndsTheJobInsteadOfHanging) {
  Job job = Job::open(shell("exec sleep 60", JobMethod::Tree));
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
  ::kill(job.pid(), SIGKILL);
}

TEST(JobStart, HeldJobsDoNotHoldEachOther) {
  auto first = std::make_unique<Job>(Job::open(shell("exit 1", JobMethod::Tree)));
  Job second = Job::open(shell("exit 2", JobMethod::Tree));
  Job third = Job::open(shell("exit 3", JobMethod::Tree));
  first.reset();  // the later ones have copies of its pipes
  run_to_end(second);
  run_to_end(third);
  EXPECT_EQ(second.exit_code(), 2);
  EXPECT_EQ(third.exit_code(), 3);
}

TEST(JobStart, FromManyThreadsAtOnce) {
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        Job job = Job::open(shell("exit " + std::to_string(10 * t + i)));
        run_to_end(job);
        right += job.exit_code() == 10 * t + i && job.finish().cpu_ns > 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 20);
}

TEST(JobStart, CommandKilledWhileHeldIsSaidToBeKilled) {
  Job job = Job::open(shell("exit 0", JobMethod::Tree));
  ::kill(job.pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return job.ended(); }));
  job.release();  // nobody listens any more; no SIGPIPE either
  EXPECT_EQ(job.outcome(), JobOutcome::Killed);
}

TEST(JobStart, CommandOutlivesACallerThatIsKilled) {
  const TemporaryFolder scratch;
  const std::string marker = scratch.path() + "/ran";
  const Gate gate(scratch.path() + "/gate");
  const int caller = ::fork();
  if (caller == 0) {
    Job job = Job::open(shell("read go < " + gate.path() + "; touch " + marker, JobMethod::Tree));
    job.release();
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(caller, nullptr, 0);
  EXPECT_FALSE(exists(marker));
  gate.open();
  EXPECT_TRUE(eventually([&] { return exists(marker); }));
}

}  // namespace carnot::meter
