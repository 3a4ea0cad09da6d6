// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A machine that spends known power: files in a fixture tree that count it, and the truth.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "topologies.hpp"

namespace carnot::harness {

std::int64_t now_ns();  ///< CLOCK_MONOTONIC

class Plant {
 public:
  /// Makes the tree under `root`, which stands for /sys; all power is off.
  /// \throws std::exception if files cannot be written
  Plant(const Topology& topology, std::filesystem::path root);
  ~Plant();
  Plant(const Plant&) = delete;
  Plant& operator=(const Plant&) = delete;

  /// Integrates to now and shows the counters.
  void tick();
  /// All zones draw `factor` times their power from now on.
  void power(double factor);
  /// One zone draws `watts` (times the factor) from now on; its mirrors with it.
  void watts(const std::string& id, double watts);
  /// The counter will turn in `seconds` at its present power.
  void wrap(const std::string& id, double seconds);
  /// The counter begins again at zero, as when a driver is loaded again.
  void reset(const std::string& id);
  /// Reading fails with EIO for who opens the file from now on, and finds it empty for who has it
  /// open (a plain file cannot fail an open reader). `mend` undoes it.
  void fail(const std::string& id);
  void mend(const std::string& id);
  /// The zone's folder is gone; who has the file open finds it empty.
  void remove(const std::string& id);
  void mode(const std::string& id, const std::string& file, unsigned mode);

  /// Joules spent since the beginning, up to the last tick or command: all that is counted, and
  /// each zone. Counters show this to one count, resets and turns apart.
  double joules() const;
  std::string truth_json() const;

 private:
  struct State {
    Zone zone;
    std::filesystem::path file;
    int fd = -1;
    double joules = 0;             ///< spent
    std::uint64_t offset_raw = 0;  ///< added to joules / unit before the modulus
    std::size_t shown_length = 0;
  };
  State& find(const std::string& id);
  std::uint64_t raw(const State& state) const;
  void integrate();
  void show(State& state);
  void make_zone(State& state);
  void make_perf(const Topology& topology) const;

  std::filesystem::path root_;
  std::vector<State> states_;
  double factor_ = 0;
  std::int64_t at_ns_;
};

}  // namespace carnot::harness
