// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The total of the decode phase of a language model on a server, for
/// `ExplainOptions::phase_model`: that of the serving model (serving/serving_model.hpp), which was
/// fitted to measured serving and knows what no sum of kernels does: the host's time between steps,
/// waiting for other chips, the drawing of tokens. A step of `batch` sequences at a mean context,
/// without the prefill of others (that is a phase of its own). Nothing for other phases, other
/// frameworks than vllm, splits over a pipeline or replicas, chips whose data sheet lacks what the
/// model needs, and configurations that it does not cover. Pure; the function it returns may be
/// called from any thread.

#include "carnot/model/explain/explain.hpp"

namespace carnot::model {

PhaseModel serving_phase_model(const TransformerConfig& config);

}  // namespace carnot::model
