// SPDX-License-Identifier: Apache-2.0
#include "live/slurm/testing_fake_slurm.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/text.hpp"

#include "live/slurm/slurm_text.hpp"

namespace carnot::live::testing {

namespace {

SlurmOutcome fails(std::string words) {
  SlurmOutcome o;
  o.status = 1;
  o.err = std::move(words);
  return o;
}

std::vector<std::string> ids_of(std::string list) {
  if (list.starts_with("JobId=")) list.erase(0, 6);
  std::vector<std::string> ids;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    ids.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return ids;
}

std::string after(const std::vector<std::string>& words, const std::string& key) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(key + "=")) return words[i].substr(key.size() + 1);
    if (words[i] == key && i + 1 < words.size()) return words[i + 1];
  }
  return {};
}

Instant epoch_of(const std::string& text) {
  return Instant::from_unix_seconds(parse_integer(text.substr(3)));
}

}  // namespace

FakeSlurm::FakeSlurm(std::string name, int nodes, FakeClock& clock, FakeWork& work,
                     std::uint64_t seed)
    : name_(std::move(name)),
      nodes_(nodes),
      clock_(clock),
      work_(work),
      random_(seed, "fake slurm"),
      passed_(clock.now) {}

FakeJob* FakeSlurm::job(const std::string& id) {
  for (FakeJob& j : jobs_)
    if (j.id == id) return &j;
  return nullptr;
}
const FakeJob* FakeSlurm::find(const std::string& id) const {
  for (const FakeJob& j : jobs_)
    if (j.id == id) return &j;
  return nullptr;
}

void FakeSlurm::stop(FakeJob& j) {
  if (j.since) {
    const Duration ran = clock_.now - *j.since;
    if (j.work.empty())
      j.done = j.done + ran;
    else {
      work_.done[j.work] = work_.done[j.work] + ran;
      --work_.running[j.work];
    }
  }
  j.since.reset();
}

// In steps as small as what may happen, so that ends and starts are where they belong.
void FakeSlurm::pass() {
  const Instant until = clock_.now;
  while (passed_ < until) {
    Instant next = std::min(until, passed_ + Duration::nanoseconds(200'000'000));
    for (const FakeJob& j : jobs_) {
      if (!j.since || j.state != "RUNNING") continue;
      const Duration done = j.work.empty() ? j.done : work_.done[j.work];
      const Duration length = j.work.empty() ? j.length : work_.length[j.work];
      const Instant end = *j.since + (length - done);
      if (end > passed_) next = std::min(next, end);
    }
    clock_.now = passed_ = next;
    for (FakeJob& j : jobs_) {
      if (!j.since || j.state != "RUNNING") continue;
      const Duration done = j.work.empty() ? j.done : work_.done[j.work];
      const Duration length = j.work.empty() ? j.length : work_.length[j.work];
      if (*j.since + (length - done) > clock_.now) continue;
      stop(j);
      j.state = "COMPLETED";
      j.ended = clock_.now;
      j.on.clear();
      if (!j.work.empty()) ++work_.finished[j.work];
    }
    schedule();
  }
  clock_.now = until;
  std::erase_if(jobs_, [&](const FakeJob& j) {
    return j.ended != Instant() && clock_.now - j.ended > Duration::seconds(300);
  });
}

void FakeSlurm::schedule() {
  if (hung) return;
  if (reservation_ && clock_.now >= reserved_until_) {
    reservation_ = false;
    reserved_.clear();
  }
  std::set<std::string> free;
  for (int n = 1; n <= nodes_; ++n) free.insert(name_ + std::to_string(n));
  for (const FakeJob& j : jobs_)
    if (j.state == "RUNNING")  // a suspended job's nodes are free at once
      for (const std::string& n : j.on) free.erase(n);
  for (const std::string& n : reserved_) free.erase(n);
  for (FakeJob& j : jobs_) {
    if (j.state != "PENDING" || j.reason.starts_with("JobHeld") ||
        j.reason.starts_with("launch failed"))
      continue;
    if (j.begins > controller()) {
      j.reason = "BeginTime";
      continue;
    }
    if (static_cast<int>(free.size()) < j.nodes) {
      j.reason = "Resources";
      break;  // first come, first served
    }
    for (int n = 0; n < j.nodes; ++n) {
      j.on.insert(*free.begin());
      free.erase(free.begin());
    }
    j.state = "RUNNING";
    j.reason = "None";
    j.since = clock_.now;
    if (!j.work.empty() && ++work_.running[j.work] > 1)
      work_.violations.push_back(j.work + " runs twice at once");
  }
}

