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
  std::size_t rows = 0, corrected = 0;
  for (const auto& [line, cell] : golden_rows("kernel/kernel_golden.csv")) {
    ASSERT_EQ(cell.size(), 17u);
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
    // What is served: the nearest row, corrected where the card or its twin was measured.
    auto kind = KernelClass::Gemm;
    for (int k = 0; k <= static_cast<int>(KernelClass::Scan); ++k)
      if (name(static_cast<KernelClass>(k)) == cell[0]) kind = static_cast<KernelClass>(k);
    const auto row = KernelModel::embedded().find(kind, cell[1], cell[2], on);
    const auto served = KernelModel::evaluate(work, kernel_sheet(on), row, on.at("tdp").value);
    EXPECT_NEAR(served.seconds / parse_number(cell[15]), 1, 1e-9) << line;
    EXPECT_NEAR(served.watts / parse_number(cell[16]), 1, 1e-9) << line;
    corrected += row.trees != nullptr;
    ++rows;
  }
  EXPECT_GE(rows, 50u);
  EXPECT_GE(corrected, 20u);
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
  EXPECT_EQ(of("gb200").twin, "b200");
  EXPECT_EQ(of("b200").twin, "");
  EXPECT_EQ(of("a100-sxm-80").twin, "");
  // A twin's range is that of the measured card and a tenth either way, not that of a stranger.
  const auto width = [&](const char* id) { return of(id).energy.high() / of(id).energy.low(); };
  EXPECT_NEAR(width("gb200") / width("b200"), 1.21, 1e-9);
  EXPECT_LT(width("gb200"), width("a100-sxm-80"));
}

TEST(KernelModel, ATwinDrawsTheMeasuredWattsUpToItsOwnCap) {
  // Few blocks, far below any cap: the same silicon at the same work draws the same watts, though
  // the GB200 may draw 1200 W and the B200 1000 W.
  const auto small = gemm_work(16, 1024, 4096, "bfloat16");
  const auto& model = KernelModel::embedded();
  const double b200 = model.predict(small, chip("b200"), "vllm").power.value().in(watt);
  const double gb200 = model.predict(small, chip("gb200"), "vllm").power.value().in(watt);
  EXPECT_NEAR(gb200 / b200, 1, 0.05);
  // A lower limit leaves what is far below it as it was, and bends what is not.
  const auto large = gemm_work(8192, 8192, 8192, "bfloat16");
  const auto at = [&](const KernelWork& work, double limit) {
    return model.predict(work, chip("b200"), "vllm", limit * watt).power.value().in(watt);
  };
  EXPECT_NEAR(at(small, 800) / at(small, 1000), 1, 0.02);
  EXPECT_LE(at(large, 800), 800);
}

