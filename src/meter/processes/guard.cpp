// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/guard.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"

#include "meter/processes/process_reader.hpp"
#include "meter/processes/procfs.hpp"

namespace carnot::meter {

/// A process the guard is about to reap.
struct Ended {
  int pid, parent;
  std::uint64_t start_ticks;
  std::int64_t cpu_ns;
  std::array<char, 16> name;  // of the kernel's length
};

/// Shared with the guard, which alone writes it.
struct Guard::Page {
  std::atomic<std::int64_t> cpu_ns{0};
  std::atomic<std::uint64_t> peak_rss_b{0}, read_b{0}, write_b{0};
  std::atomic<int> status{0};
  std::atomic<bool> ended{false};
  std::atomic<bool> left{false};  // written by the caller: nobody else removes the group
  std::atomic<std::uint64_t> ended_count{0};  // ever
  std::array<Ended, kMostEnded> ended_ring;   // the last of them, by count modulo its size
};

namespace {

static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// What goes through the release pipe. Its end would not do: a command that was started later and
/// is still held has a copy of it.
constexpr char kGo = 'g', kCancel = 'c';

/// What comes through the status pipe: the command's pid, then an errno if it cannot be executed.
struct Message {
  enum Kind : int { kPid, kPidOutside, kError } kind;
  int value;
};

struct Pipe {
  std::array<int, 2> fd{-1, -1};
  Pipe() {
    if (::pipe2(fd.data(), O_CLOEXEC) != 0) {
      throw DeviceError(std::string("a pipe cannot be made: ") + std::strerror(errno));
    }
  }
  ~Pipe() {
    for (const int end : fd) {
      if (end >= 0) ::close(end);
    }
  }
  int take(int end) noexcept { return std::exchange(fd[static_cast<std::size_t>(end)], -1); }
};

/// Everything the command's process needs, made before any fork: nothing may allocate after.
struct Plan {
  std::vector<char*> argv, shell_argv;
  std::string path, group;
  int release_read, release_write, status_write;
  int group_fd;
  sigset_t callers_mask;
  bool ignores_children;
};

bool read_message(int fd, Message& message) noexcept {
  ssize_t n = 0;
  do {
    n = ::read(fd, &message, sizeof message);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof message);
}

void send_message(int fd, const Message& message) noexcept {
  // A pipe takes so few bytes at once or, with no reader left, not at all.
  [[maybe_unused]] const ssize_t n = ::write(fd, &message, sizeof message);
}

bool ignores(int signal) noexcept {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void set_action(int signal, void (*handler)(int)) noexcept {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

/// Handlers of the caller must not run in its copies; what it ignored stays ignored, as with exec.
void drop_handlers() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    if (!ignores(signal)) set_action(signal, SIG_DFL);
  }
}

[[noreturn]] void run_command(const Plan& plan) noexcept {
  ::close(plan.release_write);
  char go = 0;
  ssize_t n = 0;
  do {
    n = ::read(plan.release_read, &go, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1 || go != kGo) ::_exit(127);  // the caller is gone or changed its mind
  if (plan.ignores_children) set_action(SIGCHLD, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &plan.callers_mask, nullptr);
  ::execve(plan.path.c_str(), plan.argv.data(), environ);
  // A script without a first line naming its interpreter is one of the shell's.
  if (errno == ENOEXEC) ::execve("/bin/sh", plan.shell_argv.data(), environ);
  send_message(plan.status_write, {Message::kError, errno});
  ::_exit(errno == ENOENT ? 127 : 126);
}

pid_t fork_command(const Plan& plan, bool& in_group) noexcept {
  in_group = false;
#ifdef CLONE_INTO_CGROUP
  if (plan.group_fd >= 0) {
    clone_args args{};
    args.flags = CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<std::uint64_t>(plan.group_fd);
    const pid_t child = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
    in_group = true;
    if (child >= 0) return child;
    in_group = false;
  }
#endif
  return static_cast<pid_t>(::syscall(SYS_clone, static_cast<long>(SIGCHLD), 0L, 0L, 0L, 0L));
}

std::int64_t nanoseconds(const timeval& time) noexcept {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1000;
}

void close_files() noexcept {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 0U, ~0U, 0U) == 0) return;
#endif
  for (int fd = static_cast<int>(::sysconf(_SC_OPEN_MAX)); fd >= 0; --fd) ::close(fd);
}

/// /proc/PID/stat of a process that has ended and was not reaped yet. False: it cannot be read.
bool read_ended(pid_t pid, Ended& into) noexcept {
  std::array<char, 32> path{"/proc/"};
  const auto end = std::to_chars(path.data() + 6, path.data() + 20, pid).ptr;
  std::memcpy(end, "/stat", 6);
  const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 512> text;
  const ssize_t n = ::read(fd, text.data(), text.size());
  ::close(fd);
  ProcessStat stat;
  if (n <= 0 || !parse_process_stat({text.data(), static_cast<std::size_t>(n)}, stat)) return false;
  into = {pid, stat.parent, stat.start_ticks, stat.cpu_ns, {}};
  process_cpu(pid, into.cpu_ns);
  stat.name.copy(into.name.data(), into.name.size() - 1);
  return true;
}

/// A path as execve takes it, for argv.
char* writable(const std::string& text) noexcept { return const_cast<char*>(text.c_str()); }

/// Guards that were left to themselves; each start of a command reaps those that ended.
class LeftGuards {
 public:
  void add(pid_t guard) {
    const std::lock_guard lock(mutex_);
    guards_.push_back(guard);
  }
  void reap() {
    const std::lock_guard lock(mutex_);
    std::erase_if(guards_,
                  [](pid_t guard) { return ::waitpid(guard, nullptr, __WCLONE | WNOHANG) != 0; });
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> guards_;
};

LeftGuards& left_guards() {
  static LeftGuards guards;
  return guards;
}

bool is_program(const std::string& path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_command(const std::string& command) {
  if (command.find('/') != std::string::npos) {
    struct stat info {};
    if (::stat(command.c_str(), &info) != 0) throw InputError("no such command: `" + command + "`");
    if (is_program(command)) return command;
    throw InputError("not a program that may be run: `" + command + "`");
  }
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!command.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string folder = end == 0 ? "." : std::string(rest.substr(0, end));
    if (is_program(folder + "/" + command)) return folder + "/" + command;
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  throw InputError("no such command: `" + command + "`");
}

namespace {

/// The guard's life. Only calls that are safe in a copy of a process with many threads.
template <class Page>
[[noreturn]] void guard(const Plan& plan, Page& page) noexcept {
  drop_handlers();
  set_action(SIGCHLD, SIG_DFL);  // ignored, it would reap before we could
  ::prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
  bool in_group = false;
  const pid_t command = fork_command(plan, in_group);
  if (command == 0) run_command(plan);
  if (command < 0) {
    send_message(plan.status_write, {Message::kError, errno});
    ::_exit(1);
  }
  send_message(plan.status_write, {in_group ? Message::kPid : Message::kPidOutside, command});
  close_files();
  ::prctl(PR_SET_NAME, "carnot-guard", 0L, 0L, 0L);
  for (;;) {
    // Looked at before it is reaped: what rusage says of it has its own children in it.
    siginfo_t who{};
    const bool told = ::waitid(P_ALL, 0, &who, WEXITED | WNOWAIT | __WALL) == 0;
    if (told) {
      const std::uint64_t count = page.ended_count;
      Ended& slot = page.ended_ring[count % page.ended_ring.size()];
      if (read_ended(who.si_pid, slot)) page.ended_count = count + 1;
    }
    int status = 0;
    rusage use{};
    const pid_t pid = ::wait4(told ? who.si_pid : -1, &status, __WALL, &use);
    if (pid < 0) {
      if (errno == EINTR) continue;
      if (page.left && !plan.group.empty()) ::rmdir(plan.group.c_str());
      ::_exit(0);  // no children left
    }
    page.cpu_ns += nanoseconds(use.ru_utime) + nanoseconds(use.ru_stime);
    page.read_b += static_cast<std::uint64_t>(use.ru_inblock) * 512;
    page.write_b += static_cast<std::uint64_t>(use.ru_oublock) * 512;
    const auto peak = static_cast<std::uint64_t>(use.ru_maxrss) * 1024;
    if (peak > page.peak_rss_b) page.peak_rss_b = peak;
    if (pid == command) {
      page.status = status;
      page.ended = true;
    }
  }
}

}  // namespace

Guard::Guard(const std::vector<std::string>& command, int group_fd, const std::string& group)
    : name_(command.front()) {
  left_guards().reap();
  // No other start may copy the ends that are closed below: a release waits for the last of them.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  Pipe release, status;
  Plan plan{.argv = {},
            .shell_argv = {},
            .path = find_command(command.front()),
            .group = group,
            .release_read = release.fd[0],
            .release_write = release.fd[1],
            .status_write = status.fd[1],
            .group_fd = group_fd,
            .callers_mask = {},
            .ignores_children = ignores(SIGCHLD)};
  static const std::string shell = "/bin/sh";
  plan.shell_argv = {writable(shell), writable(plan.path)};
  for (const std::string& word : command) plan.argv.push_back(writable(word));
  plan.shell_argv.insert(plan.shell_argv.end(), plan.argv.begin() + 1, plan.argv.end());
  plan.argv.push_back(nullptr);
  plan.shell_argv.push_back(nullptr);

  void* memory =
      ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw DeviceError(std::string("no shared page can be had: ") + std::strerror(errno));
  }
  page_ = new (memory) Page;

  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &plan.callers_mask);
  guard_ = static_cast<int>(::syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L));
  const int fork_error = errno;
  if (guard_ == 0) guard(plan, *page_);
  ::pthread_sigmask(SIG_SETMASK, &plan.callers_mask, nullptr);

