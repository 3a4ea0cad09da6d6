// SPDX-License-Identifier: Apache-2.0
// Chooses the kernel table once per process, or as told.
#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/kernel_table.hpp"

namespace carnot::learn {

namespace {

bool has_avx2() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

bool has_avx512_vnni() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
#else
  return false;
#endif
}

const KernelTable* find(const std::string& name) noexcept {
  if (name == "scalar") return &scalar_kernels();
  if (name == "avx2" && has_avx2()) return &avx2_kernels();
  if (name == "avx512-vnni" && has_avx512_vnni()) return &avx512_kernels();
  return nullptr;
}

const KernelTable* best() noexcept {
  if (has_avx512_vnni()) return &avx512_kernels();
  return has_avx2() ? &avx2_kernels() : &scalar_kernels();
}

std::atomic<const KernelTable*> chosen{nullptr};

}  // namespace

const KernelTable& kernels() noexcept {
  const KernelTable* table = chosen.load(std::memory_order_acquire);
  if (table == nullptr) {
    // An unknown or unsupported CARNOT_ISA is ignored: a library must not die of an environment.
    const char* wanted = std::getenv("CARNOT_ISA");
    table = wanted != nullptr ? find(wanted) : nullptr;
    if (table == nullptr) table = best();
    chosen.store(table, std::memory_order_release);
  }
  return *table;
}

std::string instruction_set() { return kernels().name; }

void set_instruction_set(const std::string& name) {
  const KernelTable* table = find(name);
  if (table == nullptr) {
    std::string allowed = "scalar";
    if (has_avx2()) allowed += ", avx2";
    if (has_avx512_vnni()) allowed += ", avx512-vnni";
    throw InputError("instruction set: `" + name + "` is not supported here; allowed: " + allowed);
  }
  chosen.store(table, std::memory_order_release);
}

}  // namespace carnot::learn
