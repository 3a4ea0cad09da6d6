// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/power_limit.hpp"

#include <array>
#include <exception>
#include <memory>

#include "meter/sources/gpu/nvml_library.hpp"

namespace carnot::meter {

namespace {

std::unique_ptr<NvmlLibrary> load_nvml(const std::string& library, std::string& why) {
  bool found = false;
  if (library == "none") {
    why = "not looked for";
    return nullptr;
  }
  return NvmlLibrary::load(library.empty() ? "libnvidia-ml.so.1" : library, why, found);
}

}  // namespace

std::vector<GpuPowerLimit> gpu_power_limits(const std::string& library, std::string& why_none) {
  std::vector<GpuPowerLimit> limits;
  const auto nvml = load_nvml(library, why_none);
  if (!nvml) return limits;
  if (nvml->management_limit == nullptr || nvml->limit_range == nullptr ||
      nvml->set_management_limit == nullptr) {
    why_none = "this NVML cannot set power limits";
    return limits;
  }
  unsigned boards = 0;
  nvml->device_count(&boards);
  why_none = "no board";
  for (unsigned i = 0; i < boards; ++i) {
    nvml::Device device = nullptr;
    GpuPowerLimit limit;
    std::array<char, 96> name{};
    if (const int code = nvml->device_handle(i, &device); code != nvml::kSuccess) {
      why_none = nvml->words(code);
      continue;
    }
    unsigned now = 0, least = 0, most = 0;
    int code = nvml->management_limit(device, &now);
    if (code == nvml::kSuccess) code = nvml->limit_range(device, &least, &most);
    if (code != nvml::kSuccess) {
      why_none = nvml->words(code);
      continue;
    }
    nvml->name(device, name.data(), name.size() - 1);
    limits.push_back({static_cast<int>(i), name.data(), now, least, most});
  }
  return limits;
}

bool put_gpu_power_limit(const std::string& library, int board, std::uint32_t milliwatts,
                         std::string* why_not) noexcept {
  try {
    std::string why;
    const auto nvml = load_nvml(library, why);
    nvml::Device device = nullptr;
    int code = nvml::kSuccess;
    const bool done =
        nvml && nvml->set_management_limit != nullptr &&
        (code = nvml->device_handle(static_cast<unsigned>(board), &device)) == nvml::kSuccess &&
        (code = nvml->set_management_limit(device, milliwatts)) == nvml::kSuccess;
    if (!done && why_not != nullptr) *why_not = code != nvml::kSuccess ? nvml->words(code) : why;
    return done;
  } catch (const std::exception&) {
    return false;  // no memory for words
  }
}

}  // namespace carnot::meter
