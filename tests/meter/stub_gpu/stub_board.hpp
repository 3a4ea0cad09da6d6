// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Simulated accelerator boards behind the stub libraries: true power, what the sensors show of it,
/// and who is at work. Each library holds one instance of all this.
///
/// A scenario is a text of `key=value` apart by blanks, commas within a value; `key2=value` is for
/// board 2 alone. It comes from `carnot_stub_scenario`, or when the library starts from the
/// environment variable CARNOT_STUB_GPU, where `@path` names a file. Keys and defaults stand in
/// `Scenario`. The clock is the machine's until `carnot_stub_advance` is called.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include <time.h>

// Hidden: two stub libraries in one program must not share what is one of each.
#pragma GCC visibility push(hidden)
namespace stub {

class Scenario {
 public:
  explicit Scenario(const std::string& text = "") {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      if (equals != std::string::npos) values_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }

  std::string text(const std::string& key, int board, const std::string& fallback) const {
    for (const std::string& name : {key + std::to_string(board), key})
      if (const auto found = values_.find(name); found != values_.end()) return found->second;
    return fallback;
  }
  double number(const std::string& key, int board, double fallback) const {
    const std::string value = text(key, board, "");
    return value.empty() ? fallback : std::strtod(value.c_str(), nullptr);
  }

 private:
  std::map<std::string, std::string> values_;
};

struct Process {
  unsigned pid = 0;
  unsigned sm = 0;  // percent
  std::uint64_t memory_b = 0;
};

class Machine {
 public:
  void start() {
    const char* text = std::getenv("CARNOT_STUB_GPU");
    if (!set_ && text != nullptr) {
      std::string words = text;
      if (!words.empty() && words[0] == '@') {
        std::ifstream file(words.substr(1));
        words.assign(std::istreambuf_iterator<char>(file), {});
      }
      scenario = Scenario(words);
    }
  }
  void set(const char* text) {
    scenario = Scenario(text);
    calls.clear();
    device_calls_ = 0;
    simulated_s_ = 0;
    set_ = true;
  }
  void advance(std::int64_t ns) {
    if (simulated_s_ == 0) simulated_s_ = 1000;
    simulated_s_ += static_cast<double>(ns) * 1e-9;
  }
  double now_s() const {
    if (simulated_s_ > 0) return simulated_s_;
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return 1000.0 + static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  int boards() const { return static_cast<int>(scenario.number("devices", 0, 1)); }
  bool has(const char* key, int board, bool fallback) const {
    return scenario.number(key, board, fallback ? 1 : 0) != 0;
  }

  /// Counts a call to a board. True: the board answers; after `lost_after` calls it does not.
  bool call(const char* function, int board) {
    ++calls[function];
    const double last = scenario.number("lost_after", board, -1);
    return last < 0 || device_calls_++ < last;
  }

  /// True energy since time 0: `power_w` always and `swing_w` more in the first `duty` of every
  /// `period_ms`, shifted by `phase_ms`.
  double energy_j(int board, double t) const {
    const double base = scenario.number("power_w", board, 300);
    const double swing = scenario.number("swing_w", board, 0);
    const double period = 1e-3 * scenario.number("period_ms", board, 1000);
    const double on = period * scenario.number("duty", board, 0.5);
    const double shifted = t + 1e-3 * scenario.number("phase_ms", board, 0);
    const double whole = static_cast<double>(static_cast<std::int64_t>(shifted / period));
    const double rest = shifted - whole * period;
    return base * t + swing * (whole * on + (rest < on ? rest : on));
  }
  /// Energy as the counter shows it: with the sensor's `gain`, at the last edge of `every_ms`.
  double shown_energy_j(int board) const {
    return scenario.number("gain", board, 1) * energy_j(board, edge(board));
  }
  /// Power as the sensor shows it: the mean of the `sample_ms` before the last edge.
  double shown_power_w(int board) const {
    const double end = edge(board);
    const double sample = 1e-3 * scenario.number("sample_ms", board, 25);
    return scenario.number("gain", board, 1) *
           (energy_j(board, end) - energy_j(board, end - sample)) / sample;
  }

  /// `processes=pid:sm:memory,...`
  std::vector<Process> processes(int board) const {
    std::vector<Process> found;
    std::istringstream list(scenario.text("processes", board, ""));
    for (std::string one; std::getline(list, one, ',');) {
      Process process;
      char colon = 0;
      std::istringstream fields(one);
      fields >> process.pid >> colon >> process.sm >> colon >> process.memory_b;
      found.push_back(process);
    }
    return found;
  }

  Scenario scenario;
  std::map<std::string, long> calls;
  std::mutex mutex;

 private:
  double edge(int board) const {
    const double every = 1e-3 * scenario.number("every_ms", board, 100);
    return every * static_cast<double>(static_cast<std::int64_t>(now_s() / every));
  }

  bool set_ = false;
  double simulated_s_ = 0;
  double device_calls_ = 0;
};

inline Machine& machine() {
  static Machine one;
  return one;
}

}  // namespace stub
#pragma GCC visibility pop

extern "C" {
inline __attribute__((used, visibility("default"))) void carnot_stub_scenario(const char* text) {
  const std::scoped_lock lock(stub::machine().mutex);
  stub::machine().set(text);
}
inline __attribute__((used, visibility("default"))) void carnot_stub_advance(long long ns) {
  const std::scoped_lock lock(stub::machine().mutex);
  stub::machine().advance(ns);
}
/// True energy of a board since time 0, J.
inline __attribute__((used, visibility("default"))) double carnot_stub_energy(int board) {
  const std::scoped_lock lock(stub::machine().mutex);
  return stub::machine().energy_j(board, stub::machine().now_s());
}
/// Calls to boards since the scenario was set; `function` null: of all functions.
inline __attribute__((used, visibility("default"))) long carnot_stub_calls(const char* function) {
  const std::scoped_lock lock(stub::machine().mutex);
  long sum = 0;
  for (const auto& [name, count] : stub::machine().calls)
    if (function == nullptr || name == function) sum += count;
  return sum;
}
}
