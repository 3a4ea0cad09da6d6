// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Time between tokens, power and joules a token of a language model that serves requests, from its
/// shape, the batch and the chip's data sheet. Nothing about the model's name is known: two models
/// of one shape get one prediction. Per step and chip, with bandwidth b, peak f, units u, clock c:
///
///     t = weights + experts + cache + state + logits + prefill + exchange + layers + host    s
///     weights   = hypot(bytes / (n b e1), flops / (n f e2)); experts the same, times the load of
///                 the busiest chip over the mean one
///     logits    = values x clocks / (u c): drawing a token sorts the vocabulary, on every chip
///     exchange  = all-reduces x (latency (n/4)^x + bytes sent / link)
///     host      = a step + b batch: the serving program's own time, in which the chip waits
///     P = static + (TDP - static) cap(demand)                                               W
///     J = P n t / batch                                                   J a token, chip boundary
///
/// demand sums joules of bytes and FLOP and what each part's time draws; static goes with the area
/// of the die. data/serving_model.md states every term, what was measured, and the errors with each
/// model and each card left out.
///
/// Intervals are split-conformal: quantiles of log(measured / predicted) with each family of models
/// left out; of a card never measured, with each card left out as well.
///
/// Instances do not change, so threads may share them.

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/serving/serving_work.hpp"

namespace carnot::model {

/// A share of one step on one chip.
struct ServingPart {
  std::string_view name;  ///< "weights", "experts" ... "host", as above; "static" has no time
  double seconds = 0;
  double joules = 0;
  bool operator==(const ServingPart&) const = default;
};

struct ServingPrediction {
  Estimate<Time> token_time;      ///< mean between two tokens of a sequence, arrivals included
  Estimate<Power> chip_power;     ///< mean of one chip
  Estimate<Energy> token_energy;  ///< of all chips, a token answered
  /// Seconds sum to token_time, joules to chip_power x token_time.
  std::vector<ServingPart> parts;
  bool card_known = false;  ///< the chip is one of those measured
};

class ServingModel {
 public:
  /// data/serving_model.csv at build time.
  static const ServingModel& embedded();
  /// \param file  for messages. \throws InputError, a line `file:line: field: what is allowed` each
  static ServingModel parse(std::string_view csv, const std::string& file);

  /// \throws InputError if the chip lacks bf16 or fp16, bandwidth, units, clock, die, tdp, or link
  ///         where chips > 1
  ServingPrediction predict(const ServingWork& work, const Chip& chip) const;

  static constexpr std::size_t kParameters = 31;

 private:
  struct Interval {
    double low = 0, high = 0;  ///< of log(measured / predicted)
  };
  const Interval& interval(std::string_view what, bool experts, bool known) const;

  std::array<double, kParameters> values_{};
  std::map<std::string, Interval, std::less<>> intervals_;
};

}  // namespace carnot::model
