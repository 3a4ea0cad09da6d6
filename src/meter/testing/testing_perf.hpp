// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: the kernel's side of perf over a sensor tree, failing on command.

#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "meter/sources/rapl/perf_calls.hpp"
#include "meter/testing/testing_tree.hpp"

namespace carnot::meter::testing {

class FakePerf final : public PerfCalls {
 public:
  /// \param registers  (event code, cpu) to the register it counts
  FakePerf(const SensorTree& tree, std::map<std::pair<std::uint64_t, int>, std::string> registers)
      : tree_(tree), registers_(std::move(registers)) {}

  int open_error = 0;  ///< of every open
  bool groups = true;  ///< false: members of groups are refused (EINVAL)
  int read_error = 0;  ///< of every read
  int opened = 0, closed = 0, reads = 0;

  int open(std::uint32_t type, std::uint64_t config, int cpu, int leader) noexcept override {
    if (open_error != 0) return -open_error;
    if (leader >= 0 && !groups) return -EINVAL;
    const auto found = registers_.find({config, cpu});
    if (type != 21 || found == registers_.end()) return -ENOENT;
    ++opened;
    const int fd = 100 + opened;
    events_[fd] = {found->second, tree_.true_energy(found->second)};
    members_[leader >= 0 ? leader : fd].push_back(fd);
    return fd;
  }

  int read(int fd, std::span<std::uint64_t> words) noexcept override {
    ++reads;
    if (read_error != 0) return -read_error;
    const std::vector<int>& group = members_.at(fd);
    if (words.size() < 1 + group.size()) return -ENOSPC;
    words[0] = group.size();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const Event& event = events_.at(group[i]);
      const Energy spent = tree_.true_energy(event.register_id) - event.at_open;
      // Whole counts of 2^-14 J in the kernel's 2^-32 J.
      words[1 + i] = static_cast<std::uint64_t>(spent.in(joule)*0x1p14) << 18;
    }
    return static_cast<int>(1 + group.size());
  }

  void close(int) noexcept override { ++closed; }

 private:
  struct Event {
    std::string register_id;
    Energy at_open;
  };
  const SensorTree& tree_;
  std::map<std::pair<std::uint64_t, int>, std::string> registers_;
  std::map<int, Event> events_;
  std::map<int, std::vector<int>> members_;
};

}  // namespace carnot::meter::testing
