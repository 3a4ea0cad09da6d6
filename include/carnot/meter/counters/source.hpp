// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A source of energy readings: one sensor interface of this machine (perf power PMU, powercap,
/// MSR, hwmon, Cray pm_counters, resctrl, battery, NVML, AMD SMI, Redfish, IPMI), a recorded tree
/// (replay), a simulation (fake) or the no-sensor power model. All obey one contract:
///
///  - What can be read (`domains`) is fixed when the source is made, in a stable order.
///  - `poll` reads all of it, at most one call or system call a domain, allocates nothing, never
///    throws, and says for each domain how it went: Ok; Retry (nothing now, ask again: EINTR, EIO,
///    a busy device); Ended (gone for good and in order: recording over, device unplugged);
///    Broken (it failed and will go on failing: permission lost).
///  - Nothing is differenced here: raw counts and watts as the hardware says them.
///
/// `check_source_contract` (src/meter/testing/testing.hpp) holds any source to this. One thread at
/// a time.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/meter/counters/clock.hpp"
#include "carnot/meter/counters/counter.hpp"

namespace carnot::meter {

enum class DomainKind {
  Package,    ///< processor socket or die: cores, caches, uncore
  Core,       ///< inside Package (Intel: all cores; AMD: one physical core)
  Uncore,     ///< inside Package: integrated graphics
  Dram,       ///< memory, outside Package
  Platform,   ///< psys: contains Package, scope differs between machines
  Gpu,        ///< accelerator board
  GpuMemory,  ///< inside Gpu
  Module,     ///< CPU and GPU on one module (GH200): contains Package, Dram and Gpu
  Node,       ///< whole machine behind its power supply: BMC, ACPI power meter, power supplies
  Battery,    ///< whole machine while discharging
  Rail,       ///< some other supply rail, scope unknown
  Model,      ///< whole machine, modelled
};
std::string_view name(DomainKind kind) noexcept;  ///< "package", "core", ...

/// How one reading went.
enum class PollStatus : std::uint8_t { Ok, Retry, Ended, Broken };
std::string_view name(PollStatus status) noexcept;

/// A power with its 90 % bounds.
struct PowerBand {
  Power value, low, high;
};

/// One thing that can be read.
struct Domain {
  std::string id;      ///< unique: "powercap/intel-rapl:0:0", "nvml/GPU-<uuid>"
  std::string label;   ///< as the machine names it: "package-0", "dram", "NVIDIA H200"
  std::string source;  ///< "powercap", "perf", "nvml", ...
  DomainKind kind = DomainKind::Package;
  int socket = -1;      ///< physical package; -1: not known or not of one
  int die = -1;         ///< -1: the whole package
  int core = -1;        ///< physical core of an AMD core counter
  int device = -1;      ///< index of an accelerator
  std::string parent;   ///< id of the domain of the same source that contains it; empty: none
  std::string same_as;  ///< id of an earlier domain of one kind known to read the same register
  Boundary boundary = Boundary::Chip;
  Origin origin = Origin::Measured;
  bool is_counter = true;
  CounterSpec counter;               ///< if is_counter
  GaugeSpec gauge;                   ///< else
  std::optional<PowerBand> at_rest;  ///< power at no load, where the source knows it (the model)
  /// Why it says nothing, found out by asking; empty: it speaks, or was not asked. What is silent
  /// is passed over where anything else speaks.
  std::string silent;
};

/// One domain's answer. `raw` of counters, `power` and `gain` of gauges.
struct Reading {
  PollStatus status = PollStatus::Retry;
  std::uint64_t raw = 0;
  Power power;
  Gain gain;      ///< of this reading, for gauges whose error depends on the state (the model)
  Stamp at;       ///< middle of the read
  int error = 0;  ///< errno or the library's code
};

/// One process on one accelerator.
struct DeviceUse {
  int device = -1;        ///< Domain::device
  int pid = 0;            ///< in the host's numbering; 0: somebody whom nobody can name
  double busy_share = 0;  ///< of the device's compute time since the last call, [0, 1]
  std::uint64_t memory_b = 0;
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual const std::vector<Domain>& domains() const noexcept = 0;
  /// \param readings  one per domain, in order; all are written
  virtual void poll(std::span<Reading> readings) noexcept = 0;
  /// A domain that costs more to read than the rest (a BMC over the network) wants to be asked less
  /// often: shortest sensible interval between polls.
  virtual Duration shortest_interval() const noexcept { return Duration{}; }
  /// Appends who used which accelerator since the last call; sources without any append nothing. At
  /// most one library call a device.
  virtual void device_use(std::vector<DeviceUse>&) noexcept {}
};

/// Something a user should know about what can be measured here, and the one command that mends it.
struct Note {
  std::string what;    ///< "powercap", "perf power PMU", "NVML"
  std::string why;     ///< "energy_uj is readable by root only (CVE-2020-8694)"
  std::string remedy;  ///< "sudo chmod a+r /sys/class/powercap/*/energy_uj"; empty: none
  bool operator==(const Note&) const = default;
};

/// Where to look. The roots stand for / : sysfs_root "/tmp/tree/sys" instead of "/sys".
struct SourceOptions {
  std::string sysfs_root = "/sys";
  std::string procfs_root = "/proc";
  std::string dev_root = "/dev";
  std::string nvml;     ///< library to load; empty: libnvidia-ml.so.1; "none": do not look
  std::string amd_smi;  ///< empty: libamd_smi.so; "none": do not look
  bool msr = false;     ///< opt in to /dev/cpu/N/msr (needs CAP_SYS_RAWIO, no faster)
  bool ipmi = false;    ///< opt in to /dev/ipmi0, DCMI Get Power Reading
  std::string redfish;  ///< URL of a chassis' service, such as https://bmc; empty: none
  std::string redfish_user, redfish_password;
  std::string external;   ///< a meter at the plug: file that grows, or http(s) address; empty: none
  std::string record_to;  ///< copy every reading to this file, for replay; empty: no
  std::string replay_from;           ///< read that instead of the machine; empty: no
  Clock* clock = &Clock::machine();  ///< never null; outlives what is opened with it
};

/// All sources that exist and can be read, and notes about those that exist and cannot.
struct Found {
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<Note> notes;
};

/// Looks at the machine (or the trees). Opens no network socket unless `redfish` or an
/// address as `external` is set. A missing
/// or unreadable interface is a note, not an error.
/// \throws InputError for options that cannot be meant (replay file that is none); IoError
Found find_sources(const SourceOptions& options);

/// Each interface alone; what cannot be read is a note. Empty pointer: nothing there.
std::unique_ptr<Source> open_perf(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_powercap(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_msr(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_hwmon(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_battery(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_cray(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_resctrl(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_nvml(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_amd_smi(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_redfish(const SourceOptions& options, std::vector<Note>& notes);
std::unique_ptr<Source> open_ipmi(const SourceOptions& options, std::vector<Note>& notes);
/// \throws InputError for an address of another kind
std::unique_ptr<Source> open_external(const SourceOptions& options, std::vector<Note>& notes);
/// The recording `options.replay_from`: one source for each that was recorded, whose polls answer
/// with the recorded readings in order and then with Ended.
/// \throws InputError naming file and line; IoError
std::vector<std::unique_ptr<Source>> open_replay(const SourceOptions& options);

}  // namespace carnot::meter
