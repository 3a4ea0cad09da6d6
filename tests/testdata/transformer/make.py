# SPDX-License-Identifier: Apache-2.0
"""Writes models.json: configurations with the parameters and products an independent source counts.

  make.py > models.json

`config` holds the keys of the published config.json that shape a model. `parameters` are those of
the module that the library `transformers` builds from it, on the meta device: no weights, nothing
fetched. `macs` are torch's own FlopCounterMode / 2 over one forward pass of `tokens` tokens with
every logit and full (not causal) attention, where torch can count it.
"""
import json
import sys

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

LLAMA = dict(model_type="llama", hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
             num_attention_heads=32, num_key_value_heads=8, vocab_size=128256)
QWEN3 = dict(model_type="qwen3", vocab_size=151936, head_dim=128)
DEEPSEEK = dict(model_type="deepseek_v3", hidden_size=7168, intermediate_size=18432, moe_intermediate_size=2048,
                num_hidden_layers=61, num_attention_heads=128, num_key_value_heads=128, q_lora_rank=1536,
                kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128, n_routed_experts=256,
                n_shared_experts=1, num_experts_per_tok=8, first_k_dense_replace=3, vocab_size=129280)
MODELS = {
    "gpt2": dict(model_type="gpt2", n_embd=768, n_layer=12, n_head=12, n_positions=1024, vocab_size=50257),
    "gpt2-xl": dict(model_type="gpt2", n_embd=1600, n_layer=48, n_head=25, n_positions=1024, vocab_size=50257),
    "opt-125m": dict(model_type="opt", hidden_size=768, ffn_dim=3072, num_hidden_layers=12, num_attention_heads=12,
                     max_position_embeddings=2048, vocab_size=50272, word_embed_proj_dim=768),
    "gpt-neox-20b": dict(model_type="gpt_neox", hidden_size=6144, intermediate_size=24576, num_hidden_layers=44,
                         num_attention_heads=64, vocab_size=50432, tie_word_embeddings=False),
    "bert-base": dict(model_type="bert", hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                      intermediate_size=3072, max_position_embeddings=512, type_vocab_size=2, vocab_size=30522),
    "bert-large": dict(model_type="bert", hidden_size=1024, num_hidden_layers=24, num_attention_heads=16,
                       intermediate_size=4096, max_position_embeddings=512, type_vocab_size=2, vocab_size=30522),
    "roberta-base": dict(model_type="roberta", hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                         intermediate_size=3072, max_position_embeddings=514, type_vocab_size=1, vocab_size=50265),
    "vit-base": dict(model_type="vit", hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                     intermediate_size=3072, image_size=224, patch_size=16, num_channels=3, num_labels=1000),
    "t5-base": dict(model_type="t5", d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12, vocab_size=32128),
    "flan-t5-xl": dict(model_type="t5", d_model=2048, d_kv=64, d_ff=5120, num_layers=24, num_heads=32,
                       vocab_size=32128, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "llama-2-7b": dict(model_type="llama", hidden_size=4096, intermediate_size=11008, num_hidden_layers=32,
                       num_attention_heads=32, num_key_value_heads=32, vocab_size=32000),
    "llama-3.1-8b": LLAMA,
    "llama-3.1-70b": {**LLAMA, "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
                      "num_attention_heads": 64},
    "llama-3.1-405b": {**LLAMA, "hidden_size": 16384, "intermediate_size": 53248, "num_hidden_layers": 126,
                       "num_attention_heads": 128},
    "llama-3.2-1b": {**LLAMA, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
                     "head_dim": 64, "tie_word_embeddings": True},
    "mistral-7b-v0.1": dict(model_type="mistral", hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                            num_attention_heads=32, num_key_value_heads=8, vocab_size=32000, sliding_window=4096),
    "mixtral-8x7b": dict(model_type="mixtral", hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                         num_attention_heads=32, num_key_value_heads=8, vocab_size=32000, num_local_experts=8,
                         num_experts_per_tok=2, sliding_window=None),
    "qwen2.5-7b": dict(model_type="qwen2", hidden_size=3584, intermediate_size=18944, num_hidden_layers=28,
                       num_attention_heads=28, num_key_value_heads=4, vocab_size=152064, tie_word_embeddings=False),
    "qwen2-57b-a14b": dict(model_type="qwen2_moe", hidden_size=3584, intermediate_size=18944, num_hidden_layers=28,
                           num_attention_heads=28, num_key_value_heads=4, vocab_size=151936, num_experts=64,
                           num_experts_per_tok=8, moe_intermediate_size=2560,
                           shared_expert_intermediate_size=20480),
    "qwen3-0.6b": {**QWEN3, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
                   "num_attention_heads": 16, "num_key_value_heads": 8, "tie_word_embeddings": True},
    "qwen3-8b": {**QWEN3, "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
                 "num_attention_heads": 32, "num_key_value_heads": 8, "tie_word_embeddings": False},
    "qwen3-30b-a3b": {**QWEN3, "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144,
                      "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
                      "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768,
                      "tie_word_embeddings": False},
    "qwen3-next-80b-a3b": dict(model_type="qwen3_next", hidden_size=2048, intermediate_size=5120,
                               num_hidden_layers=48, num_attention_heads=16, num_key_value_heads=2, head_dim=256,
                               vocab_size=151936, num_experts=512, num_experts_per_tok=10,
                               moe_intermediate_size=512, shared_expert_intermediate_size=512,
                               linear_num_key_heads=16, linear_num_value_heads=32, linear_key_head_dim=128,
                               linear_value_head_dim=128, linear_conv_kernel_dim=4, tie_word_embeddings=False),
    "gemma-7b": dict(model_type="gemma", hidden_size=3072, intermediate_size=24576, num_hidden_layers=28,
                     num_attention_heads=16, num_key_value_heads=16, head_dim=256, vocab_size=256000),
    "gemma-2-9b": dict(model_type="gemma2", hidden_size=3584, intermediate_size=14336, num_hidden_layers=42,
                       num_attention_heads=16, num_key_value_heads=8, head_dim=256, vocab_size=256000,
                       sliding_window=4096),
    "gemma-3-1b": dict(model_type="gemma3_text", hidden_size=1152, intermediate_size=6912, num_hidden_layers=26,
                       num_attention_heads=4, num_key_value_heads=1, head_dim=256, vocab_size=262144,
                       sliding_window=512),
    "phi-3-mini": dict(model_type="phi3", hidden_size=3072, intermediate_size=8192, num_hidden_layers=32,
                       num_attention_heads=32, num_key_value_heads=32, vocab_size=32064, sliding_window=2047),
    "deepseek-v2-lite": {**DEEPSEEK, "model_type": "deepseek_v2", "hidden_size": 2048, "intermediate_size": 10944,
                         "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
                         "num_key_value_heads": 16, "q_lora_rank": None, "n_routed_experts": 64,
                         "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
                         "vocab_size": 102400},
    "deepseek-v3": DEEPSEEK,
    "gpt-oss-20b": dict(model_type="gpt_oss", hidden_size=2880, intermediate_size=2880, num_hidden_layers=24,
                        num_attention_heads=64, num_key_value_heads=8, head_dim=64, vocab_size=201088,
                        num_local_experts=32, num_experts_per_tok=4, sliding_window=128),
    "mamba-130m": dict(model_type="mamba", hidden_size=768, num_hidden_layers=24, state_size=16, conv_kernel=4,
                       expand=2, time_step_rank=48, vocab_size=50280),
    "mamba2-2.7b": dict(model_type="mamba2", hidden_size=2560, num_hidden_layers=64, state_size=128, num_heads=80,
                        head_dim=64, n_groups=1, expand=2, vocab_size=50288, tie_word_embeddings=True),
}
FLOPS = ("gpt2", "bert-base", "bert-large", "vit-base", "llama-3.1-8b", "llama-3.2-1b", "qwen3-0.6b", "qwen2.5-7b",
         "gemma-7b", "mistral-7b-v0.1", "phi-3-mini", "t5-base")


def build(config):
    made = transformers.AutoConfig.for_model(**config)
    made._attn_implementation = "eager"
    kind = config["model_type"]
    auto = {"bert": transformers.AutoModel, "roberta": transformers.AutoModel,
            "vit": transformers.AutoModelForImageClassification,
            "t5": transformers.AutoModelForSeq2SeqLM}.get(kind, transformers.AutoModelForCausalLM)
    with torch.device("meta"):
        return auto.from_config(made).eval()


def macs(net, config, tokens):
    with torch.device("meta"):
        if config["model_type"] == "vit":
            sample = dict(pixel_values=torch.zeros(1, 3, 224, 224))
        else:
            sample = dict(input_ids=torch.zeros(1, tokens, dtype=torch.long))
        if config["model_type"] == "t5":
            sample["decoder_input_ids"] = sample["input_ids"]
        with FlopCounterMode(display=False) as counter:
            net(**sample)
    return counter.get_total_flops() // 2


def main():
    made = []
    for name, config in MODELS.items():
        try:
            net = build(config)
            row = dict(name=name, config=config, parameters=sum(p.numel() for p in net.parameters()))
            extra = sum(b.numel() for n, b in net.named_buffers() if n.endswith("e_score_correction_bias"))
            if extra:
                row["parameters"] += extra  # stored beside the parameters and trained by a rule
            if config.get("tie_word_embeddings") is False and config["model_type"] == "t5":
                # This library ties T5's head whatever the file says; checkpoints of T5 1.1 hold it apart.
                if net.lm_head.weight is net.shared.weight:
                    row["parameters"] += config["vocab_size"] * config["d_model"]
            if name in FLOPS:
                row["tokens"] = 128
                row["macs"] = macs(net, config, 128)
            made.append(row)
        except Exception as problem:  # a family this version of the library lacks
            print(name, repr(problem)[:300], file=sys.stderr)
    print("[\n" + ",\n".join(json.dumps(row) for row in made) + "\n]")


main()
