// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For the certificate: what prices on whole jobs prove (`PackingPrice`). To the bound of
/// plan/certificate/certificate.hpp each adds its price times F(p / d) to what a job of p kW pays
/// in the site-slot, and takes from the sum what its row allows; what is drawn beyond the limit
/// earns the site price / (d (1 - f)) a kW. No plan breaks the row, so the bound stays one.

#include <string>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// What is wrong with a plan's packing prices; empty: nothing.
std::string unusable_packing(const Problem& problem, const Plan& plan);

class PackingTerms {
 public:
  /// \pre nothing is wrong with the plan's packing prices
  PackingTerms(const Problem& problem, const Plan& plan);

  /// Least that a job costs. \pre it has no terms
  double job(std::size_t j) const;
  /// Least that a site-slot costs.
  double cell(std::size_t s, std::size_t t) const;
  /// EUR that the rows allow for; to be taken from the sum.
  double allowed() const;

 private:
  struct Row {
    double divisor, most, rest, price;
    bool knee;
  };
  static double share(const Row& row, double power_kw);

  const Problem& problem_;
  const Plan& plan_;
  std::size_t slots_;
  std::vector<std::vector<Row>> rows_;  // [site x slots + slot]
};

}  // namespace carnot::plan
