// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where the joules of a model go: a model, chips and a way of running in, one tree of energy out.
///
///     model     ONNX file, config.json of a transformer, dump of a tree ensemble
///     phases    train (a step), prefill, decode (a token of each sequence), forward
///     tree      whole: phase: operator: component: circuit and what lies above it; besides, the
///               host's share and, if a PUE is given, cooling and power conversion
///
/// A phase's joules are those of its operators, each on all devices that share it; its time is
/// theirs one after the other, over the stages of a pipeline. Where a better model of a phase as a
/// whole is at hand (PhaseModel), its total is taken, and what the operators do not account for is
/// a leaf of its own, "launch gaps, host and scheduling".
///
/// Thread-safe: pure functions of their arguments.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/explain/energy_tree.hpp"
#include "carnot/model/explain/operator_energy.hpp"
#include "carnot/model/workload/onnx.hpp"
#include "carnot/model/workload/operator.hpp"
#include "carnot/model/workload/transformer.hpp"
#include "carnot/model/workload/trees.hpp"

namespace carnot::model {

using ModelSource = std::variant<Workload, TransformerConfig, TreeEnsemble>;
/// By what the file holds: protobuf (ONNX), JSON with `model_type` (a transformer), other JSON or
/// LightGBM's text (trees). A folder stands for the config.json in it.
/// \throws InputFileError; InputError as the readers do
ModelSource read_model_source(const std::filesystem::path& path, const OnnxOptions& onnx);

enum class ExplainPhase : std::uint8_t { Automatic, Train, Prefill, Decode, Infer };
/// \throws InputError with what is allowed
ExplainPhase explain_phase(std::string_view name);

/// What a phase's total is asked of.
struct PhaseRequest {
  std::string phase;  ///< "train", "prefill", "decode", "forward"
  const Workload* workload = nullptr;
  const Chip* chip = nullptr;
  ExplainSplit split;
  ExplainFormat format;
  std::uint64_t batch = 1, context = 0;
  std::string framework;
};
/// Of all devices, one execution of the phase.
struct PhaseTotal {
  Estimate<Energy> energy;
  Estimate<Time> time;
  std::string source;
};
/// \return nothing where it cannot say
using PhaseModel = std::function<std::optional<PhaseTotal>(const PhaseRequest&)>;

/// A part of a hall's overhead over the joules of the machines in it, as computed from a plant and
/// a climate (carnot/model/facility/plant.hpp).
struct FacilityPart {
  std::string name;                     ///< "chillers"
  double share = 0, low = 0, high = 0;  ///< of the machines' joules, 0 <= low <= share <= high
};

struct ExplainOptions {
  std::string name;                   ///< of the model, where the file has none worth showing
  std::string chip;                   ///< empty: h200-sxm, for trees epyc-9654
  std::uint64_t chips = 0;            ///< 0: as the split says, or 1
  std::optional<ExplainSplit> split;  ///< empty: tensor for inference, data for training
  std::string format = "bf16", cache_format = "bf16";
  std::string framework = "vllm";  ///< whose kernels
  ExplainPhase phase = ExplainPhase::Automatic;
  std::uint64_t batch = 1;
  std::uint64_t context = 1024;  ///< tokens of a prompt, or of a sequence in training
  std::uint64_t tokens = 256;    ///< answered, of each sequence
  Recompute recompute = Recompute::Selective;
  std::uint64_t micro_batches = 0;         ///< in flight in a pipeline; 0: four a stage
  Power power_limit;                       ///< of a chip; 0: its tdp
  std::optional<Power> host_power;         ///< of an accelerator's share; empty: the table's range
  std::optional<double> pue;               ///< >= 1; empty: not counted
  std::vector<FacilityPart> facility;      ///< in place of `pue`, part by part
  Temperature temperature = 300 * kelvin;  ///< of the limit
  PhaseModel phase_model;                  ///< empty: sums of operators
  std::uint64_t most_operators = 1000;     ///< in the tree; the least of more are taken together
  bool compare_formats = true;
};

struct PhaseResult {
  std::string name;
  double executions = 1;    ///< of the phase in the whole: tokens answered, steps
  double units = 0;         ///< made by all executions
  std::string unit;         ///< "token", "image" ...
  Estimate<Energy> energy;  ///< accelerators, all executions
  Estimate<Time> time;      ///< likewise
  Power mean_power;         ///< of one chip
  Totals totals;            ///< of one execution
  double rows = 1;          ///< of the products with weights, on one device: tokens at a time
  EnergyTree::Index node = 0;
  std::string source;              ///< of the total, where it is not the sum of operators
  std::uint64_t memory_bytes = 0;  ///< that one chip must hold
};

/// The same phase with values stored otherwise.
struct FormatRow {
  std::string format, phase;
  double joules_per_unit = 0, seconds = 0;  ///< accelerators; of one execution
  double over_bf16 = 1;                     ///< joules
  bool measured = false;                    ///< kernels of this card and format
  std::string measured_id;                  ///< constant with the measured ratio of products
  double measured_ratio = 0;                ///< 0: none
};

struct Explanation {
  std::string model, source, kind;  ///< kind: "onnx", "transformer", "trees"
  std::string chip, chip_name;
  ExplainSplit split;
  std::uint64_t devices = 1;
  std::string format;
  std::uint64_t parameters = 0, active_parameters = 0;
  std::string unit;  ///< of the answer: "token", "image", "prediction"
  double units = 0;  ///< in the whole
  EnergyTree tree;
  std::vector<PhaseResult> phases;
  Estimate<Energy> accelerators, machine, whole;  ///< chips; with hosts; with the facility if known
  Estimate<Time> time;
  std::vector<FormatRow> formats;
  std::vector<UnknownOperator>
      unknown;                       ///< their joules are in no leaf: the whole is a lower bound
  std::vector<std::string> notes;    ///< defaults taken
  std::vector<std::string> remarks;  ///< what a reader should not miss
};

/// \throws InputError for options that do not go together or with the model, naming the field
Explanation explain(const ModelSource& model, const ChipCatalogue& catalogue,
                    const ExplainOptions& options);

/// The joules and seconds alone, without a tree: for sweeps.
struct ExplainPoint {
  double joules = 0, seconds = 0, units = 0;  ///< accelerators
};
ExplainPoint explain_point(const ModelSource& model, const ChipCatalogue& catalogue,
                           const ExplainOptions& options);

/// What the whole makes: "token", "image" ... \throws InputError as explain()
std::string explain_unit(const ModelSource& model, const ExplainOptions& options);

/// One key of a sweep and its values as typed: "batch" and {"1", "8"}. Keys: on, format,
/// cache_format, framework, batch, context, tokens, chips, tensor, pipeline, data, expert,
/// power_limit (with unit), phase, recompute.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};
/// Sets one key. \throws InputError naming it and what is allowed
void set_option(ExplainOptions& options, const std::string& key, const std::string& value);

struct SweepPoint {
  ExplainPoint point;
  std::string refused;  ///< why it cannot be; empty: it can
};
/// Every combination of the axes' values, the last axis running fastest, over `threads` threads:
/// the same points for any number of them.
/// \param keep_going  false ends the sweep early: points not tried are refused, and say so
/// \throws InputError for keys and values that cannot be read; more than 10 million combinations
std::vector<SweepPoint> explain_sweep(const ModelSource& model, const ChipCatalogue& catalogue,
                                      const ExplainOptions& options,
                                      const std::vector<SweepAxis>& axes, unsigned threads,
                                      const std::function<bool()>& keep_going = {});

}  // namespace carnot::model
