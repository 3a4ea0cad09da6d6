// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Ranks that are threads of one process: for tests.

#include <algorithm>
#include <barrier>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "carnot/base/ranks.hpp"

namespace carnot::plan {

class ThreadRanks {
 public:
  explicit ThreadRanks(int size) : size_(size), barrier_(size), texts_(size) {}

  /// Runs `work` on every rank at once. It must not throw.
  void run(const std::function<void(Ranks&)>& work) {
    std::vector<std::jthread> threads;
    for (int r = 0; r < size_; ++r)
      threads.emplace_back([&, r] {
        One one(*this, r);
        work(one);
      });
  }

 private:
  class One final : public Ranks {
   public:
    One(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const noexcept override { return rank_; }
    int size() const noexcept override { return all_.size_; }
    void sum(std::span<std::int64_t> numbers) override {
      // One rank after the other, from the last to the first: sums must not care.
      for (int r = all_.size_ - 1; r >= 0; --r) {
        if (r == rank_) {
          if (r == all_.size_ - 1) all_.sums_.assign(numbers.size(), 0);
          for (std::size_t i = 0; i < numbers.size(); ++i) all_.sums_.at(i) += numbers[i];
        }
        all_.barrier_.arrive_and_wait();
      }
      std::copy(all_.sums_.begin(), all_.sums_.end(), numbers.begin());
      all_.barrier_.arrive_and_wait();
    }
    std::vector<std::string> gather(const std::string& text) override {
      all_.texts_[static_cast<std::size_t>(rank_)] = text;
      all_.barrier_.arrive_and_wait();
      std::vector<std::string> out;
      if (rank_ == 0) out = all_.texts_;
      all_.barrier_.arrive_and_wait();
      return out;
    }

   private:
    ThreadRanks& all_;
    int rank_;
  };

  int size_;
  std::barrier<> barrier_;
  std::vector<std::int64_t> sums_;
  std::vector<std::string> texts_;
};

}  // namespace carnot::plan
