// SPDX-License-Identifier: Apache-2.0
// Any bytes as a table: only InputError may come out, and what is accepted is sound.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "carnot/base/error.hpp"

#include "learn/data/delimited.hpp"
#include "learn/data/encode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses how the label is named.
  const char* const labels[] = {"", "label", "1", "2", "3"};
  const std::uint8_t choice = size > 0 ? data[0] : 0;
  const std::string label = labels[choice % 5];
  const std::string text(reinterpret_cast<const char*>(data) + (size > 0 ? 1 : 0),
                         size > 0 ? size - 1 : 0);
  try {
    const carnot::learn::Table table = carnot::learn::parse_delimited(text, "f", label);
    if (table.cells.size() != table.rows * table.columns) std::abort();
    carnot::learn::EncodeOptions options;
    options.labels = label;
    options.task = choice >= 128 ? "regression" : "auto";
    options.test_share = 0.5;
    const carnot::learn::Split split = carnot::learn::encode_tables(table, nullptr, options);
    if (split.train.rows + split.test.rows != table.rows) std::abort();
    for (const auto* part : {&split.train, &split.test}) {
      if (part->features.size() != part->rows * part->columns) std::abort();
      for (const float f : part->features)
        if (!std::isfinite(f)) std::abort();
      for (const float t : part->targets)
        if (!std::isfinite(t)) std::abort();
      for (const auto l : part->labels)
        if (l >= part->classes) std::abort();
    }
  } catch (const carnot::InputError&) {
  }
  return 0;
}
