// SPDX-License-Identifier: Apache-2.0
//
// Files of coded labels: whatever the bytes, they are refused or read, and a code of two parts that
// is read gives labels or is refused. The checksum is made good, so that what it guards is reached.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/labels/label_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carnot::learn;
  std::vector<std::uint8_t> bytes(data, data + size);
  if (bytes.size() >= 4) {
    bytes.resize(bytes.size() - 4);
    const auto sum =
        static_cast<std::uint32_t>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * i)));
  }
  try {
    const LabelMessage message = unpack_labels(bytes);
    if (pack_labels(message).empty()) std::abort();
    if (!message.two_part || message.rows > 64 || message.shape.shape.columns > 64) return 0;
    Dataset inputs;
    inputs.rows = message.rows;
    inputs.columns = message.shape.shape.columns;
    inputs.features.assign(inputs.rows * inputs.columns, 0.5f);
    inputs.unsigned_features = message.shape.shape.unsigned_features;
    if (decode_labels(message, inputs).size() != message.rows) std::abort();
  } catch (const carnot::InputError&) {
  }
  return 0;
}
