// SPDX-License-Identifier: Apache-2.0
//
// Tree ensembles: whatever the bytes, the answer is trees that can be walked or an InputError.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/model/workload/trees.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const carnot::model::TreeEnsemble ensemble = carnot::model::parse_trees(text, "fuzz");
    const carnot::model::TreeCounts counts = carnot::model::count_trees(ensemble);
    require(counts.nodes + counts.trees == 2 * counts.leaves);
    if (!ensemble.categorical && ensemble.features < 1000000) {
      const std::vector<double> row(ensemble.features, 0.5);
      require(carnot::model::walk_trees(ensemble, row) <= counts.most_comparisons);
    }
    carnot::model::trees_workload(ensemble, 10);
  } catch (const carnot::InputError&) {
  }
  return 0;
}
