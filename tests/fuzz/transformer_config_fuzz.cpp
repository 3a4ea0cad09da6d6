// SPDX-License-Identifier: Apache-2.0
//
// config.json of transformers: whatever the bytes, the answer is a workload of each mode or an
// InputError.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/model/workload/transformer.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using carnot::model::RunMode;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const RunMode mode : {RunMode::Prefill, RunMode::Decode, RunMode::Train}) {
    try {
      const carnot::model::TransformerConfig config =
          carnot::model::parse_transformer_config(text, "fuzz.json");
      carnot::model::TransformerRun run;
      run.mode = mode;
      run.batch = 2;
      run.prompt = 9;
      run.context = mode == RunMode::Decode ? 100 : 0;
      const carnot::model::Workload workload = carnot::model::transformer_workload(config, run);
      const carnot::model::Totals sum = carnot::model::totals(workload);
      require(sum.counts.flops == 2 * sum.counts.macs);
      require(sum.unknown == 0);
      require(workload.active_parameters <= workload.parameters);
    } catch (const carnot::InputError&) {
    }
  }
  return 0;
}