FakeJob& FakeSlurm::submit_foreign(const std::string& name, int nodes, Duration length,
                                   const std::string& partition) {
  FakeJob j;
  j.id = std::to_string(next_id_++);
  j.name = name;
  j.user = "somebody";
  j.partition = partition;
  j.nodes = nodes;
  j.length = length;
  j.submitted = controller();
  return jobs_.emplace_back(j);
}

void FakeSlurm::lose_last(Duration span) {
  pass();
  int least = next_id_;
  for (FakeJob& j : jobs_)
    if (controller() - j.submitted < span) {
      least = std::min(least, static_cast<int>(parse_integer(j.id)));
      stop(j);  // what ran is ended as an orphan
    }
  std::erase_if(jobs_, [&](const FakeJob& j) { return controller() - j.submitted < span; });
  next_id_ = least;
}

void FakeSlurm::fail_launch(FakeJob& job) {
  pass();
  stop(job);
  job.state = "PENDING";
  job.reason = "launch failed requeued held";
  job.on.clear();
  ++job.restarts;
  job.submitted = controller();
}

void FakeSlurm::begin(const std::vector<std::string>& words, Duration timeout) {
  pass();
  const bool changing = words[0] == "sbatch" || words[0] == "scancel" ||
                        (words[0] == "scontrol" && words[1] != "show" && words[1] != "-o");
  const bool late =
      hung || (changing && timeout_chance > 0 && random_.uniform(drawn_++) < timeout_chance);
  SlurmOutcome outcome;
  if (late) {
    if (!hung && random_.uniform(drawn_++) < 0.5) carry_out(words);
    outcome.timed_out = true;
    outcome.status = 137;
    ready_ = clock_.now + timeout;
    outcome.took = timeout;
  } else {
    outcome = carry_out(words);
    outcome.took = Duration::nanoseconds(8'000'000);
    ready_ = clock_.now + outcome.took;
  }
  outcome_ = outcome;
}

std::optional<SlurmOutcome> FakeSlurm::poll() {
  if (!outcome_ || clock_.now < ready_) return std::nullopt;
  std::optional<SlurmOutcome> out = std::move(outcome_);
  outcome_.reset();
  return out;
}

