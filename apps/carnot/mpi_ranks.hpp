// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The ranks of an MPI job, as `mpirun` or a cluster's launcher started them.

#include "carnot/base/ranks.hpp"

namespace carnot::app {

/// Begins MPI and ends it. One of a process. Calls come from the thread that made it.
class MpiRanks final : public Ranks {
 public:
  MpiRanks(int* argc, char*** argv);
  ~MpiRanks() override;
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  void sum(std::span<std::int64_t> numbers) override;
  std::vector<std::string> gather(const std::string& text) override;

  /// Ends all ranks, who may be waiting for this one.
  [[noreturn]] static void abort(int code);

 private:
  int rank_ = 0, size_ = 1;
};

}  // namespace carnot::app
