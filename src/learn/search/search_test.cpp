// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/search/gaussian_process.hpp"
#include "carnot/learn/search/search_method.hpp"
#include "carnot/learn/search/search_space.hpp"

namespace carnot::learn {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Point = std::vector<double>;

/// A bowl whose bottom is known, dearer away from the cheap corner, as sizes of learners are.
struct Bowl {
  Point bottom;
  double loss(const Point& at) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < at.size(); ++i) sum += (at[i] - bottom[i]) * (at[i] - bottom[i]);
    return sum;
  }
  static double joules(const Point& at) {
    return std::exp(3.0 * std::accumulate(at.begin(), at.end(), 0.0));
  }
};

struct Walked {
  double loss = kInfinity, joules = 0.0;
  std::size_t trials = 0;
  Point at;
  std::vector<SearchProposal> all;
};

Walked walk(const char* name, const SearchMethodOptions& options, const Bowl& bowl,
            double limit = kInfinity) {
  const auto method = make_search_method(name, options);
  Walked out;
  while (const auto proposal = method->next()) {
    if (out.joules >= limit || out.trials > 5000) break;
    const double loss = bowl.loss(proposal->at);
    const double joules = proposal->share * Bowl::joules(proposal->at);
    out.joules += joules;
    ++out.trials;
    out.all.push_back(*proposal);
    if (proposal->share >= 1.0 && loss < out.loss) {
      out.loss = loss;
      out.at = proposal->at;
    }
    method->tell(*proposal, loss, joules);
  }
  return out;
}

SearchMethodOptions options_of(std::size_t dimensions, std::uint64_t seed = 1) {
  SearchMethodOptions o;
  o.start.assign(dimensions, 0.0);
  o.seed = seed;
  return o;
}

TEST(SearchMethod, FrugalEndsNearTheKnownBottomForAFewOfTheRandomJoules) {
  const Bowl bowl{{0.3, 0.2, 0.6}};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Walked frugal = walk("frugal", options_of(3, seed), bowl);
    const Walked random = walk("random", options_of(3, seed), bowl);
    EXPECT_LT(frugal.loss, 0.01) << seed;  // within 0.1 of it
    EXPECT_EQ(random.trials, 50u);
    EXPECT_LT(frugal.joules, random.joules) << seed;
    EXPECT_LT(frugal.trials, 300u);
  }
}

TEST(SearchMethod, BayesComesNearerThanRandomInAsManyTrials) {
  const Bowl bowl{{0.3, 0.2}};
  SearchMethodOptions o = options_of(2);
  o.iterations = 25;
  int nearer = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    o.seed = seed;
    const Walked bayes = walk("bayes", o, bowl);
    EXPECT_EQ(bayes.trials, 25u);
    EXPECT_LT(bayes.loss, 0.02) << seed;
    nearer += bayes.loss < walk("random", o, bowl).loss ? 1 : 0;
  }
  EXPECT_GE(nearer, 4);
}

TEST(SearchMethod, GridVisitsEachCellOnce) {
  SearchMethodOptions o = options_of(2);
  o.iterations = 1000;
  const Walked grid = walk("grid", o, {{0.5, 0.5}});
  EXPECT_EQ(grid.trials, 100u);  // 10 x 10 is the most of at most 100
  std::vector<int> seen(100, 0);
  for (const SearchProposal& p : grid.all)
    ++seen[static_cast<std::size_t>(p.at[0] * 10) + 10 * static_cast<std::size_t>(p.at[1] * 10)];
  EXPECT_THAT(seen, ::testing::Each(1));
}

TEST(SearchMethod, HalvingIsTheHandWorkedOne) {
  EXPECT_THAT(halving_shares(4.0, 1.0 / 16), ElementsAre(1.0 / 16, 1.0 / 4, 1.0));
  EXPECT_THAT(halving_shares(3.0, 0.1), ElementsAre(DoubleEq(1.0 / 9), DoubleEq(1.0 / 3), 1.0));
  EXPECT_THAT(halving_shares(2.0, 0.6), ElementsAre(1.0));
  EXPECT_EQ(halving_promotions(1, 4.0), 1u);
  EXPECT_EQ(halving_promotions(8, 4.0), 2u);
  EXPECT_EQ(halving_promotions(100, 4.0), 3u);
  EXPECT_THROW(halving_shares(1.0, 0.5), InputError);
  EXPECT_THROW(halving_shares(2.0, 0.0), InputError);
}

