// SPDX-License-Identifier: Apache-2.0
//
// ONNX files: whatever the bytes, the answer is a workload whose sums hold or an InputError.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/model/workload/onnx.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  carnot::model::OnnxOptions options;
  options.most_nodes = 20000;
  try {
    const carnot::model::Workload workload = carnot::model::parse_onnx(bytes, "fuzz.onnx", options);
    const carnot::model::Totals sum = carnot::model::totals(workload);
    require(sum.counts.flops == 2 * sum.counts.macs);
    require(sum.counts.special_ops <= sum.counts.other_ops);
    require(workload.active_parameters <= workload.parameters);
    require((sum.unknown == 0) == workload.unknown.empty());
  } catch (const carnot::InputError&) {
  }
  return 0;
}
