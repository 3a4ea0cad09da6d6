// SPDX-License-Identifier: Apache-2.0
#include "model/explain/phases.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::model {

namespace {

ExplainSplit split_of(const ExplainOptions& o, bool training) {
  if (o.split) {
    const ExplainSplit& s = *o.split;
    if (s.tensor == 0 || s.pipeline == 0 || s.data == 0 || s.expert == 0)
      throw InputError("--tensor, --pipeline, --data, --expert: 1 or more");
    for (const std::uint64_t degree : {s.tensor, s.pipeline, s.data, s.expert})
      if (degree > 1'000'000) throw InputError("--tensor, --pipeline, --data, --expert: to 1e6");
    if (o.chips != 0 && o.chips != s.devices())
      throw InputError(fmt::format("--chips: tensor x pipeline x data = {} x {} x {} = {}, not {}",
                                   s.tensor, s.pipeline, s.data, s.devices(), o.chips));
    if ((s.tensor * s.data) % s.expert != 0)
      throw InputError(fmt::format("--expert: divides tensor x data = {}", s.tensor * s.data));
    return s;
  }
  ExplainSplit s;
  const std::uint64_t n = std::max<std::uint64_t>(1, o.chips);
  if (n > 1'000'000) throw InputError("--chips: to 1e6");
  (training ? s.data : s.tensor) = n;
  return s;
}

DataType activations_of(const ExplainFormat& f) {
  return f.activation_bytes >= 4 ? DataType::Float32 : DataType::Bfloat16;
}

TransformerRun run_of(const ExplainOptions& o, const ExplainPlan& plan) {
  TransformerRun run;
  run.batch = o.batch;
  run.weights = plan.format.weights;
  run.activations = activations_of(plan.format);
  run.cache = plan.cache.weights;
  run.tensor = plan.split.tensor;
  run.pipeline = plan.split.pipeline;
  run.data = plan.split.data;
  run.expert = plan.split.expert;
  return run;
}

void add_phase(ExplainPlan& plan, std::string name, Workload workload, double executions,
               double units, std::string unit, const ExplainOptions& o, std::uint64_t context) {
  plan.phases.push_back(
      {std::move(name), std::move(workload), executions, units, std::move(unit), o.batch, context});
}

void plan_transformer(ExplainPlan& plan, const TransformerConfig& c, const ExplainOptions& o) {
  TransformerRun run = run_of(o, plan);
  const double sequences = static_cast<double>(o.batch);
  const bool image = c.image != 0;
  const auto length = static_cast<double>(o.context);
  if (!image && o.context == 0 && o.phase != ExplainPhase::Decode)
    throw InputError("--context: 1 token or more");
  if (plan.training) {
    run.mode = RunMode::Train;
    run.prompt = run.target = o.context;
    run.recompute = o.recompute;
    Workload w = transformer_workload(c, run);
    plan.unit = image ? "image" : "token";
    const double units = image ? sequences : sequences * length;
    add_phase(plan, "train", std::move(w), 1, units, plan.unit, o, o.context);
    plan.units = units;
    return;
  }
  const bool decodes = c.decoder && !image;
  if (!decodes) {
    if (o.phase == ExplainPhase::Decode)
      throw InputError("--phase: decode is of models that answer token by token; here forward");
    run.mode = RunMode::Prefill;
    run.prompt = o.context;
    plan.unit = image ? "image" : "sequence";
    plan.units = sequences;
    add_phase(plan, "forward", transformer_workload(c, run), 1, sequences, plan.unit, o, 0);
    return;
  }
  if (o.phase != ExplainPhase::Decode) {
    run.mode = RunMode::Prefill;
    run.prompt = o.context;
    run.context = 0;
    add_phase(plan, "prefill", transformer_workload(c, run), 1, sequences * length, "token", o, 0);
  }
  if (o.phase != ExplainPhase::Prefill) {
    if (o.tokens == 0) throw InputError("--tokens: 1 or more");
    run.mode = RunMode::Decode;
    // Keys and values grow by one a token: their mean is exact, kernels are taken at it.
    const bool pair = !c.encoder.empty();
    run.prompt = pair ? o.context : 1;
    run.context = (pair ? 0 : o.context) + o.tokens / 2;
    add_phase(plan, "decode", transformer_workload(c, run), static_cast<double>(o.tokens),
              sequences, "token", o, run.context);
  }
  plan.unit = "token";
  plan.units = o.phase == ExplainPhase::Prefill ? sequences * length
                                                : sequences * static_cast<double>(o.tokens);
}

void plan_onnx(ExplainPlan& plan, const Workload& w, const ExplainOptions& o) {
  if (plan.training)
    throw InputError("--phase: an ONNX file holds the forward pass; train is of configurations");
  if (o.phase == ExplainPhase::Decode || o.phase == ExplainPhase::Prefill)
    throw InputError("--phase: infer for an ONNX file; what it does is in its shapes (--dim)");
  if (plan.split.devices() != 1)
    throw InputError("--chips: 1 for an ONNX file; how it is split is not in it");
  plan.unit = w.unit.empty() ? "run" : w.unit;
  plan.units = std::max(1.0, static_cast<double>(w.units));
  add_phase(plan, "forward", w, 1, plan.units, plan.unit, o, 0);
}

}  // namespace

