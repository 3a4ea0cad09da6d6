// SPDX-License-Identifier: Apache-2.0
#include "jobs.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "../http.hpp"

namespace carnot::app {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{20}, kPatience{2000};

void limit(int what, rlim_t most) {
  const rlimit bound{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(what), &bound);
}

/// The end of what it said, for people.
std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line))
    if (!line.empty()) last = line;
  return last.substr(0, 2000);
}

std::string all_lines(const std::string& path) {
  std::ifstream file(path);
  std::string text(8192, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

struct JobRunner::Job {
  std::string id;
  JobRequest request;
  JobState state = JobState::Waiting;
  bool cancelled = false;
  Clock::time_point began;
  double seconds = 0;
  std::string error;
  int limit_s = 0;

  std::string out() const { return request.folder + "/out"; }
  std::string said() const { return request.folder + "/said"; }
};

std::string_view name(JobState state) noexcept {
  switch (state) {
    case JobState::Waiting:
      return "waiting";
    case JobState::Running:
      return "running";
    case JobState::Done:
      return "done";
    case JobState::Failed:
      return "failed";
    case JobState::Cancelled:
      return "cancelled";
  }
  return "";
}

JobRunner::JobRunner(std::string program, JobLimits limits)
    : program_(std::move(program)), limits_(limits) {
  std::string form = (fs::temp_directory_path() / "carnot-jobs-XXXXXX").string();
  if (::mkdtemp(form.data()) == nullptr) throw IoError(form, "create", errno);  // mode 700
  root_ = form;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

JobRunner::~JobRunner() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& job : jobs_) job->cancelled = true;
  }
  changed_.notify_all();
  thread_.join();
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string JobRunner::make_folder() {
  std::string form = root_ + "/XXXXXX";
  if (::mkdtemp(form.data()) == nullptr) throw IoError(form, "create", errno);
  return form;
}

std::string JobRunner::add(JobRequest request) {
  if (request.folder.empty()) request.folder = make_folder();
  const std::lock_guard lock(mutex_);
  const auto waiting = static_cast<std::size_t>(std::count_if(
      jobs_.begin(), jobs_.end(), [](const auto& j) { return j->state == JobState::Waiting; }));
  if (waiting >= limits_.waiting || ending_) {
    std::error_code ignored;
    fs::remove_all(request.folder, ignored);
    return "";
  }
  auto job = std::make_shared<Job>();
  job->id = fmt::format("{}-{}", ++number_, random_token().substr(0, 8));
  job->limit_s = request.seconds > 0 ? std::min(request.seconds, limits_.seconds) : limits_.seconds;
  job->request = std::move(request);
  jobs_.push_back(job);
  forget_old();
  changed_.notify_all();
  return job->id;
}

void JobRunner::forget_old() {
  auto finished =
      static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const auto& j) {
        return j->state != JobState::Waiting && j->state != JobState::Running;
      }));
  for (auto at = jobs_.begin(); at != jobs_.end() && finished > limits_.kept;) {
    if ((*at)->state == JobState::Waiting || (*at)->state == JobState::Running) {
      ++at;
      continue;
    }
    std::error_code ignored;
    fs::remove_all((*at)->request.folder, ignored);
    at = jobs_.erase(at);
    --finished;
  }
}

JobView JobRunner::view_of(const Job& job) const {
  JobView v{job.id,
            job.request.kind,
            job.request.shown,
            job.request.subject,
            job.request.folder,
            "",
            job.error,
            job.state,
            0,
            job.seconds,
            job.limit_s};
  if (job.state == JobState::Running) {
    v.seconds = std::chrono::duration<double>(Clock::now() - job.began).count();
    v.progress = last_line(job.said());
  }
  for (const auto& other : jobs_) {
    if (other->id == job.id) break;
    if (other->state == JobState::Waiting || other->state == JobState::Running) ++v.before;
  }
  return v;
}

std::optional<JobView> JobRunner::view(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& job : jobs_)
    if (job->id == id) return view_of(*job);
  return std::nullopt;
}