  ::close(status.take(1));
  ::close(release.take(0));
  release_fd_ = release.take(1);
  status_fd_ = status.take(0);
  Message message{Message::kError, fork_error};
  const bool told = guard_ > 0 && read_message(status_fd_, message);
  if (!told || message.kind == Message::kError) {
    close_all();
    throw DeviceError("no process can be made for `" + name_ +
                      "`: " + std::strerror(message.value));
  }
  pid_ = message.value;
  in_group_ = message.kind == Message::kPid;
#ifdef SYS_pidfd_open
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U));
#endif
}

Guard::Guard(Guard&& other) noexcept { *this = std::move(other); }

Guard& Guard::operator=(Guard&& other) noexcept {
  if (this == &other) return *this;
  close_all();
  page_ = std::exchange(other.page_, nullptr);
  guard_ = std::exchange(other.guard_, 0);
  pid_ = other.pid_;
  pidfd_ = std::exchange(other.pidfd_, -1);
  release_fd_ = std::exchange(other.release_fd_, -1);
  status_fd_ = std::exchange(other.status_fd_, -1);
  in_group_ = other.in_group_;
  ended_taken_ = other.ended_taken_;
  guard_gone_ = other.guard_gone_;
  name_ = std::move(other.name_);
  return *this;
}

Guard::~Guard() { close_all(); }

