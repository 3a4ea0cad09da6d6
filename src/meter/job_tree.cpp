// SPDX-License-Identifier: Apache-2.0
#include "meter/job_tree.hpp"

#include <algorithm>
#include <ctime>

namespace carnot::meter {

ProcessTree::ProcessTree(ProcessReader& reader, int root, int guard, bool existing, bool from_start)
    : reader_(reader), new_pids_(reader), root_(root), guard_(guard), from_start_(from_start) {
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
  if (known != index_.end() && (existing || members_[known->second].ended)) return;
  if (!reader_.read(pid, member.use)) return;
  if (known != index_.end()) {
    if (members_[known->second].use.start_ticks == member.use.start_ticks) return;
    members_[known->second].ended = true;  // the pid was given out again
    lost_in_round_ = true;
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
  for (; next_ < members_.size(); ++next_) {
    // At least one a call, so that no budget is too small.
    if (!members_[next_].ended) read_member(members_[next_]);
    if (until != 0 && now_ns() >= until && next_ + 1 < members_.size()) {
      ++next_;
      return;
    }
  }
  finish_round();
}

void ProcessTree::read_member(Member& member) {
  std::int64_t cpu_ns = 0;
  const bool has_clock = reader_.cpu(member.use.pid, cpu_ns);
  // Waiting for a child takes CPU time: who used none has waited for none.
  if (has_clock && cpu_ns == member.stat_cpu_ns) {
    round_ns_ += member.total();
    return;
  }
  ProcessUse now;
  const bool there = (has_clock || !reader_.live()) && read_stat(member, now) &&
                     now.start_ticks == member.use.start_ticks;
  if (!there) {
    member.ended = true;
    lost_in_round_ = true;
    return;
  }
  std::swap(member.use, now);
  member.stat_cpu_ns = has_clock ? cpu_ns : -1;
  peak_rss_b_ = std::max(peak_rss_b_, member.use.rss_b);
  round_ns_ += member.total();
}

bool ProcessTree::read_stat(Member& member, ProcessUse& into) {
  if (!member.stat.is_open()) {
    if (static_cast<std::size_t>(&member - members_.data()) >= kPinned) {
      return reader_.read(member.use.pid, into);
    }
    member.stat = reader_.open_stat(member.use.pid);
  }
  return member.stat.is_open() && reader_.read(member.stat, into);
}

void ProcessTree::finish_round() {
  // Who ended is in what its parent waited for, or in what was reaped; without a guard an orphan,
  // or one that ended together with its parent, is only in what was seen of it.
  const auto gone = [this](const Member& member) {
    if (!member.ended) return false;
    const auto parent = index_.find(member.use.parent);
    const bool passed_on =
        guard_ != 0 || (parent != index_.end() && !members_[parent->second].ended);
    if (!passed_on) {
      banked_ns_ += member.total();
    } else if (parent != index_.end()) {
      members_[parent->second].before_ns += member.before_ns;
    }
    if (ended_.size() < kMostEnded) {
      ended_.push_back(member.use);
      ended_.back().alive = false;
    }
    return true;
  };
  cpu_ns_ = std::max(cpu_ns_, base_ns_ + round_ns_ + banked_ns_);
  if (std::any_of(members_.begin(), members_.end(), [](const Member& m) { return m.ended; })) {
    std::vector<Member> left;
    left.reserve(members_.size());
    for (Member& member : members_) member.ended = gone(member);
    for (Member& member : members_) {
      if (!member.ended) left.push_back(std::move(member));
    }
    members_ = std::move(left);
    index_.clear();
    for (std::size_t i = 0; i < members_.size(); ++i) index_.emplace(members_[i].use.pid, i);
    cpu_ns_ = std::max(cpu_ns_, base_ns_ + round_ns_ + banked_ns_);
  }
  next_ = 0;
  round_ns_ = 0;
}

void ProcessTree::rows(std::vector<ProcessUse>& into) {
  into.clear();
  for (const Member& member : members_) into.push_back(member.use);
  into.insert(into.end(), ended_.begin(), ended_.end());
  ended_.clear();
}

}  // namespace carnot::meter
