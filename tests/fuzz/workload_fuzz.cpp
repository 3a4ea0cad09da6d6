// SPDX-License-Identifier: Apache-2.0
// Any bytes as a job trace, whatever the format, packed or not: a sound workload or an InputError.
// The first byte picks the options.
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/workload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carnot;
  if (size < 1) return 0;
  WorkloadOptions options;
  options.format = static_cast<WorkloadFormat>((data[0] & 7) % 5);
  if (data[0] & 8) options.time_unit = Duration::seconds(60);
  if (data[0] & 16) options.most = 3;
  try {
    const Workload w = carnot::parse_workload({reinterpret_cast<const char*>(data) + 1, size - 1},
                                              "fuzz", options);
    CARNOT_CHECK(w.size() > 0 && w.length.size() == w.size(), "a length each");
    Duration last;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const JobRequest& job = w.jobs[j];
      CARNOT_CHECK(job.arrival >= last && w.length[j] > Duration{} && job.estimate > Duration{} &&
                       job.allowed >= Duration{} && job.nodes >= 1,
                   "a job in range, in order");
      last = job.arrival;
    }
  } catch (const InputError&) {
  }
  return 0;
}
