// SPDX-License-Identifier: Apache-2.0
// Any bytes as an IDX array, and as images against labels cut from the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "carnot/base/error.hpp"

#include "learn/codes/model_code.hpp"
#include "learn/data/encode.hpp"
#include "learn/data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const carnot::learn::IdxArray array = carnot::learn::parse_idx(bytes, "f");
    std::size_t product = 1;
    for (const std::size_t s : array.sizes) product *= s;
    if (product != array.values.size()) std::abort();
  } catch (const carnot::InputError&) {
  }
  const std::size_t cut = size > 0 ? data[0] % size : 0;
  try {
    const auto images = carnot::learn::parse_idx(bytes.substr(cut), "i");
    const auto labels = carnot::learn::parse_idx(bytes.substr(0, cut), "l");
    const auto set = carnot::learn::encode_idx(images, labels, "i", "l");
    if (set.features.size() != set.rows * set.columns) std::abort();
  } catch (const carnot::InputError&) {
  }
  if (size <= 64) {  // the coded model is foreign bytes too
    try {
      carnot::learn::decode_model({data, size});
    } catch (const carnot::InputError&) {
    }
  }
  return 0;
}
