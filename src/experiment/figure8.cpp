// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/figure8.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/statistics.hpp"
#include "carnot/learn/codes/entropy.hpp"
#include "carnot/learn/knobs/codebook.hpp"

namespace carnot::experiment {

namespace {

constexpr int kSteps = 2000;
/// Levels of the inputs made here; 2 levels are 1 bit, 16,383 are 14.
constexpr int kLevels[] = {2, 3, 4, 5, 7, 9, 15, 31, 63, 127, 1023, 16383};

/// Rows of features and the number to predict.
struct Rows {
  std::size_t columns = 0;
  std::vector<float> x;  ///< [rows x columns]
  std::vector<float> y;
  std::size_t rows() const { return y.size(); }
};
struct Halves {
  Rows train, test;
};

std::vector<float> column(const Rows& rows, std::size_t c) {
  std::vector<float> out(rows.rows());
  for (std::size_t r = 0; r < rows.rows(); ++r) out[r] = rows.x[r * rows.columns + c];
  return out;
}

/// m equally likely, equally spaced levels from -1 to 1.
Halves made_here(int levels, const Figure8Options& o, std::uint64_t seed) {
  const RandomStream stream =
      RandomStream(seed, "figure8").child(static_cast<std::uint64_t>(levels));
  std::vector<double> w(o.features);
  std::uint64_t draw = 0;
  double power = 0.0;
  const double spread = (levels + 1.0) / (3.0 * (levels - 1.0));  // variance of the levels
  for (double& coefficient : w) {
    coefficient = stream.normal(draw++);
    power += coefficient * coefficient * spread;
  }
  const double noise = o.noise * std::sqrt(power);
  const auto make = [&] {
    Rows rows;
    rows.columns = o.features;
    for (std::size_t r = 0; r < o.rows; ++r) {
      double y = 0.0;
      for (std::size_t c = 0; c < o.features; ++c) {
        const auto level = stream.below(draw++, static_cast<std::uint64_t>(levels));
        const double x = 2.0 * static_cast<double>(level) / (levels - 1.0) - 1.0;
        rows.x.push_back(static_cast<float>(x));
        y += w[c] * x;
      }
      rows.y.push_back(static_cast<float>(y + noise * stream.normal(draw++)));
    }
    return rows;
  };
  Halves halves;
  halves.train = make();
  halves.test = make();
  return halves;
}

Halves from_table(const learn::Split& split, std::size_t most, const std::string& file) {
  if (!split.train.is_regression())
    throw InputError(describe({file, 0}, "label", "a number to predict; this one has classes"));
  const auto part = [&](const learn::Dataset& data) {
    Rows rows;
    rows.columns = data.columns;
    const std::size_t count = std::min(most, data.rows);
    rows.x.assign(data.features.begin(),
                  data.features.begin() + static_cast<std::ptrdiff_t>(count * data.columns));
    rows.y.assign(data.targets.begin(), data.targets.begin() + static_cast<std::ptrdiff_t>(count));
    return rows;
  };
  return {part(split.train), part(split.test)};
}

/// To one of the two grid points beside it, without bias; `draw` in [0, 1).
double rounded_at_random(double value, double step, double draw) {
  if (!(step > 0)) return value;
  return step * std::floor(value / step + draw);
}

double grid_step(double greatest, int bits) {
  return greatest / std::max(1.0, std::ldexp(1.0, bits - 1) - 1.0);
}

/// X'X / n and X'y / n with a constant last column: all that the gradient of squared errors on all
/// rows needs, so that a step costs columns^2 and not rows x columns.
struct Moments {
  std::size_t n = 0;       ///< columns, the constant one among them
  std::vector<double> xx;  ///< [n x n]
  std::vector<double> xy;  ///< [n]
};

Moments moments(const Rows& rows, const std::vector<double>& y) {
  Moments m;
  m.n = rows.columns + 1;
  m.xx.assign(m.n * m.n, 0.0);
  m.xy.assign(m.n, 0.0);
  std::vector<double> x(m.n, 1.0);
  const double share = 1.0 / static_cast<double>(rows.rows());
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    for (std::size_t c = 0; c < rows.columns; ++c)
      x[c] = static_cast<double>(rows.x[r * rows.columns + c]);
    for (std::size_t i = 0; i < m.n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) m.xx[i * m.n + j] += share * x[i] * x[j];
      m.xy[i] += share * x[i] * y[r];
    }
  }
  for (std::size_t i = 0; i < m.n; ++i)
    for (std::size_t j = i + 1; j < m.n; ++j) m.xx[i * m.n + j] = m.xx[j * m.n + i];
  return m;
}

