// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"

#include "base/testing_files.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/sources/hwmon_attributes.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A tree of chips and the source over it.
class Hwmon : public ::testing::Test {
 protected:
  void chip(int number, const std::string& name, const std::string& device = "") {
    const std::string folder = "class/hwmon/hwmon" + std::to_string(number);
    write_text(tree_ / (folder + "/name"), name);
    if (device.empty()) return;
    std::filesystem::create_directories(tree_ / ("devices/" + device));
    std::filesystem::create_directory_symlink(tree_ / ("devices/" + device),
                                              tree_ / (folder + "/device"));
  }
  void put(int number, const std::string& file, const std::string& text) {
    write_text(tree_ / ("class/hwmon/hwmon" + std::to_string(number) + "/" + file), text);
  }
  void open() {
    SourceOptions options;
    options.sysfs_root = tree_.path();
    notes_.clear();
    source_ = open_hwmon(options, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(testing::check_source_contract(*source_, testing::allocations), IsEmpty());
    }
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    if (source_ != nullptr)
      for (const Domain& domain : source_->domains()) all.push_back(domain.id);
    return all;
  }
  const Domain& domain(std::size_t i) const { return source_->domains().at(i); }
  std::vector<Reading> poll() {
    std::vector<Reading> readings(source_->domains().size());
    source_->poll(readings);
    return readings;
  }

  TemporaryFolder tree_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;
};

TEST(HwmonAttributes, AreReadFromNames) {
  const auto parsed = [](std::string_view file) {
    const auto a = parse_hwmon_attribute(file);
    return a ? std::to_string(static_cast<int>(a->of)) + ":" + std::to_string(a->index) + ":" +
                   std::string(a->item)
             : std::string("none");
  };
  EXPECT_EQ(parsed("power1_average"), "0:1:average");
  EXPECT_EQ(parsed("power12_average_interval"), "0:12:average_interval");
  EXPECT_EQ(parsed("energy3_input"), "1:3:input");
  EXPECT_EQ(parsed("in0_input"), "2:0:input");
  EXPECT_EQ(parsed("curr2_label"), "3:2:label");
  for (const char* file : {"", "power", "power_input", "power1", "power1_", "intrusion0_alarm",
                           "temp1_input", "power99999999999_input", "power1input", "xpower1_input"})
    EXPECT_EQ(parsed(file), "none") << file;
}

TEST(HwmonAttributes, ValuesAreWholeNumbersOrNothing) {
  std::int64_t value = 7;
  EXPECT_TRUE(parse_decimal(" -12\n", value));
  EXPECT_EQ(value, -12);
  EXPECT_TRUE(parse_decimal("9223372036854775807", value));
  for (const char* text : {"", "\n", "12.5", "0x10", "1 2", "9223372036854775808", "N/A", "--1"})
    EXPECT_FALSE(parse_decimal(text, value)) << text;
}

RC_GTEST_PROP(HwmonAttributes, ProductIsHeldWithin64Bits, (std::int64_t a, std::int64_t b)) {
  __extension__ using Wide = __int128;
  Wide exact = static_cast<Wide>(a) * b;
  const Wide least = std::numeric_limits<std::int64_t>::min();
  const Wide most = std::numeric_limits<std::int64_t>::max();
  exact = exact < least ? least : exact > most ? most : exact;
  RC_ASSERT(static_cast<Wide>(hwmon_product(a, b)) == exact);
}

