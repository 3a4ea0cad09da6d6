// SPDX-License-Identifier: Apache-2.0
// Closed forms against modules built by other libraries (tests/testdata/transformer/make.py) and
// against published figures.
#include "carnot/model/workload/transformer.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::model {
namespace {

using Json = nlohmann::json;

const Json& models() {
  static const Json all =
      Json::parse(read_file(CARNOT_SOURCE_DIR "/tests/testdata/transformer/models.json"));
  return all;
}

TransformerConfig config(const std::string& name) {
  for (const Json& each : models()) {
    if (each["name"] == name) return parse_transformer_config(each["config"].dump(), name);
  }
  throw InternalError("no model " + name);
}

TransformerRun prefill(std::uint64_t tokens, std::uint64_t batch = 1) {
  TransformerRun run;
  run.prompt = tokens;
  run.batch = batch;
  return run;
}
TransformerRun decode(std::uint64_t context, std::uint64_t batch = 1) {
  TransformerRun run;
  run.mode = RunMode::Decode;
  run.context = context;
  run.batch = batch;
  return run;
}
TransformerRun train(std::uint64_t tokens, std::uint64_t batch = 1) {
  TransformerRun run = prefill(tokens, batch);
  run.mode = RunMode::Train;
  run.target = tokens;
  return run;
}

TEST(TransformerReference, ParametersAreThoseOfTheModule) {
  ASSERT_GE(models().size(), 30u);
  for (const Json& each : models()) {
    const std::string name = each["name"];
    const Workload workload = transformer_workload(config(name), prefill(4));
    EXPECT_EQ(workload.parameters, each["parameters"].get<std::uint64_t>()) << name;
    std::uint64_t sum = 0;
    for (const Operator& op : workload.operators) sum += op.parameters * op.copies;
    EXPECT_EQ(sum, workload.parameters) << name;
  }
}

// Every logit and no mask, as torch counts eager attention.
TEST(TransformerReference, ProductsAreThoseTorchCounts) {
  int compared = 0;
  for (const Json& each : models()) {
    if (!each.contains("macs")) continue;
    const std::string name = each["name"];
    TransformerConfig model = config(name);
    for (LayerGroup& group : model.layers) {
      group.causal = false;
      group.window = 0;
    }
    TransformerRun run = prefill(each["tokens"]);
    run.all_logits = true;
    if (!model.encoder.empty()) {
      run.mode = RunMode::Train;
      run.target = run.prompt;
    }
    std::uint64_t macs = 0;
    for (const Operator& op : transformer_workload(model, run).operators) {
      if (op.phase == Phase::Forward) macs += op.counts.macs * op.repeats;
    }
    EXPECT_EQ(macs, each["macs"].get<std::uint64_t>()) << name;
    ++compared;
  }
  EXPECT_GE(compared, 10);
}

// Peebles and Xie, arXiv 2212.09748, table 4: DiT-XL/2 at 256 x 256, 675 M parameters and 118.64
// "Gflops" (multiply-accumulates); the released checkpoint holds 675,129,632 values.
TEST(TransformerReference, DiffusionTransformer) {
  const TransformerConfig model = parse_transformer_config(
      R"({"model_type": "dit", "hidden_size": 1152, "depth": 28, "num_heads": 16, "patch_size": 2,
          "input_size": 32, "in_channels": 4, "num_classes": 1000, "learn_sigma": true})",
      "dit");
  const Workload workload = transformer_workload(model, prefill(1));
  EXPECT_EQ(workload.parameters, 675129632u);
  EXPECT_NEAR(static_cast<double>(totals(workload).counts.macs) / 1e9, 118.64, 0.05);
  EXPECT_EQ(workload.unit, "image");
}

// Published active parameters: Mixtral 12.9 B (arXiv 2401.04088), DeepSeek-V3 37 B (2412.19437),
// Qwen3-30B-A3B 3.3 B (2505.09388), gpt-oss-20b 3.6 B with one of the two embeddings (2508.10925).
TEST(TransformerReference, ActiveParametersOfMixtures) {
  const auto billions = [](const char* name) {
    return static_cast<double>(transformer_workload(config(name), prefill(1)).active_parameters) /
           1e9;
  };
  EXPECT_NEAR(billions("mixtral-8x7b"), 12.9, 0.05);
  EXPECT_NEAR(billions("deepseek-v3"), 37.5, 0.6);
  EXPECT_NEAR(billions("qwen3-30b-a3b"), 3.35, 0.06);
  EXPECT_NEAR(billions("gpt-oss-20b"), 4.19, 0.05);
  EXPECT_NEAR(billions("llama-3.1-8b"), 8.03, 0.01);
}

