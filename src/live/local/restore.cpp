// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/restore.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/power_limit.hpp"

namespace carnot::live {

namespace {

constexpr std::size_t kSteps = 2048, kStopped = 16384;
constexpr std::size_t kPath = 512, kValue = 128;

struct Step {
  enum Kind : std::uint8_t { File, Group, Gpu } kind;
  std::uint32_t milliwatts;
  int board;
  std::array<char, kPath> path;
  std::array<char, kValue> value;
};

/// Bytes of a small file. Allocates nothing.
ssize_t read_small(const char* path, char* into, std::size_t size) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t n = 0;
  do {
    n = ::read(fd, into, size);
  } while (n < 0 && errno == EINTR);
  ::close(fd);
  return n;
}

void join(std::array<char, kPath + 32>& into, const char* folder, const char* name) noexcept {
  const std::size_t n = ::strnlen(folder, kPath);
  std::memcpy(into.data(), folder, n);
  std::memcpy(into.data() + n, name, std::strlen(name) + 1);
}

/// Processes of a group into the one above it, until none is left; then the folder goes.
int dissolve(const char* folder) noexcept {
  std::array<char, kPath + 32> inside{}, above{};
  join(inside, folder, "/cgroup.procs");
  join(above, folder, "/../cgroup.procs");
  for (int round = 0; round < 100; ++round) {
    std::array<char, 1 << 14> text;
    const ssize_t n = read_small(inside.data(), text.data(), text.size() - 1);
    if (n <= 0) break;
    text[static_cast<std::size_t>(n)] = '\0';
    for (char* at = text.data(); *at != '\0';) {
      char* const end = ::strchr(at, '\n');
      if (end == nullptr) break;  // cut off: next round
      *end = '\0';
      put(above.data(), at);
      at = end + 1;
    }
  }
  return ::rmdir(folder) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

int put(const char* path, const char* value) noexcept {
  const int fd = ::open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return errno;
  const std::size_t size = std::strlen(value);
  ssize_t n = 0;
  do {
    n = ::write(fd, value, size);
  } while (n < 0 && errno == EINTR);
  const int error = n == static_cast<ssize_t>(size) ? 0 : n < 0 ? errno : EIO;
  ::close(fd);
  return error;
}

bool is_alive(const ProcessId& process, char* state) noexcept {
  std::array<char, 32> path{"/proc/"};
  const auto end = std::to_chars(path.data() + 6, path.data() + 20, process.pid).ptr;
  std::memcpy(end, "/stat", 6);
  std::array<char, 1024> text;
  const ssize_t n = read_small(path.data(), text.data(), text.size());
  if (n <= 0) return false;
  std::string_view rest(text.data(), static_cast<std::size_t>(n));
  const std::size_t name_end = rest.rfind(')');
  if (name_end == std::string_view::npos || rest.size() < name_end + 4) return false;
  rest.remove_prefix(name_end + 2);  // field 3, the state
  if (state != nullptr) *state = rest.front();
  if (rest.front() == 'Z' || rest.front() == 'X') return false;
  for (int field = 3; field < 22; ++field) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return false;
    rest.remove_prefix(blank + 1);
  }
  std::uint64_t start = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), start);
  return start == process.start_ticks;
}

struct Restorer::Pages {
  std::atomic<std::uint32_t> steps{0}, stopped{0};
  std::array<Step, kSteps> step;
  std::array<ProcessId, kStopped> process;

  /// \param failed  called with a step and an errno (or, of a board, -1)
  template <class Failed>
  void undo(Failed failed) noexcept {
    for (std::uint32_t i = steps; i > 0; --i) {
      const Step& s = step[i - 1];
      int error = 0;
      if (s.kind == Step::File) error = put(s.path.data(), s.value.data());
      if (s.kind == Step::Group) error = dissolve(s.path.data());
      if (s.kind == Step::Gpu)
        error = meter::put_gpu_power_limit(s.path.data(), s.board, s.milliwatts) ? 0 : -1;
      if (error != 0 && error != ENOENT && error != ENODEV) failed(s, error);
    }
    steps = 0;
    // Children before their parents, which might otherwise take note of stopped children.
    for (std::uint32_t i = stopped; i > 0; --i) {
      if (is_alive(process[i - 1])) ::kill(process[i - 1].pid, SIGCONT);
    }
    stopped = 0;
  }
};

