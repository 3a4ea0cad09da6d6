// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pricing of contract jobs: what all of them do when power costs given prices, in one pass over
/// the windows: a window's classes are priced at every site, its jobs choose, and what they draw is
/// laid on its cheapest slots while all of it is still in the cache. Jobs are packed in the order
/// of windows for that.

#include <cstdint>
#include <vector>

#include "plan/pricing/pricing.hpp"
#include "plan/pricing/window_classes.hpp"

namespace carnot::plan {

class ClassPricing final : public Pricing {
 public:
  /// Both are kept by reference.
  /// \param parts  that threads can take, each with loads of its own
  ClassPricing(const Problem& problem, const WindowClasses& table, std::size_t parts = 32);

  /// Least cost of all jobs, EUR: sum_j min(value, min over s, m of q + move + p h (k smallest)).
  /// \param price   [site x slots + slot], EUR per kWh
  /// \param demand  overwritten: IT power that they draw, kW, same order; slots of equal price at
  ///                the margin of a job share what is left to it
  double respond(const std::vector<double>& price, int threads,
                 std::vector<double>& demand) override;

 private:
  struct Job {
    double value, move;  // move: flat cost away from the origin
    std::uint32_t origin, job;
    std::uint64_t mode;  // its first in modes_; the next job's is its end
  };
  struct Mode {
    double weight, quality;  // weight: kWh a slot
    std::uint32_t klass;
  };
  /// The classes of a run of windows at every site, from class `base` on.
  struct Rows {
    std::uint32_t base = 0;
    std::vector<double> cost, threshold, power;                  // [class - base][site]
    std::vector<std::uint32_t> cheapest;                         // [class - base]: site
    std::vector<std::pair<std::uint32_t, std::uint32_t>> drawn;  // (class - base, site) with power
    std::vector<double> scratch;
  };
  /// What a part of the windows adds up to: loads of slots [from, to) at every site.
  struct Part {
    double cost = 0;
    std::size_t from = 0, to = 0;
    std::vector<double> load;  // [site x (to - from) + slot - from], kWh
    Rows rows;
  };

  void part(std::size_t p, const std::vector<double>& price, Part& out) const;
  double choose(const Window& window, std::size_t w, Rows& rows) const;

  const Problem& problem_;
  const WindowClasses& table_;
  std::size_t stride_;
  std::vector<Job> jobs_;
  std::vector<Mode> modes_;
  std::vector<std::size_t> window_start_;  // [window], into jobs_
  std::vector<std::size_t> parts_;
  std::vector<double> tiles_;
  std::vector<Part> answers_;
};

}  // namespace carnot::plan