TEST(Transformer, CacheBytes) {
  // 2 x layers x key heads x width x 2 bytes.
  EXPECT_EQ(cache_bytes(config("llama-3.1-8b"), 1000, DataType::Bfloat16), 1000u * 131072);
  // Latent attention: (512 + 64) x 61 x 2 bytes, 70 KB a token (arXiv 2412.19437).
  EXPECT_EQ(cache_bytes(config("deepseek-v3"), 1000, DataType::Bfloat16), 1000u * 576 * 61 * 2);
  // 21 of 42 layers keep 4096 tokens at most.
  const std::uint64_t layer = 2 * 8 * 256 * 2;
  EXPECT_EQ(cache_bytes(config("gemma-2-9b"), 10000, DataType::Bfloat16),
            layer * 21 * (10000 + 4096));
  // State does not grow.
  EXPECT_EQ(cache_bytes(config("mamba-130m"), 10, DataType::Bfloat16),
            cache_bytes(config("mamba-130m"), 100000, DataType::Bfloat16));
  for (const char* name : {"llama-3.1-8b", "deepseek-v3", "gemma-2-9b", "qwen3-next-80b-a3b"}) {
    const Workload step = transformer_workload(config(name), decode(5000, 3));
    EXPECT_EQ(step.cache_bytes, 3 * cache_bytes(config(name), 5001, DataType::Bfloat16)) << name;
  }
}

TEST(Transformer, DecodeReadsTheCacheByKeyHeads) {
  const Workload step = transformer_workload(config("llama-3.1-8b"), decode(999, 2));
  const Totals sum = totals(step);
  EXPECT_EQ(sum.cache_read_bytes, 2u * 999 * 131072);
  EXPECT_EQ(sum.cache_written_bytes, 2u * 131072);
  EXPECT_EQ(step.units, 2u);
  // All weights but the embedding's table are read once, of that two rows.
  EXPECT_DOUBLE_EQ(sum.weight_read_bytes, 2.0 * (8030261248.0 - 128256.0 * 4096 + 2 * 4096));
}

// DeepSeek decodes with the expansion absorbed: 128 heads over one latent key of 576.
TEST(Transformer, LatentAttentionAbsorbsWhenDecoding) {
  const Workload step = transformer_workload(config("deepseek-v3"), decode(1999));
  std::uint64_t macs = 0;
  for (const Operator& each : step.operators) {
    if (each.kind == KernelKind::LatentAttention) macs += each.counts.macs * each.repeats;
  }
  EXPECT_EQ(macs, std::uint64_t{61} * 128 * 2000 * (576 + 512));
  EXPECT_EQ(step.parameters, 671026419200u);
}

TEST(Transformer, DecodingMatchesTheLastRowOfPrefill) {
  // Work of n tokens at once = work of one after another.
  for (const char* name : {"llama-3.1-8b", "gemma-2-9b", "qwen3-0.6b", "mixtral-8x7b",
                           "qwen3-next-80b-a3b", "mamba-130m", "mamba2-2.7b", "gpt2"}) {
    TransformerConfig model = config(name);
    for (LayerGroup& each : model.layers) each.window = each.window != 0 ? 5 : 0;
    TransformerRun run = prefill(12, 2);
    run.all_logits = true;
    std::uint64_t steps = 0;
    for (std::uint64_t i = 0; i < 12; ++i) {
      steps += totals(transformer_workload(model, decode(i, 2))).counts.macs;
    }
    EXPECT_EQ(totals(transformer_workload(model, run)).counts.macs, steps) << name;
  }
}

TEST(Transformer, LinearInTheBatch) {
  for (const Json& each : models()) {
    const std::string name = each["name"];
    const Counts one = totals(transformer_workload(config(name), prefill(16))).counts;
    const Counts five = totals(transformer_workload(config(name), prefill(16, 5))).counts;
    EXPECT_EQ(five.macs, 5 * one.macs) << name;
    EXPECT_EQ(five.other_ops, 5 * one.other_ops) << name;
  }
}

TEST(Transformer, ExpertsTouchedByABatch) {
  const auto read = [](std::uint64_t batch) {
    for (const Operator& each :
         transformer_workload(config("mixtral-8x7b"), decode(10, batch)).operators) {
      if (each.kind == KernelKind::Experts) return each;
    }
    throw InternalError("no experts");
  };
  const double all = 8.0 * 3 * 4096 * 14336 * 2;
  EXPECT_NEAR(read(1).weight_read_bytes, all * 2 / 8, 1);
  EXPECT_NEAR(read(4).weight_read_bytes, all * (1 - std::pow(0.75, 4)), 1);
  EXPECT_EQ(read(4).counts.macs, 4u * 2 * 3 * 4096 * 14336);
  EXPECT_EQ(static_cast<double>(read(4).weight_bytes), all);
}

