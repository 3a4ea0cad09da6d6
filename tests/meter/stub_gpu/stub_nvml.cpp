// SPDX-License-Identifier: Apache-2.0
// Answers like NVML for the boards of stub_board.hpp. Keys: devices, name, counter, fields,
// counter_field, instant, average, module, memory_w, usage, architecture, mig, limit_w,
// utilization, processes, once, init, lost_after, lost_code; of limits that are set: limit_w,
// least_w, most_w, root, limit_file.

#include <cmath>
#include <cstring>

#include "stub_board.hpp"

namespace {

enum Code : int { kSuccess = 0, kNotSupported = 3, kNotFound = 6, kSmall = 7, kLost = 15 };

int board_of(void* device) { return static_cast<int>(reinterpret_cast<std::intptr_t>(device)) - 1; }

// Runs `answer` under the lock unless the board is lost.
template <class Answer>
int ask(const char* function, void* device, Answer answer) {
  stub::Machine& machine = stub::machine();
  const std::scoped_lock lock(machine.mutex);
  const int board = board_of(device);
  if (!machine.call(function, board))
    return static_cast<int>(machine.scenario.number("lost_code", board, kLost));
  return answer(machine, board);
}

unsigned milliwatts(const stub::Machine& machine, int board) {
  return static_cast<unsigned>(std::lround(1e3 * machine.shown_power_w(board)));
}

unsigned long long millijoules(const stub::Machine& machine, int board) {
  return static_cast<unsigned long long>(1e3 * machine.shown_energy_j(board));
}

struct Field {
  unsigned id, scope;
  long long timestamp, latency;
  unsigned type;
  int code;
  unsigned long long value;
};

struct Utilization {
  unsigned pid;
  unsigned long long timestamp;
  unsigned sm, memory, encoder, decoder;
};

struct Running {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

void answer_field(const stub::Machine& machine, int board, Field& field) {
  const auto give = [&field](bool there, unsigned type, unsigned long long value) {
    field.code = there ? kSuccess : kNotSupported;
    field.type = type;
    field.value = value;
  };
  const bool module = machine.has("module", board, false);
  if (field.id == 83) {
    give(machine.has("counter_field", board, false), 3, millijoules(machine, board));
  } else if (field.id == 186 || field.id == 185) {
    const bool instant = field.id == 186;
    const double memory_w = machine.scenario.number("memory_w", board, 0);
    const bool there = machine.has(instant ? "instant" : "average", board, true);
    if (field.scope == 2)
      give(!instant && memory_w > 0, 1, static_cast<unsigned long long>(1e3 * memory_w));
    else
      give(there && (field.scope == 1) == module, 1, milliwatts(machine, board));
  } else {
    give(false, 1, 0);
  }
}

// Limits that were set; in the file `limit_file`BOARD where all processes are to see them.
std::map<int, unsigned>& limits() {
  static std::map<int, unsigned> set;
  return set;
}
std::string limit_file(const stub::Machine& machine, int board) {
  const std::string file = machine.scenario.text("limit_file", 99, "");
  return file.empty() ? file : file + std::to_string(board);
}
unsigned limit_mw(const stub::Machine& machine, int board) {
  unsigned limit = static_cast<unsigned>(1e3 * machine.scenario.number("limit_w", board, 700));
  if (const auto set = limits().find(board); set != limits().end()) limit = set->second;
  if (std::ifstream file(limit_file(machine, board)); file) file >> limit;
  return limit;
}
void put_limit_mw(const stub::Machine& machine, int board, unsigned limit) {
  const std::string file = limit_file(machine, board);
  if (file.empty())
    limits()[board] = limit;
  else
    std::ofstream(file) << limit;
}

unsigned long long wall_clock_us() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<unsigned long long>(t.tv_sec) * 1'000'000 +
         static_cast<unsigned long long>(t.tv_nsec) / 1000;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int nvmlInit_v2() {
  const std::scoped_lock lock(stub::machine().mutex);
  stub::machine().start();
  return static_cast<int>(stub::machine().scenario.number("init", 0, 0));
}
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int code) {
  return code == 9 ? "Driver Not Loaded" : code == kLost ? "GPU is lost" : "Other";
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  const std::scoped_lock lock(stub::machine().mutex);
  *count = static_cast<unsigned>(stub::machine().boards());
  return kSuccess;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::intptr_t>(index) + 1);
  return kSuccess;
}
int nvmlDeviceGetUUID(void* device, char* text, unsigned length) {
  std::snprintf(text, length, "GPU-00000000-0000-0000-0000-%012d", board_of(device));
  return kSuccess;
}
int nvmlDeviceGetName(void* device, char* text, unsigned length) {
  const std::scoped_lock lock(stub::machine().mutex);
  const std::string name = stub::machine().scenario.text("name", board_of(device), "NVIDIA_L40S");
  std::strncpy(text, name.c_str(), length);
  return kSuccess;
}
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* energy) {
  return ask("energy", device, [&](const stub::Machine& machine, int board) {
    *energy = millijoules(machine, board);
    return machine.has("counter", board, true) ? kSuccess : kNotSupported;
  });
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* power) {
  return ask("usage", device, [&](const stub::Machine& machine, int board) {
    *power = milliwatts(machine, board);
    return machine.has("usage", board, true) ? kSuccess : kNotSupported;
  });
}
int nvmlDeviceGetEnforcedPowerLimit(void* device, unsigned* limit) {
  return ask("limit", device, [&](const stub::Machine& machine, int board) {
    *limit = static_cast<unsigned>(1e3 * machine.scenario.number("limit_w", board, 700));
    return kSuccess;
  });
}
int nvmlDeviceGetPowerManagementLimit(void* device, unsigned* limit) {
  return ask("limit_set", device, [&](const stub::Machine& machine, int board) {
    *limit = limit_mw(machine, board);
    return kSuccess;
  });
}
int nvmlDeviceGetPowerManagementLimitConstraints(void* device, unsigned* least, unsigned* most) {
  return ask("limit_range", device, [&](const stub::Machine& machine, int board) {
    *least = static_cast<unsigned>(1e3 * machine.scenario.number("least_w", board, 200));
    *most = static_cast<unsigned>(1e3 * machine.scenario.number("most_w", board, 700));
    return kSuccess;
  });
}
int nvmlDeviceSetPowerManagementLimit(void* device, unsigned limit) {
  return ask("set_limit", device, [&](const stub::Machine& machine, int board) {
    if (!machine.has("root", board, true)) return 4;
    if (limit < 1e3 * machine.scenario.number("least_w", board, 200) ||
        limit > 1e3 * machine.scenario.number("most_w", board, 700))
      return 2;
    put_limit_mw(machine, board, limit);
    return 0;
  });
}
int nvmlDeviceGetArchitecture(void* device, unsigned* architecture) {
  return ask("architecture", device, [&](const stub::Machine& machine, int board) {
    *architecture = static_cast<unsigned>(machine.scenario.number("architecture", board, 9));
    return kSuccess;
  });
}
int nvmlDeviceGetMigMode(void* device, unsigned* mode, unsigned* pending) {
  return ask("mig", device, [&](const stub::Machine& machine, int board) {
    *mode = *pending = machine.has("mig", board, false) ? 1 : 0;
    return kSuccess;
  });
}
int nvmlDeviceGetFieldValues(void* device, int count, Field* fields) {
  return ask("fields", device, [&](const stub::Machine& machine, int board) {
    if (!machine.has("fields", board, true)) return static_cast<int>(kNotSupported);
    for (int i = 0; i < count; ++i) answer_field(machine, board, fields[i]);
    return static_cast<int>(kSuccess);
  });
}
int nvmlDeviceGetProcessUtilization(void* device, Utilization* samples, unsigned* count,
                                    unsigned long long since) {
  return ask("utilization", device, [&](const stub::Machine& machine, int board) {
    if (!machine.has("utilization", board, true) || machine.has("mig", board, false))
      return static_cast<int>(kNotSupported);
    std::vector<Utilization> found;
    // With `once` there is one sample, of the first time it was asked for.
    static unsigned long long first = 0;
    const bool once = machine.has("once", board, false);
    const unsigned long long clock = wall_clock_us();
    if (once && first == 0) first = clock;
    const unsigned long long now = once ? first : clock;
    for (const stub::Process& process : machine.processes(board))
      if (process.sm > 0 && now > since) found.push_back({process.pid, now, process.sm, 0, 0, 0});
    const unsigned room = *count;
    *count = static_cast<unsigned>(found.size());
    if (found.empty()) return static_cast<int>(kNotFound);
    if (samples == nullptr || room < found.size()) return static_cast<int>(kSmall);
    std::copy(found.begin(), found.end(), samples);
    return static_cast<int>(kSuccess);
  });
}
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, Running* processes) {
  return ask("running", device, [&](const stub::Machine& machine, int board) {
    const std::vector<stub::Process> found = machine.processes(board);
    const unsigned room = *count;
    *count = static_cast<unsigned>(found.size());
    if (room < found.size()) return static_cast<int>(kSmall);
    for (std::size_t i = 0; i < found.size(); ++i)
      processes[i] = {found[i].pid, found[i].memory_b, ~0u, ~0u};
    return static_cast<int>(kSuccess);
  });
}
}
#pragma GCC visibility pop
