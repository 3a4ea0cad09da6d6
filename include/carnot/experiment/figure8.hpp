// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How many bits an input needs depends on how many it holds: error of a linear regression against
/// the bits of its data, for inputs of various entropy.
///
/// A row is x of `features` values and y = w x + noise. Training is gradient descent on all rows
/// with data, labels and gradient in b bits: data rounded to the nearest level of their quantiser,
/// labels and gradient rounded at random to the levels beside them, without bias, on uniform grids
/// whose ends are the greatest magnitude of the labels and of each gradient. Held-out rows are
/// rounded as the training rows were; their labels are not. The ratio R_b is the mean squared error
/// so reached over that of the same training in binary32. Two quantisers
/// (learn/knobs/codebook.hpp): a uniform grid and a codebook fitted to the training rows.
///
/// With m equally likely levels an input holds log2 m bits. As long as the quantiser has those
/// levels the ratio is 1; beyond, R_b - 1 grows as the squared rounding error over the noise's
/// variance, 4 times a bit taken away. A grid of 2^b - 1 levels has the levels of few inputs, and
/// what it needs follows what they hold only roughly; a codebook has them as soon as 2^b >= m.
/// *Prediction*, without training in few bits: R_b - 1 = (sum w^2 D + d step^2 / (6 n)) / s^2, D
/// the mean squared rounding error of a column, w its coefficient and s^2 the error left over in
/// binary32, `step` that of the labels' grid, d the coefficients and n the training rows. Without
/// noise in the labels, or with held-out rows left unrounded, the effect would be another: both are
/// stated here.
///
/// Functions of their options alone; the same figures for any number of threads. Safe from any
/// thread.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/data/dataset.hpp"

namespace carnot::experiment {

struct Figure8Options {
  std::vector<int> bits{2, 3, 4, 5, 6, 8, 14};
  std::vector<std::string> tables;  ///< further inputs: real tables with a number to predict
  std::string label;                ///< their label column; empty: the usual names
  std::string data_dir;             ///< where tables are looked up first
  std::size_t rows = 4000;          ///< for training, as many held out; of tables at most
  std::size_t features = 8;
  double noise = 0.03;  ///< standard deviation of the labels' noise over that of w x
  double limit = 1.05;  ///< a ratio up to this counts as nothing lost
  int seeds = 5;
  std::uint64_t seed = 1;
  StopToken stop{};
};

/// Over the seeds.
struct ErrorRatio {
  int bits = 0;
  double mean = 0.0;
  double error = 0.0;  ///< standard error of the mean
  double least = 0.0, greatest = 0.0;
};

struct Figure8Input {
  std::string name;                        ///< "7 levels", or the table's file
  bool real = false;                       ///< a table; else made here
  double entropy = 0.0;                    ///< bits a value: exact where made here, else estimated
  double entropy_error = 0.0;              ///< its standard error; 0 where exact
  std::vector<ErrorRatio> grid, codebook;  ///< [bits], as asked for
  /// The fewest bits asked for from which on the ratio stays within the limit; 0: none.
  int grid_needs = 0, codebook_needs = 0;
  int grid_predicted = 0, codebook_predicted = 0;  ///< without training in few bits; 0: none
};

struct Figure8Result {
  std::vector<Figure8Input> inputs;  ///< by entropy
  /// Spearman's, of entropy and bits needed, over the inputs made here; NaN where all need the
  /// same.
  double grid_rank_correlation = 0.0, codebook_rank_correlation = 0.0;
  double limit = 0.0;
  std::uint64_t seed = 0;
  int seeds = 0;
  std::string command;  ///< set by the caller, for the page
};

/// \throws InputError for options out of range or a table that cannot be read or has classes;
/// Stopped
Figure8Result run_figure8(const Figure8Options& options);

}  // namespace carnot::experiment
