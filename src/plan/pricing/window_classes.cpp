// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/window_classes.hpp"

#include <algorithm>

namespace carnot::plan {

namespace {

constexpr int kBits = 20;  // more than any release, deadline or number of slots needs
constexpr std::size_t kParts = 64;

std::uint64_t key_of(std::int32_t release, std::int32_t deadline, std::int32_t slots) {
  return (static_cast<std::uint64_t>(release) << (2 * kBits)) |
         (static_cast<std::uint64_t>(deadline) << kBits) | static_cast<std::uint64_t>(slots);
}

}  // namespace

WindowClasses::WindowClasses(const Problem& problem)
    : sites_(problem.sites.size()),
      slots_(static_cast<std::size_t>(problem.slots)),
      stride_(padded(sites_)) {
  const PlanJobs& jobs = problem.jobs;
  std::vector<std::uint64_t> keys;
  const std::size_t modes = jobs.size() == 0 ? 0 : jobs.mode_end(jobs.size() - 1);
  keys.reserve(modes);
  for (std::size_t j = 0; j < jobs.size(); ++j)
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      keys.push_back(key_of(jobs.release(j), jobs.deadline(j), jobs.mode(i).slots));
  std::vector<std::uint64_t> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  class_slots_.reserve(sorted.size());
  std::vector<std::uint32_t> window_of_class;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  for (std::uint32_t c = 0; c < sorted.size(); ++c) {
    const auto release = static_cast<std::int32_t>(sorted[c] >> (2 * kBits));
    const auto deadline = static_cast<std::int32_t>((sorted[c] >> kBits) & kMask);
    if (windows_.empty() || windows_.back().release != release ||
        windows_.back().deadline != deadline)
      windows_.push_back({release, deadline, c, c});
    windows_.back().last = c + 1;
    window_of_class.push_back(static_cast<std::uint32_t>(windows_.size() - 1));
    class_slots_.push_back(static_cast<std::int32_t>(sorted[c] & kMask));
  }
  class_of_mode_.reserve(modes);
  for (const std::uint64_t key : keys)
    class_of_mode_.push_back(static_cast<std::uint32_t>(
        std::lower_bound(sorted.begin(), sorted.end(), key) - sorted.begin()));
  window_jobs_.resize(windows_.size());
  window_of_job_.reserve(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    window_of_job_.push_back(window_of_class[class_of_mode_[jobs.mode_begin(j)]]);
    ++window_jobs_[window_of_job_.back()];
  }
}

std::vector<std::size_t> WindowClasses::parts(std::size_t parts, double per_job) const {
  const auto work = [&](std::size_t w) {
    const Window& x = windows_[w];
    return static_cast<double>(stride_ / kTile) * (class_slots_[x.last - 1] + x.last - x.first) +
           per_job * static_cast<double>(window_jobs_[w]);
  };
  double all = 0;
  for (std::size_t w = 0; w < windows_.size(); ++w) all += work(w);
  std::vector<std::size_t> out{0};
  double done = 0;
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    done += work(w);
    if (done * static_cast<double>(parts) >= all * static_cast<double>(out.size()))
      out.push_back(w + 1);
  }
  if (out.back() != windows_.size()) out.push_back(windows_.size());
  return out;
}

void WindowClasses::evaluate(const std::vector<double>& price, int threads) {
  std::vector<double> tiles;
  tile_prices(price, sites_, slots_, tiles);
  cost_.resize(classes() * stride_);
  const std::vector<std::size_t> part = parts(kParts);
  for_all(part.size() - 1, threads, [&](std::size_t p) {
    std::vector<double> scratch;
    for_each_release(windows_, part[p], part[p + 1], [&](std::size_t first, std::size_t last) {
      for (std::size_t tile = 0; tile < stride_ / kTile; ++tile) {
        RowRequest request;
        request.tile = &tiles[tile * slots_ * kTile];
        request.window = &windows_[first];
        request.windows = last - first;
        request.slots = class_slots_.data();
        request.cost = &cost_[windows_[first].first * stride_ + tile * kTile];
        request.stride = stride_;
        price_rows(request, scratch);
      }
    });
  });
}

}  // namespace carnot::plan
