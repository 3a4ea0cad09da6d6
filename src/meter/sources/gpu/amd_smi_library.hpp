// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of AMD's management library (libamd_smi.so) that the meter calls, declared here so that
/// neither headers nor library are needed to build. Its ABI changed between releases; what is told
/// apart here are the layouts of the power figures (ROCm 6.0 to 6.3 against 6.4 and 7: AMD SMI
/// reference, struct amdsmi_power_info_t, 2024 and 2025) and, from ROCm 7, of the process list.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "meter/sources/gpu/dynamic_library.hpp"

namespace carnot::meter {

namespace amd_smi {

using Handle = void*;

enum Code : std::uint32_t {
  kSuccess = 0,
  kInvalid = 1,
  kNotSupported = 2,
  kNotYetImplemented = 3,
  kNoPermission = 10,
  kOutOfResources = 15,
  kNotFound = 31,
  kNotInitialised = 32,
  kDriverNotLoaded = 34,
};

constexpr std::uint64_t kInitGpus = 1u << 1;
constexpr std::uint32_t kProcessorGpu = 1;

/// Room for every layout of amdsmi_power_info_t so far (192 bytes), and more.
using PowerInfo = std::array<std::uint32_t, 128>;
/// Watts out of it; empty where the board tells none.
/// \param wide  layout of ROCm 6.4 and later: 64 bits precede the two 32-bit powers
std::optional<std::uint32_t> watts(const PowerInfo& info, bool wide) noexcept;

/// amdsmi_proc_info_t of ROCm 7.
struct Process {
  char name[256];
  std::uint32_t pid;
  std::uint32_t padding;
  std::uint64_t memory_b;
  std::uint64_t graphics_ns, encoder_ns;  ///< engine time, cumulative
  std::uint32_t engine_reserved[12];
  std::uint64_t memory[3];
  std::uint32_t memory_reserved[10];
  char container[256];
  std::uint32_t compute_units;
  std::uint32_t reserved[11];
};
static_assert(sizeof(Process) == 704);

}  // namespace amd_smi

/// AMD SMI loaded and initialised for accelerators; shut down with its owner.
class AmdSmiLibrary {
 public:
  /// Null with `error` said in words: the library is missing (`found` false), or the driver.
  static std::unique_ptr<AmdSmiLibrary> load(const std::string& name, std::string& error,
                                             bool& found);
  ~AmdSmiLibrary();
  AmdSmiLibrary(const AmdSmiLibrary&) = delete;
  AmdSmiLibrary& operator=(const AmdSmiLibrary&) = delete;

  std::string words(std::uint32_t code) const;
  /// First number of the library's version: 23 and 24 are the years before ROCm 6.4, then counted.
  std::uint32_t version() const noexcept { return version_; }

  using H = amd_smi::Handle;
  std::uint32_t (*sockets)(std::uint32_t*, H*) = nullptr;
  std::uint32_t (*processors)(H, std::uint32_t*, H*) = nullptr;
  std::uint32_t (*processor_type)(H, std::uint32_t*) = nullptr;
  // Any of these may be missing.
  std::uint32_t (*energy_count)(H, std::uint64_t*, float*, std::uint64_t*) = nullptr;
  std::uint32_t (*power_info)(H, amd_smi::PowerInfo*) = nullptr;
  std::uint32_t (*device_bdf)(H, std::uint64_t*) = nullptr;
  std::uint32_t (*process_list)(H, std::uint32_t*, amd_smi::Process*) = nullptr;

 private:
  AmdSmiLibrary() = default;

  DynamicLibrary library_;
  std::uint32_t version_ = 0;
  std::uint32_t (*shutdown_)() = nullptr;
  std::uint32_t (*words_)(std::uint32_t, const char**) = nullptr;
};

}  // namespace carnot::meter