/// Greatest eigenvalue of X'X / n, by power iteration: the curvature that bounds the rate.
double curvature(const Moments& m) {
  std::vector<double> v(m.n, 1.0), next(m.n);
  double greatest = 1.0;
  for (int pass = 0; pass < 50; ++pass) {
    double norm = 0.0;
    for (std::size_t i = 0; i < m.n; ++i) {
      next[i] = 0.0;
      for (std::size_t j = 0; j < m.n; ++j) next[i] += m.xx[i * m.n + j] * v[j];
      norm += next[i] * next[i];
    }
    norm = std::sqrt(norm);
    if (!(norm > 0)) return 1.0;
    greatest = pass == 0 ? 1.0 : norm;
    for (std::size_t i = 0; i < m.n; ++i) v[i] = next[i] / norm;
  }
  return greatest;
}

/// Coefficients, the last of them constant. \param bits  0: nothing is rounded
std::vector<double> train(const Rows& rows, int bits, std::uint64_t seed) {
  const RandomStream stream =
      RandomStream(seed, "figure8 rounding").child(static_cast<std::uint64_t>(bits));
  std::vector<double> y(rows.y.begin(), rows.y.end());
  std::uint64_t draw = 0;
  if (bits > 0) {
    double greatest = 0.0;
    for (const double value : y) greatest = std::max(greatest, std::abs(value));
    for (double& value : y)
      value = rounded_at_random(value, grid_step(greatest, bits), stream.uniform(draw++));
  }
  const Moments m = moments(rows, y);
  std::vector<double> w(m.n, 0.0), mean(m.n, 0.0), g(m.n);
  const double rate = 1.0 / curvature(m);
  int averaged = 0;
  for (int step = 0; step < kSteps; ++step) {
    double most = 0.0;
    for (std::size_t i = 0; i < m.n; ++i) {
      g[i] = -m.xy[i];
      for (std::size_t j = 0; j < m.n; ++j) g[i] += m.xx[i * m.n + j] * w[j];
      most = std::max(most, std::abs(g[i]));
    }
    for (std::size_t i = 0; i < m.n; ++i)
      w[i] -=
          rate * (bits > 0 ? rounded_at_random(g[i], grid_step(most, bits), stream.uniform(draw++))
                           : g[i]);
    if (2 * step < kSteps) continue;
    ++averaged;
    for (std::size_t i = 0; i < m.n; ++i) mean[i] += (w[i] - mean[i]) / averaged;
  }
  return mean;
}

double error_of(const Rows& rows, const std::vector<double>& w) {
  double sum = 0.0;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    double error = w.back() - static_cast<double>(rows.y[r]);
    for (std::size_t c = 0; c < rows.columns; ++c)
      error += w[c] * static_cast<double>(rows.x[r * rows.columns + c]);
    sum += error * error;
  }
  return sum / static_cast<double>(rows.rows());
}

std::vector<learn::Codebook> quantisers(const Rows& rows, int bits, bool fitted) {
  std::vector<learn::Codebook> out;
  for (std::size_t c = 0; c < rows.columns; ++c) {
    const std::vector<float> values = column(rows, c);
    out.push_back(fitted ? learn::Codebook::fitted(values, bits)
                         : learn::Codebook::uniform(values, bits));
  }
  return out;
}

