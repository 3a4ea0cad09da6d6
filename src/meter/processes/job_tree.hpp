// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CPU time of a tree of processes, read piece by piece.
///
/// One round reads what was reaped, then every living process of the tree, parents before their
/// children. A child that is alive when it is read cannot have been in what its parent had waited
/// for when that was read before: a round never counts a nanosecond twice, whatever dies meanwhile,
/// and what it misses the next one finds. So each finished round is a lower bound of the truth and
/// the greatest so far is the answer. Rounds go on from call to call within a budget of time; no
/// step in them takes longer the more processes there are.

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "meter/processes/process_reader.hpp"

namespace carnot::meter {

class ProcessTree {
 public:
  /// \param root      the command, or the process attached to
  /// \param guard     its subreaper, whose children belong to the tree; 0: none
  /// \param existing  descendants that are already there belong to it too; what they used before
  ///                  now does not, unless `from_start`
  ProcessTree(ProcessReader& reader, int root, int guard, bool existing, bool from_start);

  /// Looks for new processes and goes on reading for at most `budget_ns` (0: to the end of both).
  /// \param reaped  gives the CPU time reaped from the tree, asked at the start of each round
  template <class Reaped>
  void advance(std::int64_t budget_ns, Reaped reaped) {
    if (budget_ns == 0) {
      discover(0);
      do {
        read_round(0, reaped);
      } while (lost_in_round_);
    } else {
      const std::int64_t now = now_ns();
      read_round(now + budget_ns / 2, reaped);
      discover(now + budget_ns);
    }
  }

  std::int64_t cpu_ns() const noexcept { return cpu_ns_; }
  std::uint64_t peak_rss_b() const noexcept { return peak_rss_b_; }
  bool alive() const noexcept { return !index_.empty(); }
  /// The processes as last read; those that ended since the last call once more (the first
  /// kMostEnded of them).
  void rows(std::vector<ProcessUse>& into);

 private:
  enum class State : std::uint8_t {
    Living,
    Ended,  // its time is still to be settled
    Gone,   // settled, or moved away; a place without a member
  };
  struct Member {
    ProcessUse use;
    PinnedFile stat;                // kept open by the first kPinned members
    std::int64_t stat_cpu_ns = -1;  // when its stat was last read
    std::int64_t before_ns = 0;     // used before it was ours
    State state = State::Living;
    std::int64_t total() const noexcept { return use.cpu_ns + use.children_cpu_ns - before_ns; }
  };

  static constexpr std::size_t kPinned = 64;
  static constexpr std::size_t kMostEnded = 4096;  // remembered for `rows`
  static constexpr std::size_t kReserved = 1
                                           << 15;  // places of `index_`: as many as pids by default

  static std::int64_t now_ns() noexcept;
  template <class Reaped>
  void read_round(std::int64_t until, Reaped& reaped) {
    if (!in_round_) {
      in_round_ = true;
      base_ns_ = reaped();
      lost_in_round_ = false;
    }
    read_on(until);
  }
  void discover(std::int64_t until);
  void consider(int pid, bool existing);
  void read_on(std::int64_t until);
  void read_member(std::size_t at);
  bool read_stat(std::size_t at, ProcessUse& into);
  void keep(std::size_t from);
  void end(std::size_t at);
  void settle(std::size_t at);

  ProcessReader& reader_;
  NewPids new_pids_;
  int root_, guard_;
  bool from_start_;
  std::deque<Member> members_;  // parents before their children; never moved as a whole
  std::unordered_map<int, std::size_t> index_;
  std::deque<ProcessUse> ended_;
  std::vector<int> listed_;
  std::vector<std::size_t> lost_;      // members that ended in this round
  std::unordered_set<int> passed_on_;  // their pids, of those whose time another has now
  // A round reads the members in order, moving them down over places that are Gone: of the first
  // `next_` places the first `kept_` hold members, the others none.
  std::size_t next_ = 0, kept_ = 0, settled_ = 0;
  bool in_round_ = false;
  std::int64_t base_ns_ = 0, round_ns_ = 0, banked_ns_ = 0, cpu_ns_ = 0;
  std::uint64_t peak_rss_b_ = 0;
  bool lost_in_round_ = false;
};

}  // namespace carnot::meter
