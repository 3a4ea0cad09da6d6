// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/actuator.hpp"

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/meter/power_limit.hpp"

#include "base/testing_files.hpp"
#include "base/testing_thrown.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_stub.hpp"

namespace carnot::live {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeMachine : public ::testing::Test {
 protected:
  FakeMachine() {
    const auto put = [&](const std::string& name, const std::string& text) {
      folder_.write("sys/" + name, text + "\n");
    };
    for (const std::string policy : {"policy0", "policy4"}) {
      const std::string at = "devices/system/cpu/cpufreq/" + policy + "/";
      put(at + "scaling_max_freq", policy == "policy0" ? "3000000" : "2500000");
      put(at + "cpuinfo_min_freq", "1000000");
      put(at + "cpuinfo_max_freq", "3500000");
    }
    for (const std::string zone : {"intel-rapl:0", "intel-rapl:1"}) {
      const std::string at = "class/powercap/" + zone + "/";
      put(at + "name", "package-" + zone.substr(11));
      put(at + "constraint_0_power_limit_uw", "120000000");
      put(at + "constraint_0_max_power_uw", "150000000");
    }
    put("class/powercap/intel-rapl:0:0/name", "core");
    put("class/powercap/intel-rapl:0:0/constraint_0_power_limit_uw", "5");
    options_.sysfs_root = folder_ / "sys";
    options_.nvml = "none";
  }
  std::string text(const std::string& name) const {
    std::string all = read_file(folder_ / ("sys/" + name));
    return all.substr(0, all.find('\n'));
  }
  std::string clock(int policy) const {
    return text("devices/system/cpu/cpufreq/policy" + std::to_string(policy) + "/scaling_max_freq");
  }
  std::string limit(int package) const {
    return text("class/powercap/intel-rapl:" + std::to_string(package) +
                "/constraint_0_power_limit_uw");
  }
  Actuators open(const std::vector<std::string>& wanted) {
    options_.wanted = wanted;
    return open_actuators(options_, nullptr, restorer_);
  }