TEST(SearchMethod, FrugalPromotesTheBestFewOfARungAndNoOthers) {
  const Bowl bowl{{0.4, 0.7}};
  const Walked w = walk("frugal", options_of(2), bowl);
  std::vector<double> rung, before;  // losses of this rung, and of the one before, rising
  double share = w.all.front().share;
  std::size_t promoted = 0, promotions = 0;
  EXPECT_EQ(share, 1.0 / 16);
  for (const SearchProposal& p : w.all) {
    if (p.share > share) {
      EXPECT_DOUBLE_EQ(p.share, 4.0 * share);
      share = p.share;
      before = std::move(rung);
      rung.clear();
      std::sort(before.begin(), before.end());
      promoted = 0;
    }
    if (p.why == "promoted") {
      ASSERT_LT(promoted, halving_promotions(before.size(), 4.0));
      EXPECT_DOUBLE_EQ(bowl.loss(p.at), before[promoted++]);
      ++promotions;
    } else if (!before.empty()) {
      EXPECT_EQ(promoted, halving_promotions(before.size(), 4.0));
    }
    rung.push_back(bowl.loss(p.at));
  }
  EXPECT_GE(promotions, 2u);
  EXPECT_EQ(share, 1.0);
}

TEST(SearchMethod, SurvivesTrialsOfNoUse) {
  for (const std::string& name : search_method_names()) {
    const auto method = make_search_method(name, options_of(3));
    std::size_t trials = 0;
    while (const auto p = method->next()) {
      for (const double u : p->at) EXPECT_TRUE(u >= 0.0 && u <= 1.0);
      method->tell(*p, trials % 3 == 0 ? kNaN : kInfinity, 1.0);
      ASSERT_LT(++trials, 2000u) << name;
    }
  }
  EXPECT_THROW(make_search_method("luck", options_of(2)), InputError);
  EXPECT_THROW(make_search_method("bayes", options_of(0)), InputError);
}

RC_GTEST_PROP(SearchMethod, AsksTheSameOfTheSameSeed, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const std::string name = *rc::gen::elementOf(search_method_names());
  SearchMethodOptions o = options_of(2, seed);
  o.iterations = 6;
  const Bowl bowl{{0.2, 0.9}};
  const Walked a = walk(name.c_str(), o, bowl), b = walk(name.c_str(), o, bowl);
  RC_ASSERT(a.trials == b.trials);
  for (std::size_t i = 0; i < a.trials; ++i) RC_ASSERT(a.all[i].at == b.all[i].at);
}

/// K^-1 y by elimination with pivots, plain loops.
Point dense_solve(std::vector<Point> k, Point y) {
  const std::size_t n = y.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < n; ++r)
      if (std::abs(k[r][c]) > std::abs(k[pivot][c])) pivot = r;
    std::swap(k[c], k[pivot]);
    std::swap(y[c], y[pivot]);
    for (std::size_t r = c + 1; r < n; ++r) {
      const double f = k[r][c] / k[c][c];
      for (std::size_t j = c; j < n; ++j) k[r][j] -= f * k[c][j];
      y[r] -= f * y[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t j = c + 1; j < n; ++j) y[c] -= k[c][j] * y[j];
    y[c] /= k[c][c];
  }
  return y;
}

