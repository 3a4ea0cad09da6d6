// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/kernel/kernel_energy.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"

#include "model/kernel/testing_golden.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

const Chip& chip(const char* id) { return ChipCatalogue::embedded().chip(id); }

double joules(const KernelWork& work, const char* id, const char* framework = "vllm") {
  return KernelModel::embedded().predict(work, chip(id), framework).energy.value().in(joule);
}

TEST(KernelWork, CountsOfAProductAreExact) {
  const auto work = gemm_work(130, 257, 4096, "bfloat16");
  EXPECT_DOUBLE_EQ(work.flops, 2.0 * 130 * 257 * 4096);
  EXPECT_DOUBLE_EQ(work.bytes, 2.0 * (130 * 4096 + 4096 * 257 + 130 * 257));
  EXPECT_DOUBLE_EQ(work.blocks, 6);
  // Narrow weights: half a byte and a sixteenth of a byte of scale; activations are read in 16 bits
  // and written in 4 on the way.
  EXPECT_DOUBLE_EQ(gemm_work(16, 32, 64, "nvfp4").bytes,
                   32 * 64 * 0.5625 + 16 * 64 * 2.5 + 2 * 16 * 32);
  EXPECT_THROW(gemm_work(0, 1, 1, "bfloat16"), InputError);
  EXPECT_THROW(gemm_work(1, std::nan(""), 1, "bfloat16"), InputError);
  try {
    gemm_work(1, 1, 1, "nvpf4");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean `nvfp4`?"));
  }
}

RC_GTEST_PROP(KernelWork, CausalPairsEqualTheSum, ()) {
  const auto length = *rc::gen::inRange(1, 60);
  const auto window = *rc::gen::inRange(0, 80);
  const auto prefix = *rc::gen::inRange(0, 60);
  double sum = 0;
  for (int i = 1; i <= length; ++i) {
    sum += window > 0 ? std::min(prefix + i, window) : prefix + i;
  }
  RC_ASSERT(std::abs(causal_pairs(length, window, prefix) - sum) < 1e-6);
}

TEST(KernelWork, ExpertsReadOnlyWhatIsTouched) {
  ExpertsSize size{.tokens = 1, .hidden = 64, .intermediate = 32, .chosen = 2, .experts = 8};
  const auto one = experts_work(size, "bfloat16");
  EXPECT_DOUBLE_EQ(one.bytes, 2 * 3 * 64 * 32 * 2 + 2 * (4 * 64 + 4 * 32) + 2 * 64);
  size.tokens = 1000;
  EXPECT_GT(experts_work(size, "bfloat16").bytes, 8 * 3 * 64 * 32 * 2);
  size.chosen = 9;
  EXPECT_THROW(experts_work(size, "bfloat16"), InputError);
}

/// Rows written by `tools/fit_kernel_model golden`, a second implementation of the formula.
TEST(KernelModel, AgreesWithTheSecondImplementation) {
  std::size_t rows = 0;
  for (const auto& [line, cell] : golden_rows("kernel/kernel_golden.csv")) {
    ASSERT_EQ(cell.size(), 15u);
    KernelWork work;
    work.flops = parse_number(cell[5]);
    work.bits = parse_number(cell[6]);
    work.flops16 = parse_number(cell[7]);
    work.flops8 = parse_number(cell[8]);
    work.exponentials = parse_number(cell[9]);
    work.bytes = parse_number(cell[10]);
    work.blocks = parse_number(cell[11]);
    work.chain = parse_number(cell[12]);
    const auto& on = chip(cell[4].c_str());
    const auto point = KernelModel::embedded().evaluate(
        work, on, cell[0] + "|" + cell[1] + "|" + cell[2] + "|" + cell[3], on.at("tdp").value);
    EXPECT_NEAR(point.seconds / parse_number(cell[13]), 1, 1e-9) << line;
    EXPECT_NEAR(point.watts / parse_number(cell[14]), 1, 1e-9) << line;
    ++rows;
  }
  EXPECT_GE(rows, 50u);
}

TEST(KernelModel, IntervalsAreOrderedAndWiderForACardNeverMeasured) {
  const auto work = gemm_work(4096, 4096, 4096, "bfloat16");
  const auto& model = KernelModel::embedded();
  const auto seen = model.predict(work, chip("b200"), "vllm");
  const auto unseen = model.predict(work, chip("a100-sxm-80"), "vllm");
  EXPECT_TRUE(seen.card_known);
  EXPECT_FALSE(unseen.card_known);
  const auto width = [](const KernelPrediction& p) { return p.energy.high() / p.energy.low(); };
  EXPECT_GT(width(unseen), width(seen));
  for (const auto* p : {&seen, &unseen}) {
    EXPECT_LT(p->energy.low(), p->energy.value());
    EXPECT_LT(p->energy.value(), p->energy.high());
    EXPECT_LE(p->power.high().in(watt), 1050);
    EXPECT_EQ(p->energy.origin(), Origin::Modelled);
    EXPECT_EQ(p->energy.boundary(), Boundary::Chip);
    EXPECT_NEAR(p->energy.value().in(joule), p->time.value().in(second)*p->power.value().in(watt),
                1e-12);
  }
  // Never faster than the data sheet's peak.
  EXPECT_GT(unseen.time.value().in(second), work.flops / 312e12);
}