std::vector<JobView> JobRunner::views() const {
  const std::lock_guard lock(mutex_);
  std::vector<JobView> out;
  for (auto at = jobs_.rbegin(); at != jobs_.rend(); ++at) out.push_back(view_of(**at));
  return out;
}

bool JobRunner::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (const auto& job : jobs_) {
    if (job->id != id) continue;
    job->cancelled = true;
    if (job->state == JobState::Waiting) job->state = JobState::Cancelled;
    changed_.notify_all();
    return true;
  }
  return false;
}

std::optional<std::string> JobRunner::result(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& job : jobs_)
    if (job->id == id && job->state == JobState::Done) return read_file(job->out());
  return std::nullopt;
}

void JobRunner::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const auto next = std::find_if(jobs_.begin(), jobs_.end(),
                                   [](const auto& j) { return j->state == JobState::Waiting; });
    if (next == jobs_.end()) {
      changed_.wait(lock);
      continue;
    }
    const std::shared_ptr<Job> job = *next;
    run(*job, lock);
    forget_old();
  }
}

void JobRunner::run(Job& job, std::unique_lock<std::mutex>& lock) {
  job.state = JobState::Running;
  job.began = Clock::now();
  std::vector<char*> words;
  words.push_back(program_.data());
  for (std::string& word : job.request.words) words.push_back(word.data());
  words.push_back(nullptr);
  std::string progress = "CARNOT_PROGRESS=lines";
  std::vector<char*> surroundings;
  for (char** at = environ; *at != nullptr; ++at) surroundings.push_back(*at);
  surroundings.push_back(progress.data());
  surroundings.push_back(nullptr);
  const std::string out = job.out(), said = job.said(), folder = job.request.folder;
  const pid_t parent = ::getpid();
  // Between fork and exec only what a signal handler might do.
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);
    const int in = ::open("/dev/null", O_RDONLY);
    const int o = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int e = ::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || o < 0 || e < 0 || ::dup2(in, 0) < 0 || ::dup2(o, 1) < 0 || ::dup2(e, 2) < 0 ||
        ::chdir(folder.c_str()) != 0)
      ::_exit(127);
    limit(RLIMIT_AS, limits_.memory_b);
    limit(RLIMIT_FSIZE, limits_.written_b);
    limit(RLIMIT_CORE, 0);
    ::setpriority(PRIO_PROCESS, 0, 10);
    ::close_range(3, ~0U, 0);  // connections of clients among them
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(words[0], words.data(), surroundings.data());
    ::_exit(127);
  }
  if (child < 0) {
    job.state = JobState::Failed;
    job.error = "no process could be started";
    return;
  }
  int status = 0;
  bool asked = false, late = false;
  Clock::time_point killed_at{};
  while (::waitpid(child, &status, WNOHANG) == 0) {
    changed_.wait_for(lock, kLook);
    const auto now = Clock::now();
    late = late || now - job.began > std::chrono::seconds(job.limit_s);
    if ((job.cancelled || late) && !asked) {
      asked = true;
      killed_at = now + kPatience;
      ::kill(-child, SIGTERM);
    }
    if (asked && (now > killed_at || ending_)) ::kill(-child, SIGKILL);
  }
  ::kill(-child, SIGKILL);  // what it may have left behind
  job.seconds = std::chrono::duration<double>(Clock::now() - job.began).count();
  const bool well = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1);
  if (job.cancelled) {
    job.state = JobState::Cancelled;
  } else if (well && !late && fs::exists(out) && fs::file_size(out) > 0) {
    job.state = JobState::Done;
  } else {
    job.state = JobState::Failed;
    job.error = late                  ? fmt::format("not done within {} s", job.limit_s)
                : WIFSIGNALED(status) ? "it was ended from outside: out of memory, most likely"
                                      : all_lines(said);
    if (job.error.empty()) job.error = "it ended without a result";
  }
}

}  // namespace carnot::app