TEST(GaussianProcess, IsThePosteriorOfAPlainDenseSolve) {
  const RandomStream random(3, "gaussian process test");
  std::vector<Point> x;
  Point y;
  for (std::uint64_t i = 0; i < 14; ++i) {
    x.push_back({random.uniform(2 * i), random.uniform(2 * i + 1)});
    y.push_back(5.0 + std::sin(6.0 * x.back()[0]) + x.back()[1]);
  }
  const Point lengths = {0.3, 0.7};
  const double noise = 1e-3;
  const GaussianProcess process(x, y, lengths, noise);
  double centre = 0.0, spread = 0.0;
  for (const double v : y) centre += v / 14.0;
  for (const double v : y) spread += (v - centre) * (v - centre) / 13.0;
  spread = std::sqrt(spread);
  std::vector<Point> k(14, Point(14));
  Point standard(14);
  const auto kernel = [&](const Point& a, const Point& b) {  // written anew
    const double r = std::hypot((a[0] - b[0]) / 0.3, (a[1] - b[1]) / 0.7);
    return (1.0 + std::sqrt(5.0) * r + 5.0 * r * r / 3.0) * std::exp(-std::sqrt(5.0) * r);
  };
  for (std::size_t i = 0; i < 14; ++i) {
    standard[i] = (y[i] - centre) / spread;
    for (std::size_t j = 0; j < 14; ++j) k[i][j] = kernel(x[i], x[j]) + (i == j ? noise : 0.0);
  }
  for (std::uint64_t t = 0; t < 20; ++t) {
    const Point at = {random.uniform(100 + 2 * t), random.uniform(101 + 2 * t)};
    Point near(14);
    for (std::size_t i = 0; i < 14; ++i) near[i] = kernel(at, x[i]);
    const Point weights = dense_solve(k, standard), back = dense_solve(k, near);
    const double mean = std::inner_product(near.begin(), near.end(), weights.begin(), 0.0);
    const double known = std::inner_product(near.begin(), near.end(), back.begin(), 0.0);
    const GaussianMoments m = process.at(at);
    EXPECT_NEAR(m.mean, centre + spread * mean, 1e-8);
    EXPECT_NEAR(m.variance, spread * spread * (1.0 - known), 1e-8);
  }
}

TEST(GaussianProcess, FitsAtLeastAsLikelyAsItBeganAndForetells) {
  std::vector<Point> x;
  Point y;
  for (int i = 0; i <= 20; ++i) {
    x.push_back({i / 20.0, 0.5 * (i % 3)});
    y.push_back(std::sin(5.0 * i / 20.0));
  }
  const GaussianProcess fitted(x, y), begun(x, y, {0.8, 0.8}, 1e-2);
  EXPECT_GE(fitted.log_likelihood(), begun.log_likelihood());
  EXPECT_GT(fitted.lengths()[1], fitted.lengths()[0]);  // the second does not matter
  EXPECT_NEAR(fitted.at({0.525, 0.5}).mean, std::sin(5.0 * 0.525), 0.02);
  EXPECT_GT(GaussianProcess({{0.0}}, {1.0}).at({1.0}).variance, 0.0);
  EXPECT_THROW(GaussianProcess({}, {}), InputError);
  EXPECT_THROW(GaussianProcess({{0.0}}, {kNaN}), InputError);
}

TEST(GaussianProcess, ImprovementIsItsIntegral) {
  for (const GaussianMoments f : {GaussianMoments{0.0, 1.0}, {2.0, 0.25}, {-1.0, 4.0}}) {
    const double best = 0.5, s = std::sqrt(f.variance);
    double sum = 0.0;
    constexpr int kSteps = 400000;
    for (int i = 0; i < kSteps; ++i) {
      const double z = -10.0 + 20.0 * (i + 0.5) / kSteps;
      sum += std::max(0.0, best - (f.mean + s * z)) * std::exp(-0.5 * z * z);
    }
    sum *= 20.0 / kSteps / std::sqrt(2.0 * 3.14159265358979323846);
    EXPECT_THAT(expected_improvement(f, best), DoubleNear(sum, 1e-7));
  }
  EXPECT_EQ(expected_improvement({1.0, 0.0}, 3.0), 2.0);
  EXPECT_EQ(expected_improvement({4.0, 0.0}, 3.0), 0.0);
}