void Guard::leave() {
  page_->left = true;
  left_guards().add(guard_);
  guard_gone_ = true;  // not ours to end any more
}

void Guard::wait_for_guard() noexcept {
  while (::waitpid(guard_, nullptr, __WCLONE) < 0 && errno == EINTR) {
  }
  guard_gone_ = true;
}

void Guard::answer(char word) noexcept {
  // Without a reader left there is nobody to hold; SIGPIPE must not reach the caller for that.
  sigset_t pipe, before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  if (::write(release_fd_, &word, 1) < 0 && errno == EPIPE && !::sigismember(&before, SIGPIPE)) {
    const timespec none{};
    ::sigtimedwait(&pipe, nullptr, &none);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(std::exchange(release_fd_, -1));
}

void Guard::cancel() noexcept {
  if (release_fd_ < 0) return;
  answer(kCancel);
  if (guard_ > 0 && !guard_gone_) wait_for_guard();
}

void Guard::close_all() noexcept {
  cancel();
  for (int* fd : {&status_fd_, &pidfd_}) {
    if (*fd >= 0) ::close(std::exchange(*fd, -1));
  }
  if (guard_ > 0 && !guard_gone_) {
    ::kill(guard_, SIGKILL);
    wait_for_guard();
  }
  guard_ = 0;
  if (page_ != nullptr) ::munmap(std::exchange(page_, nullptr), sizeof(Page));
}

void Guard::release() {
  if (release_fd_ < 0) return;
  answer(kGo);
  // The other end closes with the exec: until then there is nothing to read.
  Message message{};
  const bool failed = read_message(status_fd_, message);
  ::close(std::exchange(status_fd_, -1));
  if (failed) throw InputError("cannot run `" + name_ + "`: " + std::strerror(message.value));
}

Reaped Guard::reaped() const noexcept {
  return {page_->cpu_ns, page_->peak_rss_b, page_->read_b, page_->write_b};
}

void Guard::take_ended(std::vector<ProcessUse>& into) {
  const std::uint64_t count = page_->ended_count;
  const auto first = std::max(ended_taken_, count - std::min<std::uint64_t>(count, kMostEnded));
  const std::size_t before = into.size();
  for (std::uint64_t i = first; i < count; ++i) {
    const Ended& ended = page_->ended_ring[i % kMostEnded];
    ProcessUse& use = into.emplace_back();
    use.pid = ended.pid;
    use.parent = ended.parent;
    use.start_ticks = ended.start_ticks;
    use.name = shown_name({ended.name.data(), ::strnlen(ended.name.data(), ended.name.size())});
    use.cpu_ns = ended.cpu_ns;
    use.alive = false;
  }
  ended_taken_ = count;
  // The guard may have begun to write over the oldest meanwhile.
  const std::uint64_t now = page_->ended_count + 1;
  const std::uint64_t oldest = now - std::min<std::uint64_t>(now, kMostEnded);
  const auto spoiled =
      static_cast<std::ptrdiff_t>(std::min(std::max(oldest, first) - first, count - first));
  const auto at = into.begin() + static_cast<std::ptrdiff_t>(before);
  into.erase(at, at + spoiled);
}

bool Guard::ended() noexcept {
  for (;;) {
    if (page_->ended) return true;
    if (guard_gone_) return true;
    if (::waitpid(guard_, nullptr, __WCLONE | WNOHANG) != 0) {
      guard_gone_ = true;
      continue;
    }
    pollfd dead{pidfd_, POLLIN, 0};
    if (pidfd_ < 0 || ::poll(&dead, 1, 0) != 1) return false;
    // It ended; the guard is about to say how.
    const timespec moment{0, 20'000};
    ::nanosleep(&moment, nullptr);
  }
}

int Guard::wait_status() const noexcept { return page_->ended ? page_->status.load() : SIGKILL; }

}  // namespace carnot::meter
