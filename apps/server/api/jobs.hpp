// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Long work that clients start: carnot itself in a process of its own, one after the other, each
/// with bounds on time, memory and what it writes. What goes wrong in one (out of memory, a bug)
/// does not touch the server, and a cancelled one ends at once. Thread-safe.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace carnot::app {

struct JobLimits {
  std::size_t waiting = 8;  ///< besides the one at work; more are refused
  std::size_t kept = 32;    ///< finished ones, the oldest are forgotten first
  int seconds = 120;        ///< at work, by the wall
  std::uint64_t memory_b = std::uint64_t{4} << 30;
  std::uint64_t written_b = std::uint64_t{64} << 20;  ///< each file
};

enum class JobState { Waiting, Running, Done, Failed, Cancelled };

struct JobRequest {
  std::string kind;                ///< "plan", "explain", "simulate", "query"
  std::vector<std::string> words;  ///< of carnot's command line
  std::string shown;               ///< the same to copy, without paths of this machine
  std::string subject;             ///< id of what it is about
  std::string folder;              ///< its own, deleted with it; empty: one is made
  int seconds = 0;                 ///< fewer than the limit; 0: the limit
};

struct JobView {
  std::string id, kind, shown, subject, folder, progress, error;
  JobState state = JobState::Waiting;
  std::size_t before = 0;  ///< jobs that come first
  double seconds = 0;      ///< at work
  int limit_s = 0;
};

class JobRunner {
 public:
  /// \param program  that is started; its standard output is the result
  JobRunner(std::string program, JobLimits limits);
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  /// Ends what is at work and deletes what was written.
  ~JobRunner();

  /// A folder for files of a job to come. \throws IoError
  std::string make_folder();
  /// \return its id; empty: too many are waiting
  std::string add(JobRequest request);
  std::optional<JobView> view(const std::string& id) const;
  std::vector<JobView> views() const;  ///< newest first
  bool cancel(const std::string& id);  ///< false: there is no such job
  /// Its standard output; nothing unless it is done.
  std::optional<std::string> result(const std::string& id) const;
  const JobLimits& limits() const noexcept { return limits_; }

 private:
  struct Job;
  void work();
  void run(Job& job, std::unique_lock<std::mutex>& lock);
  void forget_old();
  JobView view_of(const Job& job) const;

  std::string program_, root_;
  JobLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;  ///< oldest first
  std::uint64_t number_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

std::string_view name(JobState state) noexcept;

}  // namespace carnot::app
