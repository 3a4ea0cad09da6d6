// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Slurm clusters made up in memory, with a clock of their own, that answer the commands of the
/// dispatcher as Slurm does and fail in the ways it does: killed after the effect, hung, started
/// again with the last seconds lost and numbers given twice.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/live/slurm/cluster.hpp"

namespace carnot::live::testing {

class FakeClock final : public DispatchClock {
 public:
  Instant utc() override { return now + set_by; }
  Duration elapsed() override { return now - Instant::from_unix_seconds(0); }
  void wait(Duration longest) override {
    // Time passes even for who is in a hurry.
    now = now + std::max(longest, Duration::nanoseconds(1'000'000));
  }
  Instant now = Instant::from_unix_seconds(1'700'000'000);
  Duration set_by;  // wall clock against the true time
};

/// What jobs do, wherever they run: work that is kept from one run to the next.
struct FakeWork {
  std::map<std::string, Duration> length;  // by the job's name in the list
  std::map<std::string, Duration> done;
  std::map<std::string, int> finished;  // how often
  std::map<std::string, int> running;   // now
  std::vector<std::string> violations;
};

struct FakeJob {
  std::string id, name, user = "me", partition = "main", state = "PENDING", reason = "None";
  int nodes = 1;
  Instant begins, submitted;
  std::optional<Instant> since;  // it runs
  Duration done;                 // of those that are nobody's list
  Duration length = Duration::seconds(100'000);
  int restarts = 0;
  bool requeue = true, own = false;
  std::set<std::string> on;
  std::string work;  // the job of the list
  Instant ended;
};

class FakeSlurm final : public SlurmCluster {
 public:
  FakeSlurm(std::string name, int nodes, FakeClock& clock, FakeWork& work, std::uint64_t seed);

  void begin(const std::vector<std::string>& words, Duration timeout) override;
  std::optional<SlurmOutcome> poll() override;
  bool has(const std::string& program) override {
    return program != "sacct" && program != "sacctmgr";
  }

  // What others do.
  FakeJob& submit_foreign(const std::string& name, int nodes, Duration length,
                          const std::string& partition = "main");
  void lose_last(Duration span);   ///< kill -9 of the controller and start: what is younger is gone
  void fail_launch(FakeJob& job);  ///< its nodes could not start it: requeued and held
  void pass();                     ///< lets time go on until now
  std::vector<FakeJob>& jobs() { return jobs_; }
  const FakeJob* find(const std::string& id) const;

  double timeout_chance = 0.0;                    ///< a changing command times out, done or not
  bool hung = false;                              ///< every command times out
  Duration clock_off;                             ///< of the controller
  std::vector<std::vector<std::string>> changes;  ///< every changing command that had an effect
  std::uint64_t asked = 0;                        ///< squeue

 private:
  SlurmOutcome carry_out(const std::vector<std::string>& words);
  SlurmOutcome submit(const std::vector<std::string>& words);
  SlurmOutcome update(const std::vector<std::string>& words);
  std::string squeue();
  std::string sinfo();
  void schedule();
  void stop(FakeJob& job);
  FakeJob* job(const std::string& id);
  Instant controller() const { return clock_.now + clock_off; }

  std::string name_;
  int nodes_;
  FakeClock& clock_;
  FakeWork& work_;
  RandomStream random_;
  std::uint64_t drawn_ = 0;
  std::vector<FakeJob> jobs_;
  int next_id_ = 1;
  Instant passed_;
  std::set<std::string> reserved_;
  Instant reserved_until_;
  bool reservation_ = false;
  std::optional<SlurmOutcome> outcome_;
  Instant ready_;
};

}  // namespace carnot::live::testing
