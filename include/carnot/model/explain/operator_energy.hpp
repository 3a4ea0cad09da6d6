// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Time and energy of one operator of a workload on each of the devices that share it, cut by who
/// owns the joules: arithmetic, memory, links, multiprocessors that are awake, static power.
///
///     GPU with a data sheet     the fitted kernel model (kernel_energy.hpp), power split in
///                               proportion to the terms of its demand
///     no kernel of the class    a stand-in: products in bfloat16 with the flops and bytes of the
///                               operator's own format, streams as the quantise kernel
///     other chips               roofline with energy (Choi et al., IPDPS 2013):
///                               t = launch + max(flops / (e_c peak), bytes / (e_m bandwidth)),
///                               P = TDP (static + active + (1 - static - active) busy)
///     links                     t = latency + sent / (e_l rate of one direction)
///
/// Elementwise work and data movement run inside their neighbours: no launch of their own.
/// Instances do not change, so threads may share them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/explain/coefficients.hpp"
#include "carnot/model/kernel/kernel_energy.hpp"
#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

/// How values are stored and multiplied, in the words of `--format`.
struct ExplainFormat {
  std::string name;     ///< "bf16", "fp8", "fp8_block", "nvfp4", "mxfp4", "int8", "int4", "fp32"...
  std::string kernel;   ///< of the kernel model: "bfloat16"; a stand-in for what it lacks
  std::string circuit;  ///< of circuit_floor(): "bf16"
  DataType weights = DataType::Bfloat16;
  double weight_bytes = 2;      ///< of one, scales included
  double activation_bytes = 2;  ///< between operators
  bool stand_in = false;        ///< no kernel of this format was measured
};
/// \throws InputError with the nearest name
ExplainFormat explain_format(std::string_view name);
std::vector<std::string> explain_format_names();

/// How a workload is shared out. Devices = tensor x pipeline x data; experts are spread over
/// `expert` of the tensor x data devices of a stage.
struct ExplainSplit {
  std::uint64_t tensor = 1, pipeline = 1, data = 1, expert = 1;
  std::uint64_t devices() const noexcept { return tensor * pipeline * data; }
};

/// One execution on one device; the devices of a stage do the same at the same time.
struct OperatorEnergy {
  double seconds = 0, joules = 0;
  double static_watts = 0;
  // Of `joules`, who owns them; they sum to it.
  double arithmetic = 0, memory = 0, link = 0, active = 0, still = 0;
  // Work behind them, on one device.
  double macs = 0, other_ops = 0, special_ops = 0;
  double memory_bytes = 0, chip_bytes = 0, link_bytes = 0;
  bool network = false;                      ///< its link leaves the node
  double low_ratio = 1.0, high_ratio = 1.0;  ///< of joules and of seconds, 90 %
  std::string_view constant, cause;          ///< which coefficients, whose error; of the model
  bool measured = false;  ///< coefficients of this card and class, calibrated interval
  bool assumed = false;   ///< of the roofline with assumed efficiencies
};

class OperatorModel {
 public:
  /// \param framework  whose kernels, "vllm", "trtllm"; empty: any
  /// \param power_limit  0: the chip's tdp
  /// \throws InputError if the chip lacks a peak, bandwidth or tdp; for a limit that is not
  /// positive
  OperatorModel(const Chip& chip, ExplainFormat format, ExplainFormat cache, std::string framework,
                Power power_limit = Power{});

  OperatorEnergy energy(const Operator& op, const ExplainSplit& split) const;
  /// \return false: a roofline with assumed efficiencies
  bool has_kernels() const noexcept { return sheet_.has_value(); }
  const CircuitFloor& floor() const noexcept { return floor_; }
  const Chip& chip() const noexcept { return chip_; }
  const ExplainFormat& format() const noexcept { return format_; }
  /// Drawn by a device that waits: data sheet's idle, the static part of the model, or the share.
  Power idle_power() const noexcept { return idle_; }

 private:
  OperatorEnergy kernel(const Operator& op, const ExplainSplit& split) const;
  OperatorEnergy roofline(const Operator& op, const ExplainSplit& split) const;
  OperatorEnergy communication(const Operator& op, const ExplainSplit& split) const;
  OperatorEnergy walk(const Operator& op, const ExplainSplit& split) const;
  void count(OperatorEnergy& into, const Operator& op, const ExplainSplit& split) const;
  double stream_bytes(const Operator& op, const ExplainSplit& split) const;
  double peak(std::string_view format) const;

  Chip chip_;
  ExplainFormat format_, cache_;
  std::string framework_;
  double limit_ = 0;
  std::optional<KernelSheet> sheet_;
  std::vector<KernelModel::Row> rows_;  // by class; last: products of activations alone
  std::vector<std::string> constants_, causes_, stand_ins_;  // of the rows
  double tile_ = 128;
  CircuitFloor floor_, plain_floor_;
  double peak_ = 0, peak16_ = 0, vector_peak_ = 0, bandwidth_ = 0, link_ = 0;
  double still_ = 0;   // W, static part of a device that works
  double slower_ = 1;  // than bfloat16, of a format that stands in
  Power idle_;
};

}  // namespace carnot::model
