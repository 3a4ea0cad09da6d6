// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Time, power and energy of one call of a GPU kernel: a multi-level roofline with energy, fitted
/// to measured kernels. With the data sheet's peaks and a card of U multiprocessors,
///
///     t  = launch + (compute^p + exponential^p + memory^p + chain^p)^(1/p)       s
///     P  = P_static + (P_limit - P_static) cap(demand)                           W
///     E  = P t                                                                   J, device
///     boundary
///
/// compute, exponential and memory are the roofline times over fitted efficiencies, lengthened
/// where blocks do not fill the multiprocessors (waves) and shortened where operands fit the L2
/// cache; P_static goes with the area of the die; demand sums the work done per second in units of
/// the dynamic power of the card that was measured (of its own limit where none was), plus what
/// active multiprocessors take, and cap() bends it below the limit of the call.
/// data/kernel_model.md states every term and what was measured of its errors.
///
/// Coefficients are sought for (class, format, framework, card), where a card never measured takes
/// those of a measured one of the same build (die, multiprocessors, clock and cache within 15 %,
/// process and peak alike: GB200 of B200, H100 of H200), then for any card, any framework,
/// any format. Where the format, framework and card (or its twin) were measured, sums of small
/// regression trees over the terms of the formula correct its time and power: they know tiles and
/// changes of kernel that no closed form states. So a larger product may cost a little less there,
/// as it does on the card.
///
/// Intervals are of a class, split-conformal: where the card was measured they held about 90 % of
/// rows held out. Of a twin they are a tenth wider either way, an assumption. For a card never
/// measured they come from the errors with a card left out, held only 64 and 83 % when tried, and
/// are a rough range, not a calibrated one.
///
/// Instances do not change, so threads may share them.

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/kernel/kernel_work.hpp"

namespace carnot::model {

struct KernelTrees;

/// Of a data sheet, what the formula needs.
struct KernelSheet {
  double compute16 = 0, compute8 = 0, compute4 = 0;  ///< FLOP/s
  double bandwidth = 0, cache = 0;                   ///< B/s, B
  double units = 0, clock = 0, area = 0;             ///< 1, Hz, mm2
};
/// \throws InputError if the chip lacks bf16 and fp16, bandwidth, l2, units, clock or die
KernelSheet kernel_sheet(const Chip& chip);

/// Time and power of a call, and which part of the power is owned by what: static, and of the
/// dynamic rest, in proportion to the terms of the demand, arithmetic, exponentials, memory and
/// multiprocessors that are awake. The four shares sum to 1.
struct KernelPoint {
  double seconds = 0, watts = 0;
  double launch_seconds = 0;  ///< of `seconds`
  double static_watts = 0;
  double compute = 0, exponential = 0, memory = 0, active = 0;
  double cached = 0;  ///< share of the bytes that the last-level cache serves
};

struct KernelPrediction {
  Estimate<Time> time;
  Estimate<Power> power;
  Estimate<Energy> energy;   ///< its interval is the calibrated one
  bool card_known = false;   ///< coefficients of this card
  std::string twin;          ///< the measured card of its build that serves it; empty: none
  bool class_known = true;   ///< false: no kernel of the class was measured; not predicted alone
  std::string coefficients;  ///< which row: "gemm/bfloat16/vllm/b200"
};

class KernelModel {
 public:
  /// data/kernel_model.csv at build time.
  static const KernelModel& embedded();
  /// \param file  for messages. \throws InputError, a line `file:line: field: what is allowed` each
  static KernelModel parse(std::string_view csv, const std::string& file);
  /// Adds trees that correct it, of data/kernel_model_corrections.csv. \throws InputError likewise
  void correct(std::string_view csv, const std::string& file);

  /// \param framework  whose kernels: "vllm", "trtllm"; empty: any
  /// \param power_limit  0: the chip's tdp
  /// \throws InputError if the chip lacks bf16, bandwidth, l2, units, clock, die or tdp, or the
  ///         limit is not positive
  KernelPrediction predict(const KernelWork& work, const Chip& chip,
                           std::string_view framework = {}, Power power_limit = Power{}) const;

  using Point = KernelPoint;

  /// What predict() would take for a kernel on a card: found once, for sweeps. It points into the
  /// model and must not outlive it.
  struct Row {
    const std::vector<double>* coefficients = nullptr;
    bool card_known = false, class_known = true;
    std::string twin;                    ///< as KernelPrediction::twin
    std::string name;                    ///< "gemm|bfloat16|vllm|b200"
    double reference_watts = 0;          ///< limit of the card that was measured; 0: the call's
    const KernelTrees* trees = nullptr;  ///< that correct it; null: none
    std::array<double, 3> codes{};       ///< of format, framework, card in them
    double low = 0, high = 0;  ///< of log(measured / predicted) joules, at 5 and 95 %; low <= 0
  };
  Row find(KernelClass kernel, std::string_view format, std::string_view framework,
           const Chip& chip) const;
  static Point evaluate(const KernelWork& work, const KernelSheet& sheet, const Row& row,
                        double limit_watts);

  /// The bare formula, uncorrected, with the coefficients of one row,
  /// "class/format/framework/card". \throws InputError with the nearest row
  Point evaluate(const KernelWork& work, const Chip& chip, std::string_view row,
                 double limit_watts) const;

  static constexpr int kParameters = 19;

 private:
  struct Interval {
    double low = 0, high = 0;  ///< of log(measured / predicted) joules
  };
  using Coefficients = std::vector<double>;
  Interval interval(std::string_view kernel, bool known) const;
  /// The measured card of the chip's build, itself if none is.
  std::string kin_of(const Chip& chip) const;
  /// Gives the row the trees that were grown on its format, framework and card, if there are any.
  void correct(Row& row, const std::string& kernel, const std::array<std::string, 3>& names) const;

  std::map<std::string, Coefficients, std::less<>> rows_;
  std::set<std::string, std::less<>> cards_;  ///< that rows are of
  std::map<std::string, Interval, std::less<>> known_, unknown_;
  std::shared_ptr<const std::map<std::string, KernelTrees, std::less<>>> trees_;  // by class
};

}  // namespace carnot::model