TEST(Transformer, TrainingIsThreeForwardsAndSixN) {
  const TransformerConfig model = config("llama-3.1-8b");
  TransformerRun once = prefill(128, 2);
  once.all_logits = true;
  const std::uint64_t forward = totals(transformer_workload(model, once)).counts.macs;
  TransformerRun run = train(128, 2);
  EXPECT_EQ(totals(transformer_workload(model, run)).counts.macs, 3 * forward);
  run.recompute = Recompute::Full;
  const std::uint64_t head = std::uint64_t{2} * 128 * 4096 * 128256;
  EXPECT_EQ(totals(transformer_workload(model, run)).counts.macs, 4 * forward - head);
  // 6 N D with N without the embedding's table, and attention on top.
  const double n = 8030261248.0 - 128256.0 * 4096;
  EXPECT_NEAR(6 * static_cast<double>(forward) / (6 * n * 256), 1, 0.01);
}

// Korthikanti et al., arXiv 2205.05198, equation 2 and table 3 (GPT-3 175 B: s 2048, b 1, h 12288,
// a 96, L 96): s b h L (34 + 5 a s / h).
TEST(Transformer, ActivationsKeptForTheBackwardPass) {
  const TransformerConfig model = parse_transformer_config(
      R"({"model_type": "gpt2", "n_embd": 12288, "n_layer": 96, "n_head": 96,
          "n_positions": 2048, "vocab_size": 51200})",
      "gpt3");
  const double sbhl = 2048.0 * 12288 * 96;
  TransformerRun run = train(2048);
  EXPECT_EQ(static_cast<double>(transformer_workload(model, run).activation_bytes),
            sbhl * (34 + 5 * 96 * 2048.0 / 12288));
  run.recompute = Recompute::Selective;
  EXPECT_EQ(static_cast<double>(transformer_workload(model, run).activation_bytes), sbhl * 34);
  run.recompute = Recompute::Full;
  EXPECT_EQ(static_cast<double>(transformer_workload(model, run).activation_bytes), sbhl * 2);
}

TEST(Transformer, CommunicationVolumes) {
  TransformerRun run = train(1024, 8);
  run.tensor = 4;
  run.data = 2;
  run.pipeline = 2;
  const Workload workload = transformer_workload(config("llama-3.1-8b"), run);
  const double state = 4.0 * 1024 * 4096 * 2;  // four sequences a replica, 16 bits
  double tensor = 0, data = 0, pipeline = 0;
  for (const Operator& each : workload.operators) {
    const auto* shape = std::get_if<CommunicationShape>(&each.shape);
    if (shape == nullptr) continue;
    const double sent = shape->sent_bytes * static_cast<double>(each.repeats);
    (shape->parallelism == Parallelism::Tensor ? tensor
     : shape->parallelism == Parallelism::Data ? data
                                               : pipeline) += sent;
  }
  EXPECT_DOUBLE_EQ(tensor, 32 * 4 * 1.5 * state);
  EXPECT_DOUBLE_EQ(data, 2 * 0.5 * 8030261248.0 * 2 / 8);
  EXPECT_DOUBLE_EQ(pipeline, 2 * state);

  run = decode(100, 64);
  run.expert = 8;
  double expert = 0;
  for (const Operator& each : transformer_workload(config("deepseek-v3"), run).operators) {
    if (const auto* shape = std::get_if<CommunicationShape>(&each.shape)) {
      expert += shape->sent_bytes * static_cast<double>(each.repeats);
    }
  }
  EXPECT_DOUBLE_EQ(expert, 58 * 2 * (7.0 / 8) * 8 * 8 * 7168 * 2);
}

