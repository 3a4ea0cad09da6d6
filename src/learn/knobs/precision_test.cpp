// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/knobs/precision.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "base/testing_files.hpp"
#include "learn/knobs/energy_table.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {
namespace {

TEST(Precision, ParsesEveryName) {
  const auto check = [](const char* name, int d, int w, int g, int m) {
    const Precision p = Precision::parse(name);
    EXPECT_EQ(p.name, name);
    EXPECT_EQ(p.data, d);
    EXPECT_EQ(p.weight, w);
    EXPECT_EQ(p.gradient, g);
    EXPECT_EQ(p.master, m);
    EXPECT_EQ(p.is_integer(), d <= 8);
  };
  check("f32", 32, 32, 32, 32);
  check("bf16", 16, 16, 16, 32);
  check("int8", 8, 8, 8, 16);
  check("int4", 4, 4, 4, 8);
  check("int2", 2, 2, 2, 8);
  check("d2w4g8", 2, 4, 8, 8);
  check("d8w8g4", 8, 8, 4, 16);
  EXPECT_EQ(Precision::parse("d8w8g8"), Precision::parse("int8"));  // one spelling
}

TEST(Precision, RefusesOthersAndListsTheAllowed) {
  for (const char* bad : {"", "int3", "INT8", "d3w4g4", "d8w8g16", "d8w8", "w8d8g8", "f32 ",
                          "d8w8gx", "fp32", "d16w8g8"}) {
    try {
      Precision::parse(bad);
      ADD_FAILURE() << bad;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find("bf16"), std::string::npos);
    }
  }
}

RC_GTEST_PROP(CountersProperty, FormAModule, ()) {
  const auto draw = [] {
    Counters c;
    for (auto& n : c.operations) n = *rc::gen::inRange<std::uint64_t>(0, 1u << 30);
    for (auto& n : c.bytes) n = *rc::gen::inRange<std::uint64_t>(0, 1u << 30);
    return c;
  };
  const Counters a = draw(), b = draw();
  Counters sum = a;
  sum += b;
  RC_ASSERT(sum - b == a);
  Counters thrice = a;
  thrice += a;
  thrice += a;
  RC_ASSERT(a * 3 == thrice);
  RC_ASSERT(sum.macs() == a.macs() + b.macs());
}

