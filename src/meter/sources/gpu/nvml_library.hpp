// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of NVIDIA's management library (NVML, libnvidia-ml.so.1) that the meter calls, declared
/// here so that neither headers nor library are needed to build. The C ABI is NVIDIA's promise:
/// numbers and layouts as in NVML's API reference, driver 535 and later, 2023.

#include <cstdint>
#include <memory>
#include <string>

#include "meter/sources/gpu/dynamic_library.hpp"

namespace carnot::meter {

namespace nvml {

using Device = void*;

/// What a call returns.
enum Code : int {
  kSuccess = 0,
  kNoPermission = 4,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kGpuNotFound = 28,
};

/// What GetFieldValues is asked for, and where.
constexpr std::uint32_t kTotalEnergy = 83;    ///< mJ since the driver was loaded
constexpr std::uint32_t kPowerAverage = 185;  ///< mW
constexpr std::uint32_t kPowerInstant = 186;  ///< mW
constexpr std::uint32_t kScopeGpu = 0, kScopeModule = 1, kScopeMemory = 2;

struct FieldValue {
  std::uint32_t field = 0;
  std::uint32_t scope = 0;
  std::int64_t timestamp_us = 0;
  std::int64_t latency_us = 0;
  std::uint32_t type = 0;  ///< 0 double, 1 u32, 2 unsigned long, 3 u64, 4 s64, 5 s32, 6 u16
  int code = 0;
  union Value {
    double real;
    std::uint32_t u32;
    std::uint64_t u64;
    std::int64_t s64;
    std::int32_t s32;
    std::uint16_t u16;
  } value = {.u64 = 0};

  /// The value as a count; negative and fractional ones rounded toward zero.
  std::uint64_t whole() const noexcept;
};
static_assert(sizeof(FieldValue) == 40);

struct ProcessUtilization {
  std::uint32_t pid = 0;
  std::uint64_t timestamp_us = 0;
  std::uint32_t sm = 0, memory = 0, encoder = 0, decoder = 0;  ///< percent
};
static_assert(sizeof(ProcessUtilization) == 32);

/// Of GetComputeRunningProcesses_v2 and _v3.
struct ProcessInfo {
  std::uint32_t pid = 0;
  std::uint64_t memory_b = 0;  ///< all ones: not known
  std::uint32_t gpu_instance = 0, compute_instance = 0;
};
static_assert(sizeof(ProcessInfo) == 24);

constexpr int kArchitectureAmpere = 7;

}  // namespace nvml

/// NVML loaded and initialised; shut down when the last owner goes.
class NvmlLibrary {
 public:
  /// Null with `error` said in words: the library is missing (`found` false), or the driver.
  static std::unique_ptr<NvmlLibrary> load(const std::string& name, std::string& error,
                                           bool& found);
  ~NvmlLibrary();
  NvmlLibrary(const NvmlLibrary&) = delete;
  NvmlLibrary& operator=(const NvmlLibrary&) = delete;

  std::string words(int code) const;

  using D = nvml::Device;
  int (*device_count)(unsigned*) = nullptr;
  int (*device_handle)(unsigned, D*) = nullptr;
  int (*uuid)(D, char*, unsigned) = nullptr;
  int (*name)(D, char*, unsigned) = nullptr;
  // Any of these may be missing from an old library.
  int (*total_energy)(D, unsigned long long*) = nullptr;
  int (*power_usage)(D, unsigned*) = nullptr;
  int (*field_values)(D, int, nvml::FieldValue*) = nullptr;
  int (*process_utilization)(D, nvml::ProcessUtilization*, unsigned*, unsigned long long) = nullptr;
  int (*running_processes)(D, unsigned*, nvml::ProcessInfo*) = nullptr;
  int (*mig_mode)(D, unsigned*, unsigned*) = nullptr;
  int (*power_limit)(D, unsigned*) = nullptr;
  int (*architecture)(D, unsigned*) = nullptr;
  int (*management_limit)(D, unsigned*) = nullptr;
  int (*limit_range)(D, unsigned*, unsigned*) = nullptr;
  int (*set_management_limit)(D, unsigned) = nullptr;

 private:
  NvmlLibrary() = default;

  DynamicLibrary library_;
  int (*shutdown_)() = nullptr;
  const char* (*words_)(int) = nullptr;
};

}  // namespace carnot::meter