Rows rounded(Rows rows, const std::vector<learn::Codebook>& books) {
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (std::size_t c = 0; c < rows.columns; ++c) {
      float& x = rows.x[r * rows.columns + c];
      x = books[c].nearest(x);
    }
  return rows;
}

/// One seed of one input.
struct Trial {
  std::vector<double> grid, codebook;                    ///< ratios, [bits]
  std::vector<double> grid_foretold, codebook_foretold;  ///< the same without training, [bits]
};

/// What rounding alone foretells. The data's errors act through the coefficients; the labels' are
/// of mean square step^2 / 6 and reach a held-out row in the share of coefficients per training
/// row, as any noise of the labels does.
double foretold(const Rows& rows, const std::vector<double>& exact, double left_over,
                const std::vector<learn::Codebook>& books, int bits) {
  double harm = 0.0;
  for (std::size_t c = 0; c < rows.columns; ++c)
    harm += exact[c] * exact[c] * books[c].squared_error(column(rows, c));
  double greatest = 0.0;
  for (const float y : rows.y) greatest = std::max(greatest, std::abs(static_cast<double>(y)));
  const double step = grid_step(greatest, bits);
  harm += step * step / 6.0 * static_cast<double>(exact.size()) / static_cast<double>(rows.rows());
  return 1.0 + harm / left_over;
}

Trial trial(const Halves& halves, const Figure8Options& o, std::uint64_t seed) {
  Trial out;
  const std::vector<double> exact = train(halves.train, 0, seed);
  const double error = error_of(halves.test, exact);
  const double left_over = error_of(halves.train, exact);
  for (const int bits : o.bits)
    for (const bool fitted : {false, true}) {
      o.stop.throw_if_requested();
      const std::vector<learn::Codebook> books = quantisers(halves.train, bits, fitted);
      const std::vector<double> w = train(rounded(halves.train, books), bits, seed);
      (fitted ? out.codebook : out.grid)
          .push_back(error_of(rounded(halves.test, books), w) / error);
      (fitted ? out.codebook_foretold : out.grid_foretold)
          .push_back(foretold(halves.train, exact, left_over, books, bits));
    }
  return out;
}

std::vector<ErrorRatio> over_seeds(const std::vector<Trial>& trials, const std::vector<int>& bits,
                                   bool fitted) {
  std::vector<ErrorRatio> out;
  for (std::size_t b = 0; b < bits.size(); ++b) {
    std::vector<double> values;
    for (const Trial& t : trials) values.push_back((fitted ? t.codebook : t.grid)[b]);
    ErrorRatio ratio{bits[b], mean(values), 0.0, 0.0, 0.0};
    if (values.size() > 1)
      ratio.error = std::sqrt(sample_variance(values) / static_cast<double>(values.size()));
    ratio.least = *std::min_element(values.begin(), values.end());
    ratio.greatest = *std::max_element(values.begin(), values.end());
    out.push_back(ratio);
  }
  return out;
}

/// The fewest bits from which on every mean stays within the limit.
int needed(const std::vector<ErrorRatio>& ratios, double limit) {
  int bits = 0;
  for (auto r = ratios.rbegin(); r != ratios.rend() && r->mean <= limit; ++r) bits = r->bits;
  return bits;
}

/// The same of what was foretold, its mean over the seeds.
int foretold_need(const std::vector<Trial>& trials, const Figure8Options& o, bool fitted) {
  std::vector<ErrorRatio> means;
  for (std::size_t b = 0; b < o.bits.size(); ++b) {
    ErrorRatio ratio{o.bits[b], 0.0, 0.0, 0.0, 0.0};
    for (const Trial& t : trials)
      ratio.mean +=
          (fitted ? t.codebook_foretold : t.grid_foretold)[b] / static_cast<double>(trials.size());
    means.push_back(ratio);
  }
  return needed(means, o.limit);
}

