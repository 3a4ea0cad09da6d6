// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Power, time and energy of training a network, before it is run.
///
/// Mean power of a chip, given what it works at (fitted to 20 published measurements, 1 to 10,000
/// chips; each of the two papers left out: median error 14 %, worst 1.33 times):
///
///     work  = 2 parameters of a layer x tokens at once / peak                            s
///     busy  = work / (work + pause): small layers leave the chip waiting for kernels
///     share = least + (most - least) busy, times `apart` beyond eight chips
///     P     = TDP (still + (1 - still) share) [+ host, at the boundary of the node]      W
///
/// Time from FLOP = 6 parameters met x tokens: t = FLOP / (chips x peak x efficiency), where the
/// efficiency 0.40 is the geometric mean of ten published runs (0.14 to 0.56). Energy = chips P t.
/// For energy so predicted: median error 25 %, worst 2.1 times, of ten runs on other chips.
///
/// A step of a transformer in Megatron's way, tensor parallel in a node and pipeline parallel
/// between nodes (Narayanan et al., arXiv 2104.04473; Korthikanti et al., arXiv 2205.05198), layer
/// by layer: products, attention, what streams through memory, two exchanges in each direction,
///
///     t = (micros + (pipeline - 1) / stages) layers / pipeline x layer + micros x head + update
///
/// Eight published steps on A100: mean error 2.0 %, with each model left out 3.8 %, worst 6.4 %.
///
/// Intervals are of 90 %, from those errors; with so few rows they are rough. Published sources and
/// the fit: tools/fit_training_model. Values and pure functions, thread-safe.

#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct TrainingRun {
  double chips = 1;
  double layer_parameters = 0;  ///< of one layer, those that a token meets; above 0
  double tokens = 4096;  ///< that a chip works on at once: batch x length, or pixels' patches
  double flop = 0;       ///< of the whole run, 6 N D; 0 where only power is asked
  std::string format = "bf16";  ///< fp32, tf32, bf16, fp16, fp8
  bool with_host = false;       ///< the host's share of an accelerator too: boundary node
};

struct TrainingPrediction {
  Estimate<Time> time;
  Estimate<Power> chip_power;  ///< mean of one chip, with its host's share if asked
  Estimate<Energy> energy;     ///< of all chips
};

/// \throws InputError for a run out of range, or a chip without tdp or a peak of the format
Estimate<Power> training_power(const TrainingRun& run, const Chip& chip);
/// \throws InputError likewise, and where flop is not above 0
TrainingPrediction predict_training(const TrainingRun& run, const Chip& chip);

struct TrainingStep {
  double layers = 0, hidden = 0, heads = 0;
  double length = 2048, vocabulary = 51200;
  double batch = 1, micro = 1;  ///< sequences of the step and of a microbatch, of one replica
  double tensor = 8, pipeline = 1;
  double stages = 1;  ///< interleaved stages of a chip
  /// Attention alone is computed again, and norms are split too; else all is computed again and
  /// norms are not split.
  bool selective = true;
};
/// \throws InputError for a step out of range, or a chip without bf16, bandwidth or link
Estimate<Time> training_step_time(const TrainingStep& step, const Chip& chip);

}  // namespace carnot::model
