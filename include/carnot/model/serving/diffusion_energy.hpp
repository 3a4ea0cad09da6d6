// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Time, power and joules of an image or a video made by a diffusion transformer. A pass of the
/// transformer over the latent tokens of a batch on n chips (sequence parallel), peak f, bandwidth
/// b, link l both ways:
///
///     pass  = products / (n f e1) + attention / (n f e2) + bytes / (n b) + sent / (0.35 l)
///             + layers x latency                                                          s
///     products = 2 parameters met x tokens, attention = 4 layers tokens^2 hidden        FLOP
///     t     = passes x pass + pixels x decode / f + host        passes = steps, twice if guided
///     P     = static + (TDP - static) cap(demand)                                         W
///     J     = P n t / batch                                            J an item, chip boundary
///
/// Fitted to twelve published models on one H100, one item at a time
/// (tools/fit_diffusion_model): each left out, the median error is 11.3 % of joules for seven of
/// images, 13.9 % for five of video, the worst 36 %; of watts 2.9 %, the worst 42 %. Other cards,
/// several chips and larger batches were not measured; there the interval is an assumption, a
/// factor of two.
///
/// Intervals are of 90 %. Values and pure functions, thread-safe.

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct DiffusionRun {
  double parameters = 0;  ///< of the transformer, those that a token meets
  double layers = 0, hidden = 0;
  double tokens = 0;  ///< latent positions of an item (frames x height x width / patch), with text
  double passes = 0;  ///< of the transformer: steps, twice as many if guided
  bool linear_attention = false;
  double pixels = 0;  ///< decoded, of all frames of an item
  double batch = 1, chips = 1;
};

struct DiffusionPrediction {
  Estimate<Time> batch_time;
  Estimate<Power> chip_power;
  Estimate<Energy> item_energy;  ///< all chips
};

/// \throws InputError for a run out of range, or a chip without bf16, bandwidth, die or tdp, or
/// link
///         where chips > 1
DiffusionPrediction predict_diffusion(const DiffusionRun& run, const Chip& chip);

}  // namespace carnot::model