TEST(SearchSpace, MapsTheCubeOntoItsRanges) {
  const SearchKnob hidden{"hidden", SearchKnob::Scale::Logarithmic, 4, 256, true, {}, 0};
  EXPECT_EQ(hidden.value(0.0), 4.0);
  EXPECT_EQ(hidden.value(0.5), 32.0);
  EXPECT_EQ(hidden.value(1.0), 256.0);
  EXPECT_EQ(hidden.value(7.0), 256.0);
  const SearchKnob bits{"bits", SearchKnob::Scale::Choice, 0, 1, false, {8, 16, 32}, 0};
  EXPECT_EQ(bits.value(0.0), 8.0);
  EXPECT_EQ(bits.value(0.34), 16.0);
  EXPECT_EQ(bits.value(1.0), 32.0);
}

TEST(SearchSpace, KnowsEveryLearnerOfRowsAndRefusesOthers) {
  for (const char* model : {"mlp", "linear", "logistic", "softmax", "gbdt", "forest", "cnn"}) {
    const SearchSpace space = default_search_space(model, 0.3);
    EXPECT_GE(space.dimensions(), 4u);
    EXPECT_LE(space.dimensions(), 6u);
    for (const SearchKnob& k : space.knobs) EXPECT_LT(k.value(0.0), k.value(1.0)) << k.name;
  }
  const SearchSpace mlp = default_search_space("mlp", 0.3);
  EXPECT_NEAR(mlp.values(mlp.start())[3], 0.3, 0.001);  // the rate begins where its default is
  EXPECT_THROW(default_search_space("transformer", 0.3), InputError);
}

std::string refused(const char* text) {
  try {
    read_search_space(text, "space.toml", default_search_space("mlp", 0.3));
  } catch (const InputError& error) {
    return error.what();
  }
  return "(read)";
}

TEST(SearchSpace, ReadsRangesChoicesAndValues) {
  const SearchSpace s = read_search_space(
      "[hidden]\nlow = 8\nhigh = 16\nscale = \"linear\"\n[bits]\nchoices = [4, 8]\n"
      "[batch]\nvalue = 64\n",
      "space.toml", default_search_space("mlp", 0.3));
  EXPECT_EQ(s.values({0.5, 0.0, 0.9, 0.5, 0.9}),
            (Point{12.0, 1.0, 64.0, s.knobs[3].value(0.5), 8.0}));
  EXPECT_THAT(s.text({12, 1, 64, 0.25, 8}), HasSubstr("hidden 12, epochs 1, batch 64"));
}

TEST(SearchSpace, SaysWhereAFileIsWrong) {
  EXPECT_THAT(refused("[width]\nlow = 1\n"), HasSubstr("space.toml:1: width: a knob"));
  EXPECT_THAT(refused("[hidden]\nlow = 0\nhigh = 9\n"), HasSubstr("space.toml:2: hidden: a whole"));
  EXPECT_THAT(refused("[hidden]\nlow = 9\nhigh = 2\n"), HasSubstr("low below high"));
  EXPECT_THAT(refused("[hidden]\nlow = 2.5\nhigh = 9\n"), HasSubstr("whole"));
  EXPECT_THAT(refused("[hidden]\nlow = 2\nchoices = [3]\n"), HasSubstr("one of them"));
  EXPECT_THAT(refused("[bits]\nlow = 2\n"), HasSubstr("choices or a value"));
  EXPECT_THAT(refused("[bits]\nchoices = []\n"), HasSubstr("a list of numbers"));
  EXPECT_THAT(refused("[bits]\nchoices = [\"x\"]\n"), HasSubstr("space.toml:2: bits"));
  EXPECT_THAT(refused("hidden = 3\n"), HasSubstr("a table"));
  EXPECT_THAT(refused("[hidden]\nlow = 3\nscale = \"cubic\"\n"), HasSubstr("log or linear"));
  EXPECT_THAT(refused("[hidden"), HasSubstr("not TOML"));
}

}  // namespace
}  // namespace carnot::learn
