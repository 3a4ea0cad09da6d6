// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests and harnesses: folders that look like /sys and /proc of machines with energy counters
/// whose true power is known. Needs no test framework.
///
/// Counters go on as hardware does: whole counts of a 32-bit register, shown in microjoules with
/// the kernel's integer arithmetic, never zero-padded, wrapping at max_energy_range_uj + one count.
/// Each value is written with one pwrite to the same inode, so a reader with the file open sees it
/// change as in sysfs. (Values end in as many line ends as make their length constant.)

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/random.hpp"

namespace carnot::meter::testing {

enum class Topology {
  OneSocket,       ///< package with core and uncore inside
  TwoSockets,      ///< two packages
  Dram,            ///< two packages, each with dram beneath it (not inside its energy)
  Psys,            ///< package, core, uncore, dram and psys, which contains them
  MmioTwin,        ///< package through the MSR and again through the memory-mapped interface
  DieMirrors,      ///< one package register shown by two die zones, vendor not told
  SixteenZones,    ///< eight sockets of two dies each with a register of its own: zones 0 to f
  SixteenMirrors,  ///< AMD, two sockets shown by eight zones each, all mirrors of their socket
  AmdCore,         ///< AMD package with the counter of one physical core
  SprPsys,         ///< two packages with dram, psys counting whole joules
  NoName,          ///< package zone whose name file is missing, dram beneath it
  PerfSubset,      ///< package and dram in powercap, the perf PMU lists the package alone
  HwmonOnly,       ///< amd_energy: one socket and two of its cores
  Empty,           ///< no sensor at all
};
const std::vector<Topology>& all_topologies();
std::string_view name(Topology topology) noexcept;  ///< "one-socket", "two-sockets", ...

/// A register and what it truly counts.
struct Register {
  std::string id;                  ///< "package-0", "dram-1", "psys", ...
  double unit_j = 0x1p-14;         ///< of one count
  std::uint64_t unit_nj = 61'035;  ///< as the kernel truncates it
  bool wraps = true;               ///< at 2^32 counts
  Power power;
  bool counted = false;     ///< part of the machine's energy, each joule once
  std::uint64_t start = 0;  ///< counts at the beginning
  detail::Uint128 spent_pj = 0;
};

class SensorTree {
 public:
  /// Builds `root`/sys, `root`/proc and `root`/dev. Counters that wrap first do so after
  /// `joules_to_wrap` and a little more for each register.
  /// \throws IoError
  SensorTree(const std::filesystem::path& root, Topology topology, double joules_to_wrap = 1000.0);
  ~SensorTree();
  SensorTree(const SensorTree&) = delete;
  SensorTree& operator=(const SensorTree&) = delete;

  std::string sysfs_root() const { return (root_ / "sys").string(); }
  std::string procfs_root() const { return (root_ / "proc").string(); }
  std::string dev_root() const { return (root_ / "dev").string(); }

  /// Lets time pass at the present powers, half of the CPU time busy, and rewrites the files.
  void advance(double seconds);
  void set_power(const std::string& register_id, Power power);
  /// The counter begins again from zero.
  void reset(const std::string& register_id);
  /// The counter turns after this much more; less than a whole turn.
  void turn_after(const std::string& register_id, Energy energy);
  /// Reading the register's files fails with EIO from now on, until `mend`. (Who has a file open
  /// finds it empty: a plain file cannot fail an open reader.)
  void fail(const std::string& register_id);
  void mend(const std::string& register_id);
  /// Its files are gone with their folders; who has one open finds it empty.
  void vanish(const std::string& register_id);

  Energy true_total() const;  ///< since the beginning, each joule once
  Energy true_energy(const std::string& register_id) const;
  const std::vector<Register>& registers() const noexcept { return registers_; }
  /// Counts of the register as hardware shows them, without wrap where it does not.
  std::uint64_t counts(const std::string& register_id) const;
  Topology topology() const noexcept { return topology_; }

 private:
  struct Shown {
    std::filesystem::path path;
    int fd = -1;
    std::size_t of = 0;  // register
    bool failing = false;
    std::filesystem::path kept() const { return path.string() + ".kept"; }
  };
  std::size_t add_register(Register made);
  void zone(const std::string& control, const std::string& zone, const std::string& zone_name,
            std::size_t of);
  void powercap_socket(int socket, double package_w, double dram_w);
  void hwmon();
  void perf_pmu(const std::vector<std::string>& events);
  void machine(int sockets, int dies, const std::string& vendor, int family, int model);
  void write_processor_time() const;
  void show(const std::filesystem::path& path, std::size_t of);
  void rewrite(const Shown& shown) const;
  static void empty(Shown& shown);
  std::size_t index_of(const std::string& id) const;
  std::uint64_t counts(const Register& r) const noexcept;
  void build();

  std::filesystem::path root_;
  Topology topology_;
  double joules_to_wrap_;
  std::vector<Register> registers_;
  std::vector<Shown> shown_;
  int cpus_ = 0;
  int stat_fd_ = -1, uptime_fd_ = -1;
  double seconds_ = 0.0;
};

}  // namespace carnot::meter::testing
