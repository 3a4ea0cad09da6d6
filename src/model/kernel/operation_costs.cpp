// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/kernel/operation_costs.hpp"

#include <array>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/model/kernel/kernel_energy.hpp"

namespace carnot::model {

namespace {

constexpr double kCacheRate = 5e12;              // B/s of a card's second-level cache: assumed
constexpr double kCacheGain = 2;                 // over DRAM's rate: assumed
constexpr double kSide = 8192;                   // of the square product
constexpr std::string_view kFramework = "vllm";  // whose kernels most cards were measured with

OperationCost cost(std::string_view key, double energy, double low, double high, double per_second,
                   Grade grade, std::string source) {
  return {std::string(key), energy * picojoule, low * picojoule,
          high * picojoule, per_second,         grade,
          std::move(source)};
}

std::vector<OperationCost> of_circuits(const Chip& chip) {
  const auto pj = [&](const char* property) { return chip.at(property).value; };
  const Chip& card = ChipCatalogue::embedded().chip("a100-sxm-40");
  const auto macs = [&](const char* peak) { return 0.5e12 * card.at(peak).value; };
  const std::string published = chip.at("op.fp32_add").source;
  const std::string modelled = published + " (modelled)";
  // Without a range of the source, published tables of one process lie 30 % apart.
  const auto sum = [&](std::string_view key, double value, double rate) {
    return cost(key, value, 0.7 * value, 1.3 * value, rate, Grade::Estimate, published);
  };
  const auto twofold = [&](std::string_view key, double value, double rate) {
    return cost(key, value, 0.5 * value, 2.0 * value, rate, Grade::Derived, modelled);
  };
  const auto byte = [&](std::string_view key, const char* property, double rate) {
    const ChipValue& v = chip.at(property);
    return cost(key, v.value, v.has_range ? v.low : 0.7 * v.value,
                v.has_range ? v.high : 1.3 * v.value, rate, v.grade, v.source);
  };
  const double add = pj("op.fp32_add"), multiply = pj("op.fp32_multiply");
  const double add32 = pj("op.int32_add"), multiply8 = pj("op.int8_multiply");
  const double half = pj(chip.find("op.bf16_multiply") ? "op.bf16_multiply" : "op.fp16_multiply");
  const double scaled = multiply + add + add32;
  const double each = macs("fp32");
  return {sum("f32_mac", multiply + add, each),
          twofold("bf16_mac", half + add, macs("bf16")),
          sum("int8_mac", multiply8 + add32, macs("int8")),
          twofold("int4_mac", multiply8 / 4 + add32, macs("int4")),
          twofold("int2_mac", multiply8 / 16 + add32, macs("int4")),
          cost("f32_elementwise", (add + multiply) / 2, add, multiply, each, Grade::Estimate,
               published),
          cost("rounding", scaled, add + add32, 2 * scaled, each, Grade::Derived, modelled),
          twofold("special", 6 * (multiply + add), each / 4),
          sum("int32_add", add32, each),
          byte("cache", "byte.sram_1mb", kCacheRate),
          byte("dram", "byte.dram", 1e9 * card.at("bandwidth").value)};
}

std::vector<OperationCost> of_card(const Chip& chip) {
  const KernelModel& model = KernelModel::embedded();
  const auto of_kernel = [&](std::string_view key, const KernelWork& work, double count) {
    const KernelPrediction made = model.predict(work, chip, kFramework);
    const auto pj = [&](Energy energy) { return 1e12 / count * energy.in(joule); };
    return cost(key, pj(made.energy.value()), pj(made.energy.low()), pj(made.energy.high()),
                count / made.time.value().in(second), Grade::Derived,
                chip.id + ": " + made.coefficients + " (modelled)");
  };
  const double macs = kSide * kSide * kSide;
  const auto product = [&](std::string_view key, const char* format) {
    return of_kernel(key, gemm_work(kSide, kSide, kSide, format), macs);
  };
  const KernelWork conversion = quantise_work(1 << 30, 3.0);
  const OperationCost dram = of_kernel("dram", conversion, conversion.bytes);
  const double sram = ChipCatalogue::embedded().chip("asic-7nm").at("byte.sram_1mb").value;
  const double most = dram.energy.in(picojoule);
  const bool has8 = chip.find("fp8") != nullptr, has4 = chip.find("fp4") != nullptr;
  const char* const eight = has8 ? "fp8" : "bfloat16";
  const char* const four = has4 ? "nvfp4" : eight;
  // Outside the tensor units the limit binds first.
  const double each = 0.5e12 * chip.at("fp32").value;
  const double mac = 1e12 * chip.at("tdp").value / each;
  const auto lane = [&](std::string_view key, double value, double rate) {
    return cost(key, value, value / 1.5, 1.5 * value, rate, Grade::Derived,
                chip.id + ": tdp over fp32 peak (modelled)");
  };
  return {lane("f32_mac", mac, each),
          product("bf16_mac", "bfloat16"),
          product("int8_mac", eight),
          product("int4_mac", four),
          product("int2_mac", four),
          lane("f32_elementwise", mac / 2, 2 * each),
          lane("rounding", mac, each),
          lane("special", 6 * mac, each / 6),
          lane("int32_add", mac / 2, 2 * each),
          cost("cache", std::sqrt(sram * most), sram, most, kCacheGain * dram.per_second,
               Grade::Derived, chip.id + ": from asic-7nm to dram (modelled)"),
          dram};
}

}  // namespace

std::vector<OperationCost> operation_costs(const Chip& chip) {
  constexpr std::array<const char*, 7> kCircuits = {
      "op.fp32_add",      "op.fp32_multiply", "op.int32_add", "op.int8_multiply",
      "op.fp16_multiply", "byte.sram_1mb",    "byte.dram"};
  constexpr std::array<const char*, 8> kSheet = {"fp32",  "bandwidth", "l2",  "units",
                                                 "clock", "die",       "tdp", "bf16"};
  const auto missing = [&](const auto& wanted) {
    std::string out;
    for (const char* property : wanted)
      if (property != nullptr && chip.find(property) == nullptr) {
        if (std::string_view(property) == "bf16" && chip.find("fp16") != nullptr) continue;
        out += (out.empty() ? "" : ", ") + std::string(property);
      }
    return out;
  };
  if (chip.find("op.fp32_add") != nullptr) {
    if (const std::string lacks = missing(kCircuits); !lacks.empty())
      throw InputError("chip " + chip.id + ": a cost of operations needs also " + lacks);
    return of_circuits(chip);
  }
  if (const std::string lacks = missing(kSheet); !lacks.empty())
    throw InputError("chip " + chip.id +
                     ": a cost of operations needs published circuits (op.*, byte.*) or a sheet "
                     "that the kernel model reads; it lacks " +
                     lacks);
  return of_card(chip);
}

}  // namespace carnot::model