TEST(KernelModel, ACardOfTheSameBuildServesOneNeverMeasured) {
  const auto& model = KernelModel::embedded();
  const auto work = gemm_work(4096, 4096, 4096, "bfloat16");
  const auto of = [&](const char* id) { return model.predict(work, chip(id), "vllm"); };
  EXPECT_EQ(of("gb200").coefficients, "gemm|bfloat16|vllm|b200");
  EXPECT_EQ(of("h100-sxm").coefficients, "gemm|bfloat16|vllm|h200-sxm");
  EXPECT_EQ(of("a100-sxm-80").coefficients, "gemm|bfloat16|vllm|*");
  EXPECT_FALSE(of("gb200").card_known);
}

TEST(KernelModel, UnknownFormatsFrameworksAndClassesFallBackAndSaySo) {
  const auto& model = KernelModel::embedded();
  auto work = gemm_work(128, 4096, 4096, "int4_wo");
  const auto p = model.predict(work, chip("b200"), "nobody");
  EXPECT_FALSE(p.card_known);
  EXPECT_EQ(p.coefficients, "gemm|*|*|*");
  EXPECT_THROW(model.predict(work, chip("epyc-9654")), InputError);
  EXPECT_THROW(model.predict(work, chip("b200"), "vllm", -5.0 * watt), InputError);
  EXPECT_THROW(model.evaluate(work, chip("b200"), "gem|*|*|*", 1000), InputError);
}

RC_GTEST_PROP(KernelModel, EnergyAndTimeGrowWithTheProduct, ()) {
  // Whole tiles, so that a fuller last wave cannot make more work cost less. The larger product
  // has twice the rows: within one format, framework and card its joules must not be fewer.
  const auto m = 128.0 * *rc::gen::inRange(1, 64);
  const auto n = 128.0 * *rc::gen::inRange(1, 64);
  const auto k = 128.0 * *rc::gen::inRange(1, 64);
  const auto* id = *rc::gen::element("h200-sxm", "b200", "a100-sxm-80", "gb200");
  const auto* format = *rc::gen::element("bfloat16", "fp8_block", "nvfp4");
  const auto base = joules(gemm_work(m, n, k, format), id);
  RC_ASSERT(joules(gemm_work(2 * m, n, k, format), id) >= 0.999 * base);
  RC_ASSERT(joules(gemm_work(m, 2 * n, k, format), id) >= 0.999 * base);
  RC_ASSERT(joules(gemm_work(m, n, 2 * k, format), id) >= 0.999 * base);
}

RC_GTEST_PROP(KernelModel, EnergyGrowsWithBytes, ()) {
  auto work = gemm_work(1, 4096, 4096, "bfloat16");
  work.bytes = *rc::gen::inRange(1, 1 << 30);
  const auto base = joules(work, "h200-sxm");
  work.bytes *= 1.5;
  RC_ASSERT(joules(work, "h200-sxm") >= 0.999 * base);
}

TEST(KernelModel, BadTablesAreNamedByLineAndField) {
  const auto thrown = [](const std::string& rows) -> std::string {
    const auto header = read_file(std::string(CARNOT_SOURCE_DIR) + "/data/kernel_model.csv");
    try {
      KernelModel::parse(header.substr(0, header.find('\n') + 1) + rows, "own.csv");
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(thrown("gemm,*,*,*,1,2\n"), HasSubstr("own.csv:2: row: 23 cells"));
  EXPECT_THAT(thrown("gemm,interval,known,*,2,1\n"), HasSubstr("own.csv:2: high: at least low"));
  EXPECT_THAT(thrown("gemm,interval,perhaps,*,1,2\n"), HasSubstr("known or unknown"));
  EXPECT_THAT(thrown("gemm,*,*,*,x,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"),
              HasSubstr("a number from -100 to 100"));
  EXPECT_THAT(thrown(""), HasSubstr("at least one"));
  EXPECT_THROW(KernelModel::parse("a,b\n", "own.csv"), InputError);
}

}  // namespace
}  // namespace carnot::model
