// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/testing_tables.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/random.hpp"
#include "carnot/learn/data/encoding.hpp"

namespace carnot::learn {

Dataset small_table(std::size_t rows, std::size_t columns, std::size_t classes, bool missing,
                    std::uint64_t seed) {
  const RandomStream random(seed, "small table");
  Dataset d;
  d.rows = rows;
  d.columns = columns;
  d.classes = classes;
  std::uint64_t at = 0;
  std::vector<double> targets;
  for (std::size_t r = 0; r < rows; ++r) {
    double target = 0.5 * random.normal(at++);
    for (std::size_t c = 0; c < columns; ++c) {
      auto x = static_cast<float>(random.below(at++, 5 + 7 * c)) / 4.0f;
      if (missing && random.uniform(at++) < 0.15) {
        d.missing.push_back(r * columns + c);
        if (c == 0) target += 1.5;
        x = 0.0f;
      } else if (c == 0) {
        target += static_cast<double>(x);
      } else if (c == 1) {
        target -= 0.6 * static_cast<double>(x) * (x > 1.0f ? 1.0 : -1.0);
      }
      d.features.push_back(x);
    }
    targets.push_back(target);
  }
  if (classes == 0) {
    for (const double t : targets) d.targets.push_back(static_cast<float>(std::round(8.0 * t) / 8));
    return d;
  }
  std::vector<double> sorted = targets;
  std::sort(sorted.begin(), sorted.end());
  for (const double t : targets) {
    const auto rank = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), t) -
                                               sorted.begin());
    d.labels.push_back(static_cast<std::uint32_t>(rank * classes / rows));
  }
  return d;
}

Dataset category_table(std::size_t rows, std::size_t levels, double noise, std::uint64_t seed) {
  const RandomStream random(seed, "category table");
  auto encoding = std::make_shared<TableEncoding>();
  ColumnEncoding category, number;
  category.name = "kind";
  category.kind = ColumnEncoding::Kind::OneHot;
  for (std::size_t l = 0; l < levels; ++l) category.levels.push_back("level " + std::to_string(l));
  number.name = "number";
  number.first = levels;
  encoding->columns = {category, number};
  Dataset d;
  d.rows = rows;
  d.columns = levels + 1;
  d.classes = 2;
  d.encoding = encoding;
  d.features.assign(rows * d.columns, 0.0f);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto level = static_cast<std::size_t>(random.below(3 * r, levels));
    d.features[r * d.columns + level] = 1.0f;
    d.features[r * d.columns + levels] = static_cast<float>(random.normal(3 * r + 1));
    const bool flip = random.uniform(3 * r + 2) < noise;
    d.labels.push_back(static_cast<std::uint32_t>((level % 2 == 1) != flip));
  }
  return d;
}

}  // namespace carnot::learn