  TemporaryFolder folder_;
  ActuatorOptions options_;
  Restorer restorer_;
};

TEST_F(FakeMachine, ClocksGoBetweenTheirLeastAndWhatWasFound) {
  Actuators a = open({"cpufreq"});
  Order order;
  order.clock = 0.5;
  a.used[0]->apply(order);
  EXPECT_EQ(clock(0), "2000000");
  EXPECT_EQ(clock(4), "1750000");
  order.clock = -3;
  a.used[0]->apply(order);
  EXPECT_EQ(clock(0), "1000000");
  order.clock = 7;
  a.used[0]->apply(order);
  EXPECT_EQ(clock(0), "3000000");  // never above what was found
  order.clock = 0.25;
  a.used[0]->apply(order);
  const std::uint64_t changes = a.used[0]->changes();
  order.clock = 0.2500001;
  a.used[0]->apply(order);
  EXPECT_EQ(a.used[0]->changes(), changes);  // written only on change
  EXPECT_THAT(restorer_.restore(), IsEmpty());
  EXPECT_EQ(clock(0), "3000000");
  EXPECT_EQ(clock(4), "2500000");
}

TEST_F(FakeMachine, PackagesShareThePowerWithinTheirRange) {
  Actuators a = open({"rapl"});
  Order order;
  order.power = 100 * watt;
  a.used[0]->apply(order);
  EXPECT_EQ(limit(0), "50000000");
  EXPECT_EQ(limit(1), "50000000");
  EXPECT_EQ(text("class/powercap/intel-rapl:0:0/constraint_0_power_limit_uw"), "5");
  order.power = Power{};
  a.used[0]->apply(order);
  EXPECT_EQ(limit(0), "15000000");  // a tenth of the greatest
  a.used[0]->apply(Order{});
  EXPECT_EQ(limit(0), "120000000");
  restorer_.restore();
  EXPECT_EQ(limit(1), "120000000");
}

TEST_F(FakeMachine, WhatIsNotThereIsSaidWithWhatWouldHelp) {
  std::filesystem::remove_all(folder_ / "sys/class");
  const std::string refusal = thrown<DeviceError>([&] { open({"rapl"}); });
  EXPECT_THAT(refusal, HasSubstr("no powercap"));
  EXPECT_THAT(thrown<InputError>([&] { open({"cpufreqs"}); }), HasSubstr("did you mean `cpufreq`"));
  const std::vector<ActuatorInfo> all = list_actuators(options_);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_TRUE(all[3].available);
  EXPECT_TRUE(all[3].whole_machine);
  EXPECT_FALSE(all[4].available);
  EXPECT_EQ(clock(0), "3000000");  // looking changes nothing
}

TEST_F(FakeMachine, LostFilesAreCountedNotThrown) {
  Actuators a = open({"cpufreq"});
  std::filesystem::remove_all(folder_ / "sys/devices");
  Order order;
  order.clock = 0;
  a.used[0]->apply(order);
  EXPECT_EQ(a.used[0]->failures(), 2u);
  EXPECT_THAT(a.used[0]->last_failure(), HasSubstr("scaling_max_freq"));
  EXPECT_THAT(restorer_.restore(), IsEmpty());  // gone: nothing to be put back
}

TEST_F(FakeMachine, GroupsOfCgroupV2AreFrozenAndGivenAQuota) {
  const std::string group = folder_ / "group";
  folder_.write("group/cpu.stat", "usage_usec 0\n");
  folder_.write("group/cgroup.procs", "");
  folder_.write("group/cgroup.events", "populated 1\n");
  folder_.write("group/cgroup.freeze", "0\n");
  folder_.write("group/cpu.max", "150000 200000\n");
  meter::JobOptions attach;
  attach.cgroup = group;
  meter::Job job = meter::Job::open(attach);
  options_.wanted = {"freezer", "quota"};
  Actuators a = open_actuators(options_, &job, restorer_);
  ASSERT_EQ(a.used.size(), 2u);
  EXPECT_EQ(a.used[0]->info().how, "cgroup v2 cgroup.freeze");
  Order order;
  order.run = false;
  order.cpus = 1.5;
  for (const auto& actuator : a.used) actuator->apply(order);
  EXPECT_EQ(read_file(group + "/cgroup.freeze").substr(0, 1), "1");
  EXPECT_THAT(read_file(group + "/cpu.max"), HasSubstr("30000 20000"));
  order.cpus = 1.51;
  a.used[1]->apply(order);
  EXPECT_THAT(read_file(group + "/cpu.max"), HasSubstr("30000 20000"));  // 1 % is no change
  order.cpus = 0.001;
  a.used[1]->apply(order);
  EXPECT_THAT(read_file(group + "/cpu.max"), HasSubstr("1000 20000"));  // the kernel's least
  a.used[1]->apply(Order{});
  EXPECT_THAT(read_file(group + "/cpu.max"), HasSubstr("max 20000"));
  restorer_.restore();
  EXPECT_EQ(read_file(group + "/cgroup.freeze").substr(0, 1), "0");
  EXPECT_EQ(read_file(group + "/cpu.max").substr(0, 13), "150000 200000");
}

TEST_F(FakeMachine, BoardsAreLimitedWithinTheirRangeAndPutBack) {
  const meter::testing::StubGpu stub(CARNOT_STUB_NVML);
  stub.scenario("devices=2 limit_w=600 limit_w1=450 least_w=200 most_w=700 limit_file=" +
                (folder_ / "limit"));
  options_.nvml = stub.path();
  Actuators a = open({"gpu"});
  const auto limits = [&] {
    std::string why;
    std::vector<std::uint32_t> all;
    for (const auto& l : meter::gpu_power_limits(stub.path(), why)) all.push_back(l.limit_mw);
    return all;
  };
  Order order;
  order.power = 620 * watt;
  a.used[0]->apply(order);
  EXPECT_THAT(limits(), ::testing::ElementsAre(310'000u, 310'000u));
  order.power = 1100 * watt;
  a.used[0]->apply(order);
  EXPECT_THAT(limits(), ::testing::ElementsAre(550'000u, 450'000u));  // not above what was found
  order.power = Power{};
  a.used[0]->apply(order);
  EXPECT_THAT(limits(), ::testing::ElementsAre(200'000u, 200'000u));
  const long calls = stub.calls("set_limit");
  a.used[0]->apply(order);
  EXPECT_EQ(stub.calls("set_limit"), calls);
  restorer_.restore();
  EXPECT_THAT(limits(), ::testing::ElementsAre(600'000u, 450'000u));
}

TEST_F(FakeMachine, BoardsThatMayNotBeSetAreRefusedWithTheRight) {
  const meter::testing::StubGpu stub(CARNOT_STUB_NVML);
  stub.scenario("devices=1 root=0");
  options_.nvml = stub.path();
  EXPECT_THAT(thrown<DeviceError>([&] { open({"gpu"}); }), HasSubstr("needs root"));
}

// A program that is killed outright: what stands by puts back what it had changed.
TEST(RestorerSlow, PutsBackWhatAKilledProgramChanged) {
  TemporaryFolder folder;
  const std::string first = folder.write("first", "as found\n"), other = folder.write("other", "7");
  const pid_t sleeper = ::fork();
  if (sleeper == 0) {
    ::execl("/bin/sleep", "sleep", "60", nullptr);
    ::_exit(1);
  }
  const pid_t program = ::fork();
  if (program == 0) {
    Restorer restorer;
    restorer.remember_file(first, "as found");
    restorer.remember_file(other, "7");
    restorer.remember_file(first, "not this");  // the first value counts
    std::ofstream(first) << "changed!";
    std::ofstream(other) << "9";
    std::ifstream stat("/proc/" + std::to_string(sleeper) + "/stat");
    std::string word;
    for (int i = 0; i < 22; ++i) stat >> word;
    const ProcessId stopped[] = {{sleeper, std::stoull(word)}};
    restorer.remember_stopped(stopped);
    ::kill(sleeper, SIGSTOP);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(program, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(meter::eventually([&] { return read_file(first) == "as found"; }));
  EXPECT_TRUE(meter::eventually([&] { return read_file(other) == "7"; }));
  EXPECT_TRUE(meter::eventually(
      [&] { return meter::state_of("/proc/" + std::to_string(sleeper)) == 'S'; }));
  ::kill(sleeper, SIGKILL);
  ::waitpid(sleeper, &status, 0);
}

// The older kind of freezer, of a job that has no group of its own yet.
TEST(FreezerSlow, FreezesByCgroupV1AndDissolvesItsGroup) {
  meter::Job job = meter::Job::open(meter::shell("while :; do :; done", meter::JobMethod::Tree));
  ActuatorOptions options;
  options.wanted = {"freezer"};
  Restorer restorer;
  Actuators actuators;
  try {
    actuators = open_actuators(options, &job, restorer);
  } catch (const DeviceError& none) {
    GTEST_SKIP() << none.what();
  }
  if (actuators.used[0]->info().how != "cgroup v1 freezer")
    GTEST_SKIP() << "no freezer of cgroup v1 here: mount one, or boot with "
                    "systemd.unified_cgroup_hierarchy=0";
  job.release();
  const std::string membership = "/proc/" + std::to_string(job.pid()) + "/cgroup";
  EXPECT_THAT(read_file(membership), ::testing::ContainsRegex("freezer:.*carnot-"));
  const auto cpu_ns = [&] { return job.sample().cpu_ns; };
  EXPECT_TRUE(meter::eventually([&] { return cpu_ns() > 20'000'000; }));
  Order order;
  order.run = false;
  actuators.used[0]->apply(order);
  const auto stands = [&] {
    const std::int64_t before = cpu_ns();
    ::usleep(50'000);
    return cpu_ns() == before;
  };
  EXPECT_TRUE(meter::eventually(stands));
  EXPECT_TRUE(stands());
  EXPECT_THAT(restorer.restore(), IsEmpty());
  EXPECT_THAT(read_file(membership), ::testing::Not(::testing::ContainsRegex("freezer:.*carnot-")));
  const std::int64_t before = cpu_ns();
  EXPECT_TRUE(meter::eventually([&] { return cpu_ns() > before + 20'000'000; }));
  ::kill(job.pid(), SIGKILL);
  EXPECT_TRUE(meter::eventually([&] { return job.ended(); }));
}

TEST(Restorer, LeavesTheCallersChildrenAlone) {
  {
    Restorer restorer;
    EXPECT_GT(restorer.pid(), 0);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child
    EXPECT_EQ(errno, ECHILD);
  }
}

}  // namespace
}  // namespace carnot::live
