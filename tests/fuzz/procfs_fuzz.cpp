// SPDX-License-Identifier: Apache-2.0
// Readers of /proc and cgroup text: any bytes give a value or a refusal, and what is read holds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "meter/processes/procfs.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carnot::meter;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  carnot::meter::ProcessStat stat;
  if (carnot::meter::parse_process_stat(text, stat)) {
    require(stat.pid >= 0 && stat.parent >= 0 && stat.cpu_ns >= 0 && stat.children_cpu_ns >= 0);
    require(stat.name.empty() || (stat.name.data() > text.data() &&
                                  stat.name.data() + stat.name.size() < text.data() + text.size()));
  }
  carnot::meter::MachineUse use;
  std::uint64_t forks = 0;
  if (carnot::meter::parse_machine_stat(text, use, forks)) {
    require(use.busy_ns >= 0 && use.idle_ns >= 0 && use.steal_ns >= 0 && use.cpus >= 0);
  }
  carnot::meter::BlockTraffic traffic;
  carnot::meter::parse_process_io(text, traffic);
  carnot::meter::parse_io_stat(text);
  carnot::meter::parse_diskstats(text);
  carnot::meter::parse_net_dev(text);
  std::int64_t usage_ns = 0;
  if (carnot::meter::parse_cpu_stat(text, usage_ns)) require(usage_ns >= 0);
  require(carnot::meter::parse_last_pid(text) >= 0);
  for (const carnot::meter::CgroupMount& mount : carnot::meter::parse_mountinfo(text)) {
    require(!(mount.v2 && mount.cpuacct));
    require(mount.root.size() <= size && mount.point.size() <= size);
  }
  require(carnot::meter::parse_membership(text, "").size() <= size);
  require(carnot::meter::parse_membership(text, "cpuacct").size() <= size);
  return 0;
}