TEST_F(Hwmon, NothingThereIsNothing) {
  open();
  EXPECT_EQ(source_, nullptr);
  chip(0, "nvme");
  put(0, "temp1_input", "40000");
  chip(1, "coretemp");
  put(1, "in0_input", "900");  // a voltage alone, and no supply monitor
  open();
  EXPECT_EQ(source_, nullptr);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(Hwmon, MeanPowerGoesBeforeTheMomentsAndStandsForItsWindow) {
  chip(0, "power_meter", "ACPI000D:00");
  put(0, "power1_average", "215000000");
  put(0, "power1_average_interval", "1000");
  put(0, "power1_input", "999000000");
  open();
  EXPECT_THAT(ids(), ElementsAre("hwmon/power_meter-ACPI000D:00/power1"));
  EXPECT_EQ(domain(0).kind, DomainKind::Node);
  EXPECT_EQ(domain(0).boundary, Boundary::Node);
  EXPECT_EQ(domain(0).gauge.window, Duration::seconds(1));
  EXPECT_FALSE(domain(0).is_counter);
  EXPECT_EQ(poll()[0].power, 215.0 * watt);
}

TEST_F(Hwmon, DisabledSensorsAreLeftOut) {
  chip(0, "ina226", "1-0040");
  put(0, "power1_input", "5000000");
  put(0, "power1_enable", "0");
  put(0, "power2_input", "6000000");
  put(0, "power2_enable", "1");
  open();
  EXPECT_THAT(ids(), ElementsAre("hwmon/ina226-1-0040/power2"));
}

TEST_F(Hwmon, EnergyCounterGoesBeforeThePowerOfTheSameSensor) {
  chip(0, "ltc2947", "0-005c");
  put(0, "power1_input", "7000000");
  put(0, "energy1_input", "123456789");
  put(0, "power2_input", "1000000");
  open();
  EXPECT_THAT(ids(), ElementsAre("hwmon/ltc2947-0-005c/energy1", "hwmon/ltc2947-0-005c/power2"));
  EXPECT_TRUE(domain(0).is_counter);
  EXPECT_EQ(domain(0).counter.unit, 1e-6 * joule);
  EXPECT_EQ(poll()[0].raw, 123456789u);
}

TEST_F(Hwmon, VoltageTimesCurrentOnlyOnSupplyMonitors) {
  for (const int number : {0, 1}) {
    chip(number, number == 0 ? "ina3221" : "nct6798", "1-004" + std::to_string(number));
    put(number, "in1_label", "VDD_IN");
    put(number, "in1_input", "19000");
    put(number, "curr1_input", "500");
    put(number, "in2_label", "VDD_CPU_CV");
    put(number, "in2_input", "19000");
    put(number, "curr2_input", "-3");
    put(number, "in3_input", "19000");
    put(number, "in3_enable", "0");
    put(number, "curr3_input", "100");
  }
  open();
  EXPECT_THAT(ids(), ElementsAre("hwmon/ina3221-1-0040/in1", "hwmon/ina3221-1-0040/in2"));
  EXPECT_EQ(domain(0).kind, DomainKind::Node);
  EXPECT_EQ(domain(1).kind, DomainKind::Rail);
  EXPECT_EQ(domain(1).parent, domain(0).id);
  const std::vector<Reading> readings = poll();
  EXPECT_DOUBLE_EQ(readings[0].power.in(watt), 9.5);
  EXPECT_EQ(readings[1].power, 0.0 * watt);  // an offset below zero is no energy
}

TEST_F(Hwmon, RailsOfOneProcessorAddUp) {
  chip(0, "smpro", "smpro.0");
  const char* labels[] = {"Core VRM", "SoC VRM", "DIMM VRM1", "DIMM VRM2", "RCA VRM"};
  for (int i = 0; i < 5; ++i) {
    put(0, "power" + std::to_string(i + 1) + "_input", std::to_string((i + 1) * 10'000'000));
    put(0, "power" + std::to_string(i + 1) + "_label", labels[i]);
  }
  open();
  ASSERT_EQ(source_->domains().size(), 2u);
  EXPECT_EQ(domain(0).kind, DomainKind::Package);
  EXPECT_EQ(domain(0).label, "Core VRM + SoC VRM + RCA VRM");
  EXPECT_EQ(domain(1).kind, DomainKind::Dram);
  const std::vector<Reading> readings = poll();
  EXPECT_EQ(readings[0].power, 80.0 * watt);
  EXPECT_EQ(readings[1].power, 70.0 * watt);
  const Resolution resolution = resolve(source_->domains());
  EXPECT_EQ(resolution.entries[0].role, Role::Counted);
  EXPECT_EQ(resolution.entries[1].role, Role::Counted);
}

TEST_F(Hwmon, GraceMetersContainOneAnother) {
  const char* scopes[] = {"Module Power Socket 0", "Grace Power Socket 0", "CPU Power Socket 0",
                          "SysIO Power Socket 0", "Module Power Socket 1"};
  for (int i = 0; i < 5; ++i) {
    // The first interface: the files are with the device.
    chip(i, "power_meter", "ACPI000D:0" + std::to_string(i));
    put(i, "device/power1_average", std::to_string(100'000'000 - i));
    put(i, "device/power1_oem_info", scopes[i]);
  }
  open();
  ASSERT_EQ(source_->domains().size(), 5u);
  EXPECT_EQ(domain(0).kind, DomainKind::Module);
  EXPECT_EQ(domain(1).kind, DomainKind::Package);
  EXPECT_EQ(domain(1).parent, domain(0).id);
  EXPECT_EQ(domain(2).parent, domain(1).id);
  EXPECT_EQ(domain(3).parent, domain(1).id);
  EXPECT_EQ(domain(4).socket, 1);
  EXPECT_EQ(domain(4).parent, "");
  const Resolution resolution = resolve(source_->domains());
  std::vector<Role> roles;
  for (const auto& entry : resolution.entries) roles.push_back(entry.role);
  EXPECT_THAT(roles, ElementsAre(Role::Counted, Role::Part, Role::Part, Role::Part, Role::Counted));
}

TEST(HwmonLabels, AWholeIsKnownByItsWords) {
  for (const char* label : {"Total System Power", "VIN", "VDD_IN", "POM_5V_IN", "pin",
                            "PLT_SYS_PWR", "Input Power", "total_power", "System", "Board Power"})
    EXPECT_EQ(hwmon_meaning("any_chip", label).kind, DomainKind::Node) << label;
  for (const char* label :
       {"pout1", "VDD_CPU", "VIN_SYS_5V0", "SYS5V", "Wifi Power", "", "vinyl", "CPU0_PWR", "SPIN"})
    EXPECT_EQ(hwmon_meaning("any_chip", label).kind, DomainKind::Rail) << label;
}

TEST(HwmonLabels, GraceMetersAreKnownWithAndWithoutInput) {
  for (const char* word : {"", "Input "}) {
    const auto kind = [&](const std::string& what) {
      const std::string label = what + " " + word + "Power Socket 1";
      const HwmonMeaning meaning = hwmon_meaning("power_meter", label);
      EXPECT_EQ(meaning.socket, 1) << label;
      return meaning.kind;
    };
    EXPECT_EQ(kind("Module"), DomainKind::Module);
    EXPECT_EQ(kind("Grace"), DomainKind::Package);
    EXPECT_EQ(kind("CPU"), DomainKind::Core);
    EXPECT_EQ(kind("SysIO"), DomainKind::Uncore);
  }
}

TEST_F(Hwmon, OfSeveralWholesOfOneChipTheTotalCounts) {
  chip(1, "macsmc_hwmon");
  put(1, "power1_label", "AC Input Power");
  put(1, "power1_input", "15000000");
  put(1, "power2_label", "Total System Power");
  put(1, "power2_input", "12500000");
  open();
  ASSERT_EQ(source_->domains().size(), 2u);
  EXPECT_EQ(domain(0).kind, DomainKind::Rail);
  EXPECT_EQ(domain(1).kind, DomainKind::Node);
}

// A regulator's input is no machine's; a supply's is.
TEST_F(Hwmon, InputPowerIsTheMachinesOnlyAtASupply) {
  for (const int number : {1, 2}) {
    chip(number, number == 1 ? "mp2975" : "pfe3000");
    put(number, "power1_label", "pin");
    put(number, "power1_input", "300000000");
    put(number, "in1_label", "vin");
    put(number, "in1_input", number == 1 ? "12050" : "229500");
  }
  open();
  ASSERT_EQ(source_->domains().size(), 2u);
  EXPECT_EQ(domain(0).kind, DomainKind::Rail);
  EXPECT_EQ(domain(1).kind, DomainKind::Node);
}

TEST_F(Hwmon, SleepingBoardsAreNotAsked) {
  chip(1, "amdgpu", "0000:03:00.0");
  std::filesystem::create_directories(tree_ / "devices/0000:03:00.0/power");
  write_text(tree_ / "devices/0000:03:00.0/power/runtime_status", "suspended\n");
  put(1, "power1_average", "no number: whoever reads this has woken it");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  EXPECT_EQ(poll()[0].power, Power{});
  write_text(tree_ / "devices/0000:03:00.0/power/runtime_status", "active\n");
  EXPECT_EQ(poll()[0].status, PollStatus::Retry);
}

TEST_F(Hwmon, AmdEnergyTellsSocketsAndCores) {
  chip(0, "amd_energy", "amd_energy.0");
  put(0, "energy1_input", "1000");
  put(0, "energy1_label", "Ecore000");
  put(0, "energy2_input", "2000");
  put(0, "energy2_label", "Esocket1");
  open();
  EXPECT_EQ(domain(0).kind, DomainKind::Core);
  EXPECT_EQ(domain(0).core, 0);
  EXPECT_EQ(domain(1).kind, DomainKind::Package);
  EXPECT_EQ(domain(1).socket, 1);
}

TEST_F(Hwmon, GraphicsInsideTheProcessorAreNoBoard) {
  chip(0, "amdgpu", "0000:c4:00.0");
  put(0, "power1_average", "12000000");
  put(0, "in1_label", "vddnb");
  chip(1, "amdgpu", "0000:03:00.0");
  put(1, "power1_average", "90000000");
  put(1, "in0_label", "vddgfx");
  open();
  // In the order of the bus, whatever the numbers of the chips.
  EXPECT_THAT(ids(),
              ElementsAre("hwmon/amdgpu-0000:03:00.0/power1", "hwmon/amdgpu-0000:c4:00.0/power1"));
  EXPECT_EQ(domain(0).kind, DomainKind::Gpu);
  EXPECT_EQ(domain(0).device, 0);
  EXPECT_EQ(domain(0).same_as, "amd-smi/0000:03:00.0");
  EXPECT_EQ(domain(1).kind, DomainKind::Rail);
}

TEST_F(Hwmon, TextThatIsNoNumberIsAskedAgainAndSensorsThatCannotAnswerAreLeftOut) {
  chip(0, "ina226", "1-0040");
  put(0, "power1_input", "not a number");
  put(0, "power2_input", "4000000");
  open();
  EXPECT_THAT(ids(), ElementsAre("hwmon/ina226-1-0040/power2"));
  put(0, "power2_input", "garbage");
  EXPECT_EQ(poll()[0].status, PollStatus::Retry);
  EXPECT_EQ(poll()[0].error, EBADMSG);
  put(0, "power2_input", "3000000");
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  EXPECT_EQ(poll()[0].power, 3.0 * watt);
}

TEST_F(Hwmon, CounterBelowZeroIsNoCount) {
  chip(0, "ltc2947", "0-005c");
  put(0, "energy1_input", "5");
  open();
  put(0, "energy1_input", "-5");
  EXPECT_EQ(poll()[0].status, PollStatus::Retry);
}

TEST_F(Hwmon, UnreadableFilesAreANoteWithTheRemedy) {
  chip(0, "amd_energy", "amd_energy.0");
  put(0, "energy1_input", "1000");
  const std::string file = tree_ / "class/hwmon/hwmon0/energy1_input";
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  // Root reads every file, so root becomes somebody else for a moment.
  ASSERT_EQ(::chmod(tree_.path().c_str(), 0755), 0);
  const uid_t user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  open();
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_EQ(source_, nullptr);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0].remedy, "sudo chmod a+r " + file);
}

TEST_F(Hwmon, IsNotHeldUpByAPipe) {
  chip(0, "ina226");
  put(0, "power1_input", "5000000\n");
  ASSERT_EQ(::mkfifo((tree_ / "class/hwmon/hwmon0/power2_input").c_str(), 0644), 0);
  open();
  EXPECT_EQ(poll().front().status, PollStatus::Ok);
}

TEST_F(Hwmon, LeavesFilesToOthersWhereThereAreTooManySensors) {
  chip(0, "ina226");
  for (int i = 1; i <= 1300; ++i) put(0, "power" + std::to_string(i) + "_input", "5000000\n");
  open();
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(source_->domains().size(), 256U);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_EQ(notes_[0].why, "1044 sensors beyond the first 256 are not read");
}

}  // namespace
}  // namespace carnot::meter
