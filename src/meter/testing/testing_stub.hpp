// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: the stub libraries of tests/meter/stub_gpu, commanded from within the same program.

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/sources/gpu/dynamic_library.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_clock.hpp"

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

/// A clock that takes a stub's time along.
class StubClock final : public PacedClock {
 public:
  explicit StubClock(const StubGpu& stub) : stub_(stub) {}
  void pass(Duration length) noexcept override {
    PacedClock::pass(length);
    stub_.pass(length);
  }

 private:
  const StubGpu& stub_;
};

/// A source opened over a stub library, and what is asked of it.
class StubGpuTest : public ::testing::Test {
 protected:
  /// \param library  option that names the library to load
  using Open = std::unique_ptr<Source> (*)(const SourceOptions&, std::vector<Note>&);
  StubGpuTest(const std::string& path, std::string SourceOptions::*library, Open open)
      : stub_(path), clock_(stub_), library_(library), open_(open) {}

  void reopen() {
    notes_.clear();
    SourceOptions options;
    options.*library_ = stub_.path();
    options.clock = &clock_;
    source_ = open_(options, notes_);
    if (source_ != nullptr) {
      EXPECT_THAT(check_source_contract(*source_), ::testing::IsEmpty());
    }
  }
  const Domain& domain(std::size_t i) const { return source_->domains().at(i); }
  std::vector<Reading> poll() {
    std::vector<Reading> readings(source_->domains().size());
    source_->poll(readings);
    return readings;
  }
  std::vector<DeviceUse> use() {
    std::vector<DeviceUse> all;
    source_->device_use(all);
    return all;
  }

  StubGpu stub_;
  StubClock clock_;
  std::vector<Note> notes_;
  std::unique_ptr<Source> source_;

 private:
  std::string SourceOptions::*library_;
  Open open_;
};

}  // namespace carnot::meter::testing
