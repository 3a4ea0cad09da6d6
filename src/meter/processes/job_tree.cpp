// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/job_tree.hpp"

#include <algorithm>
#include <ctime>

namespace carnot::meter {

ProcessTree::ProcessTree(ProcessReader& reader, int root, int guard, bool existing, bool from_start)
    : reader_(reader), new_pids_(reader), root_(root), guard_(guard), from_start_(from_start) {
  index_.reserve(kReserved);
  consider(root, existing);
  if (!existing) return;
  // Parents start before their children, but pids go round: repeat until nobody is added.
  reader_.list(listed_);
  for (std::size_t before = 0; before != members_.size();) {
    before = members_.size();
    for (const int pid : listed_) consider(pid, true);
  }
}

std::int64_t ProcessTree::now_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void ProcessTree::discover(std::int64_t until) {
  if (!new_pids_.begin()) {
    reader_.list(listed_);
    for (const int pid : listed_) consider(pid, false);
    return;
  }
  while (const int pid = new_pids_.next()) {
    std::int64_t cpu_ns = 0;
    if (reader_.cpu(pid, cpu_ns)) consider(pid, false);  // else nobody, or a thread
    if (until != 0 && now_ns() >= until) return;
  }
}

void ProcessTree::consider(int pid, bool existing) {
  const auto known = index_.find(pid);
  Member member;
  if (known != index_.end() && (existing || members_[known->second].state != State::Living)) return;
  if (!reader_.read(pid, member.use)) return;
  if (known != index_.end()) {
    if (members_[known->second].use.start_ticks == member.use.start_ticks) return;
    const std::size_t at = known->second;               // the pid was given out again
    if (at < kept_) round_ns_ -= members_[at].total();  // counted as living, banked from now on
    end(at);
    index_.erase(known);
  }
  const int parent = member.use.parent;
  if (pid != root_ && !(guard_ != 0 && parent == guard_) && !index_.contains(parent)) return;
  if (existing && !from_start_) {
    member.before_ns = member.use.cpu_ns + member.use.children_cpu_ns;
  }
  index_.emplace(pid, members_.size());
  members_.push_back(std::move(member));
}

void ProcessTree::read_on(std::int64_t until) {
  const auto over = [until] { return until != 0 && now_ns() >= until; };
  while (next_ < members_.size()) {
    // At least one a call, so that no budget is too small.
    keep(next_++);
    if (over() && next_ < members_.size()) return;
  }
  while (members_.size() > kept_) {
    members_.pop_back();
    next_ = members_.size();
    if (next_ % 64 == 0 && over()) return;
  }
  cpu_ns_ = std::max(cpu_ns_, base_ns_ + round_ns_ + banked_ns_);
  while (settled_ < lost_.size()) {
    settle(lost_[settled_++]);
    if (over()) return;
  }
  cpu_ns_ = std::max(cpu_ns_, base_ns_ + round_ns_ + banked_ns_);
  lost_.clear();
  passed_on_.clear();
  next_ = kept_ = settled_ = 0;
  round_ns_ = 0;
  in_round_ = false;
}

/// Moves the member at place `from` to the next place that is kept, and reads it.
void ProcessTree::keep(std::size_t from) {
  if (members_[from].state == State::Gone) return;
  const std::size_t at = kept_++;
  if (at != from) {
    members_[at] = std::move(members_[from]);
    members_[from].state = State::Gone;
    const auto known = index_.find(members_[at].use.pid);
    if (known != index_.end() && known->second == from) known->second = at;
  }
  if (members_[at].state == State::Living) {
    read_member(at);
  } else {
    lost_.push_back(at);  // its pid was given out again before its turn came
  }
}

/// Reads a member that may end while it is read.
void ProcessTree::read_member(std::size_t at) {
  Member& member = members_[at];
  std::int64_t cpu_ns = 0;
  const bool has_clock = reader_.cpu(member.use.pid, cpu_ns);
  // Waiting for a child takes CPU time: who used none has waited for none.
  if (has_clock && cpu_ns == member.stat_cpu_ns) {
    round_ns_ += member.total();
    return;
  }
  ProcessUse now;
  const bool there = (has_clock || !reader_.live()) && read_stat(at, now) &&
                     now.start_ticks == member.use.start_ticks;
  if (!there) {
    end(at);
    return;
  }
  std::swap(member.use, now);
  member.stat_cpu_ns = has_clock ? cpu_ns : -1;
  peak_rss_b_ = std::max(peak_rss_b_, member.use.rss_b);
  round_ns_ += member.total();
}

bool ProcessTree::read_stat(std::size_t at, ProcessUse& into) {
  Member& member = members_[at];
  if (!member.stat.is_open()) {
    if (at >= kPinned) return reader_.read(member.use.pid, into);
    member.stat = reader_.open_stat(member.use.pid);
  }
  return member.stat.is_open() && reader_.read(member.stat, into);
}

void ProcessTree::end(std::size_t at) {
  members_[at].state = State::Ended;
  lost_in_round_ = true;
  if (at < kept_) lost_.push_back(at);  // else when its turn comes
}

/// Who ended is in what was reaped or in what its parent waited for, which may have ended too and
/// be in what its own did; without a guard an orphan is only in what was seen of it.
void ProcessTree::settle(std::size_t at) {
  Member& member = members_[at];
  const auto self = index_.find(member.use.pid);
  if (self != index_.end() && self->second == at) index_.erase(self);
  const auto parent = index_.find(member.use.parent);
  const bool parent_lives =
      parent != index_.end() && members_[parent->second].state == State::Living;
  if (guard_ != 0 || parent_lives || passed_on_.contains(member.use.parent)) {
    passed_on_.insert(member.use.pid);
    if (parent != index_.end()) members_[parent->second].before_ns += member.before_ns;
  } else {
    banked_ns_ += member.total();
  }
  if (ended_.size() < kMostEnded) {
    ended_.push_back(member.use);
    ended_.back().alive = false;
  }
  member.state = State::Gone;
}

void ProcessTree::rows(std::vector<ProcessUse>& into) {
  into.clear();
  for (const Member& member : members_) {
    if (member.state == State::Living) into.push_back(member.use);
  }
  into.insert(into.end(), ended_.begin(), ended_.end());
  ended_.clear();
}

}  // namespace carnot::meter