TEST(Transformer, InconsistentParallelismIsRefused) {
  const auto said = [](const char* name, TransformerRun run) {
    return thrown<InputError>([&] { transformer_workload(config(name), run); });
  };
  TransformerRun run = train(8, 3);
  run.data = 2;
  EXPECT_EQ(said("gpt2", run), "parallelism: a batch of 3 does not divide among 2 replicas");
  run = prefill(8);
  run.tensor = 5;
  EXPECT_EQ(said("gpt2", run), "parallelism: 12 heads do not divide among 5 devices");
  run.tensor = 1;
  run.pipeline = 13;
  EXPECT_EQ(said("gpt2", run), "parallelism: 13 stages for 12 layers");
  run.pipeline = 1;
  run.expert = 2;
  EXPECT_EQ(said("gpt2", run), "parallelism: expert parallelism needs experts");
  run.expert = 5;
  EXPECT_EQ(said("mixtral-8x7b", run), "parallelism: 8 experts do not divide among 5 devices");
  EXPECT_EQ(said("gpt2", prefill(1025)), "gpt2: 1025 tokens, it has 1024 positions");
  EXPECT_EQ(said("bert-base", decode(5)), "bert: an encoder does not decode");
  EXPECT_THROW(transformer_workload(config("llama-3.1-405b"), train(1u << 30, 1u << 20)),
               InputError);
}

TEST(Transformer, BadConfigurationsSayWhatIsNeeded) {
  const auto said = [](const char* text) {
    return thrown<InputError>([&] { parse_transformer_config(text, "config.json"); });
  };
  EXPECT_EQ(said("[1]"), "config.json: a JSON object, as in config.json, is needed");
  EXPECT_EQ(said("{}"), "config.json: model_type: needed, such as `llama`");
  EXPECT_EQ(said(R"({"model_type": "lama"})"),
            "config.json: model_type: `lama` is not known; did you mean `llama`?");
  EXPECT_EQ(said(R"({"model_type": "llama"})"),
            "config.json: hidden_size: needed for model_type `llama`");
  EXPECT_EQ(said(R"({"model_type": "llama", "hidden_size": -4})"),
            "config.json: hidden_size: a whole number, 1 ... 2^31 - 1, is needed");
  EXPECT_EQ(said(R"({"model_type": "llama", "hidden_size": 64, "vocab_size": 10,
                     "num_attention_heads": 8, "num_key_value_heads": 3})"),
            "config.json: num_key_value_heads: divides num_attention_heads");
  // A default that is taken is said.
  const TransformerConfig t5 = parse_transformer_config(
      R"({"model_type": "t5", "d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8,
          "vocab_size": 32128})",
      "config.json");
  ASSERT_FALSE(t5.notes.empty());
  EXPECT_EQ(t5.notes[0], "d_kv: 64, the default of `t5`");
  EXPECT_THROW(read_transformer_config("/nowhere/config.json"), InputFileError);
}

/// Sizes that the makers state: 3.88e9 (Gemma 3 report, 4B, embedding 675e6 and 3,209e6 besides),
/// 8.89e9 (Nemotron Nano 2 model card), 400e9 of which 17e9 are met (Llama 4 model card).
TEST(Transformer, ConfigurationsThatLeaveOutOrMixLayersHaveTheStatedSize) {
  const auto size = [](const char* text) {
    return transformer_workload(parse_transformer_config(text, "config.json"), prefill(4));
  };
  const auto gemma = size(R"({"model_type": "gemma3", "text_config": {"hidden_size": 2560,
      "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
      "sliding_window": 1024}})");
  EXPECT_NEAR(static_cast<double>(gemma.parameters), 3.88e9, 0.01e9);
  const auto nemotron = size(R"({"model_type": "nemotron_h", "hidden_size": 4480,
      "num_hidden_layers": 56, "vocab_size": 131072, "num_attention_heads": 40,
      "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 15680,
      "mamba_num_heads": 128, "mamba_head_dim": 80, "ssm_state_size": 128, "n_groups": 8,
      "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"})");
  EXPECT_NEAR(static_cast<double>(nemotron.parameters), 8.89e9, 0.02e9);
  const auto maverick = size(R"({"model_type": "llama4", "text_config": {
      "model_type": "llama4_text", "hidden_size": 5120, "num_hidden_layers": 48,
      "vocab_size": 202048, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128,
      "intermediate_size": 8192, "intermediate_size_mlp": 16384, "num_local_experts": 128,
      "num_experts_per_tok": 1, "interleave_moe_layer_step": 2}})");
  EXPECT_NEAR(static_cast<double>(maverick.parameters), 400e9, 2e9);
  EXPECT_NEAR(static_cast<double>(maverick.active_parameters), 17e9, 1e9);
  EXPECT_THROW(size(R"({"model_type": "nemotron_h", "hidden_size": 64, "num_hidden_layers": 3,
      "vocab_size": 100, "num_attention_heads": 4, "intermediate_size": 64, "mamba_num_heads": 4,
      "hybrid_override_pattern": "M?-"})"),
               InputError);
}

}  // namespace
}  // namespace carnot::model
