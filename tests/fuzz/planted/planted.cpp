// SPDX-License-Identifier: Apache-2.0
// A target with two planted faults, both a few mutations away from "value = 17": what the replay
// driver must find.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const bool want_abort = std::getenv("PLANTED_ABORT") != nullptr;
  if (!want_abort && text.find("nan") != std::string::npos) throw std::logic_error("planted");
  if (want_abort && text.find("= 9") != std::string::npos) std::abort();
  return 0;
}