TEST(EnergyTable, EmbeddedRowsAreThePublishedFigures) {
  const EnergyTable& t = EnergyTable::embedded();
  ASSERT_EQ(t.rows().size(), 11u);
  const auto pj = [&](auto which) { return t.row(which).energy.in(picojoule); };
  // Horowitz, ISSCC 2014, 45 nm.
  EXPECT_DOUBLE_EQ(pj(OperationKind::F32Mac), 3.7 + 0.9);
  EXPECT_DOUBLE_EQ(pj(OperationKind::Bf16Mac), 1.1 + 0.9);
  EXPECT_NEAR(pj(OperationKind::Int8Mac), 0.2 + 0.1, 1e-12);
  EXPECT_NEAR(pj(OperationKind::Int4Mac), 0.2 / 4 + 0.1, 1e-12);
  EXPECT_NEAR(pj(OperationKind::Int2Mac), 0.2 / 16 + 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(pj(OperationKind::Int32Add), 0.1);
  EXPECT_DOUBLE_EQ(pj(MemoryLevel::Cache), 100.0 / 8);
  EXPECT_DOUBLE_EQ(pj(MemoryLevel::Dram), 640.0 / 4);
  // NVIDIA A100 data sheet 2020: half of 19.5 (FP32), 312, 624, 1248 tera-operations a second.
  EXPECT_DOUBLE_EQ(t.row(OperationKind::F32Mac).per_second, 19.5e12 / 2);
  EXPECT_DOUBLE_EQ(t.row(OperationKind::Int4Mac).per_second, 1248e12 / 2);
  for (const CostRow& row : t.rows()) {
    EXPECT_LT(row.low, row.energy);
    EXPECT_GT(row.high, row.energy);
    EXPECT_FALSE(row.source.empty());
  }
}

TEST(EnergyTable, PricesCounters) {
  Counters c;
  c.at(OperationKind::Int8Mac) = 1000;
  c.at(OperationKind::Rounding) = 10;
  c.at(MemoryLevel::Dram) = 100;
  const EnergyTable& t = EnergyTable::embedded();
  const auto e = t.energy(c);
  EXPECT_NEAR(e.value().in(picojoule), 300 + 47 + 16000, 1e-6);
  EXPECT_EQ(e.boundary(), Boundary::Chip);
  EXPECT_EQ(e.origin(), Origin::Modelled);
  EXPECT_LT(e.low(), e.value());
  EXPECT_GT(e.high(), e.value());
  EXPECT_NEAR(t.alu_energy(c).in(picojoule), 300, 1e-9);
  EXPECT_NEAR(t.time(c).in(second), 1000 / 3.12e14 + 10 / 9.75e12 + 100 / 1.555e12, 1e-18);
  EXPECT_EQ(t.energy(Counters{}).value(), Energy{});
  // Twice the work is exactly twice the energy, and the same causes: the difference is certain.
  const auto difference = t.energy(c * 2) - 2.0 * e;
  EXPECT_NEAR(difference.high().in(picojoule), 0.0, 1e-6);
}

// Accounting page: int8 to f32 is 0.3 / 4.6 in arithmetic and 1/4 in memory traffic.
TEST(EnergyTable, ReproducesThePublishedRatios) {
  Counters f, i;
  f.at(OperationKind::F32Mac) = i.at(OperationKind::Int8Mac) = 1000000;
  f.at(MemoryLevel::Dram) = packed_bytes(1000000, 32);
  i.at(MemoryLevel::Dram) = packed_bytes(1000000, 8);
  const EnergyTable& t = EnergyTable::embedded();
  EXPECT_NEAR(t.alu_energy(i) / t.alu_energy(f), 0.065, 0.0005);
  Counters fm = f, im = i;
  fm.at(OperationKind::F32Mac) = im.at(OperationKind::Int8Mac) = 0;
  EXPECT_DOUBLE_EQ(t.energy(im).value() / t.energy(fm).value(), 0.25);
}

std::string good_table() {
  std::string out = "key,energy_pj,low_pj,high_pj,per_second,source\n";
  for (const CostRow& row : EnergyTable::embedded().rows())
    out += fmt::format("{},{:g},{:g},{:g},{:g},{}\n", row.key, row.energy.in(picojoule),
                       row.low.in(picojoule), row.high.in(picojoule), row.per_second, row.source);
  return out;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(EnergyTable, ReadsAFileOrTakesAChipNotBoth) {
  const TemporaryFolder folder;
  const std::string path = folder.write("mine.csv", good_table());
  const EnergyTable table = EnergyTable::choose(path, "");
  EXPECT_EQ(table.name(), path);
  for (std::size_t i = 0; i < table.rows().size(); ++i) {
    EXPECT_EQ(table.rows()[i].key, EnergyTable::embedded().rows()[i].key);
    EXPECT_DOUBLE_EQ(table.rows()[i].energy / EnergyTable::embedded().rows()[i].energy, 1.0);
  }
  EXPECT_EQ(EnergyTable::choose("", "").name(), "asic-45nm");
  EXPECT_EQ(EnergyTable::choose("", "B200").name(), "b200");
  EXPECT_THROW(EnergyTable::choose(path, "b200"), InputError);
  EXPECT_THROW(EnergyTable::choose("", "b2000"), InputError);
  const auto rows =
      parse_energy_table(replaced(good_table(), "dram,160,112,325", "dram,20,10,30"), "my.csv");
  EXPECT_DOUBLE_EQ(rows.back().energy.in(picojoule), 20.0);
  EXPECT_THROW(EnergyTable::read("/nonexistent/table.csv"), IoError);
}

TEST(EnergyTable, NamesLineAndFieldOfEachProblem) {
  const auto fails = [](const std::string& text, const std::string& part) {
    try {
      parse_energy_table(text, "t.csv");
      ADD_FAILURE() << part;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
  };
  const std::string good = good_table();
  EXPECT_NO_THROW(parse_energy_table(good, "t.csv"));
  fails("", "f32_mac: every key");
  fails(replaced(good, "int8_mac,0.3", "int8_mac,x"), "t.csv:4: energy_pj");
  fails(replaced(good, "int8_mac,0.3", "int8_mac,-0.3"), "t.csv:4: energy_pj");
  fails(replaced(good, "int8_mac,0.3", "int8_mac,nan"), "t.csv:4: energy_pj");
  fails(replaced(good, "int8_mac,0.3", "int8_mac,inf"), "t.csv:4: energy_pj");
  fails(replaced(good, "int8_mac,0.3", "int8_mac,3"), "low_pj <= energy_pj <= high_pj");
  fails(replaced(good, "int8_mac", "int8mac"), "did you mean `int8_mac`");
  fails(replaced(good, "int8_mac", "f32_mac"), "t.csv:4: f32_mac: every key");
  fails(replaced(good, "per_second", "rate"), "t.csv:1: header");
  fails(replaced(good, ",horowitz-2014", ","), "source");
}

RC_GTEST_PROP(EnergyTableProperty, GarbageOnlyThrowsInputError, (std::string noise)) {
  std::string text = good_table();
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text.replace(at, std::min<std::size_t>(noise.size(), text.size() - at), noise);
  try {
    const auto rows = parse_energy_table(text, "t.csv");
    for (const auto& row : rows) RC_ASSERT(row.low <= row.energy && row.energy <= row.high);
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace carnot::learn
