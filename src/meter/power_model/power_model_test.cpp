// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/power_model/power_model.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"
#include "meter/power_model/power_facts.hpp"

namespace carnot::meter {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kTestdata = std::string(CARNOT_SOURCE_DIR) + "/tests/testdata/power_model/";

HostFacts typical() {
  HostFacts facts;
  facts.tdp_w = 150;
  facts.chips = 2;
  facts.cores = 32;
  facts.threads = 64;
  facts.memory_gb = 128;
  facts.year = 2017;
  facts.vendor = "Intel";
  return facts;
}

double width(const Estimate<Power>& power) { return power.high() / power.low(); }

std::vector<std::vector<double>> table_of(const std::string& csv, std::size_t last) {
  std::vector<std::vector<double>> rows;
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> cells{""};
    for (const char c : line) {
      if (c == ',')
        cells.emplace_back();
      else
        cells.back() += c;
    }
    rows.emplace_back();
    for (std::size_t i = cells.size() - last; i < cells.size(); ++i) {
      rows.back().push_back(std::stod(cells[i]));
    }
  }
  return rows;
}

// The expected figures were computed by tools/fit_power_model predict, in Python.
TEST(PowerModel, AgreesWithItsSecondImplementation) {
  const auto hosts = read_file(kTestdata + "hosts.csv");
  const auto expected = table_of(read_file(kTestdata + "expected.csv"), 3);
  std::istringstream in(hosts);
  std::string line, header;
  std::getline(in, header);
  std::size_t row = 0;
  while (std::getline(in, line)) {
    ASSERT_LT(row, expected.size());
    // One host at a time through the table form, to have cells parsed as users write them.
    const auto got = table_of(estimate_csv(header + "\n" + line, "hosts.csv"), 3);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(got[0][k] / expected[row][k], 1, 5e-6) << line;  // six digits are printed
    }
    ++row;
  }
  EXPECT_EQ(row, expected.size());
  EXPECT_GT(row, 80U);
}

TEST(PowerModel, AgreesToAllDigits) {
  const auto expected = table_of(read_file(kTestdata + "expected.csv"), 3);
  // The first host of hosts.csv.
  HostFacts facts;
  facts.tdp_w = 225;
  facts.chips = 2;
  facts.cores = 24;
  facts.threads = 48;
  facts.memory_gb = 8;
  facts.year = 2020;
  facts.vendor = "Intel";
  const auto power = estimate_wall_power(facts, 0.0);
  EXPECT_NEAR(power.value().in(watt) / expected[0][0], 1, 1e-6);
  EXPECT_NEAR(power.low().in(watt) / expected[0][1], 1, 1e-6);
  EXPECT_NEAR(power.high().in(watt) / expected[0][2], 1, 1e-6);
  EXPECT_EQ(power.origin(), Origin::Modelled);
  EXPECT_EQ(power.boundary(), Boundary::Node);
  ASSERT_EQ(power.core().causes().size(), 1U);
  EXPECT_EQ(power.core().causes()[0].name, "power-model");
  EXPECT_FALSE(power.sources().empty());
}

TEST(PowerModel, ATypicalServerIsWhereServersAre) {
  const auto idle = estimate_wall_power(typical(), 0.0).value().in(watt);
  const auto full = estimate_wall_power(typical(), 1.0).value().in(watt);
  // Two 150 W chips: the published ones lie between 40 and 110 W idle, 280 and 480 W at full load.
  EXPECT_GT(idle, 40);
  EXPECT_LT(idle, 110);
  EXPECT_GT(full, 280);
  EXPECT_LT(full, 480);
  EXPECT_LT(width(estimate_wall_power(typical(), 0.5)), 2);
}

// A fact may fit no ordinary server and so widen a band; over many hosts facts narrow it.
TEST(PowerModel, FewerFactsAreAWiderBandOnAverage) {
  const std::vector<std::optional<double> HostFacts::*> fields{
      &HostFacts::tdp_w,   &HostFacts::chips,     &HostFacts::cores,
      &HostFacts::threads, &HostFacts::memory_gb, &HostFacts::year};
  std::vector<double> sum(7), count(7);
  for (const double chips : {1, 2, 4}) {
    for (const double year : {2009, 2013, 2017, 2021}) {
      for (unsigned set = 0; set < 64; ++set) {
        HostFacts facts = typical();
        facts.chips = chips;
        facts.year = year;
        facts.cores = chips * 2 * (year - 2007);
        facts.threads = 2 * *facts.cores;
        facts.memory_gb = chips * 4 * (year - 2006);
        std::size_t missing = 0;
        for (std::size_t i = 0; i < fields.size(); ++i) {
          if ((set >> i & 1) == 0) continue;
          facts.*fields[i] = {};
          ++missing;
        }
        sum[missing] += std::log(width(estimate_wall_power(facts, 0.5)));
        ++count[missing];
      }
    }
  }
  for (std::size_t missing = 1; missing < sum.size(); ++missing) {
    EXPECT_GT(sum[missing] / count[missing], 1.05 * sum[missing - 1] / count[missing - 1])
        << missing;
  }
  EXPECT_GT(width(estimate_wall_power({}, 0.5)), 4 * width(estimate_wall_power(typical(), 0.5)));
  EXPECT_GT(width(estimate_wall_power(typical(), {})),
            2 * width(estimate_wall_power(typical(), 0.5)));
}

TEST(PowerModel, FarFromAllServersTheBandWidens) {
  HostFacts phone = typical();
  phone.tdp_w = 3;
  phone.chips = 1;
  phone.cores = phone.threads = 8;
  phone.memory_gb = 6;
  phone.year = 2030;
  EXPECT_GT(width(estimate_wall_power(phone, 0.5)),
            1.5 * width(estimate_wall_power(typical(), 0.5)));
}

