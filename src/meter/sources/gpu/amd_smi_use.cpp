// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/gpu/amd_smi_use.hpp"

#include <algorithm>

namespace carnot::meter {
namespace {

constexpr std::size_t kRoom = 64;  // processes; grows when the library says there are more

}  // namespace

void AmdSmiUse::add(amd_smi::Handle handle, int device) {
  Die die;
  die.handle = handle;
  die.device = device;
  die.processes.resize(kRoom);
  dies_.push_back(std::move(die));
}

void AmdSmiUse::append(const AmdSmiLibrary& library, std::vector<DeviceUse>& into) noexcept {
  if (library.process_list == nullptr) return;
  const std::size_t first = into.size();
  for (Die& die : dies_) append(library, die, into);
  // Two dies of one board, or engines that overlap, may add up to more than one.
  for (const Die& die : dies_) {
    double sum = 0.0;
    for (std::size_t i = first; i < into.size(); ++i)
      if (into[i].device == die.device) sum += into[i].busy_share;
    if (sum <= 1.0) continue;
    for (std::size_t i = first; i < into.size(); ++i)
      if (into[i].device == die.device) into[i].busy_share /= sum;
  }
}

void AmdSmiUse::append(const AmdSmiLibrary& library, Die& die, std::vector<DeviceUse>& into) const {
  auto count = static_cast<std::uint32_t>(die.processes.size());
  const std::uint32_t code = library.process_list(die.handle, &count, die.processes.data());
  if (code == amd_smi::kOutOfResources) {
    die.processes.resize(2 * std::max<std::size_t>(count, kRoom));
    return;
  }
  // Without permission the processes of other users are left out; one's own are there.
  if (code != amd_smi::kSuccess && code != amd_smi::kNoPermission) return;
  const std::int64_t now_ns = clock_->now().monotonic_ns;
  const double elapsed_ns = static_cast<double>(now_ns - die.last_ns);
  const bool first_look = die.last_ns == 0;
  die.last_ns = now_ns;
  die.now.clear();
  for (std::size_t i = 0; i < std::min<std::size_t>(count, die.processes.size()); ++i) {
    const amd_smi::Process& process = die.processes[i];
    die.now.push_back({process.pid, process.graphics_ns});
    const auto before = std::find_if(die.seen.begin(), die.seen.end(),
                                     [&](const Seen& seen) { return seen.pid == process.pid; });
    std::uint64_t busy_ns = 0;
    if (before != die.seen.end()) {
      if (process.graphics_ns > before->graphics_ns)
        busy_ns = process.graphics_ns - before->graphics_ns;
    } else if (!first_look) {
      busy_ns = process.graphics_ns;  // began since
    }
    into.push_back({.device = die.device,
                    .pid = static_cast<int>(process.pid),
                    .busy_share = elapsed_ns > 0
                                      ? std::min(1.0, static_cast<double>(busy_ns) / elapsed_ns)
                                      : 0.0,
                    .memory_b = process.memory_b});
  }
  die.seen.swap(die.now);
}

}  // namespace carnot::meter
