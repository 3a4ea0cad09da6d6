// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The pricing problem of a price decomposition: power costs given prices in each site-slot, and
/// every job answers with what is cheapest for it alone. Two kernels: `ClassPricing` for contract
/// jobs by the million, which fall into classes, and `JobPricing` for jobs one by one, whatever
/// their terms are.

#include <vector>

namespace carnot::plan {

class Pricing {
 public:
  virtual ~Pricing() = default;

  /// Least cost of all jobs, EUR, each apart from the others. The same for any number of threads.
  /// \param price   [site x slots + slot], EUR per kWh of IT energy
  /// \param demand  overwritten: IT power that the jobs draw, kW, same order
  virtual double respond(const std::vector<double>& price, int threads,
                         std::vector<double>& demand) = 0;
};

}  // namespace carnot::plan