TEST(KernelModel, TreesAreSummedAsAPlainWalkWould) {
  // Two trees by hand: time by memory (feature 3), power by the code of the card (feature 14).
  const std::string trees =
      "class,kind,value\ngemm,format,bfloat16\ngemm,framework,vllm\ngemm,card,b200 h200-sxm\n"
      "gemm,time,3:-9 =0.5 3:-5 =0.25 =-0.5\ngemm,time,=0.125\ngemm,power,14:0.5 =-0.25 =0.0625\n";
  const auto csv = read_file(std::string(CARNOT_SOURCE_DIR) + "/data/kernel_model.csv");
  auto model = KernelModel::parse(csv, "own.csv");
  const auto bare = model;
  model.correct(trees, "trees.csv");
  for (const double m : {16.0, 4096.0, 32768.0}) {
    const auto work = gemm_work(m, 8192, 8192, "bfloat16");
    for (const char* id : {"b200", "h200-sxm"}) {
      const auto before = bare.predict(work, chip(id), "vllm");
      const auto after = model.predict(work, chip(id), "vllm");
      const double memory = std::log(work.bytes / (chip(id).at("bandwidth").value * 1e9));
      const double longer = (memory <= -9 ? 0.5 : memory <= -5 ? 0.25 : -0.5) + 0.125;
      EXPECT_NEAR(after.time.value() / before.time.value(), std::exp(longer), 1e-9);
      const double more = std::string(id) == "b200" ? -0.25 : 0.0625;
      EXPECT_NEAR(after.power.value().in(watt),
                  std::min(before.power.value().in(watt)*std::exp(more), chip(id).at("tdp").value),
                  1e-9);
    }
    // Neither another format nor another maker is corrected.
    EXPECT_EQ(model.predict(work, chip("b200"), "trtllm").time.value(),
              bare.predict(work, chip("b200"), "trtllm").time.value());
  }
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
  // Of the formula alone: on a measured card a larger product may cost a little less, as in truth.
  // Whole tiles, so that a fuller last wave cannot make more work cost less. The larger product
  // has twice the rows: within one format, framework and card its joules must not be fewer.
  const auto m = 128.0 * *rc::gen::inRange(1, 64);
  const auto n = 128.0 * *rc::gen::inRange(1, 64);
  const auto k = 128.0 * *rc::gen::inRange(1, 64);
  const auto* id = *rc::gen::element("h200-sxm", "b200", "a100-sxm-80", "gb200");
  const auto* format = *rc::gen::element("bfloat16", "fp8_block", "nvfp4");
  const auto formula = [&](double a, double b, double c) {
    auto row = KernelModel::embedded().find(KernelClass::Gemm, format, "vllm", chip(id));
    row.trees = nullptr;
    const auto p = KernelModel::evaluate(gemm_work(a, b, c, format), kernel_sheet(chip(id)), row,
                                         chip(id).at("tdp").value);
    return p.seconds * p.watts;
  };
  const auto base = formula(m, n, k);
  RC_ASSERT(formula(2 * m, n, k) >= 0.999 * base);
  RC_ASSERT(formula(m, 2 * n, k) >= 0.999 * base);
  RC_ASSERT(formula(m, n, 2 * k) >= 0.999 * base);
  // With the trees eight times the work costs more in bfloat16, and in no format much less: small
  // block-scaled products are that dear on the card.
  RC_ASSERT(joules(gemm_work(2 * m, 2 * n, 2 * k, format), id) >
            (std::string(format) == "bfloat16" ? 1.0 : 0.5) *
                joules(gemm_work(m, n, k, format), id));
}

RC_GTEST_PROP(KernelModel, EnergyGrowsWithBytes, ()) {
  auto work = gemm_work(1, 4096, 4096, "bfloat16");
  work.bytes = *rc::gen::inRange(1, 1 << 30);
  const auto base = joules(work, "a100-sxm-80");
  work.bytes *= 1.5;
  RC_ASSERT(joules(work, "a100-sxm-80") >= 0.999 * base);
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

TEST(KernelModel, BadTreesAreNamedByLineAndField) {
  const auto thrown = [](const std::string& rows) -> std::string {
    KernelModel model = KernelModel::parse(
        read_file(std::string(CARNOT_SOURCE_DIR) + "/data/kernel_model.csv"), "own.csv");
    try {
      model.correct("class,kind,value\n" + rows, "trees.csv");
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(thrown("gemm,time,3:1 =2\n"), HasSubstr("trees.csv:2: time: two branches"));
  EXPECT_THAT(thrown("gemm,time,=2 =3\n"), HasSubstr("one tree a line"));
  EXPECT_THAT(thrown("gemm,time,15:1 =2 =3\n"), HasSubstr("a feature below 15"));
  EXPECT_THAT(thrown("gemm,time,-1:1 =2 =3\n"), HasSubstr("a feature below 15"));
  EXPECT_THAT(thrown("gemm,time,3:x =2 =3\n"), HasSubstr("feature:threshold"));
  EXPECT_THAT(thrown("gemm,time,=nan\n"), HasSubstr("from -100 to 100"));
  EXPECT_THAT(thrown("gemm,speed,=1\n"), HasSubstr("time or power"));
  EXPECT_THAT(thrown("gemm,card,b200 b200\n"), HasSubstr("each name once"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "3:1 ";
  EXPECT_THAT(thrown("gemm,time," + deep + "=1\n"), HasSubstr("levels"));
}

}  // namespace
}  // namespace carnot::model
