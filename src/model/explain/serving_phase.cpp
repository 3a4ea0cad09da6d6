// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/serving_phase.hpp"

#include <algorithm>

#include "carnot/base/error.hpp"
#include "carnot/model/serving/serving_model.hpp"

namespace carnot::model {

namespace {

ServingRun run_of(const PhaseRequest& request) {
  ServingRun run;
  run.chips = static_cast<double>(request.split.tensor);
  run.batch = static_cast<double>(request.batch);
  // Long answers to a prompt of one token: the same mean context, and no prefill to speak of.
  run.prompt = 1;
  run.output = std::max(1.0, 2 * (static_cast<double>(request.context) - 1));
  run.weights = request.format.weights;
  run.block_scales = request.format.name == "fp8_block";
  run.expert_parallel = request.split.expert > 1;
  return run;
}

}  // namespace

PhaseModel serving_phase_model(const TransformerConfig& config) {
  return [config](const PhaseRequest& request) -> std::optional<PhaseTotal> {
    const bool one_replica = request.split.pipeline == 1 && request.split.data == 1;
    if (request.phase != "decode" || request.framework != "vllm" || !one_replica)
      return std::nullopt;
    try {
      const ServingPrediction p =
          ServingModel::embedded().predict(serving_work(config, run_of(request)), *request.chip);
      // A token of each sequence of the batch; one step is the time between two of a sequence.
      return PhaseTotal{static_cast<double>(request.batch) * p.token_energy, p.token_time,
                        "data/serving_model.csv"};
    } catch (const InputError&) {
      return std::nullopt;  // not what the model is of: the sum of kernels stands
    }
  };
}

}  // namespace carnot::model
