// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: the stub libraries of tests/meter/stub_gpu, commanded from within the same program.

#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"

#include "meter/dynamic_library.hpp"

namespace carnot::meter::testing {

class StubGpu {
 public:
  explicit StubGpu(const std::string& path) : path_(path), library_(path) {
    CARNOT_CHECK(library_.is_open(), library_.error());
    library_.bind(scenario_, "carnot_stub_scenario");
    library_.bind(advance_, "carnot_stub_advance");
    library_.bind(energy_, "carnot_stub_energy");
    library_.bind(calls_, "carnot_stub_calls");
  }
  const std::string& path() const { return path_; }
  /// Sets the scenario, counts and clock anew.
  void scenario(const std::string& text) const { scenario_(text.c_str()); }
  /// Lets simulated time pass.
  void pass(Duration time) const { advance_(time.nanoseconds()); }
  double energy_j(int board) const { return energy_(board); }
  long calls(const char* function = nullptr) const { return calls_(function); }

 private:
  std::string path_;
  DynamicLibrary library_;
  void (*scenario_)(const char*) = nullptr;
  void (*advance_)(long long) = nullptr;
  double (*energy_)(int) = nullptr;
  long (*calls_)(const char*) = nullptr;
};

}  // namespace carnot::meter::testing
