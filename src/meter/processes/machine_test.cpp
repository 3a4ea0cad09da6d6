// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "base/testing_thrown.hpp"
#include "meter/testing/testing_job.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

TEST(MachineMeter, ReadsAgainWhatChanges) {
  const FakeProcfs proc;
  proc.machine("100 0 50 1000 10 5 5 2 0 0", 2, 10);
  MachineMeter meter(proc.path(), proc.path());
  MachineUse use = meter.read();
  EXPECT_EQ(use.busy_ns, 1'600'000'000);
  EXPECT_EQ(use.idle_ns, 10'100'000'000);
  EXPECT_EQ(use.steal_ns, 20'000'000);
  EXPECT_EQ(use.cpus, 2);
  proc.machine("110 0 50 1005 10 5 5 4 0 0", 2, 11);
  use = meter.read();
  EXPECT_EQ(use.busy_ns, 1'700'000'000);
  EXPECT_EQ(use.steal_ns, 40'000'000);
}

TEST(MachineMeter, NeverGoesBack) {
  const FakeProcfs proc;
  proc.machine("100 0 50 1000 10 5 5 2 0 0", 2, 10);
  MachineMeter meter(proc.path(), proc.path());
  const MachineUse before = meter.read();
  proc.machine("90 0 50 1000 9 5 5 1 0 0", 2, 10);  // iowait does, on real machines
  EXPECT_EQ(meter.read().idle_ns, before.idle_ns);
  EXPECT_EQ(meter.read().busy_ns, before.busy_ns);
  proc.write("stat", "");
  EXPECT_EQ(meter.read().busy_ns, before.busy_ns);
}

TEST(MachineMeter, NeedsAStatFile) {
  const FakeProcfs proc;
  EXPECT_NE(thrown<IoError>([&] { MachineMeter(proc.path()); }).find("/stat"), std::string::npos);
}

// lxcfs has shown idle times near 2^63, no line of all CPUs, and nothing at all.
TEST(MachineMeter, AFileThatMakesNoSenseIsSaidAndStopsNothing) {
  for (const char* text : {"nothing of use\n", "", "cpu  10 0 10 7936000000000000000 0 0 0 0\n"}) {
    const FakeProcfs proc;
    proc.write("stat", text);
    MachineMeter meter(proc.path(), proc.path());
    EXPECT_FALSE(meter.readable()) << text;
    EXPECT_EQ(meter.read().busy_ns, 0);
    EXPECT_EQ(meter.read().idle_ns, 0);
  }
}

TEST(MachineMeter, MeanFrequencyOverCpus) {
  const FakeProcfs proc;
  proc.machine("1 1 1 1 1 1 1 1", 4, 1);
  EXPECT_EQ(MachineMeter(proc.path(), proc.path()).frequency_hz(), 0.0);
  const std::string folder = "devices/system/cpu/cpufreq/";
  proc.write(folder + "policy0/scaling_cur_freq", "1000000\n");
  proc.write(folder + "policy0/affected_cpus", "0 1 2\n");
  proc.write(folder + "policy3/scaling_cur_freq", "3000000\n");
  proc.write(folder + "policy3/affected_cpus", "3\n");
  proc.write(folder + "policy4/affected_cpus", "\n");  // offline: no frequency
  MachineMeter meter(proc.path(), proc.path());
  EXPECT_DOUBLE_EQ(meter.frequency_hz(), 1.5e9);
  proc.write(folder + "policy3/scaling_cur_freq", "1000000\n");
  EXPECT_DOUBLE_EQ(meter.frequency_hz(), 1.0e9);
}

TEST(MachineMeter, Traffic) {
  const FakeProcfs proc;
  proc.machine("1 1 1 1 1 1 1 1", 1, 1);
  {
    const MachineMeter::Traffic none = MachineMeter(proc.path(), proc.path()).traffic();
    EXPECT_EQ(none.disk_read_b + none.disk_write_b + none.net_b, 0u);
  }
  proc.write("diskstats", "   8  0 sda 1 0 10 0 1 0 20 0 0 0 0\n");
  proc.write("net/dev", "  eth0: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n");
  MachineMeter meter(proc.path(), proc.path());
  EXPECT_EQ(meter.traffic().disk_read_b, 5120u);
  EXPECT_EQ(meter.traffic().disk_write_b, 10240u);
  EXPECT_EQ(meter.traffic().net_b, 11u);
}

TEST(MachineMeter, ThisMachineIsBusyAtLeastAsMuchAsWeAre) {
  MachineMeter meter;
  const MachineUse before = meter.read();
  EXPECT_EQ(before.cpus, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
  const std::int64_t began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  // The kernel charges whole ticks to whoever runs at their edge, which is right in the long run:
  // how long that is depends on the machine. Our clock goes on while another guest has the
  // processor; the machine's calls that stolen.
  EXPECT_TRUE(eventually([&] {
    burn_until(clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 100'000'000);
    const MachineUse after = meter.read();
    const std::int64_t ours = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
    return 4 * (after.busy_ns + after.steal_ns - before.busy_ns - before.steal_ns) >= 3 * ours;
  }));
}

}  // namespace carnot::meter
