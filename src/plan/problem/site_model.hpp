// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A problem's sites in the shape that planners want: nothing optional is left. Powers in kW.

#include <cstddef>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan {

class SiteModel {
 public:
  explicit SiteModel(const Problem& problem);

  const Problem& problem() const noexcept { return problem_; }
  std::size_t sites() const noexcept { return problem_.sites.size(); }
  std::size_t slots() const noexcept { return static_cast<std::size_t>(problem_.slots); }
  double h() const noexcept { return problem_.slot_h(); }
  const SiteTerms& terms(std::size_t s) const noexcept {
    return problem_.site_terms.empty() ? none_ : problem_.site_terms[s];
  }
  bool has_battery(std::size_t s) const noexcept { return terms(s).battery.capacity_kwh > 0; }
  bool has_reserve(std::size_t s) const noexcept {
    return !terms(s).committed_kw.empty() || !terms(s).offer_kw.empty();
  }
  /// Slots of a call; at least 1.
  std::size_t hold() const noexcept {
    return static_cast<std::size_t>(problem_.reserve.hold_slots);
  }

  double base(std::size_t s, std::size_t t) const { return at(terms(s).base_kw, t); }
  double export_limit(std::size_t s, std::size_t t) const { return at(terms(s).export_kw, t); }
  double export_price(std::size_t s, std::size_t t) const {
    return at(terms(s).export_eur_per_kwh, t);
  }
  double committed(std::size_t s, std::size_t t) const { return at(terms(s).committed_kw, t); }
  double offer(std::size_t s, std::size_t t) const { return at(terms(s).offer_kw, t); }
  double offer_price(std::size_t s, std::size_t t) const {
    return at(terms(s).offer_eur_per_kw, t);
  }
  /// EUR per kWh of IT energy, without the power it draws.
  double it_cost(std::size_t s) const {
    return terms(s).it_eur_per_kwh + 1e-6 * problem_.carbon_price_eur_per_t * terms(s).it_g_per_kwh;
  }

  /// Straight pieces of facility power over IT power, from zero up.
  std::size_t pieces(std::size_t s) const { return terms(s).knees.size() + 1; }
  double width(std::size_t s, std::size_t t, std::size_t piece) const;
  double slope(std::size_t s, std::size_t t, std::size_t piece) const;
  double facility(std::size_t s, std::size_t t, double it) const;
  /// Greatest grid power that any plan can draw.
  double grid_most(std::size_t s, std::size_t t) const;

 private:
  static double at(const std::vector<double>& series, std::size_t t) {
    return series.empty() ? 0.0 : series[t];
  }

  const Problem& problem_;
  SiteTerms none_;
};

}  // namespace carnot::plan