SlurmOutcome FakeSlurm::carry_out(const std::vector<std::string>& w) {
  SlurmOutcome o;
  if (w[0] == "squeue") {
    ++asked;
    o.out = squeue();
    return o;
  }
  if (w[0] == "sinfo") {
    o.out = sinfo();
    return o;
  }
  if (w[0] == "sdiag") {
    o.out = fmt::format("sdiag output at Mon Nov 30 16:49:45 2026 ({})\n",
                        controller().unix_nanoseconds() / 1'000'000'000);
    return o;
  }
  if (w[0] == "sbatch") return submit(w);
  if (w[0] == "scancel") {
    FakeJob* j = job(w.back());
    if (j == nullptr || j->name != after(w, "--name")) return o;
    changes.push_back(w);
    if (j->state == "COMPLETED") return o;
    stop(*j);
    j->state = "CANCELLED";
    j->ended = clock_.now;
    j->on.clear();
    schedule();
    return o;
  }
  if (w[1] == "show" || w[1] == "-o") {
    if (w.back() == "config")
      o.out =
          "AccountingStorageType   = accounting_storage/none\nSlurmUser               = root(0)\n";
    if (w.back() == "reservation" && reservation_)
      o.out = "ReservationName=carnot_test StartTime=x\n";
    return o;
  }
  if (w[1] == "create" || (w[1] == "update" && w[2].starts_with("ReservationName="))) {
    changes.push_back(w);
    const auto list = expand_nodes(after(w, "Nodes"));
    if (!list) return fails("Invalid node name specified");
    reserved_ = {list->begin(), list->end()};
    if (w[1] == "create") {
      if (reservation_) return fails("Reservation name already in use");
      reserved_until_ = clock_.now + Duration::seconds(60 * parse_integer(after(w, "Duration")));
    }
    reservation_ = true;
    return o;
  }
  if (w[1] == "delete") {
    changes.push_back(w);
    if (!reservation_) return fails("Requested reservation is invalid");
    reservation_ = false;
    reserved_.clear();
    schedule();
    return o;
  }
  return update(w);
}

SlurmOutcome FakeSlurm::submit(const std::vector<std::string>& w) {
  FakeJob j;
  j.id = std::to_string(next_id_++);
  j.name = after(w, "--job-name");
  j.own = true;
  j.nodes = static_cast<int>(parse_integer(after(w, "--nodes")));
  j.submitted = controller();
  const std::string begin = after(w, "--begin");
  if (!begin.empty()) j.begins = epoch_of(begin);
  j.work = w.back();
  jobs_.push_back(j);
  changes.push_back(w);
  schedule();
  SlurmOutcome o;
  o.out = j.id + "\n";
  return o;
}

SlurmOutcome FakeSlurm::update(const std::vector<std::string>& w) {
  SlurmOutcome o;
  for (const std::string& id : ids_of(w[2])) {
    FakeJob* j = job(id);
    if (j == nullptr || j->ended != Instant()) {
      o = fails("Invalid job id specified");
      continue;
    }
    changes.push_back({w[0], w[1], id, j->name});
    if (w[1] == "update") {
      if (j->state != "PENDING") {
        o = fails("Job is no longer pending execution");
        continue;
      }
      // scontrol knows no time before its own.
      j->begins = std::max(epoch_of(after(w, "StartTime")), clock_.utc());
      const std::string nodes = after(w, "NumNodes");
      if (!nodes.empty()) j->nodes = static_cast<int>(parse_integer(nodes));
    } else if (w[1] == "requeue") {
      if (j->state == "PENDING" || !j->requeue) {
        o = fails("Requested operation is presently disabled");
        continue;
      }
      const bool suspended = j->state == "SUSPENDED";
      stop(*j);
      j->state = "PENDING";
      j->reason = suspended ? "JobHeldAdmin" : "None";
      j->on.clear();
      ++j->restarts;
      // No sooner than the credential of the run before is void.
      j->begins = std::max(j->begins, controller() + Duration::seconds(6));
      j->submitted = controller();
    } else if (w[1] == "suspend") {
      if (j->state != "RUNNING") {
        o = fails("Job is not running");
        continue;
      }
      stop(*j);
      j->state = "SUSPENDED";
    } else if (w[1] == "resume") {
      if (j->state != "SUSPENDED") {
        o = fails("Job is not suspended");
        continue;
      }
      j->state = "RUNNING";
      j->since = clock_.now;
      if (!j->work.empty()) ++work_.running[j->work];
    } else if (w[1] == "release") {
      j->reason = "None";
    }
  }
  schedule();
  return o;
}

std::string FakeSlurm::squeue() {
  std::string text;
  constexpr char kF = '\x1f';
  for (const FakeJob& j : jobs_) {
    std::string on;
    for (const std::string& n : j.on) on += (on.empty() ? "" : ",") + n;
    const bool waits = j.state == "PENDING";
    const std::string start =
        waits ? (j.begins == Instant() ? "N/A" : slurm_time(j.begins)) : slurm_time(j.submitted);
    for (const std::string& cell :
         {j.id, j.id, j.state, std::to_string(j.nodes), j.reason, start, slurm_time(j.submitted),
          std::to_string(j.restarts), std::string(j.requeue ? "1" : "0"), std::string("1"),
          std::string("UNLIMITED"), j.user, j.partition, on, std::string("N/A"), std::string()})
      text += cell + kF;
    text += j.name + "\x1e\n";
  }
  return text;
}

std::string FakeSlurm::sinfo() {
  std::set<std::string> busy;
  for (const FakeJob& j : jobs_)
    if (j.state == "RUNNING") busy.insert(j.on.begin(), j.on.end());
  std::string text;
  for (int n = 1; n <= nodes_; ++n) {
    const std::string node = name_ + std::to_string(n);
    text += (busy.contains(node)        ? "allocated|"
             : reserved_.contains(node) ? "maint|"
                                        : "idle|") +
            node + "\n";
  }
  return text;
}

}  // namespace carnot::live::testing