void fill(Figure8Input& input, const std::vector<Trial>& trials, const Figure8Options& o) {
  input.grid = over_seeds(trials, o.bits, false);
  input.codebook = over_seeds(trials, o.bits, true);
  input.grid_needs = needed(input.grid, o.limit);
  input.codebook_needs = needed(input.codebook, o.limit);
  input.grid_predicted = foretold_need(trials, o, false);
  input.codebook_predicted = foretold_need(trials, o, true);
}

/// NaN where all need the same.
double rank_correlation(const std::vector<Figure8Input>& inputs, int Figure8Input::*needs) {
  std::vector<double> entropies, bits;
  for (const Figure8Input& input : inputs) {
    if (input.real) continue;
    entropies.push_back(input.entropy);
    bits.push_back(input.*needs > 0 ? input.*needs : 17);
  }
  const bool vary = std::any_of(bits.begin(), bits.end(), [&](double b) { return b != bits[0]; });
  return vary ? spearman(entropies, bits) : kNaN;
}

void check(const Figure8Options& o) {
  Problems problems;
  const auto need = [&](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(!o.bits.empty() && std::is_sorted(o.bits.begin(), o.bits.end()) &&
           std::adjacent_find(o.bits.begin(), o.bits.end()) == o.bits.end() &&
           o.bits.front() >= 2 && o.bits.back() <= 16,
       "bits", "rising numbers from 2 to 16");
  need(o.rows >= 100 && o.rows <= 1'000'000, "rows", "100 to a million");
  need(o.features >= 1 && o.features <= 256, "features", "1 to 256");
  need(o.noise > 0.0 && o.noise <= 10.0, "noise", "above 0, up to 10 times the signal");
  need(o.limit > 1.0 && o.limit <= 10.0, "limit", "a ratio above 1, such as 1.05");
  need(o.seeds >= 1 && o.seeds <= 1000, "seeds", "1 to 1000");
  problems.throw_if_any();
}

}  // namespace

Figure8Result run_figure8(const Figure8Options& o) {
  check(o);
  Figure8Result result;
  result.limit = o.limit;
  result.seed = o.seed;
  result.seeds = o.seeds;
  // Tables first: a file that cannot be read is told at once.
  for (const std::string& table : o.tables) {
    learn::DatasetOptions data;
    data.path = table;
    data.labels = o.label;
    data.data_dir = o.data_dir;
    data.task = "regression";
    Figure8Input input;
    input.name = table.substr(table.find_last_of('/') + 1);
    input.real = true;
    std::vector<Trial> trials;
    for (int s = 0; s < o.seeds; ++s) {
      data.seed = o.seed + static_cast<std::uint64_t>(s);
      const Halves halves = from_table(learn::load_split(data), o.rows, table);
      if (s == 0)
        for (std::size_t c = 0; c < halves.train.columns; ++c) {
          const auto share = 1.0 / static_cast<double>(halves.train.columns);
          const learn::EntropyEstimate e = learn::column_entropy(column(halves.train, c));
          input.entropy += share * e.bits;
          input.entropy_error += share * e.error;
        }
      trials.push_back(trial(halves, o, data.seed));
    }
    fill(input, trials, o);
    result.inputs.push_back(std::move(input));
  }
  for (const int levels : kLevels) {
    Figure8Input input;
    input.name = fmt::format("{} levels", levels);
    input.entropy = std::log2(static_cast<double>(levels));
    std::vector<Trial> trials;
    for (int s = 0; s < o.seeds; ++s) {
      const std::uint64_t seed = o.seed + static_cast<std::uint64_t>(s);
      trials.push_back(trial(made_here(levels, o, seed), o, seed));
    }
    fill(input, trials, o);
    result.inputs.push_back(std::move(input));
  }
  result.grid_rank_correlation = rank_correlation(result.inputs, &Figure8Input::grid_needs);
  result.codebook_rank_correlation = rank_correlation(result.inputs, &Figure8Input::codebook_needs);
  std::stable_sort(result.inputs.begin(), result.inputs.end(),
                   [](const auto& a, const auto& b) { return a.entropy < b.entropy; });
  return result;
}

}  // namespace carnot::experiment
