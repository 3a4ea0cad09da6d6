// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "carnot/base/text.hpp"
#include "carnot/model/footprint/accounting.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

/// "a;b" as two.
std::vector<std::string> sources_of(std::string_view cell) {
  std::vector<std::string> out;
  while (!cell.empty()) {
    const auto one = cell.substr(0, cell.find(';'));
    out.emplace_back(one);
    cell.remove_prefix(std::min(cell.size(), one.size() + 1));
  }
  return out;
}

}  // namespace

Embodied embodied(std::string_view name) {
  const auto wanted = folded(name);
  std::vector<std::string> known;
  std::string names;
  for (const auto& row : rows_of(kEmbodiedTable, 7, "data/embodied.csv")) {
    known.push_back(row[0]);
    names += (names.empty() ? "" : ", ") + row[0];
    if (folded(row[0]) != wanted) continue;
    return {row[0],
            Estimate<Carbon>(parse_number(row[1]) * kilogram, parse_number(row[2]) * kilogram,
                             parse_number(row[3]) * kilogram,
                             row[5] == "assumed" ? Origin::Assumed : Origin::Published,
                             Boundary::None, "embodied:" + row[0], sources_of(row[6])),
            parse_number(row[4]) * 365.25 * day, row[6]};
  }
  unknown("machine", name, known, names);
}

}  // namespace carnot::model
