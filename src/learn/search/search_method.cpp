// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/search/search_method.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/learn/search/gaussian_process.hpp"

namespace carnot::learn {

namespace {

using Point = std::vector<double>;

constexpr std::size_t kMostPromotions = 3;
constexpr double kFirstStep = 0.15;      // times the root of the dimensions
constexpr double kLastStep = 0.2;        // of the first, where a rung has converged
constexpr double kGrowth = 1.5;          // of the step after a gain
constexpr std::size_t kMostInVain = 8;   // trials without a finite loss on a rung
constexpr std::size_t kMostOnRung = 24;  // trials, but of the last one
constexpr std::size_t kMostGrid = 100;
constexpr std::size_t kRandomFirst = 4;  // of bayes, with the corner
constexpr std::size_t kCandidates = 256, kNeighbours = 64;
constexpr double kNeighbourhood = 0.1;

double loss_of(double told) { return std::isfinite(told) ? told : kInfinity; }

Point random_point(const RandomStream& random, std::size_t dimensions) {
  Point out(dimensions);
  for (std::size_t i = 0; i < dimensions; ++i) out[i] = random.uniform(i);
  return out;
}

struct Tried {
  Point at;
  double loss;
};

/// Direct search on rung after rung: see the header.
class Frugal final : public SearchMethod {
 public:
  explicit Frugal(const SearchMethodOptions& o)
      : random_(o.seed, "frugal search"),
        eta_(o.eta),
        shares_(halving_shares(o.eta, o.least_share)),
        dimensions_(o.start.size()),
        first_step_(kFirstStep * std::sqrt(static_cast<double>(o.start.size()))),
        step_(first_step_) {
    waiting_.push_back({o.start, shares_.front(), "start"});
  }

  std::optional<SearchProposal> next() override {
    if (waiting_.empty()) propose();
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front();
  }

  void tell(const SearchProposal& tried, double told, double) override {
    const double loss = loss_of(told);
    rung_tried_.push_back({tried.at, loss});
    waiting_.pop_front();
    const bool better = loss < incumbent_.loss;
    if (better) incumbent_ = {tried.at, loss};
    if (tried.why != "+" && tried.why != "-") return;
    if (better) {
      failures_ = 0;
      waiting_.clear();
      step_ = std::min(kGrowth * step_, first_step_);
      return;
    }
    if (++failures_ < incumbent_.at.size()) return;
    failures_ = 0;
    step_ *= 0.5;
  }

 private:
  void propose() {
    if (incumbent_.at.empty()) {  // not one trial came to anything yet
      if (rung_tried_.size() < kMostInVain)
        waiting_.push_back({random_point(random_.child(~rung_tried_.size()), dimensions_),
                            shares_[rung_], "random"});
      return;
    }
    const bool few_rows = rung_ + 1 < shares_.size();
    if (step_ < kLastStep * first_step_ || (few_rows && rung_tried_.size() >= kMostOnRung)) {
      promote();
      return;
    }
    const std::size_t d = incumbent_.at.size();
    const RandomStream draw = random_.child(directions_++);
    Point direction(d);
    double length = 0.0;
    for (std::size_t i = 0; i < d; ++i) {
      direction[i] = draw.normal(i);
      length += direction[i] * direction[i];
    }
    length = std::max(std::sqrt(length), 1e-12);
    for (const double sign : {1.0, -1.0}) {
      Point at = incumbent_.at;
      for (std::size_t i = 0; i < d; ++i)
        at[i] = std::clamp(at[i] + sign * step_ * direction[i] / length, 0.0, 1.0);
      waiting_.push_back({std::move(at), shares_[rung_], sign > 0.0 ? "+" : "-"});
    }
  }

  void promote() {
    if (rung_ + 1 == shares_.size()) return;
    ++rung_;
    std::stable_sort(rung_tried_.begin(), rung_tried_.end(),
                     [](const Tried& a, const Tried& b) { return a.loss < b.loss; });
    const std::size_t on = halving_promotions(rung_tried_.size(), eta_);
    for (std::size_t i = 0; i < on; ++i)
      if (std::isfinite(rung_tried_[i].loss))
        waiting_.push_back({rung_tried_[i].at, shares_[rung_], "promoted"});
    rung_tried_.clear();
    incumbent_ = {{}, kInfinity};  // losses on other rows do not compare
    step_ = 0.5 * first_step_;
    failures_ = 0;
  }

  RandomStream random_;
  double eta_;
  std::vector<double> shares_;
  std::size_t dimensions_, rung_ = 0, failures_ = 0;
  std::uint64_t directions_ = 0;
  double first_step_, step_;
  Tried incumbent_{{}, kInfinity};
  std::vector<Tried> rung_tried_;
  std::deque<SearchProposal> waiting_;
};

class Bayes final : public SearchMethod {
 public:
  explicit Bayes(const SearchMethodOptions& o) : options_(o), random_(o.seed, "bayes search") {}

  std::optional<SearchProposal> next() override {
    if (asked_ >= options_.iterations) return std::nullopt;
    const RandomStream draw = random_.child(asked_);
    if (asked_ == 0) return SearchProposal{options_.start, 1.0, "start"};
    if (asked_ < kRandomFirst || points_.size() < 2)
      return SearchProposal{random_point(draw, options_.start.size()), 1.0, "random"};
    return SearchProposal{most_promising(draw), 1.0, "improvement a joule"};
  }

