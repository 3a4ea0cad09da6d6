// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/gpu/amd_smi_library.hpp"

#include <fmt/format.h>

namespace carnot::meter {

std::optional<std::uint32_t> amd_smi::watts(const PowerInfo& info, bool wide) noexcept {
  // What a board does not tell is all ones, of 16 or of 32 bits. MI300 and later tell the present
  // power, others a mean; from ROCm 6.4 a 64-bit figure precedes both, filled by some releases.
  const std::size_t first = wide ? 2 : 0;
  for (const std::uint32_t value : {info[first], info[first + 1], wide ? info[0] : ~0u})
    if (value != 0xFFFFu && value != ~0u && value != 0) return value;
  for (const std::uint32_t value : {info[first], info[first + 1]})
    if (value == 0) return 0;
  return std::nullopt;
}

std::unique_ptr<AmdSmiLibrary> AmdSmiLibrary::load(const std::string& name, std::string& error,
                                                   bool& found) {
  std::unique_ptr<AmdSmiLibrary> smi(new AmdSmiLibrary);
  DynamicLibrary& library = smi->library_;
  library = DynamicLibrary(name);
  found = library.is_open();
  if (!found) {
    error = library.error();
    return nullptr;
  }
  std::uint32_t (*start)(std::uint64_t) = nullptr;
  if (!library.bind(start, "amdsmi_init") ||
      !library.bind(smi->sockets, "amdsmi_get_socket_handles") ||
      !library.bind(smi->processors, "amdsmi_get_processor_handles") ||
      !library.bind(smi->processor_type, "amdsmi_get_processor_type")) {
    error = name + " is no AMD SMI: a function is missing";
    return nullptr;
  }
  library.bind(smi->words_, "amdsmi_status_code_to_string");
  library.bind(smi->energy_count, "amdsmi_get_energy_count");
  library.bind(smi->power_info, "amdsmi_get_power_info");
  library.bind(smi->device_bdf, "amdsmi_get_gpu_device_bdf");
  if (const std::uint32_t code = start(amd_smi::kInitGpus); code != amd_smi::kSuccess) {
    error = smi->words(code);
    return nullptr;
  }
  library.bind(smi->shutdown_, "amdsmi_shut_down");  // only what was started is shut down
  std::uint32_t (*version)(std::uint32_t*) = nullptr;
  std::array<std::uint32_t, 16> numbers{};  // more than any layout of amdsmi_version_t
  if (library.bind(version, "amdsmi_get_lib_version") &&
      version(numbers.data()) == amd_smi::kSuccess)
    smi->version_ = numbers[0];
  // The layout of a process is known from version 26 (ROCm 7) on.
  if (smi->version_ >= 26) library.bind(smi->process_list, "amdsmi_get_gpu_process_list");
  return smi;
}

AmdSmiLibrary::~AmdSmiLibrary() {
  if (shutdown_ != nullptr) shutdown_();
}

std::string AmdSmiLibrary::words(std::uint32_t code) const {
  const char* text = nullptr;
  if (words_ != nullptr && words_(code, &text) == amd_smi::kSuccess && text != nullptr)
    return fmt::format("{} (AMD SMI {})", text, code);
  return fmt::format("AMD SMI {}", code);
}

}  // namespace carnot::meter
