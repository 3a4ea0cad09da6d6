// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/gpu/nvml_use.hpp"

#include <algorithm>

#include "carnot/base/instant.hpp"

namespace carnot::meter {
namespace {

constexpr std::size_t kRoom = 128;  // processes; grows when NVML says there are more

}  // namespace

void NvmlUse::add(nvml::Device handle, int device) {
  Board board;
  board.handle = handle;
  board.device = device;
  // NVML stamps samples with the wall clock; what came before this is not ours.
  board.last_seen_us = static_cast<std::uint64_t>(Instant::now().unix_nanoseconds() / 1000);
  board.samples.resize(kRoom);
  board.processes.resize(kRoom);
  boards_.push_back(std::move(board));
}

void NvmlUse::append(const NvmlLibrary& library, std::vector<DeviceUse>& into) noexcept {
  for (const int device : divided_) into.push_back({.device = device, .pid = 0, .busy_share = 1.0});
  for (Board& board : boards_) {
    if (board.lost) continue;
    const int code = board.shares && library.process_utilization != nullptr
                         ? append_shares(library, board, into)
                         : append_memory(library, board, into);
    if (code == nvml::kNotSupported) board.shares = false;
    if (code == nvml::kGpuIsLost || code == nvml::kGpuNotFound) board.lost = true;
  }
}

int NvmlUse::append_shares(const NvmlLibrary& library, Board& board, std::vector<DeviceUse>& into) {
  auto count = static_cast<unsigned>(board.samples.size());
  const int code =
      library.process_utilization(board.handle, board.samples.data(), &count, board.last_seen_us);
  if (code == nvml::kInsufficientSize)
    board.samples.resize(2 * std::max<std::size_t>(count, kRoom));
  if (code != nvml::kSuccess) return code;

  const std::size_t first = into.size();
  const std::size_t end = std::min<std::size_t>(count, board.samples.size());
  std::sort(board.samples.begin(), board.samples.begin() + static_cast<std::ptrdiff_t>(end),
            [](const auto& a, const auto& b) { return a.pid < b.pid; });
  // A process has a sample only for periods in which it was busy, so the most samples any process
  // has is the number of periods there were.
  std::size_t periods = 1;
  std::size_t of_this = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const nvml::ProcessUtilization& sample = board.samples[i];
    board.last_seen_us = std::max(board.last_seen_us, sample.timestamp_us);
    const int pid = static_cast<int>(sample.pid);
    if (into.size() == first || into.back().pid != pid) {
      into.push_back({.device = board.device, .pid = pid});
      of_this = 0;
    }
    periods = std::max(periods, ++of_this);
    into.back().busy_share += std::min(sample.sm, 100u) / 100.0;
  }
  double sum = 0.0;
  for (std::size_t i = first; i < into.size(); ++i) sum += into[i].busy_share;
  const double divisor = std::max(static_cast<double>(periods), sum);
  for (std::size_t i = first; i < into.size(); ++i) into[i].busy_share /= divisor;
  return code;
}

int NvmlUse::append_memory(const NvmlLibrary& library, Board& board, std::vector<DeviceUse>& into) {
  if (library.running_processes == nullptr) return nvml::kFunctionNotFound;
  auto count = static_cast<unsigned>(board.processes.size());
  const int code = library.running_processes(board.handle, &count, board.processes.data());
  if (code == nvml::kInsufficientSize)
    board.processes.resize(2 * std::max<std::size_t>(count, kRoom));
  if (code != nvml::kSuccess) return code;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, board.processes.size()); ++i) {
    const nvml::ProcessInfo& process = board.processes[i];
    into.push_back({.device = board.device,
                    .pid = static_cast<int>(process.pid),
                    .memory_b = ~process.memory_b == 0 ? 0 : process.memory_b});
  }
  return code;
}

}  // namespace carnot::meter