namespace {

void close_all_but(int kept) noexcept {
#ifdef SYS_close_range
  if ((kept == 0 || ::syscall(SYS_close_range, 0U, static_cast<unsigned>(kept - 1), 0U) == 0) &&
      ::syscall(SYS_close_range, static_cast<unsigned>(kept + 1), ~0U, 0U) == 0)
    return;
#endif
  for (int fd = static_cast<int>(::sysconf(_SC_OPEN_MAX)); fd >= 0; --fd) {
    if (fd != kept) ::close(fd);
  }
}

template <class Pages>
[[noreturn]] void stand_by(Pages& pages, int pipe) noexcept {
  ::setsid();
  ::prctl(PR_SET_NAME, "carnot-restore", 0L, 0L, 0L);
  close_all_but(pipe);
  [[maybe_unused]] const int at_root = ::chdir("/");
  char word = 0;
  while (::read(pipe, &word, 1) < 0 && errno == EINTR) {
  }
  pages.undo([](const Step&, int) {});
  ::_exit(0);
}

}  // namespace

Restorer::Restorer() {
  void* memory =
      ::mmap(nullptr, sizeof(Pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw DeviceError(fmt::format("no shared pages can be had: {}", std::strerror(errno)));
  pages_ = new (memory) Pages;
  std::array<int, 2> ends{-1, -1}, told{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::pipe2(told.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    for (const int fd : ends) ::close(fd);
    ::munmap(pages_, sizeof(Pages));
    throw DeviceError(fmt::format("a pipe cannot be made: {}", std::strerror(error)));
  }
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  // Two forks: what stands by is nobody's child here, its end no signal and no `wait` of ours.
  const pid_t between = static_cast<pid_t>(::syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L));
  if (between == 0) {
    const pid_t standing = ::fork();
    if (standing == 0) stand_by(*pages_, ends[0]);
    [[maybe_unused]] const ssize_t n = ::write(told[1], &standing, sizeof standing);
    ::_exit(0);
  }
  if (between > 0) {
    while (::waitpid(between, nullptr, __WCLONE) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[0]);
  ::close(told[1]);
  pipe_ = ends[1];
  const bool known = between > 0 && ::read(told[0], &pid_, sizeof pid_) == sizeof pid_ && pid_ > 0;
  ::close(told[0]);
  if (!known) {
    ::close(std::exchange(pipe_, -1));
    ::munmap(std::exchange(pages_, nullptr), sizeof(Pages));
    throw DeviceError("no process can be made that restores what is changed");
  }
}

Restorer::Restorer(Restorer&& other) noexcept { *this = std::move(other); }

Restorer& Restorer::operator=(Restorer&& other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(pipe_, other.pipe_);
  std::swap(pid_, other.pid_);
  return *this;
}

Restorer::~Restorer() {
  if (pages_ == nullptr) return;
  restore();
  ::close(pipe_);
  ::munmap(pages_, sizeof(Pages));
}

namespace {

/// The next free step with its texts in place.
template <class Pages>
Step& next_step(Pages& pages, Step::Kind kind, const std::string& path, const std::string& value) {
  const std::uint32_t at = pages.steps;
  if (at >= kSteps || path.size() >= kPath || value.size() >= kValue)
    throw InputError(path + ": more than can be remembered to be restored");
  Step& step = pages.step[at];
  step.kind = kind;
  path.copy(step.path.data(), path.size());
  step.path[path.size()] = '\0';
  value.copy(step.value.data(), value.size());
  step.value[value.size()] = '\0';
  return step;
}

}  // namespace

void Restorer::remember_file(const std::string& path, const std::string& value_found) {
  for (std::uint32_t i = 0; i < pages_->steps; ++i) {
    if (pages_->step[i].kind == Step::File && path == pages_->step[i].path.data()) return;
  }
  next_step(*pages_, Step::File, path, value_found);
  ++pages_->steps;
}

void Restorer::remember_group(const std::string& folder) {
  next_step(*pages_, Step::Group, folder, "");
  ++pages_->steps;
}

void Restorer::remember_gpu(const std::string& library, int board, std::uint32_t milliwatts_found) {
  Step& step = next_step(*pages_, Step::Gpu, library, "");
  step.board = board;
  step.milliwatts = milliwatts_found;
  ++pages_->steps;
}

void Restorer::remember_stopped(std::span<const ProcessId> processes) noexcept {
  // Those new in the list are written before they are counted.
  const std::size_t n = std::min(processes.size(), kStopped);
  for (std::size_t i = 0; i < n; ++i) pages_->process[i] = processes[i];
  pages_->stopped = static_cast<std::uint32_t>(n);
}

std::vector<std::string> Restorer::restore() noexcept {
  std::vector<std::string> failures;
  pages_->undo([&](const Step& step, int error) {
    failures.push_back(step.kind == Step::Gpu
                           ? fmt::format("power limit of GPU {}: {} mW could not be put back",
                                         step.board, step.milliwatts)
                           : fmt::format("{}: `{}` could not be put back: {}", step.path.data(),
                                         step.value.data(), std::strerror(error)));
  });
  return failures;
}

int Restorer::pid() const noexcept { return pid_; }

}  // namespace carnot::live
