// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/file.hpp"
#include "carnot/meter/power_model/power_model.hpp"

#include "base/testing_files.hpp"

namespace carnot::meter {
namespace {

using testing::Contains;
using testing::HasSubstr;

namespace fs = std::filesystem;

class HostFactsOfATree : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    write_file(root_ / path, text, Directories::Create);
  }
  void cpu(int number, int chip, int core) {
    const auto base = "sys/devices/system/cpu/cpu" + std::to_string(number) + "/topology/";
    put(base + "physical_package_id", std::to_string(chip) + "\n");
    put(base + "core_id", std::to_string(core) + "\n");
  }
  void cpuinfo(const std::string& vendor, int family, int model, const std::string& flags,
               int processors = 1) {
    std::string text;
    for (int i = 0; i < processors; ++i) {
      text += "processor\t: " + std::to_string(i) + "\nvendor_id\t: " + vendor +
              "\ncpu family\t: " + std::to_string(family) +
              "\nmodel\t\t: " + std::to_string(model) +
              "\nmodel name\t: A Processor\nflags\t\t: fpu " + flags + "\n\n";
    }
    put("proc/cpuinfo", text);
  }
  HostFacts read() const {
    return read_host_facts((root_ / "sys").string(), (root_ / "proc").string());
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(HostFactsOfATree, TwoSocketsWithHyperthreads) {
  cpuinfo("GenuineIntel", 6, 0x6a, "sse sse2", 8);
  put("proc/meminfo", "MemTotal:       65774956 kB\nMemFree:        1 kB\n");
  for (int i = 0; i < 8; ++i) cpu(i, i / 2 % 2, i / 4);  // 2 chips x 2 cores x 2 threads
  put("sys/devices/system/cpu/cpufreq/x", "");
  put("sys/devices/system/cpu/cpu99/online", "0\n");  // no topology: offline
  put("sys/class/powercap/intel-rapl:0/constraint_0_name", "long_term\n");
  put("sys/class/powercap/intel-rapl:0/constraint_0_max_power_uw", "205000000\n");
  const auto facts = read();
  EXPECT_EQ(facts.vendor, "Intel");
  EXPECT_EQ(facts.year, 2021);
  EXPECT_EQ(facts.chips, 2);
  EXPECT_EQ(facts.cores, 4);
  EXPECT_EQ(facts.threads, 8);
  EXPECT_EQ(facts.tdp_w, 205);
  EXPECT_NEAR(facts.memory_gb.value_or(0), 62.7, 0.1);
  EXPECT_FALSE(facts.vcpus);
  EXPECT_THAT(facts.sources, Contains(HasSubstr("powercap")));
}

TEST_F(HostFactsOfATree, AGuestDoesNotTakeItsSizeForItsHosts) {
  cpuinfo("AuthenticAMD", 26, 2, "hypervisor sse", 2);
  put("proc/meminfo", "MemTotal:       65774956 kB\n");
  cpu(0, 0, 0);
  cpu(1, 0, 1);
  const auto facts = read();
  EXPECT_EQ(facts.vendor, "AMD");
  EXPECT_EQ(facts.year, 2024);
  EXPECT_EQ(facts.vcpus, 2);
  EXPECT_FALSE(facts.chips);
  EXPECT_FALSE(facts.cores);
  EXPECT_FALSE(facts.threads);
  EXPECT_FALSE(facts.memory_gb);
}

TEST_F(HostFactsOfATree, NothingReadableIsNothingKnown) {
  const auto facts = read();
  EXPECT_EQ(facts.vendor, "");
  EXPECT_FALSE(facts.year || facts.chips || facts.cores || facts.threads || facts.tdp_w ||
               facts.memory_gb || facts.vcpus);
  EXPECT_TRUE(facts.sources.empty());
  EXPECT_NO_THROW(estimate_wall_power(facts, 0.5));
}

TEST_F(HostFactsOfATree, NonsenseIsNotKnown) {
  cpuinfo("SomebodyElse", 6, 1, "hypervisors");  // no guest: another word
  put("proc/meminfo", "MemTotal: lots kB\n");
  put("sys/class/powercap/intel-rapl:0/constraint_0_name", "short_term\n");
  put("sys/class/powercap/intel-rapl:0/constraint_0_max_power_uw", "205000000\n");
  const auto facts = read();
  EXPECT_EQ(facts.vendor, "");
  EXPECT_FALSE(facts.year);
  EXPECT_FALSE(facts.memory_gb);
  EXPECT_FALSE(facts.tdp_w);
  EXPECT_FALSE(facts.vcpus);
}

TEST_F(HostFactsOfATree, GenerationsAreToldByFamilyAndModel) {
  struct Case {
    const char* vendor;
    int family, model;
    std::optional<double> year;
  };
  for (const auto& c :
       std::array{Case{"AuthenticAMD", 23, 49, 2019}, Case{"AuthenticAMD", 25, 1, 2021},
                  Case{"AuthenticAMD", 25, 17, 2022}, Case{"GenuineIntel", 6, 0x55, 2017},
                  Case{"GenuineIntel", 6, 0x8f, 2023}, Case{"GenuineIntel", 6, 0xff, std::nullopt},
                  Case{"GenuineIntel", 23, 49, std::nullopt}}) {
    cpuinfo(c.vendor, c.family, c.model, "");
    EXPECT_EQ(read().year, c.year) << c.vendor << ' ' << c.family << ' ' << c.model;
  }
}

TEST(HostFacts, ThisMachineIsWithinTheModel) {
  const auto power = estimate_wall_power(read_host_facts(), 0.3);
  EXPECT_GT(power.value().in(watt), 0.5);
  EXPECT_LT(power.value().in(watt), 5000);
}

}  // namespace
}  // namespace carnot::meter
