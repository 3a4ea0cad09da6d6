// SPDX-License-Identifier: Apache-2.0
#include "plan/search/marginal_cost.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::plan {

namespace {

/// Columns of the cells, all from one cell on.
struct Columns {
  const double *load, *first, *most, *first_price, *second_price, *price, *middle, *slope;
};

[[gnu::always_inline]] inline double lesser(double a, double b) { return a < b ? a : b; }
[[gnu::always_inline]] inline double greater(double a, double b) { return a > b ? a : b; }

// Without branches, so that compilers take several cells at once.
[[gnu::always_inline]] inline double cost_of(const Columns& x, std::size_t i, double power,
                                             double trust, double lean) {
  const double load = x.load[i], after = load + power;
  const double low = lesser(after, x.first[i]) - lesser(load, x.first[i]);
  const double shift = (load + 0.5 * power - x.middle[i]) * x.slope[i];
  const double wanted = x.price[i] * (1.0 + greater(lesser(shift, lean), -lean));
  const double first = x.first_price[i] + trust * greater(wanted - x.first_price[i], 0.0);
  const double second = x.second_price[i] + trust * greater(wanted - x.second_price[i], 0.0);
  const double cost = low * first + (power - low) * second;
  return after > x.most[i] ? kInfinity : cost;
}

constexpr double kLean = 0.03, kFirstWidth = 0.05, kLastWidth = 0.005;  // of the sweeps' views

}  // namespace

CostView sweep_view(double done) {
  return {.trust = 1.0 - done * done * done,
          .lean = kLean,
          .width = kFirstWidth * std::pow(kLastWidth / kFirstWidth, done)};
}

CellCosts::CellCosts(const std::vector<Supply>& supply, const std::vector<double>& price)
    : price_(price), load_(supply.size()), middle_(supply.size()), slope_(supply.size()) {
  for (const Supply& x : supply) {
    first_.push_back(x.first);
    most_.push_back(x.most);
    first_price_.push_back(x.first_price);
    second_price_.push_back(x.second_price);
  }
  if (std::none_of(supply.begin(), supply.end(), [](auto& x) { return !x.pieces.empty(); })) return;
  for (const Supply& x : supply) {
    start_.push_back(pieces_.size());
    x.each([&](double power, double at) { pieces_.push_back({power, at}); });
  }
  start_.push_back(pieces_.size());
}

void CellCosts::look(const CostView& view) {
  view_ = view;
  for (std::size_t i = 0; i < load_.size(); ++i) {
    // Where the price lies between two costs the cell is to be full of the cheaper; where it is
    // that of a cost, the cell may be anywhere.
    const double width = view.width * most_[i];
    double cheaper = price_[i] > second_price_[i] ? most_[i] : first_[i];
    bool clear = price_[i] == second_price_[i] || price_[i] <= first_price_[i] || width <= 0;
    if (!start_.empty()) {
      cheaper = 0;
      for (std::size_t n = start_[i]; n < start_[i + 1]; ++n) {
        if (pieces_[n].price < price_[i]) cheaper += pieces_[n].power;
        clear = clear || pieces_[n].price == price_[i];
      }
    }
    middle_[i] = cheaper - width;
    slope_[i] = clear ? 0.0 : view.lean / width;
  }
}

// As cost_of, over as many pieces as there are.
double CellCosts::marginal_in_pieces(std::size_t i, double power) const noexcept {
  const double load = load_[i];
  if (load + power > most_[i]) return kInfinity;
  const double shift = (load + 0.5 * power - middle_[i]) * slope_[i];
  const double wanted = price_[i] * (1.0 + std::clamp(shift, -view_.lean, view_.lean));
  double below = load, left = power, cost = 0;
  for (std::size_t n = start_[i]; n < start_[i + 1] && left > 0; ++n) {
    const SupplyPiece& x = pieces_[n];
    const double taken = std::min(left, std::max(x.power - below, 0.0));
    cost += taken * (x.price + view_.trust * std::max(wanted - x.price, 0.0));
    left -= taken;
    below = std::max(below - x.power, 0.0);
  }
  return cost;
}

double CellCosts::marginal(std::size_t cell, double power) const noexcept {
  if (!start_.empty()) return marginal_in_pieces(cell, power);
  const Columns all{load_.data(),         first_.data(), most_.data(),   first_price_.data(),
                    second_price_.data(), price_.data(), middle_.data(), slope_.data()};
  return cost_of(all, cell, power, view_.trust, view_.lean);
}

void CellCosts::marginals(std::size_t from, std::size_t count, double power, double* out) const {
  if (!start_.empty()) {
    for (std::size_t i = 0; i < count; ++i) out[i] = marginal_in_pieces(from + i, power);
    return;
  }
  const Columns x{&load_[from],         &first_[from], &most_[from],   &first_price_[from],
                  &second_price_[from], &price_[from], &middle_[from], &slope_[from]};
  const double trust = view_.trust, lean = view_.lean;
  double* __restrict to = out;
  for (std::size_t i = 0; i < count; ++i) to[i] = cost_of(x, i, power, trust, lean);
}

void CellCosts::prices(double little, std::vector<double>& out) const {
  out.resize(load_.size());
  if (!out.empty()) marginals(0, out.size(), little, out.data());
  for (double& x : out) x /= little;
}

double CellCosts::total() const {
  Sum<double> sum;
  for (std::size_t i = 0; i < load_.size(); ++i) {
    if (!start_.empty()) {
      double left = load_[i];
      for (std::size_t n = start_[i]; n < start_[i + 1]; ++n) {
        sum += pieces_[n].price * lesser(left, pieces_[n].power);
        left -= lesser(left, pieces_[n].power);
      }
      continue;
    }
    const double low = lesser(load_[i], first_[i]);
    sum += first_price_[i] * low + second_price_[i] * (load_[i] - low);
  }
  return sum.value();
}

}  // namespace carnot::plan
