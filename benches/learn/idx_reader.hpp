// SPDX-License-Identifier: Apache-2.0
#pragma once

// A minimal reader of gzipped IDX pairs for the benches.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

#include "carnot/learn/dataset.hpp"

namespace carnot::bench {

inline std::vector<unsigned char> read_gz(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error(path + ": cannot open");
  std::vector<unsigned char> bytes, chunk(1 << 20);
  for (int n; (n = gzread(file, chunk.data(), 1 << 20)) > 0;) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + n);
  }
  gzclose(file);
  return bytes;
}

inline learn::Dataset read_idx(const std::string& images, const std::string& labels) {
  const auto x = read_gz(images), y = read_gz(labels);
  const auto word = [](const std::vector<unsigned char>& b, std::size_t at) {
    return std::size_t{b.at(at)} << 24 | std::size_t{b.at(at + 1)} << 16 |
           std::size_t{b.at(at + 2)} << 8 | b.at(at + 3);
  };
  learn::Dataset data;
  data.rows = word(x, 4);
  data.columns = word(x, 8) * word(x, 12);
  data.classes = 10;
  data.unsigned_features = true;
  if (x.size() != 16 + data.rows * data.columns || y.size() != 8 + data.rows) {
    throw std::runtime_error(images + ": not an IDX pair");
  }
  data.features.resize(data.rows * data.columns);
  for (std::size_t i = 0; i < data.features.size(); ++i) {
    data.features[i] = static_cast<float>(x[16 + i]) / 255.0f;
  }
  for (std::size_t i = 0; i < data.rows; ++i) data.labels.push_back(y[8 + i]);
  return data;
}

}  // namespace carnot::bench
