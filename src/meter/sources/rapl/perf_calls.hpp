// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The system calls of perf as an interface, so that the perf source can be tried on any machine.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

class PerfCalls {
 public:
  virtual ~PerfCalls() = default;
  /// Opens a counter of all processes on `cpu`. \param leader  fd of its group; -1: leads one
  /// \return a file descriptor, or minus an errno
  virtual int open(std::uint32_t type, std::uint64_t config, int cpu, int leader) noexcept = 0;
  /// Reads a leader: the number of counters in its group, then their values in order of opening.
  /// \return words read, or minus an errno
  virtual int read(int fd, std::span<std::uint64_t> words) noexcept = 0;
  virtual void close(int fd) noexcept = 0;
};

/// `open_perf` over other system calls.
std::unique_ptr<Source> open_perf(const SourceOptions& options, std::vector<Note>& notes,
                                  std::shared_ptr<PerfCalls> calls);

}  // namespace carnot::meter
