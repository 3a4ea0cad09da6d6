// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/catalogue/chips.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

const std::string kHeader = "chip,property,value,low,high,unit,grade,year,source,licence\n";

std::string thrown(const std::string& rows) {
  try {
    ChipCatalogue::parse(kHeader + rows, "own.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Chips, CatalogueHasTheKnownChipsWithSourceAndGrade) {
  const auto& catalogue = ChipCatalogue::embedded();
  EXPECT_GE(catalogue.chips().size(), 110u);
  for (const auto& chip : catalogue.chips()) {
    EXPECT_FALSE(chip.name.empty()) << chip.id;
    EXPECT_FALSE(chip.values.empty()) << chip.id;
    for (const auto& [property, value] : chip.values) {
      EXPECT_FALSE(value.source.empty()) << chip.id << property;
      EXPECT_LE(value.low, value.value);
      EXPECT_LE(value.value, value.high);
    }
  }
  EXPECT_DOUBLE_EQ(catalogue.chip("h200-sxm").at("bandwidth").value, 4800);
  EXPECT_EQ(catalogue.chip("nvidia h100 sxm").id, "h100-sxm");
  EXPECT_EQ(catalogue.chip("H100-SXM").at("tdp").grade, Grade::Tdp);
  EXPECT_EQ(catalogue.chip("h100-sxm").at("idle").grade, Grade::Counter);
}

TEST(Chips, EverySourceIsDescribedBesideTheTable) {
  const auto page = read_file(std::string(CARNOT_SOURCE_DIR) + "/data/chips.md");
  std::set<std::string> sources;
  for (const auto& chip : ChipCatalogue::embedded().chips()) {
    for (const auto& [property, value] : chip.values) sources.insert(value.source);
  }
  for (const auto& source : sources) EXPECT_THAT(page, HasSubstr("`" + source + "`"));
}

TEST(Chips, CircuitsSayWhatAnOperationAndAByteCost) {
  // Horowitz, ISSCC 2014, 45 nm: fp32 multiply 3.7 pJ, add 0.9 pJ; int8 multiply 0.2 pJ, int32 add
  // 0.1 pJ; 1 MB SRAM 100 pJ and DRAM 1300 pJ for 64 bits. Jouppi, ISCA 2021, 7 nm: 1.31, 0.38.
  const auto& catalogue = ChipCatalogue::embedded();
  const auto& old = catalogue.chip("asic-45nm");
  EXPECT_NEAR(mac_energy(old, "fp32").value().in(picojoule), 4.6, 1e-12);
  EXPECT_NEAR(mac_energy(old, "int8").value().in(picojoule), 0.3, 1e-12);
  EXPECT_NEAR(byte_energy(old, "sram_1mb").value().in(picojoule), 12.5, 1e-12);
  EXPECT_NEAR(byte_energy(old, "dram").value().in(picojoule), 160, 1e-12);
  EXPECT_NEAR(byte_energy(old, "dram").high().in(picojoule), 325, 1e-9);
  const auto seven = mac_energy(catalogue.chip("asic-7nm"), "fp32");
  EXPECT_NEAR(seven.value().in(picojoule), 1.69, 1e-12);
  EXPECT_EQ(seven.origin(), Origin::Published);
  EXPECT_EQ(seven.boundary(), Boundary::Chip);
  EXPECT_THAT(seven.sources(), testing::ElementsAre("jouppi-2021"));
  EXPECT_LT(seven.low().in(picojoule), 1.69);
  EXPECT_THROW(mac_energy(old, "bf16"), InputError);
  EXPECT_THROW(operation_energy(catalogue.chip("t4"), "fp32_add"), InputError);
}

TEST(Chips, BadRowsAreNamedByLineAndField) {
  EXPECT_THAT(thrown("x,tdp,0,,,W,TDP,2020,s,facts\n"), HasSubstr("own.csv:2: tdp: a number > 0"));
  EXPECT_THAT(thrown("x,tdp,1,,,kW,TDP,2020,s,facts\n"), HasSubstr("own.csv:2: unit: W for tdp"));
  EXPECT_THAT(thrown("x,tdpp,1,,,W,TDP,2020,s,facts\n"), HasSubstr("did you mean `tdp`"));
  EXPECT_THAT(thrown("x,colour,1,,,W,TDP,2020,s,facts\n"), HasSubstr("one of op.NAME"));
  EXPECT_THAT(thrown("x,tdp,1,2,3,W,TDP,2020,s,facts\n"), HasSubstr("low <= value <= high"));
  EXPECT_THAT(thrown("x,tdp,1,,,W,guess,2020,s,facts\n"), HasSubstr("grade: metered"));
  EXPECT_THAT(thrown("x,tdp,1,,,W,TDP,20,s,facts\n"), HasSubstr("year: 1970"));
  EXPECT_THAT(thrown("x,tdp,1,,,W,TDP,2020,,facts\n"), HasSubstr("source: who"));
  EXPECT_THAT(thrown("X Y,tdp,1,,,W,TDP,2020,s,facts\n"), HasSubstr("chip: an id"));
  EXPECT_THAT(thrown("x,tdp,1,,,W,TDP,2020,s\n"), HasSubstr("row: 10 cells, found 9"));
  EXPECT_THAT(thrown("x,tdp,1,,,W,TDP,2020,s,f\nx,tdp,2,,,W,TDP,2020,s,f\n"),
              HasSubstr("own.csv:3: tdp: one row for x"));
  EXPECT_THAT(thrown("x,tdp,nan,,,W,TDP,2020,s,f\n"), HasSubstr("a number > 0"));
  EXPECT_THROW(ChipCatalogue::parse("", "e"), InputError);
  EXPECT_THROW(ChipCatalogue::parse("chip,tdp\n", "e"), InputError);
  // Two faults, both told.
  EXPECT_THAT(thrown("x,tdp,0,,,kW,TDP,2020,s,facts\n"), HasSubstr("\n"));
}

TEST(Chips, UnknownNamesGetTheNearest) {
  try {
    ChipCatalogue::embedded().chip("h100-sxn");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean `h100-sxm`?"));
  }
  try {
    ChipCatalogue::embedded().chip("t4").at("bandwith");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean `bandwidth`?"));
  }
}

TEST(Chips, UsersAddAndReplaceRows) {
  auto catalogue = ChipCatalogue::embedded();
  const auto before = catalogue.chips().size();
  catalogue.add(ChipCatalogue::parse(kHeader + "own,tdp,55,50,60,W,metered,2026,me,facts\n"
                                               "own,op.fp32_add,0.5,,,pJ,metered,2026,me,facts\n"
                                               "t4,idle,11,,,W,counter,2026,me,facts\n"
                                               "t4,tdp,71,,,W,TDP,2026,me,facts\n",
                                     "own.csv"));
  EXPECT_EQ(catalogue.chips().size(), before + 1);
  EXPECT_DOUBLE_EQ(catalogue.chip("own").at("tdp").low, 50);
  EXPECT_DOUBLE_EQ(catalogue.chip("t4").at("tdp").value, 71);
  EXPECT_DOUBLE_EQ(catalogue.chip("t4").at("bandwidth").value, 320);
  EXPECT_EQ(catalogue.chip("t4").name, "NVIDIA T4");
  EXPECT_EQ(operation_energy(catalogue.chip("own"), "fp32_add").origin(), Origin::Measured);
}

TEST(Chips, LintIsQuietOnTheCatalogueAndFindsPublishedMistakes) {
  for (const auto& f : ChipCatalogue::embedded().lint()) {
    ADD_FAILURE() << f.chip << " " << f.property << " " << f.message;
  }
  // Mistakes found in published tables of chips, put into the chip they were made for.
  const auto mistaken = [](const std::string& chip, const std::string& property, double value,
                           const std::string& unit) {
    auto catalogue = ChipCatalogue::embedded();
    catalogue.add(ChipCatalogue::parse(kHeader + chip + "," + property + "," +
                                           std::to_string(value) + ",,," + unit +
                                           ",datasheet,2020,s,facts\n",
                                       "wrong.csv"));
    return catalogue.lint().size();
  };
  EXPECT_GE(mistaken("h100-sxm", "fp16", 1979, "TFLOP/s"), 1u);   // sparse
  EXPECT_GE(mistaken("h100-pcie", "fp16", 1600, "TFLOP/s"), 1u);  // sparse
  EXPECT_GE(mistaken("h100-sxm", "idle", 400, "W"), 1u);
  EXPECT_GE(mistaken("rtx-3090", "int8", 35.6, "TOP/s"), 1u);  // rate of another unit
  EXPECT_GE(mistaken("rtx-4090", "fp16", 660, "TFLOP/s"), 1u);
  EXPECT_GE(mistaken("v100-sxm2", "tdp", 25, "W"), 1u);
  EXPECT_GE(mistaken("t4", "bandwidth", 0.32, "GB/s"), 1u);
  EXPECT_GE(mistaken("a100-sxm-80", "int8", 4992, "TOP/s"), 1u);
  EXPECT_GE(mistaken("b200", "fp4", 18000, "TFLOP/s"), 1u);  // sparse
}

RC_GTEST_PROP(Chips, DamagedTablesThrowOrParse, (std::vector<std::uint8_t> noise)) {
  static const auto text = read_file(std::string(CARNOT_SOURCE_DIR) + "/data/chips.csv");
  auto damaged = text.substr(0, 4000);
  for (std::size_t i = 0; i + 2 < noise.size(); i += 3) {
    damaged[(noise[i] * 256u + noise[i + 1]) % damaged.size()] = static_cast<char>(noise[i + 2]);
  }
  try {
    const auto catalogue = ChipCatalogue::parse(damaged, "damaged.csv");
    for (const auto& chip : catalogue.chips()) {
      for (const auto& [property, value] : chip.values) {
        RC_ASSERT(value.low > 0 && value.low <= value.value && value.value <= value.high);
      }
    }
  } catch (const InputError& error) {
    RC_ASSERT(std::string(error.what()).find("damaged.csv") == 0);
  }
}

// A user's TOML says the same as a CSV of the same values; messages name its own lines.
TEST(ChipToml, IsTheCsvInOtherWords) {
  const auto toml = ChipCatalogue::parse_toml(
      "# mine\n[my-card]\nname = \"My # card\"  # a comment\nvendor = \"Me\"\n"
      "source = \"sheet of 2026\"\nyear = 2025\ngrade = \"datasheet\"\nlicence = \"facts\"\n"
      "tdp = 300\nbf16 = [400, 380, 420]\n\"op.fp32_add\" = 0.9\n\n[chip.second]\ntdp = 5.5\n",
      "own.toml");
  const auto csv = ChipCatalogue::parse(
      "chip,property,value,low,high,unit,grade,year,source,licence\n"
      "my-card,name,My # card,,,,datasheet,2025,sheet of 2026,facts\n"
      "my-card,vendor,Me,,,,datasheet,2025,sheet of 2026,facts\n"
      "my-card,tdp,300,,,W,datasheet,2025,sheet of 2026,facts\n"
      "my-card,bf16,400,380,420,TFLOP/s,datasheet,2025,sheet of 2026,facts\n"
      "my-card,op.fp32_add,0.9,,,pJ,datasheet,2025,sheet of 2026,facts\n"
      "second,tdp,5.5,,,W,estimate,2026,own,own\n",
      "own.csv");
  ASSERT_EQ(toml.chips().size(), csv.chips().size());
  for (std::size_t i = 0; i < csv.chips().size(); ++i) {
    const Chip &a = toml.chips()[i], &b = csv.chips()[i];
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.vendor, b.vendor);
    ASSERT_EQ(a.values.size(), b.values.size());
    for (const auto& [property, value] : b.values) {
      const ChipValue& own = a.at(property);
      EXPECT_EQ(own.value, value.value);
      EXPECT_EQ(own.low, value.low);
      EXPECT_EQ(own.high, value.high);
      EXPECT_EQ(own.unit, value.unit);
      EXPECT_EQ(own.grade, value.grade);
      EXPECT_EQ(own.year, value.year);
      EXPECT_EQ(own.source, value.source);
    }
  }
}

TEST(ChipToml, MessagesNameItsLines) {
  const auto said = [](const std::string& text) {
    try {
      ChipCatalogue::parse_toml(text, "own.toml");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  using testing::HasSubstr;
  EXPECT_THAT(said("tdp = 3\n"), HasSubstr("own.toml:1: tdp: [id of a chip]"));
  EXPECT_THAT(said("[a]\ntdp\n"), HasSubstr("own.toml:2: not TOML"));
  EXPECT_THAT(said("[a]\n\ntpd = 3\n"), HasSubstr("own.toml:3: property"));
  EXPECT_THAT(said("[a]\ntdp = -3\n"), HasSubstr("own.toml:2: "));
  EXPECT_THAT(said("[a]\ntdp = [1, 2]\n"),
              HasSubstr("own.toml:2: tdp: a value, or [value, low, high]"));
  EXPECT_THAT(said("[a]\ntdp = many\n"), HasSubstr("own.toml:2: "));
  EXPECT_THAT(said("[a]\nsource = \"x, y\"\n"), HasSubstr("own.toml:2: source: text of one line"));
  EXPECT_THAT(said("[a]\nbf16 = [1,\n  2, 3]\ntdp = 1\nclok = 2\n"),
              HasSubstr("own.toml:5: property"));
  EXPECT_THAT(said("[a]\ntdp = [1, 2, \"x\"]\n"), HasSubstr("own.toml:2: high"));
  EXPECT_THAT(said("[a\n"), HasSubstr("own.toml:1: not TOML"));
}

}  // namespace
}  // namespace carnot::model
