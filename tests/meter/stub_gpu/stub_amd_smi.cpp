// SPDX-License-Identifier: Apache-2.0
// Answers like AMD SMI for the boards of stub_board.hpp. Keys: devices, version (24: powers first;
// 25 and later: after a 64-bit figure), type, counter, counter_rate (of what it should be), power
// (0: not told), present (0: only the mean is told), second (this die reads nothing), init, fail,
// processes, lost_after, lost_code.

#include <cmath>
#include <cstring>

#include "stub_board.hpp"

namespace {

enum Code : std::uint32_t { kSuccess = 0, kNotSupported = 2, kRoom = 15, kNotFound = 31 };
constexpr double kUnit_j = 0x1p-16;

int board_of(void* handle) { return static_cast<int>(reinterpret_cast<std::intptr_t>(handle)) - 1; }

template <class Answer>
std::uint32_t ask(const char* function, void* handle, Answer answer) {
  stub::Machine& machine = stub::machine();
  const std::scoped_lock lock(machine.mutex);
  const int board = board_of(handle);
  if (!machine.call(function, board))
    return static_cast<std::uint32_t>(machine.scenario.number("lost_code", board, kNotFound));
  return answer(machine, board);
}

struct Listed {  // amdsmi_proc_info_t of ROCm 7
  char name[256];
  std::uint32_t pid, padding;
  std::uint64_t memory, graphics_ns, encoder_ns;
  std::uint32_t reserved[12];
  std::uint64_t detail[3];
  std::uint32_t detail_reserved[10];
  char container[256];
  std::uint32_t units, more[11];
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

std::uint32_t amdsmi_init(std::uint64_t) {
  const std::scoped_lock lock(stub::machine().mutex);
  stub::machine().start();
  return static_cast<std::uint32_t>(stub::machine().scenario.number("init", 0, 0));
}
std::uint32_t amdsmi_shut_down() { return kSuccess; }
std::uint32_t amdsmi_status_code_to_string(std::uint32_t, const char** text) {
  *text = "stub status";
  return kSuccess;
}
std::uint32_t amdsmi_get_lib_version(std::uint32_t* version) {
  const std::scoped_lock lock(stub::machine().mutex);
  version[0] = static_cast<std::uint32_t>(stub::machine().scenario.number("version", 0, 26));
  return kSuccess;
}
std::uint32_t amdsmi_get_socket_handles(std::uint32_t* count, void** sockets) {
  const std::scoped_lock lock(stub::machine().mutex);
  *count = static_cast<std::uint32_t>(stub::machine().boards());
  if (sockets != nullptr)
    for (std::uint32_t i = 0; i < *count; ++i)
      sockets[i] = reinterpret_cast<void*>(static_cast<std::intptr_t>(i) + 1);
  return kSuccess;
}
std::uint32_t amdsmi_get_processor_handles(void* socket, std::uint32_t* count, void** processors) {
  *count = 1;
  if (processors != nullptr) processors[0] = socket;
  return kSuccess;
}
std::uint32_t amdsmi_get_processor_type(void* handle, std::uint32_t* type) {
  const std::scoped_lock lock(stub::machine().mutex);
  *type = static_cast<std::uint32_t>(stub::machine().scenario.number("type", board_of(handle), 1));
  return kSuccess;
}
std::uint32_t amdsmi_get_gpu_device_bdf(void* handle, std::uint64_t* bdf) {
  *bdf = static_cast<std::uint64_t>(0xc1 + board_of(handle)) << 8;
  return kSuccess;
}
std::uint32_t amdsmi_get_energy_count(void* handle, std::uint64_t* energy, float* resolution,
                                      std::uint64_t* timestamp) {
  return ask("energy", handle, [&](const stub::Machine& machine, int board) -> std::uint32_t {
    if (!machine.has("counter", board, true)) return kNotSupported;
    const double rate =
        machine.has("second", board, false) ? 0 : machine.scenario.number("counter_rate", board, 1);
    *energy = static_cast<std::uint64_t>(rate * machine.shown_energy_j(board) / kUnit_j);
    *resolution = 15.259f;
    *timestamp = static_cast<std::uint64_t>(1e9 * machine.now_s());
    return kSuccess;
  });
}
std::uint32_t amdsmi_get_power_info(void* handle, std::uint32_t* info) {
  return ask("power", handle, [&](const stub::Machine& machine, int board) -> std::uint32_t {
    if (machine.has("fail", board, false)) return kNotSupported;
    const bool wide = machine.scenario.number("version", 0, 26) >= 25;
    const auto told = static_cast<std::uint32_t>(
        machine.has("second", board, false) ? 0 : std::lround(machine.shown_power_w(board)));
    const std::uint32_t not_told = wide ? ~0u : 0xFFFFu;
    const std::uint32_t power = machine.has("power", board, true) ? told : not_told;
    if (wide) {
      const std::uint64_t none = ~std::uint64_t{0};
      std::memcpy(info, &none, sizeof none);
    }
    const bool present = machine.has("present", board, true);
    std::uint32_t* powers = info + (wide ? 2 : 0);
    powers[0] = present ? power : not_told;
    powers[1] = present ? not_told : power;
    powers[2] = 850;  // voltages
    powers[3] = 750;
    return kSuccess;
  });
}
std::uint32_t amdsmi_get_gpu_process_list(void* handle, std::uint32_t* count, Listed* list) {
  return ask("processes", handle, [&](const stub::Machine& machine, int board) -> std::uint32_t {
    const std::vector<stub::Process> found = machine.processes(board);
    const std::uint32_t room = *count;
    *count = static_cast<std::uint32_t>(found.size());
    if (room < found.size()) return kRoom;
    const double ns = 1e9 * machine.now_s();
    for (std::size_t i = 0; i < found.size(); ++i) {
      list[i] = Listed{};
      list[i].pid = found[i].pid;
      list[i].memory = found[i].memory_b;
      list[i].graphics_ns = static_cast<std::uint64_t>(ns * found[i].sm / 100);
    }
    return kSuccess;
  });
}
}
#pragma GCC visibility pop
