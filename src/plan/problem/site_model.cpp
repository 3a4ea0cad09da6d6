// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/site_model.hpp"

#include <algorithm>

namespace carnot::plan {

SiteModel::SiteModel(const Problem& problem) : problem_(problem) {}

double SiteModel::width(std::size_t s, std::size_t t, std::size_t piece) const {
  const std::vector<FacilityKnee>& knees = terms(s).knees;
  const double most = problem_.sites[s].capacity_kw[t];
  const double from = piece == 0 ? 0.0 : knees[piece - 1].from_kw;
  const double to = piece == knees.size() ? most : std::min(most, knees[piece].from_kw);
  return std::max(0.0, to - from);
}

double SiteModel::slope(std::size_t s, std::size_t t, std::size_t piece) const {
  double slope = problem_.sites[s].pue[t];
  for (std::size_t k = 0; k < piece; ++k) slope += terms(s).knees[k].extra;
  return slope;
}

double SiteModel::facility(std::size_t s, std::size_t t, double it) const {
  double power = terms(s).idle_kw + problem_.sites[s].pue[t] * it;
  for (const FacilityKnee& knee : terms(s).knees)
    power += knee.extra * std::max(0.0, it - knee.from_kw);
  return power;
}

double SiteModel::grid_most(std::size_t s, std::size_t t) const {
  const double draws = facility(s, t, problem_.sites[s].capacity_kw[t]) +
                       (has_battery(s) ? terms(s).battery.charge_kw : 0.0);
  return std::min(problem_.sites[s].grid_limit_kw[t], draws);
}

}  // namespace carnot::plan
