// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "carnot/learn/knobs/precision.hpp"

#include "report/draw/json_figure.hpp"

namespace carnot::report {

/// `operations` and `bytes_moved` of a document.
inline Json operations_json(const learn::Counters& counters) {
  Json out = Json::object();
  for (int k = 0; k < static_cast<int>(learn::OperationKind::kCount); ++k) {
    const auto kind = static_cast<learn::OperationKind>(k);
    out[std::string(learn::key(kind))] = counters.at(kind);
  }
  return out;
}
inline Json bytes_moved_json(const learn::Counters& counters) {
  Json out = Json::object();
  for (int l = 0; l < static_cast<int>(learn::MemoryLevel::kCount); ++l) {
    const auto level = static_cast<learn::MemoryLevel>(l);
    out[std::string(learn::key(level))] = counters.at(level);
  }
  return out;
}

}  // namespace carnot::report