TEST(PowerModel, OtherMakersAreUnknownNotIntel) {
  HostFacts other = typical(), none = typical();
  other.vendor = "Ampere";
  none.vendor = "";
  EXPECT_EQ(estimate_wall_power(other, 0.5).value(), estimate_wall_power(none, 0.5).value());
  HostFacts lower = typical();
  lower.vendor = "intel";
  EXPECT_EQ(estimate_wall_power(lower, 0.5).value(), estimate_wall_power(typical(), 0.5).value());
}

TEST(PowerModel, AGuestPaysItsShareOfAWiderBand) {
  HostFacts guest = typical();
  guest.vcpus = 16;  // of 64 threads
  const auto host = estimate_wall_power(typical(), 0.5);
  const auto share = estimate_wall_power(guest, 0.5);
  EXPECT_NEAR(share.value() / host.value(), 0.25, 1e-9);
  EXPECT_GT(width(share), 1.2 * width(host));
  guest.vcpus = 128;  // overbooked: never more than the host
  EXPECT_NEAR(estimate_wall_power(guest, 0.5).value() / host.value(), 1, 1e-9);
  // On an unknown host: watts for a CPU, within an honest order of magnitude.
  HostFacts unknown;
  unknown.vendor = "AMD";
  unknown.year = 2024;
  unknown.vcpus = 2;
  const auto power = estimate_wall_power(unknown, 0.5);
  EXPECT_GT(power.value().in(watt), 1);
  EXPECT_LT(power.value().in(watt), 40);
  EXPECT_GT(width(power), 3);
}

TEST(PowerModel, RefusesWhatCannotBe) {
  const auto message = [](const HostFacts& facts, std::optional<double> utilisation) {
    try {
      estimate_wall_power(facts, utilisation);
      return std::string("nothing thrown");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };
  for (const auto& range : fact_ranges()) {
    for (const double bad : {range.low / 2 - 1, range.high * 2, std::nan(""), -HUGE_VAL}) {
      HostFacts facts;
      facts.*range.field = bad;
      EXPECT_THAT(message(facts, 0.5), StartsWith(range.name)) << bad;
    }
  }
  EXPECT_THAT(message({}, 1.01), StartsWith("utilisation"));
  EXPECT_THAT(message({}, std::nan("")), StartsWith("utilisation"));
}

/// Any facts within their ranges, log-uniform, each known or not.
HostFacts any_facts() {
  HostFacts facts;
  for (const auto& range : fact_ranges()) {
    if (!*rc::gen::arbitrary<bool>()) continue;
    const double part = *rc::gen::inRange(0, 1001) / 1000.0;
    facts.*range.field =
        std::clamp(std::exp(std::log(range.low) + part * std::log(range.high / range.low)),
                   range.low, range.high);
  }
  facts.vendor = *rc::gen::element<std::string>("", "Intel", "AMD", "other");
  return facts;
}

RC_GTEST_PROP(PowerModel, IsAlwaysAFiniteBandAroundAPositiveValue, ()) {
  const auto facts = any_facts();
  const auto utilisation =
      *rc::gen::element<std::optional<double>>(std::nullopt, 0.0, 0.05, 0.1, 0.5, 0.999, 1.0);
  const auto power = estimate_wall_power(facts, utilisation);
  RC_ASSERT(std::isfinite(power.high().base()));
  RC_ASSERT(Power{} < power.low());
  RC_ASSERT(power.low() < power.value());
  RC_ASSERT(power.value() < power.high());
}

RC_GTEST_PROP(PowerModel, MoreLoadIsNeverLessPower, ()) {
  const auto facts = any_facts();
  Power before;
  for (int step = 0; step <= 20; ++step) {
    const auto now = estimate_wall_power(facts, step / 20.0).value();
    RC_ASSERT(now >= before);
    before = now;
  }
}

TEST(Ranges, HoldWhatIsPublishedAndScale) {
  const auto memory = memory_power(100);
  EXPECT_NEAR(memory.low().in(watt), 5, 1e-9);
  EXPECT_NEAR(memory.high().in(watt), 39, 1e-9);
  EXPECT_NEAR(memory.value().in(watt), std::sqrt(5.0 * 39), 1e-9);
  // Both published coefficients lie inside.
  for (const double published : {0.061, 0.284, 0.3725, 0.392}) {
    EXPECT_LE(memory.low().in(watt), 100 * published);
    EXPECT_GE(memory.high().in(watt)*1.01, 100 * published);
  }
  const auto network = network_energy(1e9);
  EXPECT_NEAR(network.low().in(kilowatt_hour), 0.001, 1e-12);
  EXPECT_LT(disk_energy(1e9).high(), 100 * joule);
  EXPECT_EQ(disk_energy(0).high(), Energy{});
  EXPECT_THROW(memory_power(-1), InputError);
  EXPECT_THROW(disk_energy(std::nan("")), InputError);
  EXPECT_THROW(network_energy(INFINITY), InputError);
}

// The accuracy promised, on servers of CPU models held out, and that the table is what a new fit
// gives. The published results are not in the tree.
TEST(PowerModelSlow, HoldsItsPromiseOnCpusNeverSeen) {
  CARNOT_NEED_SHARED_DATA(servers, "specpower/servers.csv");
  const std::string source = CARNOT_SOURCE_DIR;
  const auto command = CARNOT_PYTHON " '" + source + "/tools/fit_power_model' check '" + servers +
                       "' '" + source + "/data/power_model.csv' >&2";
  const int status = std::system(command.c_str());
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    GTEST_SKIP() << CARNOT_PYTHON " lacks numpy: install python3-numpy";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace carnot::meter
