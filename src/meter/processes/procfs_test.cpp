// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/procfs.hpp"

#include <array>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"
#include "meter/testing/testing_procfs.hpp"

namespace carnot::meter {

TEST(ProcessStatText, ReadsEveryFieldWhateverTheName) {
  for (const std::string name : {"sh", "a b", "(sd-pam)", ") S 1 1", "((", "tmux: \nserver", ""}) {
    FakeProcess fake{.pid = 42, .name = name, .parent = 7};
    fake.user_ticks = 3;
    fake.system_ticks = 4;
    fake.child_user_ticks = 50;
    fake.child_system_ticks = 60;
    fake.start_ticks = 123456789012;
    fake.rss_pages = 99;
    ProcessStat stat;
    const std::string text = stat_text(fake);
    ASSERT_TRUE(parse_process_stat(text, stat)) << name;
    EXPECT_EQ(stat.name, name);
    EXPECT_EQ(stat.pid, 42);
    EXPECT_EQ(stat.state, 'S');
    EXPECT_EQ(stat.parent, 7);
    EXPECT_EQ(stat.cpu_ns, 70'000'000);
    EXPECT_EQ(stat.children_cpu_ns, 1'100'000'000);
    EXPECT_EQ(stat.start_ticks, 123456789012u);
    EXPECT_EQ(stat.rss_pages, 99u);
  }
}

TEST(ProcessStatText, RefusesWhatIsCutOrNone) {
  const std::string whole = stat_text({.pid = 42});
  ProcessStat stat;
  const std::size_t rss_begins = whole.find(" 10 18446744073709551615");
  for (std::size_t length = 0; length <= rss_begins; ++length) {
    EXPECT_FALSE(parse_process_stat(whole.substr(0, length), stat)) << length;
  }
  EXPECT_FALSE(parse_process_stat(") 1 (", stat));
  EXPECT_FALSE(parse_process_stat("99999999999 (a) S 1", stat));
  std::string huge = whole;  // ticks that overflow nanoseconds
  huge.replace(huge.find(" 0 0 20 "), 4, " 99999999999999999 0");
  EXPECT_FALSE(parse_process_stat(huge, stat));
}

TEST(ProcessStatText, AgreesWithTheKernelAboutUs) {
  ProcessStat stat;
  const std::string text = read_file("/proc/self/stat");
  ASSERT_TRUE(parse_process_stat(text, stat));
  EXPECT_EQ(stat.pid, ::getpid());
  EXPECT_EQ(stat.parent, ::getppid());
  EXPECT_EQ(stat.state, 'R');
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const double used_ns = 1e9 * static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                         1e3 * static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
  EXPECT_NEAR(static_cast<double>(stat.cpu_ns), used_ns, 4.0 * kTickNs);
  EXPECT_LE(stat.rss_pages * 4096, static_cast<std::uint64_t>(use.ru_maxrss) * 1024 + (1 << 22));
}

TEST(MachineStatText, CountsBusyIdleStealOnceEach) {
  MachineUse use;
  std::uint64_t forks = 0;
  // guest (9000) and guest_nice (800) are inside user and nice
  ASSERT_TRUE(
      parse_machine_stat("cpu  10000 2000 300 40000 5000 60 7 8 9000 800\n"
                         "cpu0 1 1 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1 1 1\n"
                         "intr 1 2 3\nprocesses 321\n",
                         use, forks));
  EXPECT_EQ(use.busy_ns, (10000 + 2000 + 300 + 60 + 7) * kTickNs);
  EXPECT_EQ(use.idle_ns, (40000 + 5000) * kTickNs);
  EXPECT_EQ(use.steal_ns, 8 * kTickNs);
  EXPECT_EQ(use.cpus, 2);
  EXPECT_EQ(forks, 321u);
  EXPECT_FALSE(parse_machine_stat("cpu0 1 2 3 4 5\n", use, forks));
  EXPECT_FALSE(parse_machine_stat("cpu  1 2 x\n", use, forks));
  EXPECT_FALSE(parse_machine_stat("", use, forks));
}

TEST(TrafficText, WholeDisksOnly) {
  const BlockTraffic disks = parse_diskstats(
      "   8       0 sda 1 0 100 0 1 0 200 0 0 0 0\n"
      "   8       1 sda1 1 0 100 0 1 0 200 0 0 0 0\n"
      " 259       0 nvme0n1 1 0 10 0 1 0 20 0 0 0 0 0 0 0 0 0 0\n"
      " 259       1 nvme0n1p2 1 0 10 0 1 0 20 0 0 0 0\n"
      " 179       0 mmcblk0 1 0 1 0 1 0 2 0 0 0 0\n"
      " 179       1 mmcblk0p1 1 0 1 0 1 0 2 0 0 0 0\n"
      " 253       0 dm-0 1 0 100 0 1 0 200 0 0 0 0\n"
      "   9     127 md127 1 0 100 0 1 0 200 0 0 0 0\n"
      "   7       0 loop0 1 0 100 0 1 0 200 0 0 0 0\n"
      " 253       0 zram0 1 0 100 0 1 0 200 0 0 0 0\n"
      " 254       0 vda 1 0 1000 0 1 0 2000 0 0 0 0\n"
      "   8      16 sdb 1 0 100 0 1\n"  // cut
      "nonsense\n");
  EXPECT_EQ(disks.read_b, 512u * (100 + 10 + 1 + 1000));
  EXPECT_EQ(disks.write_b, 512u * (200 + 20 + 2 + 2000));
}

TEST(TrafficText, WholeDisksAreThoseOfSysBlock) {
  // The kernel lists whole devices in /sys/block; those with a device behind them are hardware.
  std::error_code none;
  const std::filesystem::directory_iterator folder("/sys/block", none);
  if (none) GTEST_SKIP() << "no /sys/block here";
  for (const auto& entry : folder) {
    const std::string name = entry.path().filename();
    if (!std::filesystem::exists(entry.path() / "device") || name.starts_with("sr")) continue;
    EXPECT_EQ(parse_diskstats("1 1 " + name + " 1 0 3 0 1 0 5 0 0 0 0\n").read_b, 3u * 512) << name;
  }
}

TEST(TrafficText, AllInterfacesButTheLoopback) {
  EXPECT_EQ(parse_net_dev("Inter-|   Receive                |  Transmit\n"
                          " face |bytes    packets errs drop|bytes    packets\n"
                          "    lo: 777 1 0 0 0 0 0 0 777 1 0 0 0 0 0 0\n"
                          "  eth0:1000 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n"
                          "wlan0: 30 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0\n"
                          "cut0: 5 1 0\n"),
            1234u);
  EXPECT_EQ(parse_net_dev(""), 0u);
}

TEST(TrafficText, OfAProcessAndOfAGroup) {
  BlockTraffic traffic;
  EXPECT_TRUE(
      parse_process_io("rchar: 1\nwchar: 2\nread_bytes: 30\nwrite_bytes: 40\n"
                       "cancelled_write_bytes: 5\n",
                       traffic));
  EXPECT_EQ(traffic.read_b, 30u);
  EXPECT_EQ(traffic.write_b, 40u);
  EXPECT_FALSE(parse_process_io("read_bytes: 30\n", traffic));
  traffic = parse_io_stat(
      "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n"
      "259:0 rbytes=100 wbytes=200\n253:0 \n");
  EXPECT_EQ(traffic.read_b, 110u);
  EXPECT_EQ(traffic.write_b, 220u);
}

TEST(GroupText, Usage) {
  std::int64_t ns = 0;
  EXPECT_TRUE(parse_cpu_stat("usage_usec 604602\nuser_usec 1\nsystem_usec 2\n", ns));
  EXPECT_EQ(ns, 604'602'000);
  EXPECT_FALSE(parse_cpu_stat("user_usec 1\n", ns));
  EXPECT_FALSE(parse_cpu_stat("usage_usec 18446744073709551615\n", ns));
}

TEST(GroupText, Mounts) {
  const auto mounts = parse_mountinfo(
      "22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
      "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 master:2 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "41 31 0:38 /docker/ab /mnt/my\\040groups rw,relatime - cgroup2 cgroup2 rw\n"
      "42 31 0:39 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
      "43 31 0:40 / /cut rw\n");
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_TRUE(!mounts[0].v2 && mounts[0].cpuacct);
  EXPECT_EQ(mounts[0].point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_TRUE(mounts[1].v2);
  EXPECT_EQ(mounts[1].root, "/docker/ab");
  EXPECT_EQ(mounts[1].point, "/mnt/my groups");
  EXPECT_FALSE(mounts[2].cpuacct);
}

TEST(GroupText, Membership) {
  const std::string text = "9:name=systemd:/a\n2:cpu,cpuacct:/b:c\n0::/user.slice/x.scope\n";
  EXPECT_EQ(parse_membership(text, ""), "/user.slice/x.scope");
  EXPECT_EQ(parse_membership(text, "cpuacct"), "/b:c");
  EXPECT_EQ(parse_membership(text, "acct"), "");
  EXPECT_EQ(parse_membership("garbage\n1:x", ""), "");
}

TEST(LastPidText, IsTheLastNumber) {
  EXPECT_EQ(parse_last_pid("6.36 2.51 1.37 6/137 20666\n"), 20666);
  EXPECT_EQ(parse_last_pid(""), 0);
  EXPECT_EQ(parse_last_pid("a b\n"), 0);
}

TEST(ReadWhole, LosesOnlyACutLine) {
  const TemporaryFolder scratch;
  scratch.write("file", "one\ntwo\nthree\n");
  const int fd = ::open((scratch.path() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 64> large;
  std::array<char, 10> small;
  EXPECT_EQ(read_whole(fd, large), "one\ntwo\nthree\n");
  EXPECT_EQ(read_whole(fd, small), "one\ntwo\n");
  ::close(fd);
  EXPECT_EQ(read_whole(-1, large), "");
}

RC_GTEST_PROP(ProcfsProperty, NamesOfAnyBytesDoNotShiftFields, (std::string name)) {
  RC_PRE(name.find('\0') == std::string::npos);
  ProcessStat stat;
  const std::string text = stat_text({.pid = 5, .name = name, .parent = 3});
  RC_ASSERT(parse_process_stat(text, stat));
  RC_ASSERT(stat.name == name);
  RC_ASSERT(stat.parent == 3 && stat.rss_pages == 10u);
}

}  // namespace carnot::meter
