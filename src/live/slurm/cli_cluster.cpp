// SPDX-License-Identifier: Apache-2.0
// Slurm's programs as child processes: no shell, a time limit, a death with ours.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/live/slurm/cluster.hpp"

extern char** environ;

namespace carnot::live {

namespace {

constexpr std::size_t kMostOutput = std::size_t{256} << 20;

Duration read_clock(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return Duration::nanoseconds(t.tv_sec * 1'000'000'000LL + t.tv_nsec);
}

std::string found_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string all = path != nullptr ? path : "/usr/bin:/bin";
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find(':', at), all.size());
    const std::string candidate = all.substr(at, end - at) + "/" + program;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return {};
}

class CliCluster final : public SlurmCluster {
 public:
  explicit CliCluster(const std::string& conf) {
    for (char** e = environ; *e != nullptr; ++e) {
      const std::string entry = *e;
      const bool ours = (!conf.empty() && entry.starts_with("SLURM_CONF=")) ||
                        entry.starts_with("TZ=") || entry.starts_with("LC_ALL=") ||
                        entry.starts_with("SQUEUE_") || entry.starts_with("SINFO_") ||
                        entry.starts_with("SBATCH_") || entry.starts_with("SLURM_TIME_FORMAT=") ||
                        entry.starts_with("SLURM_CLUSTERS=") || entry.starts_with("SCONTROL_");
      if (!ours) environment_.push_back(entry);
      if (!ours || entry.starts_with("TZ=") || entry.starts_with("LC_ALL="))
        users_.push_back(entry);
    }
    if (!conf.empty()) {
      environment_.push_back("SLURM_CONF=" + conf);
      users_.push_back("SLURM_CONF=" + conf);
    }
    environment_.insert(environment_.end(), {"TZ=UTC", "LC_ALL=C"});
  }
  ~CliCluster() override { end_child(); }

  void begin(const std::vector<std::string>& words, Duration timeout) override {
    CARNOT_CHECK(child_ == -1 && !ready_, "one command at a time");
    began_ = read_clock(CLOCK_BOOTTIME);
    deadline_ = began_ + timeout;
    result_ = {};
    const std::string program = found_in_path(words.front());
    if (program.empty()) return fail(127, words.front() + ": there is no such program");
    std::array<int, 2> out{}, err{};
    if (pipe2(out.data(), O_CLOEXEC) != 0) return fail(126, std::strerror(errno));
    if (pipe2(err.data(), O_CLOEXEC) != 0) {
      close(out[0]);
      close(out[1]);
      return fail(126, std::strerror(errno));
    }
    std::vector<char*> argv, envp;
    for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
    // What is submitted keeps the user's own zone and language.
    const bool plain = words.front() == "sbatch";
    for (const std::string& w : plain ? users_ : environment_)
      envp.push_back(const_cast<char*>(w.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ == 0) {
      // Only calls that are safe between fork and exec.
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(126);
      setpgid(0, 0);  // a Ctrl-C for us is none for an order half given
      dup2(nothing, 0);
      dup2(out[1], 1);
      dup2(err[1], 2);
      execve(program.c_str(), argv.data(), envp.data());
      _exit(127);
    }
    const int failed = errno;
    close(out[1]);
    close(err[1]);
    if (nothing >= 0) close(nothing);
    out_ = out[0];
    err_ = err[0];
    if (child_ < 0) {
      close_pipes();
      return fail(126, std::strerror(failed));
    }
    for (const int fd : {out_, err_}) fcntl(fd, F_SETFL, O_NONBLOCK);
  }

  std::optional<SlurmOutcome> poll() override {
    if (ready_) {
      ready_ = false;
      return std::move(result_);
    }
    if (child_ == -1) return std::nullopt;
    read_all(out_, result_.out);
    read_all(err_, result_.err);
    int status = 0;
    if ((out_ == -1 && err_ == -1) || read_clock(CLOCK_BOOTTIME) >= deadline_) {
      pid_t gone = waitpid(child_, &status, WNOHANG);
      if (gone == 0 && read_clock(CLOCK_BOOTTIME) >= deadline_) {
        result_.timed_out = true;
        kill(child_, SIGKILL);
        gone = waitpid(child_, &status, 0);
      }
      if (gone == 0) return std::nullopt;
      child_ = -1;
      close_pipes();
      result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      result_.took = read_clock(CLOCK_BOOTTIME) - began_;
      return std::move(result_);
    }
    return std::nullopt;
  }
  int descriptor() const override { return out_ != -1 ? out_ : err_; }
  bool has(const std::string& program) override { return !found_in_path(program).empty(); }

 private:
  void fail(int status, std::string words) {
    result_.status = status;
    result_.err = std::move(words);
    ready_ = true;
    child_ = -1;
  }
  static void read_all(int& fd, std::string& into) {
    if (fd == -1) return;
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t n = read(fd, buffer.data(), buffer.size());
      if (n > 0) {
        if (into.size() < kMostOutput) into.append(buffer.data(), static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      close(fd);
      fd = -1;
      return;
    }
  }
  void close_pipes() {
    for (int* fd : {&out_, &err_}) {
      if (*fd != -1) close(*fd);
      *fd = -1;
    }
  }
  void end_child() {
    if (child_ != -1) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
      child_ = -1;
    }
    close_pipes();
  }

  std::vector<std::string> environment_, users_;
  pid_t child_ = -1;
  int out_ = -1, err_ = -1;
  bool ready_ = false;
  Duration began_, deadline_;
  SlurmOutcome result_;
};

class MachineClock final : public DispatchClock {
 public:
  explicit MachineClock(std::function<std::vector<int>()> descriptors)
      : descriptors_(std::move(descriptors)) {}
  Instant utc() override { return Instant::now(); }
  Duration elapsed() override { return read_clock(CLOCK_BOOTTIME); }
  void wait(Duration longest) override {
    std::vector<pollfd> fds;
    for (const int fd : descriptors_()) fds.push_back({fd, POLLIN, 0});
    const std::int64_t ms =
        std::clamp<std::int64_t>((longest.nanoseconds() + 999'999) / 1'000'000, 0, 60'000);
    ::poll(fds.data(), fds.size(), static_cast<int>(ms));
  }

 private:
  std::function<std::vector<int>()> descriptors_;
};

}  // namespace

std::unique_ptr<SlurmCluster> make_slurm_cluster(const std::string& slurm_conf) {
  return std::make_unique<CliCluster>(slurm_conf);
}

std::unique_ptr<DispatchClock> make_dispatch_clock(std::function<std::vector<int>()> descriptors) {
  return std::make_unique<MachineClock>(std::move(descriptors));
}

}  // namespace carnot::live
