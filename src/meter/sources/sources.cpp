// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/file.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/recording/recording.hpp"

namespace carnot::meter {

Found find_sources(const SourceOptions& options) {
  Found found;
  if (!options.replay_from.empty()) {
    found.sources = open_replay(options);
    const std::string text = read_file(options.replay_from);
    if (!text.ends_with('\n'))
      found.notes.push_back(
          {"recording", options.replay_from + ": its last line is cut off and left out", ""});
  } else {
    // In the order of preference where two read the same register (resolver.hpp).
    for (const auto open :
         {&open_perf, &open_powercap, &open_msr, &open_hwmon, &open_cray, &open_resctrl, &open_nvml,
          &open_amd_smi, &open_battery, &open_redfish, &open_ipmi, &open_external})
      if (auto source = open(options, found.notes)) found.sources.push_back(std::move(source));
  }
  if (found.sources.empty())
    found.notes.push_back({"sensors",
                           "no energy sensor is visible here, as in most virtual machines and "
                           "containers",
                           ""});
  if (!options.record_to.empty())
    found.sources = recorded(std::move(found.sources), options.record_to);
  return found;
}

}  // namespace carnot::meter
