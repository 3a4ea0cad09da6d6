// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests only: a /proc of ordinary files, written as proc(5) describes them.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing_files.hpp"

namespace carnot::meter {

struct FakeProcess {
  int pid = 0;
  std::string name = "fake";
  int parent = 1;
  std::uint64_t user_ticks = 0, system_ticks = 0, child_user_ticks = 0, child_system_ticks = 0;
  std::uint64_t start_ticks = 1000;
  std::uint64_t rss_pages = 10;
};

/// Text of /proc/<pid>/stat.
inline std::string stat_text(const FakeProcess& p) {
  const auto s = [](auto number) { return " " + std::to_string(number); };
  return std::to_string(p.pid) + " (" + p.name + ") S" + s(p.parent) +
         " 1 1 0 -1 4194560 100 200 0 0" + s(p.user_ticks) + s(p.system_ticks) +
         s(p.child_user_ticks) + s(p.child_system_ticks) + " 20 0 1 0" + s(p.start_ticks) +
         " 10000000" + s(p.rss_pages) + " 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0\n";
}

class FakeProcfs : public TemporaryFolder {
 public:
  /// In memory where there is a place: files are rewritten thousands of times.
  FakeProcfs()
      : TemporaryFolder(::access("/dev/shm", W_OK) == 0 ? std::filesystem::path("/dev/shm")
                                                        : std::filesystem::temp_directory_path()) {}

  void process(const FakeProcess& p) const { write(std::to_string(p.pid) + "/stat", stat_text(p)); }
  void remove(int pid) const {
    write(std::to_string(pid) + "/stat", "");  // files still open say nothing more, as in /proc
    std::filesystem::remove_all(std::filesystem::path(path()) / std::to_string(pid));
  }
  /// \param ticks  user nice system idle iowait irq softirq steal guest guest_nice
  void machine(const std::string& ticks, int cpus, std::uint64_t forks) const {
    std::string text = "cpu  " + ticks + "\n";
    for (int i = 0; i < cpus; ++i) text += "cpu" + std::to_string(i) + " " + ticks + "\n";
    write("stat", text + "intr 5 0 0\nctxt 12\nbtime 1700000000\nprocesses " +
                      std::to_string(forks) + "\nprocs_running 1\n");
  }
};

}  // namespace carnot::meter
