// SPDX-License-Identifier: Apache-2.0
#include "plan/price_table.hpp"

#include <algorithm>
#include <tuple>

namespace carnot::plan {

PriceTable::PriceTable(const Problem& problem)
    : sites_(problem.sites.size()), slots_(static_cast<std::size_t>(problem.slots)) {
  const PlanJobs& jobs = problem.jobs;
  using Key = std::tuple<std::int32_t, std::int32_t, std::int32_t>;
  std::vector<Key> keys;
  const std::size_t modes = jobs.size() == 0 ? 0 : jobs.mode_end(jobs.size() - 1);
  keys.reserve(modes);
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      keys.emplace_back(jobs.release(j), jobs.deadline(j), jobs.mode(i).slots);
  std::vector<Key> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  class_slots_.reserve(sorted.size());
  for (std::uint32_t c = 0; c < sorted.size(); ++c) {
    const auto [release, deadline, slots] = sorted[c];
    if (windows_.empty() || windows_.back().release != release ||
        windows_.back().deadline != deadline)
      windows_.push_back({release, deadline, c, c});
    windows_.back().last = c + 1;
    class_slots_.push_back(slots);
  }
  class_of_mode_.reserve(modes);
  for (const Key& key : keys)
    class_of_mode_.push_back(static_cast<std::uint32_t>(
        std::lower_bound(sorted.begin(), sorted.end(), key) - sorted.begin()));
  cost_.resize(sorted.size() * sites_);
  best_.resize(sorted.size());
}

// Visits every window with its slots in order of price: visit(window, order, count). Windows that
// begin together grow by insertion, so that each slot is placed once a release.
template <class Visit>
void PriceTable::for_each_window(const double* price, std::uint64_t turn, Visit&& visit) const {
  struct Slot {
    double price;
    std::uint32_t tie, slot;
    bool operator<(const Slot& other) const noexcept {
      return price < other.price || (price == other.price && tie < other.tie);
    }
  };
  std::vector<Slot> order;
  order.reserve(slots_);
  std::int32_t release = -1, end = 0;
  for (const Window& window : windows_) {
    if (window.release != release) {
      order.clear();
      release = end = window.release;
    }
    for (; end < window.deadline; ++end) {
      const auto t = static_cast<std::uint32_t>(end);
      const Slot slot{
          price[t], static_cast<std::uint32_t>((t * 2654435761ULL + turn * 40503ULL) & 0xffff), t};
      order.insert(std::upper_bound(order.begin(), order.end(), slot), slot);
    }
    visit(window, order);
  }
}

void PriceTable::evaluate(const std::vector<double>& price, std::uint64_t turn, int threads) {
  for_all(sites_, threads, [&](std::size_t s) {
    for_each_window(&price[s * slots_], turn, [&](const Window& window, const auto& order) {
      double sum = 0;
      std::int32_t taken = 0;
      for (std::uint32_t c = window.first; c < window.last; ++c) {
        for (; taken < class_slots_[c]; ++taken)
          sum += order[static_cast<std::size_t>(taken)].price;
        cost_[c * sites_ + s] = sum;
      }
    });
  });
  constexpr std::size_t kBlock = 1024;
  for_all((classes() + kBlock - 1) / kBlock, threads, [&](std::size_t block) {
    for (std::size_t c = block * kBlock; c < std::min(classes(), (block + 1) * kBlock); ++c) {
      const double* row = cost(c);
      best_[c] = static_cast<std::uint32_t>(std::min_element(row, row + sites_) - row);
    }
  });
}

void PriceTable::spread(const std::vector<double>& price, std::uint64_t turn,
                        const std::vector<double>& power, std::vector<double>& load,
                        int threads) const {
  load.assign(sites_ * slots_, 0.0);
  for_all(sites_, threads, [&](std::size_t s) {
    double* const out = &load[s * slots_];
    for_each_window(&price[s * slots_], turn, [&](const Window& window, const auto& order) {
      double above = 0;  // power of classes that take more slots than the one in hand
      for (std::uint32_t c = window.last; c-- > window.first;) {
        above += power[c * sites_ + s];
        if (above == 0) continue;
        const std::int32_t from = c == window.first ? 0 : class_slots_[c - 1];
        for (std::int32_t i = from; i < class_slots_[c]; ++i)
          out[order[static_cast<std::size_t>(i)].slot] += above;
      }
    });
  });
}

}  // namespace carnot::plan
