// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One knob of a learner turned through its settings, everything else held: what each setting takes
/// in energy, to train and to use, and what quality it gives.
///
///   precision, hidden, epochs, trees, leaves, depth, bins   the options of experiment.hpp
///   rows         share of the training rows
///   pool         pixels a side that become one, their mean (square images)
///   pca          principal components kept, found on at most 10,000 training rows
///   projection   random directions kept (Johnson and Lindenstrauss), each normal
///   prune        share of a perceptron's hidden units taken away at three quarters of the
///   training,
///                those whose weights in times weights out are least; the rest is trained to the
///                end
///   transfer     share of the passes done from a saved model on, or as many anew
///
/// Energy of training holds all that the setting needs: finding and applying a projection, training
/// what is then pruned. Of a prediction too. Modelled (precision.hpp). Safe from any
/// thread.

#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/experiment/experiment.hpp"

namespace carnot::experiment {

struct KnobPoint {
  std::string setting;
  double quality = 0.0, quality_low = 0.0, quality_high = 0.0;  ///< mean over the seeds; interval
                                                                ///< 90 %, of the first seed
  Energy training;                                              ///< mean over the seeds
  Energy prediction;        ///< of one row, by the model as it would be saved
  Time time;                ///< of training, modelled
  std::size_t inputs = 0;   ///< features that the learner sees
  double parameters = 0.0;  ///< coefficients, or leaves
  bool in_front = false;    ///< no other setting is better in quality and cheaper to train
};

struct KnobResult {
  std::string command, knob, learner, metric, data_source;
  std::size_t rows = 0;
  int seeds = 1;
  std::vector<KnobPoint> points;  ///< in the order of the settings
};

/// Names of all knobs.
const std::vector<std::string>& knob_names();
/// Settings where nothing is said. \throws InputError for an unknown knob, naming all
std::vector<std::string> knob_settings(const std::string& knob, const learn::Dataset& train);

/// \param start  of transfer: the saved model to start from
/// \throws InputError for settings that the knob, the learner or the data cannot take; Stopped
KnobResult knob_curve(const ExperimentOptions& options, const learn::Split& split,
                      const std::string& knob, const std::vector<std::string>& settings,
                      const std::string& start = {});

}  // namespace carnot::experiment