ExplainPhase explain_phase(std::string_view name) {
  if (name == "train") return ExplainPhase::Train;
  if (name == "prefill") return ExplainPhase::Prefill;
  if (name == "decode") return ExplainPhase::Decode;
  if (name == "infer") return ExplainPhase::Infer;
  throw InputError(
      fmt::format("--phase: train, prefill, decode or infer, not `{}`", name.substr(0, 40)));
}

ModelSource read_model_source(const std::filesystem::path& path, const OnnxOptions& onnx) {
  std::filesystem::path file = path;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) file = path / "config.json";
  std::string head(4096, '\0');
  {
    std::ifstream in(file, std::ios::binary);
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  }
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && head[first] == '{') {
    const std::string text = read_file(file.string());
    if (text.find("\"model_type\"") != std::string::npos)
      return parse_transformer_config(text, file.string());
    if (text.find("\"hidden_size\"") != std::string::npos)
      throw InputError(
          describe({file.string(), 0}, "model_type", "the family, such as llama: it is missing"));
    return parse_trees(text, file.string());
  }
  if (head.starts_with("tree\n") || head.starts_with("tree\r")) return read_trees(file);
  return read_onnx(file, onnx);
}

const Chip& explain_chip(const ModelSource& model, const ChipCatalogue& catalogue,
                         const ExplainOptions& o) {
  const bool trees = std::holds_alternative<TreeEnsemble>(model);
  const std::string asked = !o.chip.empty() ? o.chip : trees ? "epyc-9654" : "h200-sxm";
  return catalogue.chip(asked);
}

ExplainPlan explain_plan(const ModelSource& model, const ExplainOptions& o) {
  ExplainPlan plan;
  if (o.batch == 0) throw InputError("--batch: 1 or more");
  plan.training = o.phase == ExplainPhase::Train;
  plan.format = explain_format(o.format);
  plan.cache = explain_format(o.cache_format);
  if (plan.training && plan.format.weight_bytes < 1)
    throw InputError("--format: of 8 bits and more in training");
  plan.split = split_of(o, plan.training);
  plan.micro_batches = o.micro_batches != 0 ? o.micro_batches : 4 * plan.split.pipeline;
  if (const auto* config = std::get_if<TransformerConfig>(&model)) {
    plan.kind = "transformer";
    plan_transformer(plan, *config, o);
  } else if (const auto* onnx = std::get_if<Workload>(&model)) {
    plan.kind = "onnx";
    plan_onnx(plan, *onnx, o);
  } else {
    if (plan.training) throw InputError("--phase: trees are explained as they predict: infer");
    if (plan.split.devices() != 1) throw InputError("--chips: 1 for trees");
    plan.kind = "trees";
    plan.unit = "prediction";
    plan.units = static_cast<double>(o.batch);
    add_phase(plan, "predict", trees_workload(std::get<TreeEnsemble>(model), o.batch), 1,
              plan.units, plan.unit, o, 0);
  }
  return plan;
}

}  // namespace carnot::model
