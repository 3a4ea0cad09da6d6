// SPDX-License-Identifier: Apache-2.0
#include "meter/testing/testing_allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t counted = 0;

void* counted_or_null(std::size_t size) noexcept {
  ++counted;
  return std::malloc(size == 0 ? 1 : size);
}

void* counted_new(std::size_t size) {
  if (void* memory = counted_or_null(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted_new(size); }
void* operator new[](std::size_t size) { return counted_new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted_or_null(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace carnot::meter::testing {

std::uint64_t allocations() noexcept { return counted; }

}  // namespace carnot::meter::testing