  void tell(const SearchProposal& tried, double loss, double joules) override {
    ++asked_;
    if (!std::isfinite(loss) || !(joules > 0.0)) return;
    points_.push_back(tried.at);
    losses_.push_back(loss);
    joules_.push_back(std::log(joules));
  }

 private:
  Point most_promising(const RandomStream& draw) const {
    const GaussianProcess loss(points_, losses_), joules(points_, joules_);
    const auto best_at = static_cast<std::size_t>(std::min_element(losses_.begin(), losses_.end()) -
                                                  losses_.begin());
    const double best = losses_[best_at];
    const std::size_t d = options_.start.size();
    Point chosen;
    double greatest = -1.0;
    for (std::size_t i = 0; i < kCandidates + kNeighbours; ++i) {
      const RandomStream one = draw.child(i);
      Point at = random_point(one, d);
      if (i >= kCandidates)
        for (std::size_t k = 0; k < d; ++k)
          at[k] = std::clamp(points_[best_at][k] + kNeighbourhood * one.normal(k), 0.0, 1.0);
      const double gain = expected_improvement(loss.at(at), best) / std::exp(joules.at(at).mean);
      if (gain > greatest) {
        greatest = gain;
        chosen = std::move(at);
      }
    }
    return chosen;
  }

  SearchMethodOptions options_;
  RandomStream random_;
  std::size_t asked_ = 0;
  std::vector<Point> points_;
  std::vector<double> losses_, joules_;
};

class Random final : public SearchMethod {
 public:
  explicit Random(const SearchMethodOptions& o)
      : random_(o.seed, "random search"), dimensions_(o.start.size()), most_(o.iterations) {}
  std::optional<SearchProposal> next() override {
    if (asked_ >= most_) return std::nullopt;
    return SearchProposal{random_point(random_.child(asked_), dimensions_), 1.0, "random"};
  }
  void tell(const SearchProposal&, double, double) override { ++asked_; }

 private:
  RandomStream random_;
  std::size_t dimensions_, most_, asked_ = 0;
};

class Grid final : public SearchMethod {
 public:
  explicit Grid(const SearchMethodOptions& o) : dimensions_(o.start.size()) {
    const auto cells = [&] { return std::pow(static_cast<double>(levels_ + 1), dimensions_); };
    while (cells() <= static_cast<double>(kMostGrid)) ++levels_;
    std::size_t all = 1;
    for (std::size_t i = 0; i < dimensions_; ++i) all *= levels_;
    for (std::size_t i = 0; i < all; ++i) order_.push_back(i);
    const RandomStream random(o.seed, "grid search");
    shuffle(order_, random);
    order_.resize(std::min(all, o.iterations));
  }
  std::optional<SearchProposal> next() override {
    if (asked_ >= order_.size()) return std::nullopt;
    Point at(dimensions_);
    std::size_t cell = order_[asked_];
    for (double& u : at) {
      u = (static_cast<double>(cell % levels_) + 0.5) / static_cast<double>(levels_);
      cell /= levels_;
    }
    return SearchProposal{std::move(at), 1.0, "grid"};
  }
  void tell(const SearchProposal&, double, double) override { ++asked_; }

 private:
  std::size_t dimensions_, levels_ = 2, asked_ = 0;
  std::vector<std::size_t> order_;
};

}  // namespace

const std::vector<std::string>& search_method_names() {
  static const std::vector<std::string> names = {"frugal", "bayes", "random", "grid"};
  return names;
}

std::unique_ptr<SearchMethod> make_search_method(std::string_view name,
                                                 const SearchMethodOptions& options) {
  Problems problems;
  if (options.start.empty() || options.start.size() > 6)
    problems.add({}, "knobs", "1 to 6 that are searched");
  if (options.iterations < 1) problems.add({}, "iterations", "1 or more");
  problems.throw_if_any();
  if (name == "frugal") return std::make_unique<Frugal>(options);
  if (name == "bayes") return std::make_unique<Bayes>(options);
  if (name == "random") return std::make_unique<Random>(options);
  if (name == "grid") return std::make_unique<Grid>(options);
  throw InputError(describe(
      {}, "method", fmt::format("{}, found `{}`", fmt::join(search_method_names(), ", "), name)));
}

std::vector<double> halving_shares(double eta, double least) {
  if (!(eta > 1.0) || !std::isfinite(eta) || !(least > 0.0 && least <= 1.0))
    throw InputError(describe({}, "halving", "a factor above 1, a least share in (0, 1]"));
  std::vector<double> shares = {1.0};
  while (shares.back() / eta >= least * (1.0 - 1e-12)) shares.push_back(shares.back() / eta);
  std::reverse(shares.begin(), shares.end());
  return shares;
}

std::size_t halving_promotions(std::size_t n, double eta) noexcept {
  const auto on = static_cast<std::size_t>(static_cast<double>(n) / eta);
  return std::clamp<std::size_t>(on, 1, kMostPromotions);
}

}  // namespace carnot::learn
