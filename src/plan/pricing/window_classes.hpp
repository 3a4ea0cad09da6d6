// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Jobs collapse to classes (release, deadline, slots): given prices, the k cheapest slots of a
/// window cost the same per kW for every job of the class. A million jobs over 168 slots have some
/// 30 thousand classes, priced once a site.

#include <cstdint>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

#include "plan/pricing/k_smallest.hpp"

namespace carnot::plan {

class WindowClasses {
 public:
  explicit WindowClasses(const Problem& problem);

  std::size_t classes() const noexcept { return class_slots_.size(); }
  std::size_t sites() const noexcept { return sites_; }
  std::size_t slots() const noexcept { return slots_; }
  std::uint32_t class_of(std::size_t mode) const noexcept { return class_of_mode_[mode]; }
  /// Ascending in (release, deadline); together they hold every class once, in order.
  const std::vector<Window>& windows() const noexcept { return windows_; }
  /// k of each class.
  const std::vector<std::int32_t>& class_slots() const noexcept { return class_slots_; }
  /// Windows cut into at most `parts` runs of about equal work, [part] ... [part + 1].
  /// \param per_job  work of a job, where pricing one class at eight sites is 1
  std::vector<std::size_t> parts(std::size_t parts, double per_job = 0) const;
  std::size_t jobs_in(std::size_t window) const noexcept { return window_jobs_[window]; }
  std::uint32_t window_of(std::size_t job) const noexcept { return window_of_job_[job]; }

  /// Prices every class at every site: the sum of the k smallest prices of its window.
  /// \param price  [site x slots + slot]
  void evaluate(const std::vector<double>& price, int threads);
  /// [site], EUR per kW and hour of a slot.
  const double* cost(std::size_t klass) const noexcept { return &cost_[klass * stride_]; }

 private:
  std::size_t sites_, slots_, stride_;
  std::vector<Window> windows_;
  std::vector<std::size_t> window_jobs_;
  std::vector<std::int32_t> class_slots_;
  std::vector<std::uint32_t> class_of_mode_, window_of_job_;
  std::vector<double> cost_;
};

/// Visits the runs of windows that begin together among [from, to): visit(first, last).
template <class Visit>
void for_each_release(const std::vector<Window>& windows, std::size_t from, std::size_t to,
                      Visit&& visit) {
  while (from < to) {
    std::size_t last = from + 1;
    while (last < to && windows[last].release == windows[from].release) ++last;
    visit(from, last);
    from = last;
  }
}

/// Runs body(i) for i in [0, n) on `threads` threads; body(i) must not depend on the order.
template <class Body>
void for_all(std::size_t n, int threads, Body&& body);

}  // namespace carnot::plan

#include <atomic>
#include <thread>

namespace carnot::plan {

template <class Body>
void for_all(std::size_t n, int threads, Body&& body) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < n; i = next++) body(i);
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
}

}  // namespace carnot::plan
