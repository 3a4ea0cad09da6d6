// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/gpu/nvml_library.hpp"

#include <fmt/format.h>

namespace carnot::meter {

std::uint64_t nvml::FieldValue::whole() const noexcept {
  switch (type) {
    case 0:
      return value.real > 0 && value.real < 1e19 ? static_cast<std::uint64_t>(value.real) : 0;
    case 1:
      return value.u32;
    case 2:  // unsigned long: 64 bits on every Linux that NVML runs on
    case 3:
      return value.u64;
    case 4:
      return value.s64 > 0 ? static_cast<std::uint64_t>(value.s64) : 0;
    case 5:
      return value.s32 > 0 ? static_cast<std::uint64_t>(value.s32) : 0;
    case 6:
      return value.u16;
    default:
      return 0;
  }
}

std::unique_ptr<NvmlLibrary> NvmlLibrary::load(const std::string& name, std::string& error,
                                               bool& found) {
  std::unique_ptr<NvmlLibrary> nvml(new NvmlLibrary);
  DynamicLibrary& library = nvml->library_;
  library = DynamicLibrary(name);
  found = library.is_open();
  if (!found) {
    error = library.error();
    return nullptr;
  }
  int (*start)() = nullptr;
  const bool whole = library.bind(start, "nvmlInit_v2") &&
                     library.bind(nvml->device_count, "nvmlDeviceGetCount_v2") &&
                     library.bind(nvml->device_handle, "nvmlDeviceGetHandleByIndex_v2") &&
                     library.bind(nvml->uuid, "nvmlDeviceGetUUID") &&
                     library.bind(nvml->name, "nvmlDeviceGetName");
  library.bind(nvml->words_, "nvmlErrorString");
  if (!whole) {
    error = name + " is no NVML: a function is missing";
    return nullptr;
  }
  library.bind(nvml->total_energy, "nvmlDeviceGetTotalEnergyConsumption");
  library.bind(nvml->power_usage, "nvmlDeviceGetPowerUsage");
  library.bind(nvml->field_values, "nvmlDeviceGetFieldValues");
  library.bind(nvml->process_utilization, "nvmlDeviceGetProcessUtilization");
  if (!library.bind(nvml->running_processes, "nvmlDeviceGetComputeRunningProcesses_v3"))
    library.bind(nvml->running_processes, "nvmlDeviceGetComputeRunningProcesses_v2");
  library.bind(nvml->mig_mode, "nvmlDeviceGetMigMode");
  library.bind(nvml->power_limit, "nvmlDeviceGetEnforcedPowerLimit");
  library.bind(nvml->architecture, "nvmlDeviceGetArchitecture");
  library.bind(nvml->management_limit, "nvmlDeviceGetPowerManagementLimit");
  library.bind(nvml->limit_range, "nvmlDeviceGetPowerManagementLimitConstraints");
  library.bind(nvml->set_management_limit, "nvmlDeviceSetPowerManagementLimit");
  if (const int code = start(); code != nvml::kSuccess) {
    error = nvml->words(code);
    return nullptr;
  }
  library.bind(nvml->shutdown_, "nvmlShutdown");  // only what was started is shut down
  return nvml;
}

NvmlLibrary::~NvmlLibrary() {
  if (shutdown_ != nullptr) shutdown_();
}

std::string NvmlLibrary::words(int code) const {
  const char* text = words_ != nullptr ? words_(code) : nullptr;
  return text != nullptr ? fmt::format("{} (NVML {})", text, code) : fmt::format("NVML {}", code);
}

}  // namespace carnot::meter
