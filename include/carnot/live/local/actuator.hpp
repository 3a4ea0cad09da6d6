// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What can make running work draw less, behind one contract. An `Order` says what is wanted of the
/// work; each actuator takes the part that it can carry out:
///
/// | actuator | takes | scope | needs |
/// |---|---|---|---|
/// | `freezer` | run or not | the job | a control group: cgroup v2 `cgroup.freeze`, v1 freezer |
/// | `signals` | run or not | the job | nothing: SIGSTOP and SIGCONT to the whole tree |
/// | `quota` | CPU seconds a second | the job | cgroup v1 cpu, or v2 `cpu.max` |
/// | `cpufreq` | share of the clock's range | the machine | root |
/// | `rapl` | power of the processors | the machine | root, Intel or AMD powercap |
/// | `gpu` | power of the boards | the machine | root, NVML |
///
/// An actuator remembers what it found in a `Restorer` before its first change, writes only what
/// changes, clamps to the hardware's range, and never throws once made: what a file or driver
/// refuses later is counted in `failures`. Not thread-safe.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/live/local/restore.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::live {

/// What is wanted until the next order. Without limits: the work is free.
struct Order {
  bool run = true;
  double cpus = std::numeric_limits<double>::infinity();  ///< CPU seconds a second
  double clock = 1.0;  ///< of the clock's range, from least (0) to most (1)
  Power power = Power::from_base(std::numeric_limits<double>::infinity());  ///< of the devices
};

enum class ActuatorKind { Switch, Rate, Clock, Power };

/// An actuator as a user is told of it.
struct ActuatorInfo {
  std::string name;  ///< "freezer", ...
  ActuatorKind kind = ActuatorKind::Switch;
  bool whole_machine = false;  ///< others feel it too
  bool available = false;
  std::string how;     ///< available: "cgroup v2 cgroup.freeze", ...
  std::string why;     ///< not available: in words
  std::string remedy;  ///< what would make it so; may be empty
};

class Actuator {
 public:
  virtual ~Actuator() = default;
  const ActuatorInfo& info() const noexcept { return info_; }
  std::uint64_t changes() const noexcept { return changes_; }
  std::uint64_t failures() const noexcept { return failures_; }
  const std::string& last_failure() const noexcept { return last_failure_; }

  virtual void apply(const Order& order) noexcept = 0;

 protected:
  explicit Actuator(ActuatorInfo info) : info_(std::move(info)) {}
  /// Counts a change; an error other than 0 as a failure, in words.
  void changed(int error, const std::string& what) noexcept;

 private:
  ActuatorInfo info_;
  std::uint64_t changes_ = 0, failures_ = 0;
  std::string last_failure_;
};

struct ActuatorOptions {
  std::vector<std::string> wanted;  ///< by name; empty: the freezer, else signals
  std::string sysfs_root = "/sys", procfs_root = "/proc", cgroup_root = "/sys/fs/cgroup";
  std::string nvml;  ///< library; empty: libnvidia-ml.so.1; "none": do not look
};

struct Actuators {
  std::vector<std::unique_ptr<Actuator>> used;
  std::vector<ActuatorInfo> all;  ///< in the order of the table above
};

/// For a job that was opened and not yet released (its command is then moved into what groups are
/// needed before it runs), or that was attached to.
/// \param job       null: only those of the whole machine; it must outlive the actuators
/// \param restorer  must outlive them
/// \throws InputError for an unknown name; DeviceError for one that is not available, with reason
///         and remedy
Actuators open_actuators(const ActuatorOptions& options, meter::Job* job, Restorer& restorer);

/// What there is, without a job and without changing anything.
std::vector<ActuatorInfo> list_actuators(const ActuatorOptions& options);

}  // namespace carnot::live
